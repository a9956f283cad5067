/* Foreign mode and faults: who resolves what, who hears of what, where everybody goes on. */
// test-sources: nucleus/core/*.c nucleus/arch/host/*.c lib/*.c
#include "audit.h"

#include "trap.h"

#define STATE NX_FREE
#define HEAP (NX_FREE + 16 * PAGE)
#define LOW 0x40000000ul
#define NUCLEUS 0xffffffd000000000ul

static struct cell *cell;
static struct fiber *f;
static uint64_t space;

static int begin_at(void **state, enum nx_placement placement)
{
    (void)counts_before(state);
    struct nx_manifest m = test_manifest("p");
    m.quota_pages = 1024;
    m.placement = placement;
    host.current = 0;
    cell = test_cell_with(&m);
    f = run(0);
    assert_non_null(f);
    long s = nx_make_space();
    assert_true(s > 0);
    space = (uint64_t)s;
    assert_int_equal(nx_map_anon(space, LOW, 64 * PAGE, RW), 0);
    return 0;
}

static int begin(void **state)
{
    return begin_at(state, NX_PLACE_ISOLATED);
}

static int begin_fused(void **state)
{
    return begin_at(state, NX_PLACE_FUSED);
}

static int end(void **state)
{
    audit();
    test_end(cell);
    audit();
    return counts_after(state);
}

#define FUSED_TEST(name)                              \
    {                                                 \
        "fused: " #name, name, begin_fused, end, NULL \
    }
/* In both placements: what a trap means does not depend on it. */
#define TRAP_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end), FUSED_TEST(name)

static void enter(void)
{
    assert_int_equal(nx_enter_bind(space, STATE), 0);
    assert_int_equal(nx_enter_run(), HOST_SWITCHED);
    assert_ptr_equal(harts[0].fiber, f);
    assert_ptr_equal(harts[0].foreign, f->state);
}

/* The program left foreign mode for this reason. */
static void left(uint64_t why)
{
    assert_ptr_equal(harts[0].fiber, f);
    assert_null(harts[0].foreign);
    assert_int_equal(f->reg[10], why);
    assert_int_equal(host.hart[0].root, f->host_root);
}

/* ---- bind and enter ---- */
static void binding_wants_a_good_state_area(void **state)
{
    static const uint64_t bad[] = {STATE + 1,          STATE + 512, STATE + 1023,
                                   STATE + 0x7fffffff, 1,           ~0ul};
    assert_int_equal(nx_enter_run(), -NX_EINVAL);
    assert_int_equal(nx_enter_fpsave(), -NX_EINVAL);
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(nx_enter_bind(space, bad[i]), -NX_EINVAL);
    }
    assert_int_equal(nx_enter_bind(space, 0), -NX_EFAULT);
    assert_int_equal(nx_enter_bind(space, LOW), -NX_EFAULT); /* the program's, not the cell's */
    assert_int_equal(nx_enter_bind(space, NUCLEUS), -NX_EFAULT);
    assert_int_equal(nx_enter_bind(space, 1ul << 63), -NX_EFAULT);
    assert_int_equal(nx_enter_bind(space, NX_WINDOW + GIB), -NX_EFAULT);
    assert_int_equal(nx_enter_bind(space, NX_SYSTABLE), -NX_EFAULT); /* read-only */
    assert_int_equal(nx_enter_bind(space, NX_CELLINFO), -NX_EFAULT);
    assert_int_equal(nx_enter_bind(space + 1, STATE), -NX_EBADF);
    assert_int_equal(nx_enter_bind(~0ul, STATE), -NX_EBADF);
    assert_null(f->state);
    assert_int_equal(space_get(cell, space)->bound, 0);
    assert_int_equal(nx_enter_bind(space, STATE + NX_STATE_SIZE), 0);
    assert_int_equal(nx_enter_bind(space, STATE + 1), -NX_EINVAL); /* and stays bound */
    assert_non_null(f->state);
    assert_int_equal(nx_enter_bind(0, 12345), 0);
    assert_null(f->state);
    assert_int_equal(nx_enter_run(), -NX_EINVAL);
}

