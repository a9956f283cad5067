/* A cell makes another, of an image in the boot bundle, and hears of its end. The manifest: archive slot=archive */
#include <nexus/bundle.h>
#include <nexus/cell.h>
#include <nexus/child.h>
#include <nx/sys.h>

#define SLOT_ARCHIVE 0 /* the first want's */

static void once(struct child *child)
{
    struct child_end end;
    /* Were the image's manifest to say `use parent slot=parent at=8`, this would be that channel. */
    int e = child_channel(child, 8, 8, 1);
    e = e == 0 ? child_start(child, 0) : e;
    if (e != 0) {
        cell_panic("the child does not start: error %d", -e);
    }
    while (!child_ended(child, &end)) {
        nx_recv_wait(1ul << child->slot, NX_NEVER);
    }
    child_free(child);
    if (end.why != NX_WHY_EXIT || end.code != 0) {
        cell_panic("the child ended: %u, %lu", end.why, (unsigned long)end.code);
    }
}

int cell_main(const struct nx_cellinfo *info)
{
    struct bundle b;
    struct bundle_part part;
    struct child child;
    size_t size;
    const uint8_t *bytes = cell_map(SLOT_ARCHIVE, NX_PROT_R, &size, NULL);
    if (bytes == NULL || !bundle_open(&b, bytes, size) ||
        !bundle_find(&b, "man_cell", NX_BUNDLE_CELL, &part)) {
        cell_panic("no image");
    }
    int e = child_make(&child, bytes + part.offset, part.size);
    if (e == 0) {
        once(&child);
        const int loaded = child_load(bytes + part.offset, part.size);
        for (int i = 0; e == 0 && i < 3; i++) {
            e = loaded < 0 ? loaded : child_make_from(&child, (unsigned)loaded, 0, part.size);
            if (e == 0) {
                once(&child);
            }
        }
    }
    if (e != 0) {
        cell_panic("no child: error %d", -e);
    }
    cell_log("ok");
    return 0;
}
