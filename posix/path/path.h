/* From names to files: lookup with symbolic links, mounts and permissions; names from programs.
 *
 * Lookups never sleep.  Results carry references: path_unref.  A name is a NUL-terminated string of the
 * personality; name_get copies one from a program into a buffer that name_put gives back.
 */
#ifndef POSIX_PATH_PATH_H
#define POSIX_PATH_PATH_H

#include "fs/inode.h"
#include "fs/text.h"

#include <linux/openat2.h>

#define LOOKUP_FOLLOW 1u                      /* a symbolic link at the end is followed */
#define LOOKUP_DIRECTORY 2u                   /* it must be a directory */
#define LOOKUP_EMPTY 4u                       /* "" is the starting point itself (AT_EMPTY_PATH) */
#define LOOKUP_KEEP_EXPIRY 8u                 /* looking at a mount is no use of it (umount2) */
#define LOOKUP_NO_XDEV (RESOLVE_NO_XDEV << 8) /* openat2's ways to stay somewhere */
#define LOOKUP_NO_MAGIC (RESOLVE_NO_MAGICLINKS << 8)
#define LOOKUP_NO_LINKS (RESOLVE_NO_SYMLINKS << 8)
#define LOOKUP_BENEATH (RESOLVE_BENEATH << 8)
#define LOOKUP_IN_ROOT (RESOLVE_IN_ROOT << 8)

/* Find name, from dirfd's directory (AT_FDCWD, or a descriptor) when it is relative. */
int path_lookup(int dirfd, const char *name, unsigned flags, struct path *out);
/* The same from a program's address: copies the name in. */
int path_lookup_user(int dirfd, uint64_t uname, unsigned flags, struct path *out);

/* All but the last component: the directory in parent, and what is wanted in it. */
struct last {
    const char *name; /* points into the looked-up name or a link's text: not NUL-terminated */
    unsigned len;
    uint32_t hash;
    bool dots;  /* it is "." or ".." or there is none ("/") */
    bool slash; /* something/ : must be a directory */
};
int path_parent(int dirfd, const char *name, struct path *parent, struct last *last);

/* The same for open(O_CREAT): symbolic links at the end are followed with LOOKUP_FOLLOW, so that last is
 * what is to be made or opened.  found is the path when it exists (referenced), else its dentry is
 * NULL. */
int path_open_walk(int dirfd, const char *name, unsigned flags, struct path *parent,
                   struct last *last, struct path *found);

/* The child of parent by that name, as a path through mounts: 0, -ENOENT. */
int path_child(const struct path *parent, const struct last *last, struct path *out);
/* The entry itself, not what is mounted on it; a reference. */
int path_entry(const struct path *parent, const struct last *last, struct dentry **out);
void path_cross_mounts(struct path *p); /* to the newest thing mounted on it */

/* Names from programs: -EFAULT, -ENAMETOOLONG, -ENOMEM. */
int name_get(uint64_t uaddr, char **out);
void name_put(char *name);

/* The text of a path as seen from root; "(deleted)" is added for what has no name any more.
 * The length without the NUL (cut to n - 1), or -ENAMETOOLONG, or with reachable not NULL and a path
 * outside root, *reachable false. */
long path_text(struct path p, const struct path *root, char *buf, size_t n, bool *reachable);

/* /proc/<pid>/mounts and its kin: the mounts that can be seen from root (mounttext.c). */
enum mount_format { MOUNT_FSTAB, MOUNT_INFO, MOUNT_STATS };
void mount_text(struct text *t, const struct path *root, enum mount_format format);

/* ---- root, cwd, umask (fsctx.c) ---- */
struct fsctx {
    unsigned refs;
    uint32_t umask;
    struct path root, cwd;
};
struct fsctx *fsctx_now(void); /* of the thread, or of the start-up */

/* ---- changing the tree (create.c, rename.c): permission and all ---- */
struct spec {      /* what to make */
    uint32_t mode; /* with type, before umask */
    uint64_t rdev;
    const char *target; /* of a symbolic link */
};
/* Make last in parent: -EEXIST when it is there.  out NULL: not wanted. */
uint32_t path_new_mode(const struct inode *dir, uint32_t mode); /* of a new file there */
int path_make(const struct path *parent, const struct last *last, const struct spec *spec,
              struct path *out);
/* ---- protect.c: 0, or -EACCES, -EPERM ---- */
enum protect { PROTECT_SYMLINKS, PROTECT_HARDLINKS, PROTECT_FIFOS, PROTECT_REGULAR, PROTECT_KINDS };
extern unsigned path_protected[PROTECT_KINDS];
int protect_follow(const struct inode *dir, const struct inode *link);
int protect_link(struct inode *ino);
int protect_create(const struct inode *dir, const struct inode *ino);

int path_may_change(const struct path *dir); /* write and search it, on a writable mount */
int path_may_delete(const struct path *dir, const struct dentry *victim, bool directory);
/* Kernel's own: make or replace by name, from the root (start-up, archives). */
int vfs_make(const char *name, uint32_t mode, uint64_t rdev, const char *target, struct path *out);

static inline bool mount_rdonly(const struct mount *m)
{
    return (m->flags & ABI_MS_RDONLY) != 0 || m->sb->rdonly;
}

#endif
