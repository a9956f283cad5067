/*
 * The line discipline's way in: editing, signals from keys, flow control, reading, settings.
 * ldisc.h has the interface and its rules, ldisc_out.c the way out.
 *
 * Where Linux's N_TTY does something surprising this does the same, and says "(Linux)".
 */
#include <asm/errno.h>
#include <string.h>

#include "tty/ldisc_int.h"

/* Signals that keys raise, by their Linux numbers; <signal.h> is the host's business. */
enum { LD_SIGINT = 2, LD_SIGQUIT = 3, LD_SIGTSTP = 20 };

/* Low-water mark: at so many bytes left the sender that IXOFF stopped may go on. */
#define UNTHROTTLE 128
#define THROTTLE (LDISC_QUEUE - 128)

/* ---- flow control -------------------------------------------------------------------------- */

static void output_start(struct ldisc *ld)
{
    if (!ld->stopped_by_call) {
        ld->stopped = false;
    }
}

/* IXANY: anything typed restarts output. */
static void output_start_by_any(struct ldisc *ld)
{
    if (ld->stopped && iflag(ld, IXON) && iflag(ld, IXANY)) {
        output_start(ld);
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
            output_start(ld);
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

static size_t queued(const struct ldisc *ld)
{
    return ld->head - ld->tail;
}

/* Tells the sender to stop before the queue overflows, and to go on when it is nearly empty. */
static void check_throttle(struct ldisc *ld)
{
    if (!ld->throttled && iflag(ld, IXOFF) && queued(ld) > THROTTLE) {
        ld->throttled = true;
        send_xchar(ld, VSTOP);
    } else if (ld->throttled && queued(ld) <= UNTHROTTLE) {
        ld->throttled = false;
        send_xchar(ld, VSTART);
    }
}

/* ---- the way in ---------------------------------------------------------------------------- */

static void queue_reset(struct ldisc *ld)
{
    ld->tail = ld->line = ld->head = 0;
    ld->erasing = false;
    memset(ld->eol, 0, sizeof ld->eol);
    check_throttle(ld);
}

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
        queue_reset(ld);
    }
}

static void input_signal(struct ldisc *ld, int signo, uint8_t c)
{
    raise_signal(ld, signo);
    if (iflag(ld, IXON)) {
        output_start(ld);
    }
    if (lflag(ld, ECHO)) {
        ldisc_echo_char(ld, c);
    } else {
        ldisc_pump(ld); /* (Linux) */
    }
}

/* How many columns were used between the last tab, or the start of the line, and the tab that
 * was at `index` and has just been erased. */
static uint8_t tab_columns(const struct ldisc *ld, uint32_t index)
{
    uint8_t columns = 0, after_tab = 0;

    while (index != ld->line) {
        uint8_t c = ld->in[slot(--index)];

        if (c == '\t') {
            after_tab = 0x80;
            break;
        }
        if (is_cntrl(c)) {
            columns = (uint8_t)(columns + (lflag(ld, ECHOCTL) ? 2 : 0));
        } else if (!is_continuation(ld, c)) {
            columns++;
        }
    }
    return (uint8_t)((columns & 7) | after_tab);
}

/* ECHOPRT, for paper: shows erased characters between \ and /. */
static void echo_erased_on_paper(struct ldisc *ld, uint32_t at, uint32_t bytes)
{
    if (!ld->erasing) {
        ldisc_echo_raw(ld, '\\');
        ld->erasing = true;
    }
    ldisc_echo_char(ld, ld->in[slot(at)]);
    while (--bytes > 0) {
        ldisc_echo_raw(ld, ld->in[slot(++at)]);
        ldisc_echo_back_column(ld);
    }
}

static void echo_rubout(struct ldisc *ld)
{
    ldisc_echo_raw(ld, '\b');
    ldisc_echo_raw(ld, ' ');
    ldisc_echo_raw(ld, '\b');
}

