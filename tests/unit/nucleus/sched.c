/* The scheduler: tiers, budgets, strikes and the Ratchet, kicks, hand-overs, placement over harts,
 * and what a fiber keeps when it is switched out.
 */
// test-sources: nucleus/core/*.c nucleus/arch/host/*.c lib/*.c
#include "audit.h"

#define STATE NX_FREE
#define LOW 0x40000000ul

static struct cell *cell;
static unsigned harts_there;

/* Boot happens once with four harts; a test may use fewer of them. */
static void use_harts(unsigned n)
{
    hart_count = harts_there = n;
}

static struct cell *make(const char *name, unsigned tier)
{
    struct nx_manifest m = test_manifest(name);
    m.tier = tier;
    return test_cell_with(&m);
}

static int begin(void **state)
{
    (void)counts_before(state);
    host.time += 10 * TIMEBASE;
    use_harts(1);
    hart(0);
    cell = make("c", NX_TIER_PHOTON);
    assert_non_null(run(0));
    return 0;
}

static int end(void **state)
{
    audit();
    test_end(cell);
    for (unsigned i = 0; i < 4; i++) {
        use_harts(4);
        if (harts[i].fiber == NULL && harts[i].online) {
            interrupts(i); /* idle, its timer is off again */
        }
    }
    audit();
    return counts_after(state);
}

#define SCHED_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

/* A further fiber of the running one's cell; told apart by its argument. */
static uint64_t spawn(uint64_t name, unsigned tier)
{
    long f = nx_spawn_fiber(NX_IMAGE, 0, name, tier);
    assert_true(f > 0);
    return (uint64_t)f;
}

static struct fiber *of(uint64_t handle)
{
    list_for_each(n, &cell->fibers)
    {
        struct fiber *f = list_entry(n, struct fiber, cell_link);
        if (f->handle == handle) {
            return f;
        }
    }
    return NULL;
}

static struct fiber *on(unsigned h)
{
    return harts[h].fiber;
}

/* Time passes: interrupts are taken when they are due. */
static void pass(uint64_t ticks)
{
    uint64_t until = host.time + ticks;
    for (;;) {
        uint64_t next = until;
        for (unsigned i = 0; i < hart_count; i++) {
            while (harts[i].online && host_interrupt_pending(i)) {
                interrupts(i);
            }
            next = NX_MIN(next, host.hart[i].deadline);
        }
        audit_sched();
        if (host.time == until) {
            return;
        }
        host.time = NX_MAX(next, host.time);
    }
}

/* Bind the running fiber to a new foreign space and go into foreign mode. */
static void go_foreign(unsigned area)
{
    long s = nx_make_space();
    assert_true(s > 0);
    assert_int_equal(nx_map_anon((uint64_t)s, LOW, 4 * PAGE, RW), 0);
    assert_int_equal(nx_enter_bind((uint64_t)s, STATE + area * NX_STATE_SIZE), 0);
    assert_int_equal(nx_enter_run(), HOST_SWITCHED);
    assert_non_null(harts[host.current].foreign);
}

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
/* A cell that may have no foreign spaces. */
static void make_native(struct cell *c)
{
    c->quota->spaces_max = 0;
}

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

/* ---- kicks ---- */
static void a_kick_before_enter_is_seen_there(void **state)
{
    go_foreign(0);
    host_foreign_call();
    assert_int_equal(nx_send_kick(0), 0);
    assert_int_equal(nx_send_kick(0), 0);
    assert_int_equal(nx_enter_run(), NX_LEAVE_KICK); /* once: they coalesce */
    assert_int_equal(nx_enter_run(), HOST_SWITCHED);
    host_foreign_call();
    assert_int_equal(nx_send_kick(0), 0);
    assert_int_equal(nx_recv_wait(0, NX_NEVER), NX_KICKED);
}

static void a_kick_ends_foreign_mode_on_another_hart(void **state)
{
    use_harts(2);
    interrupts(1);
    hart(0);
    uint64_t f = spawn(1, NX_TIER_PHOTON);
    struct fiber *there = run(1);
    assert_ptr_equal(there, of(f));
    go_foreign(1);
    hart(0);
    assert_int_equal(nx_send_kick(f), 0);
    assert_true(host.hart[1].ipi);
    interrupts(1);
    assert_ptr_equal(on(1), there);
    assert_null(harts[1].foreign);
    assert_int_equal(there->reg[10], NX_LEAVE_KICK);
    assert_int_equal(there->kick, 0);
}

