/* The inside of the file layer: inodes, directory entries (dentries), mounts, paths.
 *
 *      file --> dentry --> inode --> pages, link text, pipe, device number
 *         \        |parent
 *          \       v                 A name is a dentry.  All dentries that exist by name are in one
 *           \    dentry (directory)  hash table keyed by (parent, name): that table *is* the directories
 *            \                       of tmpfs and devtmpfs; procfs makes passing dentries on lookup.
 *             mount --> sb           A path is a dentry and the mount it is seen through.
 *
 * References: a hashed dentry holds one of its own (the link); children, files and paths hold their
 * dentry; a dentry holds its inode and its parent.  An inode whose last reference goes is evicted.
 * Nothing below sleeps, so what a lookup found stays found until its caller blocks.
 *
 * Not here: descriptors (fd/), names from programs and permission rules of calls (path/).
 */
#ifndef POSIX_FS_INODE_H
#define POSIX_FS_INODE_H

#include "include/linux_abi.h"
#include "include/ptime.h"
#include "include/task.h"
#include "include/vfs.h"
#include "include/vfs_stat.h"
#include "pagetree.h"

struct lockset;
struct pipe;
struct sock;
struct sb;

struct path {
    struct mount *mnt;
    struct dentry *dentry;
};

enum {
    SET_MODE = 1,
    SET_OWNER = 2,
    SET_TIMES = 4,
};

struct inode_ops {
    /* A directory without all its names in the hash (procfs): make the dentry.  NULL: what is not
     * hashed does not exist. */
    int (*lookup)(struct dentry *dir, const char *name, unsigned len, struct dentry **out);
    /* May names be added, removed, renamed here; may data be changed? */
    bool writable;
    int (*open)(struct inode *ino, struct file *f); /* after ops is set to fops; may replace it */
    int (*readlink)(struct inode *ino, char *buf,
                    size_t n);                          /* length, cut; NULL: the text in link */
    int (*follow)(struct inode *ino, struct path *out); /* a magic link: jump there */
    int (*truncate)(struct inode *ino, int64_t len);
    int (*fallocate)(struct inode *ino, unsigned mode, int64_t off, int64_t len);
    void (*stat)(struct inode *ino, struct kstat *st);  /* correct what the inode says */
    int (*permission)(struct inode *ino, unsigned may); /* NULL: by mode and owner */
    /* May what SET_* says be set?  0 or an error; NULL: where it is writable. */
    int (*may_set)(const struct inode *ino, unsigned what);
    int (*was_set)(struct inode *ino); /* mode or owner: keep it; an error takes it back */
    void (*evict)(struct inode *ino);  /* free the data */
};

struct inode {
    const struct inode_ops *ops;
    const struct file_ops *fops;
    struct sb *sb; /* NULL: anonymous */
    uint64_t ino, rdev;
    unsigned refs;
    uint32_t mode, uid, gid, nlink;
    int64_t size;
    int64_t atime, mtime, ctime, btime;
    struct lockset *locks;   /* record locks and flocks, fd/lock.c; NULL: none */
    struct leaseset *leases; /* fd/lease.c; NULL: none */
    struct xattr *xattrs;    /* fs/xattr.c */
    bool linkable;           /* made without a name (O_TMPFILE): may get one */
    uint32_t seals;          /* tmpfs, regular files: F_SEAL_* */
    uint32_t opens;          /* regular files: open by name */
    int32_t writers;         /* files open for writing; below 0: running as a program (ETXTBSY) */
    union {
        struct pagetree pages;           /* regular files of tmpfs */
        struct {                         /* directories */
            struct dentry *first, *last; /* in order of cookie */
            uint64_t next_cookie;
            uint32_t entries;
        } dir;
        char *link;        /* symbolic links */
        struct pipe *pipe; /* FIFOs, pipes */
        struct sock *sock; /* sockets: who is bound here, or NULL; not a reference */
        struct {           /* what procfs makes on lookup */
            int pid, tid, fd;
            uint64_t start; /* of the process: pids are used again */
        } proc;
    };
    const void *entry;     /* procfs, sysfs: what it shows */
    void *sys_arg;         /* sysfs: of what */
    struct watch *watches; /* who is told what happens to it, notify.h */
};

#define DENTRY_INLINE 31
#define DENTRY_HASHED 1u  /* exists by name */
#define DENTRY_DELETED 2u /* did once */
struct dentry {
    struct inode *inode;
    struct dentry *parent; /* itself: a root */
    struct dentry *hash_next;
    struct dentry *next, *prev; /* in inode->dir of the parent */
    const char *name;           /* short_name or a block of its own */
    uint64_t cookie;            /* position for getdents; grows with every new entry */
    uint32_t refs, hash;
    uint8_t len, flags;
    uint16_t mounts; /* sitting on it */
    char short_name[DENTRY_INLINE + 1];
};

