/* A tier lent along a bell: who runs when a client waits for a server of a worse tier, who pays, and when it ends. */
// test-sources: nucleus/core/*.c nucleus/arch/host/*.c lib/*.c
#include "passing.h"

#include "lend.h"

#define ASK 5 /* the client's end of the ring to the server, and the server's */
#define ONE 6 /* the same between the server and its own */
#define PHOTON_BUDGET (2 * MS)

static struct cell *client, *server, *hog, *inner;
static struct fiber *fc, *fs, *fh;

static struct cell *make(const char *name, unsigned tier)
{
    struct nx_manifest m = test_manifest(name);
    m.tier = tier;
    struct cell *c = test_cell_with(&m);
    c->quota->spaces_max = 0; /* native code, as servers are */
    return c;
}

static struct fiber *first(const struct cell *c)
{
    return list_first(&c->fibers, struct fiber, cell_link);
}

static void go_on(uint64_t ticks)
{
    pass(ticks);
    hart(0);
}

/* A ring from one cell to another, that lends or does not. */
static void connect(struct cell *from, struct cell *to, unsigned slot, uint32_t more)
{
    lock();
    struct ring *r = ring_make(from->quota, 4, 0);
    assert_non_null(r);
    assert_int_equal(cap_put(from, slot, &r->obj, NX_R_READ | NX_R_WRITE | NX_R_SEND | more), 0);
    assert_int_equal(cap_put(to, slot, &r->obj, NX_R_READ | NX_R_WRITE | NX_R_RECV), 0);
    object_unref(&r->obj);
    unlock();
}

static int begin(void **state)
{
    (void)counts_before(state);
    host.time += 10 * TIMEBASE;
    hart_count = 1;
    hart(0);
    server = make("server", NX_TIER_GRAVITY);
    fs = run(0);
    assert_ptr_equal(fs->cell, server);
    client = make("client", NX_TIER_PHOTON);
    interrupts(0);
    fc = on(0);
    assert_ptr_equal(fc->cell, client);
    connect(client, server, ASK, NX_R_LEND);
    hog = NULL;
    inner = NULL;
    return 0;
}

static int end(void **state)
{
    struct cell *all[] = {client, server, hog, inner};
    audit();
    hart(0);
    for (unsigned i = 0; i < ARRAY_LEN(all); i++) {
        if (all[i] != NULL) {
            test_end(all[i]);
        }
    }
    hart_count = 4;
    for (unsigned i = 0; i < 4; i++) {
        if (harts[i].fiber == NULL && harts[i].online) {
            interrupts(i);
        }
    }
    audit();
    return counts_after(state);
}

#define LEND_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

/* The server waits for the client; then a hog of a tier between the two comes, and the client is back at work. */
static void server_waits(void)
{
    assert_int_equal(nx_tick_sleep(host.time + MS), HOST_SWITCHED);
    assert_ptr_equal(on(0), fs);
    assert_int_equal(nx_recv_wait(1ul << ASK, NX_NEVER), HOST_SWITCHED);
    go_on(MS);
    assert_ptr_equal(on(0), fc);
    hog = make("hog", NX_TIER_MATTER);
    fh = first(hog);
}

/* The server is at work on something when the hog comes. */
static void server_works(void)
{
    hog = make("hog", NX_TIER_MATTER);
    fh = first(hog);
    assert_int_equal(fs->status, FIBER_READY);
    assert_ptr_equal(on(0), fc);
}

static void without_the_right_the_hog_goes_first(void **state)
{
    server_waits();
    assert_int_equal(nx_mask_rights(ASK, NX_R_SEND), 0);
    assert_int_equal(nx_send_bell(ASK), 0);
    assert_int_equal(nx_recv_wait(1ul << ONE, NX_NEVER), HOST_SWITCHED);
    assert_ptr_equal(on(0), fh);
    assert_int_equal(fs->host_tier, NX_TIER_GRAVITY);
}

