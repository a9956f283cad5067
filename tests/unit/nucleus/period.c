/* Periodic fibers: what is admitted and why something is not, order, releases, what becomes of who overruns. */
// test-sources: nucleus/core/*.c nucleus/arch/host/*.c lib/*.c
#include "passing.h"

static struct cell *cell;

static int begin(void **state)
{
    (void)counts_before(state);
    host.time += 10 * TIMEBASE - host.time % TIMEBASE; /* a multiple of all periods used here */
    hart_count = 1;
    hart(0);
    struct nx_manifest m = test_manifest("c");
    m.tier = NX_TIER_PHOTON;
    cell = test_cell_with(&m);
    cell->quota->spaces_max = 0;
    assert_non_null(run(0));
    return 0;
}

static int end(void **state)
{
    audit();
    test_end(cell);
    assert_int_equal(period_fibers, 0);
    hart_count = 2;
    for (unsigned i = 0; i < 2; i++) {
        if (harts[i].fiber == NULL && harts[i].online) {
            interrupts(i);
        }
    }
    audit();
    return counts_after(state);
}

#define PERIOD_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

static struct fiber *of(long handle)
{
    list_for_each(n, &cell->fibers)
    {
        struct fiber *f = list_entry(n, struct fiber, cell_link);
        if (f->handle == (uint64_t)handle) {
            return f;
        }
    }
    return NULL;
}

static long spawn(uint64_t name)
{
    const long f = nx_spawn_fiber(NX_IMAGE, 0, name, NX_TIER_PHOTON);
    assert_true(f > 0);
    return f;
}

/* For another fiber, without being preempted by it at once. */
static long declare(struct fiber *f, uint64_t period, uint64_t budget, uint64_t phase)
{
    lock();
    const long e = period_declare(f, period, budget, phase);
    unlock();
    return e;
}

static void what_makes_no_sense_is_refused(void **state)
{
    assert_int_equal(nx_tick_period(0, 0, 0, 0), -NX_EINVAL);
    assert_int_equal(nx_tick_period(0, 0, 1, 0), -NX_EINVAL);
    assert_int_equal(nx_tick_period(0, 10, 0, 0), -NX_EINVAL);
    assert_int_equal(nx_tick_period(0, 10, 11, 0), -NX_EINVAL);
    assert_int_equal(nx_tick_period(0, 10, 1, 10), -NX_EINVAL);
    assert_int_equal(nx_tick_period(0, TIMEBASE, 200 * MS + 1, 0), -NX_EINVAL);
    assert_int_equal(nx_tick_period(0, PERIOD_MOST + 1, 1, 0), -NX_EINVAL);
    assert_int_equal(nx_tick_period(0, ~0ul, ~0ul, 0), -NX_EINVAL);
    assert_int_equal(nx_tick_release(), -NX_EINVAL);
    assert_int_equal(nx_tick_tier(0, NX_TIER_MATTER), 0);
    assert_int_equal(nx_tick_period(0, 10, 1, 0), -NX_EPERM);
    assert_int_equal(period_fibers, 0);
}

static void a_set_is_admitted_up_to_full_use(void **state)
{
    struct fiber *f[4];
    for (unsigned i = 0; i < 4; i++) {
        f[i] = of(spawn(i));
    }
    assert_int_equal(declare(f[0], 1000, 500, 0), 0);
    assert_int_equal(declare(f[1], 1500, 1, 0), -NX_EHARMONY);
    assert_int_equal(declare(f[1], 3000, 1501, 0), -NX_EBUSY);
    assert_int_equal(declare(f[1], 3000, 1500, 7), 0); /* exactly full */
    assert_int_equal(declare(f[2], 3000, 1, 0), -NX_EBUSY);
    assert_int_equal(declare(f[1], 3000, 1000, 0), 0); /* itself does not count twice */
    assert_int_equal(declare(f[2], 6000, 1000, 0), 0); /* and again; no third is lost to rounding */
    assert_int_equal(declare(f[3], 6000, 1, 0), -NX_EBUSY);
    assert_int_equal(declare(f[3], PERIOD_MOST - PERIOD_MOST % 6000, 1, 0), -NX_EBUSY);
    assert_int_equal(period_fibers, 3);
    /* Who takes a tier anew gives up its period, and its place. */
    lock();
    sched_set_tier(f[0], NX_TIER_PHOTON);
    unlock();
    assert_int_equal(declare(f[3], 6000, 3000, 0), 0);
    assert_int_equal(period_fibers, 3);
}

