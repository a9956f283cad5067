/* Foreign mode with garbage: in the registers, in the state area, as program.  See hostile.h. */
#include "hostile.h"

#include <nx/state.h>
#include <nx_base.h>
#include <string.h>

#define SLOT_PROGRAM 30
#define TEXT 0x10000ul /* of the foreign program */
#define DATA 0x20000ul
#define CODE ((volatile uint32_t *)(ROOM)) /* the same pages in the window */
#define A0 10

enum cause { ILLEGAL = 2, BREAKPOINT = 3, FETCH = 12, LOAD = 13, STORE = 15 };

static struct nx_state state __attribute__((aligned(NX_STATE_SIZE)));
static uint64_t space;

/* A foreign program of some instructions, with a page of data, bound to this fiber. */
static void load(const uint32_t *code, unsigned words)
{
    EXPECT(nx_make_mem(SLOT_PROGRAM, 2, 0), 0);
    EXPECT(nx_map_mem(0, ROOM, 2 * PAGE, SLOT_PROGRAM | (NX_PROT_R | NX_PROT_W) << 8, 0), 0);
    for (unsigned i = 0; i < words; i++) {
        CODE[i] = code[i];
    }
    space = (uint64_t)nx_make_space();
    EXPECT(nx_map_mem(space, TEXT, PAGE, SLOT_PROGRAM | (NX_PROT_R | NX_PROT_X) << 8, 0), 0);
    EXPECT(nx_map_mem(space, DATA, PAGE, SLOT_PROGRAM | (NX_PROT_R | NX_PROT_W) << 8, PAGE), 0);
    memset(&state, 0, sizeof(state));
    EXPECT(nx_enter_bind(space, (uint64_t)&state), 0);
}

static void unload(void)
{
    EXPECT(nx_enter_bind(0, 0), 0);
    EXPECT(nx_revoke_space(space), 0);
    EXPECT(nx_map_unmap(0, ROOM, 2 * PAGE), 0);
    drop_all();
}

/* Run it from its first instruction with this in a0; kicks from nowhere do not count. */
static long run(uint64_t pc, uint64_t a0)
{
    state.reg[0] = pc;
    state.reg[A0] = a0;
    long r;
    do {
        r = nx_enter_run();
    } while (r == NX_LEAVE_KICK);
    return r;
}

static void unbound(void)
{
    EXPECT(nx_enter_run(), -NX_EINVAL);
    EXPECT(nx_enter_fpsave(), -NX_EINVAL);
    EXPECT(nx_enter_bind(0, 0), 0);
    EXPECT(nx_enter_run(), -NX_EINVAL);
}

static void bind_nowhere(void)
{
    long s = nx_make_space();
    CHECK(s > 0);
    for (unsigned i = 0; i < wild_count; i++) {
        long want = wild[i] % NX_STATE_SIZE != 0 ? -NX_EINVAL : -NX_EFAULT;
        expect_values(nx_enter_bind((uint64_t)s, wild[i]), want, "bind", wild[i], 0);
    }
    EXPECT(nx_enter_bind((uint64_t)s, NX_SYSTABLE), -NX_EFAULT); /* not to be written */
    EXPECT(nx_enter_bind((uint64_t)s, NX_CELLINFO), -NX_EFAULT);
    EXPECT(nx_enter_bind((uint64_t)s, NX_IMAGE), -NX_EFAULT);
    EXPECT(nx_enter_bind((uint64_t)s, (uint64_t)&state + 8), -NX_EINVAL);
    EXPECT(nx_enter_run(), -NX_EINVAL);
    EXPECT(nx_revoke_space((uint64_t)s), 0);
}

