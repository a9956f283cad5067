/* Signal handlers: the table a thread group shares, and rt_sigaction. */
#include <asm/errno.h>
#include <string.h>
#include "signal_int.h"
#include "sys.h"

struct sighand *sighand_make(void)
{
    struct sighand *h = mb_zalloc(sizeof *h);
    if (h)
        h->refs = 1;
    return h;
}

struct sighand *sighand_ref(struct sighand *h)
{
    h->refs++;
    return h;
}

struct sighand *sighand_copy(const struct sighand *h)
{
    struct sighand *c = mb_alloc(sizeof *c);
    if (!c)
        return NULL;
    memcpy(c->action, h->action, sizeof c->action);
    c->refs = 1;
    return c;
}

void sighand_unref(struct sighand *h)
{
    if (h && --h->refs == 0)
        mb_free(h);
}

void sighand_reset(struct sighand *h)
{
    for (int i = 0; i < SIG_COUNT; i++) {
        struct ksigaction *a = &h->action[i];
        if (a->handler != KSIG_IGN)
            a->handler = KSIG_DFL;
        a->flags = a->mask = 0;
    }
}

/* The flags of Linux; a program learns what is supported by reading back what it set. */
#define SA_KNOWN                                                                                   \
    ((uint64_t)(SA_NOCLDSTOP | SA_NOCLDWAIT | SA_SIGINFO | SA_ONSTACK | SA_RESTART | SA_NODEFER) | \
     (uint32_t)SA_RESETHAND)

long sys_rt_sigaction(const uint64_t a[6])
{
    int sig = (int)a[0];
    struct task *t = current;
    struct ksigaction new, old;
    if (a[3] != sizeof(uint64_t))
        return -EINVAL;
    if (a[1] && mb_copy_in(&new, a[1], sizeof new))
        return -EFAULT;
    if (sig < 1 || sig > SIG_COUNT || (a[1] && (SIG_BIT(sig) & SIGSET_UNBLOCKABLE)))
        return -EINVAL;
    struct ksigaction *act = &t->sighand->action[sig - 1];
    old = *act;
    if (a[1]) {
        new.flags &= SA_KNOWN;
        new.mask &= ~SIGSET_UNBLOCKABLE;
        *act = new;
        bool ignores =
            new.handler == KSIG_IGN || (new.handler == KSIG_DFL &&sig_default_is_ignore(sig));
        if (ignores) {
            sig_drop_everywhere(t->proc, SIG_BIT(sig));
            for (struct task *i = t->proc->threads; i; i = i->next_thread)
                sig_recalc(i);
        }
    }
    if (a[2] && mb_copy_out(a[2], &old, sizeof old))
        return -EFAULT;
    return 0;
}
