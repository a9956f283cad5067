/*
 * The line discipline's way out: output processing (OPOST and the column of the cursor) and the
 * queue of echo that waits for room in the sink. ldisc.h has the rules.
 */
#include <asm/errno.h>
#include <string.h>

#include "tty/ldisc_int.h"

static void sink_put(struct ldisc *ld, const void *bytes, size_t n)
{
    ld->sink->put(ld->ctx, bytes, n);
}

static size_t sink_room(const struct ldisc *ld)
{
    return ld->stopped || ld->hung_up ? 0 : ld->sink->room(ld->ctx);
}

static bool out_newline(struct ldisc *ld, size_t *room)
{
    if (oflag(ld, ONLRET)) {
        ld->column = 0;
    }
    if (oflag(ld, ONLCR)) {
        if (*room < 2) {
            return false;
        }
        ld->line_column = ld->column = 0;
        sink_put(ld, "\r\n", 2);
        *room -= 2;
        return true;
    }
    ld->line_column = ld->column;
    sink_put(ld, "\n", 1);
    *room -= 1;
    return true;
}

static bool out_return(struct ldisc *ld, size_t *room)
{
    uint8_t c = '\r';

    if (oflag(ld, ONOCR) && ld->column == 0) {
        return true;
    }
    if (oflag(ld, OCRNL)) {
        c = '\n';
    }
    if (c == '\r' || oflag(ld, ONLRET)) {
        ld->line_column = ld->column = 0;
    }
    sink_put(ld, &c, 1);
    *room -= 1;
    return true;
}

static bool out_tab(struct ldisc *ld, size_t *room)
{
    uint32_t spaces = 8 - (ld->column & 7);

    if ((ld->t.c_oflag & TABDLY) == XTABS) {
        if (*room < spaces) {
            return false;
        }
        sink_put(ld, "        ", spaces);
        *room -= spaces;
    } else {
        sink_put(ld, "\t", 1);
        *room -= 1;
    }
    ld->column += spaces;
    return true;
}

/* One byte with OPOST. False: no room for what becomes of it, nothing was done. */
static bool out_byte(struct ldisc *ld, uint8_t c, size_t *room)
{
    if (*room == 0) {
        return false;
    }
    switch (c) {
    case '\n':
        return out_newline(ld, room);
    case '\r':
        return out_return(ld, room);
    case '\t':
        return out_tab(ld, room);
    case '\b':
        ld->column -= ld->column > 0;
        break;
    default:
        if (is_cntrl(c)) {
            break;
        }
        if (oflag(ld, OLCUC) && is_lower(c)) {
            c = (uint8_t)(c - ('a' - 'A'));
        }
        ld->column += !is_continuation(ld, c);
        break;
    }
    sink_put(ld, &c, 1);
    *room -= 1;
    return true;
}

/* How many bytes at the start of p pass unchanged: most output goes to the sink in one piece. */
static size_t out_plain_run(struct ldisc *ld, const uint8_t *p, size_t n)
{
    size_t i = 0;

    if (oflag(ld, OLCUC)) {
        return 0;
    }
    while (i < n && !is_cntrl(p[i])) {
        ld->column += !is_continuation(ld, p[i]);
        i++;
    }
    return i;
}

/*
 * The echo queue holds bytes to echo, and operations, so that what an operation needs to know (the
 * column of the cursor) is looked up when it reaches the screen, behind earlier output.
 *      OP c      with a control character: shown as ^C
 *      OP OP     the byte 0xff itself
 *      OP ...    one of these:
 */
#define OP 0xff
enum {
    OP_BACK_COLUMN = 0x80, /* the byte before it took no column */
    OP_MARK_COLUMN = 0x81, /* the line being edited begins here */
    OP_ERASE_TAB = 0x82,   /* then: columns used since the last tab (bit 7) or since the mark */
};

static uint8_t echo_at(const struct ldisc *ld, uint32_t index)
{
    return ld->echo[slot(index)];
}

static uint32_t echo_op_len(const struct ldisc *ld)
{
    if (echo_at(ld, ld->echo_tail) != OP) {
        return 1;
    }
    return echo_at(ld, ld->echo_tail + 1) == OP_ERASE_TAB ? 3 : 2;
}

static bool put_erase_tab(struct ldisc *ld, uint8_t columns, size_t *room)
{
    uint32_t used = columns & 0x80 ? columns : columns + ld->line_column;
    uint32_t back = 8 - (used & 7);

    if (*room < back) {
        return false;
    }
    sink_put(ld, "\b\b\b\b\b\b\b\b", back);
    *room -= back;
    ld->column -= back < ld->column ? back : ld->column;
    return true;
}

static bool put_caret(struct ldisc *ld, uint8_t c, size_t *room)
{
    uint8_t pair[2] = {'^', (uint8_t)(c ^ 0100)};

    if (*room < 2) {
        return false;
    }
    sink_put(ld, pair, 2);
    *room -= 2;
    ld->column += 2;
    return true;
}

