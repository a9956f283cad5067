/* Blocking signals: the mask, and the flag that says whether something unblocked is pending. */
#include <asm/errno.h>
#include "signal_int.h"
#include "sys.h"

uint64_t sig_deliverable(const struct task *t)
{
    return (t->sigpending | t->proc->sigpending) & ~t->sigmask;
}

void sig_recalc(struct task *t)
{
    if (sig_deliverable(t))
        t->work |= WORK_SIGNAL;
    else
        t->work &= ~WORK_SIGNAL;
}

/* Signals for the process that t was to handle and now blocks: another thread may want them. */
static void retarget(struct task *t, uint64_t which)
{
    for (struct task *i = t->proc->threads; i && which; i = i->next_thread) {
        uint64_t takes = which & ~i->sigmask;
        if (i == t || i->exiting || !takes)
            continue;
        which &= ~takes;
        task_give_work(i, WORK_SIGNAL);
    }
}

void sig_set_mask(struct task *t, uint64_t mask)
{
    uint64_t newly = mask & ~t->sigmask;
    t->sigmask = t->exiting ? mask : mask & ~SIGSET_UNBLOCKABLE;
    if (t->proc->nthreads > 1 && (newly & t->proc->sigpending))
        retarget(t, newly & t->proc->sigpending);
    sig_recalc(t);
}

bool signal_interrupts(void)
{
    const struct task *t = current;
    return t && (t->work & (WORK_SIGNAL | WORK_EXIT | WORK_STOP | WORK_TRACE));
}

bool signal_fatal(void)
{
    const struct task *t = current;
    return t && (t->work & WORK_EXIT);
}

/* ---- for the time of one call ---- */

static int get_set(uint64_t uset, uint64_t size, uint64_t *set)
{
    if (size != sizeof *set)
        return -EINVAL;
    return mb_copy_in(set, uset, sizeof *set);
}

static void push(struct task *t, uint64_t mask)
{
    t->saved_mask = t->sigmask;
    t->mask_saved = true;
    sig_set_mask(t, mask);
}

int sig_mask_push(uint64_t uset, uint64_t size)
{
    uint64_t set;
    if (!uset)
        return 0;
    int err = get_set(uset, size, &set);
    if (err)
        return err;
    push(current, set);
    return 0;
}

void sig_mask_pop(bool interrupted)
{
    struct task *t = current;
    if (!t->mask_saved)
        return;
    if (interrupted) {
        t->work |= WORK_MASK; /* put back when the handlers' frames are built */
        return;
    }
    t->mask_saved = false;
    sig_set_mask(t, t->saved_mask);
}

/* ---- calls ---- */

long sys_rt_sigprocmask(const uint64_t a[6])
{
    struct task *t = current;
    uint64_t old = t->sigmask, set;
    if (a[3] != sizeof set)
        return -EINVAL;
    if (a[1]) {
        if (mb_copy_in(&set, a[1], sizeof set))
            return -EFAULT;
        set &= ~SIGSET_UNBLOCKABLE;
        switch ((int)a[0]) {
        case SIG_BLOCK:
            set = old | set;
            break;
        case SIG_UNBLOCK:
            set = old & ~set;
            break;
        case SIG_SETMASK:
            break;
        default:
            return -EINVAL;
        }
        sig_set_mask(t, set);
    }
    if (a[2] && mb_copy_out(a[2], &old, sizeof old))
        return -EFAULT;
    return 0;
}

long sys_rt_sigpending(const uint64_t a[6])
{
    const struct task *t = current;
    uint64_t set = (t->sigpending | t->proc->sigpending) & t->sigmask;
    if (a[1] > sizeof set)
        return -EINVAL;
    return mb_copy_out(a[0], &set, a[1]);
}

long sys_rt_sigsuspend(const uint64_t a[6])
{
    uint64_t set;
    int err = get_set(a[0], a[1], &set);
    if (err)
        return err;
    push(current, set);
    while (!signal_interrupts())
        wait_on(&current->proc->signal_wait, MB_NEVER);
    sig_mask_pop(true);
    return -ERESTARTNOHAND;
}