static void who_waits_is_woken_in_the_callers_tier(void **state)
{
    server_waits();
    go_on(MS / 2);
    assert_int_equal(nx_send_bell(ASK), HOST_SWITCHED);
    assert_ptr_equal(on(0), fs); /* at once */
    assert_int_equal(fs->host_tier, NX_TIER_PHOTON);
    assert_ptr_equal(fs->lender, fc);
    assert_int_equal(fs->left, fs->lent);
    const uint64_t lent = fs->lent;
    assert_true(lent <= PHOTON_BUDGET - MS / 2);
    go_on(MS / 4);
    assert_ptr_equal(on(0), fs);
    /* It waits: the client goes on, and has paid. */
    assert_int_equal(nx_recv_wait(1ul << ASK, NX_NEVER), HOST_SWITCHED);
    assert_ptr_equal(on(0), fc);
    assert_null(fs->lender);
    assert_null(fc->debtor);
    assert_int_equal(fs->host_tier, NX_TIER_GRAVITY);
    assert_int_equal(fc->left, lent - MS / 4);
}

static void who_works_already_goes_before_the_hog(void **state)
{
    server_works();
    assert_int_equal(nx_send_bell(ASK), 0);
    assert_ptr_equal(fs->lender, fc);
    assert_ptr_equal(on(0), fc);
    assert_int_equal(nx_recv_wait(1ul << ONE, NX_NEVER), HOST_SWITCHED);
    assert_ptr_equal(on(0), fs);
    /* The bell is there when it looks; it has not waited, so the loan goes on. */
    assert_int_equal(nx_recv_wait(1ul << ASK, NX_NEVER), ASK);
    assert_ptr_equal(fs->lender, fc);
    assert_int_equal(nx_recv_wait(1ul << ASK, 0), -NX_ETIME);
    assert_ptr_equal(fs->lender, fc);
    assert_int_equal(nx_recv_wait(1ul << ASK, NX_NEVER), HOST_SWITCHED);
    assert_ptr_equal(on(0), fh);
    assert_null(fs->lender);
}

static void sleeping_ends_it(void **state)
{
    server_waits();
    assert_int_equal(nx_send_bell(ASK), HOST_SWITCHED);
    assert_int_equal(nx_tick_sleep(host.time + MS), HOST_SWITCHED);
    assert_ptr_equal(on(0), fc);
    assert_null(fs->lender);
    assert_int_equal(nx_recv_wait(1ul << ONE, NX_NEVER), HOST_SWITCHED);
    assert_ptr_equal(on(0), fh);
    go_on(MS);
    assert_ptr_equal(on(0), fh);
}

/* The whole of the client's budget and not a tick more; no strike for the server, and the client's budget is gone. */
static void a_loan_that_is_used_up_is_over(void **state)
{
    server_waits();
    const uint64_t before = beb_end();
    assert_int_equal(nx_send_bell(ASK), HOST_SWITCHED);
    const uint64_t lent = fs->lent;
    go_on(lent - 1);
    assert_ptr_equal(on(0), fs);
    assert_int_equal(beb_end(), before);
    go_on(1);
    assert_null(fs->lender);
    assert_int_equal(fs->strikes, 0);
    assert_int_equal(fs->host_tier, NX_TIER_GRAVITY);
    assert_ptr_not_equal(on(0), fs);
    /* The client has had its turn: that is its own overrun. */
    struct nx_beb e;
    assert_true(beb_read(before, &e));
    assert_int_equal(e.kind, NX_BEB_OVERRUN);
    assert_string_equal(e.cell, "client");
    assert_int_equal(fc->strikes, 1);
    assert_int_equal(fc->left, PHOTON_BUDGET);
}

/* A client that rings again and again and never waits pays with its tier. */
static void a_client_keeps_no_server_up_for_longer_than_itself(void **state)
{
    server_works();
    uint64_t served = fiber_runtime(fs), mine = fiber_runtime(fc);
    while (client->tier == NX_TIER_PHOTON) {
        if (on(0) == fc) {
            (void)nx_send_bell(ASK);
        }
        go_on(MS / 10);
    }
    served = fiber_runtime(fs) - served;
    mine = fiber_runtime(fc) - mine;
    assert_true(served + mine <= 3 * 2 * PHOTON_BUDGET);
    assert_int_equal(client->tier, NX_TIER_MATTER);
}

