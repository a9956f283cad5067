/* Capabilities: slots, rights that only narrow, revocation, grants between cells, pledges, and the
 * record of what was refused.
 */
// test-sources: nucleus/core/*.c nucleus/arch/host/*.c lib/*.c
#include "audit.h"

#include <nx/ring.h>

#define HEAP (NX_FREE + 16 * PAGE)

/* `a` runs on hart 0 and holds `b` (not started) in slot 1. */
static struct cell *a, *b;

static int begin(void **state)
{
    (void)counts_before(state);
    struct nx_manifest m = test_manifest("b");
    a = test_cell("a");
    assert_non_null(run(0));
    b = test_cell_new(&m);
    lock();
    assert_int_equal(cap_put(a, 1, &b->obj, NX_R_ALL), 0);
    unlock();
    return 0;
}

static int end(void **state)
{
    audit();
    test_end(a);
    test_end(b);
    audit();
    return counts_after(state);
}

#define CAP_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

static struct nx_beb last_record(void)
{
    struct nx_beb e = {0};
    assert_true(beb_read(beb_end() - 1, &e));
    return e;
}

static void slots_have_bounds(void **state)
{
    static const uint64_t bad[] = {64, 65, 255, 256, 1ul << 32, ~0ul, 64ul << 32};
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(nx_make_mem(bad[i], 1, 0), -NX_EBADF);
        assert_int_equal(nx_make_event(bad[i]), -NX_EBADF);
        assert_int_equal(nx_make_ring(bad[i], 2, 0), -NX_EBADF);
        assert_int_equal(nx_grant_drop(bad[i]), -NX_EBADF);
        assert_int_equal(nx_grant_copy(NX_SELF, bad[i], 3, 0), -NX_EBADF);
        assert_int_equal(nx_grant_copy(NX_SELF, 1, bad[i], 0), -NX_EBADF);
        assert_int_equal(nx_send_bell(bad[i]), -NX_EBADF);
        assert_int_equal(nx_mask_rights(bad[i], 0), -NX_EBADF);
        assert_int_equal(nx_mask_ack(bad[i]), -NX_EBADF);
        assert_int_equal(nx_revoke_object(bad[i]), -NX_EBADF);
        assert_int_equal(nx_meta_size(bad[i]), -NX_EBADF);
        assert_int_equal(nx_spawn_start(bad[i], 0), -NX_EBADF);
    }
    assert_int_equal(nx_make_event(63), 0);
    assert_int_equal(nx_make_event(63), -NX_EBUSY);
    assert_int_equal(nx_grant_drop(63), 0);
    assert_int_equal(nx_grant_drop(63), -NX_EBADF);
}

static void the_type_must_fit(void **state)
{
    assert_int_equal(nx_make_event(5), 0);
    assert_int_equal(nx_make_mem(6, 1, 0), 0);
    assert_int_equal(nx_make_ring(7, 4, 0), 0);
    assert_int_equal(nx_send_bell(6), -NX_EBADF);
    assert_int_equal(nx_mask_ack(5), -NX_EBADF);
    assert_int_equal(nx_spawn_start(5, 0), -NX_EBADF);
    assert_int_equal(nx_exit_kill(6, 0), -NX_EBADF);
    assert_int_equal(nx_make_irq(8, 6, 1), -NX_EBADF);
    assert_int_equal(nx_make_devmem(8, 7, 0x10000000, PAGE), -NX_EBADF);
    assert_int_equal(nx_map_mem(0, HEAP, PAGE, 5 | RW << 8, 0), -NX_EBADF);
    assert_int_equal(nx_map_mem(0, HEAP, PAGE, 1 | RW << 8, 0), -NX_EBADF);
    assert_int_equal(nx_meta_size(5), -NX_EBADF);
    assert_int_equal(nx_meta_size(6), PAGE);
    assert_int_equal(nx_meta_size(7), PAGE);
    assert_int_equal(nx_meta_phys(7, 0), -NX_EBADF);
    assert_int_equal(nx_meta_cell(6, 0), -NX_EBADF);
}

