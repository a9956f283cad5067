/* Kicks of fibers, and what a fiber keeps when it is switched out. */
// test-sources: nucleus/core/*.c nucleus/arch/host/*.c lib/*.c
#include "sched_rig.h"

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
        SCHED_TEST(a_kick_before_enter_is_seen_there),
        SCHED_TEST(a_kick_ends_foreign_mode_on_another_hart),
        SCHED_TEST(a_kick_ends_foreign_mode_of_one_that_waits_for_a_hart),
        SCHED_TEST(who_asks_hears_of_a_switch_in_foreign_mode),
        SCHED_TEST(who_asks_hears_of_another_hart),
        SCHED_TEST(a_kick_just_before_a_switch_is_not_left_behind),
        SCHED_TEST(a_kick_ends_a_wait),
        SCHED_TEST(a_kick_of_a_ready_or_running_native_fiber_is_kept),
        SCHED_TEST(only_fibers_of_the_cell_are_kicked),
        SCHED_TEST(each_programs_floating_point_is_its_own),
        SCHED_TEST(a_program_sees_only_its_own_time),
        SCHED_TEST(run_time_is_told_up_to_now),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
