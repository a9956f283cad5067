/* The Crucible: classes by measured speed, and who goes to which idle hart for it. */
// test-sources: nucleus/core/*.c nucleus/arch/host/*.c lib/*.c
#include "nucleus_test.h"

#include "../../../nucleus/core/crucible.h"

static struct cell *cell;

/* Hart 0 runs a fiber of a Photon cell, the others are idle. */
static int boot(void **state)
{
    struct nx_manifest m = test_manifest("c");
    m.tier = NX_TIER_PHOTON;
    test_boot(4, 64 * MIB);
    hart(0);
    cell = test_cell_with(&m);
    assert_non_null(run(0));
    for (unsigned i = 1; i < 4; i++) {
        assert_null(run(i));
        assert_true(harts[i].online);
    }
    hart(0);
    return 0;
}

/* What each hart's piece of work takes. */
static void speeds(const unsigned *ticks, unsigned n)
{
    lock();
    for (unsigned i = 0; i < hart_count; i++) {
        harts[i].speed = 0;
        harts[i].class = 0;
    }
    for (unsigned i = 0; i < n; i++) {
        crucible_note(&harts[i], ticks[i]);
    }
    unlock();
}

static void classes_are_shares_of_the_fastest(void **state)
{
    static const unsigned ticks[4] = {700, 1000, 1400, 1870};
    speeds(ticks, 4);
    assert_int_equal(nx_meta_hart(0, NX_HART_CLASS), NX_CLASS_APEX);
    assert_int_equal(nx_meta_hart(1, NX_HART_CLASS), NX_CLASS_FORGE);
    assert_int_equal(nx_meta_hart(2, NX_HART_CLASS), NX_CLASS_MILL);
    assert_int_equal(nx_meta_hart(3, NX_HART_CLASS), NX_CLASS_EMBER);
    assert_true(crucible_mixed);
    assert_true(nx_meta_hart(0, NX_HART_SPEED) > nx_meta_hart(1, NX_HART_SPEED));
    static const unsigned edge[4] = {700, 800, 799, 801}; /* 7/8 is enough, but for rounding */
    speeds(edge, 4);
    assert_int_equal(nx_meta_hart(2, NX_HART_CLASS), NX_CLASS_APEX);
    assert_int_equal(nx_meta_hart(3, NX_HART_CLASS), NX_CLASS_FORGE);
    static const unsigned equal[4] = {700, 700, 710, 705};
    speeds(equal, 4);
    assert_false(crucible_mixed);
}

static void a_hiccup_is_none_and_a_slow_hart_is_found_out(void **state)
{
    static const unsigned equal[4] = {700, 700, 700, 700};
    speeds(equal, 4);
    lock();
    crucible_note(&harts[2], 70000);
    assert_int_equal(harts[2].class, NX_CLASS_APEX);
    crucible_note(&harts[2], 700); /* and is forgotten at once */
    assert_int_equal(harts[2].speed, harts[1].speed);
    unsigned n = 0;
    for (; harts[2].class != NX_CLASS_MILL && n < 100; n++) {
        crucible_note(&harts[2], 1400);
    }
    assert_in_range(n, 10, 60);
    assert_true(crucible_mixed);
    while (harts[2].class != NX_CLASS_APEX && n < 200) { /* it is cooler again */
        crucible_note(&harts[2], 700);
        n++;
    }
    assert_true(n < 200);
    unlock();
}

static void no_time_at_all_is_no_fault(void **state)
{
    static const unsigned none[4] = {0, 0, 0, 0};
    speeds(none, 4);
    assert_int_equal(nx_meta_hart(3, NX_HART_CLASS), NX_CLASS_APEX);
    static const unsigned some[4] = {~0u, ~0u, ~0u, 1};
    speeds(some, 4);
    assert_int_equal(nx_meta_hart(0, NX_HART_CLASS), NX_CLASS_EMBER);
}

static void only_harts_that_are_there_tell(void **state)
{
    assert_int_equal(nx_meta_hart(hart_count, NX_HART_CLASS), -NX_EINVAL);
    assert_int_equal(nx_meta_hart(~0ul, NX_HART_CLASS), -NX_EINVAL);
    assert_int_equal(nx_meta_hart(0, NX_HART_VALUES), -NX_EINVAL);
    assert_true(nx_meta_hart(0, NX_HART_IDLE) >= 0);
    assert_true(nx_meta_hart(0, NX_HART_MEASURING) >= 0);
}

/* A woken fiber of each tier, with harts 1 to 3 idle: where does it go? */
static void a_fiber_gets_the_hart_that_suits_its_tier(void **state)
{
    static const unsigned ticks[4] = {700, 1400, 1000, 701};
    static const unsigned want[NX_TIERS] = {
        [NX_TIER_PHOTON] = 3, [NX_TIER_MATTER] = 2, [NX_TIER_GRAVITY] = 1, [NX_TIER_VOID] = 1};
    speeds(ticks, 4);
    for (unsigned tier = 0; tier < NX_TIERS; tier++) {
        struct nx_manifest m = test_manifest("woken");
        m.tier = tier;
        struct cell *c = test_cell_with(&m);
        for (unsigned i = 0; i < 4; i++) {
            assert_int_equal(harts[i].ready != 0, i == want[tier]);
        }
        test_end(c);
        assert_int_equal(harts[0].ready | harts[1].ready | harts[2].ready | harts[3].ready, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(classes_are_shares_of_the_fastest),
        cmocka_unit_test(a_hiccup_is_none_and_a_slow_hart_is_found_out),
        cmocka_unit_test(no_time_at_all_is_no_fault),
        cmocka_unit_test(only_harts_that_are_there_tell),
        cmocka_unit_test(a_fiber_gets_the_hart_that_suits_its_tier),
    };
    return cmocka_run_group_tests(tests, boot, NULL);
}
