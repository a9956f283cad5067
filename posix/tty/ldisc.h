/*
 * The terminal line discipline: what stands between the bytes of a terminal and the programs
 * that read and write them. It does what Linux's N_TTY does, quirks included.
 *
 *      driver --ldisc_input--> [ input queue ] --ldisc_read--> program
 *                     |echo
 *                     v
 *                [ echo queue ] --+
 *                                 +--> sink (the driver's output queue)
 *      program --ldisc_output-----+
 *
 * Rules of the interface:
 *  - A pure state machine: it never blocks, allocates or locks. The caller holds whatever lock
 *    protects the terminal during every call, and does the waiting and waking itself: after
 *    ldisc_input, ldisc_set_termios, ldisc_flush and ldisc_hangup it wakes readers and pollers
 *    (they look at ldisc_readable again), after anything that can free room in the sink or
 *    restart stopped output it calls ldisc_pump and wakes writers.
 *  - The sink is called from within; it must not call back into the line discipline.
 *    It must at some time have room for 8 bytes at once (a tab), or output stops for ever.
 *  - Bytes not accepted by ldisc_input or ldisc_output stay with the caller, who offers them again.
 *
 * It does not know: tasks, sessions, process groups (SIGTTIN, SIGTTOU and the receiver of a key's
 * signal are the caller's), window sizes, modem lines and the wire's real speed, EXTPROC and packet
 * mode.
 */
#ifndef POSIX_TTY_LDISC_H
#define POSIX_TTY_LDISC_H

#include <asm/termbits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LDISC_QUEUE 4096u /* bytes of input held, and of echo not yet sent; a power of two */

/* Where output and signals go. */
struct ldisc_sink {
    size_t (*room)(void *ctx);                           /* bytes put() would accept now */
    void (*put)(void *ctx, const void *bytes, size_t n); /* n is never more than room() said */
    void (*discard)(void *ctx);                          /* forget output accepted but not sent */
    void (*signal)(void *ctx, int signo);                /* to the foreground process group */
};

/* All of it is private to ldisc.c; it is here so that a terminal can contain one. */
struct ldisc {
    struct termios2 t;
    const struct ldisc_sink *sink;
    void *ctx;

    /* Input: free-running indices, tail <= head <= tail + LDISC_QUEUE. In canonical mode what lies
     * between `line` and `head` is still being edited; in raw mode `line` means nothing. */
    uint32_t tail, line, head;
    uint8_t in[LDISC_QUEUE];
    uint8_t eol[LDISC_QUEUE / 8]; /* bit set: this byte ends a line (NUL there: EOF) */

    /* Echo: bytes and operations (see ldisc_out.c) waiting for room in the sink */
    uint32_t echo_tail, echo_head;
    uint8_t echo[LDISC_QUEUE];

    uint8_t special[256 / 8]; /* input bytes that need a closer look under these settings */
    uint32_t column;          /* of the cursor, as far as output was seen */
    uint32_t line_column;     /* where the line being edited began on the screen */
    uint8_t xchar;            /* START or STOP waiting to be sent past the queue, or 0 */
    bool lnext;               /* VLNEXT was typed: next byte is literal */
    bool erasing;             /* inside an ECHOPRT \.../ group */
    bool raw;                 /* nothing at all to do on input */
    bool stopped;             /* output held by VSTOP */
    bool stopped_by_call;     /* output held by tcflow(TCOOFF); only TCOON undoes it */
    bool throttled;           /* IXOFF: the sender was told to stop */
    bool hung_up;
};

/* How long a reader may sleep: see ldisc_read_wait. */
#define LDISC_FOREVER (-1)

void ldisc_init(struct ldisc *ld, const struct ldisc_sink *sink, void *ctx);

/* Bytes typed at the terminal. Returns how many were taken; fewer than n: the queue is full. */
size_t ldisc_input(struct ldisc *ld, const void *bytes, size_t n);

/* A break condition on the line. */
void ldisc_input_break(struct ldisc *ld);

/* Bytes written by a program. Returns how many were taken; 0 while output is stopped.
 * -EIO after a hangup. */
long ldisc_output(struct ldisc *ld, const void *bytes, size_t n);

/* Moves pending echo to the sink, as far as it has room. */
void ldisc_pump(struct ldisc *ld);

/*
 * Copies what one read may have now: in canonical mode at most one line. Returns bytes copied, 0 at
 * end of file or after a hangup, -EAGAIN when there is nothing. In raw mode the caller calls again
 * until ldisc_read_wait says 0.
 */
long ldisc_read(struct ldisc *ld, void *buf, size_t n);

/*
 * What a reader that has `got` of `want` bytes, and found no more, should do: 0 return what it has
 * (nothing, when got is 0: the read returns 0); LDISC_FOREVER sleep; otherwise sleep, but not past
 * so many tenths of a second after the read began or its last byte came, whichever is later.
 */
int ldisc_read_wait(const struct ldisc *ld, size_t got, size_t want);

bool ldisc_readable(const struct ldisc *ld); /* a blocking read would have something */
bool ldisc_pollin(const struct ldisc *ld);   /* what poll says: knows about VMIN */
bool ldisc_output_stopped(const struct ldisc *ld);
size_t ldisc_input_count(const struct ldisc *ld); /* TIOCINQ, FIONREAD */
size_t ldisc_echo_count(const struct ldisc *ld);  /* add to the driver's figure for TIOCOUTQ */

/* TCGETS, TCSETS: the caller drained output before (TCSETSW) and calls ldisc_flush (TCSETSF). */
void ldisc_get_termios(const struct ldisc *ld, struct termios *t);
void ldisc_get_termios2(const struct ldisc *ld, struct termios2 *t);
void ldisc_set_termios(struct ldisc *ld, const struct termios *t);
void ldisc_set_termios2(struct ldisc *ld, const struct termios2 *t);

void ldisc_flush(struct ldisc *ld, int queue); /* TCIFLUSH, TCOFLUSH, TCIOFLUSH */
void ldisc_flow(struct ldisc *ld, int action); /* TCOOFF, TCOON, TCIOFF, TCION */
void ldisc_hangup(struct ldisc *ld);

#endif