static void a_kick_ends_foreign_mode_of_one_that_waits_for_a_hart(void **state)
{
    struct fiber *me = on(0);
    uint64_t f = spawn(1, NX_TIER_PHOTON);
    assert_int_equal(nx_tick_yield(), HOST_SWITCHED);
    assert_ptr_equal(on(0), of(f));
    go_foreign(1);
    host_foreign_call();
    assert_int_equal(nx_tick_tier(0, NX_TIER_VOID), 0);
    assert_int_equal(nx_enter_run(), HOST_SWITCHED); /* and gives way at once */
    assert_ptr_equal(on(0), me);
    assert_true(of(f)->in_foreign);
    assert_int_equal(nx_send_kick(f), 0);
    assert_false(of(f)->in_foreign);
    assert_int_equal(of(f)->reg[10], NX_LEAVE_KICK);
    assert_int_equal(of(f)->kick, 0);
    audit_sched(); /* it is queued by its host tier now */
    assert_int_equal(nx_tick_yield(), HOST_SWITCHED);
    assert_ptr_equal(on(0), of(f));
}

/* Its state area says which hart it takes itself to be on. */
static void who_asks_hears_of_a_switch_in_foreign_mode(void **state)
{
    struct fiber *me = on(0);
    uint64_t f = spawn(1, NX_TIER_PHOTON);
    assert_int_equal(nx_tick_yield(), HOST_SWITCHED);
    go_foreign(1);
    host_foreign_call();
    of(f)->state->hart = 1;
    assert_int_equal(nx_tick_tier(0, NX_TIER_VOID), 0);
    assert_int_equal(nx_enter_run(), HOST_SWITCHED); /* and gives way at once */
    assert_ptr_equal(on(0), me);
    assert_true(of(f)->in_foreign); /* waits with its program's tier */
    audit_sched();
    nx_exit_fiber(0);
    assert_ptr_equal(on(0), of(f));
    assert_null(harts[0].foreign);
    assert_int_equal(of(f)->reg[10], NX_LEAVE_KICK);
    assert_int_equal(of(f)->state->hart, 1);
    assert_int_equal(nx_enter_run(), HOST_SWITCHED); /* once */
    assert_non_null(harts[0].foreign);
}

static void who_asks_hears_of_another_hart(void **state)
{
    struct fiber *me = on(0);
    uint64_t f = spawn(1, NX_TIER_PHOTON);
    go_foreign(0);
    host_foreign_call();
    me->state->hart = 7;
    assert_int_equal(nx_meta_fiber(0, NX_FIBER_HART), 0);
    assert_int_equal(nx_tick_yield(), HOST_SWITCHED);
    assert_ptr_equal(on(0), of(f));
    assert_int_equal(nx_tick_yield(), HOST_SWITCHED);
    assert_ptr_equal(on(0), me);
    assert_int_equal(nx_recv_wait(0, 0), -NX_ETIME); /* it is for enter */
    assert_int_equal(nx_enter_run(), NX_LEAVE_KICK);
    assert_int_equal(on(0)->state->hart, 1);
    assert_int_equal(nx_enter_run(), HOST_SWITCHED);
    assert_non_null(harts[0].foreign);
}

static void reschedule(void *arg)
{
    sched_reschedule();
}

/* By another hart: after this one has looked, before it has the lock. */
static void a_kick_just_before_a_switch_is_not_left_behind(void **state)
{
    struct fiber *me = on(0);
    uint64_t f = spawn(1, NX_TIER_PHOTON);
    assert_int_equal(nx_tick_yield(), HOST_SWITCHED);
    go_foreign(1);
    host.time += of(f)->quantum;
    of(f)->kick = 1;
    assert_int_equal(host_try(reschedule, NULL), HOST_RESUMED);
    assert_ptr_equal(on(0), me);
    assert_false(of(f)->in_foreign);
    assert_int_equal(of(f)->reg[10], NX_LEAVE_KICK);
    assert_int_equal(of(f)->kick, 0);
    audit_sched();
}

