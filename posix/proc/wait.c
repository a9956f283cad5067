/* wait4 and waitid: what became of one's children.
 *
 * A child has up to one report of each kind to give: that it ended (zombie), stopped, or continued;
 * giving it takes it away, unless WNOWAIT.  Reaping adds the child's times to its parent's.
 */
#include <asm/errno.h>
#include <asm/fcntl.h>
#include <limits.h>
#include <linux/wait.h>
#include <string.h>
#include <tax.h>
#include "proc_int.h"
#include "rusage.h"
#include "sig.h"
#include "sys.h"
#include "trace.h"
#include "vfs.h"

struct wait_request {
    int type; /* P_ALL, P_PID, P_PGID */
    int id;
    unsigned options;
    /* the answer: */
    int pid, status; /* wait status */
    int code;        /* CLD_* */
    uint32_t uid;
    struct krusage usage;
};

static bool eligible(const struct wait_request *w, const struct process *c)
{
    if (w->type == P_PID && c->pid != w->id)
        return false;
    if (w->type == P_PGID && c->pgid != w->id)
        return false;
    if (w->options & __WALL)
        return true;
    bool clone_child = c->exit_signal != SIGCHLD;
    return clone_child == !!(w->options & __WCLONE);
}

static void answer(struct wait_request *w, struct process *c, int code, int status)
{
    w->pid = c->pid;
    w->code = code;
    w->status = status;
    w->uid = c->threads ? c->threads->cred.ruid : c->cred.ruid;
    rusage_both(c, &w->usage);
}

static void reap(struct process *c)
{
    struct process *p = current->proc;
    tax_merge(p->tax, c->tax);
    p->cmin_flt += c->min_flt + c->cmin_flt;
    uint64_t rss = c->max_rss > c->cmax_rss ? c->max_rss : c->cmax_rss;
    if (rss > p->cmax_rss)
        p->cmax_rss = rss;
    process_reap(c);
}

/* ---- children ---- */

/* Traced by us: what it tells of its stops comes from there. */
static bool traced_here(const struct process *c)
{
    const struct trace *r = c->threads ? c->threads->trace : NULL;
    return r && r->tracer->proc == current->proc;
}

/* Does c have something to tell?  Then it is in w, and taken from c. */
static bool take_report(struct wait_request *w, struct process *c)
{
    bool keep = w->options & WNOWAIT;
    if (c->zombie) {
        if (!(w->options & WEXITED) || (c->trace && c->trace->ended))
            return false; /* its tracer hears of it first */
        answer(w, c, c->exit_status & 0x7f ? CLD_KILLED : CLD_EXITED, c->exit_status);
        if (!keep)
            reap(c);
        return true;
    }
    if (c->stop_report && (w->options & WSTOPPED) && !traced_here(c)) {
        answer(w, c, CLD_STOPPED, c->stop_report << 8 | 0x7f);
        if (!keep)
            c->stop_report = 0;
        return true;
    }
    if (c->cont_report && (w->options & WCONTINUED)) {
        answer(w, c, CLD_CONTINUED, 0xffff);
        if (!keep)
            c->cont_report = false;
        return true;
    }
    return false;
}

/* ---- who is traced ---- */

static bool eligible_trace(const struct wait_request *w, const struct trace *r)
{
    int pgid = r->proc ? r->proc->pgid : r->pgid;
    return w->type == P_ALL || (w->type == P_PID ? r->pid->nr == w->id : pgid == w->id);
}

static bool take_trace(struct wait_request *w, struct trace *r)
{
    bool keep = w->options & WNOWAIT;
    if (r->ended && (w->options & WEXITED)) {
        w->pid = r->pid->nr;
        w->status = r->exit_status;
        w->code = w->status & 0x7f ? CLD_KILLED : CLD_EXITED;
        w->uid = r->uid;
        if (r->proc)
            rusage_both(r->proc, &w->usage);
        if (!keep)
            trace_reaped(r);
        return true;
    }
    if (!r->stop || r->told || r->listening)
        return false;
    answer(w, r->proc, CLD_TRAPPED, r->code << 8 | 0x7f);
    w->pid = r->pid->nr;
    w->uid = r->task->cred.ruid;
    r->told = !keep;
    return true;
}

static bool take_traced(struct wait_request *w, const struct task *tracer, bool *any)
{
    for (struct trace *r = tracer->tracees, *next; r; r = next) {
        next = r->next;
        if (!eligible_trace(w, r))
            continue;
        *any = true;
        if (take_trace(w, r))
            return true;
    }
    return false;
}

