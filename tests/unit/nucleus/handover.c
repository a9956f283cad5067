/* The short ways of a bell and of a wait (nucleus/core/handover.c): who runs then, and that nothing which happens while a
 * fiber has lent its hart loses it, lets it run twice, or lets it overtake.
 */
// test-sources: nucleus/core/*.c nucleus/arch/host/*.c lib/*.c
#include "audit.h"

#include "budget.h"

#define OUT 5 /* the client's end of a ring to the server */
#define IN 7  /* the server's */

static struct cell *client, *server;
static struct fiber *asks, *answers; /* their fibers, both of hart 0 */

static void give(struct cell *to, unsigned slot, struct object *o, uint32_t rights)
{
    lock();
    assert_int_equal(cap_put(to, slot, o, rights), 0);
    unlock();
}

static struct fiber *first(const struct cell *c)
{
    return list_first(&c->fibers, struct fiber, cell_link);
}

static struct fiber *on(unsigned h)
{
    return harts[h].fiber;
}

static void pass(uint64_t ticks)
{
    host.time += ticks;
    while (harts[0].resched != 0 || host_interrupt_pending(0)) {
        interrupts(0);
    }
    audit_sched();
}

/* The client runs, the server waits. */
static int begin(void **state)
{
    (void)counts_before(state);
    hart_count = 1;
    host.time += 10 * TIMEBASE;
    client = test_cell("client");
    asks = run(0);
    server = test_cell("server");
    lock();
    struct ring *r = ring_make(client->quota, 8, 0);
    unlock();
    give(client, OUT, &r->obj, NX_R_READ | NX_R_WRITE | NX_R_SEND | NX_R_REVOKE);
    give(server, IN, &r->obj, NX_R_READ | NX_R_WRITE | NX_R_RECV);
    lock();
    object_unref(&r->obj);
    unlock();
    assert_int_equal(nx_tick_sleep(host.time + MS), HOST_SWITCHED);
    answers = on(0);
    assert_ptr_equal(answers->cell, server);
    assert_int_equal(nx_recv_wait(1 << IN, NX_NEVER), HOST_SWITCHED);
    pass(MS);
    assert_ptr_equal(on(0), asks);
    return 0;
}

static int end(void **state)
{
    audit();
    test_end(client);
    test_end(server);
    hart_count = 2;
    audit();
    return counts_after(state);
}

#define HAND_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

static void lend(void)
{
    assert_int_equal(nx_send_bell(OUT), HOST_SWITCHED);
    assert_ptr_equal(on(0), answers);
    assert_int_equal(answers->reg[10], IN);
    assert_ptr_equal(harts[0].lender, asks);
    audit_sched();
}

static void give_back(void)
{
    assert_int_equal(nx_recv_wait(1 << IN, NX_NEVER), HOST_SWITCHED);
    audit_sched();
}

/* The client goes on behind its bell. */
static void goes_on(void)
{
    assert_ptr_equal(on(0), asks);
    assert_int_equal(asks->reg[10], 0);
    assert_null(harts[0].lender);
}

static void a_bell_lends_the_hart_and_a_wait_gives_it_back(void **state)
{
    const uint64_t before[2] = {fiber_runtime(asks), fiber_runtime(answers)}, left = asks->left;
    const uint64_t sends = client->energy.sends, switches = harts[0].switches;
    for (unsigned i = 0; i < 3; i++) {
        pass(10);
        lend();
        assert_int_equal(asks->status, FIBER_READY);
        pass(5);
        give_back();
        goes_on();
        assert_ptr_equal(server->sleeper, answers);
    }
    assert_int_equal(fiber_runtime(asks), before[0] + 30);
    assert_int_equal(fiber_runtime(answers), before[1] + 15);
    assert_int_equal(asks->left, left - 30);
    assert_int_equal(client->energy.sends, sends + 3);
    assert_int_equal(harts[0].switches, switches + 6);
}

