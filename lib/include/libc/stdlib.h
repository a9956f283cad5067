/* stdlib.h - numbers from text (lib/num.c); no heap, no exit. Freestanding builds only. */
#ifndef NX_LIBC_STDLIB_H
#define NX_LIBC_STDLIB_H

#include <nx_libc.h>

static inline int abs(int x)
{
    return x < 0 ? -x : x;
}

static inline long labs(long x)
{
    return x < 0 ? -x : x;
}

#endif
