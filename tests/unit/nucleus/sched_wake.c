/* Who gets the hart when a fiber is woken: hand-overs, and placement over harts. */
// test-sources: nucleus/core/*.c nucleus/arch/host/*.c lib/*.c
#include "sched_rig.h"

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

int main(void)
{
    test_boot(4, 8 * MIB);
    const struct CMUnitTest tests[] = {
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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
