/* The binary form of manifests, checked: nucleus and supervisor use the same one.
 *
 * What is checked is what stands in the bytes and what follows from them alone; whether a device is
 * there, somebody serves an interface, or a placement is to be had, is for others.  docs/manifest.md
 * has every rule.
 */
#ifndef NX_MANIFEST_CHECK_H
#define NX_MANIFEST_CHECK_H

#include <nx/manifest.h>

#define NX_MANIFEST_QUOTA_PAGES_MAX (1ul << 36)
#define NX_MANIFEST_FIBERS_MAX 65535u
#define NX_MANIFEST_SPACES_MAX 65535u
#define NX_MANIFEST_OBJECTS_MAX 1048576u
#define NX_MANIFEST_BACKOFF_MS_MAX 60000u
#define NX_MANIFEST_HEARTBEAT_MS_MAX 3600000u
#define NX_MANIFEST_POOL_PAGES_MAX 65536u
#define NX_MANIFEST_RING_SLOTS_MIN 2u
#define NX_MANIFEST_RING_SLOTS_MAX 256u
#define NX_MANIFEST_DEVICE_ID_MAX 255u
/* The longest name and interface of a cell that is one of several: a number is put behind them. */
#define NX_MANIFEST_PER_DEVICE_TEXT_MAX 27u

/* NULL when all of it is right, else why it is not, as a static text. */
const char *nx_manifest_check(const struct nx_manifest *m);

/* Slots a want takes, from its first one on: 1, 3, or 3 for each client.  The want has been checked, or
 * its clients are at most NX_SERVE_CLIENTS_MAX. */
unsigned nx_want_slots(const struct nx_want *w);

#endif
