/* The epoll calls: instances, adding and removing, waiting.
 *
 * Waiting takes items off the ready list one by one and asks each whether it is ready.  One that is
 * level-triggered goes back to the list's end: the next who collects asks it again.  Those who wait are
 * woken one at a time; who leaves something on the list wakes the next.
 * Not here: items and how they become ready (epitem.c), instances that watch each other (epoll_nest.c).
 */
#include "event/epoll_int.h"
#include "fd/fd_int.h"
#include "fs/text.h"
#include "include/proc.h"
#include "include/sig.h"
#include "poll/poll_int.h"

#include <limits.h>
#include <linux/eventpoll.h>
#include <string.h>

#define EXCLUSIVE_OK \
    (EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP | EPOLLWAKEUP | EPOLLET | EPOLLEXCLUSIVE)

/* ---- the file ---- */

static unsigned epoll_poll(struct file *f, struct poll_table *pt)
{
    struct epoll *ep = f->priv;
    if (pt != NULL) {
        poll_wait(pt, &ep->pollers);
    }
    while (ep->ready_first != NULL) {
        struct epitem *i = ep->ready_first;
        if (epitem_events(i) != 0) {
            return ABI_POLLIN | ABI_POLLRDNORM;
        }
        epitem_unready(i);
    }
    return 0;
}

static void epoll_info(const struct file *f, struct text *t)
{
    const struct epoll *ep = f->priv;
    for (uint32_t b = 0; b < ep->buckets; b++) {
        for (const struct epitem *i = ep->table[b]; i != NULL; i = i->hash_next) {
            const struct inode *ino = i->file->inode;
            text_printf(t, "tfd: %8d events: %8x data: %16lx  pos:%ld ino:%lx sdev:%x\n", i->fd,
                        i->events, (unsigned long)i->data, (long)i->file->pos,
                        (unsigned long)ino->ino, ino->sb != NULL ? (unsigned)ino->sb->dev : 0);
        }
    }
}

static void epoll_release(struct file *f)
{
    struct epoll *ep = f->priv;
    for (uint32_t b = 0; b < ep->buckets; b++) {
        while (ep->table[b] != NULL) {
            epitem_remove(ep->table[b]);
        }
    }
    user_unref(ep->user);
    mb_free(ep->table);
    mb_free(ep);
}

const struct file_ops epoll_ops = {
    .name = "[eventpoll]", .poll = epoll_poll, .info = epoll_info, .release = epoll_release};

long sys_epoll_create1(const uint64_t a[6])
{
    unsigned flags = (unsigned)a[0];
    if ((flags & ~(unsigned)O_CLOEXEC) != 0) {
        return -EINVAL;
    }
    struct epoll *ep = mb_zalloc(sizeof(*ep));
    if (ep == NULL) {
        return -ENOMEM;
    }
    ep->file = file_make_anon(&epoll_ops, 0600, O_RDWR, ep);
    if (ep->file == NULL) {
        mb_free(ep);
        return -ENOMEM;
    }
    ep->user = user_ref(current->user);
    return fd_install(ep->file, 0, (flags & O_CLOEXEC) != 0);
}

/* ---- epoll_ctl ---- */

static int ctl_add(struct epoll *ep, struct file *f, int fd, const struct ep_event *e)
{
    if (epitem_find(ep, f, fd) != NULL) {
        return -EEXIST;
    }
    int err = epoll_may_watch(ep, f);
    return err < 0 ? err : epitem_add(ep, f, fd, e);
}

static int ctl(struct epoll *ep, int op, struct file *f, int fd, const struct ep_event *e)
{
    struct epitem *i = epitem_find(ep, f, fd);
    switch (op) {
    case EPOLL_CTL_ADD:
        return ctl_add(ep, f, fd, e);
    case EPOLL_CTL_DEL:
        if (i == NULL) {
            return -ENOENT;
        }
        epitem_remove(i);
        return 0;
    case EPOLL_CTL_MOD:
        if (i == NULL) {
            return -ENOENT;
        }
        if ((i->events & EPOLLEXCLUSIVE) != 0) {
            return -EINVAL;
        }
        epitem_set(i, e);
        return 0;
    default:
        return -EINVAL;
    }
}

static int ctl_check(const struct file *epf, const struct file *f, int op, const struct ep_event *e)
{
    if (f->ops->poll == NULL) {
        return -EPERM;
    }
    if (epf == f || epoll_of(epf) == NULL) {
        return -EINVAL;
    }
    if (op != EPOLL_CTL_DEL && (e->events & EPOLLEXCLUSIVE) != 0) {
        if (op == EPOLL_CTL_MOD) {
            return -EINVAL;
        }
        if (op == EPOLL_CTL_ADD &&
            (epoll_of(f) != NULL || (e->events & ~(uint32_t)EXCLUSIVE_OK) != 0)) {
            return -EINVAL;
        }
    }
    return 0;
}

