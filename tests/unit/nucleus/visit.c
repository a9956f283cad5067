/* Visits (nucleus/core/visit.c): who may come in, that everybody else waits for the end, and what becomes of a handler that may not
 * do what it does.
 */
// test-sources: nucleus/core/*.c nucleus/arch/host/*.c lib/*.c
#include "audit.h"
#include "visit.h"

#define OUT 5 /* the client's end of a ring to the server */
#define IN 7  /* the server's */
#define ENTRY (NX_IMAGE + 0x100)
#define ARG 42

static struct cell *client, *server;
static struct fiber *asks, *answers; /* their fibers, both of hart 0 */
static struct ring *ring;
static unsigned waited; /* times a hart waited for another one */

static void give(struct cell *to, unsigned slot, struct object *o, uint32_t rights)
{
    lock();
    assert_int_equal(cap_put(to, slot, o, rights), 0);
    unlock();
}

static struct fiber *on(unsigned h)
{
    return harts[h].fiber;
}

static struct cell *fused(const char *name, uint32_t placement)
{
    struct nx_manifest m = test_manifest(name);
    m.placement = placement;
    return test_cell_with(&m);
}

static void begin_placed(void **state, uint32_t of_client, uint32_t of_server)
{
    (void)counts_before(state);
    host.time += 10 * TIMEBASE;
    host.relax = NULL;
    waited = 0;
    server = fused("server", of_server);
    answers = run(0);
    client = fused("client", of_client);
    lock();
    ring = ring_make(client->quota, 8, 0);
    unlock();
    give(client, OUT, &ring->obj, NX_R_READ | NX_R_WRITE | NX_R_SEND | NX_R_REVOKE);
    give(server, IN, &ring->obj, NX_R_READ | NX_R_WRITE | NX_R_RECV);
    lock();
    object_unref(&ring->obj);
    unlock();
    assert_ptr_equal(answers->cell, server);
}

static void serve(void)
{
    hart(0);
    assert_ptr_equal(on(0), answers);
    assert_int_equal(nx_recv_serve(1 << IN, ENTRY, ARG), HOST_SWITCHED);
    asks = on(0);
    assert_ptr_equal(asks->cell, client);
    for (unsigned r = 1; r < 32; r++) {
        asks->reg[r] = 1000 + r;
    }
    asks->reg[0] = 1000;
    audit_sched();
}

static int begin(void **state)
{
    begin_placed(state, NX_PLACE_FUSED, NX_PLACE_FUSED);
    serve();
    return 0;
}

static int end(void **state)
{
    host.relax = NULL;
    hart(0);
    audit();
    for (unsigned i = 0; i < 2; i++) {
        struct cell *c = i == 0 ? client : server;
        if (c->state == NX_CS_DEAD) {
            lock();
            object_unref(&c->obj);
            unlock();
        } else {
            test_end(c);
        }
    }
    audit();
    return counts_after(state);
}

#define VISIT_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

static void refused(void)
{
    assert_int_equal(host_visit(OUT), -NX_EBUSY);
    assert_null(harts[host.current].visit);
}

static void the_handler_runs_in_the_servers_tables(void **state)
{
    assert_int_equal(answers->door_entry, ENTRY);
    assert_int_equal(answers->door_arg, ARG);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(host_visit(OUT), 0);
        assert_int_equal(host.hart[0].root, answers->host_root);
        audit_sched();
        host_visit_end();
        assert_ptr_equal(on(0), asks);
        assert_int_equal(answers->status, FIBER_BLOCKED);
    }
    /* For others it is a fiber that waits. */
    assert_int_equal(nx_send_bell(OUT), HOST_SWITCHED);
    assert_ptr_equal(on(0), answers);
    assert_int_equal(answers->reg[10], IN);
    assert_int_equal(answers->door, 0);
    assert_null(client->open[OUT]);
    audit_sched();
}

static void nobody_is_visited_who_does_not_serve(void **state)
{
    assert_int_equal(host_visit(OUT + 1), -NX_EBUSY);
    assert_int_equal(host_visit(NX_SLOTS), -NX_EBUSY);
    assert_int_equal(host_visit(~0ul), -NX_EBUSY);
    assert_int_equal(nx_send_bell(OUT), HOST_SWITCHED);
    assert_int_equal(nx_recv_wait(1 << IN, NX_NEVER), HOST_SWITCHED);
    assert_ptr_equal(on(0), asks);
    refused();
    assert_int_equal(nx_send_bell(OUT), HOST_SWITCHED);
    assert_int_equal(nx_recv_serve(1 << (IN + 1), ENTRY, ARG), HOST_SWITCHED);
    refused(); /* it does not watch that ring */
}

static void not_where_one_of_the_two_is_isolated(void **state)
{
    end(state);
    begin_placed(state, NX_PLACE_FUSED, NX_PLACE_ISOLATED);
    serve();
    refused();
    assert_int_equal(nx_send_bell(OUT), HOST_SWITCHED); /* and it is a plain wait */
    assert_int_equal(answers->reg[10], IN);
}

