/* Trees of mounts, between who changes them (mount.c), who passes it on (propagate.c) and mount(2). */
#ifndef POSIX_FS_MOUNT_H
#define POSIX_FS_MOUNT_H

#include "fs/inode.h"

/* What a copy is to its original. */
enum mount_kinship { MOUNT_PEER, MOUNT_SLAVE };
/* What from shows seen at `at`, too; recursive: with what is mounted below it, but for what is unbindable. */
int mount_copy(const struct path *from, const struct path *at, bool recursive,
               enum mount_kinship kin, struct mount **out);
void mount_cut(struct mount *m); /* from its tree, with all below it; nobody hears of it */
unsigned mount_next_id(void);    /* of the next mount */

/* ---- propagate.c ---- */
/* kind: MS_SHARED, MS_PRIVATE, MS_SLAVE, MS_UNBINDABLE; recursive: of all below, too. */
void mount_set_kind(struct mount *m, unsigned kind, bool recursive);
void mount_make_private(struct mount *m); /* as it goes */
bool mount_holds_unbindable(const struct mount *m);
/* m was attached to a mount that may be shared: to its peers and slaves, too.  What is new has numbers from
 * first_new on.  After an error some of them have it. */
int mount_propagate(struct mount *m, unsigned first_new);
/* m, a leaf with a parent, is to be taken away: do others use what goes with it?  Take that away. */
bool mount_echoes_busy(const struct mount *m);
void mount_cut_echoes(const struct mount *m);

#endif
