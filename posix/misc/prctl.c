/* prctl: what programs commonly ask for; the rest is EINVAL, as an unknown option is. */
#include <asm/errno.h>
#include <linux/prctl.h>
#include <string.h>
#include "proc.h"
#include "sig.h"
#include "sys.h"

static long set_name(struct task *t, uint64_t from)
{
    char name[sizeof t->comm];
    long n = mb_str_in(name, from, sizeof name);
    if (n == -ENAMETOOLONG) { /* cut */
        n = mb_copy_in(name, from, sizeof name - 1);
        name[sizeof name - 1] = 0;
    }
    if (n < 0)
        return n;
    memset(t->comm, 0, sizeof t->comm);
    strncpy(t->comm, name, sizeof t->comm - 1);
    return 0;
}

long sys_prctl(const uint64_t a[6])
{
    struct task *t = current;
    struct process *p = t->proc;
    int32_t word;
    switch ((int)a[0]) {
    case PR_SET_NAME:
        return set_name(t, a[1]);
    case PR_GET_NAME:
        return mb_copy_out(a[1], t->comm, sizeof t->comm);
    case PR_SET_PDEATHSIG:
        if (a[1] > SIG_COUNT)
            return -EINVAL;
        t->pdeath_signal = (int)a[1];
        return 0;
    case PR_GET_PDEATHSIG:
        word = t->pdeath_signal;
        return mb_copy_out(a[1], &word, sizeof word);
    case PR_GET_DUMPABLE:
        return p->dumpable;
    case PR_SET_DUMPABLE:
        if (a[1] > 1)
            return -EINVAL;
        p->dumpable = a[1];
        return 0;
    case PR_SET_NO_NEW_PRIVS:
        if (a[1] != 1 || a[2] || a[3] || a[4])
            return -EINVAL;
        t->no_new_privs = true;
        return 0;
    case PR_GET_NO_NEW_PRIVS:
        if (a[1] || a[2] || a[3] || a[4])
            return -EINVAL;
        return t->no_new_privs;
    case PR_SET_CHILD_SUBREAPER:
        p->subreaper = a[1];
        return 0;
    case PR_GET_CHILD_SUBREAPER:
        word = p->subreaper;
        return mb_copy_out(a[1], &word, sizeof word);
    case PR_GET_SECCOMP:
        return 0;
    case PR_SET_TIMERSLACK: /* kept and told; timers fire as soon as they can */
        t->timer_slack = (int64_t)a[1] > 0 ? a[1] : t->timer_slack_default;
        return 0;
    case PR_GET_TIMERSLACK:
        return (long)t->timer_slack;
    case PR_GET_TIMING:
        return PR_TIMING_STATISTICAL;
    case PR_SET_TIMING:
        return a[1] == PR_TIMING_STATISTICAL ? 0 : -EINVAL;
    case PR_SET_THP_DISABLE: /* there are none */
        return a[2] || a[3] || a[4] ? -EINVAL : 0;
    case PR_GET_THP_DISABLE:
        return a[1] || a[2] || a[3] || a[4] ? -EINVAL : 1;
    case PR_GET_TID_ADDRESS:
        return mb_copy_out(a[1], &t->clear_tid, sizeof t->clear_tid);
    default:
        return prctl_caps(a);
    }
}
