/* The scheduler: tiers, budgets, strikes and the Ratchet, and that nobody starves. */
// test-sources: nucleus/core/*.c nucleus/arch/host/*.c lib/*.c
#include "sched_rig.h"

/* ---- tiers ---- */
static void a_better_tier_goes_first(void **state)
{
    struct cell *void_ = make("void", NX_TIER_VOID), *matter = make("matter", NX_TIER_MATTER);
    struct cell *gravity = make("gravity", NX_TIER_GRAVITY);
    assert_ptr_equal(on(0)->cell, cell);
    assert_int_equal(nx_tick_sleep(NX_NEVER - 1), HOST_SWITCHED);
    assert_ptr_equal(on(0)->cell, matter);
    assert_int_equal(nx_tick_sleep(NX_NEVER - 1), HOST_SWITCHED);
    assert_ptr_equal(on(0)->cell, gravity);
    assert_int_equal(nx_tick_sleep(NX_NEVER - 1), HOST_SWITCHED);
    assert_ptr_equal(on(0)->cell, void_);
    test_end(matter);
    test_end(gravity);
    test_end(void_);
}

static void a_better_tier_takes_the_hart_at_once(void **state)
{
    struct cell *g = make("g", NX_TIER_GRAVITY);
    uint64_t when = host.time + 5 * MS;
    assert_int_equal(nx_tick_sleep(when), HOST_SWITCHED);
    assert_ptr_equal(on(0)->cell, g);
    pass(5 * MS);
    assert_ptr_equal(on(0)->cell, cell);
    /* The other one goes on where it was, with the rest of its budget. */
    assert_int_equal(nx_tick_sleep(host.time + 100 * MS), HOST_SWITCHED);
    assert_ptr_equal(on(0)->cell, g);
    assert_int_equal(on(0)->left, 45 * MS);
    test_end(g);
}

static void the_same_tier_takes_turns(void **state)
{
    static const uint64_t budget[] = {2 * MS, 10 * MS, 50 * MS, 50 * MS};
    for (unsigned tier = 0; tier < NX_TIERS; tier++) {
        struct cell *c = make("turns", tier);
        assert_int_equal(nx_tick_sleep(host.time + TIMEBASE), HOST_SWITCHED);
        assert_ptr_equal(on(0)->cell, c);
        struct fiber *f[3] = {on(0), NULL, NULL};
        assert_true(nx_spawn_fiber(NX_IMAGE, 0, 0, tier) > 0);
        assert_true(nx_spawn_fiber(NX_IMAGE, 0, 0, tier) > 0);
        for (unsigned turn = 1; turn < 6; turn++) {
            pass(budget[tier] - 1);
            assert_ptr_equal(on(0), f[(turn - 1) % 3] != NULL ? f[(turn - 1) % 3] : on(0));
            pass(1);
            if (turn < 3) {
                f[turn] = on(0);
                assert_true(f[turn] != f[turn - 1] && f[turn] != f[0]);
            }
            assert_ptr_equal(on(0), f[turn % 3]);
        }
        test_end(c);
        pass(TIMEBASE);
        assert_ptr_equal(on(0)->cell, cell);
    }
}

static void a_yield_lets_the_same_tier_run(void **state)
{
    struct fiber *first = on(0);
    assert_int_equal(nx_tick_yield(), 0); /* alone */
    struct fiber *second = of(spawn(1, NX_TIER_PHOTON)), *third = of(spawn(2, NX_TIER_PHOTON));
    struct cell *low = make("low", NX_TIER_MATTER);
    assert_int_equal(nx_tick_yield(), HOST_SWITCHED);
    assert_ptr_equal(on(0), second);
    assert_int_equal(nx_tick_yield(), HOST_SWITCHED);
    assert_ptr_equal(on(0), third);
    assert_int_equal(nx_tick_yield(), HOST_SWITCHED);
    assert_ptr_equal(on(0), first);
    assert_int_equal(first->reg[10], 0);
    test_end(low);
}

/* ---- budgets and the Ratchet ---- */
static struct nx_beb record(uint64_t back)
{
    struct nx_beb e = {0};
    assert_true(beb_read(beb_end() - back, &e));
    return e;
}

