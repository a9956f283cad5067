/* name_to_handle_at, open_by_handle_at: no file system here has handles that outlive its names, which is what
 * they answer when all else is right. */
#include "include/sys.h"
#include "path/target.h"

#define HANDLE_MAX 128u

struct handle_head { /* struct file_handle */
    uint32_t bytes;
    int32_t type;
};

long sys_name_to_handle_at(const uint64_t a[6])
{
    struct target t;
    struct handle_head h;
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
    target_put(&t);
    if (mb_copy_in(&h, a[2], sizeof(h)) < 0) {
        return -EFAULT;
    }
    return h.bytes > HANDLE_MAX ? -EINVAL : -EOPNOTSUPP;
}

long sys_open_by_handle_at(const uint64_t a[6])
{
    struct handle_head h;
    if (!capable(CAP_DAC_READ_SEARCH)) {
        return -EPERM;
    }
    if ((int)a[0] != AT_FDCWD) {
        struct file *f = fd_get_path((int)a[0]);
        if (f == NULL) {
            return -EBADF;
        }
        file_unref(f);
    }
    if (mb_copy_in(&h, a[1], sizeof(h)) < 0) {
        return -EFAULT;
    }
    return h.bytes == 0 || h.bytes > HANDLE_MAX ? -EINVAL : -ESTALE;
}
