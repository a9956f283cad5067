/* Every call with every kind of argument, from several cells on four harts, between interrupts, faults
 * and deaths: no crash, errors that are errors, and an audit of the whole nucleus all the time.
 *
 * NX_SEED=n in the environment repeats a run, NX_STEPS=n makes it longer.
 */
// test-sources: nucleus/core/*.c nucleus/arch/host/*.c lib/*.c
#include "audit.h"
#include "ckpt.h"
#include "image_test.h"

#define HEAP (NX_FREE + 16 * PAGE)
#define STATE NX_FREE
#define LOW 0x40000000ul
#define ROOTS 3
#define SLOT_MACHINE 1
#define SLOT_IMAGE 2

static struct rng rng;
static struct cell *root[ROOTS]; /* cells the test holds a reference to */
static uint64_t handles[16];     /* spaces and fibers somebody was told of */
static uint8_t image[IMAGE_BYTES] __attribute__((aligned(16)));

/* As calls.tbl has them. */
static const unsigned ops[NX_CALL_COUNT] = {
    [NX_CALL_SPAWN] = NX_SPAWN_OPS, [NX_CALL_EXIT] = NX_EXIT_OPS,
    [NX_CALL_MAKE] = NX_MAKE_OPS,   [NX_CALL_MAP] = NX_MAP_OPS,
    [NX_CALL_GRANT] = NX_GRANT_OPS, [NX_CALL_REVOKE] = NX_REVOKE_OPS,
    [NX_CALL_SEND] = NX_SEND_OPS,   [NX_CALL_RECV] = NX_RECV_OPS,
    [NX_CALL_TICK] = NX_TICK_OPS,   [NX_CALL_MASK] = NX_MASK_OPS,
    [NX_CALL_ENTER] = NX_ENTER_OPS, [NX_CALL_CHECKPOINT] = NX_CHECKPOINT_OPS,
    [NX_CALL_META] = NX_META_OPS,
};

static void make_root(unsigned i)
{
    static const char *const names[ROOTS] = {"alpha", "beta", "gamma"};
    int e = 0;
    struct nx_manifest m = test_manifest(names[i]);
    m.tier = (uint32_t)rng_below(&rng, NX_TIERS);
    m.quota_pages = 200 + rng_below(&rng, 300);
    m.quota_fibers = 8;
    m.quota_spaces = 5;
    m.energy = i % 2 == 0 ? 2000 + rng_below(&rng, 100000) : 0;
    m.placement = rng_below(&rng, 2) == 0 ? NX_PLACE_ISOLATED : NX_PLACE_FUSED;
    lock();
    struct cell *c = cell_make(&m, 1, &e);
    assert_non_null(c);
    root[i] = c;
    c->entry = NX_IMAGE;
    assert_int_equal(space_anon(&c->window, NX_FREE, 64 * PAGE, RW), 0);
    assert_int_equal(cap_put(c, SLOT_MACHINE, &machine.obj, NX_R_ALL), 0);
    struct mem *mem = mem_make(c->quota, IMAGE_BYTES / PAGE, false);
    assert_non_null(mem);
    image_store(mem, 0, image);
    assert_int_equal(cap_put(c, SLOT_IMAGE, &mem->obj, NX_R_ALL), 0);
    object_unref(&mem->obj);
    assert_int_equal(cell_start(c, 0), 0);
    unlock();
    /* The nucleus takes it that its own hart comes by the scheduler. */
    host.hart[host.current].ipi = true;
}

/* ---- arguments ---- */
static const uint64_t wild[] = {
    0,
    1,
    2,
    63,
    64,
    65,
    255,
    256,
    PAGE - 1,
    PAGE,
    PAGE + 1,
    0xffff,
    0x10000,
    0x7fffffff,
    0x80000000,
    0xffffffff,
    1ul << 32,
    NX_LOWER_END - PAGE,
    NX_LOWER_END,
    1ul << 48,
    1ul << 63,
    NX_WINDOW,
    NX_CELLINFO,
    NX_IMAGE,
    NX_FREE,
    NX_WINDOW + GIB - PAGE,
    NX_WINDOW + GIB,
    0xffffffd000000000ul,
    0xffffffff80000000ul,
    HOST_MEMORY_BASE,
    ~0ul - PAGE + 1,
    ~0ul,
};

static uint64_t any_slot(void)
{
    return rng_below(&rng, 12) == 0 ? wild[rng_below(&rng, ARRAY_LEN(wild))] : rng_below(&rng, 14);
}

static uint64_t any_handle(void)
{
    return rng_below(&rng, 3) == 0 ? 0 : handles[rng_below(&rng, 16)];
}

