/* See pagetree.h.  The path from the root to a leaf fits into a small array: no recursion. */
#include "fs/pagetree.h"

#include <asm/errno.h>
#include <membrane.h>

#define MASK (PAGETREE_SLOTS - 1)
#define HEIGHT_MAX 11 /* 64-bit indices */

struct node {
    void *slot[PAGETREE_SLOTS]; /* nodes, or at the bottom pages */
    unsigned used;
};

/* Indices a tree of that height has room for, minus one. */
static uint64_t height_last(unsigned height)
{
    return height >= HEIGHT_MAX ? ~0ul : (1ul << (height * PAGETREE_BITS)) - 1;
}

void *pagetree_slot_(const struct pagetree *t, uint64_t index)
{
    if (index > height_last(t->height)) {
        return NULL;
    }
    unsigned shift = t->height * PAGETREE_BITS;
    const void *p = t->root;
    while (shift != 0 && p != NULL) {
        shift -= PAGETREE_BITS;
        p = ((const struct node *)p)->slot[index >> shift & MASK];
    }
    return (void *)p;
}

/* Make the tree high enough for index; what is there moves down the first slot. */
static int tree_raise(struct pagetree *t, uint64_t index)
{
    while (index > height_last(t->height)) {
        if (t->root != NULL) {
            struct node *n = mb_zalloc(sizeof(*n));
            if (n == NULL) {
                return -ENOMEM;
            }
            n->slot[0] = t->root;
            n->used = 1;
            t->root = n;
        }
        t->height++;
    }
    return 0;
}

/* Take off roots that only lead to their first slot, and empty ones. */
static void tree_lower(struct pagetree *t)
{
    while (t->height > 0) {
        struct node *n = t->root;
        if (n != NULL) {
            if (n->used > 1 || (n->used == 1 && n->slot[0] == NULL)) {
                return;
            }
            t->root = n->slot[0];
            mb_free(n);
        }
        t->height--;
        if (t->root == NULL) {
            t->height = 0;
        }
    }
}

/* Nodes from the root down to the one above index; at[i].  Stops where there is none: how many. */
static unsigned tree_walk(const struct pagetree *t, uint64_t index, struct node *at[HEIGHT_MAX])
{
    unsigned depth = 0, shift = t->height * PAGETREE_BITS;
    void *p = t->root;
    while (shift >= PAGETREE_BITS && p != NULL) {
        at[depth++] = p;
        shift -= PAGETREE_BITS;
        p = ((struct node *)p)->slot[index >> shift & MASK];
    }
    return depth;
}

static unsigned slot_at(const struct pagetree *t, uint64_t index, unsigned depth)
{
    unsigned shift = (t->height - 1 - depth) * PAGETREE_BITS;
    return shift < 64 ? index >> shift & MASK : 0; /* depth is below height: always the first */
}

/* Empty the slot of index in at[depth - 1], and free nodes that become empty by it. */
static void tree_prune(struct pagetree *t, uint64_t index, struct node *at[HEIGHT_MAX],
                       unsigned depth)
{
    while (depth-- > 0) {
        at[depth]->slot[slot_at(t, index, depth)] = NULL;
        if (--at[depth]->used > 0) {
            return;
        }
        mb_free(at[depth]);
    }
    t->root = NULL;
    t->height = 0;
}

int pagetree_insert(struct pagetree *t, uint64_t index, void *page)
{
    if (tree_raise(t, index) < 0) {
        tree_lower(t);
        return -ENOMEM;
    }
    if (t->height == 0) {
        t->root = page;
        t->count++;
        return 0;
    }
    struct node *at[HEIGHT_MAX];
    unsigned depth = tree_walk(t, index, at);
    while (depth < t->height) {
        struct node *n = mb_zalloc(sizeof(*n));
        if (n == NULL) {
            /* The last node made is empty: take back what was made for nothing. */
            if (depth > 0 && at[depth - 1]->used == 0) {
                mb_free(at[depth - 1]);
                tree_prune(t, index, at, depth - 1);
            }
            tree_lower(t);
            return -ENOMEM;
        }
        if (depth == 0) {
            t->root = n;
        } else {
            at[depth - 1]->slot[slot_at(t, index, depth - 1)] = n;
            at[depth - 1]->used++;
        }
        at[depth++] = n;
    }
    at[depth - 1]->slot[index & MASK] = page;
    at[depth - 1]->used++;
    t->count++;
    return 0;
}

int pagetree_borrow(struct pagetree *t, uint64_t index, const void *page)
{
    return pagetree_insert(t, index, (void *)((uintptr_t)page | PAGETREE_BORROWED));
}

void pagetree_replace(struct pagetree *t, uint64_t index, void *page)
{
    struct node *at[HEIGHT_MAX];
    unsigned depth = tree_walk(t, index, at);
    if (depth == 0) {
        t->root = page;
    } else {
        at[depth - 1]->slot[index & MASK] = page;
    }
}

/* How many: 1, or 0 when it was borrowed. */
static unsigned slot_free(void *slot)
{
    if (pagetree_is_borrowed(slot)) {
        return 0;
    }
    mb_page_free(slot);
    return 1;
}

uint64_t pagetree_free(struct pagetree *t, uint64_t first, uint64_t last)
{
    uint64_t freed = 0;
    uint64_t i = first;
    while (t->count > 0 && pagetree_next(t, i, last, true, &i)) {
        if (t->height == 0) {
            freed += slot_free(t->root);
            t->root = NULL;
        } else {
            struct node *at[HEIGHT_MAX];
            unsigned depth = tree_walk(t, i, at);
            if (depth == 0) {
                break; /* cannot be: it was just found */
            }
            freed += slot_free(at[depth - 1]->slot[i & MASK]);
            tree_prune(t, i, at, depth);
        }
        t->count--;
        if (i++ == last) {
            break;
        }
    }
    tree_lower(t);
    return freed;
}

bool pagetree_next(const struct pagetree *t, uint64_t from, uint64_t last, bool present,
                   uint64_t *index)
{
    while (from <= last) {
        uint64_t step = 1; /* indices that are as empty as this one */
        const void *p = t->root;
        if (from > height_last(t->height)) {
            if (!present) {
                *index = from;
            }
            return !present;
        }
        unsigned shift = t->height * PAGETREE_BITS;
        while (shift != 0 && p != NULL) {
            shift -= PAGETREE_BITS;
            p = ((const struct node *)p)->slot[from >> shift & MASK];
        }
        if ((p != NULL) == present) {
            *index = from;
            return true;
        }
        if (p == NULL && shift < 64) {
            step = (1ul << shift) - (from & ((1ul << shift) - 1));
        }
        if (from + step < from) {
            return false;
        }
        from += step;
    }
    return false;
}
