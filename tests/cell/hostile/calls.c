/* Calls that do not exist, wild arguments to those that do, and random ones.  See hostile.h. */
#include "hostile.h"

#include <nx_base.h>

/* ---- numbers ---- */

static void unknown_calls(void)
{
    static const uint64_t numbers[] = {NX_CALL_COUNT, 14,         63,       93,         221,
                                       0x10,          0x53525354, 0x735049, 0x7fffffff, 0x80000000,
                                       1ul << 32,     1ul << 63,  ~0ul};
    for (unsigned i = 0; i < ARRAY_LEN(numbers); i++) {
        for (unsigned w = 0; w < wild_count; w++) {
            expect_values(CALL(numbers[i], wild[w], wild[w], wild[w]), -NX_ENOSYS, "call",
                          numbers[i], wild[w]);
        }
    }
}

static void unknown_ops(void)
{
    static const struct {
        uint64_t nr, ops;
        long error;
    } calls[] = {
        {NX_CALL_SPAWN, NX_SPAWN_OPS, -NX_EPERM}, /* the pledge is looked at first */
        {NX_CALL_EXIT, NX_EXIT_OPS, -NX_ENOSYS},
        {NX_CALL_MAKE, NX_MAKE_OPS, -NX_ENOSYS},
        {NX_CALL_MAP, NX_MAP_OPS, -NX_ENOSYS},
        {NX_CALL_GRANT, NX_GRANT_OPS, -NX_ENOSYS},
        {NX_CALL_REVOKE, NX_REVOKE_OPS, -NX_ENOSYS},
        {NX_CALL_SEND, NX_SEND_OPS, -NX_ENOSYS},
        {NX_CALL_RECV, NX_RECV_OPS, -NX_ENOSYS},
        {NX_CALL_TICK, NX_TICK_OPS, -NX_ENOSYS},
        {NX_CALL_MASK, NX_MASK_OPS, -NX_ENOSYS},
        {NX_CALL_ENTER, NX_ENTER_OPS, -NX_ENOSYS},
        {NX_CALL_CHECKPOINT, NX_CHECKPOINT_OPS, -NX_ENOSYS},
        {NX_CALL_META, NX_META_OPS, -NX_ENOSYS},
    };
    _Static_assert(ARRAY_LEN(calls) == NX_CALL_COUNT, "every call is here");
    for (unsigned i = 0; i < ARRAY_LEN(calls); i++) {
        const uint64_t ops[] = {calls[i].ops, calls[i].ops + 1, 255, 1ul << 32, ~0ul};
        for (unsigned k = 0; k < ARRAY_LEN(ops); k++) {
            /* map looks at the space and the range first. */
            expect_values(CALL(calls[i].nr, ops[k], 0, ROOM, PAGE), calls[i].error, "call",
                          calls[i].nr, ops[k]);
        }
    }
}

/* ---- addresses ---- */

static bool page_is_ours(uint64_t va)
{
    return va >= NX_WINDOW && va < NX_WINDOW + (1ul << 30);
}

static void wild_texts(void)
{
    for (unsigned i = 0; i < wild_count; i++) {
        expect_values(nx_meta_log(wild[i], 16, NX_LOG_INFO), -NX_EFAULT, "log", wild[i], 16);
        expect_values(nx_checkpoint_load(wild[i], 4), -NX_EFAULT, "load", wild[i], 4);
        expect_values(nx_meta_log(wild[i], 257, NX_LOG_INFO), -NX_EINVAL, "log", wild[i], 257);
        expect_values(nx_meta_log(wild[i], wild[i] | 1ul << 32, NX_LOG_INFO), -NX_EINVAL, "log",
                      wild[i], wild[i]);
    }
    /* What may be read and not written, and what begins well and does not end so. */
    EXPECT(nx_checkpoint_load(NX_SYSTABLE, 4), -NX_EFAULT);
    EXPECT(nx_checkpoint_load(NX_CELLINFO, 4), -NX_EFAULT);
    EXPECT(nx_checkpoint_load((uint64_t)wild_texts, 4), -NX_EFAULT);
    EXPECT(nx_map_anon(0, ROOM, PAGE, NX_PROT_R | NX_PROT_W), 0);
    EXPECT(nx_meta_log(ROOM + PAGE - 8, 16, NX_LOG_INFO), -NX_EFAULT);
    EXPECT(nx_checkpoint_load(ROOM + PAGE - 2, 4), -NX_EFAULT);
    EXPECT(nx_map_protect(0, ROOM, PAGE, 0), 0);
    EXPECT(nx_meta_log(ROOM, 16, NX_LOG_INFO), -NX_EFAULT);
    EXPECT(nx_map_unmap(0, ROOM, PAGE), 0);
    /* A state that cannot be saved whole is not saved: main.c saves anew before the next step. */
    EXPECT(nx_checkpoint_save(ROOM, 0), -NX_EINVAL);
    EXPECT(nx_checkpoint_save(ROOM, 32769), -NX_EINVAL);
    EXPECT(nx_checkpoint_save(ROOM, ~0ul), -NX_EINVAL);
    for (unsigned i = 0; i < wild_count; i++) {
        expect_values(nx_checkpoint_save(wild[i], 4), -NX_EFAULT, "save", wild[i], 4);
    }
}

