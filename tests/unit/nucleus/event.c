/* Waiting and waking: events, rings' doorbells, interrupts, deaths of cells, deadlines. */
// test-sources: nucleus/core/*.c nucleus/arch/host/*.c lib/*.c
#include "audit.h"

#include <nx/ring.h>

#define HEAP (NX_FREE + 16 * PAGE)

/* Cell a runs on hart 0, b on hart 1; each one's first fiber. */
static struct cell *a, *b;
static struct fiber *fa, *fb;

static int begin(void **state)
{
    (void)counts_before(state);
    host.time = 1000;
    a = test_cell("a");
    fa = run(0);
    assert_non_null(fa);
    b = test_cell("b");
    fb = run(1);
    assert_ptr_equal(fb->cell, b);
    hart(0);
    return 0;
}

static int end(void **state)
{
    audit();
    test_end(a);
    test_end(b);
    audit();
    for (unsigned i = 1; i < HOST_IRQS; i++) {
        assert_int_equal(host.irq[i].enabled_on, 0);
        host.irq[i].pending = false;
    }
    return counts_after(state);
}

#define EVENT_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

static void give(struct cell *to, unsigned slot, struct object *o, uint32_t rights)
{
    lock();
    assert_int_equal(cap_put(to, slot, o, rights), 0);
    unlock();
}

/* ---- events ---- */
static void a_signal_waits_for_its_receiver(void **state)
{
    assert_int_equal(nx_make_event(5), 0);
    assert_int_equal(nx_recv_wait(1 << 5, 0), -NX_ETIME);
    assert_int_equal(nx_send_bell(5), 0);
    assert_int_equal(nx_send_bell(5), 0); /* coalesces */
    assert_int_equal(nx_recv_wait(1 << 6, 0), -NX_ETIME);
    assert_int_equal(nx_recv_wait(1 << 5, NX_NEVER), 5);
    assert_int_equal(nx_recv_wait(1 << 5, 0), -NX_ETIME);
}

static void the_lowest_slot_comes_first(void **state)
{
    assert_int_equal(nx_make_event(63), 0);
    assert_int_equal(nx_make_event(7), 0);
    assert_int_equal(nx_make_event(20), 0);
    assert_int_equal(nx_send_bell(63), 0);
    assert_int_equal(nx_send_bell(20), 0);
    assert_int_equal(nx_send_bell(7), 0);
    assert_int_equal(nx_recv_wait(~0ul, NX_NEVER), 7);
    assert_int_equal(nx_recv_wait(~0ul, NX_NEVER), 20);
    assert_int_equal(nx_recv_wait(~0ul, NX_NEVER), 63);
    assert_int_equal(nx_recv_wait(~0ul, 0), -NX_ETIME);
}

static void a_sleeper_is_woken(void **state)
{
    assert_int_equal(nx_make_event(5), 0);
    give(b, 9, a->caps[5].obj, NX_R_SEND);
    assert_int_equal(nx_recv_wait(1 << 5, NX_NEVER), HOST_SWITCHED);
    assert_null(harts[0].fiber);
    assert_int_equal(fa->status, FIBER_BLOCKED);
    hart(1);
    assert_int_equal(nx_send_bell(9), 0);
    assert_int_equal(fa->status, FIBER_READY);
    assert_true(host.hart[0].ipi); /* its hart is idle: it goes there */
    assert_ptr_equal(run(0), fa);
    assert_int_equal(fa->reg[10], 5);
    assert_int_equal(nx_recv_wait(1 << 5, 0), -NX_ETIME); /* nothing is left over */
}

/* Every slot can be watched, all of them at once too. */
static void each_slot_wakes_a_sleeper_that_watches_all(void **state)
{
    for (unsigned slot = 0; slot < NX_SLOTS; slot++) {
        assert_int_equal(nx_make_event(slot), 0);
        give(b, 9, a->caps[slot].obj, NX_R_SEND);
        assert_int_equal(nx_recv_wait(~0ul, NX_NEVER), HOST_SWITCHED);
        hart(1);
        assert_int_equal(nx_send_bell(9), 0);
        assert_int_equal(nx_grant_drop(9), 0);
        assert_ptr_equal(run(0), fa);
        assert_int_equal(fa->reg[10], slot);
        assert_int_equal(nx_grant_drop(slot), 0);
    }
}

