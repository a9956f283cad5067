/* The text of an answer, in a buffer of a fixed size: what does not fit is left out from its end, by
 * whole lines. */
#ifndef SUPERVISOR_ANSWER_H
#define SUPERVISOR_ANSWER_H

#include <stdbool.h>
#include <stddef.h>

struct answer {
    char *at;
    size_t size, len;
    bool full; /* a line did not fit: no more is added */
};

/* Add one line or more; nothing of it when it does not fit. */
void answer_add(struct answer *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* "error: ...", instead of all that was there. */
void answer_error(struct answer *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
