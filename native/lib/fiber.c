/* Fibers.  See nexus/fiber.h. */
#include "wait.h"

#include <nexus/cell.h>
#include <nexus/fiber.h>

static void entry(uint64_t arg)
{
    struct fiber *f = (struct fiber *)arg;
    f->run(f->arg);
    /* Whoever sees `ended` knows the joiner; whoever sets the joiner looks at `ended` after it. */
    __atomic_store_n(&f->ended, 1, __ATOMIC_SEQ_CST);
    const uint64_t joiner = __atomic_load_n(&f->joiner, __ATOMIC_SEQ_CST);
    if (joiner != 0) {
        nx_send_kick(joiner);
    }
    for (;;) {
        nx_exit_fiber(0);
    }
}

int fiber_start(struct fiber *f, void (*run)(void *arg), void *arg, size_t stack, unsigned tier)
{
    int e = 0;
    *f = (struct fiber){.run = run, .arg = arg, .stack_size = stack != 0 ? stack : FIBER_STACK};
    f->stack = cell_anon(f->stack_size, &e);
    if (f->stack == NULL) {
        return e;
    }
    const uint64_t top = ((uint64_t)f->stack + f->stack_size) & ~15ul;
    const long handle = nx_spawn_fiber((uint64_t)entry, top, (uint64_t)f, tier);
    if (handle < 0) {
        cell_unmap(f->stack, f->stack_size);
        return (int)handle;
    }
    f->handle = (uint64_t)handle;
    return 0;
}

void fiber_join(struct fiber *f)
{
    __atomic_store_n(&f->joiner, fiber_self(), __ATOMIC_SEQ_CST);
    while (__atomic_load_n(&f->ended, __ATOMIC_SEQ_CST) == 0) {
        fiber_wait(NX_NEVER);
    }
    /* It is on its stack until it is gone. */
    while (nx_meta_fiber(f->handle, NX_FIBER_TIER) != -NX_EBADF) {
        nx_tick_yield();
    }
    cell_unmap(f->stack, f->stack_size);
}

uint64_t fiber_self(void)
{
    return (uint64_t)nx_meta_fiber(0, NX_FIBER_HANDLE);
}

int fiber_wait(uint64_t deadline)
{
    return wait_recv(0, deadline) == -NX_ETIME ? -NX_ETIME : 0;
}

int fiber_wake(uint64_t handle)
{
    return (int)nx_send_kick(handle);
}

void fiber_lock(struct fiber_lock *l)
{
    while (__atomic_exchange_n(&l->taken, 1, __ATOMIC_ACQUIRE) != 0) {
        nx_tick_yield();
    }
}

void fiber_unlock(struct fiber_lock *l)
{
    __atomic_store_n(&l->taken, 0, __ATOMIC_RELEASE);
}
