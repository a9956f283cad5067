/* rt_sigtimedwait: take a pending signal instead of having it handled. */
#include <asm/errno.h>
#include "ptime.h"
#include "signal_int.h"
#include "sys.h"

static int put_info(uint64_t uinfo, const struct ksiginfo *info)
{
    if (!uinfo)
        return 0;
    if (mb_copy_out(uinfo, info, sizeof *info))
        return -EFAULT;
    return mb_zero_out(uinfo + sizeof *info, SIGINFO_SIZE - sizeof *info);
}

long sys_rt_sigtimedwait(const uint64_t a[6])
{
    struct task *t = current;
    uint64_t set, deadline = MB_NEVER;
    int64_t ns = -1;
    if (a[3] != sizeof set)
        return -EINVAL;
    if (mb_copy_in(&set, a[0], sizeof set))
        return -EFAULT;
    if (a[2]) {
        int err = time_get_timespec(a[2], &ns);
        if (err)
            return err;
        deadline = time_ticks_after((uint64_t)ns);
    }
    set &= ~SIGSET_UNBLOCKABLE;

    struct ksiginfo info;
    int sig = sig_dequeue(t, set, &info);
    if (!sig && ns != 0) {
        /* Unblocked while we wait, so that they wake us; still counted as blocked, so that nobody
         * drops them as ignored. */
        uint64_t mask = t->sigmask;
        t->waited_mask = mask;
        sig_set_mask(t, mask & ~set);
        while (!signal_interrupts())
            if (wait_on(&t->proc->signal_wait, deadline) == -ETIMEDOUT)
                break;
        t->waited_mask = 0;
        sig_set_mask(t, mask);
        sig = sig_dequeue(t, set, &info);
        sig_recalc(t);
        if (!sig && signal_interrupts())
            return -EINTR;
    } else {
        sig_recalc(t);
    }
    if (!sig)
        return -EAGAIN;
    return put_info(a[1], &info) ? -EFAULT : sig;
}
