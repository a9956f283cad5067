/* Foreign address spaces, page by page, with the rules of nucleus/core/space.c; copies go the way a
 * program's accesses go. */
#include "machine.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mem/mm_int.h"

#define SPACES 64
#define BUCKETS 256

enum kind { ZERO, OWN, LENT }; /* LENT: the personality's page */

struct own {
    unsigned refs;
    uint8_t byte[MB_PAGE];
};
struct page {
    uint64_t va;
    uint8_t kind, prot;
    bool shared, cow;
    struct own *own;
    uint8_t *lent;
    struct page *next;
};
static struct space {
    bool used;
    unsigned bound;
    struct page *page[BUCKETS];
} spaces[SPACES];

static struct page **place(mb_space s, uint64_t va)
{
    struct page **at = &spaces[s - 1].page[va / MB_PAGE % BUCKETS];
    while (*at != NULL && (*at)->va != va) {
        at = &(*at)->next;
    }
    return at;
}

static void own_drop(struct own *o)
{
    if (o != NULL && --o->refs == 0) {
        counts.mapped--;
        free(o);
    }
}

static void page_drop(struct page **at)
{
    struct page *p = *at;
    if (p != NULL) {
        *at = p->next;
        own_drop(p->own);
        free(p);
    }
}

static struct page *page_make(mb_space s, uint64_t va)
{
    struct page **at = place(s, va);
    page_drop(at);
    struct page *p = calloc(1, sizeof(*p));
    p->va = va;
    p->next = *at;
    *at = p;
    return p;
}

/* ---- making and ending them ---- */

long mb_space_make(void)
{
    for (unsigned i = 0; i < SPACES && !fail_here(); i++) {
        if (!spaces[i].used) {
            spaces[i].used = true;
            counts.spaces++;
            return i + 1;
        }
    }
    return -ENOMEM;
}

void mb_space_destroy(mb_space s)
{
    struct space *space = &spaces[s - 1];
    if (!space->used || space->bound != 0) {
        abort(); /* a fiber is bound to it */
    }
    for (unsigned i = 0; i < BUCKETS; i++) {
        while (space->page[i] != NULL) {
            page_drop(&space->page[i]);
        }
    }
    space->used = false;
    counts.spaces--;
}

int mb_space_bind(mb_space s)
{
    struct mb_fiber *f = mb_self();
    if (f->space != 0) {
        spaces[f->space - 1].bound--;
    }
    f->space = s;
    if (s != 0) {
        spaces[s - 1].bound++;
    }
    return 0;
}

int mb_space_clone(mb_space dst, mb_space src)
{
    for (unsigned i = 0; i < BUCKETS; i++) {
        if (i % (BUCKETS / 2) == 0 && fail_here()) {
            return -ENOMEM;
        }
        for (struct page *p = spaces[src - 1].page[i]; p != NULL; p = p->next) {
            if (p->kind != ZERO && !p->shared && (p->prot & NX_PROT_W) != 0) {
                p->prot &= ~NX_PROT_W;
                p->cow = true;
            }
            struct page *to = page_make(dst, p->va), *next = to->next;
            *to = *p;
            to->next = next;
            if (p->own != NULL) {
                p->own->refs++;
            }
        }
    }
    return 0;
}

/* ---- mapping ---- */

static void check(uint64_t va, uint64_t len)
{
    if (va % MB_PAGE != 0 || len % MB_PAGE != 0 || len == 0 || va < MB_PAGE || va >= MM_TASK_END ||
        len > MM_TASK_END - va) {
        abort();
    }
}

static uint8_t prot_of(unsigned prot)
{
    return (uint8_t)((prot & NX_PROT_W) != 0 ? prot | NX_PROT_R : prot);
}

/* A call may fail at its beginning and in its middle. */
static bool fails_at(uint64_t i, uint64_t len)
{
    return (i == 0 || (len > MB_PAGE && i == len / MB_PAGE / 2 * MB_PAGE)) && fail_here();
}

int mb_unmap(mb_space s, uint64_t va, uint64_t len)
{
    check(va, len);
    if (len / MB_PAGE < 4096) {
        for (uint64_t i = 0; i < len; i += MB_PAGE) {
            page_drop(place(s, va + i));
        }
        return 0;
    }
    for (unsigned i = 0; i < BUCKETS; i++) {
        for (struct page **at = &spaces[s - 1].page[i]; *at != NULL;) {
            if ((*at)->va >= va && (*at)->va - va < len) {
                page_drop(at);
            } else {
                at = &(*at)->next;
            }
        }
    }
    return 0;
}