static void three_strikes_and_a_tier_down(void **state)
{
    struct fiber *f = on(0);
    static const uint64_t budget[] = {2 * MS, 10 * MS, 50 * MS};
    assert_int_equal(nx_tick_sleep(host.time + 1), HOST_SWITCHED); /* a full budget */
    pass(1);
    go_foreign(0);
    for (unsigned tier = 0; tier < 3; tier++) {
        for (unsigned strike = 1; strike <= 3; strike++) {
            uint64_t before = beb_end();
            assert_int_equal(f->tier, tier);
            pass(budget[tier]);
            assert_true(beb_end() > before);
            struct nx_beb e = record(strike == 3 ? 2 : 1);
            assert_int_equal(e.kind, NX_BEB_OVERRUN);
            assert_int_equal(e.arg0, budget[tier]);
            assert_int_equal(f->strikes, strike % 3);
        }
        struct nx_beb e = record(1);
        assert_int_equal(e.kind, NX_BEB_DEMOTED);
        assert_int_equal(e.arg0, tier + 1);
        assert_int_equal(e.arg1, 0);
    }
    uint64_t before = beb_end();
    pass(TIMEBASE); /* Void has no budget */
    assert_int_equal(beb_end(), before);
    assert_int_equal(host.hart[0].deadline, NX_NEVER);
    host_foreign_call();
    assert_int_equal(nx_meta_fiber(0, NX_FIBER_DEMOTIONS), 3);
    assert_int_equal(nx_meta_fiber(0, NX_FIBER_TIER), NX_TIER_VOID);
    assert_int_equal(cell->tier, NX_TIER_PHOTON);

    /* A second of good behaviour for each tier up again. */
    f->last_strike = host.time;
    for (unsigned tier = 3; tier > 0; tier--) {
        assert_int_equal(nx_tick_sleep(host.time + TIMEBASE / 2), HOST_SWITCHED);
        pass(TIMEBASE / 2);
        assert_int_equal(nx_tick_sleep(host.time + TIMEBASE), HOST_SWITCHED);
        pass(TIMEBASE);
        assert_ptr_equal(on(0), f);
        assert_int_equal(f->tier, tier - 1);
        assert_int_equal(record(1).kind, NX_BEB_PROMOTED);
    }
    assert_int_equal(f->demotions, 0);
    assert_int_equal(nx_tick_sleep(host.time + 5 * TIMEBASE), HOST_SWITCHED);
    pass(5 * TIMEBASE);
    assert_int_equal(f->tier, NX_TIER_PHOTON); /* not above where it began */
}

/* ---- the cell's Ratchet ---- */
static void a_cell_for_programs_does_not_sink(void **state)
{
    assert_true(cell->quota->spaces_max > 0);
    pass(TIMEBASE);
    assert_int_equal(cell->tier, NX_TIER_PHOTON);
}

static void native_code_that_never_waits_sinks(void **state)
{
    make_native(cell);
    struct fiber *f = on(0);
    static const uint64_t budget[] = {2 * MS, 10 * MS, 50 * MS};
    assert_int_equal(nx_tick_sleep(host.time + 1), HOST_SWITCHED);
    pass(1);
    for (unsigned tier = 0; tier < 3; tier++) {
        for (unsigned strike = 1; strike <= 3; strike++) {
            assert_int_equal(cell->tier, tier);
            pass(budget[tier]);
            assert_int_equal(record(strike == 3 ? 2 : 1).kind, NX_BEB_OVERRUN);
        }
        struct nx_beb e = record(1);
        assert_int_equal(e.kind, NX_BEB_DEMOTED);
        assert_int_equal(e.arg0, tier + 1);
        assert_int_equal(e.arg1, 1);
        assert_int_equal(nx_meta_cell(NX_SELF, NX_CELL_TIER), tier + 1);
    }
    assert_int_equal(f->tier, NX_TIER_PHOTON); /* its own it keeps */
    uint64_t before = beb_end();
    pass(TIMEBASE);
    assert_int_equal(beb_end(), before);
    assert_int_equal(host.hart[0].deadline, NX_NEVER);
    /* It may make what its manifest allows even now. */
    cell->last_strike = host.time;
    assert_true(nx_spawn_fiber(NX_IMAGE, 0, 1, NX_TIER_PHOTON) > 0);

    assert_int_equal(nx_recv_wait(0, host.time + TIMEBASE / 20), HOST_SWITCHED);
    assert_int_equal(nx_exit_fiber(0), HOST_SWITCHED);
    pass(TIMEBASE / 20);
    assert_int_equal(cell->tier, NX_TIER_VOID); /* too early */
    for (unsigned tier = 3; tier > 0; tier--) {
        assert_int_equal(nx_tick_sleep(host.time + TIMEBASE / 10 + 1), HOST_SWITCHED);
        pass(TIMEBASE / 10 + 1);
        assert_ptr_equal(on(0), f);
        assert_int_equal(cell->tier, tier - 1);
        assert_int_equal(record(1).kind, NX_BEB_PROMOTED);
    }
    assert_int_equal(nx_tick_sleep(host.time + 5 * TIMEBASE), HOST_SWITCHED);
    pass(5 * TIMEBASE);
    assert_int_equal(cell->tier, NX_TIER_PHOTON);
}

