/* Terminals and job control: who is in the foreground, and what happens to the others. */
#include <asm/errno.h>
#include <asm/fcntl.h>
#include <asm/ioctls.h>
#include "proc.h"
#include "sig.h"
#include "tty/tty.h"
#include "vfs.h"

struct tty *tty_current(void)
{
    const struct task *t = current;
    return t && !t->proc->no_tty ? t->proc->session->tty : NULL;
}

int tty_check_background(struct tty *t, int sig)
{
    struct task *me = current;
    if (!me)
        return 0;
    struct process *p = me->proc;
    if (tty_current() != t || !t->pgrp || p->pgid == t->pgrp)
        return 0;
    if (sig_ignored_or_blocked(me, sig))
        return sig == SIGTTIN ? -EIO : 0; /* output is let through */
    if (pgrp_orphaned(p->pgrp, NULL))
        return -EIO;
    signal_pgrp(p->pgid, sig);
    return -ERESTARTSYS;
}

void tty_acquire(struct tty *t, struct process *p)
{
    t->session = p->session;
    t->pgrp = p->pgid;
    p->session->tty = t;
    p->no_tty = false;
}

void tty_cut(struct tty *t)
{
    if (!t->session)
        return;
    t->session->tty = NULL;
    t->session = NULL;
    t->pgrp = 0;
}

void tty_session_gone(struct session *s)
{
    if (s->tty)
        tty_cut(s->tty);
}

static void hang_up_group(int pgrp)
{
    if (pgrp) {
        signal_pgrp(pgrp, SIGHUP);
        signal_pgrp(pgrp, SIGCONT);
    }
}

/* The rest of the session loses its terminal.  Open files of the console stay usable, as on Linux; a
 * terminal that hung up before left the leader with the word to pass on. */
void tty_leader_exits(struct process *leader)
{
    struct tty *t = leader->session->tty;
    if (!t) {
        if (leader->session->old_pgrp)
            hang_up_group(leader->session->old_pgrp->nr);
        return;
    }
    hang_up_group(t->pgrp);
    tty_cut(t);
    if (t->pty)
        return;
    tty_flush_input(t);
    ldisc_flush(&t->ld, TCIFLUSH);
    wait_wake(&t->readers);
}

/* ---- ioctls ---- */

static long set_controlling(struct tty *t, const struct file *f, bool steal)
{
    struct process *p = current->proc;
    struct session *s = p->session;
    if (t->session == s && s->sid == p->pid)
        return 0;
    if (s->sid != p->pid || s->tty)
        return -EPERM;
    if (t->session) {
        if (!steal || !capable(CAP_SYS_ADMIN))
            return -EPERM;
    }
    if ((f->flags & O_ACCMODE) == O_WRONLY && !capable(CAP_SYS_ADMIN))
        return -EPERM;
    tty_cut(t);
    tty_acquire(t, p);
    return 0;
}

static bool controls_us(const struct tty *t)
{
    return t->session && tty_current() == t;
}

static long give_up(struct tty *t)
{
    struct process *p = current->proc;
    if (!controls_us(t))
        return -ENOTTY;
    if (p->session->sid == p->pid) {
        hang_up_group(t->pgrp);
        tty_cut(t);
    }
    p->no_tty = true;
    return 0;
}

static long put_int(uint64_t addr, int32_t value)
{
    return mb_copy_out(addr, &value, sizeof value);
}

static long set_foreground(struct tty *t, uint64_t addr)
{
    struct process *p = current->proc;
    int32_t nr;
    if (!controls_us(t))
        return -ENOTTY;
    int err = tty_check_background(t, SIGTTOU);
    if (err)
        return err == -EIO ? -ENOTTY : err;
    if (mb_copy_in(&nr, addr, sizeof nr))
        return -EFAULT;
    if (nr < 0)
        return -EINVAL;
    struct pid *g = pid_find(nr);
    if (!g || !g->members)
        return -ESRCH;
    if (g->members->session != p->session)
        return -EPERM;
    t->pgrp = nr;
    return 0;
}

long tty_job_ioctl(struct tty *t, struct file *f, uint64_t cmd, uint64_t arg, bool master)
{
    switch (cmd) {
    case TIOCSCTTY:
        return set_controlling(t, f, arg == 1);
    case TIOCNOTTY:
        return master ? -ENOTTY : give_up(t);
    case TIOCGPGRP:
        return master || controls_us(t) ? put_int(arg, t->pgrp) : -ENOTTY;
    case TIOCSPGRP:
        return set_foreground(t, arg);
    case TIOCGSID:
        return t->session && (master || controls_us(t)) ? put_int(arg, t->session->sid) : -ENOTTY;
    default:
        return -ENOIOCTLCMD;
    }
}