/* 1: an answer is in w; 0: none yet (WNOHANG); or an error. */
static int wait_child(struct wait_request *w)
{
    struct process *p = current->proc;
    for (;;) {
        bool any = false;
        for (struct process *c = p->children, *next; c; c = next) {
            next = c->sibling;
            if (!eligible(w, c))
                continue;
            any = true;
            if (take_report(w, c))
                return 1;
        }
        for (const struct task *t = p->threads; t; t = t->next_thread)
            if ((t == current || !(w->options & __WNOTHREAD)) && take_traced(w, t, &any))
                return 1;
        if (!any)
            return -ECHILD;
        if (w->options & WNOHANG)
            return 0;
        int err = wait_on(&p->child_wait, MB_NEVER);
        if (err)
            return err == -EINTR ? -ERESTARTSYS : err;
    }
}

long sys_wait4(const uint64_t a[6])
{
    int pid = (int)a[0];
    uint64_t ustatus = a[1], uusage = a[3];
    uint32_t options = (uint32_t)a[2];
    if (options & ~(uint32_t)(WNOHANG | WUNTRACED | WCONTINUED | __WNOTHREAD | __WCLONE | __WALL))
        return -EINVAL;
    if (pid == INT_MIN)
        return -ESRCH;
    struct wait_request w = {.options = options | WEXITED};
    w.type = pid == -1 ? P_ALL : pid > 0 ? P_PID : P_PGID;
    w.id = pid > 0 ? pid : pid == 0 ? current->proc->pgid : -pid;
    int got = wait_child(&w);
    if (got <= 0)
        return got;
    int32_t status = w.status;
    if (ustatus && mb_copy_out(ustatus, &status, sizeof status))
        return -EFAULT;
    if (uusage && mb_copy_out(uusage, &w.usage, sizeof w.usage))
        return -EFAULT;
    return w.pid;
}

static int put_info(uint64_t uinfo, const struct wait_request *w, bool found)
{
    struct ksiginfo info = {0};
    if (found) {
        info.signo = SIGCHLD;
        info.code = w->code;
        info.u.chld.pid = w->pid;
        info.u.chld.uid = w->uid;
        info.u.chld.status = w->code == CLD_EXITED      ? w->status >> 8 & 0xff
                             : w->code == CLD_STOPPED   ? w->status >> 8 & 0xff
                             : w->code == CLD_TRAPPED   ? w->status >> 8
                             : w->code == CLD_CONTINUED ? SIGCONT
                                                        : w->status & 0x7f;
    }
    /* The fields of SIGCHLD up to the status; Linux leaves the rest of the program's structure alone. */
    return mb_copy_out(uinfo, &info, offsetof(struct ksiginfo, u.chld.pad));
}

/* Who is waited for, as waitid names it; nonblock: by a pidfd that does not want to wait. */
static int named(struct wait_request *w, bool *nonblock)
{
    if (w->type == P_PGID && w->id == 0)
        w->id = current->proc->pgid;
    switch (w->type) {
    case P_ALL:
        return 0;
    case P_PID:
        return w->id > 0 ? 0 : -EINVAL;
    case P_PGID:
        return w->id >= 0 ? 0 : -EINVAL;
    case P_PIDFD: {
        if (w->id < 0)
            return -EINVAL;
        struct file *f = fd_get(w->id);
        const struct pid *p = f ? pidfd_pid(f) : NULL;
        if (p) {
            w->type = P_PID;
            w->id = p->nr; /* stays its own while the descriptor is there, and for a child anyway */
            *nonblock = f->flags & O_NONBLOCK;
        }
        if (f)
            file_unref(f);
        return p ? 0 : -EBADF;
    }
    default:
        return -EINVAL;
    }
}

static int wait_by_id(struct wait_request *w)
{
    uint32_t options = w->options;
    bool nonblock = false;
    if (options & ~(uint32_t)(WNOHANG | WNOWAIT | WEXITED | WSTOPPED | WCONTINUED | __WNOTHREAD |
                              __WCLONE | __WALL))
        return -EINVAL;
    if (!(options & (WEXITED | WSTOPPED | WCONTINUED)))
        return -EINVAL;
    int got = named(w, &nonblock);
    if (got)
        return got;
    if (nonblock)
        w->options |= WNOHANG;
    got = wait_child(w);
    return !got && nonblock && !(options & WNOHANG) ? -EAGAIN : got;
}

/* The program's structure is written whatever comes of it, as on Linux. */
long sys_waitid(const uint64_t a[6])
{
    uint64_t uinfo = a[2], uusage = a[4];
    struct wait_request w = {.type = (int)a[0], .id = (int)a[1], .options = (uint32_t)a[3]};
    int got = wait_by_id(&w);
    if (got > 0 && uusage && mb_copy_out(uusage, &w.usage, sizeof w.usage))
        return -EFAULT;
    if (uinfo && put_info(uinfo, &w, got > 0))
        return -EFAULT;
    return got < 0 ? got : 0;
}
