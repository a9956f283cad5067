/* The heap of a cell: <stdlib.h>.
 *
 * Blocks are powers of two, from 32 bytes with their head on, and each power has a list of the free ones.  Small ones are
 * cut from chunks, large ones are mapped by themselves; nothing is given back, for addresses of the window are
 * not used again.  Pages that were never touched cost nothing. */
#include <nexus/cell.h>
#include <nexus/fiber.h>
#include <stdlib.h>
#include <string.h>

#define ORDER_MIN 5u
#define ORDER_CHUNK 16u /* blocks up to this are cut from chunks of 16 of them */
#define ORDER_MAX 34u

struct block {
    uint64_t order;
    union {
        struct block *next; /* while it is free */
        uint64_t used; /* the mark of one that is in use: what free() gets by mistake has none */
    };
};
#define USED 0x6e78757365646d65ul
_Static_assert(sizeof(struct block) == 16, "what follows is aligned");

static struct fiber_lock lock;
static struct block *free_list[ORDER_MAX + 1];

/* Cut a chunk into blocks of that order. */
static void cut(unsigned order)
{
    const size_t each = 1ul << order;
    uint8_t *chunk = cell_anon(16 * each, NULL);
    for (unsigned i = 0; chunk != NULL && i < 16; i++) {
        struct block *b = (struct block *)(chunk + i * each);
        *b = (struct block){.order = order, .next = free_list[order]};
        free_list[order] = b;
    }
}

static struct block *take(unsigned order)
{
    if (order <= ORDER_CHUNK && free_list[order] == NULL) {
        cut(order);
    }
    struct block *b = free_list[order];
    if (b != NULL) {
        free_list[order] = b->next;
    } else if (order > ORDER_CHUNK) {
        b = cell_anon(1ul << order, NULL);
    }
    if (b != NULL) {
        b->order = order;
        b->used = USED;
    }
    return b;
}

void *malloc(size_t bytes)
{
    unsigned order = ORDER_MIN;
    if (bytes > (1ul << ORDER_MAX) - sizeof(struct block)) {
        return NULL;
    }
    while ((1ul << order) < bytes + sizeof(struct block)) {
        order++;
    }
    fiber_lock(&lock);
    struct block *b = take(order);
    fiber_unlock(&lock);
    return b != NULL ? b + 1 : NULL;
}

static struct block *block_of(void *p)
{
    struct block *b = (struct block *)p - 1;
    if (b->used != USED || b->order < ORDER_MIN || b->order > ORDER_MAX) {
        cell_panic("free of what is not in use: %p", p);
    }
    return b;
}

void free(void *p)
{
    if (p == NULL) {
        return;
    }
    fiber_lock(&lock);
    struct block *b = block_of(p);
    b->next = free_list[b->order];
    free_list[b->order] = b;
    fiber_unlock(&lock);
}

void *calloc(size_t count, size_t bytes)
{
    size_t all;
    if (__builtin_mul_overflow(count, bytes, &all)) {
        return NULL;
    }
    void *p = malloc(all);
    return p != NULL ? memset(p, 0, all) : NULL;
}

void *realloc(void *p, size_t bytes)
{
    if (p == NULL) {
        return malloc(bytes);
    }
    const size_t room = (1ul << block_of(p)->order) - sizeof(struct block);
    if (bytes <= room) {
        return p;
    }
    void *q = malloc(bytes);
    if (q != NULL) {
        memcpy(q, p, room);
        free(p);
    }
    return q;
}