static void a_kick_ends_a_wait(void **state)
{
    uint64_t f = spawn(1, NX_TIER_PHOTON);
    assert_int_equal(nx_make_event(5), 0);
    struct fiber *me = on(0);
    static const uint64_t masks[] = {0, 1 << 5, ~0ul};
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(nx_tick_yield(), HOST_SWITCHED);
        assert_ptr_equal(on(0), of(f));
        assert_int_equal(nx_recv_wait(masks[i], i == 0 ? host.time + TIMEBASE : NX_NEVER),
                         HOST_SWITCHED);
        assert_ptr_equal(on(0), me);
        assert_int_equal(nx_send_kick(f), 0);
        assert_int_equal(of(f)->status, FIBER_READY);
        assert_int_equal(of(f)->reg[10], NX_KICKED);
        assert_int_equal(of(f)->kick, 0);
        audit_sched();
    }
}

static void a_kick_of_a_ready_or_running_native_fiber_is_kept(void **state)
{
    uint64_t f = spawn(1, NX_TIER_PHOTON);
    assert_int_equal(nx_send_kick(f), 0); /* ready */
    assert_int_equal(of(f)->status, FIBER_READY);
    assert_int_equal(nx_tick_yield(), HOST_SWITCHED);
    assert_int_equal(nx_recv_wait(0, NX_NEVER), NX_KICKED);
    assert_int_equal(nx_send_kick(0), 0); /* running */
    assert_int_equal(nx_recv_wait(0, NX_NEVER), NX_KICKED);
}

static void only_fibers_of_the_cell_are_kicked(void **state)
{
    struct cell *c = make("other", NX_TIER_MATTER);
    uint64_t foreign = list_first(&c->fibers, struct fiber, cell_link)->handle;
    assert_int_equal(nx_send_kick(foreign), -NX_EBADF);
    assert_int_equal(nx_tick_tier(foreign, NX_TIER_VOID), -NX_EBADF);
    assert_int_equal(nx_meta_fiber(foreign, 0), -NX_EBADF);
    assert_int_equal(nx_tick_period(foreign, 10, 1, 0), -NX_EBADF);
    assert_int_equal(nx_send_kick(~0ul), -NX_EBADF);
    test_end(c);
}

/* ---- hand-over ---- */
/* A consumer of `tier` that waits for the event in slot 5 of `cell` and last ran here. */
static struct cell *consumer(unsigned tier)
{
    struct cell *c = make("consumer", tier);
    assert_int_equal(nx_make_event(5), 0);
    lock();
    assert_int_equal(cap_put(c, 7, cell->caps[5].obj, NX_R_RECV), 0);
    unlock();
    assert_int_equal(nx_tick_sleep(host.time + 1), HOST_SWITCHED);
    assert_ptr_equal(on(0)->cell, c);
    assert_int_equal(nx_recv_wait(1 << 7, NX_NEVER), HOST_SWITCHED);
    pass(1);
    assert_ptr_equal(on(0)->cell, cell);
    return c;
}

static void a_lower_tier_waits_for_its_turn(void **state)
{
    struct cell *c = consumer(NX_TIER_MATTER);
    assert_int_equal(nx_send_bell(5), 0);
    assert_ptr_equal(on(0)->cell, cell);
    assert_int_equal(nx_tick_sleep(host.time + MS), HOST_SWITCHED);
    assert_ptr_equal(on(0)->cell, c);
    test_end(c);
}

static void a_hand_over_costs_the_sender_no_turn(void **state)
{
    struct fiber *sender = on(0);
    struct cell *c = consumer(NX_TIER_PHOTON);
    struct fiber *third = of(spawn(1, NX_TIER_PHOTON));
    assert_int_equal(nx_send_bell(5), HOST_SWITCHED);
    assert_ptr_equal(on(0)->cell, c);
    assert_int_equal(nx_recv_wait(1 << 7, NX_NEVER), HOST_SWITCHED);
    assert_ptr_equal(on(0), sender); /* before the one that waited longer */
    assert_int_equal(nx_tick_yield(), HOST_SWITCHED);
    assert_ptr_equal(on(0), third);
    test_end(c);
}

static void a_hand_over_does_not_overtake_a_better_tier(void **state)
{
    /* A Gravity cell hands over to another while a Photon fiber became ready a moment ago, on another
     * hart's account. */
    struct cell *from = make("from", NX_TIER_GRAVITY), *to = make("to", NX_TIER_GRAVITY);
    struct fiber *photon = on(0);
    assert_int_equal(nx_tick_sleep(host.time + TIMEBASE), HOST_SWITCHED);
    lock();
    struct event *e = event_make(from->quota, NX_T_EVENT);
    assert_int_equal(cap_put(from, 5, &e->obj, NX_R_SEND), 0);
    assert_int_equal(cap_put(to, 7, &e->obj, NX_R_RECV), 0);
    object_unref(&e->obj);
    unlock();
    assert_ptr_equal(on(0)->cell, from);
    assert_int_equal(nx_tick_yield(), HOST_SWITCHED);
    assert_ptr_equal(on(0)->cell, to);
    assert_int_equal(nx_recv_wait(1 << 7, NX_NEVER), HOST_SWITCHED);
    assert_ptr_equal(on(0)->cell, from);
    lock();
    fiber_unblock(photon);
    sched_ready(photon); /* as from another hart: the interrupt for it is still under way */
    unlock();
    (void)nx_send_bell(5);
    pass(0);
    assert_ptr_equal(on(0), photon);
    test_end(from);
    test_end(to);
}

