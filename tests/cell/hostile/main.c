/* The steps of the hostile cell, in order, over as many lives as it takes.  See hostile.h. */
#include "hostile.h"

#include <nx_base.h>

#define FIRST_AFTER_MS 1500 /* the shell should be up: whoever watches reads the log through it */
#define PACE_MS 20          /* between steps: the log is short and has to be read meanwhile */

/* ---- addresses ---- */

const uint64_t wild[] = {
    0,
    1,
    0xfff,
    0x1000,
    0x80200000,
    NX_LOWER_END - 8,
    NX_LOWER_END,
    0x0000800000000000,
    0x7ffffffffffffff8,
    0x8000000000000000,
    0xffffffbffffffff8,
    ROOM,
    NX_STACK_TOP - NX_STACK_SIZE - PAGE,
    NX_WINDOW + 0x2000,
    NX_WINDOW + 0x3ffffff8,
    NX_WINDOW + 0x40000000,
    NX_WINDOW + 0x40200000,
    NX_WINDOW + 0x1ffffffff8,
    0xffffffcffffffff8,
    0xffffffd000000000,
    0xffffffd080000000,
    0xffffffd080200000,
    0xffffffdffffffff8,
    0xffffffff80000000,
    0xffffffff80200000,
    0xffffffff80240000,
    0xfffffffffffff000,
    0xfffffffffffffff8,
};
const unsigned wild_count = ARRAY_LEN(wild);

/* ---- checks ---- */

static const char *step_name;
static unsigned step_failures;

void expect_values(long got, long want, const char *what, unsigned long a, unsigned long b)
{
    if (got != want && ++step_failures <= 4) {
        cell_log("not ok %s: %s (%#lx, %#lx) is %ld, not %ld", step_name, what, a, b, got, want);
    }
}

void expect_at(long got, long want, const char *what, const char *file, int line)
{
    if (got != want && ++step_failures <= 4) {
        cell_log("not ok %s: %s:%d: %s is %ld, not %ld", step_name, file, line, what, got, want);
    }
}

/* ---- helpers ---- */

long raw_call(uint64_t nr, uint64_t op, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
              uint64_t a5)
{
    register uint64_t r0 __asm__("a0") = op;
    register uint64_t r1 __asm__("a1") = a1;
    register uint64_t r2 __asm__("a2") = a2;
    register uint64_t r3 __asm__("a3") = a3;
    register uint64_t r4 __asm__("a4") = a4;
    register uint64_t r5 __asm__("a5") = a5;
    register uint64_t r7 __asm__("a7") = nr;
    /* It comes back as from the stub: to ra. */
    __asm__ volatile("lla ra, 1f\n\tecall\n1:"
                     : "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r3), "+r"(r4), "+r"(r5), "+r"(r7)
                     :
                     : "memory", "ra", "t0", "t1", "t2", "t3", "t4", "t5", "t6", "a6");
    return (long)r0;
}

long pages_used(void)
{
    return nx_meta_cell(NX_SELF, NX_CELL_PAGES);
}

void drop_all(void)
{
    for (unsigned slot = 0; slot < NX_SLOTS; slot++) {
        if (slot != SLOT_OUT && slot != SLOT_IN) {
            nx_grant_drop(slot);
        }
    }
}

static uint8_t stacks[QUOTA_FIBERS - 1][8192] __attribute__((aligned(16)));

long start_fiber(unsigned n, void (*body)(uint64_t), uint64_t arg)
{
    return nx_spawn_fiber((uint64_t)body, (uint64_t)stacks[n] + sizeof(stacks[n]), arg,
                          NX_TIER_MATTER);
}

uint64_t after_ms(uint64_t ms)
{
    return cell_now() + cell_ticks_of_ms(ms);
}

bool wait_for_fibers(long count)
{
    uint64_t end = after_ms(5000);
    while (nx_meta_cell(NX_SELF, NX_CELL_FIBERS) != count) {
        if (cell_now() > end) {
            return false;
        }
        nx_tick_sleep(after_ms(1));
    }
    return true;
}

uint64_t chance(void)
{
    static uint64_t x = 88172645463325252ul;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return x;
}

/* ---- the steps ---- */

static const struct step *const groups[] = {call_steps, cap_steps,  memory_steps, foreign_steps,
                                            time_steps, ring_steps, death_steps};

static void run_step(const struct step *s)
{
    step_name = s->name;
    step_failures = 0;
    if (s->why != NX_WHY_NONE) {
        cell_log("try %s why %u code %#lx", s->name, s->why, s->code);
    }
    s->run();
    if (s->why != NX_WHY_NONE) {
        cell_log("not ok %s: survived", s->name);
    } else if (step_failures == 0) {
        cell_log("ok %s", s->name);
    } else if (step_failures > 4) {
        cell_log("not ok %s: %u checks in all", s->name, step_failures);
    }
}

int cell_main(const struct nx_cellinfo *info)
{
    uint32_t next = 0, n = 0;
    long got = nx_checkpoint_load((uint64_t)&next, sizeof(next));
    if (info->generation == 1) {
        nx_tick_sleep(after_ms(FIRST_AFTER_MS));
        cell_log("hostile begins");
    }
    if (got != (info->generation == 1 ? -NX_ENOENT : (long)sizeof(next))) {
        cell_log("not ok checkpoint: load is %ld in generation %u", got, info->generation);
    }
    for (unsigned g = 0; g < ARRAY_LEN(groups); g++) {
        for (const struct step *s = groups[g]; s->name != NULL; s++, n++) {
            if (n < next) {
                continue;
            }
            next = n + 1;
            if (nx_checkpoint_save((uint64_t)&next, sizeof(next)) != 0) {
                cell_panic("not ok checkpoint: cannot be saved");
            }
            run_step(s);
            nx_tick_sleep(after_ms(PACE_MS));
        }
    }
    cell_log("hostile ends: %u steps", n);
    for (;;) {
        nx_tick_sleep(NX_NEVER);
    }
}