static bool put_raw(struct ldisc *ld, uint8_t c, size_t *room)
{
    if (*room == 0) {
        return false;
    }
    sink_put(ld, &c, 1);
    *room -= 1;
    return true;
}

/* Sends the entry at the tail of the echo queue; false when the sink has no room for it. */
static bool echo_step(struct ldisc *ld, size_t *room)
{
    uint8_t c = echo_at(ld, ld->echo_tail);
    uint8_t op = echo_at(ld, ld->echo_tail + 1);

    if (c != OP) {
        return oflag(ld, OPOST) ? out_byte(ld, c, room) : put_raw(ld, c, room);
    }
    switch (op) {
    case OP_ERASE_TAB:
        return put_erase_tab(ld, echo_at(ld, ld->echo_tail + 2), room);
    case OP_MARK_COLUMN:
        ld->line_column = ld->column;
        return true;
    case OP_BACK_COLUMN:
        ld->column -= ld->column > 0;
        return true;
    case OP:
        ld->column += *room > 0;
        return put_raw(ld, OP, room);
    default:
        return put_caret(ld, op, room);
    }
}

void ldisc_pump(struct ldisc *ld)
{
    size_t room;

    if (ld->hung_up) {
        return;
    }
    /* START and STOP overtake everything, held output too: they are for the other side. */
    if (ld->xchar != DISABLED && ld->sink->room(ld->ctx) > 0) {
        sink_put(ld, &ld->xchar, 1);
        ld->xchar = DISABLED;
    }
    room = sink_room(ld);
    while (ld->echo_tail != ld->echo_head && room > 0) {
        uint32_t len = echo_op_len(ld);

        if (!echo_step(ld, &room)) {
            break;
        }
        ld->echo_tail += len;
    }
}

/* Room for an entry of up to 3 bytes; when the terminal takes nothing, the oldest echo is lost. */
static void echo_reserve(struct ldisc *ld)
{
    if (ld->echo_head - ld->echo_tail <= LDISC_QUEUE - 3) {
        return;
    }
    ldisc_pump(ld);
    while (ld->echo_head - ld->echo_tail > LDISC_QUEUE - 3) {
        ld->echo_tail += echo_op_len(ld);
    }
}

static void echo_add(struct ldisc *ld, uint8_t c)
{
    ld->echo[slot(ld->echo_head++)] = c;
}

static void echo_op(struct ldisc *ld, uint8_t op)
{
    echo_reserve(ld);
    echo_add(ld, OP);
    echo_add(ld, op);
}

void ldisc_echo_raw(struct ldisc *ld, uint8_t c)
{
    if (c == OP) {
        echo_op(ld, OP);
        return;
    }
    echo_reserve(ld);
    echo_add(ld, c);
}

void ldisc_echo_char(struct ldisc *ld, uint8_t c)
{
    if (lflag(ld, ECHOCTL) && is_cntrl(c) && c != '\t') {
        echo_op(ld, c);
    } else {
        ldisc_echo_raw(ld, c);
    }
}

/* The first character of a line marks where on the screen the line begins. */
void ldisc_echo_typed(struct ldisc *ld, uint8_t c)
{
    if (ld->line == ld->head) {
        echo_op(ld, OP_MARK_COLUMN);
    }
    ldisc_echo_char(ld, c);
}

void ldisc_echo_back_column(struct ldisc *ld)
{
    echo_op(ld, OP_BACK_COLUMN);
}

void ldisc_echo_erase_tab(struct ldisc *ld, uint8_t columns)
{
    echo_op(ld, OP_ERASE_TAB);
    echo_add(ld, columns);
}

void ldisc_echo_finish_erasing(struct ldisc *ld)
{
    if (ld->erasing) {
        ldisc_echo_raw(ld, '/');
        ld->erasing = false;
    }
}

long ldisc_output(struct ldisc *ld, const void *bytes, size_t n)
{
    const uint8_t *p = bytes;
    size_t done = 0, room;

    if (ld->hung_up) {
        return -EIO;
    }
    ldisc_pump(ld);
    room = sink_room(ld);
    if (!oflag(ld, OPOST)) {
        done = n < room ? n : room;
        if (done > 0) {
            sink_put(ld, p, done);
        }
        return (long)done;
    }
    while (done < n) {
        size_t run = out_plain_run(ld, p + done, n - done < room ? n - done : room);

        if (run > 0) {
            sink_put(ld, p + done, run);
            room -= run;
            done += run;
        }
        if (done == n || !out_byte(ld, p[done], &room)) {
            break;
        }
        done++;
    }
    return (long)done;
}

bool ldisc_output_stopped(const struct ldisc *ld)
{
    return ld->stopped;
}

size_t ldisc_echo_count(const struct ldisc *ld)
{
    return ld->echo_head - ld->echo_tail;
}
