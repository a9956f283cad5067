/* Address spaces by example: marks, faults, access, clones, moves, sharing, fences.  space_random.c
 * compares thousands of random operations with a model.
 */
// test-sources: nucleus/core/*.c nucleus/arch/host/*.c lib/*.c
#include "audit.h"

#define STATE NX_FREE              /* window page with the state area */
#define HEAP (NX_FREE + 16 * PAGE) /* window pages of the test's own */
#define LOW 0x40000000ul           /* in the lower half; begins a GiB */

static struct cell *cell;
static uint64_t space;

/* A cell whose fiber runs on hart 0, in host mode, bound to an empty foreign space. */
static int begin_at(void **state, enum nx_placement placement)
{
    (void)counts_before(state);
    host.fences = (struct host_fences){0};
    struct nx_manifest m = test_manifest("p");
    m.placement = placement;
    cell = test_cell_with(&m);
    assert_non_null(run(0));
    long s = nx_make_space();
    assert_true(s > 0);
    space = (uint64_t)s;
    assert_int_equal(nx_enter_bind(space, STATE), 0);
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
#define SPACE_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end), FUSED_TEST(name)

static unsigned roots(void)
{
    return cell->fused ? 1 : 2;
}

static void poke(uint64_t va, uint64_t value)
{
    uint64_t *p = host_access(va, NX_PROT_W);
    assert_non_null(p);
    *p = value;
}

static uint64_t peek(uint64_t va)
{
    const uint64_t *p = host_access(va, NX_PROT_R);
    assert_non_null(p);
    return *p;
}

/* Would the foreign program be refused?  Its fiber is in host mode again afterwards. */
static bool refused(uint64_t va, unsigned access)
{
    assert_int_equal(nx_enter_run(), HOST_SWITCHED);
    const struct fiber *f = harts[0].fiber;
    bool no = host_access(va, access) == NULL;
    if (no) {
        assert_ptr_equal(harts[0].fiber, f);
        assert_null(harts[0].foreign);
        assert_int_equal(f->reg[10], NX_LEAVE_FAULT);
        assert_int_equal(f->state->addr, va);
    } else {
        host_foreign_call();
    }
    return no;
}

static void demand_zero_costs_nothing_until_touched(void **state)
{
    uint64_t free = page_free_count();
    assert_int_equal(nx_map_anon(space, LOW, 2 * GIB, RW), 0);
    assert_int_equal(page_free_count(), free); /* marks in the root */
    assert_int_equal(nx_meta_space(space, NX_SPACE_RESIDENT), 0);
    assert_int_equal(peek(LOW + GIB + 5 * PAGE), 0);
    assert_int_equal(page_free_count(), free - 3); /* two tables, a page */
    assert_int_equal(nx_meta_space(space, NX_SPACE_RESIDENT), 1);
    poke(LOW + GIB + 6 * PAGE, 7);
    assert_int_equal(page_free_count(), free - 4);
    assert_int_equal(peek(LOW + GIB + 6 * PAGE), 7);
    assert_int_equal(nx_map_unmap(space, LOW, 2 * GIB), 0);
    assert_int_equal(page_free_count(), free);
    assert_int_equal(nx_meta_space(space, NX_SPACE_RESIDENT), 0);
    assert_true(refused(LOW + GIB + 6 * PAGE, NX_PROT_R));
}

static void a_hole_in_a_mark_leaves_the_rest(void **state)
{
    assert_int_equal(nx_map_anon(space, LOW, GIB, RW), 0);
    assert_int_equal(nx_map_unmap(space, LOW + 3 * MIB, PAGE), 0);
    assert_true(refused(LOW + 3 * MIB, NX_PROT_R));
    assert_false(refused(LOW + 3 * MIB - PAGE, NX_PROT_W));
    assert_false(refused(LOW + 3 * MIB + PAGE, NX_PROT_W));
    assert_false(refused(LOW, NX_PROT_W));
    assert_false(refused(LOW + GIB - PAGE, NX_PROT_W));
    assert_true(refused(LOW + GIB, NX_PROT_R));
    assert_true(refused(LOW - PAGE, NX_PROT_R));
}

static void the_window_is_not_the_programs(void **state)
{
    assert_true(refused(NX_SYSTABLE, NX_PROT_R));
    assert_true(refused(STATE, NX_PROT_W));
    assert_true(refused(0xffffffd000000000ul, NX_PROT_R)); /* the nucleus */
    assert_true(refused(0xffffffff80000000ul, NX_PROT_X));
    assert_true(refused(0x4000000000ul, NX_PROT_R)); /* between the halves */
    assert_true(refused(0x8000000000000000ul, NX_PROT_R));
    assert_true(refused(0, NX_PROT_R));
}

static void access_is_what_was_asked_for(void **state)
{
    for (unsigned prot = 0; prot < 8; prot++) {
        unsigned is = prot | ((prot & NX_PROT_W) != 0 ? NX_PROT_R : 0);
        assert_int_equal(nx_map_anon(space, LOW, PAGE, prot), 0);
        for (unsigned access = 1; access < 8; access *= 2) {
            assert_int_equal(refused(LOW, access), (is & access) == 0);
        }
        /* The same on a page that is there. */
        assert_int_equal(nx_map_anon(space, LOW, PAGE, RW), 0);
        poke(LOW, 99);
        assert_int_equal(nx_map_protect(space, LOW, PAGE, prot), 0);
        for (unsigned access = 1; access < 8; access *= 2) {
            assert_int_equal(refused(LOW, access), (is & access) == 0);
        }
    }
}

static void no_access_keeps_the_page(void **state)
{
    assert_int_equal(nx_map_anon(space, LOW, 2 * PAGE, RW), 0);
    poke(LOW, 1234);
    assert_int_equal(nx_map_protect(space, LOW, 2 * PAGE, 0), 0);
    assert_true(refused(LOW, NX_PROT_R));
    assert_true(refused(LOW + PAGE, NX_PROT_R));
    assert_int_equal(nx_meta_space(space, NX_SPACE_RESIDENT), 1);
    assert_int_equal(nx_map_protect(space, LOW, 2 * PAGE, RW), 0);
    assert_int_equal(peek(LOW), 1234);
    assert_int_equal(peek(LOW + PAGE), 0);
    poke(LOW, 5);
    assert_int_equal(peek(LOW), 5);
}

static void protect_leaves_holes_and_splits_marks(void **state)
{
    assert_int_equal(nx_map_anon(space, LOW, 8 * MIB, NX_PROT_R), 0);
    assert_int_equal(nx_map_unmap(space, LOW + 4 * MIB, 2 * MIB), 0);
    assert_int_equal(nx_map_protect(space, LOW + MIB, 6 * MIB, RW), 0);
    assert_true(refused(LOW + MIB - PAGE, NX_PROT_W));
    assert_false(refused(LOW + MIB - PAGE, NX_PROT_R));
    assert_false(refused(LOW + MIB, NX_PROT_W));
    assert_false(refused(LOW + 4 * MIB - PAGE, NX_PROT_W));
    assert_true(refused(LOW + 4 * MIB, NX_PROT_R));
    assert_true(refused(LOW + 6 * MIB - PAGE, NX_PROT_R));
    assert_false(refused(LOW + 6 * MIB, NX_PROT_W));
    assert_true(refused(LOW + 7 * MIB, NX_PROT_W));
    assert_false(refused(LOW + 7 * MIB, NX_PROT_R));
}

static void both_roots_see_every_change(void **state)
{
    /* Tables come and go at the top level: the host root and the foreign root must agree. */
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(nx_map_anon(space, LOW + i * GIB, GIB, RW), 0);
        poke(LOW + i * GIB, i + 1); /* host mode */
        assert_int_equal(nx_enter_run(), HOST_SWITCHED);
        assert_int_equal(peek(LOW + i * GIB), i + 1); /* foreign mode */
        poke(LOW + i * GIB + PAGE, i + 10);
        host_foreign_call();
        assert_int_equal(peek(LOW + i * GIB + PAGE), i + 10);
    }
    assert_int_equal(nx_map_unmap(space, LOW, 4 * GIB), 0);
    assert_true(refused(LOW + PAGE, NX_PROT_R));
}