static void a_kick_wakes_a_sleeper_that_watches_all(void **state)
{
    long f = nx_spawn_fiber(NX_IMAGE, 0, 0, NX_TIER_MATTER);
    assert_true(f > 0);
    interrupts(2);
    struct fiber *second = harts[2].fiber;
    assert_ptr_equal(second->cell, a);
    assert_int_equal(nx_recv_wait(~0ul, NX_NEVER), HOST_SWITCHED);
    hart(0);
    assert_int_equal(nx_send_kick((uint64_t)f), 0);
    assert_int_equal(second->status, FIBER_READY);
    assert_int_equal(second->reg[10], NX_KICKED);
}

static void one_signal_wakes_one_fiber(void **state)
{
    assert_int_equal(nx_make_event(5), 0);
    assert_int_equal(nx_make_event(6), 0);
    assert_true(nx_spawn_fiber(NX_IMAGE, 0, 0, NX_TIER_MATTER) > 0);
    assert_true(nx_spawn_fiber(NX_IMAGE, 0, 0, NX_TIER_MATTER) > 0);
    interrupts(2);
    interrupts(3);
    struct fiber *f2 = harts[2].fiber, *f3 = harts[3].fiber;
    hart(2);
    assert_int_equal(nx_recv_wait(1 << 5, NX_NEVER), HOST_SWITCHED);
    hart(3);
    assert_int_equal(nx_recv_wait(1 << 5 | 1 << 6, NX_NEVER), HOST_SWITCHED);
    hart(0);
    assert_int_equal(nx_send_bell(6), 0);
    assert_int_equal(f2->status, FIBER_BLOCKED);
    assert_ptr_equal(run(3), f3);
    assert_int_equal(f3->reg[10], 6);
    assert_int_equal(nx_recv_wait(1 << 5 | 1 << 6, NX_NEVER), HOST_SWITCHED);
    hart(0);
    assert_int_equal(nx_send_bell(5), 0);
    assert_int_equal((f2->status == FIBER_BLOCKED) + (f3->status == FIBER_BLOCKED), 1);
    assert_int_equal(nx_send_bell(5), 0);
    assert_int_equal((f2->status == FIBER_BLOCKED) + (f3->status == FIBER_BLOCKED), 0);
    assert_int_equal(nx_send_bell(5), 0); /* nobody waits any more: it is kept */
    assert_int_equal(nx_recv_wait(1 << 5, 0), 5);
}

static void a_new_capability_starts_without_old_signals(void **state)
{
    assert_int_equal(nx_make_event(5), 0);
    assert_int_equal(nx_send_bell(5), 0);
    assert_int_equal(nx_grant_drop(5), 0);
    assert_int_equal(nx_make_event(5), 0);
    assert_int_equal(nx_recv_wait(1 << 5, 0), -NX_ETIME);
}

static void a_listener_vanishes_with_its_cell(void **state)
{
    assert_int_equal(nx_make_event(5), 0);
    assert_int_equal(nx_grant_copy(NX_SELF, 5, 6, NX_R_SEND), 0);
    give(b, 9, a->caps[5].obj, NX_R_RECV); /* b listens now */
    hart(1);
    assert_int_equal(nx_recv_wait(1 << 9, NX_NEVER), HOST_SWITCHED);
    hart(0);
    assert_int_equal(nx_send_bell(6), 0);
    assert_int_equal(fb->reg[10], 9);
    lock();
    cell_end(b, NX_WHY_KILLED, 0, 0, 0);
    unlock();
    interrupts(1);
    hart(0);
    assert_null(((struct event *)a->caps[5].obj)->to.cell);
    assert_int_equal(nx_send_bell(6), 0); /* into the void */
    assert_int_equal(b->state, NX_CS_DEAD);
}

