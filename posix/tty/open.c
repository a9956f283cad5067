/* Opening, closing and hanging up terminals.
 *
 * A terminal knows its open files, since a hang-up ends them all: their operations are exchanged for ones
 * that say end of file and EIO, for good.  Whoever sleeps in a read or write sees that when it wakes.
 */
#include <asm/errno.h>
#include <asm/fcntl.h>
#include <asm/ioctls.h>
#include <linux/poll.h>
#include "proc.h"
#include "sig.h"
#include "sys.h"
#include "tty/tty.h"
#include "vfs.h"

struct tty_opened {
    struct tty_opened *next;
    struct file *file;
};

/* A session leader without a terminal gets the one it opens. */
static void maybe_acquire(struct tty *t, const struct file *f)
{
    const struct task *me = current;
    if (!me || (f->flags & O_NOCTTY) || (f->flags & O_ACCMODE) == O_WRONLY)
        return;
    const struct session *s = me->proc->session;
    if (s->sid == me->proc->pid && !s->tty && !t->session)
        tty_acquire(t, me->proc);
}

int tty_open(struct tty *t, struct file *f)
{
    const struct task *me = current;
    int err = t->pty ? pty_may_open(t->pty) : 0;
    if (err)
        return err;
    if (t->exclusive && t->opened && me && !capable(CAP_SYS_ADMIN))
        return -EBUSY;
    struct tty_opened *o = mb_alloc(sizeof *o);
    if (!o)
        return -ENOMEM;
    o->file = f;
    o->next = t->opened;
    t->opened = o;
    f->ops = &tty_ops;
    f->priv = t;
    if (t->ld.hung_up)
        ldisc_init(&t->ld, &tty_sink, t);
    maybe_acquire(t, f);
    return 0;
}

void tty_release(struct file *f)
{
    struct tty *t = f->priv;
    struct tty_opened **at = &t->opened, *o;
    while ((*at)->file != f)
        at = &(*at)->next;
    o = *at;
    *at = o->next;
    mb_free(o);
    if (t->opened)
        return;
    t->exclusive = false;
    if (t->pty)
        pty_slave_closed(t->pty); /* and t may be gone */
}

/* ---- hanging up ---- */

/* The leader is told; what it leaves behind, when it ends, is its foreground group's business. */
static void tell_session(struct tty *t)
{
    struct session *s = t->session;
    if (!s)
        return;
    struct process *leader = process_find(s->sid);
    struct pid *g = pid_find(t->pgrp);
    if (g) {
        pid_ref(g);
        pid_unref(s->old_pgrp);
        s->old_pgrp = g;
    }
    tty_cut(t);
    if (leader && leader->session == s) {
        signal_process(leader, SIGHUP);
        signal_process(leader, SIGCONT);
    }
}

static void hang_up_file(struct file *f)
{
    f->ops = &tty_hung_ops;
    async_hangup(f);
}

void tty_hangup(struct tty *t)
{
    tell_session(t);
    if (!t->never_hung) {
        for (struct tty_opened *o = t->opened; o; o = o->next)
            hang_up_file(o->file);
        ldisc_hangup(&t->ld);
    }
    tty_flush_input(t);
    wait_wake(&t->readers);
    wait_wake(&t->writers);
}

static long hung_read(struct file *f, struct iobuf *b, int64_t *pos)
{
    return 0;
}

static long hung_write(struct file *f, struct iobuf *b, int64_t *pos)
{
    return -EIO;
}

static unsigned hung_poll(struct file *f, struct poll_table *pt)
{
    return POLLIN | POLLOUT | POLLERR | POLLHUP | POLLRDNORM | POLLWRNORM;
}

static long hung_ioctl(struct file *f, uint64_t cmd, uint64_t arg)
{
    return (uint32_t)cmd == TIOCSPGRP ? -ENOTTY : -EIO;
}

const struct file_ops tty_hung_ops = {
    .name = "tty",
    .read = hung_read,
    .write = hung_write,
    .poll = hung_poll,
    .ioctl = hung_ioctl,
    .release = tty_release,
};

long sys_vhangup(const uint64_t a[6])
{
    struct tty *t = tty_current();
    if (!capable(CAP_SYS_TTY_CONFIG))
        return -EPERM;
    if (t)
        tty_hangup(t);
    return 0;
}
