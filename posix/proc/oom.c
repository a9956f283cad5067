/* Memory is exhausted: give back what is only kept in case, else end the process that holds most.
 *
 * The thread that ran into the wall then waits a moment and tries its access again; when the victim
 * is itself, it ends.  pid 1 is spared.
 */
#include "proc.h"
#include "ptime.h"
#include "sig.h"
#include "trace.h"
#include "vfs.h"

#define SHRINK_PAGES 256ul
#define OOM_WAIT_NS 10000000ul

/* Pages it holds, and what oom_score_adj makes of them: thousandths of the memory more or less. */
uint64_t process_badness(const struct process *p)
{
    int64_t n = (int64_t)process_resident(p) + (int64_t)mb_pages_total() / 1000 * p->oom_score_adj;
    if (p->oom_score_adj == -1000)
        return 0;
    return n > 1 ? (uint64_t)n : 1;
}

static struct process *largest(bool *dying)
{
    struct process *worst = NULL;
    uint64_t most = 0;
    *dying = false;
    for (struct process *p = process_first(); p; p = p->next) {
        if (p->zombie || p == process_init())
            continue;
        if (p->dying) { /* its memory comes free soon: nobody else has to go */
            *dying = true;
            continue;
        }
        uint64_t n = process_badness(p);
        if (n > most) {
            most = n;
            worst = p;
        }
    }
    return worst;
}

void proc_oom(void)
{
    struct task *t = current;
    bool dying;
    uint64_t cached = vfs_block ? vfs_block->shrink(SHRINK_PAGES) : 0;
    mb_trim();
    if (cached)
        return;
    struct process *worst = largest(&dying);
    if (worst && !dying) {
        mb_log("out of memory: killed process %d (%s), %lu pages resident", worst->pid,
               worst->threads ? worst->threads->comm : worst->comm,
               (unsigned long)process_resident(worst));
        trace_killed(worst);
        proc_group_exit(worst, SIGKILL);
    } else if (!worst && !dying && t) {
        mb_log("out of memory: nobody but process %d is left", t->proc->pid);
        proc_group_exit(t->proc, SIGKILL);
    }
    if (t && !(t->work & WORK_EXIT))
        mb_park(time_ticks_after(OOM_WAIT_NS));
}
