/* Pseudo terminals: a terminal whose line is another program.
 *
 *   master write --tty_input--> [ slave's ldisc ] --> slave read
 *   master read  <------------- [ slave's out queue ] <-- slave write, echo
 *
 * A pair is made by opening /dev/ptmx, and its slave is the node of its number in /dev/pts
 * (fs/devpts.c).  Life of a pair: made by its master, locked -> unlocked -> the slave opened and closed, any
 * number of times -> the master closed, which hangs the slave up and takes the node away -> freed with
 * the last file of either.
 * Packet mode (TIOCPKT): `status` collects what happened until the master reads it.
 * Not here: EXTPROC, which is refused.
 */
#include <asm/errno.h>
#include <asm/fcntl.h>
#include <asm/ioctls.h>
#include <linux/poll.h>
#include <stddef.h>
#include "proc.h"
#include "sig.h"
#include "tty/tty.h"
#include "vfs.h"

#define MAJOR_SLAVE 136u

struct pty {
    struct tty slave;
    struct pty *next; /* in order of index */
    unsigned index;
    bool master;       /* is open */
    bool locked;       /* TIOCSPTLCK */
    bool other_closed; /* the slave was open and is not any more */
    bool packet;
    bool stopped; /* the slave's output, as last told */
    uint8_t status;
    struct waitq readers, writers; /* of the master */
};

static struct pty *ptys;
static unsigned pty_count;

/* ---- what the slave's side tells ---- */

static void tell(struct pty *p, unsigned set, unsigned clear)
{
    if (!p->packet)
        return;
    p->status = (uint8_t)((p->status & ~clear) | set);
    wait_wake(&p->readers);
}

void pty_output(struct pty *p)
{
    bool stopped = p->slave.ld.stopped;
    if (stopped != p->stopped) {
        p->stopped = stopped;
        tell(p, stopped ? TIOCPKT_STOP : TIOCPKT_START, stopped ? TIOCPKT_START : TIOCPKT_STOP);
    }
    if (tty_out_count(&p->slave))
        wait_wake(&p->readers);
}

void pty_room(struct pty *p)
{
    wait_wake(&p->writers);
}

void pty_flushed(struct pty *p, int queue)
{
    tell(p, queue == TCIFLUSH ? TIOCPKT_FLUSHREAD : TIOCPKT_FLUSHWRITE, 0);
}

static bool usual_flow(const struct termios2 *t)
{
    return (t->c_iflag & IXON) && t->c_cc[VSTOP] == 023 && t->c_cc[VSTART] == 021;
}

void pty_settings(struct pty *p, const struct termios2 *old)
{
    struct termios2 *t = &p->slave.ld.t;
    bool now = usual_flow(t);
    if (usual_flow(old) != now)
        tell(p, now ? TIOCPKT_DOSTOP : TIOCPKT_NOSTOP, TIOCPKT_DOSTOP | TIOCPKT_NOSTOP);
    t->c_cflag = (t->c_cflag & ~(tcflag_t)(CSIZE | PARENB)) | CS8 | CREAD;
}

/* ---- life ---- */

static struct pty **pty_link(unsigned index)
{
    struct pty **at = &ptys;
    while (*at && (*at)->index < index)
        at = &(*at)->next;
    return at;
}

static struct pty *pty_make(void)
{
    unsigned index = 0;
    struct pty **at = &ptys;
    while (*at && (*at)->index == index) {
        at = &(*at)->next;
        index++;
    }
    struct pty *p = mb_zalloc(sizeof *p);
    if (!p)
        return NULL;
    uint32_t minor = index & 0xff, high = index & ~0xffu;
    tty_init(&p->slave, "pts", MAJOR_SLAVE << 8 | minor | high << 12, NULL);
    struct termios2 t;
    ldisc_get_termios2(&p->slave.ld, &t);
    t.c_cflag &= ~(tcflag_t)HUPCL;
    ldisc_set_termios2(&p->slave.ld, &t);
    p->slave.pty = p;
    p->index = index;
    p->locked = true;
    waitq_init(&p->readers);
    waitq_init(&p->writers);
    p->next = *at;
    *at = p;
    pty_count++;
    return p;
}

