/* What processes used: getrusage, times, and the sums behind /proc and the CPU-time clocks.
 *
 * A program's own time is the time between upcalls, its system time the time inside them; the Entropy
 * Tax keeps both per process (membrane/tax.h).  What a thread has computed since its last upcall is
 * added from the nucleus' figure, which is as of the thread's last switch.
 */
#include <asm/errno.h>
#include <string.h>
#include <tax.h>
#include "mm.h"
#include "proc.h"
#include "rusage.h"
#include "sys.h"
#include "time_abi.h"

static uint64_t own_ticks(const struct process *p)
{
    uint64_t ticks = p->tax->sum.own_ticks;
    for (const struct task *t = p->threads; t; t = t->next_thread) {
        if (t == current || t->state != 'R')
            continue;
        uint64_t ran = mb_fiber_ticks(t->fiber), seen = t->fiber->stamp_ticks;
        ticks += ran > seen ? ran - seen : 0;
    }
    return ticks;
}

void process_times(const struct process *p, uint64_t *utime_ns, uint64_t *stime_ns,
                   uint64_t *cutime_ns, uint64_t *cstime_ns)
{
    const struct tax *x = p->tax;
    if (utime_ns)
        *utime_ns = x ? mb_ticks_to_ns(own_ticks(p)) : 0;
    if (stime_ns)
        *stime_ns = x ? mb_ticks_to_ns(x->sum.ticks) : 0;
    if (cutime_ns)
        *cutime_ns = x ? mb_ticks_to_ns(x->kids.own_ticks) : 0;
    if (cstime_ns)
        *cstime_ns = x ? mb_ticks_to_ns(x->kids.ticks) : 0;
}

/* The current thread's running time since it began. */
uint64_t task_run_ns(const struct task *t)
{
    uint64_t ticks, instructions;
    mb_arch_fiber_clocks(t->fiber->state, &ticks, &instructions);
    return mb_ticks_to_ns(ticks - t->cpu_base);
}

uint64_t task_cpu_ns(const struct task *t)
{
    if (t == current)
        return task_run_ns(t);
    uint64_t ticks = mb_fiber_ticks(t->fiber);
    return ticks > t->cpu_base ? mb_ticks_to_ns(ticks - t->cpu_base) : 0;
}

uint64_t process_resident(const struct process *p)
{
    for (const struct task *t = p->threads; t; t = t->next_thread)
        if (t->mm)
            return mm_resident(t->mm);
    return 0;
}

uint64_t process_vsize(const struct process *p)
{
    for (const struct task *t = p->threads; t; t = t->next_thread)
        if (t->mm)
            return mm_vsize(t->mm);
    return 0;
}

static struct ktimeval timeval(uint64_t ns)
{
    return (struct ktimeval){(int64_t)(ns / NSEC_PER_SEC), (int64_t)(ns % NSEC_PER_SEC / 1000)};
}

static uint64_t max_rss(const struct process *p)
{
    uint64_t now = process_resident(p);
    return now > p->max_rss ? now : p->max_rss;
}

static void fill(struct krusage *r, uint64_t u, uint64_t s, uint64_t rss, uint64_t min_flt)
{
    memset(r, 0, sizeof *r);
    r->utime = timeval(u);
    r->stime = timeval(s);
    r->maxrss = (int64_t)(rss * (MB_PAGE / 1024));
    r->minflt = (int64_t)min_flt;
}

void rusage_both(const struct process *p, struct krusage *r)
{
    uint64_t u, s, cu, cs;
    process_times(p, &u, &s, &cu, &cs);
    uint64_t rss = max_rss(p);
    fill(r, u + cu, s + cs, rss > p->cmax_rss ? rss : p->cmax_rss, p->min_flt + p->cmin_flt);
}

long sys_getrusage(const uint64_t a[6])
{
    const struct process *p = current->proc;
    uint64_t u, s, cu, cs;
    struct krusage r;
    process_times(p, &u, &s, &cu, &cs);
    switch ((int)a[0]) {
    case RUSAGE_SELF:
        fill(&r, u, s, max_rss(p), p->min_flt);
        break;
    case RUSAGE_CHILDREN:
        fill(&r, cu, cs, p->cmax_rss, p->cmin_flt);
        break;
    case RUSAGE_THREAD:
        fill(&r, task_run_ns(current), 0, max_rss(p), p->min_flt);
        break;
    default:
        return -EINVAL;
    }
    return mb_copy_out(a[1], &r, sizeof r);
}

long sys_times(const uint64_t a[6])
{
    uint64_t ns[4];
    process_times(current->proc, &ns[0], &ns[1], &ns[2], &ns[3]);
    if (a[0]) {
        for (int i = 0; i < 4; i++)
            ns[i] /= NSEC_PER_USER_TICK;
        if (mb_copy_out(a[0], ns, sizeof ns))
            return -EFAULT;
    }
    return time_monotonic_ns() / NSEC_PER_USER_TICK;
}
