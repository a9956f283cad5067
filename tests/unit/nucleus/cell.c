/* The life of cells: made, started, ended in every state of their fibers, and nothing left behind. */
// test-sources: nucleus/core/*.c nucleus/arch/host/*.c lib/*.c
#include "audit.h"

#define STATE NX_FREE
#define HEAP (NX_FREE + 16 * PAGE)
#define LOW 0x40000000ul

static void settle(void)
{
    unsigned was = host.current;
    for (unsigned i = 0; i < hart_count; i++) {
        while (host_interrupt_pending(i)) {
            interrupts(i);
        }
    }
    host.current = was;
}

static void a_started_cell_finds_its_surroundings(void **state)
{
    struct nx_manifest m = test_manifest("surroundings");
    m.window_gb = 2;
    m.quota_pages = 100;
    strcpy(machine.bootargs, "a b=c");
    struct cell *c = test_cell_new(&m);
    assert_int_equal(c->state, NX_CS_NEW);
    lock();
    assert_int_equal(cell_start(c, 0x1234), 0);
    assert_int_equal(cell_start(c, 0), -NX_EINVAL); /* once */
    unlock();
    const struct fiber *f = run(0);
    assert_int_equal(f->reg[0], NX_IMAGE);
    assert_int_equal(f->reg[2], NX_STACK_TOP);
    assert_int_equal(f->reg[10], NX_CELLINFO);
    const struct nx_cellinfo *info = host_access(NX_CELLINFO, NX_PROT_R);
    assert_string_equal(info->name, "surroundings");
    assert_int_equal(info->generation, 1);
    assert_int_equal(info->harts, hart_count);
    assert_int_equal(info->timebase, TIMEBASE);
    assert_int_equal(info->memory, machine.memory_end - machine.memory_base);
    assert_int_equal(info->arg, 0x1234);
    assert_int_equal(info->image_end, NX_IMAGE + PAGE);
    assert_int_equal(info->window_end, NX_WINDOW + 2 * GIB);
    assert_int_equal(info->quota, 100);
    assert_string_equal(info->bootargs, "a b=c");
    assert_non_null(host_access(NX_STACK_TOP - NX_STACK_SIZE, NX_PROT_W));
    audit();
    test_end(c);
}

static void a_cell_without_a_limit_leaves_a_reserve(void **state)
{
    struct nx_manifest m = test_manifest("all");
    m.quota_pages = 0;
    struct cell *c = test_cell_new(&m);
    assert_true(c->quota->limit / PAGE + 200 < page_free_count());
    m.quota_pages = 1ul << 36;
    struct cell *d = test_cell_new(&m);
    assert_true(d->quota->limit / PAGE < page_free_count());
    test_end(c);
    test_end(d);
}

static void a_start_without_memory_can_be_repeated(void **state)
{
    struct nx_manifest m = test_manifest("poor");
    struct cell *c = test_cell_new(&m);
    long e = -NX_ENOMEM;
    unsigned tries = 0;
    for (; e != 0; tries++) {
        c->quota->limit = c->quota->used + tries * PAGE / 2;
        lock();
        e = cell_start(c, 0);
        unlock();
        assert_true(e == 0 || e == -NX_ENOMEM);
        audit_pages();
        assert_true(tries < 40);
    }
    assert_true(tries > 2);
    test_end(c);
}

static void making_one_fails_cleanly_at_every_allocation(void **state)
{
    struct nx_manifest m = test_manifest("poor");
    struct cell *c = NULL;
    m.window_gb = 4;
    for (m.quota_pages = 1; c == NULL; m.quota_pages++) {
        struct counts before = counts_now();
        int e = 0;
        lock();
        c = cell_make(&m, 1, &e);
        unlock();
        if (c == NULL) {
            assert_int_equal(e, -NX_ENOMEM);
            assert_counts(&before);
            audit();
        }
    }
    assert_int_equal(m.quota_pages, 6); /* root and four tables */
    test_end(c);
    /* The same with the nucleus' own memory: pools and handles. */
    uint64_t limit = nucleus_quota->limit;
    nucleus_quota->limit = nucleus_quota->used;
    struct cell *many[64];
    unsigned n = 0;
    int e = 0;
    m = test_manifest("many");
    m.quota_pages = 8;
    lock();
    while (n < 64 && (many[n] = cell_make(&m, 1, &e)) != NULL) {
        n++;
    }
    unlock();
    assert_true(n < 64);
    assert_int_equal(e, -NX_ENOMEM);
    nucleus_quota->limit = limit;
    while (n > 0) {
        test_end(many[--n]);
    }
}