/* ---- clones ---- */
static void a_clone_is_a_copy_made_late(void **state)
{
    assert_int_equal(nx_map_anon(space, LOW, 16 * PAGE, RW), 0);
    for (unsigned i = 0; i < 8; i++) {
        poke(LOW + i * PAGE, 100 + i);
    }
    uint64_t free = page_free_count();
    long child = nx_make_space();
    assert_true(child > 0);
    assert_int_equal(nx_map_clone((uint64_t)child, space), 0);
    free += 2 - roots();
    assert_int_equal(page_free_count(), free - 4); /* one root or two, two tables */
    assert_int_equal(nx_meta_space((uint64_t)child, NX_SPACE_RESIDENT), 8);
    poke(LOW, 200);
    assert_int_equal(page_free_count(), free - 5);
    assert_int_equal(nx_enter_bind((uint64_t)child, STATE), 0);
    assert_int_equal(peek(LOW), 100);
    poke(LOW + PAGE, 300);
    assert_int_equal(page_free_count(), free - 6);
    poke(LOW, 301); /* the last user: no copy */
    assert_int_equal(page_free_count(), free - 6);
    assert_int_equal(nx_enter_bind(space, STATE), 0);
    assert_int_equal(peek(LOW), 200);
    assert_int_equal(peek(LOW + PAGE), 101);
    assert_int_equal(nx_revoke_space((uint64_t)child), 0);
    free -= 2 - roots();
    assert_int_equal(page_free_count(), free - 1 + 1); /* its copy and tables are gone */
    poke(LOW + 2 * PAGE, 1);
    assert_int_equal(page_free_count(), free);
}