static uint64_t any_address(void)
{
    uint64_t page = rng_below(&rng, 40) * PAGE;
    switch (rng_below(&rng, 8)) {
    case 0:
        return wild[rng_below(&rng, ARRAY_LEN(wild))];
    case 1:
        return STATE + rng_below(&rng, 16) * NX_STATE_SIZE;
    case 2:
    case 3:
    case 4:
        return HEAP + page;
    case 5:
        return LOW + 2 * MIB - 20 * PAGE + page;
    default:
        return LOW + page;
    }
}

static uint64_t any_length(void)
{
    switch (rng_below(&rng, 8)) {
    case 0:
        return wild[rng_below(&rng, ARRAY_LEN(wild))];
    case 1:
        return 2 * MIB;
    case 2:
        return GIB;
    default:
        return (1 + rng_below(&rng, 24)) * PAGE;
    }
}

static uint64_t any_deadline(void)
{
    switch (rng_below(&rng, 6)) {
    case 0:
        return 0;
    case 1:
        return wild[rng_below(&rng, ARRAY_LEN(wild))];
    default:
        return host.time + rng_below(&rng, 20 * MS);
    }
}

static uint64_t any_small(void)
{
    return rng_below(&rng, 10) == 0 ? wild[rng_below(&rng, ARRAY_LEN(wild))] : rng_below(&rng, 16);
}

/* What each call's arguments are, so that most calls do something: slot, handle, address, length, time,
 * small number, right, mask. */
static const char *const shape[NX_CALL_COUNT][NX_META_OPS] = {
    [NX_CALL_SPAWN] = {"aaas", "CalDs", "ca"},
    [NX_CALL_EXIT] = {"s", "s", "cs"},
    [NX_CALL_MAKE] = {"css", "cPs", "", "ccal", "ccs", "c", "c"},
    [NX_CALL_MAP] = {"halp", "halqo", "halpa", "hal", "halp", "hh", "hala", "has"},
    [NX_CALL_GRANT] = {"Sccr", "Sccr", "c", "csc", "Scscr", "cs"},
    [NX_CALL_REVOKE] = {"c", "h"},
    [NX_CALL_SEND] = {"c", "h"},
    [NX_CALL_RECV] = {"mt", "maa"},
    [NX_CALL_TICK] = {"", "", "t", "hs", "httt", ""},
    [NX_CALL_MASK] = {"cr", "r", "m", "c", "c"},
    [NX_CALL_ENTER] = {"", "ha", ""},
    [NX_CALL_CHECKPOINT] = {"al", "al", ""},
    [NX_CALL_META] = {"", "as", "s", "Ss", "als", "als", "cl", "hs", "hs", "c", "s", "n", "", "ss",
                      "t", "alss"},
};

static uint64_t argument(char kind)
{
    switch (kind) {
    case 'c':
        return any_slot();
    case 'C':
        return rng_below(&rng, 3) == 0 ? any_slot() : SLOT_IMAGE;
    case 'D': /* where a new cell goes */
        return any_slot() |
               (rng_below(&rng, 2) == 0 ? 0 : NX_PLACE_FUSED << 8 | SLOT_MACHINE << 16);
    case 'S':
        return rng_below(&rng, 2) == 0 ? any_slot() : NX_SELF;
    case 'n': /* an event the log holds on to is not for the audit */
        return NX_SELF;
    case 'h':
        return any_handle();
    case 'a':
        return any_address();
    case 'l':
        return any_length();
    case 't':
        return any_deadline();
    case 'p':
        return rng_below(&rng, 8) | rng_below(&rng, 2) * rng_below(&rng, 2) * NX_MAP_PRIVATE;
    case 'P':
        return 1ul << rng_below(&rng, 10);
    case 'q':
        return rng_below(&rng, 14) | rng_below(&rng, 8) << 8;
    case 'o':
        return rng_below(&rng, 4) * PAGE;
    case 'r':
        return NX_R_ALL & (rng_below(&rng, 4) == 0 ? rng_next(&rng) : ~0ul);
    case 'm':
        return rng_below(&rng, 3) == 0 ? ~0ul : rng_next(&rng);
    default:
        return any_small();
    }
}

