/* Files, inodes, paths: the personality's file layer (posix/fs, posix/fd, posix/path).
 *
 * inode: a file of some file system.  file: an open file description (shared by dup and fork).
 * files: a table of descriptors (shared by CLONE_FILES).  fsctx: root, cwd, umask (CLONE_FS).
 * Everything here wants the personality lock.  Errors are negated errno.
 *
 * This is what the rest of the personality sees; how the file layer is built inside (inodes,
 * directory entries, mounts) is in fs/inode.h.
 */
#ifndef POSIX_VFS_H
#define POSIX_VFS_H

#include <membrane.h>
#include <stdint.h>
#include "waitq.h"

struct inode;
struct file;
struct dentry;
struct mount;
struct task;
struct poll_table;
struct text;
struct kstat; /* vfs_stat.h: what stat and statx are filled from */

/* Source or target of a transfer: program memory (user) or the personality's own (kernel: exec,
 * procfs).  Only addr and len are for everybody: len is what is left in all, addr where the next
 * byte is.  A scattered transfer (readv) has more segments behind the first; use iobuf_put, iobuf_get,
 * iobuf_zero, which step over them. */
struct iovec_seg {
    uint64_t addr, len;
};
struct iobuf {
    bool user;
    uint64_t addr;                /* user: program address; else pointer value */
    size_t len;                   /* bytes left */
    size_t seg;                   /* of them, in the segment at addr */
    const struct iovec_seg *more; /* the segments behind it */
};
/* Move n bytes (n <= len) and advance: 0; or -EFAULT, advanced over the segments that went well. */
int iobuf_put(struct iobuf *b, const void *src, size_t n);
int iobuf_get(struct iobuf *b, void *dst, size_t n);
int iobuf_zero(struct iobuf *b, size_t n);
static inline struct iobuf iobuf_kernel(void *p, size_t n)
{
    return (struct iobuf){.user = false, .addr = (uintptr_t)p, .len = n, .seg = n};
}
static inline struct iobuf iobuf_user(uint64_t addr, size_t n)
{
    return (struct iobuf){.user = true, .addr = addr, .len = n, .seg = n};
}

/* What a page is mapped for.  SHARE: by an area that is shared and may be written, now or later.  WRITE:
 * the same, and it is being written. */
enum page_use { PAGE_READ, PAGE_SHARE, PAGE_WRITE };

/* What an open file can do; NULL members mean the usual error.  read/write return bytes moved (short
 * counts allowed) or an error; *pos is the file position to use and advance. */
struct file_ops {
    const char *name;
    long (*read)(struct file *f, struct iobuf *b, int64_t *pos);
    long (*write)(struct file *f, struct iobuf *b, int64_t *pos);
    int64_t (*lseek)(struct file *f, int64_t off, int whence); /* NULL: a stream, -ESPIPE */
    int (*getdents)(struct file *f, struct iobuf *b);          /* bytes written */
    /* Events ready now (POLLIN...); with pt not NULL also registers the wait queues. */
    unsigned (*poll)(struct file *f, struct poll_table *pt);
    long (*ioctl)(struct file *f, uint64_t cmd, uint64_t arg);
    int (*truncate)(struct file *f, int64_t len);
    /* The page that backs file offset off (page aligned) for mmap; NULL: -ENOMEM or beyond the end ->
     * *err = -ENOMEM / -EFAULT(SIGBUS).  A hole is filled, whatever the use.  The page stays the
     * file's; before it is freed, or another takes its place, vfs_truncate_hook is called. */
    void *(*page)(struct file *f, uint64_t off, enum page_use use, int *err);
    bool zeroed; /* mmap gives memory of its own, as if anonymous; page is not asked */
    /* NULL with page set: always.  1: yes, but it must not be made writable later. */
    int (*mmap_ok)(struct file *f, unsigned prot, bool shared);
    void (*unmapped)(struct file *f); /* an area is gone: drop its reference; NULL: that is all */
    int (*fsync)(struct file *f);     /* NULL: -EINVAL */
    void (*info)(const struct file *f,
                 struct text *t);    /* what /proc/<pid>/fdinfo says of it alone */
    void (*flush)(struct file *f);   /* a descriptor of it is closed */
    void (*release)(struct file *f); /* last reference gone */
    bool tells;                      /* O_ASYNC: signals whoever wants to know */
    int (*foreground)(
        const struct file *f); /* the group that is told when no owner is set; NULL: nobody */
};

struct file {
    const struct file_ops *ops;
    struct inode *inode; /* referenced; NULL never: pipes and the like have anonymous inodes */
    unsigned refs;
    unsigned flags; /* O_ACCMODE | O_APPEND | O_NONBLOCK ... */
    int64_t pos;
    void *priv;
    struct dentry *dentry;  /* the name it was opened by, or NULL (pipes) */
    struct mount *mnt;      /* NULL without a dentry */
    struct dentry *cursor;  /* a directory being read: the entry given last */
    struct epitem *epitems; /* who watches it (event/epoll.h); NULL: nobody */
    struct async *async;    /* whom it tells by a signal (fd/async.c); NULL: nobody yet */
};

/* ---- open file descriptions ---- */
static inline struct file *file_ref(struct file *f)
{
    f->refs++;
    return f;
}
void file_release_(struct file *f);
static inline void file_unref(struct file *f)
{
    if (--f->refs == 0) {
        file_release_(f);
    }
}
/* A file without a name, on an anonymous inode of the given st_mode (pipes, sockets, eventfd ...).
 * NULL: no memory.  file_open_inode shares an inode (takes a reference of its own). */
struct file *file_make_anon(const struct file_ops *ops, uint32_t mode, unsigned flags, void *priv);
struct file *file_make_inode(const struct file_ops *ops, struct inode *ino, unsigned flags,
                             void *priv);
