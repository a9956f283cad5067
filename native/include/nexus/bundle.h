/* Reading the boot bundle (nx/bundle.h) in place.  Nothing in it is believed: every offset is checked
 * against the size of the mapping before it is used. */
#ifndef NEXUS_BUNDLE_H
#define NEXUS_BUNDLE_H

#include <nx/bundle.h>
#include <stdbool.h>
#include <stddef.h>

struct bundle {
    const uint8_t *base;
    uint64_t size;
    uint32_t count;
};

struct bundle_part {
    char name[40];
    uint32_t kind;
    uint64_t offset, size; /* inside the bundle */
};

/* False when these bytes are no bundle. */
bool bundle_open(struct bundle *b, const void *bytes, size_t size);

/* The i-th entry; false when it is malformed or lies outside. */
bool bundle_part(const struct bundle *b, uint32_t i, struct bundle_part *out);

/* The entry of this name and kind (NX_BUNDLE_*); false when there is none. */
bool bundle_find(const struct bundle *b, const char *name, uint32_t kind, struct bundle_part *out);

/* The file at `path` (without a slash in front) in the root archive of an entry: where its bytes are, and their
 * number in *size.  NULL: no such file, or the archive is compressed or malformed. */
const uint8_t *bundle_file(const struct bundle *b, const struct bundle_part *archive,
                           const char *path, size_t *size);

#endif
