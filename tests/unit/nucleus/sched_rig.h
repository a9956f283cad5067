/* What the tests of the scheduler share: four harts, a cell of its own for each test, time that passes. Each includes it once.
 */
#ifndef TESTS_UNIT_NUCLEUS_SCHED_RIG_H
#define TESTS_UNIT_NUCLEUS_SCHED_RIG_H

#include "passing.h"

#define STATE NX_FREE
#define LOW 0x40000000ul

static struct cell *cell;
static unsigned harts_there;

/* Boot happens once with four harts; a test may use fewer of them. */
static inline void use_harts(unsigned n)
{
    hart_count = harts_there = n;
}

static inline struct cell *make(const char *name, unsigned tier)
{
    struct nx_manifest m = test_manifest(name);
    m.tier = tier;
    return test_cell_with(&m);
}

static inline int begin(void **state)
{
    (void)counts_before(state);
    host.time += 10 * TIMEBASE;
    use_harts(1);
    hart(0);
    cell = make("c", NX_TIER_PHOTON);
    assert_non_null(run(0));
    return 0;
}

static inline int end(void **state)
{
    audit();
    test_end(cell);
    for (unsigned i = 0; i < 4; i++) {
        use_harts(4);
        if (harts[i].fiber == NULL && harts[i].online) {
            interrupts(i); /* idle, its timer is off again */
        }
    }
    audit();
    return counts_after(state);
}

#define SCHED_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

/* A further fiber of the running one's cell; told apart by its argument. */
static inline uint64_t spawn(uint64_t name, unsigned tier)
{
    long f = nx_spawn_fiber(NX_IMAGE, 0, name, tier);
    assert_true(f > 0);
    return (uint64_t)f;
}

static inline struct fiber *of(uint64_t handle)
{
    list_for_each(n, &cell->fibers)
    {
        struct fiber *f = list_entry(n, struct fiber, cell_link);
        if (f->handle == handle) {
            return f;
        }
    }
    return NULL;
}

/* Bind the running fiber to a new foreign space and go into foreign mode. */
static inline void go_foreign(unsigned area)
{
    long s = nx_make_space();
    assert_true(s > 0);
    assert_int_equal(nx_map_anon((uint64_t)s, LOW, 4 * PAGE, RW), 0);
    assert_int_equal(nx_enter_bind((uint64_t)s, STATE + area * NX_STATE_SIZE), 0);
    assert_int_equal(nx_enter_run(), HOST_SWITCHED);
    assert_non_null(harts[host.current].foreign);
}

/* A cell that may have no foreign spaces. */
static inline void make_native(struct cell *c)
{
    c->quota->spaces_max = 0;
}

#endif
