/* Test cell: what a cell costs that is made by a cell, in instructions of the machine (figure.h): from the call
 * that makes it, from an image that is loaded, to its first message in its maker's hands.  In between are its address space, its
 * channel, its start code, and its own view of the rings. */
#include "../figure.h"

#include <manifest/spawner.h>
#include <nexus/bundle.h>
#include <nexus/cell.h>
#include <nexus/channel.h>
#include <nexus/child.h>

#define ROUNDS 16u
#define SLOT_SPAWNER 0u /* of the child: its one want's */

static uint64_t spawn(unsigned image, size_t size, uint64_t arg)
{
    struct child child;
    struct channel ch;
    struct nx_slot hello;
    const uint64_t start = instructions();
    int e = child_make_from(&child, image, 0, size);
    if (e != 0) {
        cell_panic("no cell: error %d", -e);
    }
    e = child_channel(&child, SLOT_SPAWNER, 8, 0);
    e = e == 0 ? channel_open(&ch, child.channel, child.channel + 1u) : e;
    e = e == 0 ? child_start(&child, arg) : e;
    e = e == 0 ? channel_receive(&ch, &hello, NX_NEVER) : e;
    const uint64_t total = instructions() - start;
    if (e != 0 || hello.word[0] != arg) {
        cell_panic("it does not speak: error %d", -e);
    }
    child_free(&child);
    return total;
}

int cell_main(const struct nx_cellinfo *info)
{
    struct bundle b;
    struct bundle_part part;
    size_t size;
    uint64_t total = 0;
    const uint8_t *bytes = cell_map(SLOT_ARCHIVE, NX_PROT_R, &size, NULL);
    if (bytes == NULL || !bundle_open(&b, bytes, size) ||
        !bundle_find(&b, "spawned", NX_BUNDLE_CELL, &part)) {
        cell_panic("the boot bundle has no image");
    }
    const int image = child_load(bytes + part.offset, part.size);
    if (image < 0) {
        cell_panic("no memory for the image: error %d", -image);
    }
    (void)spawn((unsigned)image, part.size, 0); /* the nucleus' pools grow */
    for (uint32_t i = 1; i <= ROUNDS; i++) {
        cell_sleep_ms(5); /* what was said of the last one's end is written down */
        total += spawn((unsigned)image, part.size, i);
    }
    figure("spawn", total, ROUNDS);
    return 0;
}