struct fs_type {
    const char *name;
    bool nodev;
    uint32_t magic;
    /* A file system instance with its root; options as mount(2) data, may be NULL. */
    int (*mount)(const struct fs_type *type, const char *options, struct sb **out);
    int (*remount)(struct sb *sb, const char *options); /* NULL: options are ignored */
    /* A new inode: regular, directory, link (target), FIFO, socket, device.  NULL: nothing is made here. */
    int (*make)(struct sb *sb, uint32_t mode, uint64_t rdev, const char *target,
                struct inode **out);
};
struct sb {
    const struct fs_type *type;
    struct dentry *root;
    unsigned refs; /* mounts, and one for instances that live for ever */
    uint64_t dev, next_ino;
    uint64_t pages, pages_max; /* tmpfs: data pages of its own in use, limit (0: none) */
    uint64_t inodes, inodes_max;
    uint64_t xattr_bytes;
    bool rdonly;
};

#define MOUNT_FLAGS                                                                  \
    (ABI_MS_RDONLY | ABI_MS_NOSUID | ABI_MS_NODEV | ABI_MS_NOEXEC | ABI_MS_NOATIME | \
     ABI_MS_NODIRATIME | ABI_MS_NOSYMFOLLOW | ABI_MS_STRICTATIME)
struct mount {
    struct mount *next;   /* all mounts, oldest first */
    struct mount *parent; /* NULL: the root, or detached */
    struct dentry *mountpoint;
    struct dentry *root;
    struct sb *sb;
    unsigned refs, id;
    unsigned flags;         /* MOUNT_FLAGS */
    unsigned writers;       /* regular files open for writing through it */
    unsigned group, master; /* propagate.c: shares with these; hears of those; 0: with none */
    bool unbindable;
    bool marked;               /* while something propagates */
    struct mount *next_source; /* the same: the next to go on from */
    bool expired;              /* umount2(MNT_EXPIRE) came by, and nobody since */
    struct mount *copy;        /* while a tree of mounts is copied: of this one */
    char *source;
};

/* ---- inodes (inode.c) ---- */
struct inode *inode_make(
    struct sb *sb, const struct inode_ops *ops, const struct file_ops *fops,
    uint32_t mode); /* owner root, times now, nlink 1 (directories 2); or NULL */
static inline struct inode *inode_ref(struct inode *ino)
{
    ino->refs++;
    return ino;
}
void inode_evict_(struct inode *ino);
static inline void inode_unref(struct inode *ino)
{
    if (--ino->refs == 0) {
        inode_evict_(ino);
    }
}
/* May the current thread do MAY_* here, by its fs ids?  0 or -EACCES. */
int inode_permission(struct inode *ino, unsigned may);
int inode_mode_permission(const struct inode *ino, unsigned may); /* by mode and owner alone */
bool inode_owned(const struct inode *ino); /* the caller owns it, or is root */
void inode_stat(struct inode *ino, struct kstat *st);
void inode_touch(struct inode *ino); /* mtime and ctime now */
void inode_accessed_(struct inode *ino, const struct file *f);
/* Reading: atime by the rule of the mount, relatime unless it says something else. */
static inline void inode_accessed(struct inode *ino, const struct file *f)
{
    inode_accessed_(ino, f);
}
void inode_accessed_at(struct inode *ino,
                       const struct mount *m); /* a link that is followed or read */
void inode_drop_setid(struct inode *ino);      /* written to: set-id bits and capabilities go */
/* Is there something inode_drop_setid could take away? */
static inline bool inode_privileged(const struct inode *ino)
{
    return (ino->mode & (S_ISUID | S_ISGID)) != 0 || ino->xattrs != NULL;
}
bool inode_sgid_drops(const struct inode *ino); /* by chown, or such a write */
extern uint64_t inode_count;

/* ---- extended attributes (xattr.c): what is there, without any permission ---- */
long xattr_read(const struct inode *ino, const char *name, void *buf, size_t n);
int xattr_store(struct inode *ino, const char *name, const void *value, size_t n, unsigned flags);
int xattr_drop(struct inode *ino, const char *name); /* 0 or -ENODATA */
/* Names with their NULs, as far as they fit: the length of all.  trusted: those too. */
size_t xattr_names(const struct inode *ino, char *buf, size_t n, bool trusted);
void xattr_free_all(struct inode *ino);
#define XATTR_CAPS "security.capability"

/* ---- dentries (dentry.c) ---- */
struct dentry *dentry_make(
    struct dentry *parent, const char *name, unsigned len, uint32_t hash,
    struct inode *ino); /* takes over ino's reference, unhashed; NULL: ENOMEM */
static inline struct dentry *dentry_ref(struct dentry *d)
{
    d->refs++;
    return d;
}
void dentry_free_(struct dentry *d);
static inline void dentry_unref(struct dentry *d)
{
    if (--d->refs == 0) {
        dentry_free_(d);
    }
}
static inline uint32_t dentry_hash_step(uint32_t h, unsigned char c)
{
    return (h ^ c) * 0x01000193u;
}
#define DENTRY_HASH_START 0x811c9dc5u
uint32_t dentry_hash(const char *name, unsigned len);
/* The child of that name, or NULL; no reference is taken. */
struct dentry *dentry_find(const struct dentry *dir, const char *name, unsigned len, uint32_t hash);
void dentry_attach(struct dentry *d); /* enter the name; takes a reference */
void dentry_detach(struct dentry *d); /* take the name away, drop that reference */
/* Give d the name and parent; may only fail (ENOMEM) before anything is changed. */
int dentry_rename(struct dentry *d, struct dentry *parent, const char *name, unsigned len);
void dentry_exchange(struct dentry *a, struct dentry *b);
void dentry_free_tree(
    struct dentry *root); /* a file system goes: every name below, then root's reference */