static void rights_only_narrow(void **state)
{
    struct rng r = rng_seed(6);
    assert_int_equal(nx_make_mem(5, 1, 0), 0);
    for (unsigned n = 0; n < 450; n++) {
        uint32_t held = cap_rights(a, 5), want = (uint32_t)rng_below(&r, NX_R_ALL + 1);
        long e = nx_grant_copy(NX_SELF, 5, 6, want);
        assert_int_equal(e, (want & ~held) != 0 ? -NX_EPERM : 0);
        if (e == 0) {
            assert_int_equal(cap_rights(a, 6), want);
            uint32_t mask = (uint32_t)rng_next(&r);
            assert_int_equal(nx_mask_rights(6, mask), 0);
            assert_int_equal(cap_rights(a, 6), want & mask);
            assert_int_equal(nx_grant_drop(6), 0);
        }
        if (n % 50 == 49) {
            assert_int_equal(nx_mask_rights(5, ~(1u << n / 50)), 0);
        }
    }
    assert_int_equal(nx_grant_copy(NX_SELF, 5, 6, 1ul << 40), -NX_EPERM);
    assert_int_equal(nx_mask_rights(5, ~0ul), 0); /* gives nothing back */
    assert_int_equal(cap_rights(a, 5), NX_R_LEND);
}

static void each_use_needs_its_right(void **state)
{
    assert_int_equal(nx_make_mem(5, 1, 0), 0);
    assert_int_equal(nx_grant_copy(NX_SELF, 5, 6, NX_R_ALL & ~NX_R_DMA), 0);
    assert_true(nx_meta_phys(5, 0) > 0);
    assert_int_equal(nx_meta_phys(6, 0), -NX_EPERM);
    assert_int_equal(nx_meta_phys(5, PAGE), -NX_EINVAL);
    assert_int_equal(nx_meta_phys(5, ~0ul), -NX_EINVAL);
    assert_int_equal(nx_make_event(7), 0);
    assert_int_equal(nx_grant_copy(NX_SELF, 7, 8, NX_R_RECV), 0);
    assert_int_equal(nx_send_bell(8), -NX_EPERM);
    assert_int_equal(nx_revoke_object(8), -NX_EPERM);
    assert_int_equal(nx_grant_copy(NX_SELF, 1, 9, NX_R_ALL & ~(NX_R_KILL | NX_R_GRANT | NX_R_READ)),
                     0);
    assert_int_equal(nx_spawn_start(9, 0), -NX_EPERM);
    assert_int_equal(nx_exit_kill(9, 0), -NX_EPERM);
    assert_int_equal(nx_grant_copy(9, 5, 0, 0), -NX_EPERM);
    assert_int_equal(nx_meta_cell(9, NX_CELL_STATE), -NX_EPERM);
    assert_int_equal(nx_meta_cell(1, NX_CELL_STATE), NX_CS_NEW);
    assert_int_equal(nx_grant_copy(NX_SELF, 5, 10, NX_R_ALL & ~NX_R_GRANT), 0);
    assert_int_equal(nx_grant_copy(1, 10, 0, 0), -NX_EPERM); /* may not leave the cell */
}

static void revoking_kills_every_capability_at_once(void **state)
{
    assert_int_equal(nx_make_mem(5, 1, 0), 0);
    assert_int_equal(nx_grant_copy(NX_SELF, 5, 6, NX_R_READ), 0);
    assert_int_equal(nx_grant_copy(1, 5, 20, NX_R_READ), 0);
    assert_int_equal(nx_revoke_object(6), -NX_EPERM);
    assert_int_equal(nx_revoke_object(5), 0);
    assert_int_equal(nx_meta_size(5), -NX_EBADF);
    assert_int_equal(nx_meta_size(6), -NX_EBADF);
    assert_int_equal(nx_grant_copy(NX_SELF, 6, 7, 0), -NX_EBADF);
    assert_int_equal(nx_mask_rights(5, 0), -NX_EBADF);
    assert_int_equal(nx_revoke_object(5), -NX_EBADF);
    lock();
    struct object *o;
    struct fiber *f = harts[0].fiber;
    f->cell = b; /* as a fiber of b would see it */
    assert_int_equal(cap_get(f, 20, NX_T_MEM, 0, &o), -NX_EBADF);
    f->cell = a;
    unlock();
    /* The slots are still taken, and can be emptied. */
    assert_int_equal(nx_make_event(5), -NX_EBUSY);
    assert_int_equal(nx_grant_drop(5), 0);
    assert_int_equal(nx_make_event(5), 0);
}

