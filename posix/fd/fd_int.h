/* Inside posix/fd: descriptor tables, and what the calls on descriptors share. */
#ifndef POSIX_FD_FD_INT_H
#define POSIX_FD_FD_INT_H

#include "fs/inode.h"
#include "include/sys.h"
#include "path/path.h"

/* A descriptor table.  Small ones live inside; the arrays grow by doubling.  `low`: no number below it
 * is free. */
#define FILES_INLINE 64
struct files {
    unsigned refs, cap, low;
    struct file **file;
    uint64_t *open, *cloexec; /* bitmaps of cap bits */
    struct file *file0[FILES_INLINE];
    uint64_t open0[FILES_INLINE / 64], cloexec0[FILES_INLINE / 64];
};

/* Borrowed, O_PATH ones too: for calls that do not sleep. */
static inline struct file *fd_peek(int fd)
{
    const struct files *fs = current->files;
    return (unsigned)fd < fs->cap ? fs->file[fd] : NULL;
}
static inline bool file_can_read(const struct file *f)
{
    return ((f->flags + 1) & 1) != 0; /* O_RDONLY 0, O_RDWR 2 */
}
static inline bool file_can_write(const struct file *f)
{
    return ((f->flags + 1) & 2) != 0; /* O_WRONLY 1, O_RDWR 2 */
}
/* Before something that cannot be undone: room for one more.  0, -EMFILE, -ENOMEM: the next fd_install would
 * say so. */
int fd_room(void);
bool fd_cloexec(int fd);
void fd_set_cloexec(int fd, bool on);
/* Put f (takes over the reference) at exactly this number, closing what is there. */
int fd_put_at(struct file *f, int fd, bool cloexec);

/* ---- open.c ---- */
extern const struct file_ops file_dead_ops;                    /* of a file that is not open yet */
void file_fill(struct file *f, struct path p, unsigned flags); /* takes over p; not opened yet */
int file_open_path(struct path p, unsigned flags, struct file **out); /* takes over p */
#ifndef O_LARGEFILE
#define O_LARGEFILE 0100000
#endif
#define TMPFILE_BIT (O_TMPFILE & ~O_DIRECTORY)
struct opening {
    int dirfd;
    const char *name;
    unsigned flags, mode;
    unsigned lookup; /* LOOKUP_* of openat2 */
    struct path path;
    struct file *file; /* memory for it: taken first, so that no file is made and then not opened */
};
int open_found(struct path p, unsigned flags,
               struct file **out);                     /* with permission; takes over p */
int open_name(struct opening *o);                      /* find or make it; does not block */
int open_finish(struct opening *o, struct file **out); /* the name is not needed any more */

/* ---- async.c ---- */
int async_set(int fd, struct file *f, bool on); /* O_ASYNC: 0 or -ENOMEM */
void async_forget(struct file *f);              /* f->async goes with it */
long async_fcntl(struct file *f, int cmd,
                 uint64_t arg); /* F_SETOWN ... F_GETSIG; others: -EINVAL */
long async_ioctl(int fd, struct file *f, uint32_t cmd, uint64_t arg); /* FIOASYNC, FIOSETOWN ... */

/* ---- iov.c ---- */
#define IOV_INLINE 8
struct iov {
    struct iobuf b;
    struct iovec_seg *seg; /* segments of not zero length */
    struct iovec_seg few[IOV_INLINE];
};
int iov_get(uint64_t uaddr, uint64_t count, struct iov *v); /* 0, -EINVAL, -EFAULT, -ENOMEM */
void iov_end(struct iov *v);

/* ---- lock.c ---- */
void locks_forget(struct file *f, const struct files *owner); /* a descriptor of f is closed */
void locks_release(struct file *f);                           /* f itself goes */
/* Lines of /proc/locks; of one inode only those of these owners, as fdinfo shows them. */
struct text;
void locks_text(struct text *t, const struct inode *ino, const void *file, const void *files);
long lock_fcntl(int fd, struct file *f, int cmd, uint64_t arg);

/* ---- rw.c ---- */
/* RWF_*, what is asked for one transfer: can the file do that?  0 or -EOPNOTSUPP. */
int file_flags_check(const struct file *f, unsigned flags);
/* Read or write f, which can, with such flags: bytes, or an error. */
long file_transfer(struct file *f, struct iobuf *b, int64_t *pos, bool write, unsigned flags);

/* ---- event/eventfd.c ---- */
bool file_is_eventfd(const struct file *f);
void eventfd_signal(struct file *f); /* one more, which never waits */

/* ---- pipe.c ---- */
/* ---- lease.c ---- */
extern long lease_break_time, leases_enable; /* /proc/sys/fs; seconds */
long lease_fcntl(int fd, struct file *f, int cmd, uint64_t arg);
void lease_forget(struct file *f); /* its inode has leases: its own goes */
/* The file is about to be opened, to be written or cut off: 0, -EWOULDBLOCK, -ERESTARTSYS.  May sleep; the inode is held. */
int lease_break(struct inode *ino, bool write, bool nonblock);
int lease_break_open(const struct path *p, unsigned flags); /* the same for open's flags */
/* async.c: whoever set a lease is to hear of it; somebody wants it gone. */
int async_lease(int fd, struct file *f);
void async_lease_breaks(const struct file *f);

extern long pipe_size_max; /* of who is not privileged */
long pipe_set_size(struct file *f, uint64_t size);
long pipe_get_size(struct file *f);

#endif
