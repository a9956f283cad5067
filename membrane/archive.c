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
    long size = nx_meta_size(MB_SLOT_BUNDLE);
    if (size < (long)sizeof(*head)) {
        mb_log("no boot bundle: %ld", size);
        return;
    }
    uint64_t len = ((uint64_t)size + MB_PAGE - 1) & ~(MB_PAGE - 1);
    if (len > MB_BUNDLE_END - MB_BUNDLE) {
        mb_log("boot bundle of %lu bytes is too large", (unsigned long)size);
        return;
    }
    long e = nx_map_mem(0, MB_BUNDLE, len, MB_SLOT_BUNDLE | NX_PROT_R << 8, 0);
    if (e < 0) {
        mb_log("boot bundle cannot be mapped: %ld", e);
        return;
    }
    const struct nx_bundle_head *h = (const void *)MB_BUNDLE;
    uint64_t room = ((uint64_t)size - sizeof(*h)) / sizeof(struct nx_bundle_entry);
    if (h->magic != NX_BUNDLE_MAGIC || h->version != 1 || h->count > room ||
        h->size > (uint64_t)size) {
        mb_log("boot bundle is damaged");
        return;
    }
    head = h;
    bundle_size = (uint64_t)size;
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
