/* openat and openat2: which flags they take. */
#include "fd/fd_int.h"

#define OPEN_VALID                                                                        \
    (O_ACCMODE | O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_APPEND | O_NONBLOCK | O_SYNC | \
     O_DSYNC | FASYNC | O_DIRECT | O_LARGEFILE | O_DIRECTORY | O_NOFOLLOW | O_NOATIME |   \
     O_CLOEXEC | O_PATH | O_TMPFILE)
#define PATH_VALID (O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

static long open_call(struct opening *o, uint64_t uname)
{
    char *name;
    bool cloexec = (o->flags & O_CLOEXEC) != 0;
    int err = fd_room();
    err = err < 0 ? err : name_get(uname, &name);
    if (err < 0) {
        return err;
    }
    o->name = name;
    err = open_name(o);
    name_put(name); /* before what may block */
    if (err < 0) {
        return err;
    }
    struct file *f;
    err = open_finish(o, &f);
    return err < 0 ? err : fd_install(f, 0, cloexec);
}

/* What it does not know it ignores, as it always has. */
long sys_openat(const uint64_t a[6])
{
    struct opening o = {.dirfd = (int)a[0], .flags = (unsigned)a[2] & OPEN_VALID};
    o.mode = (unsigned)a[3];
    if ((o.flags & O_PATH) != 0) {
        o.flags &= PATH_VALID;
    }
    return open_call(&o, a[1]);
}

/* ---- openat2: the same, and strict ---- */

static int how_get(uint64_t uhow, uint64_t size, struct open_how *how)
{
    if (size < sizeof(*how)) {
        return -EINVAL;
    }
    if (size > MB_PAGE) {
        return -E2BIG;
    }
    if (mb_copy_in(how, uhow, sizeof(*how)) < 0) {
        return -EFAULT;
    }
    for (uint64_t at = sizeof(*how), n; at < size; at += n) { /* a newer struct: the rest is 0 */
        uint64_t word = 0;
        n = size - at < sizeof(word) ? size - at : sizeof(word);
        if (mb_copy_in(&word, uhow + at, n) < 0) {
            return -EFAULT;
        }
        if (word != 0) {
            return -E2BIG;
        }
    }
    return 0;
}

static int how_check(const struct open_how *how)
{
    const uint64_t resolve = RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS |
                             RESOLVE_BENEATH | RESOLVE_IN_ROOT | RESOLVE_CACHED;
    const uint64_t scoped = RESOLVE_BENEATH | RESOLVE_IN_ROOT;
    uint64_t flags = how->flags;
    bool makes = (flags & (O_CREAT | TMPFILE_BIT)) != 0;
    if ((flags & ~(uint64_t)OPEN_VALID) != 0 || (how->resolve & ~resolve) != 0 ||
        (how->resolve & scoped) == scoped) {
        return -EINVAL;
    }
    if (makes ? (how->mode & ~07777ull) != 0 : how->mode != 0) {
        return -EINVAL;
    }
    if ((flags & TMPFILE_BIT) != 0 && ((flags & O_DIRECTORY) == 0 || (flags & O_CREAT) != 0)) {
        return -EINVAL;
    }
    if ((flags & O_PATH) != 0 && (flags & ~(uint64_t)PATH_VALID) != 0) {
        return -EINVAL;
    }
    /* All names are in memory; but only what changes nothing is promised not to wait. */
    if ((how->resolve & RESOLVE_CACHED) != 0 && (makes || (flags & O_TRUNC) != 0)) {
        return -EAGAIN;
    }
    return 0;
}

long sys_openat2(const uint64_t a[6])
{
    struct open_how how;
    int err = how_get(a[2], a[3], &how);
    err = err < 0 ? err : how_check(&how);
    if (err < 0) {
        return err;
    }
    struct opening o = {.dirfd = (int)a[0],
                        .flags = (unsigned)how.flags,
                        .mode = (unsigned)how.mode,
                        .lookup = (unsigned)(how.resolve & ~(uint64_t)RESOLVE_CACHED) << 8};
    return open_call(&o, a[1]);
}