/* A program may do what it likes with itself; it is told to the cell, nothing else happens. */
static void programs(void)
{
    static const struct {
        uint32_t instruction;
        long reason;
        uint64_t cause;
    } programs[] = {
        {0x00000073, NX_LEAVE_SYSCALL, 0},       /* ecall */
        {0x00000000, NX_LEAVE_TRAP, ILLEGAL},    /* none */
        {0xffffffff, NX_LEAVE_TRAP, ILLEGAL},    /* none */
        {0x00100073, NX_LEAVE_TRAP, BREAKPOINT}, /* ebreak */
        {0x10002573, NX_LEAVE_TRAP, ILLEGAL},    /* csrr a0, sstatus */
        {0x14002573, NX_LEAVE_TRAP, ILLEGAL},    /* csrr a0, sscratch */
        {0x18002573, NX_LEAVE_TRAP, ILLEGAL},    /* csrr a0, satp */
        {0x18051073, NX_LEAVE_TRAP, ILLEGAL},    /* csrw satp, a0 */
        {0x14d51073, NX_LEAVE_TRAP, ILLEGAL},    /* csrw stimecmp, a0 */
        {0x10200073, NX_LEAVE_TRAP, ILLEGAL},    /* sret */
        {0x30200073, NX_LEAVE_TRAP, ILLEGAL},    /* mret */
        {0x10500073, NX_LEAVE_TRAP, ILLEGAL},    /* wfi */
        {0x12000073, NX_LEAVE_TRAP, ILLEGAL},    /* sfence.vma */
    };
    for (unsigned i = 0; i < ARRAY_LEN(programs); i++) {
        load(&programs[i].instruction, 1);
        expect_values(run(TEXT, 0), programs[i].reason, "program", programs[i].instruction, 0);
        if (programs[i].reason == NX_LEAVE_TRAP) {
            expect_values((long)state.cause, (long)programs[i].cause, "cause",
                          programs[i].instruction, state.addr);
        }
        EXPECT(state.reg[0], TEXT + (programs[i].reason == NX_LEAVE_SYSCALL ? 4 : 0));
        unload();
    }
}

/* Neither the nucleus nor the cell's own window exists for its programs. */
static void program_addresses(void)
{
    static const uint32_t code[] = {
        0x00053583, /* ld a1, 0(a0) */
        0x00b53023, /* sd a1, 0(a0) */
        0x00050067, /* jr a0 */
    };
    static const enum cause causes[] = {LOAD, STORE, FETCH};
    const uint64_t ours[] = {NX_SYSTABLE,      NX_CELLINFO,       NX_IMAGE,
                             (uint64_t)&state, NX_STACK_TOP - 64, ROOM};
    load(code, ARRAY_LEN(code));
    for (unsigned k = 0; k < ARRAY_LEN(code); k++) {
        for (unsigned i = 0; i < wild_count + ARRAY_LEN(ours); i++) {
            uint64_t at = i < wild_count ? wild[i] : ours[i - wild_count];
            if (causes[k] == FETCH) {
                at &= ~1ul;
            }
            if (at % 8 != 0 && at % PAGE > PAGE - 8) {
                continue; /* over a page's end: which half faults is the machine's choice */
            }
            expect_values(run(TEXT + k * 4, at), NX_LEAVE_FAULT, "run", causes[k], at);
            expect_values((long)state.cause, (long)causes[k], "cause", causes[k], at);
            expect_values((long)state.addr, (long)at, "address", causes[k], at);
            if (causes[k] == FETCH) {
                expect_values(run(at, 0), NX_LEAVE_FAULT, "start at", causes[k], at);
            }
        }
    }
    /* What may not be written, what may not be executed. */
    EXPECT(run(TEXT + 4, TEXT), NX_LEAVE_FAULT);
    EXPECT(run(DATA, 0), NX_LEAVE_FAULT);
    EXPECT(state.cause, FETCH);
    unload();
}