static void a_clone_wants_an_empty_space(void **state)
{
    long child = nx_make_space();
    assert_int_equal(nx_enter_bind((uint64_t)child, STATE), 0);
    assert_int_equal(nx_map_anon((uint64_t)child, LOW, PAGE, RW), 0);
    poke(LOW, 1);
    assert_int_equal(nx_map_clone((uint64_t)child, space), -NX_EINVAL);
    assert_int_equal(nx_map_clone(space, space), -NX_EINVAL);
    assert_int_equal(nx_map_clone(0, space), -NX_EBADF);
    assert_int_equal(nx_map_clone(space, 0), -NX_EBADF);
    assert_int_equal(nx_map_clone(space, 77), -NX_EBADF);
}

/* Tables and marks may be left in a space without pages; a clone replaces them. */
static void a_clone_replaces_what_marks_were_there(void **state)
{
    long child = nx_make_space();
    assert_int_equal(nx_map_anon((uint64_t)child, LOW + 5 * PAGE, 3 * PAGE, RW), 0);
    assert_int_equal(nx_map_anon((uint64_t)child, 7 * GIB, 3 * PAGE, RW), 0);
    assert_int_equal(nx_map_anon((uint64_t)child, 8 * GIB, GIB, RW), 0);
    assert_int_equal(nx_map_anon(space, LOW, PAGE, RW), 0);
    assert_int_equal(nx_map_clone((uint64_t)child, space), 0);
    assert_int_equal(nx_enter_bind((uint64_t)child, STATE), 0);
    uint64_t mine = space;
    space = (uint64_t)child;
    assert_false(refused(LOW, NX_PROT_R));
    assert_true(refused(LOW + 5 * PAGE, NX_PROT_R));
    assert_true(refused(7 * GIB, NX_PROT_R));
    assert_true(refused(8 * GIB, NX_PROT_R));
    space = mine;
}

static void shared_pages_stay_shared_in_a_clone(void **state)
{
    assert_int_equal(nx_make_mem(5, 2, 0), 0);
    assert_int_equal(nx_map_mem(space, LOW, 2 * PAGE, 5 | RW << 8, 0), 0);
    poke(LOW, 1);
    long child = nx_make_space();
    assert_int_equal(nx_map_clone((uint64_t)child, space), 0);
    poke(LOW, 2);
    assert_int_equal(nx_enter_bind((uint64_t)child, STATE), 0);
    assert_int_equal(peek(LOW), 2);
    poke(LOW, 3);
    assert_int_equal(nx_enter_bind(space, STATE), 0);
    assert_int_equal(peek(LOW), 3);
    assert_int_equal(nx_map_mem(0, HEAP, PAGE, 5 | NX_PROT_R << 8, 0), 0);
    assert_int_equal(peek(HEAP), 3);
}

/* ---- move ---- */
static void a_move_takes_pages_and_marks_along(void **state)
{
    assert_int_equal(nx_map_anon(space, LOW, 4 * PAGE, RW), 0);
    poke(LOW, 1);
    poke(LOW + 2 * PAGE, 3);
    assert_int_equal(nx_map_anon(space, LOW + GIB, 4 * PAGE, RW), 0);
    poke(LOW + GIB, 9);
    assert_int_equal(nx_map_move(space, LOW, 4 * PAGE, LOW + GIB), 0);
    assert_int_equal(nx_meta_space(space, NX_SPACE_RESIDENT), 2);
    assert_int_equal(peek(LOW + GIB), 1);
    assert_int_equal(peek(LOW + GIB + PAGE), 0);
    assert_int_equal(peek(LOW + GIB + 2 * PAGE), 3);
    assert_true(refused(LOW, NX_PROT_R));
    assert_true(refused(LOW + PAGE, NX_PROT_R));
    assert_int_equal(nx_map_move(space, LOW + GIB, 4 * PAGE, LOW + GIB + PAGE), -NX_EINVAL);
    assert_int_equal(nx_map_move(space, LOW + GIB, 4 * PAGE, NX_LOWER_END - PAGE), -NX_EINVAL);
    assert_int_equal(nx_map_move(space, LOW + GIB, 0, LOW), -NX_EINVAL);
}

