/* nucleus_test.h - a booted nucleus on the simulated machine (nucleus/arch/host/host.h), cells without
 * an image, and what a test asks of the whole: counters, and an audit of who holds which page.
 *
 * A test program boots once; its tests leave behind what they found (counts_before, counts_after).
 * The calls are the typed ones of nx/sys.h: they go through the simulated trap of host.current's hart.
 */
#ifndef NUCLEUS_TEST_H
#define NUCLEUS_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "call.h"
#include "cell.h"
#include "event.h"
#include "fiber.h"
#include "host.h"
#include "boot.h"
#include "log.h"
#include "machine.h"
#include "mem.h"
#include "page.h"
#include "period.h"
#include "place.h"
#include "ring.h"
#include "../../../nucleus/core/sched.h" /* the host has a sched.h too */
#include "shelf.h"
#include "space.h"
#include "timeq.h"

#include <nx_base.h>

#include <nx/sys.h>

#define PAGE NX_PAGE_SIZE
#define MIB (1ul << 20)
#define GIB (1ul << 30)
#define RW (NX_PROT_R | NX_PROT_W)
#define TIMEBASE 10000000ul /* ticks a second */
#define MS (TIMEBASE / 1000)

/* ---- calls ---- */
#define THUNK(name, nr)                                                                       \
    static long thunk_##name(uint64_t op, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, \
                             uint64_t a5)                                                     \
    {                                                                                         \
        return host_call(nr, op, a1, a2, a3, a4, a5);                                         \
    }
NX_CALLS(THUNK)
#undef THUNK
#define THUNK(name, nr) [nr] = thunk_##name,
static const struct nx_systable test_systable = {
    .magic = NX_SYSTABLE_MAGIC,
    .version = NX_ABI_VERSION,
    .call = {NX_CALLS(THUNK)},
};
#undef THUNK
const struct nx_systable *nx_host_table = &test_systable;

/* ---- random numbers: xorshift64*, the same on every machine ---- */
struct rng {
    uint64_t s;
};
static inline uint64_t rng_next(struct rng *r)
{
    r->s ^= r->s >> 12;
    r->s ^= r->s << 25;
    r->s ^= r->s >> 27;
    return r->s * 0x2545f4914f6cdd1dul;
}
static inline uint64_t rng_below(struct rng *r, uint64_t n)
{
    return (rng_next(r) >> 11) % n;
}
/* The seed of a random test: from the environment, to see a failure again. */
static inline struct rng rng_seed(uint64_t usual)
{
    const char *text = getenv("NX_SEED");
    uint64_t s = text != NULL ? strtoul(text, NULL, 0) : usual;
    print_message("# NX_SEED=%#lx\n", s);
    return (struct rng){s * 2 + 1};
}

/* ---- the machine ---- */
static inline void test_boot(unsigned hart_number, uint64_t bytes)
{
    host_reset(bytes);
    hart_count = hart_number;
    for (unsigned i = 0; i < HARTS_MAX; i++) {
        harts[i].index = i;
        harts[i].bit = 1ul << i;
        sched_init_hart(&harts[i]);
    }
    machine.memory_base = HOST_MEMORY_BASE;
    machine.memory_end = HOST_MEMORY_BASE + bytes;
    machine.timebase = TIMEBASE;
    machine.plic_base = 0xc000000;
    machine.plic_size = 0x600000;
    page_init(machine.memory_base, machine.memory_end,
              malloc(page_frames_size(machine.memory_base, machine.memory_end)));
    /* Page 0 is the SysTable, page 1 the nucleus' root. */
    page_give(machine.memory_base + 2 * PAGE, machine.memory_end);
    nucleus_quota = quota_make(~0ul, ~0u, ~0u);
    machine.obj.quota = nucleus_quota;
    sched_set_timebase(TIMEBASE);
    pte_t *root = arch_phys(HOST_MEMORY_BASE + PAGE);
    memset(root, 0, PAGE);
    root[320] = root[510] = pte_nucleus(0, NX_PROT_R | NX_PROT_W);
    space_init(HOST_MEMORY_BASE + PAGE);
    machine.systable_page[0] = machine.systable_page[1] = arch_systable_page(false);
    assert_int_equal(arch_irq_init(), 0);
}

static inline struct hart *hart(unsigned i)
{
    host.current = i;
    return &harts[i];
}

/* Let hart i look for work if it has none: the fiber it runs then, or NULL. */
static inline struct fiber *run(unsigned i)
{
    if (hart(i)->fiber == NULL) {
        (void)host_enter();
    }
    return harts[i].fiber;
}

