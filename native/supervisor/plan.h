/* What there is to start, found out from manifests alone: instances, and who is absent. */
#ifndef SUPERVISOR_PLAN_H
#define SUPERVISOR_PLAN_H

#include <nx/manifest.h>
#include <stdbool.h>

/* The manifest of the n-th cell of a PER_DEVICE manifest: its name, and what it serves, with the number.
 * False when a name gets too long. */
bool plan_instance(const struct nx_manifest *m, unsigned n, struct nx_manifest *out);

/* The first DEVMEM want, or NULL. */
const struct nx_want *plan_device(const struct nx_manifest *m);

/* absent[i]: cell i is not started, for want of a device.  Adds those that cannot do without an
 * interface that no cell serves which is started. */
void plan_absent(const struct nx_manifest *const *cells, unsigned n, bool *absent);

/* May a cell go on from an image with the manifest `to`?  NULL, or what is against it: it must have the
 * name, the interfaces, the devices and the memory of the old one, line by line, for these are made
 * already.  Slots, rights, quotas and policy may differ. */
const char *plan_swap(const struct nx_manifest *from, const struct nx_manifest *to);

/* Does a user who says `asked` mean the cell `name`?  "-" is as good as "_", and the number of an instance may
 * be left out. */
bool plan_meant(const char *asked, const char *name);

#endif