/* A budget of its own is for Photon, and for who keeps to it. */
static void who_overruns_what_it_declared_sinks_at_once(void **state)
{
    make_native(cell);
    struct fiber *f = on(0);
    assert_int_equal(nx_tick_period(0, 200 * MS, 200 * MS, 0), 0);
    assert_int_equal(nx_tick_release(), HOST_SWITCHED);
    pass(f->release - host.time);
    assert_ptr_equal(on(0), f);
    pass(200 * MS - 1);
    assert_int_equal(cell->tier, NX_TIER_PHOTON);
    pass(1);
    assert_int_equal(cell->tier, NX_TIER_MATTER);
    assert_int_equal(f->quantum, 10 * MS);
    pass(30 * MS);
    assert_int_equal(cell->tier, NX_TIER_GRAVITY);
    assert_int_equal(f->quantum, 50 * MS);
}

static void a_native_hog_starves_nobody(void **state)
{
    make_native(cell);
    struct fiber *hog = on(0);
    struct cell *m = make("m", NX_TIER_MATTER), *g = make("g", NX_TIER_GRAVITY);
    pass(6 * MS);
    assert_int_equal(cell->tier, NX_TIER_MATTER);
    assert_ptr_equal(on(0)->cell, m);
    assert_int_equal(nx_recv_wait(0, NX_NEVER), HOST_SWITCHED);
    assert_ptr_equal(on(0), hog);
    pass(30 * MS);
    assert_ptr_equal(on(0)->cell, g);
    test_end(m);
    test_end(g);
}

/* What one fiber does all of them pay for, those in a queue at once. */
static void the_fibers_of_a_hog_sink_together(void **state)
{
    make_native(cell);
    struct cell *m = make("m", NX_TIER_MATTER);
    for (unsigned i = 1; i < 4; i++) {
        spawn(i, NX_TIER_PHOTON);
    }
    pass(17 * MS); /* four take turns */
    assert_int_equal(cell->tier, NX_TIER_PHOTON);
    pass(MS);
    assert_int_equal(cell->tier, NX_TIER_MATTER);
    assert_int_equal(harts[0].ready & 1, 0);
    unsigned met = 0;
    for (unsigned turn = 0; turn < 5; turn++) {
        met += on(0)->cell == m;
        pass(10 * MS);
    }
    assert_true(met > 0);
    test_end(m);
}

static void who_waits_in_between_does_not_sink(void **state)
{
    make_native(cell);
    for (unsigned i = 0; i < 10; i++) {
        uint64_t before = beb_end();
        pass(5 * MS);
        assert_int_equal(beb_end(), before + 2);
        assert_int_equal(nx_tick_sleep(host.time + 1), HOST_SWITCHED);
        pass(1);
        assert_int_equal(on(0)->strikes, 0);
        assert_int_equal(cell->tier, NX_TIER_PHOTON);
    }
}

static void the_supervisor_does_not_sink_and_hears_of_who_does(void **state)
{
    struct cell *before = supervisor, *m = make("m", NX_TIER_PHOTON);
    struct fiber *f = on(0);
    lock();
    supervisor = cell;
    make_native(cell);
    make_native(m);
    m->death = (struct listener){.cell = cell, .slot = 9};
    unlock();
    for (unsigned i = 0; i < 100 && m->tier < NX_TIER_VOID; i++) {
        pass(MS); /* ours counts for nothing, and theirs soon has no turn any more */
        assert_int_equal(cell->tier, NX_TIER_PHOTON);
    }
    assert_int_equal(m->tier, NX_TIER_MATTER);
    assert_ptr_equal(on(0), f);
    assert_int_equal(nx_recv_wait(1ul << 9, NX_NEVER), HOST_SWITCHED);
    assert_ptr_equal(on(0)->cell, m);
    pass(200 * MS);
    assert_ptr_equal(on(0), f); /* it was told */
    assert_int_equal(f->reg[10], 9);
    assert_int_equal(m->tier, NX_TIER_VOID);
    assert_int_equal(m->state, NX_CS_RUNNING);
    lock();
    m->death = (struct listener){0};
    supervisor = before;
    unlock();
    test_end(m);
}

