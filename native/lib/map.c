/* Mapping capabilities into the window: a bump allocator of addresses from NX_FREE on, with an unmapped
 * page between neighbours.  Nothing is ever unmapped: a cell maps at start and then keeps. */
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

void *cell_map(unsigned slot, unsigned prot, size_t *size, int *err)
{
    long bytes = nx_meta_size(slot);
    long e = bytes;
    if (next == 0) {
        next = FIRST;
    }
    uintptr_t at = next;
    if (bytes > 0) {
        bytes = ALIGN_UP(bytes, NX_PAGE_SIZE);
        e = nx_map_mem(0, at, (uint64_t)bytes, slot | prot << 8, 0);
    } else if (bytes == 0) {
        e = -NX_EINVAL;
    }
    if (err != NULL) {
        *err = e < 0 ? (int)e : 0;
    }
    if (e < 0) {
        return NULL;
    }
    next = at + (uintptr_t)bytes + NX_PAGE_SIZE;
    if (size != NULL) {
        *size = (size_t)bytes;
    }
    return (void *)at;
}