int mb_map_anon(mb_space s, uint64_t va, uint64_t len, unsigned prot)
{
    check(va, len);
    for (uint64_t i = 0; i < len; i += MB_PAGE) {
        if (fails_at(i, len)) {
            return -ENOMEM;
        }
        struct page *p = page_make(s, va + i);
        p->kind = ZERO;
        p->prot = prot_of(prot);
    }
    return 0;
}

int mb_map_share(mb_space s, uint64_t va, uint64_t len, unsigned prot, bool private_,
                 const void *src)
{
    check(va, len);
    for (uint64_t i = 0; i < len; i += MB_PAGE) {
        if (fails_at(i, len)) {
            return -ENOMEM;
        }
        struct page *p = page_make(s, va + i);
        p->kind = LENT;
        p->lent = (uint8_t *)(uintptr_t)src + i;
        p->shared = !private_;
        p->cow = private_ && (prot & NX_PROT_W) != 0;
        p->prot = prot_of(prot);
        if (p->cow) {
            p->prot &= ~NX_PROT_W;
        }
    }
    return 0;
}

int mb_protect(mb_space s, uint64_t va, uint64_t len, unsigned prot)
{
    check(va, len);
    for (uint64_t i = 0; i < len; i += MB_PAGE) {
        struct page *p = *place(s, va + i);
        if (fails_at(i, len)) {
            return -ENOMEM;
        }
        if (p == NULL) {
            continue;
        }
        p->prot = prot_of(prot);
        p->cow = !p->shared && (prot & NX_PROT_W) != 0 &&
                 (p->kind == LENT || (p->kind == OWN && p->own->refs > 1));
        if (p->cow) {
            p->prot &= ~NX_PROT_W;
        }
    }
    return 0;
}

int mb_move(mb_space s, uint64_t from, uint64_t len, uint64_t to)
{
    check(from, len);
    check(to, len);
    if (fail_here()) {
        return -ENOMEM;
    }
    mb_unmap(s, to, len);
    for (uint64_t i = 0; i < len; i += MB_PAGE) {
        struct page **at = place(s, from + i), *p = *at;
        if (p != NULL) {
            *at = p->next;
            p->va = to + i;
            p->next = NULL;
            *place(s, to + i) = p;
        }
    }
    return 0;
}

uint64_t mb_resident(mb_space s)
{
    uint64_t n = 0;
    for (unsigned i = 0; i < BUCKETS; i++) {
        for (struct page *p = spaces[s - 1].page[i]; p != NULL; p = p->next) {
            n += p->kind != ZERO;
        }
    }
    return n;
}

/* ---- access ---- */

static int touch(mb_space s, uint64_t va, unsigned access)
{
    struct page *p = *place(s, va);
    if (p == NULL || (p->kind == ZERO && (p->prot & access) == 0)) {
        return -ENOENT;
    }
    if (p->kind != ZERO && (p->prot & access) != 0) {
        return 0;
    }
    if (p->kind != ZERO && (access != NX_PROT_W || !p->cow)) {
        return -ENOENT;
    }
    if (fail_here()) {
        return -ENOMEM;
    }
    struct own *o = calloc(1, sizeof(*o));
    o->refs = 1;
    counts.mapped++;
    if (p->kind != ZERO) {
        memcpy(o->byte, p->kind == LENT ? p->lent : p->own->byte, MB_PAGE);
        p->prot |= NX_PROT_W | NX_PROT_R;
    }
    own_drop(p->own);
    p->own = o;
    p->kind = OWN;
    p->cow = false;
    return 0;
}

int mb_touch(mb_space s, uint64_t va, bool write)
{
    return touch(s, va, write ? NX_PROT_W : NX_PROT_R);
}

static uint8_t *bytes(mb_space s, uint64_t va)
{
    struct page *p = *place(s, page_down(va));
    if (p == NULL) {
        abort(); /* it was touched */
    }
    return (p->kind == LENT ? p->lent : p->own->byte) + va % MB_PAGE;
}

int space_access(uint64_t addr, void *buf, size_t n, bool write)
{
    mb_space s = mb_self()->space;
    for (size_t done = 0; done < n;) {
        uint64_t at = addr + done;
        size_t part = MB_PAGE - at % MB_PAGE < n - done ? MB_PAGE - at % MB_PAGE : n - done;
        int err = s == 0 || at >= MM_TASK_END ? -ENOENT : mb_touch(s, page_down(at), write);
        if (err != 0) {
            struct nx_state *state = mb_self()->state;
            state->addr = at;
            state->cause = write ? MM_CAUSE_STORE : MM_CAUSE_LOAD;
            return err == -ENOMEM ? NX_LEAVE_NOMEM : NX_LEAVE_FAULT;
        }
        if (write) {
            memcpy(bytes(s, at), (char *)buf + done, part);
        } else {
            memcpy((char *)buf + done, bytes(s, at), part);
        }
        done += part;
    }
    return 0;
}