static void a_move_leaves_an_empty_slot(void **state)
{
    assert_int_equal(nx_make_mem(5, 1, 0), 0);
    assert_int_equal(nx_grant_move(NX_SELF, 5, 5, NX_R_READ), -NX_EBUSY);
    assert_int_equal(nx_grant_move(NX_SELF, 5, 6, NX_R_READ), 0);
    assert_int_equal(nx_meta_size(5), -NX_EBADF);
    assert_int_equal(nx_meta_size(6), PAGE);
    assert_int_equal(nx_grant_move(NX_SELF, 6, 7, NX_R_READ | NX_R_WRITE), -NX_EPERM);
    assert_int_equal(nx_meta_size(6), PAGE); /* a refused move moves nothing */
    assert_int_equal(nx_make_mem(8, 1, 0), 0);
    assert_int_equal(nx_grant_move(1, 8, 3, NX_R_READ), 0);
    assert_int_equal(b->caps[3].obj->type, NX_T_MEM);
    assert_int_equal(cap_rights(b, 3), NX_R_READ);
    assert_null(a->caps[8].obj);
    assert_int_equal(nx_make_mem(8, 1, 0), 0);
    assert_int_equal(nx_grant_move(1, 8, 3, NX_R_READ), -NX_EBUSY);
    assert_non_null(a->caps[8].obj);
}

static void a_fiber_may_give_up_slots(void **state)
{
    assert_int_equal(nx_make_mem(5, 1, 0), 0);
    assert_int_equal(nx_make_event(6), 0);
    assert_int_equal(nx_mask_caps(~(1ul << 5)), 0);
    assert_int_equal(nx_meta_size(5), -NX_EBADF);
    assert_int_equal(nx_mask_caps(~0ul), 0); /* and not take them back */
    assert_int_equal(nx_meta_size(5), -NX_EBADF);
    assert_int_equal(nx_grant_copy(NX_SELF, 5, 7, 0), -NX_EBADF);
    assert_int_equal(nx_send_bell(6), 0);
    /* Nor through a new fiber: it starts with the mask of its maker. */
    assert_true(nx_spawn_fiber(NX_IMAGE, 0, 0, NX_TIER_MATTER) > 0);
    assert_non_null(run(1));
    assert_int_equal(nx_meta_size(5), -NX_EBADF);
    assert_int_equal(nx_grant_drop(6), 0);
}

static void what_a_mask_hides_cannot_be_dropped(void **state)
{
    assert_int_equal(nx_make_mem(5, 1, 0), 0);
    assert_int_equal(nx_mask_caps(~(1ul << 5)), 0);
    assert_int_equal(nx_grant_drop(5), -NX_EBADF);
    assert_non_null(a->caps[5].obj);
}

static void pledges_only_narrow(void **state)
{
    assert_int_equal(nx_mask_pledge(NX_PLEDGE_ALL & ~(NX_PLEDGE_MAKE | NX_PLEDGE_DEBUG)), 0);
    assert_int_equal(nx_make_event(5), -NX_EPERM);
    assert_int_equal(nx_mask_pledge(~0ul), 0);
    assert_int_equal(nx_make_event(5), -NX_EPERM);
    assert_int_equal(nx_meta_stat(NX_STAT_FIBERS), -NX_EPERM);
    assert_int_equal(nx_meta_version(), NX_ABI_VERSION);
}

