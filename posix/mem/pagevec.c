/* Shared anonymous memory: pages of the personality that every program mapping the object sees.
 *
 * Pages appear when they are first touched.  Two levels, so that a large object that is hardly used
 * costs hardly anything.
 */
#include "mem/mm_int.h"

#include <asm/errno.h>

#define LEAF 512u

struct pagevec {
    unsigned refs;
    uint64_t pages;
    void **leaf[];
};

struct pagevec *pagevec_make(uint64_t pages)
{
    uint64_t leaves = (pages + LEAF - 1) / LEAF;
    struct pagevec *v = mb_zalloc(sizeof(*v) + leaves * sizeof(v->leaf[0]));
    if (v) {
        v->refs = 1;
        v->pages = pages;
    }
    return v;
}

struct pagevec *pagevec_ref(struct pagevec *v)
{
    v->refs++;
    return v;
}

void pagevec_unref(struct pagevec *v)
{
    if (--v->refs > 0) {
        return;
    }
    for (uint64_t i = 0; i * LEAF < v->pages; i++) {
        for (unsigned k = 0; v->leaf[i] && k < LEAF; k++) {
            mb_page_free(v->leaf[i][k]);
        }
        mb_free(v->leaf[i]);
    }
    mb_free(v);
}

bool pagevec_has(const struct pagevec *v, uint64_t index)
{
    return index < v->pages && v->leaf[index / LEAF] && v->leaf[index / LEAF][index % LEAF];
}

void *pagevec_page(struct pagevec *v, uint64_t index, int *err)
{
    if (index >= v->pages) {
        *err = -EFAULT;
        return NULL;
    }
    *err = -ENOMEM;
    void ***leaf = &v->leaf[index / LEAF];
    if (!*leaf) {
        *leaf = mb_zalloc(LEAF * sizeof(void *));
        if (!*leaf) {
            return NULL;
        }
    }
    void **page = &(*leaf)[index % LEAF];
    if (!*page) {
        *page = mb_page();
    }
    return *page;
}
