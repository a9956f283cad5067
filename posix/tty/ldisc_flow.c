/*
 * The line discipline's flow control: output stopped and started by keys and calls, and the sender told to
 * wait (IXOFF).
 */
#include <string.h>

#include "tty/ldisc_int.h"

/* Low-water mark: at so many bytes left the sender that IXOFF stopped may go on. */
#define UNTHROTTLE 128
#define THROTTLE (LDISC_QUEUE - 128)

void ldisc_output_start(struct ldisc *ld)
{
    if (!ld->stopped_by_call) {
        ld->stopped = false;
    }
}

/* IXANY: anything typed restarts output. */
void ldisc_start_by_any(struct ldisc *ld)
{
    if (ld->stopped && iflag(ld, IXON) && iflag(ld, IXANY)) {
        ldisc_output_start(ld);
        ldisc_pump(ld);
    }
}

static void send_xchar(struct ldisc *ld, unsigned which)
{
    if (ld->t.c_cc[which] != DISABLED) {
        ld->xchar = ld->t.c_cc[which];
        ldisc_pump(ld);
    }
}

void ldisc_flow(struct ldisc *ld, int action)
{
    switch (action) {
    case TCOOFF:
        ld->stopped = ld->stopped_by_call = true;
        break;
    case TCOON:
        if (ld->stopped_by_call) {
            ld->stopped_by_call = false;
            ldisc_output_start(ld);
            ldisc_pump(ld);
        }
        break;
    case TCIOFF:
        send_xchar(ld, VSTOP);
        break;
    case TCION:
        send_xchar(ld, VSTART);
        break;
    default:
        break;
    }
}

/* Tells the sender to stop before the queue overflows, and to go on when it is nearly empty. */
void ldisc_check_throttle(struct ldisc *ld)
{
    if (!ld->throttled && iflag(ld, IXOFF) && ldisc_queued(ld) > THROTTLE) {
        ld->throttled = true;
        send_xchar(ld, VSTOP);
    } else if (ld->throttled && ldisc_queued(ld) <= UNTHROTTLE) {
        ld->throttled = false;
        send_xchar(ld, VSTART);
    }
}

void ldisc_queue_reset(struct ldisc *ld)
{
    ld->tail = ld->line = ld->head = 0;
    ld->erasing = false;
    memset(ld->eol, 0, sizeof ld->eol);
    ldisc_check_throttle(ld);
}

void ldisc_flush(struct ldisc *ld, int queue)
{
    if (queue == TCIFLUSH || queue == TCIOFLUSH) {
        ldisc_queue_reset(ld);
    }
    if (queue == TCOFLUSH || queue == TCIOFLUSH) {
        ld->sink->discard(ld->ctx);
    }
}

void ldisc_hangup(struct ldisc *ld)
{
    ld->echo_tail = ld->echo_head = 0;
    ld->throttled = false; /* nobody is left to be told */
    ldisc_queue_reset(ld);
    ld->sink->discard(ld->ctx);
    ld->hung_up = true;
}