/* Two cells of a tier that ring each other, and what each asks the other for; every fiber but the running
 * one's sleeps. */
struct pair {
    struct cell *cell[2];
};

static struct pair pair(unsigned tier, bool rings)
{
    struct pair p = {{make("ping", tier), make("pong", tier)}};
    lock();
    for (unsigned i = 0; i < 2; i++) {
        struct quota *q = p.cell[i]->quota;
        struct object *o = rings ? &ring_make(q, 8, 0)->obj : &event_make(q, NX_T_EVENT)->obj;
        assert_int_equal(cap_put(p.cell[i], 5, o, NX_R_SEND), 0);
        assert_int_equal(cap_put(p.cell[1 - i], 7, o, NX_R_RECV), 0);
        object_unref(o);
    }
    unlock();
    assert_int_equal(nx_recv_wait(0, NX_NEVER), HOST_SWITCHED);
    assert_ptr_equal(on(0)->cell, p.cell[0]);
    return p;
}

/* The running one of the two works for a time, rings and waits to be rung. */
static void ring_and_wait(uint64_t ticks)
{
    const struct fiber *f = on(0);
    pass(ticks);
    if (on(0) == f && nx_send_bell(5) == 0 && on(0) == f) {
        (void)nx_recv_wait(1 << 7, NX_NEVER);
    }
}

/* As long as they hand the hart to and fro they have what is left of their turns, and no more. */
static void others_have_turns_beside_two_that_ring_each_other(void **state)
{
    for (unsigned turn = 0; turn < 2 * NX_TIERS; turn++) {
        const unsigned tier = turn / 2;
        struct pair p = pair(tier, turn % 2 != 0);
        ring_and_wait(1);
        assert_ptr_equal(on(0)->cell, p.cell[1]);
        struct cell *other = make("other", tier);
        struct fiber *o = list_first(&other->fibers, struct fiber, cell_link);
        uint64_t began = host.time, waits = 0, longest = 0;
        while (host.time < began + 3 * TIMEBASE) {
            if (on(0) == o) {
                longest = NX_MAX(longest, host.time - waits);
                pass(o->quantum);
                assert_ptr_not_equal(on(0), o);
                waits = host.time;
            } else {
                ring_and_wait(MS / 10);
            }
            waits = waits == 0 ? host.time : waits;
        }
        assert_true(fiber_runtime(o) > TIMEBASE * 9 / 10);
        assert_true(longest <= 2 * o->quantum + MS);
        test_end(other);
        test_end(p.cell[0]);
        test_end(p.cell[1]);
        pass(TIMEBASE);
        lock();
        fiber_wake(list_first(&cell->fibers, struct fiber, cell_link), 0);
        unlock();
        assert_ptr_equal(run(0)->cell, cell);
    }
}

