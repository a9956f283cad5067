/* enter: foreign mode.  RUN's common path is in the trap entry's assembler; here is the rest. */
#include "call.h"
#include "lend.h"
#include "log.h"
#include "sched.h"
#include "trap.h"

static long enter_bind(struct fiber *f, uint64_t handle, uint64_t state_va)
{
    struct space *s = handle != 0 ? space_get(f->cell, handle) : NULL;
    struct hart *h = this_hart();
    if (handle != 0 && s == NULL) {
        return -NX_EBADF;
    }
    struct nx_state *old = f->state;
    int e = fiber_bind(f, s, state_va);
    if (e != 0) {
        return e;
    }
    if (f->state != old && h->fp_live) {
        arch_fp_off();
        h->fp_live = 0;
    }
    sched_settle(h); /* as who goes to foreign mode looks at the queues */
    space_enter(f->cell, s, h->bit);
    arch_root_set(f->host_root);
    return 0;
}

/* Leave for foreign mode when nothing speaks against it; else answer why not. */
static long enter_run(struct fiber *f)
{
    struct hart *h = this_hart();
    if (f->foreign_root == 0) {
        return -NX_EINVAL;
    }
    if ((f->kick & KICK_LENT) != 0) {
        lend_end(f);
    }
    if (f->kick != 0) {
        if ((f->kick & KICK_MOVED) != 0) {
            f->state->hart = h->index + 1;
        }
        f->kick = 0;
        return NX_LEAVE_KICK;
    }
    if ((f->state->flags & NX_FS_FP_LOAD) != 0) {
        f->state->flags &= ~(uint64_t)NX_FS_FP_LOAD;
        arch_fp_off();
        h->fp_live = 0;
    }
    h->foreign = f->state;
    if ((h->ready & f->outranked_by) != 0 || h->resched != 0) {
        unlock();
        sched_reschedule();
    }
    unlock();
    arch_resume(h);
}

long call_enter(uint64_t op, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5)
{
    struct fiber *f = call_begin(NX_PLEDGE_FOREIGN);
    long r;
    if (f == NULL) {
        return -NX_EPERM;
    }
    switch (op) {
    case NX_ENTER_RUN:
        r = enter_run(f);
        break;
    case NX_ENTER_BIND:
        r = enter_bind(f, a1, a2);
        break;
    case NX_ENTER_FPSAVE:
        if (f->state == NULL) {
            r = -NX_EINVAL;
            break;
        }
        if (this_hart()->fp_live && arch_fp_dirty()) {
            arch_fp_save(f->state);
        }
        r = 0;
        break;
    default:
        r = -NX_ENOSYS;
        break;
    }
    unlock();
    return r;
}
