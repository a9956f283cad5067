/* Trap policy: who resolves a fault, who hears of it.  See trap.h. */
#include "trap.h"

#include "hart.h"
#include "log.h"
#include "sched.h"
#include "visit.h"

void trap_leave(struct hart *h, int reason)
{
    struct fiber *f = h->fiber;
    h->foreign = NULL;
    f->reg[10] = (uint64_t)reason;
}

/* A native fiber faulted for good: its cell ends. */
static void cell_fault(struct hart *h, uint64_t cause, uint64_t addr)
{
    struct fiber *f = h->fiber;
    beb_add(NX_BEB_FAULT, f, f->reg[0], addr);
    cell_end(f->cell, NX_WHY_FAULT, cause, f->reg[0], addr);
    h->resched = 1;
}

void trap_fault(struct hart *h, uint64_t addr, unsigned access, uint64_t cause)
{
    struct fiber *f = h->fiber;
    if (h->visit != NULL) {
        visit_fault(h, addr, access, cause);
        return;
    }
    bool foreign = h->foreign != NULL;
    bool lower = addr < NX_LOWER_END;
    /* The nucleus' privilege never executes a program's pages, whatever their entries allow. */
    bool never = f->fused && !foreign && access == NX_PROT_X;
    lock();
    int e = -NX_ENOENT;
    if (lower && f->space != NULL && !never) {
        e = space_fault(f->space, addr, access, FOREIGN_RESERVE_PAGES * NX_PAGE_SIZE);
    } else if (!lower && !foreign) {
        e = space_fault(&f->cell->window, addr, access, 0);
    }
    if (e != 0 && foreign) {
        h->foreign->cause = cause;
        h->foreign->addr = addr;
        trap_leave(h, e == -NX_ENOMEM ? NX_LEAVE_NOMEM : NX_LEAVE_FAULT);
    } else if (e != 0 && lower && f->state != NULL && f->state->fixup != 0) {
        f->reg[0] = f->state->fixup;
        f->state->fixaddr = addr;
        f->state->fixup = 0;
    } else if (e != 0) {
        cell_fault(h, cause, addr);
    }
    unlock();
}

void trap_other(struct hart *h, uint64_t cause, uint64_t addr)
{
    if (h->visit != NULL) {
        visit_broken(h, cause, h->fiber->reg[0], addr);
        return;
    }
    lock();
    if (h->foreign != NULL) {
        h->foreign->cause = cause;
        h->foreign->addr = addr;
        trap_leave(h, NX_LEAVE_TRAP);
    } else {
        cell_fault(h, cause, addr);
    }
    unlock();
}

void trap_fp(struct hart *h)
{
    arch_fp_load(h->foreign);
    h->foreign->flags |= NX_FS_FP_USED;
    h->fp_live = 1;
}

_Noreturn void trap_return(struct hart *h)
{
    if (h->visit != NULL) {
        arch_resume_visit();
    }
    if (h->resched != 0 || (h->fiber->kick != 0 && h->foreign != NULL)) {
        sched_reschedule();
    }
    arch_resume(h);
}
