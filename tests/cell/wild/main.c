/* Test cell "wild": goes wrong in one way a life, and must come to the same end isolated and fused.
 *
 * Life n does step n-1.  It logs `try NAME why W code C` before a step that must end it, `ok NAME` after
 * one that must not, and `wild ends: N steps` when there are no more; tests/system/fused_cell.py reads
 * that.  What a fused cell may do and an isolated one may not - write the nucleus' memory - is not done:
 * nothing would be left to tell of it.
 */
#include <nexus/cell.h>
#include <nx/manifest.h>
#include <nx/state.h>
#include <nx/sys.h>
#include <nx_base.h>
#include <stdbool.h>

NX_MANIFEST manifest = {
    .magic = NX_MANIFEST_MAGIC,
    .name = "wild",
    .tier = NX_TIER_GRAVITY,
    .placement = NX_PLACE_ISOLATED,
    .restart = NX_RESTART_ALWAYS,
    .backoff_ms = 1,
    .pledge = NX_PLEDGE_ALL & ~(NX_PLEDGE_SPAWN | NX_PLEDGE_MAKE | NX_PLEDGE_GRANT),
    .window_gb = 1,
    .quota_pages = 64,
    .quota_fibers = 4,
    .quota_spaces = 1,
};

#define FETCH 12
#define LOAD 13
#define STORE 15
#define NUCLEUS_TEXT 0xffffffff80201000ul
#define NUCLEUS_MEMORY 0xffffffd080200000ul /* the direct map: data, no code */
#define LOW 0x10000ul

static bool fused;
static uint32_t page[1024] __attribute__((aligned(4096))) = {0x00008067}; /* ret */
static struct nx_state state __attribute__((aligned(1024)));

static void __attribute__((noipa)) jump(uint64_t to)
{
    ((void (*)(void))to)();
}

static void reads_the_lower_half(void)
{
    (void)*(volatile uint64_t *)LOW;
}
static void reads_a_hole(void)
{
    (void)*(volatile uint64_t *)(NX_WINDOW + 0x3ffff000);
}
static void reads_behind_the_window(void)
{
    (void)*(volatile uint64_t *)(NX_WINDOW + (1ul << 30));
}
static void writes_its_code(void)
{
    *(volatile uint32_t *)(uintptr_t)jump = 0;
}
static void writes_the_nucleus_code(void)
{
    *(volatile uint32_t *)NUCLEUS_TEXT = 0;
}
static void executes_its_data(void)
{
    jump((uint64_t)page);
}
static void executes_the_nucleus_data(void)
{
    jump(NUCLEUS_MEMORY);
}
static void jumps_to_nothing(void)
{
    jump(8);
}
static void executes_rubbish(void)
{
    __asm__ volatile(".4byte 0");
}
static void meets_a_breakpoint(void)
{
    __asm__ volatile("ebreak");
}
static unsigned __attribute__((noipa)) deeper(volatile unsigned *n)
{
    volatile unsigned here[64] = {*n + 1};
    return here[0] == 0 ? 0 : deeper(here) + here[0]; /* no end in sight */
}
static void runs_out_of_stack(void)
{
    volatile unsigned n = 0;
    (void)deeper(&n);
}

/* A program's page, executable for it: an isolated cell is user mode too and may, a fused one may not.
 * It must not be read first: QEMU's translation cache would then let supervisor mode execute it. */
static void executes_a_program(void)
{
    long s = nx_make_space();
    if (s < 0 || nx_enter_bind((uint64_t)s, (uint64_t)&state) != 0 ||
        nx_map_share((uint64_t)s, LOW, NX_PAGE_SIZE, NX_PROT_R | NX_PROT_X, (uint64_t)page) != 1) {
        cell_panic("no program");
    }
    jump(LOW);
    cell_exit(7);
}

