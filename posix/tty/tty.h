/* Terminals: a line discipline (ldisc.h) with what surrounds it on Linux - a session that it controls,
 * a foreground process group, a window size, readers and writers that wait.
 *
 *   driver --tty_input--> [ ldisc ] --tty read--> program
 *   driver <--drv_write-- [ out queue ] <--ldisc-- tty write, echo
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
int tty_open(struct tty *t, struct file *f);
void tty_flush_input(struct tty *t); /* what was typed and not read */
int tty_wait_sent(struct tty *t);    /* tcdrain: 0 or -ERESTARTSYS */
size_t tty_out_count(const struct tty *t);

/* ---- ioctl.c ---- */
long tty_ioctl(struct file *f, uint64_t cmd, uint64_t arg);

/* ---- job.c ---- */
/* May the current thread read from / write to its terminal t now?  0, -EIO, or -ERESTARTSYS after the
 * signal (SIGTTIN, SIGTTOU) was sent. */
int tty_check_background(struct tty *t, int sig);
void tty_acquire(struct tty *t, struct process *p); /* becomes p's session's terminal */
struct tty *tty_current(void);                      /* of the current process' session, or NULL */
long tty_job_ioctl(struct tty *t, uint64_t cmd, uint64_t arg); /* -ENOIOCTLCMD: not one of ours */
void tty_leader_exits(struct process *leader);
void tty_session_gone(struct session *s);
#define ENOIOCTLCMD 515

/* ---- console.c ---- */
int console_init(void); /* /dev/console, /dev/tty; before the first process */
void tty_drain(void);   /* wait, not for ever, until the console has everything (power off) */

#endif