static void wild_maps(void)
{
    EXPECT(nx_make_mem(SLOT_FREE, 2, 0), 0);
    const uint64_t rw = NX_PROT_R | NX_PROT_W;
    for (unsigned i = 0; i < wild_count; i++) {
        uint64_t va = wild[i] & ~(PAGE - 1);
        bool ours = page_is_ours(va);
        if (!ours) {
            expect_values(nx_map_anon(0, va, PAGE, rw), -NX_EINVAL, "anon", va, 0);
            expect_values(nx_map_mem(0, va, PAGE, SLOT_FREE | rw << 8, 0), -NX_EINVAL, "mem", va,
                          0);
            expect_values(nx_map_share(0, va, PAGE, rw, NX_IMAGE), -NX_EINVAL, "share to", va, 0);
            expect_values(nx_map_unmap(0, va, PAGE), -NX_EINVAL, "unmap", va, 0);
            expect_values(nx_map_protect(0, va, PAGE, rw), -NX_EINVAL, "protect", va, 0);
            expect_values(nx_map_move(0, va, PAGE, ROOM), -NX_EINVAL, "move from", va, 0);
            expect_values(nx_map_move(0, ROOM, PAGE, va), -NX_EINVAL, "move to", va, 0);
        }
        if (!ours || va == ROOM) {
            expect_values(nx_map_fault(0, va, 1), -NX_ENOENT, "fault", va, 1);
        }
        if (!ours) {
            expect_values(nx_map_share(0, ROOM, PAGE, rw, va), -NX_EINVAL, "share from", va, 0);
        }
        /* Not aligned, empty, past the end, around the end of all addresses. */
        expect_values(nx_map_anon(0, va + 8, PAGE, rw), -NX_EINVAL, "anon", va + 8, PAGE);
        expect_values(nx_map_anon(0, va, 0, rw), -NX_EINVAL, "anon", va, 0);
        expect_values(nx_map_unmap(0, va, 8), -NX_EINVAL, "unmap", va, 8);
        expect_values(nx_map_unmap(0, va, (1ul << 30) + PAGE), -NX_EINVAL, "unmap", va, 1ul << 30);
        expect_values(nx_map_unmap(0, va, 0ul - PAGE), -NX_EINVAL, "unmap", va, 0ul - PAGE);
        expect_values(nx_map_protect(0, va, 0ul - va, 0), -NX_EINVAL, "protect", va, 0ul - va);
    }
    EXPECT(nx_map_anon(0, ROOM, PAGE, 8), -NX_EINVAL);
    EXPECT(nx_map_anon(0, ROOM, PAGE, ~0ul), -NX_EINVAL);
    EXPECT(nx_map_share(0, ROOM, PAGE, 64, NX_IMAGE), -NX_EINVAL);
    /* Memory: more than there is of it. */
    EXPECT(nx_map_mem(0, ROOM, PAGE, SLOT_FREE | rw << 8, 2 * PAGE), -NX_EINVAL);
    EXPECT(nx_map_mem(0, ROOM, 3 * PAGE, SLOT_FREE | rw << 8, 0), -NX_EINVAL);
    EXPECT(nx_map_mem(0, ROOM, PAGE, SLOT_FREE | rw << 8, 0ul - PAGE), -NX_EINVAL);
    EXPECT(nx_map_mem(0, ROOM, PAGE, SLOT_FREE | rw << 8, 1), -NX_EINVAL);
    EXPECT(nx_map_mem(0, ROOM, PAGE, SLOT_FREE | 1 << 11, 0), -NX_EINVAL);
    EXPECT(nx_map_mem(0, ROOM, PAGE, 1ul << 32 | SLOT_FREE, 0), -NX_EINVAL);
    EXPECT(nx_meta_phys(SLOT_FREE, 2 * PAGE), -NX_EINVAL);
    EXPECT(nx_meta_phys(SLOT_FREE, ~0ul), -NX_EINVAL);
    drop_all();
}