static void the_state_area_outlives_its_mapping(void **state)
{
    enter();
    host_foreign_call();
    uint64_t pa = f->state_page;
    assert_int_equal(nx_map_unmap(0, STATE, PAGE), 0);
    assert_int_equal(page_refs(pa), 1);
    assert_int_equal(nx_enter_run(), HOST_SWITCHED);
    host_exception(2, 5); /* written to the page, which nobody else has */
    assert_int_equal(f->state->cause, 2);
    left(NX_LEAVE_TRAP);
    assert_int_equal(nx_enter_bind(0, 0), 0);
    assert_int_equal(page_refs(pa), 0);
}

static void binding_again_changes_spaces(void **state)
{
    long other = nx_make_space();
    enter();
    host_foreign_call();
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(nx_enter_bind((uint64_t)other, STATE), 0);
        assert_int_equal(space_get(cell, space)->bound, 0);
        assert_int_equal(space_get(cell, (uint64_t)other)->bound, 1);
        assert_int_equal(nx_enter_bind(space, STATE), 0);
    }
    assert_int_equal(page_refs(f->state_page), 2);
    assert_int_equal(nx_revoke_space((uint64_t)other), 0);
}

static void foreign_mode_is_given_up_unbound(void **state)
{
    enter();
    host_foreign_call();
    assert_int_equal(nx_mask_pledge(NX_PLEDGE_ALL & ~NX_PLEDGE_FOREIGN), -NX_EBUSY);
    assert_int_equal(nx_enter_bind(0, 0), 0);
    assert_int_equal(nx_mask_pledge(NX_PLEDGE_ALL & ~NX_PLEDGE_FOREIGN), 0);
    assert_int_equal(nx_enter_bind(space, STATE), -NX_EPERM);
    assert_int_equal(nx_revoke_space(space), -NX_EPERM);
}

/* Binding elsewhere forgets live floating point registers: FPSAVE first. */
static void floating_point_is_saved_by_who_binds_elsewhere(void **state)
{
    uint64_t x = 5;
    enter();
    assert_true(host_fp(&x, true));
    host_foreign_call();
    struct nx_state *old = f->state;
    assert_int_equal(nx_enter_fpsave(), 0);
    assert_int_equal(nx_enter_bind(space, STATE + NX_STATE_SIZE), 0);
    assert_int_equal(old->fp[0], 5);
    assert_false(host.hart[0].fp_on);
    assert_int_equal(nx_enter_run(), HOST_SWITCHED);
    assert_true(host_fp(&x, false));
    assert_int_equal(x, 0);
    host_foreign_call();
    assert_int_equal(nx_enter_bind(space, STATE), 0);
    assert_int_equal(nx_enter_run(), HOST_SWITCHED);
    assert_true(host_fp(&x, false));
    assert_int_equal(x, 5);
}

/* ---- foreign mode ---- */
static void a_foreign_call_comes_back(void **state)
{
    enter();
    host_foreign_call();
    left(NX_LEAVE_SYSCALL);
    audit();
}

static void what_the_nucleus_resolves_is_not_seen(void **state)
{
    enter();
    for (unsigned i = 0; i < 64; i++) {
        assert_non_null(host_access(LOW + i * PAGE, i % 2 != 0 ? NX_PROT_W : NX_PROT_R));
        assert_ptr_equal(harts[0].foreign, f->state);
    }
}

static void what_it_cannot_is_told_with_cause_and_address(void **state)
{
    static const struct {
        uint64_t va;
        unsigned access, cause;
    } faults[] = {
        {LOW + 64 * PAGE, NX_PROT_R, 13},
        {LOW + 3, NX_PROT_X, 12},
        {0, NX_PROT_W, 15},
        {NX_LOWER_END, NX_PROT_R, 13},
        {1ul << 63, NX_PROT_R, 13},
        {NUCLEUS, NX_PROT_W, 15},
        {~0ul, NX_PROT_X, 12},
        {NX_SYSTABLE, NX_PROT_X, 12},
        {STATE, NX_PROT_W, 15},
    };
    enter();
    for (unsigned i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        assert_null(host_access(faults[i].va, faults[i].access));
        left(NX_LEAVE_FAULT);
        assert_int_equal(f->state->cause, faults[i].cause);
        assert_int_equal(f->state->addr, faults[i].va);
        assert_int_equal(nx_enter_run(), HOST_SWITCHED);
    }
    host_exception(3, 0x1234);
    left(NX_LEAVE_TRAP);
    assert_int_equal(f->state->cause, 3);
    assert_int_equal(f->state->addr, 0x1234);
}

