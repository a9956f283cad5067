/* name_to_handle_at, open_by_handle_at: files in memory have handles, which are their inode's number and when it was made.
 * A handle is good for as long as the file has a name.
 */
#include "fd/fd_int.h"
#include "include/sys.h"
#include "path/target.h"

#define HANDLE_MAX 128u
#define HANDLE_TYPE 1 /* one of these */

struct handle { /* struct file_handle */
    uint32_t bytes;
    int32_t type;
    uint32_t word[3]; /* made when, number: low, high */
};
#define HEAD offsetof(struct handle, word)
#define BODY (sizeof(struct handle) - HEAD)

static uint32_t made_when(const struct inode *ino)
{
    return (uint32_t)((uint64_t)ino->btime ^ (uint64_t)ino->btime >> 32);
}

static int handle_put(const struct target *t, uint64_t uhandle, uint64_t uid)
{
    const struct inode *ino = t->ino;
    struct handle h;
    if (ino->sb == NULL || ino->sb->type->make == NULL) {
        return -EOPNOTSUPP;
    }
    if (mb_copy_in(&h, uhandle, HEAD) < 0) {
        return -EFAULT;
    }
    if (h.bytes > HANDLE_MAX) {
        return -EINVAL;
    }
    bool fits = h.bytes >= BODY;
    h = (struct handle){.bytes = BODY,
                        .type = HANDLE_TYPE,
                        .word = {made_when(ino), (uint32_t)ino->ino, (uint32_t)(ino->ino >> 32)}};
    int32_t id = t->mnt != NULL ? (int32_t)t->mnt->id : 0;
    if (mb_copy_out(uid, &id, sizeof(id)) < 0 ||
        mb_copy_out(uhandle, &h, fits ? sizeof(h) : HEAD) < 0) {
        return -EFAULT;
    }
    return fits ? 0 : -EOVERFLOW;
}

long sys_name_to_handle_at(const uint64_t a[6])
{
    struct target t;
    unsigned flags = (unsigned)a[4];
    if ((flags & ~(unsigned)(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH)) != 0) {
        return -EINVAL;
    }
    unsigned lookup =
        (flags & AT_EMPTY_PATH) | ((flags & AT_SYMLINK_FOLLOW) != 0 ? 0 : AT_SYMLINK_NOFOLLOW);
    int err = target_get((int)a[0], a[1], lookup, &t);
    if (err < 0) {
        return err;
    }
    err = handle_put(&t, a[2], a[3]);
    target_put(&t);
    return err;
}

/* The mount that fd is on, referenced, with its root: 0 or -EBADF. */
static int mount_of(int fd, struct path *out)
{
    if (fd == AT_FDCWD) {
        *out = path_ref(fsctx_now()->cwd);
        return 0;
    }
    struct file *f = fd_get_path(fd);
    if (f == NULL) {
        return -EBADF;
    }
    int err = f->dentry != NULL ? 0 : -ESTALE;
    if (err == 0) {
        *out = path_ref((struct path){.mnt = f->mnt, .dentry = f->dentry});
    }
    file_unref(f);
    return err;
}

static int handle_get(uint64_t uhandle, struct handle *h)
{
    if (mb_copy_in(h, uhandle, HEAD) < 0) {
        return -EFAULT;
    }
    if (h->bytes == 0 || h->bytes > HANDLE_MAX) {
        return -EINVAL;
    }
    if (h->bytes < BODY || h->type != HANDLE_TYPE) {
        return -ESTALE;
    }
    return mb_copy_in(h->word, uhandle + HEAD, BODY) < 0 ? -EFAULT : 0;
}

long sys_open_by_handle_at(const uint64_t a[6])
{
    struct handle h;
    struct path at;
    struct file *f = NULL;
    unsigned flags = (unsigned)a[2];
    if (!capable(CAP_DAC_READ_SEARCH)) {
        return -EPERM;
    }
    int err = mount_of((int)a[0], &at);
    if (err < 0) {
        return err;
    }
    err = handle_get(a[1], &h);
    err = err < 0 ? err : fd_room();
    struct dentry *d = NULL;
    if (err == 0) {
        d = dentry_of_inode(at.mnt->sb, h.word[1] | (uint64_t)h.word[2] << 32);
        err = d != NULL && made_when(d->inode) == h.word[0] ? 0 : -ESTALE;
    }
    if (err == 0) {
        struct path found = {.mnt = at.mnt, .dentry = d};
        err = open_found(path_ref(found), flags & ~(unsigned)(O_CREAT | O_EXCL), &f);
    }
    path_unref(at);
    return err < 0 ? err : fd_install(f, 0, (flags & O_CLOEXEC) != 0);
}