static void each_class_of_calls_has_its_pledge(void **state)
{
    static const struct {
        uint32_t pledge;
        uint64_t nr, op;
    } calls[] = {
        {NX_PLEDGE_SPAWN, NX_CALL_SPAWN, NX_SPAWN_CELL},
        {NX_PLEDGE_SPAWN, NX_CALL_SPAWN, NX_SPAWN_START},
        {NX_PLEDGE_SPAWN, NX_CALL_EXIT, NX_EXIT_KILL},
        {NX_PLEDGE_MAKE, NX_CALL_MAKE, NX_MAKE_MEM},
        {NX_PLEDGE_MAKE, NX_CALL_MAKE, NX_MAKE_DEVMEM},
        {NX_PLEDGE_FOREIGN, NX_CALL_MAKE, NX_MAKE_SPACE},
        {NX_PLEDGE_MAP, NX_CALL_MAP, NX_MAP_ANON},
        {NX_PLEDGE_GRANT, NX_CALL_GRANT, NX_GRANT_COPY},
        {NX_PLEDGE_GRANT, NX_CALL_REVOKE, NX_REVOKE_OBJECT},
        {NX_PLEDGE_FOREIGN, NX_CALL_REVOKE, NX_REVOKE_SPACE},
        {NX_PLEDGE_IPC, NX_CALL_SEND, NX_SEND_BELL},
        {NX_PLEDGE_IPC, NX_CALL_RECV, NX_RECV_WAIT},
        {NX_PLEDGE_TIME, NX_CALL_TICK, NX_TICK_YIELD},
        {NX_PLEDGE_FOREIGN, NX_CALL_ENTER, NX_ENTER_RUN},
        {NX_PLEDGE_FOREIGN, NX_CALL_ENTER, NX_ENTER_BIND},
        {NX_PLEDGE_META, NX_CALL_META, NX_META_VERSION},
        {NX_PLEDGE_META, NX_CALL_META, NX_META_CELL},
        {NX_PLEDGE_DEBUG, NX_CALL_META, NX_META_STAT},
        {NX_PLEDGE_DEBUG, NX_CALL_META, NX_META_READLOG},
        {NX_PLEDGE_DEBUG, NX_CALL_META, NX_META_BEB},
    };
    for (unsigned i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        a->pledge = NX_PLEDGE_ALL & ~calls[i].pledge;
        uint64_t before = beb_end();
        assert_int_equal(host_call(calls[i].nr, calls[i].op, 63, 0, 0, 0, 0), -NX_EPERM);
        assert_int_equal(beb_end(), before + 1);
        struct nx_beb e = last_record();
        assert_int_equal(e.kind, NX_BEB_DENIED);
        assert_int_equal(e.arg0, calls[i].pledge);
        assert_int_equal(e.arg1, NX_SLOTS);
    }
    a->pledge = NX_PLEDGE_ALL;
}

static void refusals_are_recorded(void **state)
{
    host.time = 12345;
    uint64_t before = beb_end();
    assert_int_equal(nx_send_bell(33), -NX_EBADF);
    assert_int_equal(nx_spawn_start(34, 0), -NX_EBADF);
    assert_int_equal(beb_end(), before + 2);
    struct nx_beb e = last_record();
    assert_int_equal(e.kind, NX_BEB_DENIED);
    assert_int_equal(e.time, 12345);
    assert_int_equal(e.hart, 0);
    assert_int_equal(e.arg0, NX_T_CELL);
    assert_int_equal(e.arg1, 34);
    assert_string_equal(e.cell, "a");
    assert_int_equal(e.generation, 1);
    assert_int_equal(e.fiber, harts[0].fiber->handle);
}

/* The buffer keeps the newest; a reader that is late gets them once each. */
static void old_records_are_overwritten(void **state)
{
    for (unsigned i = 0; i < 300; i++) {
        assert_int_equal(nx_send_bell(i % 2 == 0 ? 33 : 34), -NX_EBADF);
    }
    uint64_t end = beb_end();
    long n = nx_meta_beb(HEAP, 32 * PAGE, 0);
    assert_int_equal(n, 128);
    for (unsigned i = 0; i < 128; i++) {
        struct nx_beb e;
        lock();
        assert_int_equal(space_copy_in(&a->window, &e, HEAP + i * sizeof(e), sizeof(e)), 0);
        unlock();
        if (e.number >= end - 100) { /* those before are other writers' */
            assert_int_equal(e.number, end - 128 + i);
            assert_int_equal(e.arg1, e.number % 2 == end % 2 ? 33 : 34);
        }
    }
    assert_int_equal(nx_meta_beb(HEAP, 32 * PAGE, end), 0);
    assert_int_equal(nx_meta_beb(HEAP, 32 * PAGE, end - 5), 5);
    assert_int_equal(nx_meta_beb(HEAP, 3 * sizeof(struct nx_beb) + 63, end - 5), 3);
    assert_int_equal(nx_meta_beb(HEAP, 63, end - 5), 0);
    assert_int_equal(nx_meta_beb(HEAP, 32 * PAGE, ~0ul), 0);
    assert_int_equal(nx_meta_beb(NX_SYSTABLE, PAGE, 0), -NX_EFAULT);
}