/* A server that waits for every message has not run at a stretch, however often its budget is used up. */
static void being_handed_the_hart_is_no_overrun(void **state)
{
    struct pair p = pair(NX_TIER_MATTER, true);
    struct fiber *server = list_first(&p.cell[1]->fibers, struct fiber, cell_link);
    make_native(p.cell[1]);
    assert_int_equal(nx_tick_yield(), HOST_SWITCHED);
    assert_ptr_equal(on(0), server);
    assert_int_equal(nx_recv_wait(1 << 7, NX_NEVER), HOST_SWITCHED);
    uint64_t before = beb_end();
    for (unsigned i = 0; i < 1995; i++) {
        assert_int_equal(nx_send_bell(5), HOST_SWITCHED);
        pass(MS / 10);
        if (on(0) == server) { /* else its turn is over, and then the client goes first */
            assert_int_equal(nx_recv_wait(1 << 7, NX_NEVER), HOST_SWITCHED);
        }
        assert_ptr_not_equal(on(0), server);
        assert_int_equal(nx_tick_sleep(host.time + 1), HOST_SWITCHED);
        if (on(0) == server) {
            assert_int_equal(nx_recv_wait(1 << 7, NX_NEVER), HOST_SWITCHED);
        }
        pass(1);
    }
    assert_int_equal(beb_end(), before);
    /* The rest of what it had, and then three budgets at a stretch. */
    assert_int_equal(nx_send_bell(5), HOST_SWITCHED);
    assert_int_equal(nx_grant_drop(7), 0);
    assert_true(server->handed && server->left < 10 * MS);
    pass(server->left);
    assert_int_equal(server->left, 10 * MS);
    while (on(0) != server) { /* it was the other's turn */
        assert_int_equal(nx_recv_wait(0, NX_NEVER), HOST_SWITCHED);
    }
    assert_int_equal(beb_end(), before);
    pass(30 * MS - 1);
    assert_int_equal(server->cell->tier, NX_TIER_MATTER);
    assert_int_equal(server->strikes, 2);
    pass(1);
    assert_int_equal(server->cell->tier, NX_TIER_GRAVITY);
    test_end(p.cell[0]);
    test_end(p.cell[1]);
}

/* A wake-up that is no hand-over begins a new turn, at the end of the line. */
static void who_stands_in_line_has_a_full_budget(void **state)
{
    struct pair p = pair(NX_TIER_MATTER, true);
    ring_and_wait(5 * MS);
    struct fiber *second = on(0);
    assert_ptr_equal(second->cell, p.cell[1]);
    ring_and_wait(6 * MS); /* and hands it back */
    assert_ptr_equal(on(0)->cell, p.cell[0]);
    assert_int_equal(on(0)->left, 5 * MS);
    assert_int_equal(nx_recv_wait(0, NX_NEVER), HOST_SWITCHED);
    assert_ptr_equal(on(0), second);
    assert_int_equal(second->left, 4 * MS);
    assert_int_equal(nx_tick_sleep(host.time + 1), HOST_SWITCHED);
    pass(1);
    assert_ptr_equal(on(0), second);
    assert_int_equal(second->left, 10 * MS);
    assert_false(second->handed);
    test_end(p.cell[0]);
    test_end(p.cell[1]);
}

/* Nor do they keep a program for ever that has moved down. */
static void a_program_moves_up_beside_two_that_ring_each_other(void **state)
{
    struct fiber *f = on(0);
    struct pair p = pair(NX_TIER_PHOTON, true);
    const uint64_t begin = host.time + 7 * MS;
    assert_int_equal(nx_tick_sleep(begin), HOST_SWITCHED);
    assert_int_equal(nx_tick_sleep(begin), HOST_SWITCHED);
    lock();
    fiber_wake(f, 0);
    unlock();
    assert_ptr_equal(run(0), f);
    go_foreign(0);
    pass(begin - host.time);
    assert_int_equal(f->tier, NX_TIER_MATTER);
    assert_ptr_not_equal(on(0), f);
    uint64_t waits = begin, longest = 0, turns = 0;
    while (host.time < begin + TIMEBASE) {
        if (on(0) == f) {
            longest = NX_MAX(longest, host.time - waits);
            turns++;
            pass(2 * MS);
            assert_ptr_not_equal(on(0), f);
            waits = host.time;
        } else {
            ring_and_wait(on(0)->cell == p.cell[0] ? MS / 10 : 1);
        }
    }
    assert_in_range(turns, 15, 100);
    assert_in_range(longest, 10 * MS, 150 * MS);
    test_end(p.cell[0]);
    test_end(p.cell[1]);
}