static void the_last_one_rung_has_it(void **state)
{
    inner = make("other", NX_TIER_GRAVITY);
    connect(client, inner, ONE, NX_R_LEND);
    server_works();
    assert_int_equal(nx_send_bell(ASK), 0);
    assert_ptr_equal(fc->debtor, fs);
    go_on(MS / 4);
    assert_int_equal(nx_send_bell(ONE), 0);
    assert_ptr_equal(fc->debtor, first(inner));
    assert_null(fs->lender);
    assert_int_equal(fs->host_tier, NX_TIER_GRAVITY);
    assert_true(first(inner)->lent <= PHOTON_BUDGET - MS / 4);
}

static uint64_t lent_first;
/* client -> server -> inner, with the hog between: all three run on one budget, and each ends when it waits. */
static void chain(void)
{
    inner = make("inner", NX_TIER_VOID);
    connect(server, inner, ONE, NX_R_LEND);
    server_waits();
    assert_int_equal(nx_send_bell(ASK), HOST_SWITCHED);
    assert_ptr_equal(on(0), fs);
    lent_first = fs->lent;
    go_on(MS / 4);
    (void)nx_send_bell(ONE);
    assert_ptr_equal(on(0), fs);
    assert_ptr_equal(first(inner)->lender, fs);
    assert_int_equal(first(inner)->host_tier, NX_TIER_PHOTON);
    assert_int_equal(nx_recv_wait(1ul << 7, NX_NEVER), HOST_SWITCHED);
}

static void a_loan_is_lent_on(void **state)
{
    chain();
    /* The client stands in line before it: it waits as well. */
    assert_ptr_equal(on(0), fc);
    assert_int_equal(nx_recv_wait(1ul << 7, NX_NEVER), HOST_SWITCHED);
    struct fiber *fi = on(0);
    assert_ptr_equal(fi->cell, inner);
    assert_ptr_equal(fs->lender, fc); /* its own is kept while it waits for that */
    go_on(MS / 4);
    lock();
    inner->pending = 0;
    fiber_wake(fs, 7); /* the answer */
    unlock();
    assert_int_equal(nx_recv_wait(1ul << ONE, NX_NEVER), HOST_SWITCHED);
    assert_null(fi->lender);
    assert_ptr_equal(on(0), fs); /* and not the hog */
    assert_int_equal(fs->host_tier, NX_TIER_PHOTON);
    assert_int_equal(fs->left, lent_first - MS / 2); /* waiting has not filled it */
    assert_int_equal(nx_recv_wait(1ul << ASK, NX_NEVER), HOST_SWITCHED);
    assert_ptr_equal(on(0), fh);
    assert_null(fs->lender);
    assert_null(fc->debtor);
    assert_int_equal(fs->host_tier, NX_TIER_GRAVITY);
}

static void the_chain_ends_with_its_last(void **state)
{
    chain();
    assert_int_equal(nx_recv_wait(1ul << 7, NX_NEVER), HOST_SWITCHED);
    struct fiber *fi = on(0);
    assert_ptr_equal(fi->cell, inner);
    assert_int_equal(nx_recv_wait(1ul << 7, NX_NEVER), HOST_SWITCHED); /* without an answer */
    assert_null(fi->lender);
    assert_null(fs->lender);
    assert_int_equal(fs->host_tier, NX_TIER_GRAVITY);
    assert_int_equal(fi->host_tier, NX_TIER_VOID);
}

static void the_chain_ends_when_it_is_used_up(void **state)
{
    chain();
    assert_int_equal(nx_recv_wait(1ul << 7, NX_NEVER), HOST_SWITCHED);
    go_on(PHOTON_BUDGET);
    assert_null(first(inner)->lender);
    assert_null(fs->lender);
    assert_null(fc->debtor);
    assert_ptr_equal(on(0), fh);
}