/* Periods of 10, 20 and 40 ms with other phases each, 100 %: each does its work, a tick less than its budget, before it is released again. */
static void a_full_set_meets_every_release(void **state)
{
    static const uint64_t period[3] = {10 * MS, 20 * MS, 40 * MS},
                          budget[3] = {5 * MS, 5 * MS, 10 * MS}, phase[3] = {3 * MS, 7 * MS, 0};
    struct fiber *f[3];
    unsigned released[3] = {0}, begun = 0;
    for (unsigned i = 0; i < 3; i++) {
        f[i] = of(spawn(i));
    }
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(declare(f[i], period[i], budget[i], phase[i]), 0);
    }
    assert_int_equal(nx_tick_sleep(NX_NEVER - 1), HOST_SWITCHED);
    for (uint64_t end = host.time + 400 * MS; host.time < end;) {
        struct fiber *g = on(0);
        const uint64_t ran = host.time - harts[0].since;
        if (g == NULL) {
            pass(MS / 10);
        } else if (begun < 3) {
            assert_int_equal(nx_tick_release(), HOST_SWITCHED);
            begun++;
        } else if (g->left > ran + 1) {
            pass(NX_MIN(g->left - ran - 1, MS / 10));
        } else {
            assert_int_equal(nx_tick_release(), HOST_SWITCHED); /* in time */
            for (unsigned i = 0; i < 3; i++) {
                released[i] += f[i] == g;
            }
        }
    }
    for (unsigned i = 0; i < 3; i++) {
        assert_in_range(released[i], 400 * MS / period[i] - 2, 400 * MS / period[i] + 1);
        assert_int_equal(f[i]->strikes, 0);
    }
    assert_int_equal(cell->tier, NX_TIER_PHOTON);
}

static void the_shorter_period_goes_first(void **state)
{
    struct fiber *me = on(0), *slow = of(spawn(0)), *fast = of(spawn(1));
    assert_int_equal(declare(slow, 100 * MS, 50 * MS, 0), 0);
    assert_int_equal(declare(fast, 10 * MS, 2 * MS, 5 * MS), 0);
    assert_int_equal(nx_tick_yield(), HOST_SWITCHED);
    assert_ptr_equal(on(0), fast); /* although the other stood in line before it */
    assert_int_equal(nx_tick_release(), HOST_SWITCHED);
    assert_ptr_equal(on(0), slow);
    assert_int_equal(nx_tick_release(), HOST_SWITCHED);
    assert_ptr_equal(on(0), me);
    assert_int_equal(nx_tick_yield(), 0);
    assert_int_equal(nx_recv_wait(0, host.time + 120 * MS), HOST_SWITCHED);
    while (on(0) != slow) {
        pass(MS);
        if (on(0) == fast) {
            assert_int_equal(nx_tick_release(), HOST_SWITCHED);
        }
    }
    assert_int_equal(host.time % (100 * MS), 0);
    pass(5 * MS); /* its release */
    assert_ptr_equal(on(0), fast);
    assert_int_equal(fast->left, 2 * MS);
    assert_int_equal(nx_tick_release(), HOST_SWITCHED);
    assert_ptr_equal(on(0), slow);
    /* And before who is of no period. */
    lock();
    fiber_wake(me, 0);
    unlock();
    interrupts(0);
    assert_ptr_equal(on(0), slow);
    assert_int_equal(nx_tick_release(), HOST_SWITCHED);
    assert_ptr_equal(on(0), me);
}