long sys_epoll_ctl(const uint64_t a[6])
{
    struct ep_event e = {0};
    int op = (int)a[1], fd = (int)a[2];
    if (op != EPOLL_CTL_DEL && mb_copy_in(&e, a[3], sizeof(e)) < 0) {
        return -EFAULT;
    }
    struct file *epf = fd_get((int)a[0]);
    if (epf == NULL) {
        return -EBADF;
    }
    long result = -EBADF;
    struct file *f = fd_get(fd);
    if (f != NULL) {
        result = ctl_check(epf, f, op, &e);
        if (result == 0) {
            e.events = (e.events & ~(uint32_t)EPOLLWAKEUP) | EPOLLERR | EPOLLHUP;
            result = ctl(epf->priv, op, f, fd, &e);
        }
        file_unref(f);
    }
    file_unref(epf);
    return result;
}

/* ---- waiting ---- */

/* Takes i off the list and tells of it; 1, 0: it is not ready, or -EFAULT and it is on the list again. */
static int deliver(struct epoll *ep, struct epitem *i, uint64_t to)
{
    struct file *f = i->file;
    int fd = i->fd;
    epitem_unready(i);
    struct ep_event e = {.events = epitem_events(i), .data = i->data};
    if (e.events == 0) {
        return 0;
    }
    if (mb_copy_out(to, &e, sizeof(e)) < 0) {
        i = epitem_find(ep, f, fd); /* another thread may have removed it during a page-in */
        if (i != NULL) {
            epitem_ready(i);
        }
        return -EFAULT;
    }
    i = epitem_find(ep, f, fd);
    if (i != NULL && (i->events & EPOLLONESHOT) != 0) {
        i->events &= (uint32_t)(EPOLLET | EPOLLONESHOT | EPOLLEXCLUSIVE);
    } else if (i != NULL && (i->events & EPOLLET) == 0) {
        epitem_ready(i);
        i->round = ep->round;
    }
    return 1;
}

/* What is ready, at most max; each item gets one look. */
static long collect(struct epoll *ep, uint64_t to, int max)
{
    long n = 0;
    int err = 0;
    ep->round++;
    while (n < max && ep->ready_first != NULL && ep->ready_first->round != ep->round) {
        err = deliver(ep, ep->ready_first, to + (uint64_t)n * sizeof(struct ep_event));
        if (err < 0) {
            break;
        }
        n += err;
    }
    if (ep->ready_first != NULL) {
        wait_pass_on(&ep->waiters);
    }
    return n > 0 ? n : err < 0 ? err : 0;
}

static long wait_ready(struct epoll *ep, uint64_t to, int max, int64_t ns)
{
    uint64_t deadline = MB_NEVER;
    if (ns > 0) {
        int64_t now = time_monotonic_ns();
        deadline = ns > INT64_MAX - now ? MB_NEVER : time_ticks_at(now + ns);
    }
    int err = 0;
    for (;;) {
        long n = ep->ready_first != NULL ? collect(ep, to, max) : 0;
        if (n != 0 || ns == 0 || err < 0) {
            return n != 0 ? n : err; /* what is ready is told before a signal is */
        }
        err = wait_on_one(&ep->waiters, deadline);
        if (err == -ETIMEDOUT) {
            ns = err = 0; /* one last look */
        }
    }
}

/* ns < 0: for ever */
static long epoll_pwait_(const uint64_t a[6], int64_t ns)
{
    int max = (int)a[2];
    long n = sig_mask_push(a[4], a[5]);
    if (n < 0) {
        return n;
    }
    if (max <= 0 || max > INT_MAX / (int)sizeof(struct ep_event)) {
        n = -EINVAL;
    } else {
        struct file *f = fd_get((int)a[0]);
        if (f == NULL) {
            n = -EBADF;
        } else {
            struct epoll *ep = epoll_of(f);
            n = ep != NULL ? wait_ready(ep, a[1], max, ns) : -EINVAL;
            file_unref(f);
        }
    }
    sig_mask_pop(n == -EINTR);
    return n;
}

long sys_epoll_pwait(const uint64_t a[6])
{
    int ms = (int)a[3];
    return epoll_pwait_(a, ms < 0 ? -1 : (int64_t)ms * 1000000);
}

long sys_epoll_pwait2(const uint64_t a[6])
{
    int64_t ns = -1;
    if (a[3] != 0) {
        int err = time_get_timespec(a[3], &ns);
        if (err < 0) {
            return err;
        }
    }
    return epoll_pwait_(a, ns);
}