/* ---- sharing the window's pages ---- */
static void the_program_sees_the_windows_pages(void **state)
{
    poke(HEAP, 11);
    poke(HEAP + 2 * PAGE, 13);
    assert_int_equal(nx_map_share(space, LOW, 3 * PAGE, RW, HEAP), 2); /* the middle is absent */
    assert_true(refused(LOW + PAGE, NX_PROT_R));
    assert_int_equal(peek(LOW), 11);
    poke(LOW, 12);
    assert_int_equal(peek(HEAP), 12);
    assert_int_equal(nx_map_share(space, LOW, PAGE, RW | NX_MAP_PRIVATE, HEAP), 1);
    poke(LOW, 77);
    assert_int_equal(peek(HEAP), 12);
    assert_int_equal(peek(LOW), 77);
    assert_int_equal(nx_map_share(space, LOW, PAGE, NX_PROT_R | NX_MAP_PRIVATE, HEAP), 1);
    assert_true(refused(LOW, NX_PROT_W));
    assert_int_equal(nx_map_protect(space, LOW, PAGE, RW), 0);
    poke(LOW, 78);
    assert_int_equal(peek(HEAP), 12);
}

static void a_page_may_be_shared_with_its_own_address(void **state)
{
    poke(HEAP, 42);
    uint64_t pa = space_translate(&cell->window, HEAP, NX_PROT_R);
    assert_int_equal(page_refs(pa), 1);
    assert_int_equal(nx_map_share(0, HEAP, PAGE, RW, HEAP), 1);
    assert_int_equal(page_refs(pa), 1);
    assert_int_equal(peek(HEAP), 42);
    uint64_t other = page_alloc(cell->quota, 0);
    assert_int_not_equal(other, pa); /* it was not freed on the way */
    page_unref(other);
    /* Ranges that overlap: each page is where the one before it was. */
    for (unsigned i = 0; i < 4; i++) {
        poke(HEAP + i * PAGE, 50 + i);
    }
    assert_int_equal(nx_map_share(0, HEAP + PAGE, 3 * PAGE, RW, HEAP), 3);
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(peek(HEAP + i * PAGE), 50);
    }
}

/* ---- rights bound what a mapping can become ---- */
static bool window_writable(uint64_t va)
{
    return space_fault(&cell->window, va, NX_PROT_W, 0) == 0;
}

static void a_read_only_capability_never_becomes_a_writable_mapping(void **state)
{
    assert_int_equal(nx_make_mem(5, 1, 0), 0);
    assert_int_equal(nx_mask_rights(5, NX_R_READ), 0);
    assert_int_equal(nx_map_mem(0, HEAP, PAGE, 5 | RW << 8, 0), -NX_EPERM);
    assert_int_equal(nx_map_mem(0, HEAP, PAGE, 5 | NX_PROT_R << 8, 0), 0);
    assert_int_equal(nx_map_protect(0, HEAP, PAGE, RW), -NX_EPERM);
    assert_false(window_writable(HEAP));
    /* Nor through a detour: a hold, a move, another space, a clone of it. */
    assert_int_equal(nx_map_protect(0, HEAP, PAGE, 0), 0);
    assert_int_equal(nx_map_protect(0, HEAP, PAGE, RW), -NX_EPERM);
    assert_int_equal(nx_map_protect(0, HEAP, PAGE, NX_PROT_R), 0);
    assert_int_equal(nx_map_move(0, HEAP, PAGE, HEAP + PAGE), 0);
    assert_int_equal(nx_map_protect(0, HEAP + PAGE, PAGE, RW), -NX_EPERM);
    assert_false(window_writable(HEAP + PAGE));
    assert_int_equal(nx_map_share(space, LOW, PAGE, NX_PROT_R, HEAP + PAGE), 1);
    assert_int_equal(nx_map_protect(space, LOW, PAGE, RW), -NX_EPERM);
    assert_true(refused(LOW, NX_PROT_W));
    long child = nx_make_space();
    assert_int_equal(nx_map_clone((uint64_t)child, space), 0);
    assert_int_equal(nx_map_protect((uint64_t)child, LOW, PAGE, RW), -NX_EPERM);
    assert_int_equal(nx_map_fault((uint64_t)child, LOW, 1), -NX_ENOENT);
    assert_int_equal(nx_map_share(0, HEAP, PAGE, NX_PROT_R, HEAP + PAGE), 1);
    assert_int_equal(nx_map_protect(0, HEAP, PAGE, RW), -NX_EPERM);
    /* A private copy is one's own. */
    assert_int_equal(nx_map_share(space, LOW, PAGE, NX_PROT_R | NX_MAP_PRIVATE, HEAP + PAGE), 1);
    assert_int_equal(nx_map_protect(space, LOW, PAGE, RW), 0);
    poke(LOW, 5);
    assert_int_equal(peek(HEAP + PAGE), 0);
}

