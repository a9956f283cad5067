/* See history.h. */
#include "history.h"

#include <nx_base.h>
#include <string.h>

#define SUM_SEED \
    0x6c6f6764312e3030u /* another layout, another seed: old memory is then no memory */

/* Not against forgery: nobody else can write there.  It tells a torn or overwritten entry. */
static uint64_t sum_of(const struct history_entry *e)
{
    const uint64_t *word = (const uint64_t *)e + 1;
    const size_t n = (offsetof(struct history_entry, text) + ALIGN_UP(e->head.len, 8u)) / 8;
    uint64_t sum = SUM_SEED;
    for (size_t i = 1; i < n; i++, word++) {
        sum = (sum ^ *word) * 0x9e3779b97f4a7c15u;
        sum ^= sum >> 29;
    }
    return sum != 0 ? sum : 1;
}

static bool entry_good(const struct history_entry *e)
{
    return e->sum != 0 && e->head.len <= NEXUS_STL_TEXT && e->head.kind < NEXUS_STL_KINDS &&
           e->head.cell[sizeof(e->head.cell) - 1] == 0 && e->sum == sum_of(e);
}

/* ---- taking over ---- */

/* Places in order of their records' numbers: merging of the runs that are there already, which are few,
 * since places are mostly taken in turn.  b: room for as many; the result is in the array returned. */
static bool in_order(const struct history *h, uint16_t x, uint16_t y)
{
    return h->entry[x].head.number <= h->entry[y].head.number;
}

static unsigned run_end(const struct history *h, const uint16_t *a, unsigned at, unsigned n)
{
    while (++at < n && in_order(h, a[at - 1], a[at])) {
    }
    return NX_MIN(at, n);
}

static const uint16_t *sort(const struct history *h, uint16_t *a, uint16_t *b, unsigned n)
{
    for (;;) {
        unsigned to = 0;
        for (unsigned first = 0; first < n;) {
            const unsigned second = run_end(h, a, first, n);
            if (first == 0 && second == n) {
                return a;
            }
            const unsigned end = second < n ? run_end(h, a, second, n) : n;
            for (unsigned x = first, y = second; x < second || y < end;) {
                bool left = y == end || (x < second && in_order(h, a[x], a[y]));
                b[to++] = left ? a[x++] : a[y++];
            }
            first = end;
        }
        uint16_t *swap = a;
        a = b;
        b = swap;
    }
}

int history_open(struct history *h, void *memory, size_t size)
{
    static uint16_t found[HISTORY_PLACES], room[HISTORY_PLACES];
    const size_t places = NX_MIN(size / sizeof(struct history_entry), (size_t)HISTORY_PLACES);
    unsigned n = 0;
    if (memory == NULL || places <= 2 * HISTORY_WRITERS) {
        return -1;
    }
    h->entry = memory;
    h->next = 0;
    memset(h->source, 0, sizeof(h->source));
    nx_keep_init_old(&h->keep, h->place, (unsigned)places, h->writer, HISTORY_WRITERS);
    for (size_t i = 0; i < places; i++) {
        if (entry_good(&h->entry[i])) {
            found[n++] = (uint16_t)i;
        }
    }
    for (size_t i = places, left = n; i-- > 0;) { /* from behind: then they are taken in turn */
        if (left > 0 && found[left - 1] == i) {
            left--;
        } else {
            nx_keep_free(&h->keep, (unsigned)i);
        }
    }
    const uint16_t *good = n > 0 ? sort(h, found, room, n) : found;
    for (unsigned i = 0; i < n; i++) {
        const struct history_entry *e = &h->entry[good[i]];
        if (e->head.number < h->next) {
            nx_keep_free(&h->keep, good[i]); /* twice the same number: never written by us */
            continue;
        }
        nx_keep_adopt(&h->keep, good[i], e->head.cell, e->head.number);
        h->next = e->head.number + 1;
        h->source[e->head.kind] = NX_MAX(h->source[e->head.kind], e->source + 1);
    }
    return (int)n;
}

void history_forget(struct history *h)
{
    const uint64_t next = h->next;
    const unsigned places = h->keep.places;
    for (unsigned i = 0; i < places; i++) {
        h->entry[i].sum = 0;
    }
    (void)history_open(h, h->entry, places * sizeof(*h->entry));
    h->next = next;
}

/* ---- adding and reading ---- */

void history_add(struct history *h, const struct nexus_stl *head, const char *text, uint64_t source)
{
    const unsigned kind = head->kind;
    const uint64_t lost = source > h->source[kind] ? source - h->source[kind] : 0;
    const uint64_t number = h->next + lost;
    unsigned at = nx_keep_add(&h->keep, head->cell, number);
    volatile struct history_entry *seal = &h->entry[at];
    struct history_entry *e = &h->entry[at];
    const uint16_t len = (uint16_t)NX_MIN((unsigned)head->len, NEXUS_STL_TEXT);
    seal->sum = 0;
    __asm__ volatile("" : : : "memory");
    e->source = source;
    e->head = *head;
    e->head.number = number;
    e->head.len = len;
    memcpy(e->text, text, len);
    memset(e->text + len, 0, ALIGN_UP(len, 8u) - len);
    const uint64_t sum = sum_of(e);
    __asm__ volatile("" : : : "memory");
    seal->sum = sum;
    h->next = number + 1;
    h->source[kind] = source + 1;
}

size_t history_read(const struct history *h, uint64_t *from, uint8_t *buf, size_t n)
{
    size_t done = 0;
    for (unsigned at = nx_keep_find(&h->keep, *from); at != NX_KEEP_NONE;
         at = nx_keep_next(&h->keep, at)) {
        const struct history_entry *e = &h->entry[at];
        const size_t size = nexus_stl_size(&e->head);
        if (size > n - done) {
            return done;
        }
        memcpy(buf + done, &e->head, size); /* the text follows the head */
        done += size;
        *from = e->head.number + 1;
    }
    return done;
}
