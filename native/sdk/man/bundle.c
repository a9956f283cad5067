/* The boot bundle: what is in it, and a file of the root. The manifest: archive slot=archive */
#include <nexus/bundle.h>
#include <nexus/cell.h>

#ifndef SLOT_ARCHIVE
#define SLOT_ARCHIVE 0 /* the first want's */
#endif

int cell_main(const struct nx_cellinfo *info)
{
    struct bundle b;
    struct bundle_part part;
    size_t size;
    const void *bytes = cell_map(SLOT_ARCHIVE, NX_PROT_R, &size, NULL);
    if (bytes == NULL || !bundle_open(&b, bytes, size)) {
        cell_panic("no bundle");
    }
    for (uint32_t i = 0; bundle_part(&b, i, &part); i++) {
        cell_log("%s: %lu bytes", part.name, (unsigned long)part.size);
    }
    const uint8_t *text = NULL;
    if (bundle_find(&b, "rootfs", NX_BUNDLE_ARCHIVE, &part)) {
        text = bundle_file(&b, &part, "etc/passwd", &size);
    }
    if (text == NULL || size < 5) {
        cell_panic("no etc/passwd");
    }
    cell_log("ok");
    return 0;
}
