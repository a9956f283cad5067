/* Terminals as files: read, write, poll, and the queue between line discipline and driver. */
#include "tty/tty.h"
#include <asm/errno.h>
#include <asm/fcntl.h>
#include <linux/poll.h>
#include <string.h>
#include "proc.h"
#include "ptime.h"
#include "sig.h"
#include "vfs.h"

/* ---- output: sink of the line discipline ---- */

size_t tty_out_count(const struct tty *t)
{
    return t->out_head - t->out_tail;
}

/* To the driver, as much as it takes; when something stays, it calls tty_writable.  Did anything move? */
static bool push_out(struct tty *t)
{
    if (t->pty) {
        pty_output(t->pty);
        return false;
    }
    const uint32_t before = t->out_tail;
    while (t->out_head != t->out_tail) {
        uint32_t at = t->out_tail % TTY_OUT, n = t->out_head - t->out_tail;
        if (n > TTY_OUT - at)
            n = TTY_OUT - at;
        size_t took = t->drv_write(t->out + at, n);
        t->out_tail += (uint32_t)took;
        if (took < n)
            break;
    }
    return t->out_tail != before;
}

static size_t sink_room(void *ctx)
{
    const struct tty *t = ctx;
    return TTY_OUT - tty_out_count(t);
}

static void sink_put(void *ctx, const void *bytes, size_t n)
{
    struct tty *t = ctx;
    uint32_t at = t->out_head % TTY_OUT;
    size_t first = n < TTY_OUT - at ? n : TTY_OUT - at;
    memcpy(t->out + at, bytes, first);
    memcpy(t->out, (const uint8_t *)bytes + first, n - first);
    t->out_head += (uint32_t)n;
}

static void sink_discard(void *ctx)
{
    struct tty *t = ctx;
    t->out_tail = t->out_head;
    if (t->pty)
        pty_flushed(t->pty, TCOFLUSH);
}

static void sink_signal(void *ctx, int signo)
{
    struct tty *t = ctx;
    if (t->pgrp)
        signal_pgrp(t->pgrp, signo);
    if (t->pty && !(t->ld.t.c_lflag & NOFLSH))
        pty_flushed(t->pty, TCIFLUSH); /* the line discipline forgets what was typed */
}

const struct ldisc_sink tty_sink = {sink_room, sink_put, sink_discard, sink_signal};

void tty_out_drop(struct tty *t, size_t n)
{
    t->out_tail += (uint32_t)n;
    tty_writable(t);
}

void tty_writable(struct tty *t)
{
    push_out(t);
    ldisc_pump(&t->ld);
    push_out(t);
    if (tty_out_count(t) < TTY_OUT / 2)
        wait_wake(&t->writers);
}

/* ---- input ---- */

static void paste_more(struct tty *t)
{
    while (t->paste_head != t->paste_tail) {
        uint32_t at = t->paste_tail % TTY_PASTE, n = t->paste_head - t->paste_tail;
        if (n > TTY_PASTE - at)
            n = TTY_PASTE - at;
        size_t took = ldisc_input(&t->ld, t->paste + at, n);
        t->paste_tail += (uint32_t)took;
        if (took < n)
            break;
    }
    if (t->pty)
        pty_room(t->pty);
}

size_t tty_input_room(const struct tty *t)
{
    return TTY_PASTE - (t->paste_head - t->paste_tail);
}

void tty_input(struct tty *t, const void *buf, size_t n)
{
    const uint8_t *from = buf;
    paste_more(t);
    if (t->paste_head == t->paste_tail) {
        size_t took = ldisc_input(&t->ld, from, n);
        from += took;
        n -= took;
    }
    for (; n && t->paste_head - t->paste_tail < TTY_PASTE; n--) /* the rest is lost, as on a wire */
        t->paste[t->paste_head++ % TTY_PASTE] = *from++;
    push_out(t);
    wait_wake(&t->readers);
    wait_wake(&t->writers); /* a typed START lets them go on */
}

void tty_flush_input(struct tty *t)
{
    t->paste_tail = t->paste_head;
    if (t->pty)
        pty_room(t->pty);
}

/* ---- files ---- */

static struct tty *tty_of(const struct file *f)
{
    return f->priv;
}

static uint64_t tenths_after(uint64_t from, int tenths)
{
    return from + mb_ns_to_ticks((uint64_t)tenths * (NSEC_PER_SEC / 10));
}