static void a_line_of_a_cell_is_made_harmless(void **state)
{
    static const char text[] = "tab\tbell\abig\x80line\nno, one";
    lock();
    assert_int_equal(space_copy_out(&a->window, HEAP, text, sizeof(text) - 1), 0);
    unlock();
    host.time = 77;
    uint64_t at = log_end();
    assert_int_equal(nx_meta_log(HEAP, sizeof(text) - 1, NX_LOG_INFO), 0);
    assert_int_equal(nx_meta_log(HEAP, 257, NX_LOG_INFO), -NX_EINVAL);
    assert_int_equal(nx_meta_log(HEAP, ~0ul, NX_LOG_INFO), -NX_EINVAL);
    assert_int_equal(nx_meta_log(NX_WINDOW + GIB - 4, 8, NX_LOG_INFO), -NX_EFAULT);
    assert_int_equal(nx_meta_log(0, 8, NX_LOG_INFO), -NX_EFAULT);
    assert_int_equal(nx_meta_log(0xffffffd000000000ul, 8, NX_LOG_INFO), -NX_EFAULT);
    assert_int_equal(nx_meta_log(HEAP, 8, NX_LOG_LEVELS), -NX_EINVAL);
    struct nx_log l;
    assert_true(log_read(at, &l));
    assert_int_equal(l.number, at);
    assert_int_equal(l.time, 77);
    assert_string_equal(l.cell, "a");
    assert_int_equal(l.generation, 1);
    assert_int_equal(l.level, NX_LOG_INFO);
    assert_int_equal(l.len, sizeof(text) - 1);
    assert_memory_equal(l.text, "tab\tbell?big?line?no, one", l.len);
    assert_false(log_read(at + 1, &l));
}

/* Slots 5: a shelf, 6: memory, 7: a ring. */
static void shelf_setup(void)
{
    assert_int_equal(nx_make_shelf(5), 0);
    assert_int_equal(nx_make_mem(6, 2, 0), 0);
    assert_int_equal(nx_make_ring(7, 4, 0), 0);
}

static void shelves_keep_memory_and_rings(void **state)
{
    shelf_setup();
    assert_int_equal(nx_grant_shelve(5, 0, 6), 0);
    assert_int_equal(nx_grant_shelve(5, NX_SHELF_PLACES - 1, 7), 0);
    assert_int_equal(nx_grant_shelve(5, 0, 7), -NX_EBUSY);
    assert_int_equal(nx_grant_shelve(5, NX_SHELF_PLACES, 6), -NX_EBADF);
    assert_int_equal(nx_grant_shelve(5, ~0ul, 6), -NX_EBADF);
    assert_int_equal(nx_grant_drop(6), 0);
    assert_int_equal(nx_grant_drop(7), 0);
    assert_int_equal(nx_grant_fetch(NX_SELF, 5, 0, 8, NX_R_READ), 0);
    assert_int_equal(nx_meta_size(8), 2 * PAGE);
    assert_int_equal(nx_map_mem(0, HEAP, PAGE, 8 | RW << 8, 0), -NX_EPERM);
    assert_int_equal(nx_grant_fetch(NX_SELF, 5, 0, 8, NX_R_READ), -NX_EBUSY);
    assert_int_equal(nx_grant_fetch(1, 5, NX_SHELF_PLACES - 1, 3, NX_R_ALL), 0);
    assert_int_equal(b->caps[3].obj->type, NX_T_RING);
    assert_int_equal(nx_grant_clear(5, 0), 0);
    assert_int_equal(nx_grant_clear(5, 0), -NX_EBADF);
    assert_int_equal(nx_grant_clear(5, NX_SHELF_PLACES), -NX_EBADF);
    assert_int_equal(nx_grant_fetch(NX_SELF, 5, 0, 9, NX_R_READ), -NX_EBADF);
    assert_int_equal(nx_meta_size(8), 2 * PAGE); /* another capability: still there */
    assert_int_equal(nx_grant_drop(5), 0);       /* what is left on it goes with it */
}

