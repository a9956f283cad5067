/* Texts of /proc that the process code knows best. */
#include <stdio.h>
#include <tax.h>
#include "calls.h"
#include "proc.h"
#include "sig.h"
#include "time_abi.h"

size_t proc_entropy_text(struct process *p, char *buf, size_t n)
{
    return tax_text(p->tax, call_name, buf, n);
}

size_t proc_status_signals(struct process *p, char *buf, size_t n)
{
    uint64_t ignored = 0, caught = 0;
    const struct task *t = p->threads;
    for (int i = 0; t && i < SIG_COUNT; i++) {
        uint64_t h = t->sighand->action[i].handler;
        if (h == KSIG_IGN)
            ignored |= SIG_BIT(i + 1);
        else if (h != KSIG_DFL)
            caught |= SIG_BIT(i + 1);
    }
    int len = snprintf(buf, n,
                       "SigQ:\t%u/%lu\n"
                       "SigPnd:\t%016lx\nShdPnd:\t%016lx\nSigBlk:\t%016lx\n"
                       "SigIgn:\t%016lx\nSigCgt:\t%016lx\n",
                       t ? t->user->signals : 0, (unsigned long)p->rlimit[RLIMIT_SIGPENDING][0],
                       (unsigned long)(t ? t->sigpending : 0), (unsigned long)p->sigpending,
                       (unsigned long)(t ? t->sigmask : 0), (unsigned long)ignored,
                       (unsigned long)caught);
    return len < 0 ? 0 : (size_t)len < n ? (size_t)len : n;
}