/* The screen's part of erasing the character of `bytes` bytes that was at `at`. */
static void echo_erased(struct ldisc *ld, uint32_t at, uint32_t bytes, bool by_char)
{
    uint8_t c = ld->in[slot(at)];

    if (lflag(ld, ECHOPRT)) {
        echo_erased_on_paper(ld, at, bytes);
    } else if (by_char && !lflag(ld, ECHOE)) {
        ldisc_echo_char(ld, ld->t.c_cc[VERASE]);
    } else if (c == '\t') {
        ldisc_echo_erase_tab(ld, tab_columns(ld, at));
    } else {
        if (is_cntrl(c) && lflag(ld, ECHOCTL)) {
            echo_rubout(ld);
        }
        if (!is_cntrl(c) || lflag(ld, ECHOCTL)) {
            echo_rubout(ld);
        }
    }
}

enum erase { ERASE_CHAR, ERASE_WORD, ERASE_LINE };

/* VKILL when the screen cannot be rubbed out: the line is forgotten and a mark shown. */
static void input_kill_plain(struct ldisc *ld)
{
    ld->head = ld->line;
    if (lflag(ld, ECHO)) {
        ldisc_echo_finish_erasing(ld);
        ldisc_echo_char(ld, ld->t.c_cc[VKILL]);
        if (lflag(ld, ECHOK)) {
            ldisc_echo_raw(ld, '\n');
        }
    }
}

static void input_erase(struct ldisc *ld, enum erase what)
{
    const tcflag_t rubout = ECHO | ECHOK | ECHOKE | ECHOE;
    bool in_word = false;

    if (ld->head == ld->line) {
        return;
    }
    if (what == ERASE_LINE && (ld->t.c_lflag & rubout) != rubout) {
        input_kill_plain(ld);
        return;
    }
    while (ld->head != ld->line) {
        uint32_t at = ld->head, bytes;
        uint8_t c;

        do {
            c = ld->in[slot(--at)];
        } while (is_continuation(ld, c) && at != ld->line);
        if (is_continuation(ld, c)) {
            break; /* half a character: its start is gone */
        }
        if (what == ERASE_WORD) {
            if (is_word(c)) {
                in_word = true;
            } else if (in_word) {
                break;
            }
        }
        bytes = ld->head - at;
        ld->head = at;
        if (lflag(ld, ECHO)) {
            echo_erased(ld, at, bytes, what == ERASE_CHAR);
        }
        if (what == ERASE_CHAR) {
            break;
        }
    }
    if (ld->head == ld->line && lflag(ld, ECHO)) {
        ldisc_echo_finish_erasing(ld);
    }
}

