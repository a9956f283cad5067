/* The inotify calls and the file that events are read from. */
#include "event/inotify_int.h"
#include "fd/fd_int.h"
#include "fs/text.h"
#include "include/proc.h"

#include <asm/ioctls.h>
#include <string.h>

#define ASKED                                                                                      \
    (IN_ALL_EVENTS | IN_ONLYDIR | IN_DONT_FOLLOW | IN_EXCL_UNLINK | IN_MASK_CREATE | IN_MASK_ADD | \
     IN_ISDIR | IN_ONESHOT | IN_UNMOUNT | IN_Q_OVERFLOW | IN_IGNORED)

/* ---- the file ---- */

static long event_put(struct inotify *in, struct iobuf *b)
{
    struct in_event *e = in_take(in);
    struct inotify_event head = {.wd = e->wd, .mask = e->mask, .cookie = e->cookie, .len = e->len};
    int err = iobuf_put(b, &head, sizeof(head));
    if (err == 0 && e->len > 0) {
        err = iobuf_put(b, e->name, e->len);
    }
    long n = (long)(sizeof(head) + e->len);
    in_event_free(in, e);
    return err < 0 ? err : n;
}

static long inotify_read(struct file *f, struct iobuf *b, int64_t *pos)
{
    struct inotify *in = f->priv;
    long done = 0;
    while (in->first == NULL) {
        if ((f->flags & O_NONBLOCK) != 0) {
            return -EAGAIN;
        }
        int err = wait_on(&in->readers, MB_NEVER);
        if (err < 0) {
            return err == -EINTR ? -ERESTARTSYS : err;
        }
    }
    while (in->first != NULL) {
        if (sizeof(struct inotify_event) + in->first->len > b->len) {
            return done > 0 ? done : -EINVAL;
        }
        long n = event_put(in, b);
        if (n < 0) {
            return done > 0 ? done : n;
        }
        done += n;
    }
    return done;
}

static unsigned inotify_poll(struct file *f, struct poll_table *pt)
{
    struct inotify *in = f->priv;
    if (pt != NULL) {
        poll_wait(pt, &in->readers);
    }
    return in->first != NULL ? ABI_POLLIN | ABI_POLLRDNORM : 0;
}

static long inotify_ioctl(struct file *f, uint64_t cmd, uint64_t arg)
{
    const struct inotify *in = f->priv;
    int32_t n = (int32_t)in->bytes;
    return cmd == FIONREAD ? mb_copy_out(arg, &n, sizeof(n)) : -ENOTTY;
}

static void inotify_info(const struct file *f, struct text *t)
{
    const struct inotify *in = f->priv;
    for (const struct watch *w = in->watches; w != NULL; w = w->next) {
        const struct inode *ino = w->inode;
        text_printf(t, "inotify wd:%x ino:%lx sdev:%x mask:%x ignored_mask:0\n", (unsigned)w->wd,
                    (unsigned long)ino->ino, ino->sb != NULL ? (unsigned)ino->sb->dev : 0, w->mask);
    }
}

static void inotify_release(struct file *f)
{
    struct inotify *in = f->priv;
    while (in->watches != NULL) {
        watch_remove(in->watches, false);
    }
    while (in->first != NULL) {
        in_event_free(in, in_take(in));
    }
    *in->link = in->next;
    if (in->next != NULL) {
        in->next->link = in->link;
    }
    in->user->inotifies--;
    user_unref(in->user);
    mb_free(in);
}

static const struct file_ops inotify_ops = {
    .name = "inotify",
    .read = inotify_read,
    .poll = inotify_poll,
    .ioctl = inotify_ioctl,
    .info = inotify_info,
    .release = inotify_release,
    .tells = true,
};

/* ---- the calls ---- */

long sys_inotify_init1(const uint64_t a[6])
{
    unsigned flags = (unsigned)a[0];
    struct user *u = current->user;
    if ((flags & ~(unsigned)(O_CLOEXEC | O_NONBLOCK)) != 0) {
        return -EINVAL;
    }
    if ((long)u->inotifies >= notify_limit[NOTIFY_INSTANCES]) {
        return -EMFILE;
    }
    struct inotify *in = mb_zalloc(sizeof(*in));
    if (in == NULL) {
        return -ENOMEM;
    }
    struct file *f = file_make_anon(&inotify_ops, 0600, O_RDONLY | (flags & O_NONBLOCK), in);
    if (f == NULL) {
        mb_free(in);
        return -ENOMEM;
    }
    in->user = user_ref(u);
    in->queued_max = (unsigned)notify_limit[NOTIFY_QUEUED];
    u->inotifies++;
    in->next = inotify_all;
    in->link = &inotify_all;
    if (in->next != NULL) {
        in->next->link = &in->next;
    }
    inotify_all = in;
    return fd_install(f, 0, (flags & O_CLOEXEC) != 0);
}

static int inotify_get(int fd, struct file **out)
{
    struct file *f = fd_get(fd);
    if (f == NULL) {
        return -EBADF;
    }
    if (f->ops != &inotify_ops) {
        file_unref(f);
        return -EINVAL;
    }
    *out = f;
    return 0;
}

long sys_inotify_add_watch(const uint64_t a[6])
{
    uint32_t mask = (uint32_t)a[2];
    struct path p;
    struct file *f;
    if ((mask & ASKED) == 0) {
        return -EINVAL;
    }
    if (fd_peek((int)a[0]) == NULL) {
        return -EBADF;
    }
    if ((mask & IN_MASK_ADD) != 0 && (mask & IN_MASK_CREATE) != 0) {
        return -EINVAL;
    }
    long result = inotify_get((int)a[0], &f);
    if (result < 0) {
        return result;
    }
    unsigned lookup = ((mask & IN_DONT_FOLLOW) == 0 ? LOOKUP_FOLLOW : 0) |
                      ((mask & IN_ONLYDIR) != 0 ? LOOKUP_DIRECTORY : 0);
    result = path_lookup_user(AT_FDCWD, a[1], lookup, &p);
    if (result == 0) {
        result = inode_permission(p.dentry->inode, MAY_READ);
        if (result == 0) {
            result = watch_set(f->priv, p.dentry->inode, mask);
        }
        path_unref(p);
    }
    file_unref(f);
    return result;
}

long sys_inotify_rm_watch(const uint64_t a[6])
{
    struct file *f;
    long result = inotify_get((int)a[0], &f);
    if (result < 0) {
        return result;
    }
    struct watch *w = watch_find(f->priv, (int32_t)a[1]);
    if (w != NULL) {
        watch_remove(w, true);
    } else {
        result = -EINVAL;
    }
    file_unref(f);
    return result;
}
