/* The manifest of a cell image, and the size of what is only read of it, from the image's bytes.
 *
 * The nucleus reads it once more, for itself, when it makes the cell.  Both check all of the manifest, with
 * lib/manifest.c. */
#ifndef SUPERVISOR_IMAGE_H
#define SUPERVISOR_IMAGE_H

#include <nx/manifest.h>
#include <stddef.h>

/* Pages of its segments without write, which the supervisor keeps from life to life (service.c); 0 also
 * when it makes no sense. */
uint64_t image_fixed_pages(const void *image, size_t size);

/* 0, or -NX_EIMAGE when these bytes are no ELF64 with one well-formed .nexus.manifest. */
int image_manifest(const void *image, size_t size, struct nx_manifest *out);

#endif
