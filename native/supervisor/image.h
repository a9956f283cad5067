/* The manifest of a cell image, read from the image's bytes.
 *
 * The nucleus reads it once more, for itself, when it makes the cell.  Both check all of it, with
 * lib/manifest.c. */
#ifndef SUPERVISOR_IMAGE_H
#define SUPERVISOR_IMAGE_H

#include <nx/manifest.h>
#include <stddef.h>

/* 0, or -NX_EIMAGE when these bytes are no ELF64 with one well-formed .nexus.manifest. */
int image_manifest(const void *image, size_t size, struct nx_manifest *out);

#endif