static void blocking_in_time_is_no_overrun(void **state)
{
    uint64_t before = beb_end();
    for (unsigned i = 0; i < 20; i++) {
        pass(2 * MS - 1);
        assert_int_equal(nx_tick_sleep(host.time + 1), HOST_SWITCHED);
        pass(1);
        assert_ptr_equal(on(0)->cell, cell);
    }
    assert_int_equal(beb_end(), before);
    assert_int_equal(on(0)->strikes, 0);
}

static void being_preempted_is_no_overrun(void **state)
{
    struct cell *g = make("g", NX_TIER_GRAVITY);
    struct fiber *me = on(0);
    uint64_t before = beb_end();
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(nx_tick_sleep(host.time + 12 * MS), HOST_SWITCHED);
        assert_ptr_equal(on(0)->cell, g);
        pass(12 * MS);
        assert_ptr_equal(on(0), me);
        pass(MS);
    }
    assert_int_equal(beb_end(), before); /* 48 of 50 ms */
    assert_int_equal(nx_tick_sleep(host.time + 12 * MS), HOST_SWITCHED);
    pass(3 * MS);
    assert_int_equal(record(1).kind, NX_BEB_OVERRUN);
    test_end(g);
}

static void the_programs_time_is_demoted_not_the_cells(void **state)
{
    struct fiber *f = on(0);
    go_foreign(0);
    for (unsigned i = 0; i < 3; i++) {
        pass(2 * MS);
    }
    assert_int_equal(f->tier, NX_TIER_MATTER);
    struct cell *m = make("m", NX_TIER_MATTER);
    pass(10 * MS);
    assert_ptr_equal(on(0)->cell, m); /* equals take turns */
    pass(10 * MS);
    assert_ptr_equal(on(0), f);
    assert_non_null(harts[0].foreign);
    host_foreign_call();
    /* In host mode it is the cell's Photon: the other one waits. */
    pass(9 * MS);
    assert_ptr_equal(on(0), f);
    assert_int_equal(nx_enter_run(), HOST_SWITCHED);
    pass(MS);
    assert_ptr_equal(on(0)->cell, m);
    test_end(m);
}

static void entering_gives_way_to_a_better_tier(void **state)
{
    struct fiber *f = on(0);
    go_foreign(0);
    host_foreign_call();
    assert_int_equal(nx_tick_tier(0, NX_TIER_VOID), 0);
    struct cell *g = make("g", NX_TIER_GRAVITY);
    assert_ptr_equal(on(0), f); /* host mode is Photon */
    assert_int_equal(nx_enter_run(), HOST_SWITCHED);
    assert_ptr_equal(on(0)->cell, g);
    assert_true(f->in_foreign);
    assert_int_equal(nx_tick_sleep(host.time + TIMEBASE), HOST_SWITCHED);
    assert_ptr_equal(on(0), f);
    assert_ptr_equal(harts[0].foreign, f->state);
    test_end(g);
}

/* ---- nobody starves ---- */
static void a_void_fiber_alone_has_no_timer(void **state)
{
    struct cell *v = make("v", NX_TIER_VOID);
    assert_int_equal(nx_recv_wait(0, NX_NEVER), HOST_SWITCHED);
    assert_ptr_equal(on(0)->cell, v);
    pass(60 * MS); /* an old deadline may still fire once */
    assert_int_equal(host.hart[0].deadline, NX_NEVER);
    pass(TIMEBASE);
    struct fiber *first = on(0);
    assert_true(nx_spawn_fiber(NX_IMAGE, 0, 0, NX_TIER_VOID) > 0);
    pass(50 * MS);
    assert_ptr_not_equal(on(0), first);
    pass(50 * MS);
    assert_ptr_equal(on(0), first);
    test_end(v);
}

