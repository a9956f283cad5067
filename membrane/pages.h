/* Page descriptors of the arena: shared by pages.c (who has a page) and heap.c (slabs).
 *
 * One per page, at a fixed place; those of pages that are not in the arena yet are not present.
 */
#ifndef MEMBRANE_PAGES_H
#define MEMBRANE_PAGES_H

#include "mb_int.h"

#define PAGE_NONE 0xffffffffu

enum page_kind {
    PAGE_INSIDE, /* not the first of a block, or not in use: nothing to say about it */
    PAGE_FREE,   /* first of a free block of 1 << order pages */
    PAGE_SINGLE, /* mb_page */
    PAGE_CACHED, /* freed by mb_page_free, still present */
    PAGE_RUN,    /* first of a run of `pages` */
    PAGE_SLAB,   /* objects of one size */
};

struct page {
    uint32_t next, prev; /* FREE: list of its order; CACHED: next; SLAB: partly used slabs */
    uint8_t kind;        /* enum page_kind */
    uint8_t order;       /* FREE, RUN: block size; SLAB: size class */
    uint8_t shared;      /* was mapped into a program */
    uint8_t pad;
    union {
        uint32_t pages; /* RUN */
        struct {
            uint16_t used; /* SLAB: objects handed out */
            uint16_t free; /* SLAB: first free object, in units of 16 bytes; NO_OBJECT */
        };
    };
};
_Static_assert(sizeof(struct page) == 16, "a descriptor page covers 1 MiB of arena");

static inline struct page *page_of(uint32_t index)
{
    return (struct page *)MB_DESCRIPTORS + index;
}

static inline void *page_address(uint32_t index)
{
    return (void *)(MB_ARENA + (uint64_t)index * MB_PAGE);
}

/* Index of the page p lies in; ends the cell when p is not of the arena: then memory is damaged. */
uint32_t page_index(const void *p);

/* One page for a slab: present, contents undefined; and back. */
void *page_take(void);
void page_give(void *page);

#endif
