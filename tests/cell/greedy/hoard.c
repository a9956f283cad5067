/* All of the quota, held for ever.  See greedy.h. */
#include "greedy.h"

void hoard_pages(void)
{
    unsigned long n = 0;
    long e = nx_map_anon(0, ROOM, MANIFEST_QUOTA_PAGES * NX_PAGE_SIZE, NX_PROT_R | NX_PROT_W);
    while (e == 0) {
        e = nx_map_fault(0, ROOM + n * NX_PAGE_SIZE, NX_PROT_W);
        n += e == 0;
    }
    refused("a page", n, e);
    refused("memory", 0, nx_make_mem(SLOT_FREE, 1, 0));
    refused("contiguous memory", 0, nx_make_mem(SLOT_FREE, 64, NX_MEM_CONTIG));
    /* Its own stack and data are of the same quota: a little for those. */
    n -= 8;
    (void)nx_map_unmap(0, ROOM + n * NX_PAGE_SIZE, 8 * NX_PAGE_SIZE);
    for (;;) {
        (void)nx_make_mem(SLOT_FREE, MANIFEST_QUOTA_PAGES, 0);
        (void)nx_make_mem(SLOT_FREE, MANIFEST_QUOTA_PAGES, NX_MEM_CONTIG);
        nap();
    }
}

/* On shelves, too: there they need no slot. */
void hoard_objects(void)
{
    const unsigned shelf = SLOT_FREE, last = SLOT_FREE + 1;
    unsigned long n = 0;
    long e = nx_make_shelf(shelf);
    while (e == 0) {
        e = nx_make_mem(last, 1, 0);
        if (e == 0) {
            e = nx_grant_shelve(shelf, n, last);
            (void)nx_grant_drop(last);
            n += e == 0;
        }
    }
    refused("an object", n, e);
    for (;;) {
        (void)nx_make_mem(last, 1, 0);
        (void)nx_make_event(last);
        (void)nx_make_ring(last, 4, 0);
        nap();
    }
}

static void loop(uint64_t arg)
{
    for (;;) {
        __asm__ volatile("");
    }
}

void hoard_fibers(void)
{
    unsigned long n = 0;
    long e;
    while ((e = start_fiber((unsigned)n, loop, 0)) > 0) {
        n++;
    }
    refused("a fiber", n, e);
    for (;;) {
        (void)start_fiber(0, loop, 0);
    }
}
