/* See drain.h. */
#include "drain.h"

#include <nx/sys.h>
#include <nx_base.h>
#include <stdio.h>
#include <string.h>

#define NS_PER_S 1000000000ul

static uint64_t ns_of(const struct drain *d, uint64_t ticks)
{
    return ticks / d->timebase * NS_PER_S + ticks % d->timebase * NS_PER_S / d->timebase;
}

static const struct nx_log *next_line(struct drain *d, const struct history *h)
{
    if (d->line_at == d->lines && !d->no_lines) {
        long n = nx_meta_readlog((uint64_t)d->line, sizeof(d->line), h->source[NEXUS_STL_LOG]);
        d->line_at = 0;
        d->lines = n > 0 ? (unsigned)n : 0;
        d->no_lines = d->lines < DRAIN_LINES;
    }
    return d->line_at < d->lines ? &d->line[d->line_at] : NULL;
}

static const struct nx_beb *next_entry(struct drain *d, const struct history *h)
{
    if (d->entry_at == d->entries && !d->no_entries) {
        long n = nx_meta_beb((uint64_t)d->entry, sizeof(d->entry), h->source[NEXUS_STL_BEB]);
        d->entry_at = 0;
        d->entries = n > 0 ? (unsigned)n : 0;
        d->no_entries = d->entries < DRAIN_LINES;
    }
    return d->entry_at < d->entries ? &d->entry[d->entry_at] : NULL;
}

static void add_line(const struct drain *d, struct history *h, const struct nx_log *l)
{
    struct nexus_stl head = {.time_ns = ns_of(d, l->time),
                             .seq = l->seq,
                             .generation = l->generation,
                             .len = l->len,
                             .level = l->level,
                             .kind = NEXUS_STL_LOG};
    memcpy(head.cell, l->cell, sizeof(head.cell));
    history_add(h, &head, l->text, l->number);
}

/* An entry in words; its level. */
static unsigned entry_text(const struct nx_beb *b, char *text, size_t n)
{
    const unsigned long x = b->arg0, y = b->arg1;
    static const char *const why[] = {"?", "exit", "killed", "fault", "out of memory"};
    switch (b->kind) {
    case NX_BEB_OVERRUN:
        snprintf(text, n, "fiber %#x overran its budget of %lu ticks, %lu in all", b->fiber, x, y);
        return NX_LOG_NOTICE;
    case NX_BEB_DEMOTED:
        snprintf(text, n, "fiber %#x demoted to tier %lu", b->fiber, x);
        return NX_LOG_NOTICE;
    case NX_BEB_PROMOTED:
        snprintf(text, n, "fiber %#x promoted to tier %lu", b->fiber, x);
        return NX_LOG_NOTICE;
    case NX_BEB_FAULT:
        snprintf(text, n, "fiber %#x faulted at %#lx, address %#lx", b->fiber, x, y);
        return NX_LOG_ERR;
    case NX_BEB_DENIED:
        snprintf(text, n, "fiber %#x was denied %#lx, slot %lu", b->fiber, x, y);
        return NX_LOG_WARNING;
    case NX_BEB_CELL_DEAD:
        snprintf(text, n, "ended: %s, code %#lx", why[x < ARRAY_LEN(why) ? x : 0], y);
        return NX_LOG_ERR;
    default:
        snprintf(text, n, "event %u of fiber %#x: %#lx %#lx", b->kind, b->fiber, x, y);
        return NX_LOG_NOTICE;
    }
}

static void add_entry(const struct drain *d, struct history *h, const struct nx_beb *b)
{
    char text[NEXUS_STL_TEXT];
    struct nexus_stl head = {.time_ns = ns_of(d, b->time),
                             .seq = b->number,
                             .generation = b->generation,
                             .kind = NEXUS_STL_BEB};
    head.level = (uint8_t)entry_text(b, text, sizeof(text));
    head.len = (uint16_t)strlen(text);
    memcpy(head.cell, b->cell, sizeof(b->cell));
    history_add(h, &head, text, b->number);
}

/* What is in the nucleus up to now is to be had from now on. */
static uint64_t look(struct drain *d)
{
    d->no_lines = false;
    d->no_entries = false;
    return (uint64_t)nx_tick_now();
}

void drain_open(struct drain *d, struct history *h)
{
    const uint64_t line = h->source[NEXUS_STL_LOG], entry = h->source[NEXUS_STL_BEB];
    if ((line > 0 && nx_meta_readlog((uint64_t)d->line, sizeof(d->line), line - 1) == 0) ||
        (entry > 0 && nx_meta_beb((uint64_t)d->entry, sizeof(d->entry), entry - 1) == 0)) {
        history_forget(h);
    }
}

unsigned drain(struct drain *d, struct history *h)
{
    uint64_t now = look(d);
    unsigned moved = 0;
    while (moved < DRAIN_MOST) {
        const struct nx_log *l = next_line(d, h);
        const struct nx_beb *b = next_entry(d, h);
        if (l == NULL && b == NULL) {
            break;
        }
        bool line = b == NULL || (l != NULL && l->time <= b->time);
        if ((line ? l->time : b->time) > now) {
            now = look(d); /* it came after our last look */
        }
        if ((line ? l->time : b->time) > now) {
            break;
        }
        if (line && b == NULL && !d->no_entries) {
            continue; /* the other one may have something earlier by now */
        }
        if (!line && l == NULL && !d->no_lines) {
            continue;
        }
        if (line) {
            add_line(d, h, l);
            d->line_at++;
        } else {
            add_entry(d, h, b);
            d->entry_at++;
        }
        moved++;
    }
    return moved;
}
