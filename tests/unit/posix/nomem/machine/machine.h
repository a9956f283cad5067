/* A whole personality on the host: all of posix/ over a simulated membrane, with programs that make system
 * calls through the real table, so that any allocation of any call can be made to fail.
 *
 *   fiber.c    fibers as coroutines, one after the other, always in the same order; time passes when all sleep
 *   memory.c   objects and pages, counted; the n-th one fails
 *   space.c    foreign address spaces with real pages; copy.c: copies to and from them
 *   devices.c  a disk, a screen, keys, a log: as little as there can be
 *   image.c    the root archive: one program
 *   program.c  foreign mode: a program is a C function that calls sc(); signals, fork and exec included
 *   run.c      scenarios: run, and run again with each allocation failing in turn
 *
 * Everything runs on one host thread.  Programs live in one host address space, so what they share through C
 * variables is shared between "processes": handy for a test.  Memory that calls see is program memory; put(),
 * get(), text() and room() deal with it.
 */
#ifndef NOMEM_MACHINE_H
#define NOMEM_MACHINE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <membrane.h>
#include <stdbool.h>
#include <ucontext.h>

#include "call_nr.h"

/* ---- fiber.c ---- */
extern uint64_t mb_host_time, mb_host_instret;
struct coroutine {
    ucontext_t context; /* where it starts */
    void *at[5];        /* where it goes on: a switch makes no system call */
    bool fresh;
    void *stack; /* NULL: not made yet */
    size_t size;
    void *fake; /* the sanitizer's */
};
void coroutine_start(struct coroutine *c, void (*fn)(void));
void coroutine_switch(struct coroutine *from, struct coroutine *to);

struct fiber {
    struct mb_fiber f; /* first */
    struct nx_state state;
    struct coroutine kernel, program;
    bool used, runnable, woken, timed_out;
    bool has_program;
    int failed; /* allocations that failed on it since its program last looked */
    uint64_t deadline;
    struct fiber *next;
};
struct fiber *fiber_self(void);
unsigned fibers_used(void);
void fiber_sleep(void); /* until somebody makes it runnable */
void fibers_run(
    bool (*until)(void)); /* from the host: until that says so; nothing left to run ends the test */

/* ---- memory.c ---- */
struct counts {
    uint64_t objects, pages, spaces, mapped;
};
struct counts counts_now(void);
extern struct counts counts; /* what is alive */
/* While on: the n-th step from now on that could fail does, and with `all` every one after it. */
void fail_from(long n, bool all);
void fail_stop(void);
bool fail_happened(void);
bool fail_here(void); /* a step that may fail: does it? */
void fail_show(void); /* where it was */
extern bool fail_paused;

/* ---- space.c ---- */
/* A program's own access: 0, or NX_LEAVE_FAULT with state->addr and cause set. */
int space_access(uint64_t addr, void *buf, size_t n, bool write);

/* ---- image.c ---- */
#define IMAGE_ENTRY 0x10000ul
#define ROOM_BASE 0x20000ul
#define ROOM_SIZE (64 * MB_PAGE)
const void *image_archive(size_t *size);

/* ---- program.c ---- */
long sc_raw(unsigned nr, const uint64_t a[6]);
void program_hold(void); /* process 1 waits for a scenario */
extern struct fiber *program_first;
extern void (*program_job)(void);
#define CALL_NUMBERS 512u
extern bool calls_made[CALL_NUMBERS]; /* by programs but process 1 */

/* ---- devices.c ---- */
void devices_come(void);

#endif