static void not_with_a_program_behind_it(void **state)
{
    assert_int_equal(nx_send_bell(OUT), HOST_SWITCHED);
    const long space = nx_make_space();
    assert_true(space > 0);
    assert_int_equal(nx_enter_bind((uint64_t)space, NX_FREE), 0);
    assert_int_equal(nx_recv_serve(1 << IN, ENTRY, ARG), HOST_SWITCHED);
    refused();
}

static void not_from_another_hart(void **state)
{
    struct cell *other = fused("other", NX_PLACE_FUSED);
    assert_ptr_equal(run(1)->cell, other);
    lock();
    cap_drop(client, OUT);
    unlock();
    assert_null(client->open[OUT]);
    assert_ptr_equal(on(0), asks);
    refused();
    give(other, OUT, &ring->obj, NX_R_READ | NX_R_WRITE | NX_R_SEND);
    hart(1);
    refused();
    test_end(other);
    hart(0);
}

static void not_by_who_has_given_that_up(void **state)
{
    assert_int_equal(nx_mask_caps(~(1ul << OUT)), 0);
    refused();
    hart(0);
    asks->capmask = ~0ul;
    lock();
    fiber_review(asks);
    unlock();
    assert_int_equal(host_visit(OUT), 0);
    host_visit_end();
    assert_int_equal(nx_mask_rights(OUT, 0), 0);
    refused();
}

static void not_at_a_ring_that_was_revoked(void **state)
{
    assert_int_equal(nx_revoke_object(OUT), 0); /* who serves is woken over it */
    refused();
    audit_sched();
}

/* ---- the end of a visit is waited for ---- */
static void leaves(void)
{
    waited++;
    hart(0);
    assert_ptr_equal(harts[0].visit, answers);
    assert_int_equal(harts[0].awaited, 1);
    assert_int_not_equal(answers->door, 0);
    host_visit_end();
}

static void other_hart(void (*what)(void))
{
    assert_int_equal(host_visit(OUT), 0);
    host.relax = leaves;
    hart(1);
    lock();
    what();
    unlock();
    assert_int_equal(waited, 1);
    assert_int_equal(harts[0].awaited, 0);
    assert_null(client->open[OUT]);
    hart(0);
    audit();
}

static void signals(void)
{
    event_signal(&(struct listener){.cell = server, .slot = IN});
}

static void a_waker_waits(void **state)
{
    other_hart(signals);
    assert_int_equal(answers->reg[10], IN);
    assert_int_not_equal(answers->status, FIBER_BLOCKED);
    refused();
}

static void kicks(void)
{
    fiber_kick(answers);
}

static void a_kick_waits(void **state)
{
    other_hart(kicks);
    assert_int_equal(answers->reg[10], NX_KICKED);
}

static void ends(void)
{
    cell_end(server, NX_WHY_KILLED, 0, 0, 0);
}

static void the_end_of_the_server_waits(void **state)
{
    other_hart(ends);
    assert_int_equal(server->state, NX_CS_DEAD);
    refused();
}

static void never(void)
{
    fail();
}

static void nobody_waits_for_a_visit_to_somebody_else(void **state)
{
    assert_int_equal(host_visit(OUT), 0);
    struct cell *other = fused("other", NX_PLACE_FUSED);
    struct fiber *f = run(1);
    assert_ptr_equal(f->cell, other);
    assert_int_equal(nx_recv_serve(1 << IN, ENTRY, ARG), HOST_SWITCHED);
    host.relax = never;
    lock();
    event_signal(&(struct listener){.cell = other, .slot = IN});
    unlock();
    test_end(other);
    hart(0);
    host_visit_end();
}

/* ---- faults ---- */
static void a_page_is_had_and_the_visit_goes_on(void **state)
{
    const uint64_t before = client->energy.pages;
    assert_int_equal(host_visit(OUT), 0);
    assert_non_null(host_access(NX_FREE, NX_PROT_W));
    assert_ptr_equal(harts[0].visit, answers);
    host_visit_end();
    assert_int_equal(client->energy.pages, before);
    assert_int_not_equal(space_translate(&server->window, NX_FREE, NX_PROT_W), 0);
    assert_int_equal(space_translate(&client->window, NX_FREE, NX_PROT_W), 0);
}

static void faults_then_leaves(void)
{
    hart(0);
    assert_int_equal(nucleus_lock_word, 1); /* of who waits, and not taken here: */
    nucleus_lock_word = 0;
    assert_non_null(host_access(NX_FREE + PAGE, NX_PROT_W));
    nucleus_lock_word = 1;
    leaves();
}

static void a_page_is_had_while_somebody_waits(void **state)
{
    assert_int_equal(host_visit(OUT), 0);
    host.relax = faults_then_leaves;
    hart(1);
    lock();
    signals();
    unlock();
    assert_int_equal(waited, 1);
    hart(0);
}