static void a_bell_that_rang_meanwhile_is_heard(void **state)
{
    lend();
    lock();
    event_signal(&(struct listener){.cell = server, .slot = IN});
    unlock();
    assert_int_equal(nx_recv_wait(1 << IN, NX_NEVER), IN);
    give_back();
    goes_on();
}

static void who_lent_it_goes_before_those_who_wait_longer(void **state)
{
    struct cell *other = test_cell("other"); /* ready before the hart is lent, */
    lend();
    struct cell *late = test_cell("late"); /* and after that */
    audit_sched();
    give_back();
    goes_on();
    assert_int_equal(nx_tick_yield(), HOST_SWITCHED);
    assert_ptr_equal(on(0)->cell, other);
    assert_int_equal(nx_tick_yield(), HOST_SWITCHED);
    assert_ptr_equal(on(0)->cell, late);
    test_end(other);
    test_end(late);
}

static void a_better_tier_goes_before_who_lent_it(void **state)
{
    struct nx_manifest m = test_manifest("better");
    m.tier = NX_TIER_PHOTON;
    lend();
    struct cell *better = test_cell_with(&m);
    pass(0);
    assert_ptr_equal(on(0)->cell, better);
    assert_int_equal(nx_recv_wait(0, NX_NEVER), HOST_SWITCHED);
    assert_ptr_equal(on(0), answers);
    give_back();
    goes_on();
    test_end(better);
}

static void who_lent_it_has_its_turn_when_the_budget_is_used_up(void **state)
{
    lend();
    pass(10 * MS);
    goes_on();
    assert_int_equal(answers->status, FIBER_READY);
    assert_int_equal(nx_recv_wait(0, NX_NEVER), HOST_SWITCHED);
    assert_ptr_equal(on(0), answers);
}

static void a_yield_lets_who_lent_it_run(void **state)
{
    lend();
    assert_int_equal(nx_tick_yield(), HOST_SWITCHED);
    goes_on();
}

static void whatever_ends_the_wait_of_who_was_lent_it(void **state)
{
    /* With a deadline it takes the long way. */
    lend();
    assert_int_equal(nx_recv_wait(1 << IN, host.time + MS), HOST_SWITCHED);
    goes_on();
    pass(MS); /* no turn: it waits for the client's */
    assert_int_equal(nx_send_bell(OUT), 0);
    assert_int_equal(nx_recv_wait(0, host.time + 1), HOST_SWITCHED);
    assert_ptr_equal(on(0), answers);
    assert_int_equal((long)answers->reg[10], -NX_ETIME);
    pass(1);
    assert_int_equal(nx_recv_wait(1 << IN, NX_NEVER), IN);
}

static void a_cell_that_has_lent_the_hart_may_end(void **state)
{
    lend();
    lock();
    cell_end(client, NX_WHY_KILLED, 0, 0, 0);
    unlock();
    assert_null(harts[0].lender);
    audit_sched();
    assert_int_equal(nx_recv_wait(1 << IN, NX_NEVER),
                     IN); /* it hears that the other side is gone */
    assert_int_equal(nx_recv_wait(1 << IN, NX_NEVER), HOST_SWITCHED);
    assert_null(on(0));
}

static void a_cell_that_was_lent_the_hart_may_end(void **state)
{
    lend();
    assert_int_equal(nx_exit_cell(0), HOST_SWITCHED);
    goes_on();
    assert_int_equal(nx_send_bell(OUT), 0); /* nobody is there */
    assert_null(client->peer[OUT].cell);
}

static void a_kick_of_who_lent_it_is_kept(void **state)
{
    lend();
    lock();
    fiber_kick(asks);
    unlock();
    give_back();
    goes_on();
    assert_int_equal(nx_recv_wait(0, NX_NEVER), NX_KICKED);
}