static void a_void_program_in_host_mode_does_not_starve_a_void_cell(void **state)
{
    struct cell *v = make("v", NX_TIER_VOID);
    struct fiber *f = on(0);
    go_foreign(0);
    host_foreign_call();
    assert_int_equal(nx_tick_tier(0, NX_TIER_VOID), 0);
    assert_int_equal(nx_tick_sleep(host.time + 200 * MS), HOST_SWITCHED);
    assert_ptr_equal(on(0)->cell, v);
    lock();
    struct event *e = event_make(v->quota, NX_T_EVENT);
    assert_int_equal(cap_put(v, 5, &e->obj, NX_R_ALL), 0);
    object_unref(&e->obj);
    unlock();
    assert_int_equal(nx_recv_wait(1 << 5, NX_NEVER), HOST_SWITCHED);
    pass(200 * MS);
    assert_ptr_equal(on(0), f);
    assert_int_equal(nx_enter_run(), HOST_SWITCHED);
    pass(TIMEBASE); /* alone, without a timer */
    assert_int_equal(host.hart[0].deadline, NX_NEVER);
    host_foreign_call();
    lock();
    event_signal(&e->to); /* while the program's fiber is in host mode */
    unlock();
    assert_ptr_equal(on(0), f);
    assert_int_equal(nx_enter_run(), HOST_SWITCHED);
    pass(60 * MS);
    assert_ptr_equal(on(0)->cell, v);
    test_end(v);
}

/* Two of a better tier of which one is always ready and none overruns, as of programs that fork without end. */
static void a_program_that_is_passed_over_moves_up(void **state)
{
    struct fiber *f = on(0);
    go_foreign(0);
    for (unsigned i = 0; i < 3; i++) {
        pass(2 * MS);
    }
    assert_int_equal(f->tier, NX_TIER_MATTER);
    struct cell *p = make("p", NX_TIER_PHOTON);
    interrupts(0);
    assert_ptr_equal(on(0)->cell, p);
    assert_true(nx_spawn_fiber(NX_IMAGE, 0, 0, NX_TIER_PHOTON) > 0);
    uint64_t had = fiber_runtime(f), began = host.time, waits = began, longest = 0, turns = 0;
    while (host.time < began + TIMEBASE) {
        if (on(0) == f) {
            longest = NX_MAX(longest, host.time - waits);
            turns++;
            assert_int_equal(f->tier, NX_TIER_PHOTON);
            pass(2 * MS); /* all of a turn: down again */
            assert_ptr_not_equal(on(0), f);
            assert_int_equal(f->tier, NX_TIER_MATTER);
            waits = host.time;
        } else {
            pass(MS);
            assert_int_equal(nx_tick_sleep(host.time + MS / 2), HOST_SWITCHED);
        }
    }
    assert_true(turns > 50 && longest < 15 * MS);
    assert_int_equal(f->demotions, 1);
    assert_true(fiber_runtime(f) - had == turns * 2 * MS);
    test_end(p);
}

/* Hogs of one tier take turns there: none is passed over. */
static void who_waits_for_equals_stays_where_it_is(void **state)
{
    struct fiber *f = on(0);
    go_foreign(0);
    for (unsigned i = 0; i < 3; i++) {
        pass(2 * MS);
    }
    struct cell *m = make("m", NX_TIER_MATTER), *p = make("p", NX_TIER_PHOTON);
    interrupts(0);
    for (unsigned i = 0; i < 25; i++) { /* before its third turn here is over */
        if (on(0)->cell == p) {
            assert_int_equal(nx_tick_sleep(host.time + 3 * MS), HOST_SWITCHED);
        }
        pass(MS);
        assert_int_equal(f->tier, NX_TIER_MATTER);
    }
    test_end(p);
    test_end(m);
}