static void masked_slots_are_not_heard(void **state)
{
    assert_int_equal(nx_make_event(5), 0);
    assert_int_equal(nx_send_bell(5), 0);
    assert_int_equal(nx_mask_caps(~(1ul << 5)), 0);
    assert_int_equal(nx_recv_wait(1 << 5, 0), -NX_ETIME);
    assert_int_equal(nx_recv_wait(1 << 5, 2000), HOST_SWITCHED);
    assert_int_equal(fa->watch, 0);
}

/* ---- deadlines ---- */
static void a_deadline_ends_the_wait(void **state)
{
    assert_int_equal(nx_make_event(5), 0);
    assert_int_equal(nx_recv_wait(1 << 5, 1000), -NX_ETIME); /* now is too late */
    assert_int_equal(nx_recv_wait(1 << 5, 1001), HOST_SWITCHED);
    assert_int_equal(host.hart[0].deadline, 1001);
    assert_null(run(0));
    host.time = 1001;
    assert_ptr_equal(run(0), fa);
    assert_int_equal((long)fa->reg[10], -NX_ETIME);
    assert_null(a->sleeper);
    assert_null(timeq_first(&harts[0]));
}

static void a_signal_in_time_takes_the_deadline_away(void **state)
{
    assert_int_equal(nx_make_event(5), 0);
    give(b, 9, a->caps[5].obj, NX_R_SEND);
    assert_int_equal(nx_recv_wait(1 << 5, 5000), HOST_SWITCHED);
    hart(1);
    assert_int_equal(nx_send_bell(9), 0);
    assert_null(timeq_first(&harts[0]));
    assert_ptr_equal(run(0), fa);
    host.time = 5000; /* the timer may still fire, for nothing */
    interrupts(0);
    assert_ptr_equal(harts[0].fiber, fa);
    assert_int_equal(fa->reg[10], 5);
}

static void sleep_is_not_disturbed(void **state)
{
    assert_int_equal(nx_make_event(5), 0);
    give(b, 9, a->caps[5].obj, NX_R_SEND);
    assert_int_equal(nx_tick_sleep(1000), 0);
    assert_int_equal(nx_tick_sleep(0), 0);
    assert_int_equal(nx_tick_sleep(3000), HOST_SWITCHED);
    hart(1);
    assert_int_equal(nx_send_bell(9), 0);
    assert_int_equal(fa->status, FIBER_BLOCKED);
    lock();
    fiber_kick(fa);
    unlock();
    assert_int_equal(fa->status, FIBER_BLOCKED);
    host.time = 2999;
    assert_null(run(0));
    host.time = 3000;
    assert_ptr_equal(run(0), fa);
    assert_int_equal(fa->reg[10], 0);
    assert_int_equal(nx_recv_wait(1 << 5, NX_NEVER), NX_KICKED); /* both were kept */
    assert_int_equal(nx_recv_wait(1 << 5, NX_NEVER), 5);
}

static void sleepers_wake_in_order_and_the_timer_follows(void **state)
{
    static const uint64_t when[] = {9000, 3000, 6000, 3000, 7000};
    struct fiber *f[5];
    assert_int_equal(nx_recv_wait(0, NX_NEVER), HOST_SWITCHED); /* hart 0 is free */
    hart(1);
    for (unsigned i = 0; i < 5; i++) {
        assert_true(nx_spawn_fiber(NX_IMAGE, 0, i, NX_TIER_MATTER) > 0);
        f[i] = run(0);
        assert_int_equal(f[i]->reg[10], i);
        assert_int_equal(nx_tick_sleep(when[i]), HOST_SWITCHED);
        hart(1);
    }
    assert_int_equal(host.hart[0].deadline, 3000);
    host.time = 3000;
    assert_non_null(run(0)); /* both of them; the other one waits or was taken by an idle hart */
    assert_int_equal(f[1]->status != FIBER_BLOCKED && f[3]->status != FIBER_BLOCKED, 1);
    assert_int_equal(timeq_first(&harts[0])->deadline, 6000);
    assert_true(host.hart[0].deadline <= 6000);
    assert_int_equal(f[2]->status, FIBER_BLOCKED);
    host.time = 100000;
    interrupts(0);
    for (unsigned i = 0; i < 5; i++) {
        assert_int_not_equal(f[i]->status, FIBER_BLOCKED);
    }
    assert_null(timeq_first(&harts[0]));
}