static void the_end_of_any_of_them_ends_it(void **state)
{
    for (unsigned which = 0; which < 3; which++) {
        chain();
        struct cell **gone[] = {&client, &server, &inner};
        test_end(*gone[which]);
        *gone[which] = NULL;
        for (unsigned i = 0; i < 3; i++) {
            if (*gone[i] != NULL) {
                struct fiber *f = first(*gone[i]);
                assert_true((f->lender == NULL) == (f->host_tier == (*gone[i])->tier));
                assert_true(which != 1 || f->lender == NULL);
            }
        }
        audit();
        (void)end(state);
        (void)begin(state);
    }
}

static void a_cell_without_energy_borrows_nothing(void **state)
{
    server_waits();
    lock();
    server->energy.out = true;
    unlock();
    assert_int_equal(nx_send_bell(ASK), 0);
    assert_null(fs->lender);
    lock();
    server->energy.out = false;
    unlock();
}

static void only_a_ring_lends(void **state)
{
    server_waits();
    assert_int_equal(nx_make_event(9), 0);
    lock();
    assert_int_equal(cap_put(server, 9, client->caps[9].obj, NX_R_RECV), 0);
    unlock();
    assert_int_equal(nx_send_bell(9), 0);
    assert_null(fs->lender);
}

static void a_better_server_needs_none(void **state)
{
    connect(server, client, ONE, NX_R_LEND);
    server_waits();
    assert_int_equal(nx_recv_wait(1ul << ONE, NX_NEVER), HOST_SWITCHED);
    assert_int_equal(nx_recv_wait(1ul << ONE, NX_NEVER), HOST_SWITCHED); /* the hog */
    lock();
    fiber_wake(fs, ASK);
    unlock();
    assert_ptr_equal(run(0), fs);
    assert_int_equal(nx_send_bell(ONE), HOST_SWITCHED);
    assert_ptr_equal(on(0), fc);
    assert_null(fc->lender);
}

static void a_server_on_another_hart_is_lent_to(void **state)
{
    hart_count = 2;
    hog = make("hog", NX_TIER_MATTER);
    fh = first(hog);
    struct fiber *there = run(1);
    assert_non_null(there);
    hart(0);
    assert_true(there == fs || there == fh);
    if (there != fs) {
        test_end(hog);
        hog = NULL;
        assert_ptr_equal(run(1), fs);
        hart(0);
    }
    assert_int_equal(nx_send_bell(ASK), 0);
    assert_ptr_equal(fs->lender, fc);
    assert_int_equal(fs->host_tier, NX_TIER_PHOTON);
    go_on(MS / 2);
    (void)hart(1);
    assert_int_equal(nx_recv_wait(1ul << ASK, 0), ASK);
    (void)nx_recv_wait(1ul << ASK, NX_NEVER);
    assert_null(fs->lender);
    hart(0);
}

static int boot(void **state)
{
    test_boot(4, 32 * MIB);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LEND_TEST(without_the_right_the_hog_goes_first),
        LEND_TEST(who_waits_is_woken_in_the_callers_tier),
        LEND_TEST(who_works_already_goes_before_the_hog),
        LEND_TEST(sleeping_ends_it),
        LEND_TEST(a_loan_that_is_used_up_is_over),
        LEND_TEST(a_client_keeps_no_server_up_for_longer_than_itself),
        LEND_TEST(the_last_one_rung_has_it),
        LEND_TEST(a_loan_is_lent_on),
        LEND_TEST(the_chain_ends_with_its_last),
        LEND_TEST(the_chain_ends_when_it_is_used_up),
        LEND_TEST(the_end_of_any_of_them_ends_it),
        LEND_TEST(a_cell_without_energy_borrows_nothing),
        LEND_TEST(only_a_ring_lends),
        LEND_TEST(a_better_server_needs_none),
        LEND_TEST(a_server_on_another_hart_is_lent_to),
    };
    return cmocka_run_group_tests(tests, boot, NULL);
}