static void nothing_but_a_release_fills_a_budget(void **state)
{
    struct fiber *f = on(0);
    assert_int_equal(nx_tick_period(0, 20 * MS, 4 * MS, 0), 0);
    assert_int_equal(nx_tick_release(), HOST_SWITCHED);
    pass(20 * MS);
    assert_ptr_equal(on(0), f);
    assert_int_equal(f->left, 4 * MS);
    pass(MS);
    assert_int_equal(nx_tick_sleep(host.time + MS), HOST_SWITCHED);
    pass(MS);
    assert_ptr_equal(on(0), f);
    assert_int_equal(f->left, 3 * MS);
    /* A late one is released at once. */
    assert_int_equal(nx_tick_sleep(host.time + 30 * MS), HOST_SWITCHED);
    pass(30 * MS);
    assert_int_equal(f->left, 4 * MS);
    assert_int_equal(f->release % (20 * MS), 0);
    assert_true(f->release > host.time);
}

static void who_overruns_is_parked_until_its_release(void **state)
{
    struct fiber *f = on(0);
    assert_int_equal(nx_tick_period(0, 20 * MS, 4 * MS, 0), 0);
    assert_int_equal(nx_tick_release(), HOST_SWITCHED);
    pass(20 * MS);
    assert_ptr_equal(on(0), f);
    uint64_t before = beb_end();
    pass(4 * MS);
    assert_null(on(0)); /* even though nobody else wants the hart */
    assert_true(period_parked(f));
    assert_true(beb_end() > before);
    assert_int_equal(f->strikes, 1);
    pass(16 * MS - 1);
    assert_null(on(0));
    pass(1);
    assert_ptr_equal(on(0), f);
    assert_int_equal(f->left, 4 * MS);
    assert_int_equal(cell->tier, NX_TIER_PHOTON);
    pass(40 * MS); /* twice more without having waited */
    assert_int_equal(cell->tier, NX_TIER_MATTER);
    assert_false(period_parked(f));
    assert_ptr_equal(on(0), f);
}

static void a_parked_one_can_be_ended(void **state)
{
    (void)spawn(0);
    assert_int_equal(nx_tick_period(0, 20 * MS, 4 * MS, 0), 0);
    assert_int_equal(nx_tick_release(), HOST_SWITCHED);
    pass(20 * MS);
    pass(4 * MS);
}

static void it_stays_where_it_was_admitted(void **state)
{
    struct fiber *f = of(spawn(0)), *g = of(spawn(1));
    assert_int_equal(declare(f, 20 * MS, 4 * MS, 0), 0);
    hart_count = 2;
    struct fiber *there = run(1);
    assert_ptr_equal(there, g); /* and not the one in front of it */
    assert_ptr_equal(f->hart, &harts[0]);
    hart(1);
    assert_int_equal(nx_tick_sleep(host.time + TIMEBASE), HOST_SWITCHED);
    assert_null(harts[1].fiber);
    hart(0);
}

static int boot(void **state)
{
    test_boot(2, 32 * MIB);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PERIOD_TEST(what_makes_no_sense_is_refused),
        PERIOD_TEST(a_set_is_admitted_up_to_full_use),
        PERIOD_TEST(a_full_set_meets_every_release),
        PERIOD_TEST(the_shorter_period_goes_first),
        PERIOD_TEST(nothing_but_a_release_fills_a_budget),
        PERIOD_TEST(who_overruns_is_parked_until_its_release),
        PERIOD_TEST(a_parked_one_can_be_ended),
        PERIOD_TEST(it_stays_where_it_was_admitted),
    };
    return cmocka_run_group_tests(tests, boot, NULL);
}