/* ---- steps ---- */
static void sane(uint64_t nr, uint64_t op, long r)
{
    static const uint8_t errors[] = {NX_EPERM, NX_ENOENT, NX_EBADF,  NX_ENOMEM, NX_EFAULT,
                                     NX_EBUSY, NX_EINVAL, NX_ENOSYS, NX_ETIME,  NX_EIMAGE};
    bool known = r >= 0 || r == HOST_SWITCHED;
    for (unsigned i = 0; i < sizeof(errors); i++) {
        known |= r == -(long)errors[i];
    }
    if (!known) {
        fail_msg("call %lu op %lu answers %ld", (unsigned long)nr, (unsigned long)op, r);
    }
    if (nr == NX_CALL_META && op == NX_META_AUDIT) {
        if (r > 0) {
            fail_msg("the nucleus' own audit finds %ld", r);
        }
    }
    if (nr >= NX_CALL_COUNT || op >= ops[nr]) {
        assert_true(r == -NX_ENOSYS || r == -NX_EPERM || r == HOST_SWITCHED || r == -NX_EBADF ||
                    r == -NX_EINVAL || r == -NX_EBUSY);
    }
}

static long call(uint64_t nr, uint64_t op, const uint64_t *a)
{
    long r = host_call(nr, op, a[0], a[1], a[2], a[3], a[4]);
    sane(nr, op, r);
    if (r > 0 && ((nr == NX_CALL_MAKE && op == NX_MAKE_SPACE) ||
                  (nr == NX_CALL_SPAWN && op == NX_SPAWN_FIBER))) {
        handles[rng_below(&rng, 16)] = (uint64_t)r;
    }
    return r;
}

static void native_step(void)
{
    /* What ends things, or takes powers away for good, happens now and then. */
    uint64_t nr = rng_below(&rng, NX_CALL_COUNT), op = rng_below(&rng, ops[nr]), a[5] = {0};
    bool final = (nr == NX_CALL_EXIT) || (nr == NX_CALL_MASK && op <= NX_MASK_CAPS) ||
                 (nr == NX_CALL_REVOKE && op == NX_REVOKE_OBJECT);
    if (final && rng_below(&rng, 12) != 0) {
        return;
    }
    if (nr == NX_CALL_MASK && op == NX_MASK_PLEDGE && rng_below(&rng, 4) != 0) {
        return;
    }
    if (nr == NX_CALL_RECV && rng_below(&rng, 2) == 0) {
        nr = NX_CALL_ENTER;
        op = rng_below(&rng, 2) == 0 ? NX_ENTER_RUN : NX_ENTER_BIND;
    }
    const char *kinds = shape[nr][op];
    for (unsigned i = 0; kinds[i] != 0; i++) {
        a[i] = argument(kinds[i]);
    }
    /* Now and then the cell or the nucleus itself is out of memory. */
    struct quota *q =
        rng_below(&rng, 2) != 0 ? nucleus_quota : harts[host.current].fiber->cell->quota;
    uint64_t limit = q->limit;
    if (rng_below(&rng, 8) == 0) {
        q->limit = q->used + rng_below(&rng, 3) * PAGE;
    }
    (void)call(nr, op, a);
    q->limit = limit;
}

static void foreign_step(void)
{
    uint64_t value = rng_next(&rng);
    uint64_t *p;
    switch (rng_below(&rng, 8)) {
    case 0:
    case 1:
        host_foreign_call();
        break;
    case 2:
        host_exception(2 + rng_below(&rng, 2), rng_next(&rng));
        break;
    case 3:
        (void)host_fp(&value, rng_below(&rng, 2) != 0);
        break;
    case 4:
        host_interrupt();
        break;
    default:
        p = host_access(any_address() & ~7ul, 1u << rng_below(&rng, 3));
        (void)p;
        break;
    }
}

/* A native access that may fail would end the cell: only to where it may go, mostly. */
static void native_access(void)
{
    uint64_t va = HEAP + rng_below(&rng, 40) * PAGE;
    const struct fiber *f = harts[host.current].fiber;
    if (space_translate(&f->cell->window, va, NX_PROT_W) != 0 || rng_below(&rng, 100) == 0) {
        uint64_t *p = host_access(va, NX_PROT_W);
        if (p != NULL) {
            *p = rng_next(&rng); /* pages of all kinds get written over, rings and images too */
        }
    }
}

static void step(void)
{
    unsigned h = (unsigned)rng_below(&rng, 4);
    hart(h);
    if (rng_below(&rng, 4) == 0) {
        host.time += rng_below(&rng, 3 * MS);
        host.instret += 1000;
    }
    if (rng_below(&rng, 16) == 0) {
        host_irq_raise(1 + (unsigned)rng_below(&rng, 8));
    }
    if (host_interrupt_pending(h) && rng_below(&rng, 2) == 0) {
        interrupts(h);
    } else if (harts[h].fiber == NULL) {
        (void)host_enter();
    } else if (harts[h].foreign != NULL) {
        foreign_step();
    } else if (rng_below(&rng, 4) == 0) {
        native_access();
    } else {
        native_step();
    }
}

