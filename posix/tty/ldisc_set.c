/* The line discipline's settings: termios in both forms, and what they mean for the other files. */
#include <string.h>

#include "tty/ldisc_int.h"

static void map_special(struct ldisc *ld)
{
    static const uint8_t canon[] = {VERASE, VKILL, VEOF, VEOL};
    static const uint8_t canon_ext[] = {VWERASE, VLNEXT, VEOL2, VREPRINT};
    static const uint8_t flow[] = {VSTART, VSTOP};
    static const uint8_t sig[] = {VINTR, VQUIT, VSUSP};
    const struct {
        bool on;
        const uint8_t *cc;
        size_t n;
    } groups[] = {
        {lflag(ld, ICANON), canon, sizeof canon},
        {lflag(ld, ICANON) && lflag(ld, IEXTEN), canon_ext, sizeof canon_ext},
        {iflag(ld, IXON), flow, sizeof flow},
        {lflag(ld, ISIG), sig, sizeof sig},
    };

    memset(ld->special, 0, sizeof ld->special);
    for (size_t g = 0; g < sizeof groups / sizeof groups[0]; g++) {
        for (size_t i = 0; groups[g].on && i < groups[g].n; i++) {
            bit_set(ld->special, ld->t.c_cc[groups[g].cc[i]]);
        }
    }
    if (iflag(ld, IGNCR | ICRNL)) {
        bit_set(ld->special, '\r');
    }
    if (iflag(ld, INLCR) || lflag(ld, ICANON)) {
        bit_set(ld->special, '\n');
    }
    bit_clear(ld->special, DISABLED);
    ld->raw = !iflag(ld, ISTRIP | IUCLC | IGNCR | ICRNL | INLCR | IXON | PARMRK) &&
              !lflag(ld, ICANON | ISIG | ECHO);
}

/* What was typed under the other mode becomes readable at once: as it is, or as one line. */
static void switch_mode(struct ldisc *ld)
{
    memset(ld->eol, 0, sizeof ld->eol);
    ld->line = ld->tail;
    if (lflag(ld, ICANON) && ldisc_queued(ld) > 0) {
        bit_set(ld->eol, slot(ld->head - 1));
        ld->line = ld->head;
    }
    ld->erasing = false;
    ld->lnext = false;
}

void ldisc_set_termios2(struct ldisc *ld, const struct termios2 *t)
{
    struct termios2 old = ld->t;

    ld->t = *t;
    if ((old.c_lflag ^ t->c_lflag) & ICANON) {
        switch_mode(ld);
    }
    map_special(ld);
    if ((old.c_iflag & IXON) && !(t->c_iflag & IXON)) {
        ldisc_output_start(ld); /* nothing typed could restart it any more */
    }
    ldisc_check_throttle(ld);
    ldisc_pump(ld);
}

static speed_t baud_rate(tcflag_t cbaud)
{
    static const speed_t low[] = {0,   50,   75,   110,  134,  150,  200,   300,
                                  600, 1200, 1800, 2400, 4800, 9600, 19200, 38400};
    static const speed_t high[] = {0,       57600,   115200,  230400,  460800,  500000,
                                   576000,  921600,  1000000, 1152000, 1500000, 2000000,
                                   2500000, 3000000, 3500000, 4000000};

    return cbaud & CBAUDEX ? high[cbaud & 15] : low[cbaud & 15];
}

void ldisc_set_termios(struct ldisc *ld, const struct termios *t)
{
    struct termios2 t2 = ld->t;

    t2.c_iflag = t->c_iflag;
    t2.c_oflag = t->c_oflag;
    t2.c_cflag = t->c_cflag;
    t2.c_lflag = t->c_lflag;
    t2.c_line = t->c_line;
    memcpy(t2.c_cc, t->c_cc, sizeof t2.c_cc);
    /* BOTHER means: the speed that TCSETS2 gave stays. */
    if ((t->c_cflag & CBAUD) != BOTHER) {
        t2.c_ispeed = t2.c_ospeed = baud_rate(t->c_cflag & CBAUD);
    }
    ldisc_set_termios2(ld, &t2);
}

void ldisc_get_termios(const struct ldisc *ld, struct termios *t)
{
    memset(t, 0, sizeof *t); /* padding goes to user memory too */
    t->c_iflag = ld->t.c_iflag;
    t->c_oflag = ld->t.c_oflag;
    t->c_cflag = ld->t.c_cflag;
    t->c_lflag = ld->t.c_lflag;
    t->c_line = ld->t.c_line;
    memcpy(t->c_cc, ld->t.c_cc, sizeof t->c_cc);
}

void ldisc_get_termios2(const struct ldisc *ld, struct termios2 *t)
{
    *t = ld->t;
}

void ldisc_init(struct ldisc *ld, const struct ldisc_sink *sink, void *ctx)
{
    static const struct termios2 standard = {
        .c_iflag = ICRNL | IXON,
        .c_oflag = OPOST | ONLCR,
        .c_cflag = B38400 | CS8 | CREAD | HUPCL,
        .c_lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN,
        .c_cc = {[VINTR] = 003,
                 [VQUIT] = 034,
                 [VERASE] = 0177,
                 [VKILL] = 025,
                 [VEOF] = 004,
                 [VMIN] = 1,
                 [VSTART] = 021,
                 [VSTOP] = 023,
                 [VSUSP] = 032,
                 [VREPRINT] = 022,
                 [VDISCARD] = 017,
                 [VWERASE] = 027,
                 [VLNEXT] = 026},
        .c_ispeed = 38400,
        .c_ospeed = 38400,
    };

    memset(ld, 0, sizeof *ld);
    ld->t = standard;
    ld->sink = sink;
    ld->ctx = ctx;
    map_special(ld);
}
