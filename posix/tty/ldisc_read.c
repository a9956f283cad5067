/* The line discipline's readers: what is there for them, and how long they wait for more. */
#include <asm/errno.h>
#include <string.h>

#include "tty/ldisc_int.h"

bool ldisc_readable(const struct ldisc *ld)
{
    return ld->hung_up || ld->tail != (lflag(ld, ICANON) ? ld->line : ld->head);
}

bool ldisc_pollin(const struct ldisc *ld)
{
    uint8_t min = ld->t.c_cc[VMIN];

    /* A threshold that no timer can cut short counts for poll too (Linux). */
    if (!lflag(ld, ICANON) && ld->t.c_cc[VTIME] == 0 && min > 0 && !ld->hung_up) {
        return ldisc_queued(ld) >= min;
    }
    return ldisc_readable(ld);
}

size_t ldisc_input_count(const struct ldisc *ld)
{
    size_t n = 0;

    if (!lflag(ld, ICANON)) {
        return ldisc_queued(ld);
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
        len = ldisc_queued(ld) < n ? ldisc_queued(ld) : n;
        copy_out(ld, buf, ld->tail, len);
        ld->tail += (uint32_t)len;
    }
    ldisc_check_throttle(ld);
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
