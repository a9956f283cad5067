/* The pages of a file: a radix tree from page number to page, 64 slots a node, as high as needed.
 *
 * A file of one page has no node at all.  Pages come from mb_page and belong to the tree, or are borrowed:
 * somebody else's, for ever, only to be read (the lowest bit of the slot is set); holes are NULL.
 * Heights stay below ten, walks are loops.  Not thread safe: the personality lock.
 */
#ifndef POSIX_FS_PAGETREE_H
#define POSIX_FS_PAGETREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGETREE_BITS 6
#define PAGETREE_SLOTS (1u << PAGETREE_BITS)

struct pagetree {
    void *root;      /* height 0: page 0 itself */
    unsigned height; /* of nodes */
    uint64_t count;  /* pages present, borrowed ones too */
};

void *pagetree_slot_(const struct pagetree *t, uint64_t index);
static inline void *pagetree_slot(const struct pagetree *t, uint64_t index) /* what is in it */
{
    if (t->height == 0) {
        return index == 0 ? t->root : NULL;
    }
    return pagetree_slot_(t, index);
}
#define PAGETREE_BORROWED 1ul
static inline bool pagetree_is_borrowed(const void *slot)
{
    return ((uintptr_t)slot & PAGETREE_BORROWED) != 0;
}
/* The page, to be read. */
static inline const void *pagetree_find(const struct pagetree *t, uint64_t index)
{
    return (const void *)((uintptr_t)pagetree_slot(t, index) & ~PAGETREE_BORROWED);
}
/* index must be a hole: 0, or -ENOMEM with the tree as it was. */
int pagetree_insert(struct pagetree *t, uint64_t index, void *page);
int pagetree_borrow(struct pagetree *t, uint64_t index, const void *page);
/* Put a page of its own into the place of the one, borrowed, at index. */
void pagetree_replace(struct pagetree *t, uint64_t index, void *page);
/* Free the pages from first to last (inclusive), forget the borrowed, and free the nodes left empty: how
 * many pages were freed. */
uint64_t pagetree_free(struct pagetree *t, uint64_t first, uint64_t last);
/* The first index >= from that is present (or is a hole): false when there is none up to `last`. */
bool pagetree_next(const struct pagetree *t, uint64_t from, uint64_t last, bool present,
                   uint64_t *index);

#endif