static void garbage_state(void)
{
    static const uint32_t code[] = {0x00000073};
    load(code, ARRAY_LEN(code));
    for (unsigned round = 0; round < 64; round++) {
        uint64_t *word = (uint64_t *)&state;
        for (unsigned i = 0; i < NX_STATE_SIZE / 8; i++) {
            word[i] = round == 0 ? ~0ul : round == 1 ? wild[i % wild_count] : chance();
        }
        state.fixup = 0;
        expect_values(run(TEXT, ~0ul), NX_LEAVE_SYSCALL, "garbage, round", round, 0);
        expect_values((long)state.reg[0], TEXT + 4, "pc after round", round, 0);
        EXPECT(nx_enter_fpsave(), 0);
    }
    /* The nucleus keeps the state's page, the cell may lose it. */
    unload();
    EXPECT(nx_map_anon(0, ROOM + 8 * PAGE, PAGE, NX_PROT_R | NX_PROT_W), 0);
    struct nx_state *far = (struct nx_state *)(ROOM + 8 * PAGE);
    load(code, ARRAY_LEN(code));
    EXPECT(nx_enter_bind(space, (uint64_t)far), 0);
    far->reg[0] = TEXT;
    EXPECT(nx_map_unmap(0, ROOM + 8 * PAGE, PAGE), 0);
    long r;
    while ((r = nx_enter_run()) == NX_LEAVE_KICK) {
    }
    EXPECT(r, NX_LEAVE_SYSCALL);
    /* And the program may lose its memory. */
    EXPECT(nx_enter_bind(space, (uint64_t)&state), 0);
    EXPECT(nx_map_unmap(space, PAGE, NX_LOWER_END - PAGE), 0);
    state.fixup = 0;
    EXPECT(run(TEXT, 0), NX_LEAVE_FAULT);
    unload();
}

/* Foreign ranges: page 0 and the upper half are not to be had. */
static void foreign_ranges(void)
{
    uint64_t s = (uint64_t)nx_make_space();
    const uint64_t rw = NX_PROT_R | NX_PROT_W;
    EXPECT(nx_map_anon(s, 0, PAGE, rw), -NX_EINVAL);
    EXPECT(nx_map_anon(s, 0, NX_LOWER_END, rw), -NX_EINVAL);
    EXPECT(nx_map_anon(s, PAGE, NX_LOWER_END, rw), -NX_EINVAL);
    EXPECT(nx_map_anon(s, PAGE, NX_LOWER_END - PAGE, rw), 0);
    EXPECT(nx_map_anon(s, NX_LOWER_END - PAGE, 2 * PAGE, rw), -NX_EINVAL);
    for (unsigned i = 0; i < wild_count; i++) {
        uint64_t va = wild[i] & ~(PAGE - 1);
        if (va != 0 && va < NX_LOWER_END) {
            continue;
        }
        expect_values(nx_map_anon(s, va, PAGE, rw), -NX_EINVAL, "anon", va, 0);
        expect_values(nx_map_unmap(s, va, PAGE), -NX_EINVAL, "unmap", va, 0);
        expect_values(nx_map_protect(s, va, PAGE, rw), -NX_EINVAL, "protect", va, 0);
        expect_values(nx_map_share(s, va, PAGE, rw, NX_IMAGE), -NX_EINVAL, "share", va, 0);
        expect_values(nx_map_move(s, PAGE, PAGE, va), -NX_EINVAL, "move to", va, 0);
        expect_values(nx_map_move(s, va, PAGE, PAGE), -NX_EINVAL, "move from", va, 0);
        expect_values(nx_map_fault(s, va, 1), -NX_ENOENT, "fault", va, 0);
        expect_values(nx_map_fault(s, wild[i], 0), -NX_ENOENT, "fault", wild[i], 0);
    }
    EXPECT(nx_revoke_space(s), 0);
}

/* The cell's own access to a program's memory: a fault goes where the state says, once. */
static void fixup(void)
{
    static const uint32_t code[] = {0x00000073};
    load(code, ARRAY_LEN(code));
    uint64_t got = 1;
    __asm__ volatile("lla t0, 1f\n\tsd t0, 0(%1)\n\tld %0, 0(%2)\n\tli %0, 2\n\t1:"
                     : "+r"(got)
                     : "r"(&state.fixup), "r"(0x70000000ul)
                     : "t0", "memory");
    EXPECT(got, 1);
    EXPECT(state.fixup, 0);
    EXPECT(state.fixaddr, 0x70000000);
    unload();
}

const struct step foreign_steps[] = {
    {.name = "unbound", .run = unbound},
    {.name = "bind-nowhere", .run = bind_nowhere},
    {.name = "programs", .run = programs},
    {.name = "program-addresses", .run = program_addresses},
    {.name = "garbage-state", .run = garbage_state},
    {.name = "foreign-ranges", .run = foreign_ranges},
    {.name = "fixup", .run = fixup},
    {.name = NULL},
};