/* ---- several harts ---- */
static void a_woken_fiber_goes_where_it_was_or_where_nobody_works(void **state)
{
    use_harts(4);
    for (unsigned i = 1; i < 4; i++) {
        assert_null(run(i));
    }
    hart(0);
    struct cell *c[3];
    for (unsigned i = 0; i < 3; i++) {
        c[i] = make("w", NX_TIER_MATTER);
        pass(0);
    }
    for (unsigned i = 1; i < 4; i++) {
        assert_non_null(on(i));
        hart(i);
        assert_int_equal(nx_tick_sleep(host.time + i * MS), HOST_SWITCHED);
    }
    /* Idle harts: each one's own comes back to it. */
    for (unsigned i = 1; i < 4; i++) {
        const struct cell *was = NULL;
        pass(MS);
        was = on(i)->cell;
        assert_true(was == c[0] || was == c[1] || was == c[2]);
    }
    /* One more for busy harts waits; the first that idles takes the best one. */
    struct cell *g = make("gravity", NX_TIER_GRAVITY), *m = make("matter", NX_TIER_MATTER);
    pass(0);
    for (unsigned i = 1; i < 4; i++) {
        assert_true(on(i)->cell != g && on(i)->cell != m);
    }
    hart(2);
    assert_int_equal(nx_recv_wait(0, NX_NEVER), HOST_SWITCHED);
    assert_ptr_equal(on(2)->cell, m);
    hart(1);
    assert_int_equal(nx_recv_wait(0, NX_NEVER), HOST_SWITCHED);
    assert_ptr_equal(on(1)->cell, g);
    test_end(g);
    test_end(m);
    for (unsigned i = 0; i < 3; i++) {
        test_end(c[i]);
    }
}

static void a_busy_hart_is_interrupted_for_a_better_tier(void **state)
{
    use_harts(2);
    (void)run(1);
    hart(0);
    struct cell *p = make("p", NX_TIER_PHOTON);
    assert_ptr_equal(run(1)->cell, p);
    assert_int_equal(nx_tick_sleep(host.time + MS), HOST_SWITCHED);
    hart(0);
    struct cell *v = make("v", NX_TIER_VOID);
    pass(0);
    assert_ptr_equal(on(1)->cell, v);
    uint64_t ipis = sched_ipis;
    lock();
    struct fiber *f = list_first(&p->fibers, struct fiber, cell_link);
    host.current = 0;
    fiber_wake(f, 0); /* by hart 0 */
    unlock();
    assert_int_equal(sched_ipis, ipis + 1);
    pass(0);
    assert_ptr_equal(on(1)->cell, p);
    test_end(p);
    test_end(v);
}

/* Harts 1 and 2 are busy with cells of these tiers; sleepers of Matter ran last on hart 1. */
struct crowd {
    struct cell *sleeper[2], *busy[2];
};

static struct crowd crowd(unsigned tier1, unsigned tier2)
{
    struct crowd c;
    use_harts(3);
    (void)run(1);
    (void)run(2);
    for (unsigned i = 0; i < 2; i++) {
        hart(0);
        c.sleeper[i] = make("sleeper", NX_TIER_MATTER);
        assert_ptr_equal(run(1)->cell, c.sleeper[i]);
        assert_int_equal(nx_tick_sleep(NX_NEVER - 1), HOST_SWITCHED);
    }
    hart(0);
    c.busy[0] = make("busy1", tier1);
    assert_ptr_equal(run(1)->cell, c.busy[0]);
    hart(0);
    c.busy[1] = make("busy2", tier2);
    assert_ptr_equal(run(2)->cell, c.busy[1]);
    hart(0);
    return c;
}

static struct fiber *wake(struct cell *c)
{
    struct fiber *f = list_first(&c->fibers, struct fiber, cell_link);
    lock();
    fiber_wake(f, 0);
    unlock();
    return f;
}

static void crowd_end(const struct crowd *c)
{
    for (unsigned i = 0; i < 2; i++) {
        test_end(c->sleeper[i]);
        test_end(c->busy[i]);
    }
}

static void a_woken_fiber_goes_where_it_outranks_somebody(void **state)
{
    struct crowd c = crowd(NX_TIER_MATTER, NX_TIER_VOID);
    struct fiber *f = wake(c.sleeper[0]);
    assert_ptr_equal(f->hart, &harts[2]);
    assert_true(host.hart[2].ipi);
    assert_false(host.hart[1].ipi);
    /* Not both: the first is about to run there. */
    assert_ptr_equal(wake(c.sleeper[1])->hart, &harts[1]);
    pass(0);
    assert_ptr_equal(on(2), f);
    assert_ptr_equal(on(1)->cell, c.busy[0]);
    crowd_end(&c);
}

static void a_woken_fiber_does_not_move_when_it_outranks_somebody_at_home(void **state)
{
    struct crowd c = crowd(NX_TIER_GRAVITY, NX_TIER_VOID);
    assert_ptr_equal(wake(c.sleeper[0])->hart, &harts[1]);
    pass(0);
    assert_ptr_equal(on(1)->cell, c.sleeper[0]);
    assert_ptr_equal(on(2)->cell, c.busy[1]);
    crowd_end(&c);
}