/* The current path, as /proc/<pid>/fd and maps show it: "/bin/sh", "/tmp/x (deleted)", "pipe:[7]".
 * Seen from the root of the current thread.  Length as snprintf (n too small: cut). */
size_t file_path(const struct file *f, char *buf, size_t n);

/* ---- descriptor tables ---- */
struct files;
struct files *files_make(void);
struct files *files_ref(struct files *fs);
struct files *files_copy(const struct files *fs); /* fork; NULL: ENOMEM */
void files_unref(struct files *fs);
void files_close_exec(struct files *fs); /* exec: close FD_CLOEXEC ones */
struct file *fd_get(int fd);             /* of the current thread; referenced; NULL: EBADF */
struct file *fd_get_path(int fd);        /* the same, O_PATH ones too */
int fd_install(struct file *f, int min, bool cloexec); /* takes over the reference; -EMFILE */
struct file *files_get(struct files *fs, int fd);      /* as fd_get_path, of any table */
int fd_close(int fd);                                  /* of the current thread */
/* Iterate for procfs: the first open fd >= from, or -1; borrowed reference in *f. */
int files_next(struct files *fs, int from, struct file **f);
uint64_t files_open_count(void); /* open file descriptions of the system */

/* ---- root, cwd, umask ---- */
struct fsctx;
struct fsctx *fsctx_make(void); /* root "/" */
struct fsctx *fsctx_ref(struct fsctx *c);
struct fsctx *fsctx_copy(const struct fsctx *c);
void fsctx_unref(struct fsctx *c);

/* ---- for exec and the loader ---- */
/* Open path (kernel string, relative to the current thread's cwd) for execution: checks type and
 * x permission.  A file reference in *out. */
int vfs_open_exec(const char *path, struct file **out);
/* Open by kernel path; flags, mode as open(2). */
int vfs_open(const char *path, unsigned flags, unsigned mode, struct file **out);
int file_fsync_nothing(struct file *f); /* fsync of what is in memory alone: 0 */
long file_read_kernel(struct file *f, void *buf, size_t n, int64_t off); /* bytes, 0 at the end */
uint32_t file_mode(struct file *f);                                      /* st_mode */
void file_owner(struct file *f, uint32_t *uid, uint32_t *gid);
uint64_t file_ino(struct file *f);
uint64_t file_dev(struct file *f);
int64_t file_size(struct file *f);
/* A running program may not be written to, nor a file being written run: 0 or -ETXTBSY.  Whoever keeps
 * an executable (process.exe) calls both. */
int file_deny_write(struct file *f);
void file_allow_write(struct file *f);
bool file_nosuid(struct file *f);   /* its mount ignores S_ISUID and S_ISGID */
bool file_noexec(struct file *f);   /* its mount lets nothing be executed */
void file_accessed(struct file *f); /* it is being mapped */
bool file_readable(struct file *f); /* by the current thread, whatever it was opened for */
/* An extended attribute: its length, cut to n; -ENODATA. */
long file_xattr(struct file *f, const char *name, void *buf, size_t n);
/* Make the two ends of a pipe. */
int pipe_make(struct file **rd, struct file **wr, unsigned flags);

/* Set by posix/mem: pages of ino at and behind byte `from` (up to `to`) are about to be freed: take
 * them out of every program they are mapped into.  ino is the object mappings of the file share. */
extern void (*vfs_truncate_hook)(struct inode *ino, uint64_t from, uint64_t to);

/* ---- poll ---- */
struct poll_table; /* opaque; poll_wait adds the caller to a queue until the poll call ends */
void poll_wait(struct poll_table *pt, struct waitq *q);
void poll_wait_room(struct poll_table *pt,
                    struct waitq *q); /* a queue of those who want to write */
/* Somebody found no room: when there is some again, O_ASYNC tells. */
void file_found_full(struct file *f);
void async_hangup(struct file *f); /* f tells nobody any more */

/* ---- set-up ---- */
int vfs_init(void); /* root tmpfs, /dev, /proc, /tmp mounted; archives unpacked */

/* Devices: a node /dev/<name> ("input/event0": the folder is made), of the type S_IFBLK in mode, else a
 * character device.  open sets f->ops and f->priv (and may block or refuse). */
int devfs_register(const char *name, uint32_t mode, uint32_t major, uint32_t minor,
                   int (*open)(struct file *f));
/* The other way: node, if it is still what was registered, and device go.  Open files stay. */
void devfs_remove(const char *name, uint32_t type, uint32_t major, uint32_t minor);

/* The file system of pseudo terminals, /dev/pts (fs/devpts.c): it asks who makes them to open the master
 * /dev/ptmx and the slave of a number. */
int devpts_serve(int (*master)(struct file *f), int (*slave)(unsigned index, struct file *f));
int devpts_add(unsigned index); /* a node for the current thread's user */
void devpts_remove(unsigned index);
int devpts_open(unsigned index, unsigned flags, struct file **out); /* whatever its mode says */
unsigned devpts_max(void);

/* What posix/block knows that others tell; NULL as long as there is no disk. */
struct vfs_block {
    size_t (*partitions)(char *buf, size_t n); /* lines of /proc/partitions, as snprintf */
    uint64_t (*bytes)(uint64_t dev);           /* of a disk or partition */
    size_t (*diskstats)(char *buf, size_t n);  /* the same of /proc/diskstats */
    int (*sync)(void);                         /* all disks flush; blocks */
    uint64_t (*cached)(void);                  /* pages */
    uint64_t (*shrink)(uint64_t pages);        /* give pages back: how many went */
};
extern const struct vfs_block *vfs_block;

#endif