static void broken(uint64_t why_code, uint64_t pc, uint64_t addr)
{
    assert_null(harts[0].visit);
    assert_int_equal(server->state, NX_CS_DEAD);
    assert_int_equal(server->end.why, NX_WHY_FAULT);
    assert_int_equal(server->end.code, why_code);
    assert_int_equal(server->end.pc, pc);
    assert_int_equal(server->end.addr, addr);
    assert_ptr_equal(on(0), asks); /* which goes on behind its call, with what calls keep */
    assert_int_equal(asks->reg[10], (uint64_t)-NX_EPEER);
    assert_int_equal(asks->reg[0], 1000);
    assert_int_equal(asks->reg[2], 1002);
    for (unsigned r = 18; r < 28; r++) {
        assert_int_equal(asks->reg[r], 1000 + r);
    }
    assert_int_equal(asks->reg[8], 1008);
    assert_int_equal(asks->reg[9], 1009);
    assert_int_equal(host.hart[0].root, asks->host_root);
    refused();
}

/* The handler's registers, as a trap would have saved them. */
static void in_the_handler(void)
{
    assert_int_equal(host_visit(OUT), 0);
    for (unsigned r = 0; r < 32; r++) {
        asks->reg[r] = r;
    }
    asks->reg[0] = ENTRY + 2;
}

static void a_fault_ends_the_server_and_not_the_client(void **state)
{
    const unsigned over = host.visits_over;
    in_the_handler();
    assert_null(host_access(NX_FREE + GIB / 2, NX_PROT_R));
    broken(13, ENTRY + 2, NX_FREE + GIB / 2);
    assert_int_equal(host.visits_over, over + 1);
}

static void so_does_an_address_of_a_program(void **state)
{
    in_the_handler();
    assert_null(host_access(PAGE, NX_PROT_W));
    broken(15, ENTRY + 2, PAGE);
}

static void so_does_an_exception(void **state)
{
    in_the_handler();
    host_exception(2, 7);
    broken(2, ENTRY + 2, 7);
}

static void so_does_a_call(void **state)
{
    in_the_handler();
    (void)nx_tick_now();
    broken(9, ENTRY + 2, 0);
}

static void so_does_a_visit(void **state)
{
    in_the_handler();
    (void)host_visit(OUT);
    broken(9, ENTRY + 2, 0);
}

/* ---- the server's memory ---- */
static void what_is_unmapped_in_a_visit_is_fenced_there(void **state)
{
    assert_int_equal(host_visit(OUT), 0);
    assert_non_null(host_access(NX_FREE, NX_PROT_W));
    hart(1);
    lock();
    assert_int_equal(space_unmap(&server->window, NX_FREE, PAGE), 0);
    unlock();
    assert_int_equal(host_tlb_stale(0, answers->host_root, NX_FREE, NX_FREE + PAGE), 0);
    assert_int_equal(server->window.stale & 1, 0);
    hart(0);
    host_visit_end();
    assert_int_equal(host_visit(OUT), 0);
    host_visit_end();
}

static void what_is_unmapped_meanwhile_shuts_the_door(void **state)
{
    assert_int_equal(host_visit(OUT), 0);
    assert_non_null(host_access(NX_FREE, NX_PROT_W));
    host_visit_end();
    hart(1);
    lock();
    assert_int_equal(space_unmap(&server->window, NX_FREE, PAGE), 0);
    unlock();
    hart(0);
    audit();
    refused();
    assert_int_equal(nx_send_bell(OUT),
                     HOST_SWITCHED); /* and when it has run itself, it is open again */
    assert_ptr_equal(on(0), answers);
    assert_int_equal(nx_recv_serve(1 << IN, ENTRY, ARG), HOST_SWITCHED);
    assert_int_equal(host_visit(OUT), 0);
    host_visit_end();
}

static void the_end_of_the_client_shuts_it(void **state)
{
    struct cell *other = test_cell("other");
    test_end(client);
    audit();
    client = other; /* to be ended */
}

static int boot(void **state)
{
    test_boot(2, 32 * MIB);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        VISIT_TEST(the_handler_runs_in_the_servers_tables),
        VISIT_TEST(nobody_is_visited_who_does_not_serve),
        VISIT_TEST(not_where_one_of_the_two_is_isolated),
        VISIT_TEST(not_with_a_program_behind_it),
        VISIT_TEST(not_from_another_hart),
        VISIT_TEST(not_by_who_has_given_that_up),
        VISIT_TEST(not_at_a_ring_that_was_revoked),
        VISIT_TEST(a_waker_waits),
        VISIT_TEST(a_kick_waits),
        VISIT_TEST(the_end_of_the_server_waits),
        VISIT_TEST(nobody_waits_for_a_visit_to_somebody_else),
        VISIT_TEST(a_page_is_had_and_the_visit_goes_on),
        VISIT_TEST(a_page_is_had_while_somebody_waits),
        VISIT_TEST(a_fault_ends_the_server_and_not_the_client),
        VISIT_TEST(so_does_an_address_of_a_program),
        VISIT_TEST(so_does_an_exception),
        VISIT_TEST(so_does_a_call),
        VISIT_TEST(so_does_a_visit),
        VISIT_TEST(what_is_unmapped_in_a_visit_is_fenced_there),
        VISIT_TEST(what_is_unmapped_meanwhile_shuts_the_door),
        VISIT_TEST(the_end_of_the_client_shuts_it),
    };
    return cmocka_run_group_tests(tests, boot, NULL);
}
