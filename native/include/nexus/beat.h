/* The page in which a cell shows that it goes on, shared with the supervisor; part of nexus/cell.h, which
 * has cell_beat() for the cells.
 *
 * A cell whose manifest has heartbeat_ms gets it, writable, in slot NEXUS_BEAT_SLOT, which no want of
 * such a manifest may use.  The supervisor only reads, and only whether `beats` is another number than
 * the last time. */
#ifndef NEXUS_BEAT_H
#define NEXUS_BEAT_H

#include <stdint.h>

#define NEXUS_BEAT_SLOT 63u

struct nexus_beat {
    uint64_t beats;
};

#endif
