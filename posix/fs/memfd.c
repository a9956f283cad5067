/* memfd_create, and seals.
 *
 * A memfd is a file of a tmpfs that is mounted nowhere: it never had a name, and has one to be shown by.
 */
#include "fs/seal.h"
#include "fd/fd_int.h"
#include "include/mm.h"

#include <linux/memfd.h>
#include <string.h>

#define NAME_PREFIX "memfd:"
#define PREFIX_LEN 6u
#define NAME_MAX_LEN (NAME_MAX - PREFIX_LEN)
#define SEALS_ALL (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | SEALS_WRITE)

/* ---- seals ---- */

long seal_write(const struct inode *ino, int64_t off, long n)
{
    if ((ino->seals & SEALS_WRITE) != 0) {
        return -EPERM;
    }
    if ((ino->seals & F_SEAL_GROW) != 0 && n > ino->size - off) {
        return off < ino->size ? (long)(ino->size - off) : -EPERM;
    }
    return n;
}

int seal_mmap(const struct inode *ino, unsigned prot)
{
    if ((ino->seals & SEALS_WRITE) == 0) {
        return 0;
    }
    return (prot & NX_PROT_W) != 0 ? -EPERM : 1;
}

long seals_get(const struct file *f)
{
    return f->ops == &tmpfs_file_ops ? (long)f->inode->seals : -EINVAL;
}

long seals_add(struct file *f, unsigned seals)
{
    struct inode *ino = f->inode;
    if (!file_can_write(f)) {
        return -EPERM;
    }
    if ((seals & ~(unsigned)SEALS_ALL) != 0 || f->ops != &tmpfs_file_ops) {
        return -EINVAL;
    }
    if ((ino->seals & F_SEAL_SEAL) != 0) {
        return -EPERM;
    }
    if ((seals & ~ino->seals & F_SEAL_WRITE) != 0 && mm_inode_writable(ino)) {
        return -EBUSY;
    }
    ino->seals |= seals;
    return 0;
}

/* ---- memfd_create ---- */

/* The file system they live on, made with the first, and the mount it is seen through: on no list. */
static struct mount *memfd_mount(void)
{
    static struct mount mount;
    if (mount.sb == NULL) {
        struct sb *sb;
        if (tmpfs_type.mount(&tmpfs_type, NULL, &sb) < 0) {
            return NULL;
        }
        sb->pages_max = sb->inodes_max = 0;
        mount = (struct mount){
            .root = sb->root, .sb = sb, .refs = 1, .flags = ABI_MS_NOSUID | ABI_MS_NODEV};
    }
    return &mount;
}

static int memfd_make(const char *name, bool sealing, struct file **out)
{
    struct mount *m = memfd_mount();
    struct inode *ino;
    if (m == NULL) {
        return -ENOMEM;
    }
    int err = tmpfs_make(m->sb, S_IFREG | 0777, 0, NULL, &ino);
    if (err < 0) {
        return err;
    }
    const struct cred *c = cred_now();
    ino->uid = c->fsuid;
    ino->gid = c->fsgid;
    ino->nlink = 0;
    ino->seals = sealing ? 0 : F_SEAL_SEAL;
    struct dentry *d = dentry_make(m->root, name, (unsigned)strlen(name), 0, ino);
    if (d == NULL) {
        inode_unref(ino);
        return -ENOMEM;
    }
    d->flags |= DENTRY_DELETED;
    return file_open_path((struct path){.mnt = mount_ref(m), .dentry = d}, O_RDWR, out);
}

#define HUGE_SIZE ((unsigned)MFD_HUGE_MASK << MFD_HUGE_SHIFT)

long sys_memfd_create(const uint64_t a[6])
{
    unsigned flags = (unsigned)a[1];
    char name[PREFIX_LEN + NAME_MAX_LEN + 1] = NAME_PREFIX;
    struct file *f;
    bool huge = (flags & MFD_HUGETLB) != 0;
    unsigned allowed = MFD_CLOEXEC | MFD_ALLOW_SEALING | (huge ? MFD_HUGETLB | HUGE_SIZE : 0);
    if ((flags & ~allowed) != 0) {
        return -EINVAL;
    }
    if (huge) {
        return -ENOSYS; /* as without hugetlbfs */
    }
    long len = mb_str_in(name + PREFIX_LEN, a[0], NAME_MAX_LEN + 1);
    if (len < 0) {
        return len == -ENAMETOOLONG ? -EINVAL : len;
    }
    int err = memfd_make(name, (flags & MFD_ALLOW_SEALING) != 0, &f);
    return err < 0 ? err : fd_install(f, 0, (flags & MFD_CLOEXEC) != 0);
}