static void programs_leave_the_cell_a_reserve(void **state)
{
    enter();
    struct quota *q = cell->quota;
    q->limit = q->used + (FOREIGN_RESERVE_PAGES + 2) * PAGE;
    assert_non_null(host_access(LOW, NX_PROT_W)); /* two tables and */
    q->limit = q->used + (FOREIGN_RESERVE_PAGES + 2) * PAGE;
    assert_non_null(host_access(LOW + PAGE, NX_PROT_W));
    assert_non_null(host_access(LOW + 2 * PAGE, NX_PROT_W));
    assert_null(host_access(LOW + 3 * PAGE, NX_PROT_W));
    left(NX_LEAVE_NOMEM);
    assert_int_equal(f->state->addr, LOW + 3 * PAGE);
    assert_non_null(host_access(HEAP, NX_PROT_W)); /* the cell itself goes on */
    assert_int_equal(nx_map_fault(space, LOW + 3 * PAGE, 1), 0);
    q->limit = 1024 * PAGE;
}

/* ---- the cell's own faults ---- */
static void a_fix_up_catches_one_fault(void **state)
{
    enter();
    host_foreign_call();
    f->reg[0] = 0x1111;
    f->state->fixup = 0x2222;
    assert_non_null(host_access(LOW, NX_PROT_W)); /* resolved: no fix-up needed */
    assert_int_equal(f->state->fixup, 0x2222);
    assert_null(host_access(LOW + 100 * PAGE + 5, NX_PROT_R));
    assert_ptr_equal(harts[0].fiber, f);
    assert_int_equal(f->reg[0], 0x2222);
    assert_int_equal(f->state->fixup, 0);
    assert_int_equal(f->state->fixaddr, LOW + 100 * PAGE + 5);
    assert_int_equal(cell->state, NX_CS_RUNNING);
}

static void without_one_the_cell_ends(void **state)
{
    enter();
    host_foreign_call();
    f->reg[0] = 0x1111;
    uint64_t before = beb_end();
    assert_null(host_access(LOW + 100 * PAGE, NX_PROT_R));
    assert_int_equal(cell->state, NX_CS_DEAD);
    assert_int_equal(cell->end.why, NX_WHY_FAULT);
    assert_int_equal(cell->end.code, 13);
    assert_int_equal(cell->end.pc, 0x1111);
    assert_int_equal(cell->end.addr, LOW + 100 * PAGE);
    assert_null(harts[0].fiber);
    struct nx_beb e;
    assert_true(beb_read(before, &e));
    assert_int_equal(e.kind, NX_BEB_FAULT);
    assert_int_equal(e.arg0, 0x1111);
    assert_int_equal(e.arg1, LOW + 100 * PAGE);
}

/* The fix-up is for the program's half only. */
static void a_fix_up_does_not_cover_the_window(void **state)
{
    enter();
    host_foreign_call();
    f->state->fixup = 0x2222;
    assert_null(host_access(NX_SYSTABLE, NX_PROT_W));
    assert_int_equal(cell->state, NX_CS_DEAD);
}

static void a_cell_may_not_touch_what_is_not_its_own(void **state)
{
    static const uint64_t bad[] = {0,
                                   LOW,
                                   NX_LOWER_END,
                                   1ul << 63,
                                   NX_WINDOW - 1,
                                   NX_WINDOW + 0x2000,
                                   NX_STACK_TOP - NX_STACK_SIZE - 1,
                                   NX_STACK_TOP,
                                   NX_WINDOW + GIB,
                                   NUCLEUS,
                                   ~0ul};
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct cell *c = test_cell("victim");
        assert_int_equal((host.current = 0, nx_tick_sleep(host.time + 1)), HOST_SWITCHED);
        assert_ptr_equal(harts[0].fiber->cell, c);
        assert_non_null(host_access(NX_STACK_TOP - 8, NX_PROT_W));
        assert_non_null(host_access(NX_SYSTABLE, NX_PROT_X));
        assert_non_null(host_access(NX_CELLINFO, NX_PROT_R));
        assert_null(host_access(bad[i], NX_PROT_R));
        assert_int_equal(c->state, NX_CS_DEAD);
        host.time++;
        assert_ptr_equal(run(0), f);
        test_end(c);
    }
}

static void any_other_exception_ends_the_cell(void **state)
{
    host_exception(2, 7);
    assert_int_equal(cell->state, NX_CS_DEAD);
    assert_int_equal(cell->end.code, 2);
    assert_int_equal(cell->end.addr, 7);
}