static void without_the_right_to_read_there_is_no_mapping(void **state)
{
    assert_int_equal(nx_make_mem(5, 1, 0), 0);
    assert_int_equal(nx_mask_rights(5, NX_R_WRITE | NX_R_SEND), 0);
    for (unsigned prot = 0; prot < 8; prot++) {
        assert_int_equal(nx_map_mem(0, HEAP, PAGE, 5 | prot << 8, 0), -NX_EPERM);
    }
}

static void the_systable_cannot_be_changed(void **state)
{
    for (unsigned prot = 2; prot < 8; prot++) {
        if ((prot & NX_PROT_W) != 0) {
            assert_int_equal(nx_map_protect(0, NX_SYSTABLE, PAGE, prot), -NX_EPERM);
            assert_int_equal(nx_map_protect(0, NX_CELLINFO, PAGE, prot), -NX_EPERM);
        }
    }
    assert_false(window_writable(NX_SYSTABLE));
    assert_false(window_writable(NX_CELLINFO));
}

/* A private read-only page of an image is the image's own; sharing must not open it. */
static void an_images_page_is_not_written_through_a_share(void **state)
{
    assert_int_equal(nx_make_mem(5, 1, 0), 0);
    struct mem *m = (struct mem *)cell->caps[5].obj;
    assert_int_equal(space_page(&cell->window, HEAP, mem_page(m, 0), NX_PROT_R, 0), 0);
    assert_int_equal(nx_map_share(space, LOW, PAGE, NX_PROT_R, HEAP), 1);
    assert_int_equal(nx_map_protect(space, LOW, PAGE, RW), -NX_EPERM);
    assert_true(refused(LOW, NX_PROT_W));
    assert_int_equal(nx_map_protect(0, HEAP, PAGE, RW), 0); /* its own copy */
    poke(HEAP, 9);
    assert_int_equal(*(uint64_t *)arch_phys(mem_page(m, 0)), 0);
}

/* ---- memory runs out ---- */
/* Let the cell have n more pages. */
static void allow(uint64_t pages)
{
    cell->quota->limit = cell->quota->used + pages * PAGE;
}

static void allow_all(void)
{
    cell->quota->limit = 512 * PAGE;
}

static void unmapping_says_when_it_could_not(void **state)
{
    assert_int_equal(nx_map_anon(space, LOW, 2 * GIB, RW), 0);
    allow(0);
    assert_int_equal(nx_map_unmap(space, LOW + 5 * PAGE, PAGE), -NX_ENOMEM);
    allow(1);
    assert_int_equal(nx_map_unmap(space, LOW + 5 * PAGE, PAGE), -NX_ENOMEM);
    allow(1);
    assert_int_equal(nx_map_unmap(space, LOW + 5 * PAGE, PAGE), 0);
    allow_all();
    assert_true(refused(LOW + 5 * PAGE, NX_PROT_R));
}

typedef long op(uint64_t child);
static long op_clone(uint64_t child)
{
    return nx_map_clone(child, space);
}
static long op_anon(uint64_t child)
{
    return nx_map_anon(space, LOW + PAGE, 2 * GIB - 2 * PAGE, NX_PROT_R);
}
static long op_protect(uint64_t child)
{
    return nx_map_protect(space, LOW + 5 * MIB + PAGE, GIB, NX_PROT_R);
}
static long op_unmap(uint64_t child)
{
    return nx_map_unmap(space, LOW + 5 * MIB + PAGE, GIB);
}
static long op_move(uint64_t child)
{
    return nx_map_move(space, LOW + 4 * PAGE, 4 * MIB, LOW + 5 * GIB + 7 * PAGE);
}
static long op_share(uint64_t child)
{
    return nx_map_share(space, LOW + 2 * GIB - PAGE, 2 * PAGE, RW, HEAP);
}
static long op_fault(uint64_t child)
{
    return nx_map_fault(space, LOW + 9 * MIB, 1);
}
static long op_space(uint64_t child)
{
    long s = nx_make_space();
    return s > 0 ? nx_revoke_space((uint64_t)s) : s;
}
static long op_spawn(uint64_t child)
{
    long f = nx_spawn_fiber(NX_IMAGE, 0, 0, NX_TIER_VOID);
    return f < 0 ? f : 0;
}
static long op_mem(uint64_t child)
{
    long e = nx_make_mem(9, 5, 0);
    return e == 0 ? nx_grant_drop(9) : e;
}
static long op_contig(uint64_t child)
{
    long e = nx_make_mem(9, 5, NX_MEM_CONTIG);
    return e == 0 ? nx_grant_drop(9) : e;
}
static long op_ring(uint64_t child)
{
    long e = nx_make_ring(9, 256, 3);
    return e == 0 ? nx_grant_drop(9) : e;
}