/* ---- rings ---- */
static const struct nx_ring_const *constants(const struct cell *c, unsigned slot)
{
    const struct ring *r = (const struct ring *)c->caps[slot].obj;
    return &((const struct nx_ring_region *)arch_phys(mem_page(r->mem, 0)))->constant;
}

static void a_ring_comes_formatted(void **state)
{
    for (uint64_t slots = 2; slots <= 256; slots *= 2) {
        assert_int_equal(nx_make_ring(5, slots, 3), 0);
        const struct nx_ring_const *k = constants(a, 5);
        assert_int_equal(k->magic, NX_RING_MAGIC);
        assert_int_equal(k->version, NX_RING_VERSION);
        assert_int_equal(k->slots, slots);
        assert_int_equal(k->buf_size, 3 * PAGE);
        assert_int_equal(nx_meta_size(5), k->buf_off + k->buf_size);
        assert_true(k->buf_off >= NX_RING_SLOTS_OFF + slots * 64);
        /* The library accepts it. */
        long size = nx_meta_size(5);
        lock();
        assert_int_equal(space_unmap(&a->window, HEAP, 16 * PAGE), 0);
        unlock();
        assert_int_equal(nx_map_mem(0, HEAP, (uint64_t)size, 5 | RW << 8, 0), 0);
        assert_int_equal(nx_grant_drop(5), 0);
        assert_int_equal(nx_map_unmap(0, HEAP, (uint64_t)size), 0);
    }
    static const uint64_t bad[] = {0, 1, 3, 5, 100, 257, 512, 1ul << 32, ~0ul};
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(nx_make_ring(5, bad[i], 0), -NX_EINVAL);
    }
    assert_int_equal(nx_make_ring(5, 2, 1025), -NX_EINVAL);
    assert_int_equal(nx_make_ring(5, 2, ~0ul), -NX_EINVAL);
}

/* A ring from a (producer, slot 6) to b (consumer, slot 9); its maker keeps slot 5 without a side. */
static void connect(void)
{
    hart(0);
    assert_int_equal(nx_make_ring(5, 8, 0), 0);
    give(a, 6, a->caps[5].obj, NX_R_READ | NX_R_WRITE | NX_R_SEND);
    give(b, 9, a->caps[5].obj, NX_R_READ | NX_R_WRITE | NX_R_RECV);
}

static void the_bell_reaches_the_other_side(void **state)
{
    connect();
    assert_int_equal(nx_send_bell(6), 0);
    assert_int_equal(nx_recv_wait(1 << 6 | 1 << 5, 0), -NX_ETIME); /* not its own */
    hart(1);
    assert_int_equal(nx_recv_wait(1 << 9, NX_NEVER), 9);
    assert_int_equal(nx_send_bell(9), 0);
    assert_int_equal(nx_recv_wait(1 << 9, 0), -NX_ETIME);
    hart(0);
    assert_int_equal(nx_recv_wait(1 << 6, NX_NEVER), 6);
}

static void the_consumer_gets_the_hart(void **state)
{
    connect();
    /* b waits, and last ran on hart 0. */
    assert_int_equal(nx_tick_sleep(2000), HOST_SWITCHED);
    hart(1);
    assert_int_equal(nx_recv_wait(1 << 9, NX_NEVER), HOST_SWITCHED);
    host.time = 2000;
    assert_ptr_equal(run(0), fa);
    fb->hart = &harts[0];
    uint64_t switches = harts[0].switches;
    assert_int_equal(nx_send_bell(6), HOST_SWITCHED);
    assert_ptr_equal(harts[0].fiber, fb);
    assert_int_equal(fb->reg[10], 9);
    assert_ptr_equal(harts[0].lender, fa);
    assert_int_equal(fa->status, FIBER_READY);
    assert_int_equal(nx_recv_wait(1 << 9, NX_NEVER), HOST_SWITCHED); /* and gives it back */
    assert_ptr_equal(harts[0].fiber, fa);
    assert_int_equal(fa->reg[10], 0);
    assert_int_equal(harts[0].switches, switches + 2);
}