static void memory_that_is_used_up_ends_the_cell(void **state)
{
    cell->quota->limit = cell->quota->used;
    assert_null(host_access(HEAP, NX_PROT_W));
    assert_int_equal(cell->end.why, NX_WHY_FAULT);
}

/* ---- interrupts and kicks in foreign mode ---- */
static void an_interrupt_goes_unnoticed(void **state)
{
    enter();
    host.hart[0].ipi = true;
    host_interrupt();
    assert_ptr_equal(harts[0].foreign, f->state);
    assert_int_equal(host.hart[0].root, f->foreign_root);
}

static void a_kick_is_seen_at_the_next_trap(void **state)
{
    enter();
    f->kick = 1;                              /* by another hart, whose interrupt is on its way */
    assert_null(host_access(LOW, NX_PROT_W)); /* resolved, and then */
    left(NX_LEAVE_KICK);
    assert_int_equal(f->kick, 0);
    assert_int_equal(nx_enter_run(), HOST_SWITCHED);
    f->kick = 1;
    host_exception(2, 0); /* a reason of its own: the kick stays for later */
    left(NX_LEAVE_TRAP);
    assert_int_equal(nx_enter_run(), NX_LEAVE_KICK);
}

/* A cell that is ended while it runs leaves at the next trap, whatever that is. */
static void an_ended_cell_stops_at_the_next_trap(void **state)
{
    for (unsigned how = 0; how < 6; how++) {
        struct cell *c = test_cell("victim");
        assert_int_equal((host.current = 0, nx_tick_sleep(host.time + 1)), HOST_SWITCHED);
        assert_ptr_equal(harts[0].fiber->cell, c);
        long s = nx_make_space();
        assert_int_equal(nx_enter_bind((uint64_t)s, STATE), 0);
        if (how < 2) {
            assert_int_equal(nx_enter_run(), HOST_SWITCHED);
        }
        lock();
        cell_end(c, NX_WHY_KILLED, 9, 0, 0);
        unlock();
        assert_int_equal(c->state, NX_CS_DYING);
        host.time++;
        switch (how) {
        case 0:
            host_interrupt();
            break;
        case 1:
            assert_null(host_access(LOW, NX_PROT_R));
            break;
        case 2:
            assert_int_equal(nx_tick_sleep(NX_NEVER - 1), HOST_SWITCHED);
            break;
        case 3:
            assert_int_equal(nx_recv_wait(0, NX_NEVER), HOST_SWITCHED);
            break;
        case 4:
            assert_int_equal(nx_spawn_fiber(NX_IMAGE, 0, 0, 1), HOST_SWITCHED);
            break;
        default:
            assert_int_equal(nx_enter_run(), HOST_SWITCHED);
            break;
        }
        assert_int_equal(c->state, NX_CS_DEAD);
        assert_int_equal(c->end.code, 9);
        assert_ptr_equal(run(0), f);
        test_end(c);
    }
}

static void random_accesses_never_get_through(void **state)
{
    struct rng r = rng_seed(9);
    assert_int_equal(nx_map_protect(space, LOW + 8 * PAGE, 8 * PAGE, NX_PROT_R), 0);
    assert_int_equal(nx_map_unmap(space, LOW + 16 * PAGE, 8 * PAGE), 0);
    enter();
    for (unsigned n = 0; n < 20000; n++) {
        uint64_t va = rng_next(&r);
        switch (rng_below(&r, 4)) {
        case 0:
            va >>= rng_below(&r, 64);
            break;
        case 1:
            va = (uint64_t)((int64_t)va >> rng_below(&r, 64));
            break;
        default:
            va = LOW + va % (80 * PAGE);
            break;
        }
        unsigned access = 1u << rng_below(&r, 3);
        uint64_t page = (va - LOW) / PAGE;
        bool in = va >= LOW && page < 64 && (page < 16 || page >= 24);
        bool ok = in && access != NX_PROT_X && (access == NX_PROT_R || page < 8 || page >= 16);
        const void *p = host_access(va, access);
        assert_int_equal(p != NULL, ok);
        if (p == NULL) {
            left(NX_LEAVE_FAULT);
            assert_int_equal(nx_enter_run(), HOST_SWITCHED);
        }
    }
}

/* ---- fused ---- */
/* Host mode and the program have one address space; what the hart remembers of the window is not the
 * program's all the same. */
