/* Terminals: a line discipline (ldisc.h) with what surrounds it on Linux - a session that it controls,
 * a foreground process group, a window size, readers and writers that wait.
 *
 *   driver --tty_input--> [ ldisc ] --tty read--> program
 *   driver <--drv_write-- [ out queue ] <--ldisc-- tty write, echo
 *
 * The driver is a serial line's, or the program at the other end of a pseudo terminal (pty.c).
 *
 * Rules: personality lock.  A session has at most one controlling terminal, a terminal controls at
 * most one session; both links are set and cut together (job.c).
 */
#ifndef POSIX_TTY_H
#define POSIX_TTY_H

#include <asm/termios.h>
#include "tty/ldisc.h"
#include "task.h"

#define TTY_OUT 4096u   /* output on its way to the driver; a power of two */
#define TTY_PASTE 8192u /* input the line discipline had no room for */

struct pty;
struct tty_opened; /* a file of a terminal (open.c) */
struct tty {
    struct ldisc ld;
    const char *name;
    uint32_t dev; /* major << 8 | minor */
    struct winsize size;
    struct session *session; /* not counted: cut when the session ends */
    int pgrp;                /* foreground, 0: none */
    struct waitq readers, writers;
    /* The driver: how many bytes it took; it calls tty_writable when there is room again. */
    size_t (*drv_write)(const void *buf, size_t n);
    struct pty *pty; /* instead of a driver: what it is the slave of */
    struct tty_opened *opened;
    bool exclusive;  /* TIOCEXCL */
    bool never_hung; /* a hang-up leaves its files alone: the console */

    uint32_t out_head, out_tail;
    uint8_t out[TTY_OUT];
    uint32_t paste_head, paste_tail;
    uint8_t paste[TTY_PASTE];
    uint8_t scratch[LDISC_QUEUE]; /* of one read, between line discipline and program */
};

struct file;

/* ---- tty.c ---- */
void tty_init(struct tty *t, const char *name, uint32_t dev,
              size_t (*drv_write)(const void *buf, size_t n));
void tty_input(struct tty *t, const void *buf, size_t n); /* from the driver */
void tty_writable(struct tty *t);                         /* the driver has room */
extern const struct file_ops tty_ops, tty_hung_ops;
void tty_flush_input(struct tty *t);        /* what was typed and not read */
size_t tty_input_room(const struct tty *t); /* what tty_input would not lose */
void tty_out_drop(struct tty *t, size_t n); /* the first n bytes of the out queue are gone */
int tty_wait_sent(struct tty *t);           /* tcdrain: 0 or -ERESTARTSYS */
size_t tty_out_count(const struct tty *t);
extern const struct ldisc_sink tty_sink;

/* ---- open.c ---- */
int tty_open(struct tty *t, struct file *f);
void tty_release(struct file *f);
/* The line is gone: files opened before are at their end, the session loses its terminal. */
void tty_hangup(struct tty *t);

/* ---- pty.c ---- */
int pty_init(void);
/* Output, or whether it flows, changed. */
void pty_output(struct pty *p);
void pty_room(struct pty *p);               /* there is room for input again */
void pty_flushed(struct pty *p, int queue); /* TCIFLUSH, TCOFLUSH: the slave's queues */
void pty_settings(struct pty *p, const struct termios2 *old);
void pty_slave_closed(struct pty *p);
int pty_may_open(struct pty *p);
bool pty_master_closed(const struct pty *p);

/* ---- ioctl.c ---- */
long tty_ioctl(struct file *f, uint64_t cmd, uint64_t arg);
/* The same for t through its other end. */
long tty_ioctl_master(struct tty *t, struct file *f, uint64_t cmd, uint64_t arg);

/* ---- job.c ---- */
/* May the current thread read from / write to its terminal t now?  0, -EIO, or -ERESTARTSYS after the
 * signal (SIGTTIN, SIGTTOU) was sent. */
int tty_check_background(struct tty *t, int sig);
void tty_acquire(struct tty *t, struct process *p); /* becomes p's session's terminal */
struct tty *tty_current(void);                      /* of the current process' session, or NULL */
/* -ENOIOCTLCMD: not one of ours.  master: asked through the other end of a pseudo terminal. */
long tty_job_ioctl(struct tty *t, struct file *f, uint64_t cmd, uint64_t arg, bool master);
void tty_leader_exits(struct process *leader);
void tty_session_gone(struct session *s);
void tty_cut(struct tty *t); /* from its session */
#define ENOIOCTLCMD 515

/* ---- console.c ---- */
int console_init(void); /* /dev/console, /dev/tty; before the first process */
void tty_drain(void);   /* wait, not for ever, until the console has everything (power off) */

#endif