static void a_dead_side_is_another_generation(void **state)
{
    connect();
    uint32_t before[2] = {constants(a, 5)->generation[0], constants(a, 5)->generation[1]};
    lock();
    cell_end(b, NX_WHY_KILLED, 0, 0, 0);
    unlock();
    interrupts(1);
    hart(0);
    assert_int_equal(constants(a, 5)->generation[NX_RING_CONSUMER], before[1] + 1);
    assert_int_equal(constants(a, 5)->generation[NX_RING_PRODUCER], before[0]);
    assert_int_equal(nx_recv_wait(1 << 6, 0), 6); /* the producer hears of it */
    assert_int_equal(nx_send_bell(6), 0);
    /* A successor takes the side over. */
    struct cell *c = test_cell("b");
    give(c, 9, a->caps[5].obj, NX_R_READ | NX_R_WRITE | NX_R_RECV);
    assert_int_equal(nx_send_bell(6), 0);
    assert_int_equal(c->pending, 1 << 9);
    test_end(c);
    assert_int_equal(constants(a, 5)->generation[NX_RING_CONSUMER], before[1] + 2);
}

static void a_moved_side_is_the_same_life(void **state)
{
    connect();
    uint32_t before = constants(a, 5)->generation[NX_RING_PRODUCER];
    assert_int_equal(nx_grant_move(NX_SELF, 6, 7, NX_R_READ | NX_R_WRITE | NX_R_SEND), 0);
    assert_int_equal(constants(a, 5)->generation[NX_RING_PRODUCER], before);
    hart(1);
    assert_int_equal(nx_send_bell(9), 0);
    hart(0);
    assert_int_equal(nx_recv_wait(~0ul, 0), 7);
}

static void a_revoked_ring_rings_no_more(void **state)
{
    connect();
    assert_int_equal(nx_revoke_object(5), 0);
    assert_int_equal(nx_send_bell(6), -NX_EBADF);
    hart(1);
    assert_int_equal(nx_send_bell(9), -NX_EBADF);
}

/* ---- interrupts ---- */
static void give_machine(void)
{
    give(a, 2, &machine.obj, NX_R_ALL);
    hart(0);
}

static void an_interrupt_comes_once_until_acknowledged(void **state)
{
    give_machine();
    assert_int_equal(nx_make_irq(5, 2, 10), 0);
    host_irq_raise(10);
    assert_false(host_interrupt_pending(0)); /* masked at first */
    assert_int_equal(nx_mask_ack(5), 0);
    assert_true(host_interrupt_pending(0));
    interrupts(0);
    assert_int_equal(nx_recv_wait(1 << 5, 0), 5);
    host_irq_raise(10);
    assert_false(host_interrupt_pending(0)); /* in service */
    assert_int_equal(nx_recv_wait(1 << 5, NX_NEVER), HOST_SWITCHED);
    assert_null(run(0));
    lock();
    fiber_kick(fa);
    unlock();
    assert_ptr_equal(run(0), fa);
    assert_int_equal(nx_mask_ack(5), 0);
    interrupts(0);
    assert_int_equal(nx_recv_wait(1 << 5, 0), 5);
    assert_int_equal(nx_mask_irqoff(5), 0);
    host_irq_raise(10);
    assert_false(host_interrupt_pending(0));
}

