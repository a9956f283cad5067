/* stdlib.h - numbers from text (lib/num.c); in cells a heap (native/lib/heap.c). Freestanding builds only. */
#ifndef NX_LIBC_STDLIB_H
#define NX_LIBC_STDLIB_H

#include <nx_libc.h>

/* |x|; of INT_MIN, itself. */
static inline int abs(int x)
{
    return x < 0 ? -x : x;
}

/* |x|; of LONG_MIN, itself. */
static inline long labs(long x)
{
    return x < 0 ? -x : x;
}

#ifdef NX_CELL
/* The heap of a cell, for all its fibers.  What was freed is used again, and not given back to the machine. */

/* Memory of `bytes` bytes, 16-byte aligned, charged to the quota page by page when it is first touched; the caller's until
 * free().  NULL: there are no memory or no addresses left. */
void *malloc(size_t bytes);
/* The same for an array, zeroed; NULL also when the product is no size. */
void *calloc(size_t count, size_t bytes);
/* Make a piece of malloc() larger, perhaps elsewhere with the same content; NULL: it is as it was. */
void *realloc(void *p, size_t bytes);
/* Give a piece back; nothing for NULL.  What is none ends the cell. */
void free(void *p);
/* End the cell: it has found itself wrong. */
_Noreturn void abort(void);
#endif

#endif
