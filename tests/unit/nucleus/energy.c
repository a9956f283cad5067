/* What cells are charged for, and what becomes of one that has used what its manifest gives it. */
// test-sources: nucleus/core/*.c nucleus/arch/host/*.c lib/*.c
#include "audit.h"

#include "energy.h"
#include "watchdog.h"

#define RATE 100000u /* a tenth of a hart */
#define UNIT (TIMEBASE / 1000000)

static struct cell *limited, *other;
static struct fiber *fl, *fo;

/* On one hart: a cell with a limit, and one of a worse tier that always has work. */
static int begin(void **state)
{
    (void)counts_before(state);
    struct nx_manifest m = test_manifest("limited");
    host.time += TIMEBASE;
    m.energy = RATE;
    limited = test_cell_with(&m);
    m = test_manifest("other");
    m.tier = NX_TIER_GRAVITY;
    other = test_cell_with(&m);
    fl = run(0);
    assert_ptr_equal(fl->cell, limited);
    fo = list_first(&other->fibers, struct fiber, cell_link);
    return 0;
}

static int end(void **state)
{
    audit();
    test_end(limited);
    test_end(other);
    assert_int_equal(energy_limited, 0);
    watchdog_due = watchdog_due_idle = NX_NEVER;
    return counts_after(state);
}
#define ENERGY_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

/* Time passes, and is charged to whoever runs. */
static void pass(uint64_t ticks)
{
    uint64_t stop = host.time + ticks;
    while (host.time < stop) {
        host.time = NX_MAX(host.time + 1, NX_MIN(stop, host.hart[0].deadline));
        if (host_interrupt_pending(0)) {
            interrupts(0);
            audit_sched();
        }
    }
}

static long value(unsigned what)
{
    return nx_meta_cell(NX_SELF, what);
}

static void everything_is_counted(void **state)
{
    long before = value(NX_CELL_ENERGY_USED);
    host.time += 123 * UNIT;
    assert_int_equal(value(NX_CELL_ENERGY_USED), before + 123);
    assert_int_equal(value(NX_CELL_ENERGY_LEFT), RATE - 123 + 12);
    before = value(NX_CELL_ENERGY_USED);
    assert_non_null(host_access(NX_FREE, NX_PROT_W));
    assert_non_null(host_access(NX_FREE + PAGE, NX_PROT_R));
    assert_int_equal(value(NX_CELL_ENERGY_USED), before + 2 * ENERGY_PAGE);
    assert_int_equal(nx_make_event(9), 0);
    assert_int_equal(nx_send_bell(9), 0);
    assert_int_equal(nx_send_bell(9), 0);
    assert_int_equal(value(NX_CELL_ENERGY_USED),
                     before + 2 * ENERGY_PAGE + ENERGY_OBJECT + 2 * ENERGY_SEND);
    before = value(NX_CELL_ENERGY_USED);
    assert_true(nx_spawn_fiber(NX_IMAGE, NX_STACK_TOP, 0, NX_TIER_MATTER) > 0);
    assert_int_equal(value(NX_CELL_ENERGY_USED), before + ENERGY_FIBER);
}

/* What a personality does for a program, the Entropy Tax, is host mode of the same fiber: it costs the same, and once. */
static void a_programs_time_and_its_tax_are_paid_alike(void **state)
{
    const long s = nx_make_space();
    assert_true(s > 0);
    assert_int_equal(nx_map_anon((uint64_t)s, 0x40000000ul, PAGE, RW), 0);
    assert_int_equal(nx_enter_bind((uint64_t)s, NX_FREE), 0);
    const long before = value(NX_CELL_ENERGY_USED);
    assert_int_equal(nx_enter_run(), HOST_SWITCHED);
    assert_non_null(harts[0].foreign);
    host.time += 70 * UNIT;
    host_foreign_call();
    assert_null(harts[0].foreign);
    assert_int_equal(value(NX_CELL_ENERGY_USED), before + 70);
    host.time += 30 * UNIT;
    assert_int_equal(value(NX_CELL_ENERGY_USED), before + 100);
    assert_int_equal(value(NX_CELL_ENERGY_LEFT), (long)energy_left(limited));
}

static void no_more_than_a_second_fits(void **state)
{
    assert_int_equal(nx_tick_sleep(host.time + 10 * TIMEBASE), HOST_SWITCHED);
    host.time += 10 * TIMEBASE;
    interrupts(0);
    assert_int_equal(energy_left(limited), RATE);
}

static void what_it_ran_over_is_a_debt(void **state)
{
    limited->energy.left = MS; /* and a budget of 10 ms */
    pass(12 * MS);             /* more than one budget, at the end of which somebody looks */
    assert_true(limited->energy.out);
    assert_in_range(-limited->energy.left, 7 * MS, 10 * MS);
}

static void no_cell_gives_more_than_it_has(void **state)
{
    assert_int_equal(energy_part(0, limited), RATE);
    assert_int_equal(energy_part(RATE / 2, limited), RATE / 2);
    assert_int_equal(energy_part(RATE + 1, limited), RATE);
    assert_int_equal(energy_part(RATE + 1, other), RATE + 1);
    lock();
    const uint64_t before = energy_used(limited);
    assert_true(energy_spend(limited, ENERGY_CELL));
    assert_int_equal(energy_used(limited), before + ENERGY_CELL);
    unlock();
}