static void an_interrupt_wakes_its_driver(void **state)
{
    give_machine();
    assert_int_equal(nx_make_irq(5, 2, 10), 0);
    assert_int_equal(nx_mask_ack(5), 0);
    assert_int_equal(nx_recv_wait(1 << 5, NX_NEVER), HOST_SWITCHED);
    assert_null(run(0));
    host_irq_raise(10);
    assert_ptr_equal(run(0), fa); /* from idle */
    assert_int_equal(fa->reg[10], 5);
}

static void an_interrupt_has_one_owner(void **state)
{
    int e = 0;
    give_machine();
    assert_int_equal(nx_make_irq(5, 2, 10), 0);
    assert_int_equal(nx_make_irq(6, 2, 10), -NX_EBUSY);
    assert_int_equal(nx_make_irq(6, 2, 0), -NX_EINVAL);
    assert_int_equal(nx_make_irq(6, 2, HOST_IRQS), -NX_EINVAL);
    assert_int_equal(nx_make_irq(6, 2, ~0ul), -NX_EINVAL);
    assert_int_equal(nx_make_irq(6, 2, (1ul << 32) + 10), -NX_EINVAL);
    assert_int_equal(nx_make_irq(64, 2, 11), -NX_EBADF);
    assert_int_equal(nx_make_irq(6, 2, 11), 0); /* the failure before kept nothing */
    assert_int_equal(nx_mask_ack(5), 0);
    assert_int_equal(nx_grant_drop(5), 0);
    assert_int_equal(host.irq[10].enabled_on, 0);
    assert_int_equal(nx_make_irq(5, 2, 10), 0);
    assert_null(event_make_irq(a->quota, 10, &e));
    assert_int_equal(e, -NX_EBUSY);
    assert_int_equal(nx_mask_rights(2, NX_R_READ), 0);
    assert_int_equal(nx_make_irq(7, 2, 12), -NX_EPERM);
}

static void an_interrupt_without_owner_is_masked(void **state)
{
    arch_irq_enable(20, 0);
    host_irq_raise(20);
    interrupts(0);
    assert_int_equal(host.irq[20].enabled_on, 0);
    assert_int_equal(host.irq[20].claimed_by, 0);
}

static void a_driver_that_dies_leaves_its_line_masked(void **state)
{
    give(b, 2, &machine.obj, NX_R_ALL);
    hart(1);
    assert_int_equal(nx_make_irq(5, 2, 10), 0);
    assert_int_equal(nx_mask_ack(5), 0);
    host_irq_raise(10);
    interrupts(1);
    lock();
    cell_end(b, NX_WHY_KILLED, 0, 0, 0);
    unlock();
    interrupts(1);
    assert_int_equal(host.irq[10].enabled_on, 0);
    assert_int_equal(host.irq[10].claimed_by, 0);
    give_machine();
    assert_int_equal(nx_make_irq(5, 2, 10), 0);
}

static void device_windows_are_no_memory(void **state)
{
    static const uint64_t bad[][2] = {
        {HOST_MEMORY_BASE, PAGE},
        {HOST_MEMORY_BASE - PAGE, 2 * PAGE},
        {HOST_MEMORY_BASE + 4 * MIB, PAGE},
        {0xc000000, PAGE}, /* the interrupt controller */
        {0xc000000 - PAGE, 2 * PAGE},
        {0xc5ff000, PAGE},
        {0, GIB * 4},
        {0x10000000, 0},
        {0x10000000, 100},
        {0x10000001, PAGE},
        {~0ul - PAGE + 1, PAGE},
        {1ul << 38, PAGE},
        {0x10000000, ~0ul - PAGE + 1},
    };
    give_machine();
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(nx_make_devmem(5, 2, bad[i][0], bad[i][1]), -NX_EINVAL);
    }
    assert_int_equal(nx_make_devmem(5, 2, 0x10000000, 2 * PAGE), 0);
    assert_int_equal(nx_map_mem(0, HEAP, 2 * PAGE, 5 | RW << 8, 0), 0);
    assert_int_equal(nx_map_mem(0, HEAP, 2 * PAGE, 5 | NX_PROT_X << 8, 0), -NX_EPERM);
    assert_int_equal(nx_meta_phys(5, 0), -NX_EBADF);
    /* Registers are no page of the cell's: nobody copies them, shares them or binds to them. */
    assert_int_equal(nx_map_share(0, HEAP + 4 * PAGE, PAGE, RW, HEAP), 0);
    assert_int_equal(nx_meta_log(HEAP, 8, NX_LOG_INFO), -NX_EFAULT);
    long s = nx_make_space();
    assert_int_equal(nx_enter_bind((uint64_t)s, HEAP), -NX_EFAULT);
    assert_int_equal(nx_map_unmap(0, HEAP, 2 * PAGE), 0);
}

