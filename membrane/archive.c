/* The root archives of the boot bundle (nx/bundle.h), mapped read-only into the window.
 *
 * The nucleus has checked the bundle's checksum at boot; here every offset is checked again before it is
 * followed, since a pointer outside the mapping would end the cell.
 */
#include "mb_int.h"

#include <nx/bundle.h>

static const struct nx_bundle_head *head;
static uint64_t bundle_size;

void mb_archive_init(void)
{
    size_t size = 0;
    int e;
    const struct nx_bundle_head *h = cell_map(MB_SLOT_BUNDLE, NX_PROT_R, &size, &e);
    if (!h) {
        mb_log("no boot bundle: %d", e);
        return;
    }
    uint64_t room = (size - sizeof(*h)) / sizeof(struct nx_bundle_entry);
    if (h->magic != NX_BUNDLE_MAGIC || h->version != 1 || h->count > room || h->size > size) {
        mb_log("the boot bundle is damaged");
        return;
    }
    head = h;
    bundle_size = size;
}

const void *mb_archive(unsigned index, size_t *size)
{
    if (!head) {
        return NULL;
    }
    const struct nx_bundle_entry *e = (const void *)(head + 1);
    for (uint32_t i = 0; i < head->count; i++) {
        if (e[i].kind != NX_BUNDLE_ARCHIVE || index-- != 0) {
            continue;
        }
        if (e[i].size > bundle_size || e[i].offset > bundle_size - e[i].size) {
            mb_log("archive %.40s lies outside the boot bundle", e[i].name);
            return NULL;
        }
        *size = e[i].size;
        return (const char *)head + e[i].offset;
    }
    return NULL;
}
