/* Text that grows: what procfs files are made of. */
#ifndef POSIX_FS_TEXT_H
#define POSIX_FS_TEXT_H

#include <stdbool.h>
#include <stddef.h>

struct text {
    char *buf; /* mb_alloc; NULL while empty */
    size_t len, cap;
    bool failed; /* no memory: the text is not whole */
};
void text_add(struct text *t, const void *bytes, size_t n);
void text_printf(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Add what fill writes: it is given at most n bytes and answers the length, cut or as it wants it. */
void text_fill(struct text *t, size_t (*fill)(void *ctx, char *buf, size_t n), void *ctx);

#endif