/* ---- deaths ---- */
static void the_maker_hears_of_a_death(void **state)
{
    give(a, 5, &b->obj, NX_R_ALL);
    hart(0);
    assert_int_equal(nx_meta_cell(5, NX_CELL_STATE), NX_CS_RUNNING);
    assert_int_equal(nx_recv_wait(1 << 5, NX_NEVER), HOST_SWITCHED);
    hart(1);
    assert_int_equal(nx_exit_cell(42), HOST_SWITCHED);
    assert_ptr_equal(harts[1].fiber, fa); /* this hart has nothing else to do */
    assert_int_equal(fa->reg[10], 5);
    assert_int_equal(nx_meta_cell(5, NX_CELL_STATE), NX_CS_DEAD);
    assert_int_equal(nx_meta_cell(5, NX_CELL_EXIT_WHY), NX_WHY_EXIT);
    assert_int_equal(nx_meta_cell(5, NX_CELL_EXIT_CODE), 42);
    assert_int_equal(nx_meta_cell(5, NX_CELL_FIBERS), 0);
    assert_int_equal(nx_meta_cell(5, NX_CELL_PAGES), 0);
    assert_int_equal(nx_meta_cell(5, NX_CELL_VALUES), -NX_EINVAL);
    struct nx_beb e;
    assert_true(beb_read(beb_end() - 1, &e));
    assert_int_equal(e.kind, NX_BEB_CELL_DEAD);
    assert_string_equal(e.cell, "b");
}

int main(void)
{
    test_boot(4, 8 * MIB);
    const struct CMUnitTest tests[] = {
        EVENT_TEST(a_signal_waits_for_its_receiver),
        EVENT_TEST(the_lowest_slot_comes_first),
        EVENT_TEST(a_sleeper_is_woken),
        EVENT_TEST(each_slot_wakes_a_sleeper_that_watches_all),
        EVENT_TEST(a_kick_wakes_a_sleeper_that_watches_all),
        EVENT_TEST(one_signal_wakes_one_fiber),
        EVENT_TEST(a_new_capability_starts_without_old_signals),
        EVENT_TEST(a_listener_vanishes_with_its_cell),
        EVENT_TEST(masked_slots_are_not_heard),
        EVENT_TEST(a_deadline_ends_the_wait),
        EVENT_TEST(a_signal_in_time_takes_the_deadline_away),
        EVENT_TEST(sleep_is_not_disturbed),
        EVENT_TEST(sleepers_wake_in_order_and_the_timer_follows),
        EVENT_TEST(a_ring_comes_formatted),
        EVENT_TEST(the_bell_reaches_the_other_side),
        EVENT_TEST(the_consumer_gets_the_hart),
        EVENT_TEST(a_dead_side_is_another_generation),
        EVENT_TEST(a_moved_side_is_the_same_life),
        EVENT_TEST(a_revoked_ring_rings_no_more),
        EVENT_TEST(an_interrupt_comes_once_until_acknowledged),
        EVENT_TEST(an_interrupt_wakes_its_driver),
        EVENT_TEST(an_interrupt_has_one_owner),
        EVENT_TEST(an_interrupt_without_owner_is_masked),
        EVENT_TEST(a_driver_that_dies_leaves_its_line_masked),
        EVENT_TEST(device_windows_are_no_memory),
        EVENT_TEST(the_maker_hears_of_a_death),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
