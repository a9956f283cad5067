/* Fibers of the personality: one runs each Linux thread.
 *
 * A fiber that has nothing to run waits in a pool.  A pool above IDLE_MAX lets fibers end; the memory
 * of an ended one is freed by another, once the nucleus no longer knows its handle.
 *
 * A fiber is one run of pages: an unmapped page, so that an overflow of the stack is a fault and not damage; the stack,
 * all present from the start (a stack that meets the end of memory would end the cell); and at its top, in one page with
 * what the stack begins with, what every call touches: struct fiber_top.
 */
#include "mb_int.h"

#include <string.h>

#define STACK_PAGES 4
#define IDLE_MAX 32

#define FIBER_PAGES (1 + STACK_PAGES)

struct fiber_top {
    struct mb_fiber fiber;
    struct nx_state state __attribute__((aligned(NX_STATE_SIZE)));
};
_Static_assert(sizeof(struct fiber_top) <= MB_PAGE / 2, "the rest is stack");

struct mb_fiber mb_main_fiber;
static struct nx_state main_state __attribute__((aligned(NX_STATE_SIZE)));
static struct mb_fiber *idle, *ending;
static unsigned idle_count;

void mb_fiber_init(void)
{
    mb_main_fiber.state = &main_state;
    mb_main_fiber.handle =
        (uint64_t)nx_meta_fiber(0, NX_FIBER_HANDLE); /* so that others can wake it */
    idle = ending = NULL;
    idle_count = 0;
}

/* A fiber with stack and state area, not yet known to the nucleus. */
static struct mb_fiber *fiber_alloc(void)
{
    char *run = mb_run_alloc(FIBER_PAGES);
    if (!run) {
        return NULL;
    }
    if (nx_map_unmap(0, (uint64_t)run, MB_PAGE) < 0) {
        mb_run_free(run);
        return NULL;
    }
    struct fiber_top *top = (void *)(run + FIBER_PAGES * MB_PAGE - sizeof(*top));
    memset(top, 0, sizeof(*top));
    top->fiber.state = &top->state;
    top->fiber.run = run;
    return &top->fiber;
}

static void fiber_free(const struct mb_fiber *f)
{
    mb_run_free(f->run);
}

/* Free what ended since the last look. */
static void fiber_reap(void)
{
    struct mb_fiber **link = &ending;
    while (*link) {
        struct mb_fiber *f = *link;
        if (nx_meta_fiber(f->handle, NX_FIBER_TIER) < 0) {
            *link = f->next;
            fiber_free(f);
        } else {
            link = &f->next;
        }
    }
}

/* What a fiber runs last. */
static void fiber_end(void *arg)
{
    struct mb_fiber *self = mb_self();
    mb_lock();
    self->next = ending;
    ending = self;
    mb_unlock();
    nx_exit_fiber(0);
    cell_panic("a fiber outlived its end");
}

/* The life of every fiber but the main one: run what it is given, wait for more. */
void mb_fiber_main(struct mb_fiber *self)
{
    for (;;) {
        self->fn(self->arg);
        mb_space_bind(0);
        nx_tick_tier(0, NX_TIER_MATTER); /* the next thread does not pay for this one */
        mb_lock();
        self->task = NULL;
        self->fn = NULL;
        if (idle_count >= IDLE_MAX) {
            mb_unlock();
            fiber_end(NULL);
        }
        self->next = idle;
        idle = self;
        idle_count++;
        while (!self->fn) { /* kicks meant for the last thread may still come */
            mb_park(MB_NEVER);
        }
        mb_unlock();
    }
}

static struct mb_fiber *idle_take(void)
{
    struct mb_fiber *f = idle;
    if (f) {
        idle = f->next;
        f->next = NULL;
        idle_count--;
    }
    return f;
}

struct mb_fiber *mb_fiber_start(void (*fn)(void *), void *arg)
{
    if (ending) {
        fiber_reap();
    }
    struct mb_fiber *f = idle_take();
    if (f) {
        f->arg = arg;
        f->fn = fn;
        mb_wake(f);
        return f;
    }
    f = fiber_alloc();
    if (!f) {
        return NULL;
    }
    f->arg = arg;
    f->fn = fn;
    f->woken = mb_arch_time();
    /* f is what lies at the top of its stack. */
    long handle =
        nx_spawn_fiber((uint64_t)mb_fiber_entry, (uint64_t)f, (uint64_t)f, NX_TIER_MATTER);
    if (handle < 0) {
        fiber_free(f);
        return NULL;
    }
    f->handle = (uint64_t)handle; /* nobody else knows f yet */
    return f;
}

int mb_park(uint64_t deadline)
{
    mb_unlock();
    long r = nx_recv_wait(0, deadline);
    mb_self()->woken = mb_arch_time();
    mb_lock();
    return r == -NX_ETIME ? -ETIMEDOUT : 0;
}

void mb_wake(struct mb_fiber *f)
{
    nx_send_kick(f->handle);
}

uint64_t mb_fiber_ticks(const struct mb_fiber *f)
{
    long ticks = nx_meta_fiber(f->handle, NX_FIBER_RUNTIME);
    return ticks > 0 ? (uint64_t)ticks : 0;
}

unsigned mb_hart(void)
{
    return (unsigned)nx_meta_fiber(0, NX_FIBER_HART);
}

void mb_yield(void)
{
    nx_tick_yield();
}

void mb_fiber_trim(void)
{
    for (struct mb_fiber *f; (f = idle_take()) != NULL;) {
        f->fn = fiber_end;
        mb_wake(f);
    }
    fiber_reap();
}