static void a_cell_without_a_limit(void **state)
{
    assert_int_equal(other->energy.rate, 0);
    assert_int_equal(energy_left(other), ~0ul);
    uint64_t before = energy_used(other);
    assert_int_equal(nx_recv_wait(1, NX_NEVER), HOST_SWITCHED);
    assert_ptr_equal(harts[0].fiber, fo);
    pass(10 * TIMEBASE);
    assert_int_equal(value(NX_CELL_ENERGY_LEFT), INT64_MAX);
    assert_int_equal(energy_used(other), before + 10000000);
    assert_int_equal(other->tier, NX_TIER_GRAVITY);
}

static void who_has_used_it_up_waits_for_the_others(void **state)
{
    pass(TIMEBASE / 10 - 100 * UNIT);
    assert_ptr_equal(harts[0].fiber, fl);
    assert_false(limited->energy.out);
    pass(TIMEBASE / 20);
    assert_true(limited->energy.out);
    assert_int_equal(limited->tier, NX_TIER_VOID);
    assert_ptr_equal(harts[0].fiber, fo);
    /* From then on it gets its tenth, a little at a time, and is never refused for good. */
    uint64_t was = energy_runtime(limited), start = host.time;
    pass(20 * TIMEBASE);
    uint64_t share = (energy_runtime(limited) - was) * 1000 / (host.time - start);
    assert_in_range(share, 90, 130);
    uint64_t its = energy_runtime(other);
    assert_true(its * 10 > 8 * (host.time - start));
}

static void alone_it_may_run_on(void **state)
{
    pass(TIMEBASE / 2);
    test_end(other);
    run(0);
    uint64_t was = energy_runtime(limited), start = host.time;
    pass(TIMEBASE);
    assert_int_equal(energy_runtime(limited) - was, host.time - start);
    struct nx_manifest m = test_manifest("other");
    other = test_cell_with(&m);
}

static void it_makes_nothing_meanwhile(void **state)
{
    test_end(other);
    pass(TIMEBASE);
    assert_true(limited->energy.out);
    assert_ptr_equal(harts[0].fiber, fl);
    struct counts before = counts_now();
    assert_int_equal(nx_make_event(9), -NX_EBUSY);
    assert_int_equal(nx_make_mem(9, 1, 0), -NX_EBUSY);
    assert_int_equal(nx_spawn_fiber(NX_IMAGE, NX_STACK_TOP, 0, NX_TIER_MATTER), -NX_EBUSY);
    assert_counts(&before);
    /* It rests, and may again. */
    assert_int_equal(nx_tick_sleep(host.time + TIMEBASE), HOST_SWITCHED);
    host.time += TIMEBASE;
    interrupts(0);
    assert_ptr_equal(run(0), fl);
    pass(100);
    assert_false(limited->energy.out);
    assert_int_equal(limited->tier, NX_TIER_MATTER);
    assert_int_equal(nx_make_event(9), 0);
    struct nx_manifest m = test_manifest("other");
    other = test_cell_with(&m);
}

/* Fibers that wait in queues are moved with their cell, whatever the Ratchet did to them before. */
static void all_its_fibers_move(void **state)
{
    for (unsigned i = 0; i < 6; i++) {
        assert_true(nx_spawn_fiber(NX_IMAGE, NX_STACK_TOP, 0,
                                   i % 2 == 0 ? NX_TIER_MATTER : NX_TIER_GRAVITY) > 0);
    }
    audit_sched();
    pass(TIMEBASE / 4);
    assert_true(limited->energy.out);
    list_for_each(n, &limited->fibers)
    {
        const struct fiber *f = list_entry(n, struct fiber, cell_link);
        assert_int_equal(f->outranked_by, (1u << NX_TIER_VOID) - 1);
        assert_true(f->status != FIBER_READY || fiber_tier(f, false) == NX_TIER_VOID);
    }
    pass(5 * TIMEBASE);
    while (limited->energy.out) {
        pass(TIMEBASE / 100);
    }
    audit_sched();
    assert_int_equal(limited->tier, NX_TIER_MATTER);
}

static void a_little_a_second_is_not_lost(void **state)
{
    limited->energy.rate = 3; /* a second */
    limited->energy.left = 0;
    limited->energy.at = host.time;
    for (unsigned i = 0; i < 1000; i++) {
        host.time += TIMEBASE / 1000;
        lock();
        limited->energy.seen = energy_used(limited) * UNIT; /* free of charge, for once */
        (void)energy_left(limited);
        unlock();
    }
    assert_in_range(energy_left(limited), 2, 3);
    limited->energy.rate = RATE;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ENERGY_TEST(everything_is_counted),
        ENERGY_TEST(a_programs_time_and_its_tax_are_paid_alike),
        ENERGY_TEST(no_more_than_a_second_fits),
        ENERGY_TEST(what_it_ran_over_is_a_debt),
        ENERGY_TEST(no_cell_gives_more_than_it_has),
        ENERGY_TEST(a_cell_without_a_limit),
        ENERGY_TEST(who_has_used_it_up_waits_for_the_others),
        ENERGY_TEST(alone_it_may_run_on),
        ENERGY_TEST(it_makes_nothing_meanwhile),
        ENERGY_TEST(all_its_fibers_move),
        ENERGY_TEST(a_little_a_second_is_not_lost),
    };
    test_boot(1, 32 * MIB);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