static void wild_fibers(void)
{
    static uint8_t stack[64] __attribute__((aligned(16)));
    for (unsigned i = 0; i < wild_count; i++) {
        if (!page_is_ours(wild[i])) {
            expect_values(nx_spawn_fiber(wild[i], (uint64_t)stack, 0, NX_TIER_MATTER), -NX_EINVAL,
                          "fiber at", wild[i], 0);
        }
        expect_values(nx_tick_tier(0, wild[i] | 4), -NX_EINVAL, "tier", wild[i] | 4, 0);
        expect_values(nx_spawn_fiber(NX_IMAGE, (uint64_t)stack, 0, wild[i] | 8), -NX_EINVAL,
                      "fiber of tier", wild[i] | 8, 0);
    }
    EXPECT(nx_spawn_fiber(NX_IMAGE, (uint64_t)stack, 0, NX_TIER_PHOTON), -NX_EINVAL);
    EXPECT(nx_tick_tier(0, NX_TIER_PHOTON), -NX_EINVAL);
    EXPECT(nx_tick_period(0, 1000, 10, 0), -NX_EPERM);
    EXPECT(nx_tick_period(0, 0, 0, 0), -NX_EINVAL);
    EXPECT(nx_tick_period(0, 10, ~0ul, 0), -NX_EINVAL);
    EXPECT(nx_tick_period(0, 10, 1, 10), -NX_EINVAL);
    EXPECT(nx_tick_period(0, ~0ul, 1, 0), -NX_EINVAL);
    EXPECT(nx_tick_release(), -NX_EINVAL);
}

static void meta_numbers(void)
{
    for (unsigned i = 0; i < wild_count; i++) {
        uint64_t what = wild[i] | 64;
        expect_values(nx_meta_cell(NX_SELF, what), -NX_EINVAL, "cell", what, 0);
        expect_values(nx_meta_fiber(0, what), -NX_EINVAL, "fiber", what, 0);
        expect_values(nx_meta_space(0, what), -NX_EINVAL, "space", what, 0);
        expect_values(nx_meta_machine(what), -NX_EINVAL, "machine", what, 0);
        expect_values(nx_meta_hart(what, NX_HART_CLASS), -NX_EINVAL, "hart", what, 0);
        expect_values(nx_meta_hart(0, what), -NX_EINVAL, "hart", what, 0);
        /* What others do is nobody's business without the pledge. */
        expect_values(nx_meta_stat(wild[i]), -NX_EPERM, "stat", wild[i], 0);
        expect_values(nx_meta_readlog(wild[i], 64, 0), -NX_EPERM, "readlog", wild[i], 0);
        expect_values(nx_meta_beb(wild[i], 64, 0), -NX_EPERM, "beb", wild[i], 0);
    }
}

/* ---- registers: nothing of the nucleus may be left in them ---- */

static uint64_t registers[32];