static void the_last_fiber_ends_the_cell(void **state)
{
    struct cell *c = test_cell("c");
    const struct fiber *first = run(0);
    hart_count = 1;
    assert_true(nx_spawn_fiber(NX_IMAGE, 0, 0, NX_TIER_MATTER) > 0);
    hart_count = 4;
    assert_int_equal(nx_exit_fiber(1), HOST_SWITCHED);
    assert_int_equal(c->state, NX_CS_RUNNING);
    assert_true(harts[0].fiber != NULL && harts[0].fiber != first);
    assert_int_equal(nx_exit_fiber(2), HOST_SWITCHED);
    assert_int_equal(c->state, NX_CS_DEAD);
    assert_int_equal(c->end.why, NX_WHY_EXIT);
    assert_null(harts[0].fiber);
    test_end(c);
}

/* Fibers in every state there is, and everything a cell can hold. */
static struct cell *busy_cell(void)
{
    struct cell *c = test_cell("busy");
    assert_non_null(run(0));
    lock();
    assert_int_equal(cap_put(c, 1, &machine.obj, NX_R_ALL), 0);
    unlock();
    assert_int_equal(nx_make_mem(2, 3, 0), 0);
    assert_int_equal(nx_make_mem(3, 3, NX_MEM_CONTIG), 0);
    assert_int_equal(nx_make_ring(4, 16, 2), 0);
    assert_int_equal(nx_make_event(5), 0);
    assert_int_equal(nx_make_irq(6, 1, 9), 0);
    assert_int_equal(nx_make_devmem(7, 1, 0x10000000, 4 * PAGE), 0);
    assert_int_equal(nx_map_mem(0, HEAP, 3 * PAGE, 2 | RW << 8, 0), 0);
    assert_int_equal(nx_map_mem(0, HEAP + 3 * PAGE, 4 * PAGE, 7 | RW << 8, 0), 0);
    /* Asleep, in recv, in recv with a deadline, in foreign mode on hart 1, waiting in foreign mode. */
    for (unsigned i = 0; i < 6; i++) {
        assert_true(nx_spawn_fiber(NX_IMAGE, 0, i, i == 5 ? NX_TIER_VOID : NX_TIER_MATTER) > 0);
    }
    for (unsigned i = 1; i < 4; i++) {
        assert_non_null(run(i));
    }
    hart(1);
    long s = nx_make_space();
    assert_int_equal(nx_map_anon((uint64_t)s, LOW, 4 * MIB, RW), 0);
    assert_int_equal(nx_enter_bind((uint64_t)s, STATE), 0);
    assert_int_equal(nx_enter_run(), HOST_SWITCHED);
    assert_non_null(host_access(LOW + MIB, NX_PROT_W));
    hart(2);
    assert_int_equal(nx_tick_sleep(host.time + TIMEBASE), HOST_SWITCHED);
    assert_int_equal((run(2), nx_recv_wait(1 << 5, NX_NEVER)), HOST_SWITCHED);
    assert_int_equal((run(2), nx_recv_wait(1 << 4, host.time + MS)), HOST_SWITCHED);
    hart(3);
    long s2 = nx_make_space();
    assert_int_equal(nx_map_clone((uint64_t)s2, (uint64_t)s), 0);
    hart(0);
    assert_true(nx_make_space() > 0);
    audit();
    return c;
}

static void a_cell_is_ended_from_outside_in_any_state(void **state)
{
    for (unsigned round = 0; round < 3; round++) {
        uint64_t used = nucleus_quota->used;
        struct cell *c = busy_cell();
        lock();
        cell_end(c, NX_WHY_KILLED, 7, 0, 0);
        assert_int_equal(c->state, NX_CS_DYING); /* some of its fibers run */
        cell_end(c, NX_WHY_EXIT, 8, 0, 0);       /* the first reason stands */
        unlock();
        audit_sched();
        settle();
        for (unsigned i = 0; i < 4; i++) {
            if (harts[i].fiber != NULL) {
                hart(i);
                host_interrupt();
            }
        }
        assert_int_equal(c->state, NX_CS_DEAD);
        assert_int_equal(c->end.why, NX_WHY_KILLED);
        assert_int_equal(c->end.code, 7);
        assert_int_equal(c->quota->used, 0);
        assert_int_equal(c->quota->fibers, 0);
        assert_int_equal(c->quota->spaces, 0);
        audit();
        test_end(c);
        assert_true(round == 0 || nucleus_quota->used == used);
    }
}

static void a_cell_ends_itself(void **state)
{
    struct cell *c = busy_cell();
    assert_int_equal(nx_exit_cell(11), HOST_SWITCHED);
    settle();
    assert_int_equal(c->state, NX_CS_DEAD);
    assert_int_equal(c->end.code, 11);
    test_end(c);
}

