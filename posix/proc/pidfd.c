/* pidfds: descriptors that stand for a process, whatever becomes of its number.
 *
 * A pidfd holds the number's object, so that the number is not given to another process meanwhile.
 */
#include <asm/errno.h>
#include <asm/fcntl.h>
#include <linux/pidfd.h>
#include "fs/procfs.h"
#include "linux_abi.h"
#include "proc_int.h"
#include "sig.h"
#include "sys.h"
#include "vfs.h"

static bool ended(const struct pid *p)
{
    return !p->proc || p->proc->zombie;
}

static unsigned pidfd_poll(struct file *f, struct poll_table *pt)
{
    struct pid *p = f->priv;
    if (pt)
        poll_wait(pt, &p->ended);
    return ended(p) ? ABI_POLLIN | ABI_POLLRDNORM : 0;
}

static void pidfd_info(const struct file *f, struct text *t)
{
    const struct pid *p = f->priv;
    int nr = ended(p) ? -1 : p->nr;
    text_printf(t, "Pid:\t%d\nNSpid:\t%d\n", nr, nr);
}

static void pidfd_release(struct file *f)
{
    pid_unref(f->priv);
}

static const struct file_ops pidfd_ops = {
    .name = "[pidfd]", .poll = pidfd_poll, .info = pidfd_info, .release = pidfd_release};

struct file *pidfd_make(struct pid *p, unsigned flags)
{
    struct file *f = file_make_anon(&pidfd_ops, 0600, O_RDWR | flags, p);
    if (f)
        pid_ref(p);
    return f;
}

struct pid *pidfd_pid(const struct file *f)
{
    return f->ops == &pidfd_ops ? f->priv : NULL;
}

long sys_pidfd_open(const uint64_t a[6])
{
    int nr = (int)a[0];
    unsigned flags = (unsigned)a[1];
    if ((flags & ~(unsigned)PIDFD_NONBLOCK) || nr <= 0)
        return -EINVAL;
    struct pid *p = pid_find(nr);
    if (!p || (!p->proc && !p->task && !p->members))
        return -ESRCH;
    if (!p->proc)
        return -EINVAL; /* a thread, or a group without its founder */
    struct file *f = pidfd_make(p, flags & O_NONBLOCK);
    return f ? fd_install(f, 0, true) : -ENOMEM;
}

/* The process behind a descriptor: 0, -EBADF, -ESRCH. It stays as long as nothing sleeps.
 * dirs: a directory /proc/<pid> is one, too. */
static int process_of(int fd, bool dirs, struct process **out)
{
    struct file *f = fd_get(fd);
    if (!f)
        return -EBADF;
    const struct pid *p = pidfd_pid(f);
    struct process *proc = p ? p->proc : NULL;
    int err = p ? 0 : -EBADF;
    if (err && dirs && procfs_is_process(f)) {
        proc = procfs_process(f->inode);
        err = 0;
    }
    if (!err && !proc)
        err = -ESRCH;
    *out = proc;
    file_unref(f);
    return err;
}

long sys_pidfd_send_signal(const uint64_t a[6])
{
    int sig = (int)a[1];
    struct process *p;
    if (a[3])
        return -EINVAL;
    struct ksiginfo info = sig_info_user(sig, SI_USER);
    int err = process_of((int)a[0], true, &p);
    if (err == -EBADF)
        return err;
    if (a[2]) {
        int bad = sig_info_in(&info, a[2], -1);
        if (bad)
            return bad;
        err = process_of((int)a[0], true, &p); /* copying may have slept */
        if (err == -EBADF)
            return err;
        if (info.signo != sig)
            return -EINVAL;
        bool self = !err && p == current->proc;
        if (!self && (info.code >= 0 || info.code == SI_TKILL))
            return -EPERM;
    }
    return err ? err : sig_send_checked(p, NULL, sig, &info);
}

/* Whoever could trace a process may have its files. */
static bool may_take_from(const struct process *p)
{
    return process_may_look(p, false);
}

long sys_pidfd_getfd(const uint64_t a[6])
{
    struct process *p;
    if ((unsigned)a[2])
        return -EINVAL;
    int err = process_of((int)a[0], false, &p);
    if (err)
        return err;
    if (!p->threads)
        return -ESRCH;
    if (!may_take_from(p))
        return -EPERM;
    struct file *f = p->threads->files ? files_get(p->threads->files, (int)a[1]) : NULL;
    return f ? fd_install(f, 0, true) : -EBADF;
}