/* Every operation with no page to spare, then one, two ...: it fails cleanly until it succeeds, and
 * everything can be given back afterwards. */
static void each_operation_fails_cleanly_at_every_allocation(void **state)
{
    static op *const ops[] = {op_clone, op_anon,  op_protect, op_unmap, op_move,   op_share,
                              op_fault, op_space, op_spawn,   op_mem,   op_contig, op_ring};
    for (unsigned o = 0; o < sizeof(ops) / sizeof(ops[0]); o++) {
        struct counts before = counts_now();
        long r = -NX_ENOMEM;
        unsigned tries = 0;
        for (; r == -NX_ENOMEM; tries++) {
            long child = nx_make_space();
            assert_int_equal(nx_map_anon(space, LOW, 2 * GIB, RW), 0);
            poke(LOW, 1);
            poke(LOW + 5 * PAGE, 2);
            poke(LOW + 3 * MIB, 3);
            poke(LOW + GIB + PAGE, 4);
            poke(HEAP, 5);
            poke(HEAP + PAGE, 6);
            allow(tries);
            r = ops[o]((uint64_t)child);
            if (r == -NX_ENOMEM) {
                assert_int_equal(nx_map_unmap(space, LOW, 8 * GIB), 0); /* needs no memory */
            }
            allow_all();
            assert_int_equal(nx_map_unmap(space, PAGE, 16 * GIB - PAGE), 0);
            assert_int_equal(nx_map_unmap(0, HEAP, 2 * PAGE), 0);
            assert_int_equal(nx_map_anon(0, HEAP, 2 * PAGE, RW), 0);
            assert_int_equal(nx_revoke_space((uint64_t)child), 0);
            assert_true(tries < 100);
        }
        assert_true(r >= 0);
        assert_true(tries > 1);
        if (ops[o] != op_spawn) {
            struct counts now = counts_now();
            /* Unmapping from page 1 on keeps the tables of the first GiB at most. */
            assert_in_range(now.tables - before.tables, 0, 2);
            assert_int_equal(now.pages + now.tables, before.pages + before.tables);
        }
    }
}

/* ---- fences, address space numbers ---- */
static void only_harts_that_may_know_are_told(void **state)
{
    assert_int_equal(nx_map_anon(space, LOW, 64 * PAGE, RW), 0);
    poke(LOW, 1);
    host.fences = (struct host_fences){0};
    assert_int_equal(nx_map_unmap(space, LOW, PAGE), 0);
    assert_int_equal(host.fences.remote, 0);     /* only this hart ever ran it */
    assert_int_equal(host.fences.page, roots()); /* all its numbers */
    assert_int_equal(nx_map_anon(space, LOW, 64 * PAGE, RW), 0);
    assert_int_equal(host.fences.page, roots()); /* nothing was there */
    assert_int_equal(nx_map_unmap(space, LOW, 64 * PAGE), 0);
    assert_int_equal(host.fences.page + host.fences.asid,
                     roots()); /* marks: nobody had seen them */

    /* A second fiber of the program on hart 1 sees pages go. */
    assert_int_equal(nx_map_anon(space, LOW, 64 * PAGE, RW), 0);
    assert_true(nx_spawn_fiber(NX_IMAGE, 0, 0, NX_TIER_MATTER) > 0);
    assert_non_null(run(1));
    assert_int_equal(nx_enter_bind(space, STATE + NX_STATE_SIZE), 0);
    assert_int_equal(nx_enter_run(), HOST_SWITCHED);
    poke(LOW + 7 * PAGE, 5);
    hart(0);
    host.fences = (struct host_fences){0};
    assert_int_equal(nx_map_protect(space, LOW + 7 * PAGE, PAGE, NX_PROT_R), 0);
    assert_int_equal(host.fences.remote_harts, 2);
    hart(1);
    assert_null(host_access(LOW + 7 * PAGE, NX_PROT_W));
    assert_int_equal(harts[1].fiber->reg[10], NX_LEAVE_FAULT);
}

static void the_window_is_fenced_in_every_space(void **state)
{
    poke(HEAP, 1); /* seen through the host root of `space` */
    assert_int_equal(nx_enter_bind(0, 0), 0);
    assert_int_equal(nx_map_unmap(0, HEAP, PAGE), 0);
    assert_int_equal(nx_enter_bind(space, STATE), 0);
    assert_int_equal(nx_map_fault(0, HEAP, 0), -NX_ENOENT);
    assert_null(host_access(HEAP, NX_PROT_R)); /* a fault of the cell: it ends */
    assert_int_equal(cell->end.why, NX_WHY_FAULT);
    assert_int_equal(cell->end.addr, HEAP);
}

