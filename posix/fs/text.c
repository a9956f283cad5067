/* See text.h. */
#include "fs/text.h"

#include <membrane.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define FILL_MAX (1u << 20)

/* Room for n more bytes and a NUL. */
static bool text_room(struct text *t, size_t n)
{
    if (t->failed) {
        return false;
    }
    if (t->cap - t->len > n) {
        return true;
    }
    size_t cap = t->cap != 0 ? t->cap * 2 : 512;
    while (cap - t->len <= n) {
        cap *= 2;
    }
    char *buf = mb_alloc(cap);
    if (buf == NULL) {
        t->failed = true;
        return false;
    }
    if (t->len > 0) {
        memcpy(buf, t->buf, t->len);
    }
    mb_free(t->buf);
    t->buf = buf;
    t->cap = cap;
    return true;
}

void text_add(struct text *t, const void *bytes, size_t n)
{
    if (n > 0 && text_room(t, n)) {
        memcpy(t->buf + t->len, bytes, n);
        t->len += n;
    }
}

void text_printf(struct text *t, const char *fmt, ...)
{
    va_list ap;
    size_t room = t->cap - t->len;
    va_start(ap, fmt);
    int n = vsnprintf(room > 0 ? t->buf + t->len : NULL, room, fmt, ap);
    va_end(ap);
    if (n < 0) {
        return;
    }
    if ((size_t)n >= room) {
        if (!text_room(t, (size_t)n)) {
            return;
        }
        va_start(ap, fmt);
        vsnprintf(t->buf + t->len, t->cap - t->len, fmt, ap);
        va_end(ap);
    }
    t->len += (size_t)n;
}

void text_fill(struct text *t, size_t (*fill)(void *ctx, char *buf, size_t n), void *ctx)
{
    for (size_t want = 1024; text_room(t, want); want *= 2) {
        size_t room = t->cap - t->len;
        size_t n = fill(ctx, t->buf + t->len, room);
        if (n < room - 1 || want >= FILL_MAX) {
            t->len += n < room ? n : room;
            return;
        }
    }
}
