/* See store.h. */
#include "store.h"

#include <nexus/cell.h>
#include <nx/sys.h>
#include <nx_base.h>

#define SHELVES_MAX 4u
#define RING_BUFFER 1u /* pages of bulk data in each ring; channels that need more have a pool */

static unsigned next_slot = SLOT_FIRST;
static unsigned shelf_slot[SHELVES_MAX], shelf_count;
static uint64_t taken[SHELVES_MAX][NX_SHELF_PLACES / 64];

int store_slot(void)
{
    return next_slot < NX_SLOTS ? (int)next_slot++ : -NX_EFULL;
}

static bool is_taken(unsigned place)
{
    return taken[place / NX_SHELF_PLACES][place % NX_SHELF_PLACES / 64] >> place % 64 & 1;
}

static void set_taken(unsigned place, bool yes)
{
    uint64_t *word = &taken[place / NX_SHELF_PLACES][place % NX_SHELF_PLACES / 64];
    *word = (*word & ~(1ul << place % 64)) | (uint64_t)yes << place % 64;
}

static int add_shelf(void)
{
    int slot = shelf_count < SHELVES_MAX ? store_slot() : -NX_EFULL;
    long e = slot < 0 ? slot : nx_make_shelf((uint64_t)slot);
    if (e == 0) {
        shelf_slot[shelf_count++] = (unsigned)slot;
    }
    return (int)e;
}

static int free_place(void)
{
    unsigned n = shelf_count * NX_SHELF_PLACES;
    for (unsigned p = 0; p < n; p++) {
        if (!is_taken(p)) {
            return (int)p;
        }
    }
    int e = add_shelf();
    return e < 0 ? e : (int)n;
}

static uint64_t shelf_of(int place)
{
    return shelf_slot[(unsigned)place / NX_SHELF_PLACES];
}

static long shelve(int place)
{
    long e = nx_grant_shelve(shelf_of(place), (unsigned)place % NX_SHELF_PLACES, SLOT_SCRATCH);
    nx_grant_drop(SLOT_SCRATCH);
    set_taken((unsigned)place, e == 0);
    return e;
}

int store_scratch(void)
{
    int place = free_place();
    if (place < 0) {
        nx_grant_drop(SLOT_SCRATCH);
        return place;
    }
    long e = shelve(place);
    return e < 0 ? (int)e : place;
}

int store_ring(uint32_t slots)
{
    long e = nx_make_ring(SLOT_SCRATCH, slots, RING_BUFFER);
    return e < 0 ? (int)e : store_scratch();
}

int store_mem(uint64_t pages)
{
    long e = nx_make_mem(SLOT_SCRATCH, pages, NX_MEM_CONTIG);
    return e < 0 ? (int)e : store_scratch();
}

int store_image(uint64_t pages, void **at)
{
    long e = nx_make_mem(SLOT_SCRATCH, pages, 0);
    if (e != 0) {
        return (int)e;
    }
    int err = 0;
    *at = cell_map(SLOT_SCRATCH, NX_PROT_R | NX_PROT_W, NULL, &err);
    if (*at == NULL) {
        nx_grant_drop(SLOT_SCRATCH);
        return err;
    }
    return store_scratch();
}

void store_drop(int place)
{
    if (place >= 0 && is_taken((unsigned)place)) {
        nx_grant_clear(shelf_of(place), (unsigned)place % NX_SHELF_PLACES);
        set_taken((unsigned)place, false);
    }
}

long store_ring_anew(int place, uint32_t slots)
{
    store_drop(place);
    long e = nx_make_ring(SLOT_SCRATCH, slots, RING_BUFFER);
    return e < 0 ? e : shelve(place);
}

long store_give(unsigned cell, int place, uint64_t dst, uint32_t rights)
{
    return place < 0 ? -NX_ENOENT
                     : nx_grant_fetch(cell, shelf_of(place), (unsigned)place % NX_SHELF_PLACES, dst,
                                      rights);
}

void *store_map(int place, unsigned prot, size_t *size)
{
    if (store_give(NX_SELF, place, SLOT_SCRATCH, NX_R_READ | NX_R_WRITE) != 0) {
        return NULL;
    }
    void *at = cell_map(SLOT_SCRATCH, prot, size, NULL);
    nx_grant_drop(SLOT_SCRATCH);
    return at;
}
