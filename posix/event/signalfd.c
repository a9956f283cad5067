/* signalfd: pending signals are read, as sigtimedwait takes them.
 *
 * The signals are those of whoever reads, not of who made the descriptor; so is the queue that a poll
 * waits on, which an epoll instance may still be hooked to when that process is gone (waitq_close).
 */
#include "fd/fd_int.h"
#include "fs/text.h"
#include "include/sig.h"
#include "include/sys.h"
#include "signal/signal_int.h"

#include <linux/signalfd.h>
#include <string.h>

_Static_assert(sizeof(struct signalfd_siginfo) == 128, "signalfd_siginfo layout");

static uint64_t mask_of(const struct file *f)
{
    return (uint64_t)(uintptr_t)f->priv;
}

static void fill(struct signalfd_siginfo *s, const struct ksiginfo *k)
{
    memset(s, 0, sizeof(*s));
    s->ssi_signo = (uint32_t)k->signo;
    s->ssi_errno = k->err;
    s->ssi_code = k->code;
    if (k->code == SI_TIMER) {
        s->ssi_tid = (uint32_t)k->u.timer.id;
        s->ssi_overrun = (uint32_t)k->u.timer.overrun;
        s->ssi_ptr = k->u.timer.value;
        s->ssi_int = (int32_t)k->u.timer.value;
        return;
    }
    if (k->code <= SI_USER || k->code == SI_KERNEL) {
        s->ssi_pid = (uint32_t)k->u.rt.pid;
        s->ssi_uid = k->u.rt.uid;
        s->ssi_ptr = k->u.rt.value;
        s->ssi_int = (int32_t)k->u.rt.value;
        return;
    }
    switch (k->signo) {
    case SIGCHLD:
        s->ssi_pid = (uint32_t)k->u.chld.pid;
        s->ssi_uid = k->u.chld.uid;
        s->ssi_status = k->u.chld.status;
        s->ssi_utime = (uint64_t)k->u.chld.utime;
        s->ssi_stime = (uint64_t)k->u.chld.stime;
        break;
    case SIGPOLL:
        s->ssi_band = (uint32_t)k->u.poll.band;
        s->ssi_fd = k->u.poll.fd;
        break;
    default:
        s->ssi_addr = k->u.fault.addr;
        break;
    }
}

/* Takes one, waiting for it if wait: 1, 0, or an error. */
static long take(const struct file *f, bool wait, struct ksiginfo *info)
{
    struct task *t = current;
    for (;;) {
        int sig = sig_dequeue(t, mask_of(f), info);
        if (sig != 0) {
            sig_recalc(t);
            return 1;
        }
        if (!wait) {
            return 0;
        }
        int err = wait_on(&t->proc->signal_wait, MB_NEVER);
        if (err < 0) {
            return err == -EINTR ? -ERESTARTSYS : err;
        }
    }
}

static long signal_read(struct file *f, struct iobuf *b, int64_t *pos)
{
    long done = 0;
    if (b->len < sizeof(struct signalfd_siginfo)) {
        return -EINVAL;
    }
    while (b->len >= sizeof(struct signalfd_siginfo)) {
        struct ksiginfo info;
        struct signalfd_siginfo s;
        bool wait = done == 0 && (f->flags & O_NONBLOCK) == 0;
        long got = take(f, wait, &info);
        if (got <= 0) {
            return done > 0 ? done : got < 0 ? got : -EAGAIN;
        }
        fill(&s, &info);
        if (iobuf_put(b, &s, sizeof(s)) < 0) {
            return done > 0 ? done : -EFAULT;
        }
        done += (long)sizeof(s);
    }
    return done;
}

static unsigned signal_poll(struct file *f, struct poll_table *pt)
{
    const struct task *t = current;
    if (pt != NULL) {
        poll_wait(pt, &t->proc->signal_wait);
    }
    return ((t->sigpending | t->proc->sigpending) & mask_of(f)) != 0 ? ABI_POLLIN : 0;
}

static void signal_info(const struct file *f, struct text *t)
{
    text_printf(t, "sigmask:\t%016lx\n", (unsigned long)mask_of(f));
}

static const struct file_ops signal_ops = {
    .name = "[signalfd]", .read = signal_read, .poll = signal_poll, .info = signal_info};

static long set_mask(int fd, uint64_t mask)
{
    struct file *f = fd_get(fd);
    if (f == NULL) {
        return -EBADF;
    }
    long result = -EINVAL;
    if (f->ops == &signal_ops) {
        f->priv = (void *)(uintptr_t)mask;
        wait_wake(&current->proc->signal_wait);
        result = fd;
    }
    file_unref(f);
    return result;
}

long sys_signalfd4(const uint64_t a[6])
{
    int fd = (int)a[0];
    unsigned flags = (unsigned)a[3];
    uint64_t mask;
    if (a[2] != sizeof(mask)) {
        return -EINVAL;
    }
    if (mb_copy_in(&mask, a[1], sizeof(mask)) < 0) {
        return -EFAULT;
    }
    if ((flags & ~(unsigned)(O_CLOEXEC | O_NONBLOCK)) != 0) {
        return -EINVAL;
    }
    mask &= ~SIGSET_UNBLOCKABLE;
    if (fd != -1) {
        return set_mask(fd, mask);
    }
    struct file *f =
        file_make_anon(&signal_ops, 0600, O_RDWR | (flags & O_NONBLOCK), (void *)(uintptr_t)mask);
    return f != NULL ? fd_install(f, 0, (flags & O_CLOEXEC) != 0) : -ENOMEM;
}
