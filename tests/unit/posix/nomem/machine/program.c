/* Foreign mode: programs are C functions, a coroutine each, that trap by switching to their fiber.
 *
 * The registers are real where the personality looks at them.  pc says what runs: IMAGE_ENTRY a new program,
 * AFTER_CALL the program after a system call, AFTER_CALL - 4 the call again, anything else a signal handler (the
 * address of a C function).  Register 27 is the function that a clone runs.
 */
#include "machine.h"
#include "../scenario.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AFTER_CALL 0x10104ul
#define CHILD_FN 27

struct fiber *program_first; /* process 1's */
void (*program_job)(void);

bool calls_made[CALL_NUMBERS];

static int trap_why;

/* ---- the fiber's side ---- */

static void child_main(void)
{
    struct fiber *me = fiber_self();
    me->state.reg[0] = AFTER_CALL;
    void (*fn)(void) = (void (*)(void))(uintptr_t)me->state.reg[CHILD_FN];
    fn();
    sc_raw(__NR_exit, (uint64_t[6]){0});
}

/* Process 1 runs what it is told; others what the pointer in argv[1] says. */
static void image_main(void)
{
    struct fiber *me = fiber_self();
    uint64_t sp = me->state.reg[2], argv1 = 0;
    me->state.reg[0] = AFTER_CALL;
    if (program_first == NULL) {
        program_first = me;
        for (;;) {
            program_hold();
            program_job();
        }
    }
    get(sp + 16, &argv1, 8);
    char fn[32] = "";
    get(argv1, fn, 20);
    ((void (*)(void))(uintptr_t)strtoul(fn, NULL, 16))();
    sc_raw(__NR_exit_group, (uint64_t[6]){0});
}

long mb_enter(void)
{
    struct fiber *me = fiber_self();
    mb_host_time += 1000;
    mb_host_instret += 100;
    while (me == program_first && program_job == NULL && !me->woken) {
        me->runnable = false;
        fiber_sleep();
    }
    if (me->woken) {
        me->woken = false;
        return NX_LEAVE_KICK;
    }
    if (me->state.reg[0] == IMAGE_ENTRY) {
        coroutine_start(&me->program, image_main);
        me->has_program = true;
    } else if (!me->has_program) {
        coroutine_start(&me->program, child_main);
        me->has_program = true;
    }
    coroutine_switch(&me->kernel, &me->program);
    return trap_why;
}

void mb_fp_save(void)
{
}

/* ---- the program's side ---- */

static void trap(int why)
{
    struct fiber *me = fiber_self();
    trap_why = why;
    coroutine_switch(&me->program, &me->kernel);
}

void program_hold(void)
{
    program_job = NULL;
    while (program_job == NULL) {
        trap(NX_LEAVE_KICK);
    }
}

/* A handler has been put on: run it, and those that come on top of it. */
static void run_handler(struct nx_state *s)
{
    void (*fn)(int, uint64_t, uint64_t) = (void (*)(int, uint64_t, uint64_t))(uintptr_t)s->reg[0];
    s->reg[0] = AFTER_CALL;
    fn((int)s->reg[10], s->reg[11], s->reg[12]);
    s->reg[17] = __NR_rt_sigreturn;
    calls_made[__NR_rt_sigreturn] = true;
    s->reg[0] = AFTER_CALL;
    trap(NX_LEAVE_SYSCALL);
}

static void settle(struct nx_state *s, uint64_t pc)
{
    while (s->reg[0] != pc) {
        if (s->reg[0] == AFTER_CALL - 4) { /* the call again */
            s->reg[0] = AFTER_CALL;
            trap(NX_LEAVE_SYSCALL);
        } else {
            run_handler(s);
        }
    }
}

long sc_raw(unsigned nr, const uint64_t a[6])
{
    struct nx_state *s = &fiber_self()->state;
    if (fiber_self() != program_first) {
        calls_made[nr] = true;
    }
    memcpy(&s->reg[10], a, 6 * sizeof(a[0]));
    s->reg[17] = nr;
    s->reg[0] = AFTER_CALL;
    trap(NX_LEAVE_SYSCALL);
    settle(s, AFTER_CALL);
    return (long)s->reg[10];
}

static void touch(uint64_t addr, void *buf, size_t n, bool write)
{
    struct nx_state *s = &fiber_self()->state;
    int why;
    while ((why = space_access(addr, buf, n, write)) != 0) {
        s->reg[0] = AFTER_CALL;
        trap(why);
        settle(s, AFTER_CALL);
    }
}

void put(uint64_t addr, const void *buf, size_t n)
{
    bool paused = fail_paused;
    fail_paused = true;
    touch(addr, (void *)(uintptr_t)buf, n, true);
    fail_paused = paused;
}

void get(uint64_t addr, void *buf, size_t n)
{
    bool paused = fail_paused;
    fail_paused = true;
    touch(addr, buf, n, false);
    fail_paused = paused;
}

void poke(uint64_t addr, uint32_t value)
{
    touch(addr, &value, sizeof(value), true);
}

uint32_t peek(uint64_t addr)
{
    uint32_t value;
    touch(addr, &value, sizeof(value), false);
    return value;
}
