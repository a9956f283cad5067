/*
 * The line discipline's way in: what each byte typed means, signals from keys, breaks.
 * ldisc.h has the interface and its rules.  ldisc_edit.c erases, ldisc_flow.c stops and starts and
 * flushes, ldisc_read.c reads, ldisc_set.c has the settings, ldisc_out.c is the way out.
 *
 * Where Linux's N_TTY does something surprising this does the same, and says "(Linux)".
 */
#include "tty/ldisc_int.h"

/* Signals that keys raise, by their Linux numbers; <signal.h> is the host's business. */
enum { LD_SIGINT = 2, LD_SIGQUIT = 3, LD_SIGTSTP = 20 };

static void queue_put(struct ldisc *ld, uint8_t c)
{
    ld->in[slot(ld->head++)] = c;
}

/* With PARMRK 0xff introduces a marked byte, so a real one is doubled. */
static void queue_put_marked(struct ldisc *ld, uint8_t c)
{
    if (c == 0xff && iflag(ld, PARMRK)) {
        queue_put(ld, c);
    }
    queue_put(ld, c);
}

static void raise_signal(struct ldisc *ld, int signo)
{
    ld->sink->signal(ld->ctx, signo);
    if (!lflag(ld, NOFLSH)) {
        ld->echo_tail = ld->echo_head = 0;
        ld->sink->discard(ld->ctx);
        ldisc_queue_reset(ld);
    }
}

static void input_signal(struct ldisc *ld, int signo, uint8_t c)
{
    raise_signal(ld, signo);
    if (iflag(ld, IXON)) {
        ldisc_output_start(ld);
    }
    if (lflag(ld, ECHO)) {
        ldisc_echo_char(ld, c);
    } else {
        ldisc_pump(ld); /* (Linux) */
    }
}

static void input_lnext(struct ldisc *ld)
{
    ld->lnext = true;
    if (lflag(ld, ECHO)) {
        ldisc_echo_finish_erasing(ld);
        if (lflag(ld, ECHOCTL)) {
            ldisc_echo_raw(ld, '^');
            ldisc_echo_raw(ld, '\b');
        }
    }
}

/* Ends the line being edited with c, and hands it to the readers. */
static void input_end_line(struct ldisc *ld, uint8_t c)
{
    bit_set(ld->eol, slot(ld->head));
    queue_put(ld, c);
    ld->line = ld->head;
}

static void input_plain(struct ldisc *ld, uint8_t c)
{
    if (lflag(ld, ECHO)) {
        ldisc_echo_finish_erasing(ld);
        if (c == '\n') {
            ldisc_echo_raw(ld, '\n');
        } else {
            ldisc_echo_typed(ld, c);
        }
    }
    queue_put_marked(ld, c);
}

/* A byte with a meaning in canonical mode. True: it is dealt with. */
static bool input_canonical(struct ldisc *ld, uint8_t c)
{
    bool ext = lflag(ld, IEXTEN);

    if (is_cc(ld, VERASE, c)) {
        ldisc_erase(ld, LDISC_ERASE_CHAR);
    } else if (ext && is_cc(ld, VWERASE, c)) {
        ldisc_erase(ld, LDISC_ERASE_WORD);
    } else if (is_cc(ld, VKILL, c)) {
        ldisc_erase(ld, LDISC_ERASE_LINE);
    } else if (ext && is_cc(ld, VLNEXT, c)) {
        input_lnext(ld);
    } else if (ext && lflag(ld, ECHO) && is_cc(ld, VREPRINT, c)) {
        ldisc_reprint(ld);
    } else if (c == '\n') {
        if (lflag(ld, ECHO | ECHONL)) {
            ldisc_echo_raw(ld, '\n');
        }
        input_end_line(ld, c);
    } else if (is_cc(ld, VEOF, c)) {
        input_end_line(ld, DISABLED);
    } else if (is_cc(ld, VEOL, c) || (ext && is_cc(ld, VEOL2, c))) {
        if (lflag(ld, ECHO)) {
            ldisc_echo_typed(ld, c);
        }
        if (c == 0xff && iflag(ld, PARMRK)) {
            queue_put(ld, c);
        }
        input_end_line(ld, c);
    } else {
        return false;
    }
    return true;
}