/* Nobody has a file of it any more. */
static void pty_free(struct pty *p)
{
    *pty_link(p->index) = p->next;
    pty_count--;
    tty_cut(&p->slave);
    mb_free(p);
}

int pty_may_open(struct pty *p)
{
    if (!p->master || p->locked)
        return -EIO;
    p->other_closed = false;
    return 0;
}

bool pty_master_closed(const struct pty *p)
{
    return !p->master;
}

void pty_slave_closed(struct pty *p)
{
    tty_cut(&p->slave);
    if (!p->master) {
        pty_free(p);
        return;
    }
    p->other_closed = true;
    wait_wake(&p->readers);
    wait_wake(&p->writers);
}

static int open_slave(unsigned index, struct file *f)
{
    struct pty *p = *pty_link(index);
    return p && p->index == index ? tty_open(&p->slave, f) : -EIO;
}

static void master_release(struct file *f)
{
    struct pty *p = f->priv;
    devpts_remove(p->index);
    p->master = false;
    tty_hangup(&p->slave);
    if (!p->slave.opened)
        pty_free(p);
}

/* ---- the master ---- */

static struct pty *pty_of(const struct file *f)
{
    return f->priv;
}

/* Give the reader what is in the out queue, as far as it wants. */
static long take(struct pty *p, struct iobuf *b)
{
    struct tty *t = &p->slave;
    long done = 0;
    if (p->packet) {
        static const uint8_t data = TIOCPKT_DATA;
        if (iobuf_put(b, &data, 1))
            return -EFAULT;
        done = 1;
    }
    while (b->len && tty_out_count(t)) {
        uint32_t at = t->out_tail % TTY_OUT;
        size_t n = tty_out_count(t);
        n = n < TTY_OUT - at ? n : TTY_OUT - at;
        n = n < b->len ? n : b->len;
        if (iobuf_put(b, t->out + at, n))
            return done ? done : -EFAULT;
        done += (long)n;
        tty_out_drop(t, n);
    }
    return done;
}

static long master_read(struct file *f, struct iobuf *b, int64_t *pos)
{
    struct pty *p = pty_of(f);
    if (!b->len)
        return 0;
    for (;;) {
        if (p->status) {
            uint8_t status = p->status;
            p->status = 0;
            return iobuf_put(b, &status, 1) ? -EFAULT : 1;
        }
        if (tty_out_count(&p->slave))
            return take(p, b);
        if (p->other_closed)
            return -EIO;
        if (f->flags & O_NONBLOCK)
            return -EAGAIN;
        if (wait_on(&p->readers, MB_NEVER))
            return -ERESTARTSYS;
    }
}

static long master_write(struct file *f, struct iobuf *b, int64_t *pos)
{
    struct pty *p = pty_of(f);
    uint8_t part[256];
    long done = 0;
    while (b->len) {
        size_t room = tty_input_room(&p->slave);
        if (room) {
            size_t n = b->len < sizeof part ? b->len : sizeof part;
            n = n < room ? n : room;
            if (iobuf_get(b, part, n))
                return done ? done : -EFAULT;
            tty_input(&p->slave, part, n);
            done += (long)n;
            continue;
        }
        file_found_full(f);
        if (f->flags & O_NONBLOCK)
            return done ? done : -EAGAIN;
        if (wait_on(&p->writers, MB_NEVER))
            return done ? done : -ERESTARTSYS;
    }
    return done;
}

static unsigned master_poll(struct file *f, struct poll_table *pt)
{
    struct pty *p = pty_of(f);
    unsigned events = 0;
    if (pt) {
        poll_wait(pt, &p->readers);
        poll_wait_room(pt, &p->writers);
    }
    if (tty_out_count(&p->slave))
        events |= POLLIN | POLLRDNORM;
    if (p->status)
        events |= POLLPRI | POLLIN | POLLRDNORM;
    if (p->other_closed)
        events |= POLLHUP;
    if (tty_input_room(&p->slave))
        events |= POLLOUT | POLLWRNORM;
    return events;
}

