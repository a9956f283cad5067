/* What the vDSO reads, a page of its own before its code in every program; the personality writes it.
 *
 * One word says all that can change, so that a program that looks at any moment sees one clock or the other.
 */
#ifndef POSIX_VVAR_H
#define POSIX_VVAR_H

#include <stdint.h>

struct vvar {
    uint64_t ns_per_tick;    /* of the time register; 0: no whole number, ask the system */
    int64_t realtime_offset; /* ns: realtime - monotonic */
};

#endif
