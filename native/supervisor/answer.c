/* See answer.h. */
#include "answer.h"

#include <stdarg.h>
#include <stdio.h>

/* snprintf wants room for a NUL, which the answer does not have: the last byte is never used. */
static void add(struct answer *a, const char *fmt, va_list ap)
{
    int n = a->full ? -1 : vsnprintf(a->at + a->len, a->size - a->len, fmt, ap);
    if (n < 0 || (size_t)n >= a->size - a->len) {
        a->full = true;
        return;
    }
    a->len += (size_t)n;
}

void answer_add(struct answer *a, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    add(a, fmt, ap);
    va_end(ap);
}

void answer_error(struct answer *a, const char *fmt, ...)
{
    va_list ap;
    a->len = 0;
    a->full = false;
    answer_add(a, "error: ");
    va_start(ap, fmt);
    add(a, fmt, ap);
    va_end(ap);
    answer_add(a, "\n");
}