static void one_root_serves_both_modes(void **state)
{
    enter();
    host_foreign_call();
    assert_int_equal(f->foreign_root, f->host_root);
    uint64_t changes = host.root_changes;
    for (unsigned i = 0; i < 8; i++) {
        assert_non_null(host_access(HEAP + i * PAGE, NX_PROT_W));
        assert_non_null(host_access(LOW + i * PAGE, NX_PROT_W));
        assert_int_equal(nx_enter_run(), HOST_SWITCHED);
        assert_non_null(host_access(LOW + i * PAGE, NX_PROT_R));
        assert_null(host_access(HEAP + i * PAGE, NX_PROT_R));
        left(NX_LEAVE_FAULT);
        assert_int_equal(f->state->addr, HEAP + i * PAGE);
        assert_int_equal(nx_enter_run(), HOST_SWITCHED);
        host_foreign_call();
        left(NX_LEAVE_SYSCALL);
    }
    assert_int_equal(host.root_changes, changes);
}

/* A jump into the program must not fault for ever: its entry allows what the privilege does not. */
static void a_programs_code_is_not_executed(void **state)
{
    enter();
    assert_non_null(host_access(LOW, NX_PROT_W));
    host_foreign_call();
    assert_int_equal(nx_map_protect(space, LOW, PAGE, NX_PROT_R | NX_PROT_X), 0);
    assert_int_equal(nx_enter_run(), HOST_SWITCHED);
    assert_non_null(host_access(LOW, NX_PROT_X));
    host_foreign_call();
    f->reg[0] = LOW;
    assert_null(host_access(LOW, NX_PROT_X));
    assert_int_equal(cell->state, NX_CS_DEAD);
    assert_int_equal(cell->end.pc, LOW);
    assert_int_equal(cell->end.code, 12);
}

static void copies_of_the_window_are_the_programs(void **state)
{
    enter();
    host_foreign_call();
    *(uint64_t *)host_access(HEAP, NX_PROT_W) = 17;
    assert_int_equal(nx_map_share(space, LOW, PAGE, RW, HEAP), 1);
    assert_int_equal(nx_map_protect(0, HEAP, PAGE, NX_PROT_R), 0);
    assert_int_equal(nx_map_protect(0, HEAP, PAGE, 0), 0);
    assert_int_equal(nx_map_protect(0, HEAP, PAGE, RW), 0);
    assert_int_equal(*(uint64_t *)host_access(HEAP, NX_PROT_W), 17);
    assert_int_equal(nx_enter_run(), HOST_SWITCHED);
    assert_int_equal(*(uint64_t *)host_access(LOW, NX_PROT_W), 17);
    assert_null(host_access(HEAP, NX_PROT_W));
    left(NX_LEAVE_FAULT);
}

int main(void)
{
    test_boot(1, 8 * MIB);
    const struct CMUnitTest tests[] = {
        TRAP_TEST(binding_wants_a_good_state_area),
        TRAP_TEST(the_state_area_outlives_its_mapping),
        TRAP_TEST(binding_again_changes_spaces),
        TRAP_TEST(foreign_mode_is_given_up_unbound),
        TRAP_TEST(floating_point_is_saved_by_who_binds_elsewhere),
        TRAP_TEST(a_foreign_call_comes_back),
        TRAP_TEST(what_the_nucleus_resolves_is_not_seen),
        TRAP_TEST(what_it_cannot_is_told_with_cause_and_address),
        TRAP_TEST(programs_leave_the_cell_a_reserve),
        TRAP_TEST(a_fix_up_catches_one_fault),
        TRAP_TEST(without_one_the_cell_ends),
        TRAP_TEST(a_fix_up_does_not_cover_the_window),
        TRAP_TEST(a_cell_may_not_touch_what_is_not_its_own),
        TRAP_TEST(any_other_exception_ends_the_cell),
        TRAP_TEST(memory_that_is_used_up_ends_the_cell),
        TRAP_TEST(an_interrupt_goes_unnoticed),
        TRAP_TEST(a_kick_is_seen_at_the_next_trap),
        TRAP_TEST(an_ended_cell_stops_at_the_next_trap),
        TRAP_TEST(random_accesses_never_get_through),
        FUSED_TEST(one_root_serves_both_modes),
        FUSED_TEST(a_programs_code_is_not_executed),
        FUSED_TEST(copies_of_the_window_are_the_programs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
