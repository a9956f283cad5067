/* Fibers as coroutines on the host's one thread.  Whose turn it is depends on nothing but the order of
 * wake-ups, so that the same scenario makes the same allocations each time it is run. */
#include "machine.h"

#include <errno.h>
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define STACK_SIZE (512u << 10)

uint64_t mb_host_time = 1000000, mb_host_instret;

static struct fiber *fibers;
static struct fiber *self;
static struct coroutine host;

/* ---- coroutines ---- */

static struct coroutine *came_from, *going_to;
static void (*start_fn)(void);

static __attribute__((noinline, noreturn)) void jump(struct coroutine *to)
{
    if (to->fresh) {
        to->fresh = false;
        setcontext(&to->context);
    }
    __builtin_longjmp(to->at, 1);
}

static void arrived(struct coroutine *me)
{
    const void *bottom;
    size_t size;
    __sanitizer_finish_switch_fiber(me->fake, &bottom, &size);
    if (came_from->stack == NULL) { /* the host's own: now we know where it is */
        came_from->stack = (void *)(uintptr_t)bottom;
        came_from->size = size;
    }
}

__attribute__((noinline)) void coroutine_switch(struct coroutine *from, struct coroutine *to)
{
    came_from = from;
    going_to = to;
    __sanitizer_start_switch_fiber(&from->fake, to->stack, to->size);
    if (__builtin_setjmp(from->at) == 0) {
        jump(to);
    }
    arrived(going_to);
}

static void begin(void)
{
    static struct coroutine fresh;
    arrived(&fresh);
    start_fn();
    abort();
}

/* To be switched to next, before any other is started. */
void coroutine_start(struct coroutine *c, void (*fn)(void))
{
    if (c->stack == NULL) {
        c->size = STACK_SIZE;
        c->stack = mmap(NULL, c->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (c->stack == MAP_FAILED) {
            abort();
        }
    }
    ASAN_UNPOISON_MEMORY_REGION(c->stack, c->size); /* of a life that ended in the middle */
    getcontext(&c->context);
    c->context.uc_stack.ss_sp = c->stack;
    c->context.uc_stack.ss_size = c->size;
    c->context.uc_link = NULL;
    c->fake = NULL;
    c->fresh = true;
    start_fn = fn;
    makecontext(&c->context, begin, 0);
}

/* ---- fibers ---- */

struct fiber *fiber_self(void)
{
    return self;
}

struct mb_fiber *mb_self(void)
{
    return self != NULL ? &self->f : NULL;
}

unsigned fibers_used(void)
{
    unsigned n = 0;
    for (struct fiber *f = fibers; f != NULL; f = f->next) {
        n += f->used;
    }
    return n;
}

void fiber_sleep(void)
{
    coroutine_switch(&self->kernel, &host);
}

static void life(void)
{
    for (;;) {
        self->f.fn(self->f.arg);
        self->f.task = NULL;
        mb_space_bind(0);
        self->used = self->runnable = self->woken = self->has_program = false;
        fiber_sleep();
    }
}

struct mb_fiber *mb_fiber_start(void (*fn)(void *), void *arg)
{
    if (fail_here()) {
        return NULL;
    }
    struct fiber *f = fibers, **link = &fibers;
    while (f != NULL && f->used) {
        link = &f->next;
        f = f->next;
    }
    if (f == NULL) {
        f = calloc(1, sizeof(*f));
        f->f.state = &f->state;
        *link = f;
    }
    f->used = f->runnable = true;
    f->woken = f->has_program = false;
    f->failed = 0;
    f->deadline = MB_NEVER;
    f->f.fn = fn;
    f->f.arg = arg;
    return &f->f;
}

uint64_t mb_fiber_ticks(const struct mb_fiber *f)
{
    return f->stamp_ticks;
}

int mb_park(uint64_t deadline)
{
    struct fiber *me = self;
    me->timed_out = false;
    if (!me->woken) {
        me->runnable = false;
        me->deadline = deadline;
        fiber_sleep();
        me->deadline = MB_NEVER;
    }
    me->woken = false;
    return me->timed_out ? -ETIMEDOUT : 0;
}

void mb_wake(struct mb_fiber *f)
{
    struct fiber *other = (struct fiber *)f;
    other->woken = other->runnable = true;
}

void mb_yield(void)
{
    fiber_sleep();
}

/* One runs at a time and gives the others their turn only where it sleeps. */
void mb_lock(void)
{
}

void mb_unlock(void)
{
}

void mb_lock_break(void)
{
}

bool mb_lock_is_mine(void); /* membrane/mb_int.h */
bool mb_lock_is_mine(void)
{
    return true;
}

/* ---- time ---- */

uint64_t mb_ticks(void)
{
    return mb_host_time;
}

uint64_t mb_ns_per_tick(void)
{
    return 1;
}

uint64_t mb_ticks_to_ns(uint64_t ticks)
{
    return ticks;
}

uint64_t mb_ns_to_ticks(uint64_t ns)
{
    return ns < MB_NEVER - 1 ? ns : MB_NEVER - 1;
}

/* ---- the loop ---- */

static bool turn(struct fiber *f)
{
    if (!f->runnable) {
        return false;
    }
    self = f;
    if (f->kernel.stack == NULL) {
        coroutine_start(&f->kernel, life);
    }
    coroutine_switch(&host, &f->kernel);
    self = NULL;
    return true;
}

/* All sleep: it is the next deadline's time. */
static bool pass_time(void)
{
    uint64_t next = MB_NEVER;
    for (struct fiber *f = fibers; f != NULL; f = f->next) {
        if (f->used && f->deadline < next) {
            next = f->deadline;
        }
    }
    if (next == MB_NEVER) {
        return false;
    }
    mb_host_time = next > mb_host_time ? next : mb_host_time;
    for (struct fiber *f = fibers; f != NULL; f = f->next) {
        if (f->used && f->deadline <= mb_host_time) {
            f->timed_out = f->runnable = true;
        }
    }
    return true;
}

void fibers_run(bool (*until)(void))
{
    while (!until()) {
        bool any = false;
        for (struct fiber *f = fibers; f != NULL && !until(); f = f->next) {
            any |= turn(f);
        }
        if (!any && !until() && !pass_time()) {
            fprintf(stderr, "all sleep for ever\n");
            fail_show();
            abort();
        }
    }
}
