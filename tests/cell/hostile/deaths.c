/* What must be the end of this cell, and of nothing else.  See hostile.h. */
#include "hostile.h"

#include <nx/state.h>

enum cause { ILLEGAL = 2, BREAKPOINT = 3, FETCH = 12, LOAD = 13, STORE = 15 };

#define NUCLEUS 0xffffffff80200000ul
#define DIRECT_MAP 0xffffffd080200000ul
#define OTHER_WINDOW (NX_WINDOW + (1ul << 30)) /* this cell's is one gigabyte */

/* ---- privileged instructions ---- */
#define INSTRUCTION(name, text)          \
    static void name(void)               \
    {                                    \
        __asm__ volatile(text ::: "t0"); \
    }
INSTRUCTION(read_sstatus, "csrr t0, sstatus")
INSTRUCTION(read_sscratch, "csrr t0, sscratch")
INSTRUCTION(write_satp, "csrw satp, zero")
INSTRUCTION(write_stvec, "csrw stvec, zero")
INSTRUCTION(write_sie, "csrw sie, zero")
INSTRUCTION(write_stimecmp, "csrw 0x14d, zero")
INSTRUCTION(read_mhartid, "csrr t0, mhartid")
INSTRUCTION(read_hpmcounter, "csrr t0, hpmcounter3")
INSTRUCTION(do_sret, "sret")
INSTRUCTION(do_mret, "mret")
INSTRUCTION(do_wfi, "wfi")
INSTRUCTION(do_sfence, "sfence.vma")
INSTRUCTION(do_float,
            ".word 0xf2000053") /* fmv.d.x ft0, zero: native cells have no such registers */
INSTRUCTION(no_instruction, ".word 0")
INSTRUCTION(do_ebreak, "ebreak")

/* ---- memory ---- */
#define ACCESS(name, address)                             \
    static void read_##name(void)                         \
    {                                                     \
        (void)*(volatile uint64_t *)(uintptr_t)(address); \
    }                                                     \
    static void write_##name(void)                        \
    {                                                     \
        *(volatile uint64_t *)(uintptr_t)(address) = 0;   \
    }                                                     \
    static void jump_##name(void)                         \
    {                                                     \
        ((void (*)(void))(uintptr_t)(address))();         \
    }
ACCESS(nucleus, NUCLEUS)
ACCESS(direct_map, DIRECT_MAP)
ACCESS(other_window, OTHER_WINDOW)
ACCESS(lower, 0x10000ul)
ACCESS(nowhere, 0x0000800000000000ul)

static void write_systable(void)
{
    *(volatile uint64_t *)NX_SYSTABLE = 0;
}

static void jump_data(void)
{
    static uint64_t code[2] = {0x0000806700008067ul, 0};
    ((void (*)(void))(uintptr_t)code)();
}

static void unmap_own_code(void)
{
    raw_call(NX_CALL_MAP, NX_MAP_UNMAP, 0, (uint64_t)raw_call & ~(PAGE - 1), PAGE, 0, 0);
}

static void unmap_systable(void)
{
    nx_map_unmap(0, NX_SYSTABLE, PAGE);
    (void)nx_tick_now(); /* whose address is there */
}

static void unmap_window(void)
{
    nx_map_unmap(0, NX_WINDOW, 1ul << 30);
}

static void overflow_stack(void)
{
    /* Down to the guard page, past which the stack does not grow. */
    for (uint64_t at = NX_STACK_TOP - PAGE; at > NX_STACK_TOP - 2 * NX_STACK_SIZE; at -= PAGE) {
        (void)*(volatile uint64_t *)at;
    }
}

/* Memory that was promised and cannot be given. */
static void overdraw(void)
{
    nx_map_anon(0, ROOM, 512 * PAGE, NX_PROT_R | NX_PROT_W);
    for (uint64_t i = 0; i < 512; i++) {
        *(volatile uint64_t *)(ROOM + i * PAGE) = i;
    }
}

/* ---- fibers ---- */

static void wait_for_the_end(void)
{
    nx_tick_sleep(after_ms(5000));
}

static void body(uint64_t arg)
{
    volatile uint64_t local = arg;
    (void)local;
    nx_exit_fiber(0);
}

static void fiber_without_stack(void)
{
    nx_spawn_fiber((uint64_t)body, NUCLEUS, 1, NX_TIER_MATTER);
    wait_for_the_end();
}

static void fiber_in_data(void)
{
    static uint64_t data[4];
    nx_spawn_fiber((uint64_t)data, NX_STACK_TOP, 0, NX_TIER_MATTER);
    wait_for_the_end();
}

static void busy(uint64_t arg)
{
    for (;;) {
        if (arg % 2 == 0) {
            nx_map_anon(0, ROOM + arg * 8 * PAGE, PAGE, NX_PROT_R | NX_PROT_W);
            nx_map_fault(0, ROOM + arg * 8 * PAGE, 1);
        }
    }
}

/* The end while others of its fibers run, on other harts if there are any. */
static void end_among_busy_fibers(void)
{
    for (unsigned i = 0; i < 6; i++) {
        start_fiber(i, busy, i);
    }
    nx_tick_sleep(after_ms(20));
    cell_exit(0xb5);
}

