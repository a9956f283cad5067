/* Pairing heap of sleeping fibers.  See timeq.h.
 *
 * heap_child: first child; heap_next: next sibling; heap_prev: previous sibling, or the parent for a
 * first child, or NULL for the root.
 */
#include "timeq.h"

#include "hart.h"

static struct fiber *meld(struct fiber *a, struct fiber *b)
{
    if (a == NULL || b == NULL) {
        return a != NULL ? a : b;
    }
    if (b->deadline < a->deadline) {
        struct fiber *t = a;
        a = b;
        b = t;
    }
    b->heap_prev = a;
    b->heap_next = a->heap_child;
    if (b->heap_next != NULL) {
        b->heap_next->heap_prev = b;
    }
    a->heap_child = b;
    return a;
}

/* Meld a list of siblings: pairs from the left, then the pairs from the right. */
static struct fiber *meld_siblings(struct fiber *first)
{
    struct fiber *pairs = NULL;
    while (first != NULL) {
        struct fiber *a = first;
        struct fiber *b = a->heap_next;
        first = b != NULL ? b->heap_next : NULL;
        a->heap_next = a->heap_prev = NULL;
        if (b != NULL) {
            b->heap_next = b->heap_prev = NULL;
        }
        a = meld(a, b);
        a->heap_next = pairs;
        pairs = a;
    }
    struct fiber *root = NULL;
    while (pairs != NULL) {
        struct fiber *next = pairs->heap_next;
        pairs->heap_next = pairs->heap_prev = NULL;
        root = meld(root, pairs);
        pairs = next;
    }
    return root;
}

void timeq_add(struct hart *h, struct fiber *f)
{
    f->heap_child = f->heap_next = f->heap_prev = NULL;
    f->heap_hart = h;
    f->odd_to_wake |= ODD_TIMED;
    h->sleepers = meld(h->sleepers, f);
}

void timeq_remove(struct fiber *f)
{
    struct hart *h = f->heap_hart;
    if (h == NULL) {
        return;
    }
    struct fiber *below = meld_siblings(f->heap_child);
    if (h->sleepers == f) {
        h->sleepers = below;
    } else {
        if (f->heap_prev->heap_child == f) {
            f->heap_prev->heap_child = f->heap_next;
        } else {
            f->heap_prev->heap_next = f->heap_next;
        }
        if (f->heap_next != NULL) {
            f->heap_next->heap_prev = f->heap_prev;
        }
        h->sleepers = meld(h->sleepers, below);
    }
    f->heap_child = f->heap_next = f->heap_prev = NULL;
    f->heap_hart = NULL;
    f->odd_to_wake &= ~ODD_TIMED;
}

struct fiber *timeq_first(const struct hart *h)
{
    return h->sleepers;
}