static void stale_refusals_are_forgiven(void **state)
{
    assert_int_equal(nx_map_anon(space, LOW, PAGE, RW), 0);
    poke(LOW, 1);
    assert_int_equal(nx_map_protect(space, LOW, PAGE, NX_PROT_R), 0);
    assert_int_equal(peek(LOW), 1);
    assert_int_equal(nx_map_fault(space, LOW, 1), -NX_ENOENT);
    assert_int_equal(nx_map_protect(space, LOW, PAGE, RW), 0);
    poke(LOW, 2); /* whatever the buffer still says */
    assert_int_equal(peek(LOW), 2);
}

/* Two harts fault on one page: the second finds it resolved and forgets what it knew. */
static void a_fault_that_is_resolved_already_is_fenced(void **state)
{
    assert_int_equal(nx_map_anon(space, LOW, PAGE, RW), 0);
    assert_int_equal(nx_map_fault(space, LOW, 1), 0);
    uint64_t fences = host.fences.page_all;
    assert_int_equal(nx_map_fault(space, LOW, 1), 0);
    assert_int_equal(host.fences.page_all, fences + 1);
}

static void new_code_is_fenced(void **state)
{
    assert_int_equal(nx_make_mem(5, 1, 0), 0);
    assert_int_equal(nx_map_mem(space, LOW, PAGE, 5 | RW << 8, 0), 0);
    assert_int_equal(nx_map_anon(space, LOW + PAGE, PAGE, RW | NX_PROT_X), 0);
    assert_int_equal(host.fences.code, 0);
    assert_int_equal(nx_map_mem(space, LOW, PAGE, 5 | NX_PROT_X << 8, 0), 0);
    assert_int_equal(host.fences.code, 1);
    assert_int_equal(nx_map_protect(space, LOW, PAGE, NX_PROT_R | NX_PROT_X), 0);
    assert_int_equal(host.fences.code, 2);
    poke(HEAP, 1);
    assert_int_equal(nx_map_share(space, LOW, PAGE, NX_PROT_X, HEAP), 1);
    assert_int_equal(host.fences.code, 3);
    assert_int_equal(host.fences.code_remote, 0);
    /* On another hart that runs it at once, on one that ran it when it does so again. */
    assert_true(nx_spawn_fiber(NX_IMAGE, 0, 0, NX_TIER_MATTER) > 0);
    assert_non_null(run(1));
    assert_int_equal(nx_enter_bind(space, STATE + NX_STATE_SIZE), 0);
    hart(0);
    assert_int_equal(nx_map_protect(space, LOW, PAGE, NX_PROT_X), 0);
    assert_int_equal(host.fences.code_remote, 1);
    hart(1);
    assert_int_equal(nx_enter_bind(0, 0), 0);
    hart(0);
    assert_int_equal(nx_map_protect(space, LOW, PAGE, NX_PROT_X), 0);
    assert_int_equal(host.fences.code_remote, 1);
    uint64_t fences = host.fences.code;
    hart(1);
    assert_int_equal(nx_enter_bind(space, STATE + NX_STATE_SIZE), 0);
    assert_int_equal(host.fences.code, fences + 1);
}

static void numbers_run_out_and_come_back(void **state)
{
    uint64_t s[12];
    host.asids = 12;
    uint64_t fences = host.fences.all;
    for (unsigned round = 0; round < 20; round++) {
        unsigned n = 0;
        while (n < 12) {
            long made = nx_make_space();
            if (made < 0) {
                assert_int_equal(made, -NX_ENOMEM);
                break;
            }
            s[n++] = (uint64_t)made;
        }
        assert_true(n > 0 && n < 12);
        for (unsigned i = 0; i < n; i++) {
            struct space *a = space_get(cell, s[i]);
            assert_true(a->roots == 1 || a->asid[0] != a->asid[1]);
            assert_true(a->asid[0] > 0 && a->asid[0] < 12);
            for (unsigned k = 0; k < i; k++) {
                const struct space *b = space_get(cell, s[k]);
                assert_int_not_equal(a->asid[0], b->asid[0]);
                assert_int_not_equal(a->asid[0], b->asid[1]);
                assert_true(a->roots == 1 || a->asid[1] != b->asid[1]);
            }
        }
        while (n > 0) {
            assert_int_equal(nx_revoke_space(s[--n]), 0);
        }
    }
    assert_true(host.fences.all > fences);
    host.asids = 1u << 16;
}