static void a_cell_kills_itself_through_a_capability(void **state)
{
    struct cell *c = busy_cell();
    lock();
    assert_int_equal(cap_put(c, 20, &c->obj, NX_R_ALL), 0);
    unlock();
    assert_int_equal(nx_exit_kill(20, 5), HOST_SWITCHED);
    settle();
    assert_int_equal(c->state, NX_CS_DEAD);
    test_end(c);
}

static void the_last_capability_takes_a_running_cell_along(void **state)
{
    struct counts before = counts_now();
    struct cell *keeper = test_cell("keeper");
    assert_non_null(run(0));
    struct nx_manifest m = test_manifest("kept");
    struct cell *c = test_cell_with(&m);
    assert_ptr_equal(run(1)->cell, c);
    lock();
    assert_int_equal(cap_put(keeper, 5, &c->obj, NX_R_ALL), 0);
    object_unref(&c->obj);
    unlock();
    hart(0);
    assert_int_equal(nx_grant_drop(5), 0);
    settle();
    assert_null(harts[1].fiber);
    audit();
    test_end(keeper);
    assert_counts(&before);
}

static void what_others_use_outlives_its_cell(void **state)
{
    struct counts before = counts_now();
    struct cell *keeper = test_cell("keeper"), *c = test_cell("maker");
    run(0);
    assert_ptr_equal(run(1)->cell, c);
    assert_int_equal(nx_make_mem(5, 4, 0), 0);
    lock();
    assert_int_equal(cap_put(keeper, 5, c->caps[5].obj, NX_R_READ | NX_R_WRITE), 0);
    unlock();
    struct quota *q = c->quota;
    hart(0);
    assert_int_equal(nx_map_mem(0, HEAP, 4 * PAGE, 5 | RW << 8, 0), 0);
    *(uint64_t *)host_access(HEAP, NX_PROT_W) = 77;
    test_end(c);
    assert_true(q->taken); /* an orphan: its pages are still here */
    assert_true(q->orphan);
    hart(0);
    assert_int_equal(nx_grant_drop(5), 0); /* only the mapping is left */
    assert_int_equal(*(uint64_t *)host_access(HEAP, NX_PROT_R), 77);
    assert_true(q->taken);
    assert_int_equal(nx_map_unmap(0, HEAP, 4 * PAGE), 0);
    assert_false(q->taken);
    test_end(keeper);
    assert_counts(&before);
}

/* Each cell holds the only capability to the next: how deep is the stack when the first one ends? */
static uintptr_t chain(unsigned length)
{
    struct counts before = counts_now();
    struct cell *first = NULL, *last = NULL;
    struct nx_manifest m = test_manifest("link");
    m.quota_pages = 4;
    for (unsigned i = 0; i < length; i++) {
        struct cell *c = test_cell_new(&m);
        if (last != NULL) {
            lock();
            assert_int_equal(cap_put(last, 0, &c->obj, NX_R_ALL), 0);
            object_unref(&c->obj);
            unlock();
        } else {
            first = c;
        }
        last = c;
    }
    host.stack_low = 0;
    test_end(first);
    assert_counts(&before);
    return (uintptr_t)__builtin_frame_address(0) - host.stack_low;
}

static void a_chain_of_cells_falls_without_a_deep_stack(void **state)
{
    uintptr_t two = chain(2);
    assert_int_equal(chain(100), two);
}

static void cells_that_hold_each_other_still_end(void **state)
{
    struct counts before = counts_now();
    struct cell *a = test_cell("a"), *b = test_cell("b");
    lock();
    assert_int_equal(cap_put(a, 0, &b->obj, NX_R_ALL), 0);
    assert_int_equal(cap_put(b, 0, &a->obj, NX_R_ALL), 0);
    assert_int_equal(cap_put(a, 1, &a->obj, NX_R_ALL), 0);
    object_unref(&a->obj);
    object_unref(&b->obj);
    cell_end(a, NX_WHY_KILLED, 0, 0, 0);
    unlock();
    settle();
    for (unsigned i = 0; i < 4; i++) {
        if (harts[i].fiber != NULL) {
            hart(i);
            host_interrupt();
        }
    }
    assert_counts(&before);
}

static void grants_to_a_dead_cell_are_refused(void **state)
{
    struct cell *a = test_cell("a"), *b = test_cell("b");
    run(0);
    lock();
    assert_int_equal(cap_put(a, 1, &b->obj, NX_R_ALL), 0);
    unlock();
    hart(0);
    assert_int_equal(nx_make_event(5), 0);
    assert_int_equal(nx_grant_copy(1, 5, 5, NX_R_SEND), 0);
    assert_int_equal(nx_exit_kill(1, 0), 0);
    settle();
    assert_int_equal(nx_meta_cell(1, NX_CELL_STATE), NX_CS_DEAD);
    assert_int_equal(nx_grant_copy(1, 5, 6, NX_R_SEND), -NX_EPERM);
    assert_int_equal(nx_spawn_start(1, 0), -NX_EINVAL);
    assert_int_equal(nx_exit_kill(1, 0), 0);
    test_end(a);
    test_end(b);
}

