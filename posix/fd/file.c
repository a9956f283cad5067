/* Open file descriptions: making and ending them; what the loader and procfs ask about one. */
#include "event/epoll.h"
#include "fd/fd_int.h"
#include "fs/notify.h"

static uint64_t open_files;

uint64_t files_open_count(void)
{
    return open_files;
}

void file_fill(struct file *f, struct path p, unsigned flags)
{
    *f = (struct file){
        .inode = p.dentry->inode, .refs = 1, .flags = flags, .dentry = p.dentry, .mnt = p.mnt};
    p.mnt->expired = false;
    open_files++;
}

struct file *file_make_inode(const struct file_ops *ops, struct inode *ino, unsigned flags,
                             void *priv)
{
    struct file *f = mb_alloc(sizeof(*f));
    if (f == NULL) {
        return NULL;
    }
    *f =
        (struct file){.ops = ops, .inode = inode_ref(ino), .refs = 1, .flags = flags, .priv = priv};
    open_files++;
    return f;
}

static int anon_open(struct inode *ino, struct file *f)
{
    return S_ISFIFO(ino->mode) ? fifo_open(ino, f) : -ENXIO;
}

struct file *file_make_anon(const struct file_ops *ops, uint32_t mode, unsigned flags, void *priv)
{
    static const struct inode_ops anon_iops = {.open = anon_open};
    struct inode *ino = inode_make(NULL, &anon_iops, ops, mode);
    if (ino == NULL) {
        return NULL;
    }
    const struct cred *c = cred_now();
    ino->uid = c->fsuid;
    ino->gid = c->fsgid;
    struct file *f = file_make_inode(ops, ino, flags, priv);
    inode_unref(ino);
    return f;
}

/* The last reference went.  A dentry holds its inode, so only files without one hold theirs. */
void file_release_(struct file *f)
{
    if (f->epitems != NULL) {
        epoll_forget(f); /* before its queues go */
    }
    if (f->async != NULL) {
        async_forget(f);
    }
    if (f->ops != &file_dead_ops) {
        notify_file(f, file_can_write(f) ? IN_CLOSE_WRITE : IN_CLOSE_NOWRITE);
    }
    if (f->ops->release != NULL) {
        f->ops->release(f);
    }
    struct inode *ino = f->inode;
    if (ino->locks != NULL) {
        locks_release(f);
    }
    if (ino->leases != NULL) {
        lease_forget(f);
    }
    if (S_ISREG(ino->mode) && f->dentry != NULL && (f->flags & O_PATH) == 0) {
        ino->opens--;
        if (file_can_write(f)) {
            ino->writers--;
            f->mnt->writers--;
        }
    }
    if (f->dentry != NULL) {
        dentry_unref(f->dentry);
        mount_unref(f->mnt);
    } else {
        inode_unref(ino);
    }
    open_files--;
    mb_free(f);
}

long file_read_kernel(struct file *f, void *buf, size_t n, int64_t off)
{
    if (f->ops->read == NULL) {
        return -EINVAL;
    }
    size_t done = 0;
    while (done < n) {
        struct iobuf b = iobuf_kernel((char *)buf + done, n - done);
        long got = f->ops->read(f, &b, &off);
        if (got < 0) {
            return done > 0 ? (long)done : got;
        }
        if (got == 0) {
            break;
        }
        done += (size_t)got;
    }
    return (long)done;
}

uint32_t file_mode(struct file *f)
{
    return f->inode->mode;
}

void file_owner(struct file *f, uint32_t *uid, uint32_t *gid)
{
    *uid = f->inode->uid;
    *gid = f->inode->gid;
}

uint64_t file_ino(struct file *f)
{
    return f->inode->ino;
}

uint64_t file_dev(struct file *f)
{
    struct kstat st;
    inode_stat(f->inode, &st);
    return st.dev;
}

int64_t file_size(struct file *f)
{
    return f->inode->size;
}

bool file_nosuid(struct file *f)
{
    return f->mnt != NULL && (f->mnt->flags & ABI_MS_NOSUID) != 0;
}

bool file_noexec(struct file *f)
{
    return f->mnt != NULL && (f->mnt->flags & ABI_MS_NOEXEC) != 0;
}

void file_accessed(struct file *f)
{
    inode_accessed(f->inode, f);
}

bool file_readable(struct file *f)
{
    return inode_permission(f->inode, MAY_READ) == 0;
}

long file_xattr(struct file *f, const char *name, void *buf, size_t n)
{
    return xattr_read(f->inode, name, buf, n);
}

int file_deny_write(struct file *f)
{
    if (f->inode->writers > 0) {
        return -ETXTBSY;
    }
    f->inode->writers--;
    return 0;
}

void file_allow_write(struct file *f)
{
    f->inode->writers++;
}
