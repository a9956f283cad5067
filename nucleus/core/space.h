/* space: address spaces.
 *
 * A cell's window is a space with one root.  A foreign space has two roots that share their
 * lower-half tables: the host root (program + the cell's window + nucleus) and the foreign root
 * (program + nucleus).  Of a fused cell the program cannot touch the window, which is not for user
 * mode, so its foreign spaces have the host root only.  What a fault makes of an absent page stands in the page table itself
 * (arch_pte.h: demand-zero, held); the nucleus keeps no list of regions.
 */
#ifndef SPACE_H
#define SPACE_H

#include "quota.h"

#include <arch.h>
#include <nx_list.h>

struct cell;

struct space {
    uint64_t root[2]; /* tables (physical): host, foreign */
    unsigned asid[2];
    unsigned roots;         /* 1: the first only, for a window and in a fused cell */
    bool fused;             /* the window of a fused cell: its pages are not for user mode */
    uint64_t root_value[2]; /* for arch_root_set; with one root both are the same */
    struct cell *cell;
    uint64_t handle;    /* 0 for a window */
    uint64_t resident;  /* pages */
    uint32_t bound;     /* fibers bound to it */
    uint64_t harts;     /* harts that may hold translations of it */
    uint64_t stale;     /* of those, the ones that must forget them before they run it again */
    uint64_t low, high; /* what map may touch */
    struct list link;   /* in the cell's spaces */
};

enum { ROOT_HOST, ROOT_FOREIGN };

/* The nucleus' own root: every root starts as a copy of its upper entries. */
extern uint64_t nucleus_root;
void space_init(uint64_t root_table);

/* The window of a new cell: its tables of the top levels are made now. */
int space_make_window(struct space *s, struct cell *c, unsigned gib);
void space_end_window(struct space *s);
struct space *space_make(struct cell *c); /* foreign; NULL: quota or memory */
void space_end(struct space *s);
struct space *space_get(struct cell *c, uint64_t handle);
extern uint32_t space_count;
extern uint64_t table_count;

/* Ranges are page aligned and inside [low, high): space_range_ok. */
bool space_range_ok(const struct space *s, uint64_t va, uint64_t len);
int space_anon(struct space *s, uint64_t va, uint64_t len, unsigned prot);
int space_unmap(struct space *s, uint64_t va, uint64_t len);
int space_protect(struct space *s, uint64_t va, uint64_t len, unsigned prot);
int space_clone(struct space *dst, struct space *src);
int space_move(struct space *s, uint64_t from, uint64_t len, uint64_t to);
/* Map one existing page (takes a reference); soft: PTE_SHARED, PTE_SEALED, PTE_COW or 0. */
int space_page(struct space *s, uint64_t va, uint64_t pa, unsigned prot, pte_t soft);
/* Resolve a fault: 0; -NX_ENOENT when it is none of the nucleus' business; -NX_ENOMEM. */
int space_fault(struct space *s, uint64_t va, unsigned access, uint64_t reserve);
/* Physical address of a present page that allows `access`, or 0. */
uint64_t space_translate(struct space *s, uint64_t va, unsigned access);
/* Is the page at va written in place, now or once its mapping is made writable? */
bool space_may_write(struct space *s, uint64_t va);
/* Copy between the nucleus and a cell's own memory; faults pages in; -NX_EFAULT. */
int space_copy_out(struct space *s, uint64_t va, const void *src, size_t n);
int space_copy_in(struct space *s, void *dst, uint64_t va, size_t n);
/* Make every hart forget [va, va + len): those that run it now at once, the others before they run it
 * again (space_enter, cell.h). */
void space_flush(struct space *s, uint64_t va, uint64_t len);
/* New code may have been written through another mapping: instruction fetch must see it. */
void space_fence_code(struct space *s);

/* The page table under them (table.c). */
pte_t *table_entry(struct space *s, uint64_t va, bool create); /* level 0; NULL: absent or memory */
/* A mark that reaches over va on both sides is made a table: 0 or -NX_ENOMEM. */
int table_split(struct space *s, uint64_t va);
/* Remove what is mapped; no mark may reach over an end of the range (table_split).  It takes no memory:
 * until the flush other harts may still write to the pages that are freed here. */
void table_clear(struct space *s, uint64_t va, uint64_t len, bool *flush);
void table_empty_lower(struct space *s, bool *flush); /* the whole lower half, tables and all */
void table_free_lower(struct space *s);               /* and the roots */
void table_free_window(struct space *s);              /* all of a window, and its root */
#define LEVEL_SHIFT(level) (NX_PAGE_SHIFT + ARCH_PT_BITS * (level))
#define LEVEL_SIZE(level) (1ul << LEVEL_SHIFT(level))
#define LEVEL_INDEX(va, level) ((va) >> LEVEL_SHIFT(level) & (ARCH_PT_ENTRIES - 1))
/* Entry i of the root changes: in both roots. */
void table_root_store(struct space *s, unsigned i, pte_t p);
pte_t *table_at(pte_t p);                       /* the table an entry points to */
uint64_t table_new(struct space *s, bool zero); /* 0: no memory */
int table_expand(struct space *s, pte_t *e, unsigned level, unsigned root_index);

#endif