bool dentry_is_below(const struct dentry *d, const struct dentry *dir); /* or dir itself */
/* A name of that inode, borrowed: NULL when it has none.  It looks at every name there is. */
struct dentry *dentry_of_inode(const struct sb *sb, uint64_t ino);
int dentry_init(void);

/* Directories whose names are all hashed. */
int dir_getdents(struct file *f, struct iobuf *b);
int64_t dir_lseek(struct file *f, int64_t off, int whence);
void dir_release(struct file *f);
int dirent_dots(struct file *f,
                struct iobuf *b); /* "." and "..", if it is their turn: as dirent_put */
/* Emit one entry: 0, or 1 when there is no room for it, or -EFAULT. */
int dirent_put(struct iobuf *b, uint64_t ino, int64_t next, uint32_t mode, const char *name,
               unsigned len);

/* ---- mounts and file systems (mount.c) ---- */
extern struct mount *mount_list;
/* Mounts changed: mount_changes counts up, and who polls /proc/<pid>/mounts is woken. */
extern uint64_t mount_changes;
extern struct waitq mount_changed_wait;
void mount_changed(void);
static inline struct mount *mount_ref(struct mount *m)
{
    m->refs++;
    return m;
}
void mount_unref_(struct mount *m);
static inline void mount_unref(struct mount *m)
{
    if (--m->refs == 0) {
        mount_unref_(m);
    }
}
/* Mount sb (takes over a reference) at `at`, or as the root when at is NULL. */
int mount_add(struct sb *sb, struct dentry *root, const struct path *at, const char *source,
              unsigned flags, struct mount **out);
struct mount *mount_on(const struct mount *parent,
                       const struct dentry *d); /* the newest, or NULL */
int mount_remove(struct mount *m, bool detach);
int mount_attach(struct mount *m, const struct path *at);
/* Show what is at from also at `at`; recursive: with what is mounted below. */
int mount_reattach(struct mount *m, const struct path *at); /* move it there */
unsigned sb_writers(const struct sb *sb);                   /* files open for writing */
const struct fs_type *fs_find(const char *name);
extern const struct fs_type *const fs_types[]; /* ends with NULL */
struct sb *sb_make(const struct fs_type *type);
void sb_unref(struct sb *sb);

static inline struct path path_ref(struct path p)
{
    p.mnt->refs++;
    p.dentry->refs++;
    return p;
}
static inline void path_unref(struct path p)
{
    dentry_unref(p.dentry);
    mount_unref(p.mnt);
}

/* ---- file systems ---- */
extern const struct fs_type tmpfs_type, ramfs_type, devtmpfs_type, devpts_type, proc_type,
    sysfs_type;
int tmpfs_make(struct sb *sb, uint32_t mode, uint64_t rdev, const char *target, struct inode **out);
extern const struct file_ops tmpfs_file_ops, dir_file_ops;
extern const struct inode_ops tmpfs_file_iops;
/* Whole pages of n bytes at data, which are there for ever and never change, become the file's at *pos
 * without being copied, as far as both are page aligned and nothing is there: bytes taken, *pos after
 * them; or -ENOMEM. */
long tmpfs_borrow(struct inode *ino, const void *data, size_t n, int64_t *pos);
/* Give back pages of ino from first to last (inclusive). */
void tmpfs_pages_free(struct inode *ino, uint64_t first, uint64_t last);
extern uint64_t tmpfs_pages, tmpfs_pages_max; /* data pages of all of them, and their limit */
int tmpfs_truncate(struct inode *ino, int64_t len);
int tmpfs_fallocate(struct inode *ino, unsigned mode, int64_t off, int64_t len);
/* How much of n bytes at off may be written under RLIMIT_FSIZE (raises SIGXFSZ) and the largest
 * size: 1..n, or -EFBIG. */
long write_limit(int64_t off, size_t n);
/* Open what a device node names: sets f->ops.  -ENXIO. */
int device_open(struct inode *ino, struct file *f);
/* What opens device nodes of this type (S_IFCHR, S_IFBLK) and number. */
int device_register(uint32_t type, uint64_t dev, int (*open)(struct file *f));
int devfs_init(void);
/* devrandom.c */
int devrandom_init(void);
/* Wait until random numbers are good: 0, -EAGAIN, or -ERESTARTSYS. */
int random_wait(bool nonblock);
/* bus.c: the folder /Bus, and a device in it. */
int bus_init(void);
int bus_supervisor_init(void);
int bus_ring_init(void);
int bus_register(const char *name, uint32_t mode, int (*open)(struct file *f));
struct sb *devfs_sb(void);
int fifo_open(struct inode *ino, struct file *f);
void pipe_free(struct pipe *p); /* evict of a FIFO */

#endif