static void an_idle_hart_takes_who_lent_it(void **state)
{
    hart_count = 2;
    hart(0);
    lend();
    assert_ptr_equal(run(1), asks);
    assert_int_equal(asks->reg[10], 0);
    hart(0);
    give_back();
    assert_null(on(0));
    hart(1);
    assert_int_equal(nx_send_bell(OUT), 0); /* it sleeps on another hart */
    assert_ptr_equal(run(0), answers);
    hart(1);
    assert_int_equal(nx_recv_wait(0, NX_NEVER), HOST_SWITCHED);
    hart(0);
}

static void another_tier_finds_who_lent_it(void **state)
{
    lend();
    lock();
    client->energy.out = true;
    budget_retier(client);
    unlock();
    assert_null(harts[0].lender);
    audit_sched();
    give_back();
    goes_on();
    lock();
    client->energy.out = false;
    budget_retier(client);
    unlock();
}

/* Who goes to foreign mode gives way to who lent it the hart, when its program is of a worse tier. */
static void who_enters_a_program_gives_way_to_who_lent_it(void **state)
{
    lend();
    const long s = nx_make_space();
    assert_true(s > 0);
    assert_int_equal(nx_tick_tier(0, NX_TIER_VOID), 0);
    pass(0);
    assert_ptr_equal(on(0), answers);
    assert_int_equal(nx_enter_bind((uint64_t)s, NX_FREE), 0);
    assert_null(harts[0].lender);
    assert_int_equal(nx_enter_run(), HOST_SWITCHED);
    goes_on();
}

/* Ringing on while the hart is lent already: the last one is the next. */
static void a_loan_may_be_lent_on(void **state)
{
    struct cell *third = test_cell("third");
    lock();
    struct ring *r = ring_make(server->quota, 8, 0);
    unlock();
    give(server, OUT, &r->obj, NX_R_SEND);
    give(third, IN, &r->obj, NX_R_RECV);
    lock();
    object_unref(&r->obj);
    unlock();
    assert_int_equal(nx_tick_yield(), HOST_SWITCHED);
    assert_ptr_equal(on(0)->cell, third);
    give_back();
    goes_on();
    lend();
    assert_int_equal(nx_send_bell(OUT), HOST_SWITCHED);
    audit_sched();
    assert_ptr_equal(on(0)->cell, third);
    give_back();
    assert_ptr_equal(on(0), answers);
    give_back();
    goes_on();
    test_end(third);
}

/* ---- the other end ---- */
static void a_capability_that_is_none_any_more_rings_nobody(void **state)
{
    assert_int_equal(nx_mask_rights(OUT, NX_R_READ | NX_R_REVOKE), 0);
    assert_int_equal(nx_send_bell(OUT), -NX_EBADF);
    assert_int_equal(answers->status, FIBER_BLOCKED);
    assert_int_equal(nx_revoke_object(OUT), 0);
    assert_int_equal(nx_send_bell(OUT), -NX_EBADF);
    audit_sched();
}

static void a_fiber_without_the_capability_does_not_ring(void **state)
{
    assert_int_equal(nx_mask_caps(~(1ul << OUT)), 0);
    assert_int_equal(nx_send_bell(OUT), -NX_EBADF);
    assert_int_equal(answers->status, FIBER_BLOCKED);
}

static void a_cell_that_gave_up_bells_does_not_ring(void **state)
{
    assert_int_equal(nx_mask_pledge(NX_PLEDGE_ALL & ~NX_PLEDGE_IPC), 0);
    assert_int_equal(nx_send_bell(OUT), -NX_EPERM);
    assert_int_equal(nx_recv_wait(0, NX_NEVER), -NX_EPERM);
    assert_int_equal(answers->status, FIBER_BLOCKED);
}

static void slots_that_are_none_ring_nobody(void **state)
{
    for (unsigned i = 0; i < 64; i++) {
        assert_int_equal(nx_send_bell(1ul << i | NX_SLOTS), -NX_EBADF);
    }
    assert_int_equal(nx_send_bell(OUT + 1), -NX_EBADF);
}