static void no_register_leaks(void)
{
    static const struct {
        uint64_t nr, op, a1, a2;
    } calls[] = {
        {NX_CALL_TICK, NX_TICK_NOW, 0, 0},
        {NX_CALL_TICK, NX_TICK_YIELD, 0, 0},
        {NX_CALL_TICK, NX_TICK_SLEEP, 1, 0},
        {NX_CALL_META, NX_META_VERSION, 0, 0},
        {NX_CALL_MAP, NX_MAP_ANON, 0, ROOM},
        {NX_CALL_RECV, NX_RECV_WAIT, 0, 0},
        {NX_CALL_SEND, NX_SEND_BELL, SLOT_OUT, 0},
        {NX_CALL_GRANT, NX_GRANT_DROP, 99, 0},
        {NX_CALL_ENTER, NX_ENTER_RUN, 0, 0},
        {NX_CALL_SPAWN, NX_SPAWN_CELL, 0, 0},
        {NX_CALL_CHECKPOINT, 99, 0, 0},
        {NX_CALL_COUNT, 0, 0, 0},
        {NX_CALL_TICK, NX_TICK_SLEEP, 0, 0},
        {NX_CALL_RECV, NX_RECV_WAIT, 0, 1},
    };
    for (unsigned i = 0; i < ARRAY_LEN(calls); i++) {
        uint64_t nr = calls[i].nr, op = calls[i].op, a1 = calls[i].a1, a2 = calls[i].a2;
        if (nr == NX_CALL_TICK && op == NX_TICK_SLEEP && a1 != 0) {
            a1 = after_ms(2);
        }
        if (nr == NX_CALL_RECV && a2 != 0) {
            a2 = after_ms(2);
        }
        register uint64_t r0 __asm__("a0") = op;
        register uint64_t r1 __asm__("a1") = a1;
        register uint64_t r2 __asm__("a2") = a2;
        register uint64_t r7 __asm__("a7") = nr;
        register uint64_t *to __asm__("s1") = registers;
        __asm__ volatile(
            "li a3, 0\n\tli a4, 0\n\tli a5, 0\n\t"
            "lla ra, 1f\n\tecall\n1:\t"
            "sd x1, 8(s1)\n\tsd x3, 24(s1)\n\tsd x4, 32(s1)\n\tsd x5, 40(s1)\n\t"
            "sd x6, 48(s1)\n\tsd x7, 56(s1)\n\tsd x8, 64(s1)\n\tsd x10, 80(s1)\n\t"
            "sd x11, 88(s1)\n\tsd x12, 96(s1)\n\tsd x13, 104(s1)\n\tsd x14, 112(s1)\n\t"
            "sd x15, 120(s1)\n\tsd x16, 128(s1)\n\tsd x17, 136(s1)\n\tsd x28, 224(s1)\n\t"
            "sd x29, 232(s1)\n\tsd x30, 240(s1)\n\tsd x31, 248(s1)"
            : "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r7)
            : "r"(to)
            : "memory", "ra", "a3", "a4", "a5", "a6", "t0", "t1", "t2", "t3", "t4", "t5", "t6");
        for (unsigned r = 1; r < 32; r++) {
            /* An error is a small negative number; an address of the nucleus is not that small. */
            bool leak = registers[r] >= 0xffffffd000000000ul && registers[r] < 0xfffffffffffff000ul;
            expect_values(leak, false, "nucleus address in register", r, registers[r]);
        }
    }
}

/* ---- random calls ---- */

#define ROUNDS 20
#define ROUND 1000
#define FUZZERS 4

static uint64_t random_value(void)
{
    uint64_t r = chance();
    switch (r % 8) {
    case 0:
        return wild[r / 8 % wild_count];
    case 1:
        return wild[r / 8 % wild_count] & ~(PAGE - 1);
    case 2:
        return ROOM + (r / 8 % 64) * PAGE;
    case 3:
        return (r / 8 % 16) * PAGE;
    case 4:
        return SLOT_FREE + r / 8 % 8;
    case 5:
        return 1ul << (r / 8 % 64);
    case 6:
        return r / 8 % 16;
    default:
        return r;
    }
}

/* Would it end this cell, or keep it from going on, as it may? */
static bool spoils(uint64_t nr, uint64_t op, const uint64_t *a)
{
    bool low = false;
    for (unsigned i = 0; i < 5; i++) {
        low |= a[i] - NX_WINDOW < ROOM - NX_WINDOW;
    }
    switch (nr) {
    case NX_CALL_EXIT:
        return true;
    case NX_CALL_RECV: /* waits for long, or for ever */
        return op == NX_RECV_SERVE || a[1] > 1ul << 20;
    case NX_CALL_TICK:
        return op == NX_TICK_SLEEP && a[0] > 1ul << 20;
    case NX_CALL_MASK:
        return true;
    case NX_CALL_CHECKPOINT:
        return true;
    case NX_CALL_MAP:
        return low;
    case NX_CALL_SPAWN:
        return page_is_ours(a[0]);
    case NX_CALL_GRANT:
        return a[0] == SLOT_OUT || a[0] == SLOT_IN || a[1] == SLOT_OUT || a[1] == SLOT_IN;
    case NX_CALL_META:
        return op == NX_META_LOG && a[1] < 256;
    default:
        return false;
    }
}

