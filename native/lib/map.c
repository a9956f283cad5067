/* Mapping into the window: a bump allocator of addresses from NX_FREE on, with an unmapped page between
 * neighbours.  Addresses are not used again: a cell maps at start and then keeps. */
#include <nexus/cell.h>
#include <nx/sys.h>
#include <nx_base.h>

#ifdef NX_HOST
extern uintptr_t cell_host_window; /* tests say where */
#define FIRST cell_host_window
#else
#define FIRST NX_FREE
#endif

static uintptr_t next;

/* What was mapped at `next`, or went wrong: its address, and the next one. */
static void *done(uintptr_t at, size_t bytes, long e, int *err)
{
    if (err != NULL) {
        *err = e < 0 ? (int)e : 0;
    }
    if (e < 0) {
        return NULL;
    }
    next = at + bytes + NX_PAGE_SIZE;
    return (void *)at;
}

static uintptr_t place(void)
{
    if (next == 0) {
        next = FIRST;
    }
    return next;
}

void *cell_map(unsigned slot, unsigned prot, size_t *size, int *err)
{
    long bytes = nx_meta_size(slot);
    long e = bytes;
    const uintptr_t at = place();
    if (bytes > 0) {
        bytes = ALIGN_UP(bytes, NX_PAGE_SIZE);
        e = nx_map_mem(0, at, (uint64_t)bytes, slot | prot << 8, 0);
    } else if (bytes == 0) {
        e = -NX_EINVAL;
    }
    if (e >= 0 && size != NULL) {
        *size = (size_t)bytes;
    }
    return done(at, (size_t)bytes, e, err);
}

void *cell_anon(size_t bytes, int *err)
{
    const uintptr_t at = place();
    const size_t whole = ALIGN_UP(bytes, NX_PAGE_SIZE);
    long e = -NX_EINVAL;
    if (bytes > 0 && whole >= bytes) {
        e = nx_map_anon(0, at, whole, NX_PROT_R | NX_PROT_W);
    }
    return done(at, whole, e, err);
}

int cell_unmap(void *at, size_t bytes)
{
    return (int)nx_map_unmap(0, (uintptr_t)at, ALIGN_UP(bytes, NX_PAGE_SIZE));
}
