/* The pages of a file: a radix tree from page number to page, 64 slots a node, as high as needed.
 *
 * A file of one page has no node at all.  Pages come from mb_page and belong to the tree; holes are
 * NULL.  Heights stay below ten, walks are loops.  Not thread safe: the personality lock.
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
    uint64_t count;  /* pages present */
};

void *pagetree_find_(const struct pagetree *t, uint64_t index);
static inline void *pagetree_find(const struct pagetree *t, uint64_t index)
{
    if (t->height == 0) {
        return index == 0 ? t->root : NULL;
    }
    return pagetree_find_(t, index);
}
/* index must be a hole: 0, or -ENOMEM with the tree as it was. */
int pagetree_insert(struct pagetree *t, uint64_t index, void *page);
/* Free the pages from first to last (inclusive) and the nodes left empty: how many pages. */
uint64_t pagetree_free(struct pagetree *t, uint64_t first, uint64_t last);
/* The first index >= from that is present (or is a hole): false when there is none up to `last`. */
bool pagetree_next(const struct pagetree *t, uint64_t from, uint64_t last, bool present,
                   uint64_t *index);

#endif