/* Collects in the scratch buffer what the read returns; *got bytes of it. */
static long collect(struct file *f, struct tty *t, struct iobuf *b)
{
    size_t want = b->len, done = 0;
    uint64_t since = mb_ticks();
    for (;;) {
        if (f->ops != &tty_ops) /* hung up meanwhile */
            return done == 0 && t->pty && pty_master_closed(t->pty) ? -EIO : (long)done;
        int err = tty_check_background(t, SIGTTIN);
        if (err)
            return done ? (long)done : err;
        size_t part = want - done < sizeof t->scratch ? want - done : sizeof t->scratch;
        long n = ldisc_read(&t->ld, t->scratch, part);
        if (n != -EAGAIN) {
            if (n <= 0)
                return done ? (long)done : n;
            if (iobuf_put(b, t->scratch, (size_t)n))
                return done ? (long)done : -EFAULT;
            done += (size_t)n;
            since = mb_ticks();
            paste_more(t);
            push_out(t);
        }
        int wait = ldisc_read_wait(&t->ld, done, want);
        if (wait == 0)
            return (long)done;
        if (n > 0)
            continue; /* there may be more at once */
        if (f->flags & O_NONBLOCK)
            return done ? (long)done : -EAGAIN;
        err = wait_on(&t->readers, wait == LDISC_FOREVER ? MB_NEVER : tenths_after(since, wait));
        if (err == -ETIMEDOUT)
            return (long)done;
        if (err)
            return done ? (long)done : -ERESTARTSYS;
    }
}

static long tty_read(struct file *f, struct iobuf *b, int64_t *pos)
{
    return b->len ? collect(f, tty_of(f), b) : 0;
}

static long tty_write(struct file *f, struct iobuf *b, int64_t *pos)
{
    struct tty *t = tty_of(f);
    uint8_t part[256];
    long done = 0;
    if (t->ld.t.c_lflag & TOSTOP) {
        int err = tty_check_background(t, SIGTTOU);
        if (err)
            return err;
    }
    while (b->len) {
        size_t n = b->len < sizeof part ? b->len : sizeof part, sent = 0;
        if (iobuf_get(b, part, n))
            return done ? done : -EFAULT;
        while (sent < n) {
            if (f->ops != &tty_ops)
                return done ? done : -EIO; /* hung up meanwhile */
            long took = ldisc_output(&t->ld, part + sent, n - sent);
            if (took < 0)
                return done ? done : took;
            sent += (size_t)took;
            done += took;
            /* Room that we make ourselves is nothing we would be woken for. */
            if (push_out(t) || took)
                continue;
            file_found_full(f);
            if (f->flags & O_NONBLOCK)
                return done ? done : -EAGAIN;
            int err = wait_on(&t->writers, MB_NEVER);
            if (err)
                return done ? done : -ERESTARTSYS;
        }
    }
    return done;
}

static unsigned tty_poll(struct file *f, struct poll_table *pt)
{
    struct tty *t = tty_of(f);
    unsigned events = 0;
    if (pt) {
        poll_wait(pt, &t->readers);
        poll_wait_room(pt, &t->writers);
    }
    if (ldisc_pollin(&t->ld))
        events |= POLLIN | POLLRDNORM;
    if (!ldisc_output_stopped(&t->ld) && tty_out_count(t) < TTY_OUT / 2)
        events |= POLLOUT | POLLWRNORM;
    return events;
}

static int tty_foreground(const struct file *f)
{
    return tty_of(f)->pgrp;
}

const struct file_ops tty_ops = {
    .name = "tty",
    .read = tty_read,
    .write = tty_write,
    .poll = tty_poll,
    .ioctl = tty_ioctl,
    .release = tty_release,
    .tells = true,
    .foreground = tty_foreground,
};

int tty_wait_sent(struct tty *t)
{
    if (t->pty)
        return 0; /* what the master has not read yet counts as sent (Linux) */
    while (tty_out_count(t) || ldisc_echo_count(&t->ld)) {
        ldisc_pump(&t->ld);
        push_out(t);
        if (!tty_out_count(t) || ldisc_output_stopped(&t->ld))
            break;
        if (wait_on(&t->writers, MB_NEVER))
            return -ERESTARTSYS;
    }
    return 0;
}

void tty_init(struct tty *t, const char *name, uint32_t dev,
              size_t (*drv_write)(const void *buf, size_t n))
{
    memset(t, 0, sizeof *t);
    t->name = name;
    t->dev = dev;
    t->drv_write = drv_write;
    ldisc_init(&t->ld, &tty_sink, t);
    waitq_init(&t->readers);
    waitq_init(&t->writers);
}
