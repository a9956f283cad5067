/* Where a cell runs: what its manifest says, unless the boot arguments say otherwise.
 *
 *     nexus.place=CELL:PLACEMENT[,CELL:PLACEMENT ...]
 *
 * PLACEMENT is `isolated` or `fused`; the CELL `all` is every one.  The last that fits counts. */
#ifndef SUPERVISOR_PLACE_H
#define SUPERVISOR_PLACE_H

#include <nx/manifest.h>

enum nx_placement place_of(const char *bootargs, const struct nx_manifest *m);

#endif