static void a_space_in_use_is_not_destroyed(void **state)
{
    assert_int_equal(nx_revoke_space(space), -NX_EBUSY);
    assert_int_equal(nx_revoke_space(0), -NX_EBADF);
    assert_int_equal(nx_enter_bind(0, 0), 0);
    assert_int_equal(nx_revoke_space(space), 0);
    assert_int_equal(nx_revoke_space(space), -NX_EBADF);
    assert_int_equal(nx_map_anon(space, LOW, PAGE, RW), -NX_EBADF);
    long again = nx_make_space();
    assert_true(again > 0);
    assert_int_not_equal(again, space); /* another generation */
    assert_null(space_get(cell, space));
}

static void wild_ranges_are_refused(void **state)
{
    static const uint64_t bad[][2] = {
        {0, PAGE},
        {LOW, 0},
        {LOW + 1, PAGE},
        {LOW, PAGE + 1},
        {LOW, ~0ul},
        {LOW, ~0ul & ~(PAGE - 1)},
        {NX_LOWER_END, PAGE},
        {NX_LOWER_END - PAGE, 2 * PAGE},
        {NX_WINDOW, PAGE},
        {~0ul & ~(PAGE - 1), PAGE},
        {1ul << 63, PAGE},
    };
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(nx_map_anon(space, bad[i][0], bad[i][1], RW), -NX_EINVAL);
        assert_int_equal(nx_map_unmap(space, bad[i][0], bad[i][1]), -NX_EINVAL);
        assert_int_equal(nx_map_protect(space, bad[i][0], bad[i][1], 0), -NX_EINVAL);
        assert_int_equal(nx_map_share(space, bad[i][0], bad[i][1], 0, HEAP), -NX_EINVAL);
        assert_int_equal(nx_map_share(space, LOW, PAGE, 0, bad[0][0]), -NX_EINVAL);
        assert_int_equal(nx_map_move(space, bad[i][0], bad[i][1], LOW + GIB), -NX_EINVAL);
    }
    assert_int_equal(nx_map_anon(space, LOW, PAGE, 8), -NX_EINVAL);
    assert_int_equal(nx_map_anon(space, LOW, PAGE, ~0ul), -NX_EINVAL);
    assert_int_equal(nx_map_protect(space, LOW, PAGE, 1ul << 32), -NX_EINVAL);
    assert_int_equal(nx_map_share(space, LOW, PAGE, 512, HEAP), -NX_EINVAL);
    assert_int_equal(nx_map_anon(0, NX_WINDOW + GIB - PAGE, 2 * PAGE, RW), -NX_EINVAL);
}

int main(void)
{
    test_boot(2, 8 * MIB);
    const struct CMUnitTest tests[] = {
        SPACE_TEST(demand_zero_costs_nothing_until_touched),
        SPACE_TEST(a_hole_in_a_mark_leaves_the_rest),
        SPACE_TEST(the_window_is_not_the_programs),
        SPACE_TEST(access_is_what_was_asked_for),
        SPACE_TEST(no_access_keeps_the_page),
        SPACE_TEST(protect_leaves_holes_and_splits_marks),
        SPACE_TEST(both_roots_see_every_change),
        SPACE_TEST(a_clone_is_a_copy_made_late),
        SPACE_TEST(a_clone_wants_an_empty_space),
        SPACE_TEST(a_clone_replaces_what_marks_were_there),
        SPACE_TEST(shared_pages_stay_shared_in_a_clone),
        SPACE_TEST(a_move_takes_pages_and_marks_along),
        SPACE_TEST(the_program_sees_the_windows_pages),
        SPACE_TEST(a_page_may_be_shared_with_its_own_address),
        SPACE_TEST(a_read_only_capability_never_becomes_a_writable_mapping),
        SPACE_TEST(without_the_right_to_read_there_is_no_mapping),
        SPACE_TEST(the_systable_cannot_be_changed),
        SPACE_TEST(an_images_page_is_not_written_through_a_share),
        SPACE_TEST(unmapping_says_when_it_could_not),
        SPACE_TEST(each_operation_fails_cleanly_at_every_allocation),
        SPACE_TEST(only_harts_that_may_know_are_told),
        SPACE_TEST(the_window_is_fenced_in_every_space),
        SPACE_TEST(stale_refusals_are_forgiven),
        SPACE_TEST(a_fault_that_is_resolved_already_is_fenced),
        SPACE_TEST(new_code_is_fenced),
        SPACE_TEST(numbers_run_out_and_come_back),
        SPACE_TEST(a_space_in_use_is_not_destroyed),
        SPACE_TEST(wild_ranges_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