static void a_woken_fiber_waits_at_home_among_equals(void **state)
{
    struct crowd c = crowd(NX_TIER_MATTER, NX_TIER_MATTER);
    assert_ptr_equal(wake(c.sleeper[0])->hart, &harts[1]);
    assert_false(host.hart[1].ipi);
    crowd_end(&c);
}

/* A hart in host mode may be about to enter the program, whose tier is a worse one. */
static void a_hart_about_to_enter_is_interrupted_too(void **state)
{
    use_harts(2);
    (void)run(1);
    hart(0);
    struct cell *busy = make("busy", NX_TIER_MATTER), *other = make("other", NX_TIER_MATTER);
    assert_ptr_equal(run(1)->cell, busy);
    assert_int_equal(nx_tick_sleep(host.time + MS), HOST_SWITCHED);
    assert_ptr_equal(on(1)->cell, other);
    assert_int_equal(nx_tick_sleep(host.time + TIMEBASE), HOST_SWITCHED);
    pass(MS);
    assert_ptr_equal(on(1)->cell, busy);
    assert_int_equal((hart(1), nx_tick_tier(0, NX_TIER_GRAVITY)), 0);
    hart(0);
    lock();
    fiber_wake(list_first(&other->fibers, struct fiber, cell_link), 0);
    unlock();
    assert_true(host.hart[1].ipi);
    interrupts(1);
    assert_ptr_equal(on(1)->cell, busy); /* in host mode it is as good */
    test_end(busy);
    test_end(other);
}

static void an_idle_machine_sets_no_timer(void **state)
{
    use_harts(4);
    for (unsigned i = 1; i < 4; i++) {
        (void)run(i);
    }
    hart(0);
    assert_int_equal(nx_recv_wait(0, NX_NEVER), HOST_SWITCHED);
    pass(TIMEBASE);
    uint64_t idle = harts[0].idle_ticks, switches = harts[0].switches;
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(host.hart[i].deadline, NX_NEVER);
        assert_null(on(i));
        assert_int_equal(host.hart[i].root, nucleus_root); /* no cell's tables are in use */
    }
    pass(TIMEBASE);
    assert_int_equal(harts[0].switches, switches);
    assert_true(harts[0].idle_ticks >= idle);
}