/* Cells end, or fall asleep for ever: others take their place. */
static void renew(void)
{
    for (unsigned i = 0; i < ROOTS; i++) {
        struct cell *c = root[i];
        bool stuck = true;
        list_for_each(n, &c->fibers)
        {
            const struct fiber *f = list_entry(n, struct fiber, cell_link);
            stuck &= f->status == FIBER_BLOCKED && f->heap_hart == NULL;
        }
        if (c->state == NX_CS_RUNNING && stuck && rng_below(&rng, 2) == 0) {
            lock();
            fiber_kick(list_first(&c->fibers, struct fiber, cell_link));
            unlock();
            host.hart[host.current].ipi = true; /* as in make_root() */
        } else if (c->state != NX_CS_DYING && (stuck || (c->pledge & NX_PLEDGE_MAP) == 0)) {
            test_end(c);
            make_root(i);
        }
    }
}

static void end_all(void)
{
    for (unsigned n = 0; n < 3; n++) {
        lock();
        list_for_each(l, &cells)
        {
            struct cell *c = list_entry(l, struct cell, link);
            object_ref(&c->obj);
            cell_end(c, NX_WHY_KILLED, 0, 0, 0);
        }
        unlock();
        for (unsigned i = 0; i < 4; i++) {
            interrupts(i);
        }
        lock();
        list_for_each_safe(l, &cells)
        {
            struct cell *c = list_entry(l, struct cell, link);
            ckpt_drop(c);
            object_unref(&c->obj);
            if (n == 0) {
                for (unsigned i = 0; i < ROOTS; i++) {
                    if (root[i] == c) {
                        root[i] = NULL;
                        object_unref(&c->obj);
                    }
                }
            }
        }
        unlock();
    }
    host.current = 0;
}

static uint64_t steps(uint64_t usual)
{
    const char *text = getenv("NX_STEPS");
    return text != NULL ? strtoul(text, NULL, 0) : usual;
}

static void random_calls_of_many_cells(void **state)
{
    rng = rng_seed(12);
    struct nx_manifest m = test_manifest("child");
    m.quota_pages = 60;
    m.quota_fibers = 4;
    image_build(image, &m);
    uint64_t n = steps(300000), lives = 0;
    for (unsigned i = 0; i < ROOTS; i++) {
        make_root(i);
    }
    for (uint64_t i = 0; i < n; i++) {
        step();
        audit_sched();
        if (i % 40 == 0) {
            audit();
        }
        if (i % 64 == 0) {
            const struct cell *was = root[i / 64 % ROOTS];
            renew();
            lives += was != root[i / 64 % ROOTS];
        }
    }
    end_all();
    audit();
    assert_int_equal(cell_count, 0);
}

/* Each op, and two numbers behind the last one, with arguments nobody means. */
static void every_op_survives_wild_arguments(void **state)
{
    rng = rng_seed(13);
    for (uint64_t nr = 0; nr < NX_CALL_COUNT + 2; nr++) {
        unsigned count = nr < NX_CALL_COUNT ? ops[nr] : 1;
        for (uint64_t op = 0; op < count + 2; op++) {
            for (unsigned i = 0; i < ROOTS; i++) {
                make_root(i);
            }
            for (unsigned n = 0; n < 150; n++) {
                uint64_t a[5];
                for (unsigned k = 0; k < 5; k++) {
                    a[k] = rng_below(&rng, 4) == 0 ? argument("chalpqs"[rng_below(&rng, 7)])
                                                   : wild[rng_below(&rng, ARRAY_LEN(wild))];
                }
                (void)run(0);
                if (harts[0].fiber == NULL) {
                    end_all();
                    for (unsigned i = 0; i < ROOTS; i++) {
                        make_root(i);
                    }
                    continue;
                }
                if (harts[0].foreign != NULL) {
                    host_foreign_call();
                }
                (void)call(nr, op < count ? op : op == count ? count : ~0ul, a);
                host.time += MS / 4;
                for (unsigned h = 0; h < 4; h++) {
                    while (host_interrupt_pending(h)) {
                        interrupts(h);
                    }
                }
                hart(0);
            }
            audit();
            end_all();
            audit();
        }
    }
}

int main(void)
{
    test_boot(4, 16 * MIB);
    for (unsigned i = 0; i < 4; i++) {
        (void)run(i);
    }
    const struct CMUnitTest tests[] = {
        TEST(every_op_survives_wild_arguments),
        TEST(random_calls_of_many_cells),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