static void quotas_bound_fibers_and_spaces(void **state)
{
    struct nx_manifest m = test_manifest("few");
    m.quota_fibers = 3;
    m.quota_spaces = 2;
    struct cell *c = test_cell_with(&m);
    run(0);
    assert_true(nx_spawn_fiber(NX_IMAGE, 0, 0, NX_TIER_MATTER) > 0);
    long f = nx_spawn_fiber(NX_IMAGE, 0, 0, NX_TIER_MATTER);
    assert_true(f > 0);
    assert_int_equal(nx_spawn_fiber(NX_IMAGE, 0, 0, NX_TIER_MATTER), -NX_ENOMEM);
    long s = nx_make_space();
    assert_true(s > 0);
    assert_true(nx_make_space() > 0);
    assert_int_equal(nx_make_space(), -NX_ENOMEM);
    assert_int_equal(nx_revoke_space((uint64_t)s), 0);
    assert_true(nx_make_space() > 0);
    test_end(c);
}

static void fibers_start_inside_the_window(void **state)
{
    static const uint64_t bad[] = {0, LOW, NX_WINDOW - 1, NX_WINDOW + GIB, ~0ul, 1ul << 63};
    struct cell *c = test_cell("c");
    run(0);
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(nx_spawn_fiber(bad[i], 0, 0, NX_TIER_MATTER), -NX_EINVAL);
    }
    assert_int_equal(nx_spawn_fiber(NX_IMAGE, 0, 0, NX_TIERS), -NX_EINVAL);
    long f = nx_spawn_fiber(NX_IMAGE + 4, 0x1000, 0x77, NX_TIER_VOID);
    assert_true(f > 0);
    const struct fiber *n = run(1);
    assert_int_equal(n->handle, f);
    assert_int_equal(n->reg[0], NX_IMAGE + 4);
    assert_int_equal(n->reg[2], 0x1000);
    assert_int_equal(n->reg[10], 0x77);
    test_end(c);
}

/* Make, use, end, again and again: nothing creeps up. */
static void a_thousand_lives(void **state)
{
    uint64_t used = 0;
    struct rng r = rng_seed(10);
    for (unsigned i = 0; i < 1000; i++) {
        host.current = 0;
        struct nx_manifest m = test_manifest("fly");
        m.tier = (uint32_t)rng_below(&r, NX_TIERS);
        m.window_gb = 1 + (uint32_t)rng_below(&r, 3);
        struct cell *c = test_cell_with(&m);
        const struct fiber *f = list_first(&c->fibers, struct fiber, cell_link);
        assert_non_null(f);
        unsigned h = f == NULL ? 0 : f->hart->index;
        assert_ptr_equal(run(h), f);
        hart(h);
        assert_int_equal(nx_make_mem(5, 1 + rng_below(&r, 20), rng_below(&r, 2)), 0);
        long s = nx_make_space();
        assert_int_equal(nx_enter_bind((uint64_t)s, STATE), 0);
        if (rng_below(&r, 2) == 0) {
            assert_int_equal(nx_exit_cell(i), HOST_SWITCHED);
        }
        test_end(c);
        settle();
        if (i == 20) {
            used = nucleus_quota->used;
        }
        assert_true(i <= 20 || nucleus_quota->used == used);
    }
}

int main(void)
{
    test_boot(4, 16 * MIB);
    for (unsigned i = 0; i < 4; i++) {
        (void)run(i);
    }
    hart(0);
    const struct CMUnitTest tests[] = {
        TEST(a_started_cell_finds_its_surroundings),
        TEST(a_cell_without_a_limit_leaves_a_reserve),
        TEST(a_start_without_memory_can_be_repeated),
        TEST(making_one_fails_cleanly_at_every_allocation),
        TEST(the_last_fiber_ends_the_cell),
        TEST(a_cell_is_ended_from_outside_in_any_state),
        TEST(a_cell_ends_itself),
        TEST(a_cell_kills_itself_through_a_capability),
        TEST(the_last_capability_takes_a_running_cell_along),
        TEST(what_others_use_outlives_its_cell),
        TEST(a_chain_of_cells_falls_without_a_deep_stack),
        TEST(cells_that_hold_each_other_still_end),
        TEST(grants_to_a_dead_cell_are_refused),
        TEST(quotas_bound_fibers_and_spaces),
        TEST(fibers_start_inside_the_window),
        TEST(a_thousand_lives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
