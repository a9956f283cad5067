/* See visit.h; the way in and out is arch/riscv64/visit.S. */
#include "visit.h"

#include "log.h"
#include "ring.h"
#include "trap.h"
#include "watchdog.h"

#include <nx_base.h>
#include <string.h>

#define CAUSE_CALL 9 /* as a system call of its mode would be told */
#define LOOK_EVERY 256u

/* Whoever listens at the other ends learns that it is open, or that nobody is. */
static void tell(const struct fiber *f, struct fiber *open)
{
    for (uint64_t slots = f->door; slots != 0; slots &= slots - 1) {
        const struct cap *cap = &f->cell->caps[nx_ctz64(slots)];
        if (cap->obj != NULL && cap->obj->type == NX_T_RING) {
            const struct listener *to = ring_peer((struct ring *)cap->obj, cap->rights);
            if (to->cell != NULL && to->cell->peer[to->slot].cell == f->cell) {
                to->cell->open[to->slot] = open;
            }
        }
    }
}

void visit_open(struct fiber *f, uint64_t slots, uint64_t entry, uint64_t arg)
{
    /* Not with a program behind it: harts that are visiting count as running the window, and no space (others_running). */
    if (f->fused && f->state == NULL && slots != 0 && f->cell->sleeper == NULL) {
        f->door = slots;
        f->door_entry = entry;
        f->door_arg = arg;
        f->odd_to_wake |= ODD_OPEN;
        tell(f, f);
    }
}

void visit_shut(struct fiber *f)
{
    struct hart *h = f->hart;
    struct lock_wait w = {.last = arch_time()};
    for (unsigned tries = 1; __atomic_load_n(&h->visit, __ATOMIC_ACQUIRE) == f; tries++) {
        __atomic_store_n(&h->awaited, 1, __ATOMIC_RELEASE);
        arch_relax();
        if (tries % LOOK_EVERY == 0) {
            lock_wait_look(&w, arch_time());
        }
    }
    h->awaited = 0;
    tell(f, NULL);
    f->door = 0;
    f->odd_to_wake &= ~ODD_OPEN;
}

/* The lock, or the use of it while who has it waits for this visit to end. Is it ours to give back? */
static bool visit_lock(const struct hart *h)
{
    for (;;) {
        if (__atomic_load_n(&h->awaited, __ATOMIC_ACQUIRE) != 0) {
            return false;
        }
        if (try_lock()) {
            return true;
        }
        if (watchdog_ending != 0) {
            arch_halt();
        }
        arch_relax();
    }
}

void visit_fault(struct hart *h, uint64_t addr, unsigned access, uint64_t cause)
{
    const bool locked = visit_lock(h);
    const int e = space_fault(&h->visit->cell->window, addr, access, 0);
    if (locked) {
        unlock();
    }
    if (e != 0) {
        visit_broken(h, cause, h->fiber->reg[0], addr);
    }
}

void visit_broken(struct hart *h, uint64_t cause, uint64_t pc, uint64_t addr)
{
    struct fiber *f = h->fiber, *s = h->visit;
    const uint64_t server = s->handle;
    f->reg[0] = f->reg[1] = h->guest[0];
    f->reg[2] = h->guest[1];
    memcpy(&f->reg[8], &h->guest[2], 2 * sizeof(f->reg[0]));
    memcpy(&f->reg[18], &h->guest[4], 10 * sizeof(f->reg[0]));
    f->reg[10] = (uint64_t)-NX_EPEER;
    arch_visit_over();
    arch_root_set(f->host_root);
    __atomic_store_n(&h->visit, NULL, __ATOMIC_RELEASE);
    lock();
    s = fiber_find(server);
    if (s != NULL && s->cell->state == NX_CS_RUNNING) {
        beb_add(NX_BEB_FAULT, s, pc, addr);
        cell_end(s->cell, NX_WHY_FAULT, cause, pc, addr);
    }
    unlock();
}

_Noreturn void visit_call(struct hart *h, uint64_t pc)
{
    visit_broken(h, CAUSE_CALL, pc, 0);
    trap_return(h);
}