/* The nucleus' own access to the program's half has a way out; so has the cell's. */
static void is_caught_by_its_fixup(void)
{
    long s = nx_make_space();
    uint64_t got = 1;
    if (s < 0 || nx_enter_bind((uint64_t)s, (uint64_t)&state) != 0) {
        cell_panic("no program");
    }
    __asm__ volatile("   lla t0, 1f\n"
                     "   sd t0, 0(%1)\n"
                     "   ld %0, 0(%2)\n"
                     "1:"
                     : "+r"(got)
                     : "r"(&state.fixup), "r"(LOW)
                     : "t0", "memory");
    if (got != 1 || state.fixaddr != LOW || state.fixup != 0) {
        cell_panic("not ok: no fix-up");
    }
}

/* Fibers that make no calls share a hart with each other and the rest of the system. */
static volatile uint64_t turns[3];
static uint8_t stack[2][4096] __attribute__((aligned(16)));

static void spinner(uint64_t n)
{
    uint64_t end = cell_now() + cell_ticks_of_ms(600);
    while (cell_now() < end) {
        turns[n]++;
    }
    if (n != 0) {
        nx_exit_fiber(0);
    }
}

static void is_preempted(void)
{
    for (uint64_t n = 1; n < 3; n++) {
        uint64_t sp = (uint64_t)stack[n - 1] + sizeof(stack[0]);
        if (nx_spawn_fiber((uint64_t)spinner, sp, n, NX_TIER_GRAVITY) < 0) {
            cell_panic("no fiber");
        }
    }
    spinner(0);
    while (nx_meta_cell(NX_SELF, NX_CELL_FIBERS) > 1) {
        nx_tick_sleep(cell_now() + cell_ticks_of_ms(10));
    }
    if (turns[0] == 0 || turns[1] == 0 || turns[2] == 0) {
        cell_panic("not ok: somebody never ran");
    }
}

static const struct {
    const char *name;
    void (*run)(void);
    unsigned why; /* NONE: it goes on */
    unsigned long code, code_fused;
} steps[] = {
    {"reads-the-lower-half", reads_the_lower_half, NX_WHY_FAULT, LOAD, LOAD},
    {"reads-a-hole", reads_a_hole, NX_WHY_FAULT, LOAD, LOAD},
    {"reads-behind-the-window", reads_behind_the_window, NX_WHY_FAULT, LOAD, LOAD},
    {"writes-its-code", writes_its_code, NX_WHY_FAULT, STORE, STORE},
    {"writes-the-nucleus-code", writes_the_nucleus_code, NX_WHY_FAULT, STORE, STORE},
    {"executes-its-data", executes_its_data, NX_WHY_FAULT, FETCH, FETCH},
    {"executes-the-nucleus-data", executes_the_nucleus_data, NX_WHY_FAULT, FETCH, FETCH},
    {"jumps-to-nothing", jumps_to_nothing, NX_WHY_FAULT, FETCH, FETCH},
    {"executes-rubbish", executes_rubbish, NX_WHY_FAULT, 2, 2},
    {"meets-a-breakpoint", meets_a_breakpoint, NX_WHY_FAULT, 3, 3},
    {"runs-out-of-stack", runs_out_of_stack, NX_WHY_FAULT, STORE, STORE},
    {"executes-a-program", executes_a_program, NX_WHY_FAULT, 7, FETCH},
    {"is-caught-by-its-fixup", is_caught_by_its_fixup, NX_WHY_NONE, 0, 0},
    {"is-preempted", is_preempted, NX_WHY_NONE, 0, 0},
};

int cell_main(const struct nx_cellinfo *info)
{
    fused = info->placement == NX_PLACE_FUSED;
    for (unsigned n = info->generation - 1; n < ARRAY_LEN(steps); n++) {
        if (steps[n].why == NX_WHY_NONE) {
            steps[n].run();
            cell_log("ok %s", steps[n].name);
            continue;
        }
        bool survives = steps[n].run == executes_a_program && !fused;
        cell_log("try %s why %u code %#lx", steps[n].name,
                 survives ? (unsigned)NX_WHY_EXIT : steps[n].why,
                 fused ? steps[n].code_fused : steps[n].code);
        steps[n].run();
        cell_panic("not ok %s: survived", steps[n].name);
    }
    cell_log("wild ends: %u steps", (unsigned)ARRAY_LEN(steps));
    for (;;) {
        nx_tick_sleep(NX_NEVER);
    }
}
