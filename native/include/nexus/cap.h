/* Capabilities: places for them, and what this cell's manifest has put where.
 *
 * A capability is named by the slot it is in (0 to 63).  Those of the manifest have their numbers in <manifest/CELL.h>; what
 * the cell makes itself (nx_make_*, nx_spawn_cell) goes to slots it chooses, best with cap_take().  Rights, copies, revocation:
 * nx_grant(2), nx_mask(2), nx_revoke(2).  One fiber at a time.
 */
#ifndef NEXUS_CAP_H
#define NEXUS_CAP_H

#include <nx/manifest.h>

/* `count` slots in a row (a channel takes three) that are in no want of the manifest and were not taken before: the first one's
 * number, or -NX_ENOMEM. */
int cap_take(unsigned count);

/* Drop what is in one slot of cap_take(), and have it back. */
void cap_give(unsigned slot);

/* Bus look-up: the first slot of the manifest's want of this interface.  kind: NX_WANT_USE (the slots are: ring to the
 * server, ring from it, pool) or NX_WANT_SERVE (ring from the client, ring to it, pool; three for each client).
 * -NX_ENOENT: it has no such want.  Whether there is anybody at the other end, opening the channel tells: an
 * optional want that could not be had has empty slots, and gives -NX_EBADF. */
int bus_find(uint32_t kind, const char *interface);

#endif