/* A byte marked in ld->special. */
static void input_special(struct ldisc *ld, uint8_t c)
{
    static const struct {
        uint8_t cc;
        int signo;
    } keys[] = {
        {VINTR, LD_SIGINT},
        {VQUIT, LD_SIGQUIT},
        {VSUSP, LD_SIGTSTP},
    };

    if (iflag(ld, IXON) && is_cc(ld, VSTART, c)) {
        ldisc_output_start(ld);
        ldisc_pump(ld); /* what was typed before shows even if a VSTOP follows at once (Linux) */
        return;
    }
    if (iflag(ld, IXON) && is_cc(ld, VSTOP, c)) {
        ld->stopped = true;
        return;
    }
    for (size_t i = 0; lflag(ld, ISIG) && i < sizeof keys / sizeof keys[0]; i++) {
        if (is_cc(ld, keys[i].cc, c)) {
            input_signal(ld, keys[i].signo, c);
            return;
        }
    }
    ldisc_start_by_any(ld);
    if (c == '\r') {
        if (iflag(ld, IGNCR)) {
            return;
        }
        if (iflag(ld, ICRNL)) {
            c = '\n';
        }
    } else if (c == '\n' && iflag(ld, INLCR)) {
        c = '\r';
    }
    if (!lflag(ld, ICANON) || !input_canonical(ld, c)) {
        input_plain(ld, c);
    }
}

static uint8_t input_fold(const struct ldisc *ld, uint8_t c)
{
    if (iflag(ld, ISTRIP)) {
        c &= 0x7f;
    }
    if (iflag(ld, IUCLC) && lflag(ld, IEXTEN) && is_upper(c)) {
        c = (uint8_t)(c + ('a' - 'A'));
    }
    return c;
}

static void input_byte(struct ldisc *ld, uint8_t c)
{
    if (ld->raw) {
        queue_put(ld, c);
        return;
    }
    c = input_fold(ld, c);
    if (!ld->lnext && bit_get(ld->special, c)) {
        input_special(ld, c);
        return;
    }
    ld->lnext = false;
    ldisc_start_by_any(ld);
    if (lflag(ld, ECHO)) {
        ldisc_echo_finish_erasing(ld);
        ldisc_echo_typed(ld, c);
    }
    queue_put_marked(ld, c);
}

/*
 * May one more byte come in? A full queue holds the sender back, unless it has no complete line:
 * then the user must be able to erase or to end it, so the newest byte replaces the last.
 */
static bool input_admit(struct ldisc *ld)
{
    uint32_t room = LDISC_QUEUE - (uint32_t)ldisc_queued(ld);

    if (iflag(ld, PARMRK)) {
        room = (room + 2) / 3;
    }
    if (room > 1) {
        return true;
    }
    if (!lflag(ld, ICANON) || ld->line != ld->tail) {
        return false;
    }
    while (LDISC_QUEUE - ldisc_queued(ld) < (iflag(ld, PARMRK) ? 3u : 1u)) {
        ld->head--;
    }
    return true;
}

size_t ldisc_input(struct ldisc *ld, const void *bytes, size_t n)
{
    const uint8_t *p = bytes;
    size_t done = 0;

    if (ld->hung_up) {
        return n;
    }
    while (done < n && input_admit(ld)) {
        input_byte(ld, p[done++]);
    }
    ldisc_check_throttle(ld);
    ldisc_pump(ld);
    return done;
}

void ldisc_input_break(struct ldisc *ld)
{
    if (ld->hung_up || iflag(ld, IGNBRK)) {
        return;
    }
    if (iflag(ld, BRKINT)) {
        raise_signal(ld, LD_SIGINT);
    } else if (input_admit(ld)) {
        if (iflag(ld, PARMRK)) {
            queue_put(ld, 0xff);
            queue_put(ld, 0);
        }
        queue_put(ld, 0);
    }
    ldisc_pump(ld);
}