/* ---- its ioctls ---- */

static long get_int(uint64_t addr, int32_t *value)
{
    return mb_copy_in(value, addr, sizeof *value);
}

static long put_int(uint64_t addr, size_t value)
{
    int32_t word = (int32_t)value;
    return mb_copy_out(addr, &word, sizeof word);
}

/* Its queues are the slave's, seen from the other side. */
static long flush_queues(struct pty *p, int which)
{
    if (which != TCIFLUSH && which != TCOFLUSH && which != TCIOFLUSH)
        return -EINVAL;
    if (which != TCIFLUSH)
        tty_flush_input(&p->slave);
    if (which != TCOFLUSH)
        tty_out_drop(&p->slave, tty_out_count(&p->slave));
    return 0;
}

static long signal_slave(struct pty *p, int sig)
{
    if (sig != SIGINT && sig != SIGQUIT && sig != SIGTSTP)
        return -EINVAL;
    if (p->slave.pgrp)
        signal_pgrp(p->slave.pgrp, sig);
    return 0;
}

static long open_peer(const struct pty *p, unsigned flags)
{
    struct file *f;
    int err = devpts_open(p->index, flags, &f);
    return err ? err : fd_install(f, 0, flags & O_CLOEXEC);
}

static long set_flag(bool *flag, uint64_t arg)
{
    int32_t on;
    if (get_int(arg, &on))
        return -EFAULT;
    *flag = on != 0;
    return 0;
}

static long set_packet(struct pty *p, uint64_t arg)
{
    bool was = p->packet;
    long err = set_flag(&p->packet, arg);
    if (!err && !(was && p->packet))
        p->status = 0;
    return err;
}

static long master_ioctl(struct file *f, uint64_t cmd, uint64_t arg)
{
    struct pty *p = pty_of(f);
    switch ((uint32_t)cmd) {
    case TIOCGPTN:
        return put_int(arg, p->index);
    case TIOCSPTLCK:
        return set_flag(&p->locked, arg);
    case TIOCGPTLCK:
        return put_int(arg, p->locked);
    case TIOCPKT:
        return set_packet(p, arg);
    case TIOCGPKT:
        return put_int(arg, p->packet);
    case TIOCGPTPEER:
        return open_peer(p, (unsigned)arg);
    case TIOCSIG:
        return signal_slave(p, (int)arg);
    case TIOCINQ:
        return put_int(arg, tty_out_count(&p->slave));
    case TIOCOUTQ:
        return put_int(arg, 0);
    case TCFLSH:
        return flush_queues(p, (int)arg);
    case TCXONC:
        return 0; /* nothing holds the master's writes */
    case TIOCSTI:
    case TIOCEXCL:
    case TIOCNXCL:
        return -ENOTTY;
    default:
        return tty_ioctl_master(&p->slave, f, cmd, arg);
    }
}

static int master_foreground(const struct file *f)
{
    return 0; /* the master is nobody's terminal */
}

static const struct file_ops master_ops = {
    .name = "ptmx",
    .read = master_read,
    .write = master_write,
    .poll = master_poll,
    .ioctl = master_ioctl,
    .release = master_release,
    .tells = true,
    .foreground = master_foreground,
};

static int open_master(struct file *f)
{
    if (pty_count >= devpts_max())
        return -ENOSPC;
    struct pty *p = pty_make();
    if (!p)
        return -ENOMEM;
    int err = devpts_add(p->index);
    if (err) {
        pty_free(p);
        return err;
    }
    p->master = true;
    f->ops = &master_ops;
    f->priv = p;
    return 0;
}

int pty_init(void)
{
    return devpts_serve(open_master, open_slave);
}
