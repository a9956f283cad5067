/* Where things are in the nucleus' structures, for tests/faults/guest.py, which looks at a running
 * machine from outside. Compiled for the target, never linked: guest.py reads the table out of the
 * object file. Order: guest.py's FIELDS. */
#include "cell.h"

#include <stddef.h>

const uint64_t nx_offsets[] = {
    offsetof(struct cell, link),
    offsetof(struct cell, name),
    offsetof(struct cell, generation),
    offsetof(struct cell, state),
    offsetof(struct cell, window) + offsetof(struct space, root),
    NX_CS_RUNNING,
};
