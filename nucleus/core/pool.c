/* Pools and handle tables.  See pool.h. */
#include "pool.h"

#include "cell.h"
#include "page.h"

#include <arch.h>
#include <string.h>

static void pool_grow(struct pool *p)
{
    uint64_t pa = page_alloc(nucleus_quota, 0);
    if (pa == 0) {
        return;
    }
    char *page = arch_phys(pa);
    for (size_t off = 0; off + p->size <= NX_PAGE_SIZE; off += p->size) {
        *(void **)(page + off) = p->free;
        p->free = page + off;
    }
}

void *pool_alloc(struct pool *p)
{
    if (p->free == NULL) {
        pool_grow(p);
    }
    void *obj = p->free;
    if (obj == NULL) {
        return NULL;
    }
    p->free = *(void **)obj;
    memset(obj, 0, p->size);
    p->live++;
    return obj;
}

void pool_free(struct pool *p, void *obj)
{
    *(void **)obj = p->free;
    p->free = obj;
    p->live--;
}

static struct handle_entry *entry(const struct handles *t, uint32_t i)
{
    return &t->chunk[i / 256][i % 256];
}

uint64_t handle_make(struct handles *t, void *obj)
{
    uint32_t i = t->free;
    if (i != 0) {
        t->free = entry(t, i)->next_free;
    } else {
        i = t->used == 0 ? 1 : t->used;
        if (i >= HANDLES_MAX) {
            return 0;
        }
        if (t->chunk[i / 256] == NULL) {
            uint64_t pa = page_alloc_zero(nucleus_quota, 0);
            if (pa == 0) {
                return 0;
            }
            t->chunk[i / 256] = arch_phys(pa);
        }
        t->used = i + 1;
    }
    struct handle_entry *e = entry(t, i);
    e->obj = obj;
    return i | (uint64_t)e->generation << 16;
}

void *handle_get(const struct handles *t, uint64_t handle)
{
    uint32_t i = handle & 0xffff;
    if (i == 0 || i >= t->used) {
        return NULL;
    }
    struct handle_entry *e = entry(t, i);
    return handle >> 16 == e->generation ? e->obj : NULL;
}

void handle_drop(struct handles *t, uint64_t handle)
{
    uint32_t i = handle & 0xffff;
    struct handle_entry *e = entry(t, i);
    e->obj = NULL;
    e->generation++;
    e->next_free = t->free;
    t->free = i;
}
