/* Private to strands: their stacks. */
#ifndef NATIVE_STRAND_STACK_H
#define NATIVE_STRAND_STACK_H

#include <stddef.h>

/* A stack of the heap, with an unmapped page below; NULL: no memory. */
void *strand_stack_take(size_t size);
/* Give it back, to the next one that is as large. */
void strand_stack_give(void *stack, size_t size);

#endif