/* Hart i takes its interrupts, in user mode or idle. */
static inline void interrupts(unsigned i)
{
    if (hart(i)->fiber == NULL) {
        (void)host_enter();
    } else {
        host_interrupt();
    }
}

/* ---- cells ---- */
static inline struct nx_manifest test_manifest(const char *name)
{
    struct nx_manifest m = {
        .magic = NX_MANIFEST_MAGIC,
        .tier = NX_TIER_MATTER,
        .pledge = NX_PLEDGE_ALL,
        .window_gb = 1,
        .quota_pages = 512,
        .quota_fibers = 64,
        .quota_spaces = 16,
        .quota_objects = 64,
    };
    strncpy(m.name, name, sizeof(m.name) - 1);
    return m;
}

/* A cell that is made but not started; the test holds a reference. */
static inline struct cell *test_cell_new(const struct nx_manifest *m)
{
    int e = 0;
    lock();
    struct cell *c = cell_make(m, 1, &e);
    if (c != NULL) {
        c->entry = NX_IMAGE;
        c->image_end = NX_IMAGE + PAGE;
    }
    unlock();
    assert_non_null(c);
    return c;
}

/* One that is ready to run, with 64 demand-zero pages at NX_FREE. */
static inline struct cell *test_cell_with(const struct nx_manifest *m)
{
    struct cell *c = test_cell_new(m);
    lock();
    assert_int_equal(space_anon(&c->window, NX_FREE, 64 * PAGE, RW), 0);
    assert_int_equal(cell_start(c, 0), 0);
    unlock();
    return c;
}

static inline struct cell *test_cell(const char *name)
{
    struct nx_manifest m = test_manifest(name);
    return test_cell_with(&m);
}

/* End a cell from outside and let go of it; harts that ran it look for other work. */
static inline void test_end(struct cell *c)
{
    lock();
    cell_end(c, NX_WHY_KILLED, 0, 0, 0);
    unlock();
    for (unsigned i = 0; i < hart_count; i++) {
        if (harts[i].fiber != NULL && harts[i].fiber->cell == c) {
            hart(i);
            host_interrupt();
        }
    }
    assert_int_equal(c->state, NX_CS_DEAD);
    lock();
    object_unref(&c->obj);
    unlock();
}

/* ---- what there is of everything ---- */
struct counts {
    uint64_t pages; /* free ones, and those pools keep */
    uint64_t tables;
    uint32_t cells, fibers, spaces, mems, rings, events, caps, quotas;
};

static inline struct counts counts_now(void)
{
    struct counts n = {
        .pages = page_free_count() + nucleus_quota->used / PAGE,
        .tables = table_count,
        .cells = cell_count,
        .fibers = fiber_count,
        .spaces = space_count,
        .mems = mem_count,
        .rings = ring_count,
        .events = event_count,
        .caps = cap_count,
    };
    for (unsigned i = 0; i < QUOTAS; i++) {
        n.quotas += quotas[i].taken;
    }
    return n;
}

static inline void assert_counts(const struct counts *before)
{
    struct counts now = counts_now();
    assert_int_equal(now.pages, before->pages);
    assert_int_equal(now.tables, before->tables);
    assert_int_equal(now.cells, before->cells);
    assert_int_equal(now.fibers, before->fibers);
    assert_int_equal(now.spaces, before->spaces);
    assert_int_equal(now.mems, before->mems);
    assert_int_equal(now.rings, before->rings);
    assert_int_equal(now.events, before->events);
    assert_int_equal(now.caps, before->caps);
    assert_int_equal(now.quotas, before->quotas);
}

/* As setup and teardown of every test: nothing is left behind. */
static inline int counts_before(void **state)
{
    struct counts *n = malloc(sizeof(*n));
    *n = counts_now();
    *state = n;
    host.current = 0;
    return 0;
}

static inline int counts_after(void **state)
{
    struct counts now = counts_now();
    int differ = memcmp(&now, *state, sizeof(now));
    if (differ != 0) {
        const struct counts *was = *state;
        print_error("left behind: pages %ld tables %ld cells %d fibers %d spaces %d mems %d "
                    "rings %d events %d caps %d quotas %d\n",
                    (long)(now.pages - was->pages), (long)(now.tables - was->tables),
                    (int)(now.cells - was->cells), (int)(now.fibers - was->fibers),
                    (int)(now.spaces - was->spaces), (int)(now.mems - was->mems),
                    (int)(now.rings - was->rings), (int)(now.events - was->events),
                    (int)(now.caps - was->caps), (int)(now.quotas - was->quotas));
    }
    free(*state);
    *state = NULL;
    return differ;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, counts_before, counts_after)

#endif
