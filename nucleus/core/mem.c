/* mem objects: make, look up, end.  See mem.h. */
#include "mem.h"

#include "page.h"
#include "pool.h"
#include "watchdog.h"

#include <arch.h>
#include <nx_base.h>
#include <string.h>

static struct pool mems = POOL("mem", struct mem);
uint32_t mem_count;

static struct mem *mem_new(struct quota *q, uint32_t type, uint64_t pages)
{
    if (!quota_charge(q, sizeof(struct mem), 0)) {
        return NULL;
    }
    struct mem *m = pool_alloc(&mems);
    if (m == NULL) {
        quota_credit(q, sizeof(struct mem));
        return NULL;
    }
    m->obj = (struct object){.type = type, .refs = 1, .quota = q};
    m->pages = pages;
    mem_count++;
    return m;
}

static uint64_t *mem_list(const struct mem *m, uint64_t index)
{
    return (uint64_t *)arch_phys(m->lists[index / 512]) + index % 512;
}

struct mem *mem_make(struct quota *q, uint64_t pages, bool contig)
{
    if (pages == 0 || (!contig && pages > MEM_PAGES_MAX)) {
        return NULL;
    }
    struct mem *m = mem_new(q, NX_T_MEM, pages);
    if (m == NULL) {
        return NULL;
    }
    if (contig) {
        m->base = page_alloc_contig(q, pages);
        if (m->base == 0) {
            m->pages = 0;
            object_unref(&m->obj);
            return NULL;
        }
        return m;
    }
    for (uint64_t i = 0; i < pages; i++) {
        uint64_t pa = 0;
        if (i % 512 != 0 || (m->lists[i / 512] = page_alloc_zero(q, 0)) != 0) {
            pa = page_alloc_zero(q, 0);
        }
        if (pa == 0) {
            m->pages = i;
            object_unref(&m->obj);
            return NULL;
        }
        *mem_list(m, i) = pa;
    }
    return m;
}

struct mem *mem_make_fixed(struct quota *q, uint32_t type, uint64_t base, uint64_t pages)
{
    struct mem *m = mem_new(q, type, pages);
    if (m != NULL) {
        m->base = base;
    }
    return m;
}

static struct mem *parked;

void mem_release_parked(void)
{
    while (parked != NULL) {
        struct mem *m = parked;
        parked = m->parked;
        m->dma = false;
        object_unref(&m->obj);
    }
}

void mem_destroy(struct mem *m)
{
    if (m->dma && watchdog_restarting()) {
        m->obj.refs = 1;
        m->parked = parked;
        parked = m;
        return;
    }
    /* The pages of a device have no count, and may be many. */
    for (uint64_t i = 0; i < m->pages && m->obj.type != NX_T_DEVMEM; i++) {
        page_unref(mem_page(m, i));
    }
    for (unsigned i = 0; i < ARRAY_LEN(m->lists); i++) {
        if (m->lists[i] != 0) {
            page_unref(m->lists[i]);
        }
    }
    quota_credit(m->obj.quota, sizeof(struct mem));
    pool_free(&mems, m);
    mem_count--;
}

uint64_t mem_page(const struct mem *m, uint64_t index)
{
    return m->lists[0] == 0 ? m->base + index * NX_PAGE_SIZE : *mem_list(m, index);
}

bool mem_read(const struct mem *m, uint64_t off, void *dst, size_t n)
{
    if (!nx_in_bounds(off, n, m->pages * NX_PAGE_SIZE)) {
        return false;
    }
    char *out = dst;
    while (n > 0) {
        uint64_t in = off % NX_PAGE_SIZE;
        size_t part = NX_MIN(n, (size_t)(NX_PAGE_SIZE - in));
        memcpy(out, (char *)arch_phys(mem_page(m, off / NX_PAGE_SIZE)) + in, part);
        out += part;
        off += part;
        n -= part;
    }
    return true;
}