static void an_idle_hart_sleeps_until_its_timer(void **state)
{
    struct fiber *f = on(0);
    uint64_t until = host.time + 7 * MS, idle = harts[0].idle_ticks;
    host.idle_advances = true;
    assert_int_equal(nx_tick_sleep(until), 0); /* it is the next to run, on this hart */
    host.idle_advances = false;
    assert_ptr_equal(on(0), f);
    assert_int_equal(host.time, until);
    assert_int_equal(harts[0].idle_ticks, idle + 7 * MS);
    assert_int_equal(nx_meta_stat(NX_STAT_IDLE_TICKS), (long)(idle + 7 * MS));
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

/* ---- what a fiber keeps ---- */
static void each_programs_floating_point_is_its_own(void **state)
{
    struct fiber *a = on(0);
    uint64_t x = 0;
    go_foreign(0);
    x = 11;
    assert_true(host_fp(&x, true));
    host_foreign_call();
    spawn(1, NX_TIER_PHOTON);
    assert_int_equal(nx_tick_yield(), HOST_SWITCHED);
    struct fiber *b = on(0);
    assert_ptr_not_equal(a, b);
    go_foreign(1);
    assert_false(host.hart[0].fp_on); /* not even a look at the other's */
    assert_true(host_fp(&x, false));
    assert_int_equal(x, 0);
    x = 22;
    assert_true(host_fp(&x, true));
    pass(2 * MS);
    assert_ptr_equal(on(0), a);
    assert_int_equal(nx_enter_run(), HOST_SWITCHED);
    assert_true(host_fp(&x, false));
    assert_int_equal(x, 11);
    assert_int_equal(b->state->fp[0], 22);
    assert_int_equal(a->state->flags & NX_FS_FP_USED, NX_FS_FP_USED);
    /* The personality changes a register: the program sees it after NX_FS_FP_LOAD. */
    host_foreign_call();
    assert_int_equal(nx_enter_fpsave(), 0);
    assert_int_equal(a->state->fp[0], 11);
    a->state->fp[0] = 33;
    a->state->flags |= NX_FS_FP_LOAD;
    assert_int_equal(nx_enter_run(), HOST_SWITCHED);
    assert_int_equal(a->state->flags & NX_FS_FP_LOAD, 0);
    assert_true(host_fp(&x, false));
    assert_int_equal(x, 33);
    /* Also when it is switched out while it does so, with another value live. */
    x = 44;
    assert_true(host_fp(&x, true));
    host_foreign_call();
    a->state->flags |= NX_FS_FP_LOAD;
    a->state->fp[0] = 55;
    assert_int_equal(nx_tick_yield(), HOST_SWITCHED);
    assert_ptr_equal(on(0), b);
    pass(2 * MS);
    assert_ptr_equal(on(0), a);
    assert_int_equal(nx_enter_run(), HOST_SWITCHED);
    assert_true(host_fp(&x, false));
    assert_int_equal(x, 55);
}

static void a_program_sees_only_its_own_time(void **state)
{
    struct fiber *a = on(0);
    pass(MS / 2);
    go_foreign(0);
    host_foreign_call();
    uint64_t began = host.time - a->state->time_off, instr = host.instret - a->state->instr_off;
    assert_int_equal(began, fiber_runtime(a) + (host.time - harts[0].since));
    pass(MS);
    host.instret += 1000;
    assert_int_equal(host.time - a->state->time_off, began + MS);
    spawn(1, NX_TIER_PHOTON);
    assert_int_equal(nx_tick_sleep(host.time + MS), HOST_SWITCHED);
    host.instret += 5000;
    pass(MS);
    while (on(0) != a) {
        assert_int_equal(nx_recv_wait(0, NX_NEVER), HOST_SWITCHED);
    }
    assert_int_equal(host.time - a->state->time_off, began + MS);
    assert_int_equal(host.instret - a->state->instr_off, instr + 1000);
}

static void run_time_is_told_up_to_now(void **state)
{
    long before = nx_meta_fiber(0, NX_FIBER_RUNTIME);
    long cell_before = nx_meta_cell(NX_SELF, NX_CELL_RUNTIME);
    pass(MS);
    assert_int_equal(nx_meta_fiber(0, NX_FIBER_RUNTIME), before + (long)MS);
    assert_int_equal(nx_meta_cell(NX_SELF, NX_CELL_RUNTIME), cell_before + (long)MS);
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
        SCHED_TEST(a_kick_before_enter_is_seen_there),
        SCHED_TEST(a_kick_ends_foreign_mode_on_another_hart),
        SCHED_TEST(a_kick_ends_foreign_mode_of_one_that_waits_for_a_hart),
        SCHED_TEST(who_asks_hears_of_a_switch_in_foreign_mode),
        SCHED_TEST(who_asks_hears_of_another_hart),
        SCHED_TEST(a_kick_just_before_a_switch_is_not_left_behind),
        SCHED_TEST(a_kick_ends_a_wait),
        SCHED_TEST(a_kick_of_a_ready_or_running_native_fiber_is_kept),
        SCHED_TEST(only_fibers_of_the_cell_are_kicked),
        SCHED_TEST(a_lower_tier_waits_for_its_turn),
        SCHED_TEST(a_hand_over_costs_the_sender_no_turn),
        SCHED_TEST(a_hand_over_does_not_overtake_a_better_tier),
        SCHED_TEST(others_have_turns_beside_two_that_ring_each_other),
        SCHED_TEST(a_program_moves_up_beside_two_that_ring_each_other),
        SCHED_TEST(being_handed_the_hart_is_no_overrun),
        SCHED_TEST(who_stands_in_line_has_a_full_budget),
        SCHED_TEST(a_woken_fiber_goes_where_it_was_or_where_nobody_works),
        SCHED_TEST(a_busy_hart_is_interrupted_for_a_better_tier),
        SCHED_TEST(a_woken_fiber_goes_where_it_outranks_somebody),
        SCHED_TEST(a_woken_fiber_does_not_move_when_it_outranks_somebody_at_home),
        SCHED_TEST(a_woken_fiber_waits_at_home_among_equals),
        SCHED_TEST(a_hart_about_to_enter_is_interrupted_too),
        SCHED_TEST(an_idle_machine_sets_no_timer),
        SCHED_TEST(an_idle_hart_sleeps_until_its_timer),
        SCHED_TEST(tiers_are_moved_within_the_cells),
        SCHED_TEST(each_programs_floating_point_is_its_own),
        SCHED_TEST(a_program_sees_only_its_own_time),
        SCHED_TEST(run_time_is_told_up_to_now),
        TEST(everybody_gets_a_share_of_one_hart),
        TEST(everybody_gets_a_share_of_four),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
