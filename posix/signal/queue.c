/* Queues of pending signals: one a thread, one a process.
 *
 * A standard signal is pending once, with the siginfo of the first that was sent, and once for each
 * timer, whose node is made with it; realtime signals queue up in order.  Without memory a standard signal is still marked, and arrives without details.
 */
#include <asm/errno.h>
#include "signal_int.h"
#include "time/itimer.h"

struct signode *signode_make(struct user *user, uint64_t limit)
{
    struct signode *n = user->signals < limit ? mb_alloc(sizeof *n) : NULL;
    if (!n)
        return NULL;
    *n = (struct signode){.user = user_ref(user)};
    user->signals++;
    return n;
}

static void append(struct signode **queue, struct signode *n)
{
    while (*queue)
        queue = &(*queue)->next;
    *queue = n;
    n->next = NULL;
    n->queued = true;
}

int sigq_add(uint64_t *set, struct signode **queue, struct user *user, uint64_t limit, int sig,
             const struct ksiginfo *info)
{
    bool realtime = sig >= SIG_RT_FIRST;
    if (!realtime && (*set & SIG_BIT(sig)))
        return 0;
    if (info && sig != SIGKILL) {
        /* What the system itself sends with a standard signal is worth going over the limit. */
        bool limited = realtime || info->code < 0;
        struct signode *n = signode_make(user, limited ? limit : ~0ul);
        if (n) {
            n->info = *info;
            append(queue, n);
        } else if (realtime && info->code != SI_USER) {
            return -EAGAIN;
        }
    }
    *set |= SIG_BIT(sig);
    return 0;
}

void sigq_add_held(uint64_t *set, struct signode **queue, struct signode *n)
{
    append(queue, n);
    *set |= SIG_BIT(n->info.signo);
}

static void node_free(struct signode *n)
{
    n->queued = false;
    if (n->held)
        return;
    n->user->signals--;
    user_unref(n->user);
    mb_free(n);
}

void signode_let_go(struct signode *n)
{
    n->held = false;
    if (!n->queued)
        node_free(n);
}

void sigq_take(uint64_t *set, struct signode **queue, int sig, struct ksiginfo *info)
{
    struct signode *found = NULL;
    bool more = false;
    for (struct signode **at = queue; *at;) {
        struct signode *n = *at;
        if (n->info.signo == sig && !found) {
            found = n;
            *at = n->next;
            continue;
        }
        more |= n->info.signo == sig;
        at = &n->next;
    }
    if (!more)
        *set &= ~SIG_BIT(sig);
    if (found) {
        *info = found->info;
        node_free(found);
    } else {
        *info = (struct ksiginfo){.signo = sig, .code = SI_USER};
    }
}

void sigq_drop(uint64_t *set, struct signode **queue, uint64_t which)
{
    if (!(*set & which))
        return;
    for (struct signode **at = queue; *at;) {
        struct signode *n = *at;
        if (SIG_BIT(n->info.signo) & which) {
            *at = n->next;
            node_free(n);
        } else {
            at = &n->next;
        }
    }
    *set &= ~which;
}

static int lowest(uint64_t set)
{
    int n = 1;
    while (!(set & 1)) {
        set >>= 1;
        n++;
    }
    return n;
}

/* Faults of the thread first, so that their frames show the state at the fault; then by number, the
 * thread's own before the process'. */
static int next_of(uint64_t set)
{
    if (set & SIGSET_SYNC)
        set &= SIGSET_SYNC;
    return set ? lowest(set) : 0;
}

int sig_dequeue(struct task *t, uint64_t of, struct ksiginfo *info)
{
    int sig = next_of(t->sigpending & of);
    if (sig) {
        sigq_take(&t->sigpending, &t->sigqueue, sig, info);
    } else {
        sig = next_of(t->proc->sigpending & of);
        if (sig)
            sigq_take(&t->proc->sigpending, &t->proc->sigqueue, sig, info);
    }
    if (sig == SIGALRM || (sig && info->code == SI_TIMER))
        timers_signal_taken(t->proc, info);
    return sig;
}

void sig_flush_task(struct task *t)
{
    sigq_drop(&t->sigpending, &t->sigqueue, ~0ull);
}

void sig_flush_process(struct process *p)
{
    sigq_drop(&p->sigpending, &p->sigqueue, ~0ull);
}

void sig_drop_everywhere(struct process *p, uint64_t which)
{
    sigq_drop(&p->sigpending, &p->sigqueue, which);
    for (struct task *t = p->threads; t; t = t->next_thread)
        sigq_drop(&t->sigpending, &t->sigqueue, which);
}
