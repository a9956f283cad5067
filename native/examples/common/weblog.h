/* The core of the web-log analyser: a line of a web server's log to a record, records to a tally, a tally to text.
 *
 * It is the same code in the plain POSIX program (weblog_posix/plain.c), the one with its I/O on rings
 * (weblog_posix/rings.c) and the native cells (weblog_parser, weblog_tally): docs/migrating.md walks through them.
 * No I/O, no memory of its own, only <string.h> and snprintf.
 */
#ifndef EXAMPLE_WEBLOG_H
#define EXAMPLE_WEBLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define WEBLOG_PATH 48u

struct weblog_record {
    uint32_t status;
    uint32_t reserved;
    uint64_t bytes;
    char path[WEBLOG_PATH]; /* ended by a NUL, cut when longer */
};

static inline const char *weblog_number(const char *at, const char *end, uint64_t *value)
{
    *value = 0;
    for (; at < end && (unsigned char)(*at - '0') <= 9; at++) {
        *value = *value * 10 + (uint64_t)(*at - '0');
    }
    return at;
}

/* One line without its end:   HOST - USER [TIME] "METHOD PATH VERSION" STATUS BYTES ...
 * False when it is none.  The text may be shared memory that changes meanwhile: no byte outside is read. */
static inline bool weblog_parse(const char *line, size_t n, struct weblog_record *r)
{
    const char *end = line + n, *quote = memchr(line, '"', n);
    if (quote == NULL) {
        return false;
    }
    const char *path = memchr(quote, ' ', (size_t)(end - quote));
    if (path == NULL) {
        return false;
    }
    path++;
    const char *stop = memchr(path, ' ', (size_t)(end - path));
    const char *close = stop != NULL ? memchr(stop, '"', (size_t)(end - stop)) : NULL;
    if (close == NULL || end - close < 4) {
        return false;
    }
    const size_t length =
        (size_t)(stop - path) < WEBLOG_PATH - 1 ? (size_t)(stop - path) : WEBLOG_PATH - 1;
    uint64_t status;
    const char *at = weblog_number(close + 2, end, &status);
    r->status = (uint32_t)status;
    r->reserved = 0;
    weblog_number(at < end ? at + 1 : end, end, &r->bytes);
    memcpy(r->path, path, length);
    r->path[length] = 0;
    return status >= 100 && status <= 599;
}

/* The records of whole lines, at most `most`; *used: the bytes of the lines they are of, and of those that are none. */
static inline size_t weblog_lines(const char *text, size_t n, struct weblog_record *out,
                                  size_t most, size_t *used)
{
    size_t count = 0;
    const char *at = text, *end = text + n;
    while (at < end && count < most) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        stop = stop != NULL ? stop : end;
        count += weblog_parse(at, (size_t)(stop - at), &out[count]);
        at = stop < end ? stop + 1 : end;
    }
    *used = (size_t)(at - text);
    return count;
}

#define WEBLOG_PATHS 1024u /* power of two */
#define WEBLOG_TOP 5u

struct weblog_tally {
    uint64_t count, bytes, status[6]; /* by the first digit */
    struct {
        uint64_t count;
        char path[WEBLOG_PATH];
    } paths[WEBLOG_PATHS];
    uint32_t used;
};

static inline void weblog_add(struct weblog_tally *t, const struct weblog_record *r)
{
    uint32_t hash = 2166136261u;
    t->count++;
    t->bytes += r->bytes;
    t->status[r->status / 100 % 6]++;
    for (const char *p = r->path; *p != 0; p++) {
        hash = (hash ^ (uint8_t)*p) * 16777619u;
    }
    for (uint32_t i = 0; i < WEBLOG_PATHS; i++) {
        uint32_t at = (hash + i) % WEBLOG_PATHS;
        if (t->paths[at].count == 0) {
            if (t->used == WEBLOG_PATHS * 3 / 4) {
                return; /* too many different ones: this is one of the others */
            }
            t->used++;
            memcpy(t->paths[at].path, r->path, WEBLOG_PATH);
        } else if (strcmp(t->paths[at].path, r->path) != 0) {
            continue;
        }
        t->paths[at].count++;
        return;
    }
}

/* What it comes to, as text: its length, as snprintf. */
static inline size_t weblog_report(const struct weblog_tally *t, char *to, size_t size)
{
    size_t n = (size_t)snprintf(
        to, size, "%llu requests, %llu bytes, 2xx %llu, 3xx %llu, 4xx %llu, 5xx %llu\n",
        (unsigned long long)t->count, (unsigned long long)t->bytes,
        (unsigned long long)t->status[2], (unsigned long long)t->status[3],
        (unsigned long long)t->status[4], (unsigned long long)t->status[5]);
    uint64_t last = UINT64_MAX;
    uint32_t last_at = 0;
    for (unsigned place = 0; place < WEBLOG_TOP && n < size; place++) {
        uint32_t best = WEBLOG_PATHS;
        for (uint32_t i = 0; i < WEBLOG_PATHS; i++) {
            const uint64_t c = t->paths[i].count;
            if (c != 0 && (c < last || (c == last && i > last_at)) &&
                (best == WEBLOG_PATHS || c > t->paths[best].count)) {
                best = i;
            }
        }
        if (best == WEBLOG_PATHS) {
            break;
        }
        last = t->paths[best].count;
        last_at = best;
        n += (size_t)snprintf(to + n, size - n, "%8llu %s\n", (unsigned long long)last,
                              t->paths[best].path);
    }
    return n < size ? n : size - 1;
}

#endif