static void shelves_keep_nothing_else(void **state)
{
    shelf_setup();
    assert_int_equal(nx_make_event(8), 0);
    assert_int_equal(nx_grant_shelve(5, 0, 8), -NX_EBADF);
    assert_int_equal(nx_grant_shelve(5, 0, 5), -NX_EBADF);
    assert_int_equal(nx_grant_shelve(5, 0, 1), -NX_EBADF);
    assert_int_equal(nx_grant_shelve(6, 0, 7), -NX_EBADF);
    assert_int_equal(nx_grant_fetch(NX_SELF, 6, 0, 9, 0), -NX_EBADF);
}

static void shelves_have_rights(void **state)
{
    shelf_setup();
    assert_int_equal(nx_mask_rights(6, NX_R_READ), 0);
    assert_int_equal(nx_grant_shelve(5, 0, 6), 0);
    assert_int_equal(nx_grant_fetch(NX_SELF, 5, 0, 9, NX_R_WRITE), -NX_EPERM);
    assert_int_equal(nx_grant_fetch(1, 5, 0, 9, NX_R_READ), -NX_EPERM); /* not to be granted */
    assert_int_equal(nx_grant_shelve(5, 1, 7), 0);
    assert_int_equal(nx_mask_rights(5, NX_R_READ), 0);
    assert_int_equal(nx_grant_shelve(5, 2, 7), -NX_EPERM);
    assert_int_equal(nx_grant_clear(5, 1), -NX_EPERM);
    assert_int_equal(nx_grant_fetch(1, 5, 1, 9, NX_R_SEND), 0);
    assert_int_equal(nx_mask_rights(5, NX_R_WRITE), 0);
    assert_int_equal(nx_grant_fetch(NX_SELF, 5, 1, 9, 0), -NX_EPERM);
}

static void what_is_revoked_is_dead_on_the_shelf(void **state)
{
    shelf_setup();
    assert_int_equal(nx_grant_shelve(5, 0, 6), 0);
    assert_int_equal(nx_revoke_object(6), 0);
    assert_int_equal(nx_grant_fetch(NX_SELF, 5, 0, 9, NX_R_READ), -NX_EBADF);
    assert_int_equal(nx_grant_clear(5, 0), 0);
}

/* Nobody hears by what lies there, and who listened goes on listening. */
static void nobody_listens_on_a_shelf(void **state)
{
    shelf_setup();
    assert_int_equal(nx_grant_copy(NX_SELF, 7, 8, NX_R_RECV), 0);
    assert_int_equal(nx_grant_shelve(5, 0, 7), 0);
    const struct ring *r = (const struct ring *)a->caps[7].obj;
    assert_ptr_equal(r->end[NX_RING_CONSUMER].cell, a);
    assert_int_equal(r->end[NX_RING_CONSUMER].slot, 8);
    assert_null(r->end[NX_RING_PRODUCER].cell);
}

int main(void)
{
    test_boot(2, 8 * MIB);
    const struct CMUnitTest tests[] = {
        CAP_TEST(slots_have_bounds),
        CAP_TEST(the_type_must_fit),
        CAP_TEST(rights_only_narrow),
        CAP_TEST(each_use_needs_its_right),
        CAP_TEST(revoking_kills_every_capability_at_once),
        CAP_TEST(a_move_leaves_an_empty_slot),
        CAP_TEST(a_fiber_may_give_up_slots),
        CAP_TEST(what_a_mask_hides_cannot_be_dropped),
        CAP_TEST(pledges_only_narrow),
        CAP_TEST(each_class_of_calls_has_its_pledge),
        CAP_TEST(refusals_are_recorded),
        CAP_TEST(old_records_are_overwritten),
        CAP_TEST(a_line_of_a_cell_is_made_harmless),
        CAP_TEST(shelves_keep_memory_and_rings),
        CAP_TEST(shelves_keep_nothing_else),
        CAP_TEST(shelves_have_rights),
        CAP_TEST(what_is_revoked_is_dead_on_the_shelf),
        CAP_TEST(nobody_listens_on_a_shelf),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
