/* Stacks of strands: whole mappings, for the unmapped page below each.  Addresses of the window are not used
 * again, so those that are given back are kept for the next strand of that size. */
#include "strand_stack.h"

#include <nexus/cell.h>
#include <nexus/fiber.h>
#include <stdint.h>

/* At the upper end of a stack that is free, where memory is in use anyhow. */
struct spare {
    struct spare *next;
    void *stack;
    size_t size;
};

static struct fiber_lock lock;
static struct spare *spares;

static struct spare *spare_of(void *stack, size_t size)
{
    return (struct spare *)(((uintptr_t)stack + size - sizeof(struct spare)) & ~15ul);
}

void *strand_stack_take(size_t size)
{
    void *stack = NULL;
    fiber_lock(&lock);
    struct spare **at = &spares;
    while (*at != NULL && (*at)->size != size) {
        at = &(*at)->next;
    }
    if (*at != NULL) {
        stack = (*at)->stack;
        *at = (*at)->next;
    }
    fiber_unlock(&lock);
    return stack != NULL ? stack : cell_anon(size, NULL);
}

void strand_stack_give(void *stack, size_t size)
{
    struct spare *s = spare_of(stack, size);
    s->stack = stack;
    s->size = size;
    fiber_lock(&lock);
    s->next = spares;
    spares = s;
    fiber_unlock(&lock);
}