/* The bell goes to who listens now. */
static void the_other_end_may_change_hands(void **state)
{
    struct cell *heir = test_cell("heir");
    assert_int_equal(nx_tick_yield(), HOST_SWITCHED);
    assert_ptr_equal(on(0)->cell, heir);
    give(heir, IN + 1, client->caps[OUT].obj, NX_R_RECV);
    audit_sched();
    assert_int_equal(nx_recv_wait(1 << (IN + 1), NX_NEVER), HOST_SWITCHED);
    goes_on();
    assert_int_equal(nx_send_bell(OUT), HOST_SWITCHED);
    assert_ptr_equal(on(0)->cell, heir);
    assert_int_equal(on(0)->reg[10], IN + 1);
    assert_int_equal(answers->status, FIBER_BLOCKED);
    assert_int_equal(nx_grant_move(NX_SELF, IN + 1, IN + 2, NX_R_RECV), 0);
    audit_sched();
    assert_int_equal(nx_recv_wait(1 << (IN + 2), NX_NEVER), HOST_SWITCHED);
    goes_on();
    assert_int_equal(nx_send_bell(OUT), HOST_SWITCHED);
    assert_int_equal(on(0)->reg[10], IN + 2);
    test_end(heir);
    goes_on();
    assert_int_equal(nx_send_bell(OUT), 0);
    audit_sched();
}

/* Of several that wait the one that has waited longest is rung for, and none is forgotten. */
static void several_may_wait_for_one_bell(void **state)
{
    struct fiber *more[2];
    lend();
    for (unsigned i = 0; i < 2; i++) {
        assert_true(nx_spawn_fiber(NX_IMAGE, 0, i, NX_TIER_MATTER) > 0);
    }
    give_back();
    goes_on();
    assert_int_equal(nx_tick_yield(), HOST_SWITCHED);
    for (unsigned i = 0; i < 2; i++) {
        more[i] = on(0);
        assert_ptr_equal(more[i]->cell, server);
        give_back();
    }
    assert_ptr_equal(on(0), asks);
    struct fiber *const order[] = {answers, more[0], more[1]};
    for (unsigned i = 0; i < 9; i++) {
        assert_int_equal(nx_send_bell(OUT), HOST_SWITCHED);
        assert_ptr_equal(on(0), order[i % 3]);
        give_back();
        goes_on();
    }
    assert_ptr_equal(first(server), answers);
}

int main(void)
{
    test_boot(2, 8 * MIB);
    const struct CMUnitTest tests[] = {
        HAND_TEST(a_bell_lends_the_hart_and_a_wait_gives_it_back),
        HAND_TEST(a_bell_that_rang_meanwhile_is_heard),
        HAND_TEST(who_lent_it_goes_before_those_who_wait_longer),
        HAND_TEST(a_better_tier_goes_before_who_lent_it),
        HAND_TEST(who_lent_it_has_its_turn_when_the_budget_is_used_up),
        HAND_TEST(a_yield_lets_who_lent_it_run),
        HAND_TEST(whatever_ends_the_wait_of_who_was_lent_it),
        HAND_TEST(a_cell_that_has_lent_the_hart_may_end),
        HAND_TEST(a_cell_that_was_lent_the_hart_may_end),
        HAND_TEST(a_kick_of_who_lent_it_is_kept),
        HAND_TEST(an_idle_hart_takes_who_lent_it),
        HAND_TEST(another_tier_finds_who_lent_it),
        HAND_TEST(who_enters_a_program_gives_way_to_who_lent_it),
        HAND_TEST(a_loan_may_be_lent_on),
        HAND_TEST(a_capability_that_is_none_any_more_rings_nobody),
        HAND_TEST(a_fiber_without_the_capability_does_not_ring),
        HAND_TEST(a_cell_that_gave_up_bells_does_not_ring),
        HAND_TEST(slots_that_are_none_ring_nobody),
        HAND_TEST(the_other_end_may_change_hands),
        HAND_TEST(several_may_wait_for_one_bell),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