/* Fibers that compute for ever and sometimes yield: everybody gets his share. */
static void share_out(unsigned n, uint64_t seed)
{
    struct rng r = rng_seed(seed);
    use_harts(n);
    hart(0);
    struct cell *c = make("share", NX_TIER_MATTER);
    assert_ptr_equal(run(0)->cell, c);
    for (unsigned i = 1; i < 6; i++) {
        assert_true(nx_spawn_fiber(NX_IMAGE, 0, i, NX_TIER_MATTER) > 0);
    }
    for (unsigned step = 0; step < 20000; step++) {
        pass(rng_below(&r, 3 * MS));
        unsigned h = (unsigned)rng_below(&r, n);
        if (rng_below(&r, 8) == 0) {
            assert_non_null(hart(h)->fiber); /* nobody idles while somebody waits */
            (void)nx_tick_yield();
        }
    }
    uint64_t least = NX_NEVER, most = 0;
    list_for_each(l, &c->fibers)
    {
        const struct fiber *f = list_entry(l, struct fiber, cell_link);
        uint64_t ran =
            fiber_runtime(f) + (on(f->hart->index) == f ? host.time - f->hart->since : 0);
        least = NX_MIN(least, ran);
        most = NX_MAX(most, ran);
    }
    /* With several harts a fiber stays with its hart's queue, and some queues are longer. */
    assert_true(n == 1 ? least * 3 > most * 2 : least * 6 > most);
    test_end(c);
}

static void everybody_gets_a_share_of_one_hart(void **state)
{
    share_out(1, 7);
}

static void everybody_gets_a_share_of_four(void **state)
{
    use_harts(4);
    for (unsigned i = 0; i < 4; i++) {
        assert_null(run(i));
    }
    share_out(4, 8);
}

/* ---- calls about time ---- */
static void tiers_are_moved_within_the_cells(void **state)
{
    struct cell *m = make("m", NX_TIER_MATTER);
    assert_int_equal(nx_tick_sleep(host.time + TIMEBASE), HOST_SWITCHED);
    assert_ptr_equal(on(0)->cell, m);
    assert_int_equal(nx_tick_tier(0, NX_TIER_PHOTON), -NX_EINVAL);
    assert_int_equal(nx_tick_tier(0, NX_TIERS), -NX_EINVAL);
    assert_int_equal(nx_tick_tier(0, ~0ul), -NX_EINVAL);
    assert_int_equal(nx_spawn_fiber(NX_IMAGE, 0, 0, NX_TIER_PHOTON), -NX_EINVAL);
    assert_int_equal(nx_tick_tier(0, NX_TIER_GRAVITY), 0);
    assert_int_equal(nx_meta_fiber(0, NX_FIBER_TIER), NX_TIER_GRAVITY);
    assert_int_equal(nx_tick_tier(0, NX_TIER_MATTER), 0);
    long other = nx_spawn_fiber(NX_IMAGE, 0, 0, NX_TIER_MATTER);
    for (unsigned t = NX_TIER_MATTER; t < NX_TIERS; t++) {
        assert_int_equal(nx_tick_tier((uint64_t)other, t), 0); /* while it is queued */
        audit_sched();
    }
    test_end(m);
}

int main(void)
{
    test_boot(4, 8 * MIB);
    const struct CMUnitTest tests[] = {
        SCHED_TEST(a_better_tier_goes_first),
        SCHED_TEST(a_better_tier_takes_the_hart_at_once),
        SCHED_TEST(the_same_tier_takes_turns),
        SCHED_TEST(a_yield_lets_the_same_tier_run),
        SCHED_TEST(three_strikes_and_a_tier_down),
        SCHED_TEST(a_cell_for_programs_does_not_sink),
        SCHED_TEST(native_code_that_never_waits_sinks),
        SCHED_TEST(who_overruns_what_it_declared_sinks_at_once),
        SCHED_TEST(a_native_hog_starves_nobody),
        SCHED_TEST(the_fibers_of_a_hog_sink_together),
        SCHED_TEST(who_waits_in_between_does_not_sink),
        SCHED_TEST(the_supervisor_does_not_sink_and_hears_of_who_does),
        SCHED_TEST(blocking_in_time_is_no_overrun),
        SCHED_TEST(being_preempted_is_no_overrun),
        SCHED_TEST(the_programs_time_is_demoted_not_the_cells),
        SCHED_TEST(entering_gives_way_to_a_better_tier),
        SCHED_TEST(a_void_fiber_alone_has_no_timer),
        SCHED_TEST(a_void_program_in_host_mode_does_not_starve_a_void_cell),
        SCHED_TEST(a_program_that_is_passed_over_moves_up),
        SCHED_TEST(who_waits_for_equals_stays_where_it_is),
        SCHED_TEST(tiers_are_moved_within_the_cells),
        TEST(everybody_gets_a_share_of_one_hart),
        TEST(everybody_gets_a_share_of_four),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