static void input_reprint(struct ldisc *ld)
{
    ldisc_echo_finish_erasing(ld);
    ldisc_echo_char(ld, ld->t.c_cc[VREPRINT]);
    ldisc_echo_raw(ld, '\n');
    for (uint32_t i = ld->line; i != ld->head; i++) {
        ldisc_echo_char(ld, ld->in[slot(i)]);
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
        input_erase(ld, ERASE_CHAR);
    } else if (ext && is_cc(ld, VWERASE, c)) {
        input_erase(ld, ERASE_WORD);
    } else if (is_cc(ld, VKILL, c)) {
        input_erase(ld, ERASE_LINE);
    } else if (ext && is_cc(ld, VLNEXT, c)) {
        input_lnext(ld);
    } else if (ext && lflag(ld, ECHO) && is_cc(ld, VREPRINT, c)) {
        input_reprint(ld);
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
        output_start(ld);
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
    output_start_by_any(ld);
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
    output_start_by_any(ld);
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
    uint32_t room = LDISC_QUEUE - (uint32_t)queued(ld);

    if (iflag(ld, PARMRK)) {
        room = (room + 2) / 3;
    }
    if (room > 1) {
        return true;
    }
    if (!lflag(ld, ICANON) || ld->line != ld->tail) {
        return false;
    }
    while (LDISC_QUEUE - queued(ld) < (iflag(ld, PARMRK) ? 3u : 1u)) {
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
    check_throttle(ld);
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

/* ---- reading ------------------------------------------------------------------------------- */

bool ldisc_readable(const struct ldisc *ld)
{
    return ld->hung_up || ld->tail != (lflag(ld, ICANON) ? ld->line : ld->head);
}

bool ldisc_pollin(const struct ldisc *ld)
{
    uint8_t min = ld->t.c_cc[VMIN];

    /* A threshold that no timer can cut short counts for poll too (Linux). */
    if (!lflag(ld, ICANON) && ld->t.c_cc[VTIME] == 0 && min > 0 && !ld->hung_up) {
        return queued(ld) >= min;
    }
    return ldisc_readable(ld);
}

size_t ldisc_input_count(const struct ldisc *ld)
{
    size_t n = 0;

    if (!lflag(ld, ICANON)) {
        return queued(ld);
    }
    for (uint32_t i = ld->tail; i != ld->line; i++) {
        n += !(bit_get(ld->eol, slot(i)) && ld->in[slot(i)] == DISABLED);
    }
    return n;
}

static void copy_out(const struct ldisc *ld, uint8_t *to, uint32_t from, size_t n)
{
    size_t first = LDISC_QUEUE - slot(from);

    first = first < n ? first : n;
    memcpy(to, ld->in + slot(from), first);
    memcpy(to + first, ld->in, n - first);
}

static bool at_eof_mark(const struct ldisc *ld)
{
    return ld->tail != ld->line && bit_get(ld->eol, slot(ld->tail)) &&
           ld->in[slot(ld->tail)] == DISABLED;
}

static size_t read_line(struct ldisc *ld, uint8_t *buf, size_t n)
{
    uint32_t i = ld->tail;
    size_t len = 0;
    bool ended = false;

    while (len < n && i != ld->line && !bit_get(ld->eol, slot(i))) {
        i++;
        len++;
    }
    if (len < n && i != ld->line) {
        len += ld->in[slot(i)] != DISABLED; /* the end of the line itself, unless it means EOF */
        bit_clear(ld->eol, slot(i));
        i++;
        ended = true;
    }
    copy_out(ld, buf, ld->tail, len);
    ld->tail = i;
    /* A read that fills its buffer just before the EOF that ends its line takes the EOF along: to
     * the next read it would look like the end of the file. */
    if (!ended && at_eof_mark(ld)) {
        bit_clear(ld->eol, slot(ld->tail));
        ld->tail++;
    }
    return len;
}

long ldisc_read(struct ldisc *ld, void *buf, size_t n)
{
    size_t len;

    if (ld->hung_up || n == 0) {
        return 0;
    }
    if (!ldisc_readable(ld)) {
        return -EAGAIN;
    }
    if (lflag(ld, ICANON)) {
        len = read_line(ld, buf, n);
    } else {
        len = queued(ld) < n ? queued(ld) : n;
        copy_out(ld, buf, ld->tail, len);
        ld->tail += (uint32_t)len;
    }
    check_throttle(ld);
    return (long)len;
}

int ldisc_read_wait(const struct ldisc *ld, size_t got, size_t want)
{
    uint8_t min = ld->t.c_cc[VMIN], time = ld->t.c_cc[VTIME];

    if (ld->hung_up || got >= want) {
        return 0;
    }
    if (lflag(ld, ICANON)) {
        return got > 0 ? 0 : LDISC_FOREVER;
    }
    if (min == 0) {
        return got > 0 ? 0 : time;
    }
    if (got >= min) {
        return 0;
    }
    return got > 0 && time > 0 ? time : LDISC_FOREVER;
}

/* ---- settings ------------------------------------------------------------------------------ */

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
    if (lflag(ld, ICANON) && queued(ld) > 0) {
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
        output_start(ld); /* nothing typed could restart it any more */
    }
    check_throttle(ld);
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

/* ---- flushing ------------------------------------------------------------------------------ */

void ldisc_flush(struct ldisc *ld, int queue)
{
    if (queue == TCIFLUSH || queue == TCIOFLUSH) {
        queue_reset(ld);
    }
    if (queue == TCOFLUSH || queue == TCIOFLUSH) {
        ld->sink->discard(ld->ctx);
    }
}

void ldisc_hangup(struct ldisc *ld)
{
    ld->echo_tail = ld->echo_head = 0;
    ld->throttled = false; /* nobody is left to be told */
    queue_reset(ld);
    ld->sink->discard(ld->ctx);
    ld->hung_up = true;
}