/* The last fiber's end is the cell's. */
static void last_fiber(void)
{
    nx_exit_fiber(7);
}

/* ---- foreign mode ---- */

static struct nx_state state __attribute__((aligned(NX_STATE_SIZE)));

static void bad_fixup(void)
{
    uint64_t s = (uint64_t)nx_make_space();
    nx_enter_bind(s, (uint64_t)&state);
    *(volatile uint64_t *)&state.fixup = NUCLEUS;
    (void)*(volatile uint64_t *)0x10000ul;
}

static void die_bound(void)
{
    uint64_t s = (uint64_t)nx_make_space();
    nx_map_anon(s, 0x10000, 16 * PAGE, NX_PROT_R | NX_PROT_W);
    nx_enter_bind(s, (uint64_t)&state);
    *(volatile uint64_t *)0x10000ul = 1;   /* that is there */
    (void)*(volatile uint64_t *)0x50000ul; /* that is not */
}

/* A long life: the supervisor forgets the deaths before it, or it would soon lose patience. */
static void live_long(void)
{
    nx_tick_sleep(after_ms(10500));
}

#define FAULT(cause) .why = NX_WHY_FAULT, .code = (cause)
const struct step death_steps[] = {
    {.name = "csrr-sstatus", .run = read_sstatus, FAULT(ILLEGAL)},
    {.name = "csrr-sscratch", .run = read_sscratch, FAULT(ILLEGAL)},
    {.name = "csrw-satp", .run = write_satp, FAULT(ILLEGAL)},
    {.name = "csrw-stvec", .run = write_stvec, FAULT(ILLEGAL)},
    {.name = "csrw-sie", .run = write_sie, FAULT(ILLEGAL)},
    {.name = "csrw-stimecmp", .run = write_stimecmp, FAULT(ILLEGAL)},
    {.name = "csrr-mhartid", .run = read_mhartid, FAULT(ILLEGAL)},
    {.name = "csrr-hpmcounter", .run = read_hpmcounter, FAULT(ILLEGAL)},
    {.name = "sret", .run = do_sret, FAULT(ILLEGAL)},
    {.name = "mret", .run = do_mret, FAULT(ILLEGAL)},
    {.name = "wfi", .run = do_wfi, FAULT(ILLEGAL)},
    {.name = "sfence", .run = do_sfence, FAULT(ILLEGAL)},
    {.name = "live-long", .run = live_long},
    {.name = "float", .run = do_float, FAULT(ILLEGAL)},
    {.name = "no-instruction", .run = no_instruction, FAULT(ILLEGAL)},
    {.name = "ebreak", .run = do_ebreak, FAULT(BREAKPOINT)},
    {.name = "read-nucleus", .run = read_nucleus, FAULT(LOAD)},
    {.name = "write-nucleus", .run = write_nucleus, FAULT(STORE)},
    {.name = "jump-nucleus", .run = jump_nucleus, FAULT(FETCH)},
    {.name = "read-direct-map", .run = read_direct_map, FAULT(LOAD)},
    {.name = "write-direct-map", .run = write_direct_map, FAULT(STORE)},
    {.name = "jump-direct-map", .run = jump_direct_map, FAULT(FETCH)},
    {.name = "read-other-window", .run = read_other_window, FAULT(LOAD)},
    {.name = "write-other-window", .run = write_other_window, FAULT(STORE)},
    {.name = "jump-other-window", .run = jump_other_window, FAULT(FETCH)},
    {.name = "read-lower", .run = read_lower, FAULT(LOAD)},
    {.name = "write-lower", .run = write_lower, FAULT(STORE)},
    {.name = "jump-lower", .run = jump_lower, FAULT(FETCH)},
    {.name = "read-nowhere", .run = read_nowhere, FAULT(LOAD)},
    {.name = "write-nowhere", .run = write_nowhere, FAULT(STORE)},
    {.name = "jump-nowhere", .run = jump_nowhere, FAULT(FETCH)},
    {.name = "write-systable", .run = write_systable, FAULT(STORE)},
    {.name = "jump-data", .run = jump_data, FAULT(FETCH)},
    {.name = "unmap-own-code", .run = unmap_own_code, FAULT(FETCH)},
    {.name = "unmap-systable", .run = unmap_systable, FAULT(LOAD)},
    {.name = "unmap-window", .run = unmap_window, FAULT(FETCH)},
    {.name = "overflow-stack", .run = overflow_stack, FAULT(LOAD)},
    {.name = "overdraw", .run = overdraw, FAULT(STORE)},
    {.name = "fiber-without-stack", .run = fiber_without_stack, FAULT(STORE)},
    {.name = "fiber-in-data", .run = fiber_in_data, FAULT(FETCH)},
    {.name = "end-among-busy-fibers",
     .run = end_among_busy_fibers,
     .why = NX_WHY_EXIT,
     .code = 0xb5},
    {.name = "last-fiber", .run = last_fiber, .why = NX_WHY_EXIT, .code = 0},
    {.name = "bad-fixup", .run = bad_fixup, FAULT(FETCH)},
    {.name = "die-bound", .run = die_bound, FAULT(LOAD)},
    {.name = NULL},
};
