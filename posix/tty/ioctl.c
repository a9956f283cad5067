/* Terminal ioctls: settings, queues, window size.  Job control's are in job.c. */
#include <asm/errno.h>
#include <asm/ioctls.h>
#include <asm/termbits.h>
#include "proc.h"
#include "ptime.h"
#include "sig.h"
#include "tty/tty.h"
#include "vfs.h"

/* ---- settings ---- */

union settings {
    struct termios t;
    struct termios2 t2;
};

static long get(struct tty *t, uint64_t cmd, uint64_t arg)
{
    union settings s;
    if (cmd == TCGETS) {
        ldisc_get_termios(&t->ld, &s.t);
        return mb_copy_out(arg, &s.t, sizeof s.t);
    }
    ldisc_get_termios2(&t->ld, &s.t2);
    return mb_copy_out(arg, &s.t2, sizeof s.t2);
}

static void input_changed(struct tty *t)
{
    tty_writable(t);
    wait_wake(&t->readers);
    wait_wake(&t->writers);
}

static void flush_input(struct tty *t)
{
    tty_flush_input(t);
    ldisc_flush(&t->ld, TCIFLUSH);
    if (t->pty)
        pty_flushed(t->pty, TCIFLUSH);
}

static long set(struct tty *t, bool two, bool drain, bool flush, uint64_t arg)
{
    union settings s;
    if (mb_copy_in(&s, arg, two ? sizeof s.t2 : sizeof s.t))
        return -EFAULT;
    if (drain) {
        int err = tty_wait_sent(t);
        if (err)
            return err;
    }
    if (flush)
        flush_input(t);
    struct termios2 old;
    ldisc_get_termios2(&t->ld, &old);
    if (two) {
        s.t2.c_lflag &= ~(tcflag_t)EXTPROC; /* does not exist here */
        ldisc_set_termios2(&t->ld, &s.t2);
    } else {
        s.t.c_lflag &= ~(tcflag_t)EXTPROC;
        ldisc_set_termios(&t->ld, &s.t);
    }
    if (t->pty)
        pty_settings(t->pty, &old);
    input_changed(t);
    return 0;
}

static long get_short(struct tty *t, uint64_t arg)
{
    struct termios s;
    struct termio o = {0};
    ldisc_get_termios(&t->ld, &s);
    o.c_iflag = (uint16_t)s.c_iflag;
    o.c_oflag = (uint16_t)s.c_oflag;
    o.c_cflag = (uint16_t)s.c_cflag;
    o.c_lflag = (uint16_t)s.c_lflag;
    o.c_line = s.c_line;
    for (unsigned i = 0; i < NCC; i++)
        o.c_cc[i] = s.c_cc[i];
    return mb_copy_out(arg, &o, sizeof o);
}

static long flush_queues(struct tty *t, int which)
{
    if (which != TCIFLUSH && which != TCOFLUSH && which != TCIOFLUSH)
        return -EINVAL;
    if (which != TCOFLUSH)
        flush_input(t);
    if (which != TCIFLUSH)
        ldisc_flush(&t->ld, TCOFLUSH);
    input_changed(t);
    return 0;
}

static long flow(struct tty *t, int action)
{
    if (action != TCOOFF && action != TCOON && action != TCIOFF && action != TCION)
        return -EINVAL;
    ldisc_flow(&t->ld, action);
    input_changed(t);
    return 0;
}

/* ---- the rest ---- */

static long put_int(uint64_t addr, size_t value)
{
    int32_t word = (int32_t)value;
    return mb_copy_out(addr, &word, sizeof word);
}

static long set_size(struct tty *t, uint64_t arg)
{
    struct winsize w;
    if (mb_copy_in(&w, arg, sizeof w))
        return -EFAULT;
    bool same = w.ws_row == t->size.ws_row && w.ws_col == t->size.ws_col &&
                w.ws_xpixel == t->size.ws_xpixel && w.ws_ypixel == t->size.ws_ypixel;
    t->size = w;
    if (!same && t->pgrp)
        signal_pgrp(t->pgrp, SIGWINCH);
    return 0;
}

/* As if typed. */
static long simulate(struct tty *t, uint64_t arg)
{
    uint8_t c;
    if (tty_current() != t && !capable(CAP_SYS_ADMIN))
        return -EPERM;
    if (mb_copy_in(&c, arg, 1))
        return -EFAULT;
    tty_input(t, &c, 1);
    return 0;
}

/* Who changes something from the background is stopped first. */
static bool changes(uint64_t cmd)
{
    switch (cmd) {
    case TCSETS:
    case TCSETSW:
    case TCSETSF:
    case TCSETS2:
    case TCSETSW2:
    case TCSETSF2:
    case TCFLSH:
    case TCXONC:
    case TCSBRK:
    case TCSBRKP:
        return true;
    default:
        return false;
    }
}

static long do_ioctl(struct tty *t, struct file *f, uint64_t cmd, uint64_t arg, bool master)
{
    cmd = (uint32_t)cmd;
    if (changes(cmd)) {
        int err = tty_check_background(t, SIGTTOU);
        if (err)
            return err;
    }
    switch (cmd) {
    case TCGETS:
    case TCGETS2:
        return get(t, cmd, arg);
    case TCGETA:
        return get_short(t, arg);
    case TCSETS:
        return set(t, false, false, false, arg);
    case TCSETSW:
        return set(t, false, true, false, arg);
    case TCSETSF:
        return set(t, false, true, true, arg);
    case TCSETS2:
        return set(t, true, false, false, arg);
    case TCSETSW2:
        return set(t, true, true, false, arg);
    case TCSETSF2:
        return set(t, true, true, true, arg);
    case TCFLSH:
        return flush_queues(t, (int)arg);
    case TCXONC:
        return flow(t, (int)arg);
    case TCSBRK: /* a break cannot be sent: with 0 only the waiting is done */
    case TCSBRKP:
        return tty_wait_sent(t);
    case TIOCGWINSZ:
        return mb_copy_out(arg, &t->size, sizeof t->size);
    case TIOCSWINSZ:
        return set_size(t, arg);
    case TIOCINQ:
        return put_int(arg, ldisc_input_count(&t->ld));
    case TIOCOUTQ:
        return put_int(arg, t->pty ? 0 : tty_out_count(t) + ldisc_echo_count(&t->ld));
    case TIOCSTI:
        return simulate(t, arg);
    case TIOCEXCL:
    case TIOCNXCL:
        t->exclusive = cmd == TIOCEXCL;
        return 0;
    case TIOCGEXCL:
        return put_int(arg, t->exclusive);
    case TIOCGETD:
        return put_int(arg, 0);
    case TIOCGDEV:
        return put_int(arg, t->dev);
    default: {
        long r = tty_job_ioctl(t, f, cmd, arg, master);
        return r == -ENOIOCTLCMD ? -ENOTTY : r;
    }
    }
}

long tty_ioctl(struct file *f, uint64_t cmd, uint64_t arg)
{
    return do_ioctl(f->priv, f, cmd, arg, false);
}

long tty_ioctl_master(struct tty *t, struct file *f, uint64_t cmd, uint64_t arg)
{
    return do_ioctl(t, f, cmd, arg, true);
}
