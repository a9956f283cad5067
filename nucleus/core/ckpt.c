/* Warm-restart states: per lineage two copies with checksums, charged to the nucleus.  See ckpt.h.
 *
 * A state is stale, and gone, four generations after the one that saved it.
 */
#include "ckpt.h"

#include "lineage.h"
#include "page.h"

#include <nx_base.h>
#include <nx_crc32.h>
#include <string.h>

#define STATES 16
#define CKPT_PAGES (CKPT_MAX / NX_PAGE_SIZE)
#define CKPT_STALE 4u

static struct state {
    char name[32], line[32]; /* of the cell: lineage.h */
    uint32_t generation;
    uint32_t len; /* 0: free */
    uint32_t crc[2];
    uint64_t page[2][CKPT_PAGES];
} states[STATES];

static void release(struct state *s)
{
    for (unsigned copy = 0; copy < 2; copy++) {
        for (unsigned i = 0; i < CKPT_PAGES; i++) {
            if (s->page[copy][i] != 0) {
                page_unref(s->page[copy][i]);
            }
        }
    }
    memset(s, 0, sizeof(*s));
}

static struct state *find(const struct cell *c)
{
    for (unsigned i = 0; i < STATES; i++) {
        if (states[i].len != 0 && lineage_same(states[i].name, states[i].line, c)) {
            if (c->generation - states[i].generation > CKPT_STALE) {
                release(&states[i]);
                return NULL;
            }
            return &states[i];
        }
    }
    return NULL;
}

void ckpt_drop(const struct cell *c)
{
    struct state *s = find(c);
    if (s != NULL) {
        release(s);
    }
}

static uint32_t checksum(const struct state *s, unsigned copy)
{
    uint32_t crc = 0;
    for (uint32_t off = 0; off < s->len; off += NX_PAGE_SIZE) {
        crc = nx_crc32(crc, arch_phys(s->page[copy][off / NX_PAGE_SIZE]),
                       NX_MIN(s->len - off, (uint32_t)NX_PAGE_SIZE));
    }
    return crc;
}

static int fill(struct state *s, unsigned copy, struct cell *c, uint64_t va)
{
    for (uint32_t off = 0; off < s->len; off += NX_PAGE_SIZE) {
        uint64_t pa = page_alloc_zero(nucleus_quota, 0);
        s->page[copy][off / NX_PAGE_SIZE] = pa;
        if (pa == 0) {
            return -NX_ENOMEM;
        }
        int e = space_copy_in(&c->window, arch_phys(pa), va + off,
                              NX_MIN(s->len - off, (uint32_t)NX_PAGE_SIZE));
        if (e != 0) {
            return e;
        }
    }
    s->crc[copy] = checksum(s, copy);
    return 0;
}

int ckpt_save(struct cell *c, uint64_t va, uint64_t len)
{
    if (len == 0 || len > CKPT_MAX) {
        return -NX_EINVAL;
    }
    struct state *s = find(c);
    for (unsigned i = 0; i < STATES && s == NULL; i++) {
        s = states[i].len == 0 ? &states[i] : NULL;
    }
    if (s == NULL) {
        return -NX_ENOMEM;
    }
    /* Made aside: what fails leaves the state there was. */
    struct state fresh = {.generation = c->generation, .len = (uint32_t)len};
    memcpy(fresh.name, c->name, sizeof(fresh.name));
    memcpy(fresh.line, c->line, sizeof(fresh.line));
    int e = fill(&fresh, 0, c, va);
    if (e == 0) {
        e = fill(&fresh, 1, c, va);
    }
    if (e != 0) {
        release(&fresh);
        return e;
    }
    release(s);
    *s = fresh;
    return 0;
}

long ckpt_load(struct cell *c, uint64_t va, uint64_t len)
{
    struct state *s = find(c);
    for (unsigned copy = 0; s != NULL && copy < 2; copy++) {
        if (checksum(s, copy) != s->crc[copy]) {
            continue;
        }
        uint32_t n = (uint32_t)NX_MIN(len, (uint64_t)s->len);
        for (uint32_t off = 0; off < n; off += NX_PAGE_SIZE) {
            int e =
                space_copy_out(&c->window, va + off, arch_phys(s->page[copy][off / NX_PAGE_SIZE]),
                               NX_MIN(n - off, (uint32_t)NX_PAGE_SIZE));
            if (e != 0) {
                return e;
            }
        }
        return n;
    }
    return -NX_ENOENT;
}
