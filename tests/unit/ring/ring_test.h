/* ring_test.h - a ring in private memory with both its ends, as the tests here use it. */
#ifndef RING_TEST_H
#define RING_TEST_H

#include <assert.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <nx/ring.h>

struct ring_pair {
    void *base;
    size_t size;
    struct nx_ring_region *region;
    struct nx_ring producer, consumer;
};

/* The region is a heap block of its exact size, rounded up to what attach wants at least: reads and
 * writes beyond it are seen by AddressSanitizer. */
static inline void ring_make(struct ring_pair *p, uint32_t slots, uint32_t buf_size)
{
    p->size = nx_ring_region_size(slots, buf_size);
    assert(p->size != 0);
    if (p->size < NX_RING_PAGE) {
        p->size = NX_RING_PAGE;
    }
    void *base = NULL;
    assert(posix_memalign(&base, NX_RING_PAGE, p->size) == 0);
    memset(base, 0, p->size);
    p->base = base;
    p->region = base;
    nx_ring_format(base, slots, buf_size);
}

static inline void ring_open(struct ring_pair *p, uint32_t slots, uint32_t buf_size)
{
    ring_make(p, slots, buf_size);
    assert(nx_ring_attach(&p->producer, NX_RING_PRODUCER, p->base, p->size) == 0);
    assert(nx_ring_attach(&p->consumer, NX_RING_CONSUMER, p->base, p->size) == 0);
}

/* The same with both indices already at `start`, to reach the wrap of the 32-bit counts. */
static inline void ring_open_at(struct ring_pair *p, uint32_t slots, uint32_t start)
{
    ring_make(p, slots, 0);
    p->region->end[0].index = start;
    p->region->end[1].index = start;
    assert(nx_ring_attach(&p->producer, NX_RING_PRODUCER, p->base, p->size) == 0);
    assert(nx_ring_attach(&p->consumer, NX_RING_CONSUMER, p->base, p->size) == 0);
}

static inline void ring_close(struct ring_pair *p)
{
    free(p->base);
}

/* A slot whose every byte depends on n. */
static inline struct nx_slot slot_make(uint32_t n)
{
    struct nx_slot s = {.type = (uint16_t)n, .flags = (uint16_t)~n, .cookie = n, .buf_len = n * 3};
    for (unsigned i = 0; i < 6; i++) {
        s.word[i] = n * 0x9e3779b97f4a7c15u + i;
    }
    return s;
}

static inline bool slot_is(const struct nx_slot *s, uint32_t n)
{
    struct nx_slot want = slot_make(n);
    return memcmp(s, &want, sizeof(want)) == 0;
}

#endif
