/* Bytes in order: a list of pages, the newest written to, the oldest read from.
 *
 *      head --> chunk --> chunk <-- tail         chunk: a page; data[start..end) is there
 *
 * Data goes straight between program memory and the pages.  An empty stream starts over at the first
 * byte of its page, so that small messages touch one; some pages are kept for the next writer.
 * Not here: limits, waking, and what is attached to parts of it (mark.c).
 */
#include "net/net.h"

#include <string.h>

#define CHUNK_DATA ((uint32_t)MB_PAGE - 16)
#define SPARE_MAX 8

struct chunk {
    struct chunk *next;
    uint32_t start, end;
    char data[CHUNK_DATA];
};
_Static_assert(sizeof(struct chunk) == MB_PAGE, "a chunk is a page");

static struct chunk *chunk_add(struct stream *s)
{
    struct chunk *c = s->spare;
    if (c != NULL) {
        s->spare = c->next;
        s->spares--;
    } else {
        c = mb_page();
        if (c == NULL) {
            return NULL;
        }
    }
    c->next = NULL;
    c->start = c->end = 0;
    if (s->tail != NULL) {
        s->tail->next = c;
    } else {
        s->head = c;
    }
    s->tail = c;
    return c;
}

/* The first chunk is read to its end, and it is not the last. */
static void chunk_drop(struct stream *s)
{
    struct chunk *c = s->head;
    s->head = c->next;
    if (s->spares < SPARE_MAX) {
        c->next = s->spare;
        s->spare = c;
        s->spares++;
    } else {
        mb_page_free(c);
    }
}

/* n bytes: how many went in, -EFAULT, or -ENOMEM when there is no page and nothing went. */
long stream_put(struct stream *s, struct iobuf *b, size_t n)
{
    size_t done = 0;
    int err = 0;
    while (done < n && err == 0) {
        struct chunk *c = s->tail;
        if (c == NULL || c->end == CHUNK_DATA) {
            c = chunk_add(s);
            if (c == NULL) {
                err = -ENOMEM;
                break;
            }
        }
        size_t left = b->len, room = CHUNK_DATA - c->end;
        size_t part = room < n - done ? room : n - done;
        err = iobuf_get(b, c->data + c->end, part);
        part = left - b->len;
        c->end += (uint32_t)part;
        done += part;
    }
    s->in += done;
    return done > 0 ? (long)done : err;
}

/* At most n of the bytes that are there: how many, or -EFAULT. */
long stream_get(struct stream *s, struct iobuf *b, size_t n)
{
    size_t done = 0, have = stream_bytes(s);
    int err = 0;
    n = n < have ? n : have;
    while (done < n && err == 0) {
        struct chunk *c = s->head;
        if (c->start == c->end) {
            chunk_drop(s);
            continue;
        }
        size_t part = c->end - c->start < n - done ? c->end - c->start : n - done;
        if (b != NULL) {
            size_t left = b->len;
            err = iobuf_put(b, c->data + c->start, part);
            part = left - b->len;
        }
        c->start += (uint32_t)part;
        done += part;
    }
    s->out += done;
    if (s->in == s->out && s->head != NULL) {
        while (s->head != s->tail) {
            chunk_drop(s);
        }
        s->head->start = s->head->end = 0;
    }
    return done > 0 ? (long)done : err;
}

/* The same, skip bytes on, and they stay. */
long stream_peek(const struct stream *s, struct iobuf *b, size_t skip, size_t n)
{
    size_t done = 0, have = stream_bytes(s);
    int err = 0;
    if (skip >= have) {
        return 0;
    }
    n = n < have - skip ? n : have - skip;
    for (const struct chunk *c = s->head; done < n && err == 0; c = c->next) {
        size_t here = c->end - c->start;
        if (skip >= here) {
            skip -= here;
            continue;
        }
        size_t left = b->len, part = here - skip < n - done ? here - skip : n - done;
        err = iobuf_put(b, c->data + c->start + skip, part);
        done += left - b->len;
        skip = 0;
    }
    return done > 0 ? (long)done : err;
}

static void chunks_free(struct chunk *c)
{
    while (c != NULL) {
        struct chunk *next = c->next;
        mb_page_free(c);
        c = next;
    }
}

void stream_clear(struct stream *s)
{
    chunks_free(s->head);
    chunks_free(s->spare);
    s->head = s->tail = s->spare = NULL;
    s->spares = 0;
    s->out = s->in;
    s->overhead = 0;
}