/* One fiber that calls at random, with spaces of its own: what is bound to one does not let it end. */
struct fuzzer {
    uint64_t space[QUOTA_SPACES / FUZZERS];
};
static struct fuzzer fuzzers[FUZZERS];

static void end_space(uint64_t *space)
{
    if (*space != 0 && nx_revoke_space(*space) == -NX_EBUSY) {
        EXPECT(nx_enter_bind(0, 0), 0);
        EXPECT(nx_revoke_space(*space), 0);
    }
    *space = 0;
}

static void random_call(struct fuzzer *f)
{
    uint64_t a[5], nr = chance() % NX_CALL_COUNT, op = chance() % 9;
    for (unsigned i = 0; i < 5; i++) {
        a[i] = random_value();
    }
    if (spoils(nr, op, a)) {
        return;
    }
    uint64_t *space = &f->space[chance() % ARRAY_LEN(f->space)];
    bool spacy = nr == NX_CALL_MAP || nr == NX_CALL_REVOKE || nr == NX_CALL_ENTER;
    if (spacy && chance() % 2 == 0) {
        a[0] = *space;
    }
    if (nr == NX_CALL_MAP && a[0] == 0 && a[2] > 64 * PAGE) {
        a[2] = PAGE;
    }
    long r = raw_call(nr, op, a[0], a[1], a[2], a[3], a[4]);
    if (nr == NX_CALL_MAKE && op == NX_MAKE_SPACE && r > 0) {
        end_space(space);
        *space = (uint64_t)r;
    }
}

static void fuzz(struct fuzzer *f)
{
    for (unsigned round = 0; round < ROUNDS; round++) { /* not always in the same corner */
        for (unsigned i = 0; i < ROUND; i++) {
            random_call(f);
        }
        drop_all();
        for (unsigned i = 0; i < ARRAY_LEN(f->space); i++) {
            end_space(&f->space[i]);
        }
        EXPECT(nx_map_unmap(0, ROOM, NX_WINDOW + (1ul << 30) - ROOM), 0);
    }
}

static void end_of_fuzz(void)
{
    nx_recv_wait(0, 0); /* it may have kicked itself */
    EXPECT(nx_tick_tier(0, NX_TIER_MATTER), 0);
    EXPECT(nx_meta_version(), NX_ABI_VERSION);
}

static void random_calls(void)
{
    fuzz(&fuzzers[0]);
    end_of_fuzz();
}

static void fuzzing_fiber(uint64_t n)
{
    fuzz(&fuzzers[n]);
    nx_exit_fiber(0);
}

static void random_calls_together(void)
{
    for (unsigned n = 1; n < FUZZERS; n++) {
        CHECK(start_fiber(n, fuzzing_fiber, n) > 0);
    }
    fuzz(&fuzzers[0]);
    nx_tick_tier(0, NX_TIER_MATTER);
    CHECK(wait_for_fibers(1));
    drop_all();
    EXPECT(nx_map_unmap(0, ROOM, NX_WINDOW + (1ul << 30) - ROOM), 0);
    end_of_fuzz();
}

const struct step call_steps[] = {
    {.name = "unknown-calls", .run = unknown_calls},
    {.name = "unknown-ops", .run = unknown_ops},
    {.name = "wild-texts", .run = wild_texts},
    {.name = "wild-maps", .run = wild_maps},
    {.name = "wild-fibers", .run = wild_fibers},
    {.name = "meta-numbers", .run = meta_numbers},
    {.name = "no-register-leaks", .run = no_register_leaks},
    {.name = "random-calls", .run = random_calls},
    {.name = "random-calls-together", .run = random_calls_together},
    {.name = NULL},
};
