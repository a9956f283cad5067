/* The file layer starts: a tmpfs as the root, /dev, /proc, /sys and /tmp on it, the archives unpacked.
 *
 * The mounts come before the archives, so that an archive may bring files for /tmp and nodes for /dev.
 */
#include "fs/cpio.h"
#include "fs/inode.h"
#include "fs/notify.h"
#include "fs/procfs.h"
#include "fs/stl.h"
#include "fs/sysfs.h"
#include "path/path.h"

static int mount_here(const char *dir, uint32_t mode, const struct fs_type *type,
                      const char *options, unsigned flags)
{
    struct sb *sb;
    struct path at;
    int err = vfs_make(dir, S_IFDIR | mode, 0, NULL, NULL);
    if (err < 0 && err != -EEXIST) {
        return err;
    }
    err = type->mount(type, options, &sb);
    if (err < 0) {
        return err;
    }
    err = path_lookup(AT_FDCWD, dir, LOOKUP_FOLLOW, &at);
    if (err < 0) {
        sb_unref(sb);
        return err;
    }
    err = mount_add(sb, sb->root, &at, type->name, flags, NULL);
    path_unref(at);
    return err;
}

static int root_mount(void)
{
    struct sb *sb;
    struct mount *root;
    int err = tmpfs_type.mount(&tmpfs_type, "mode=755", &sb);
    return err < 0 ? err : mount_add(sb, sb->root, NULL, "tmpfs", 0, &root);
}

static void archives_unpack(void)
{
    size_t size;
    const void *data;
    for (unsigned i = 0; (data = mb_archive(i, &size)) != NULL; i++) {
        int err = archive_unpack(data, size);
        if (err < 0) {
            mb_log("root: archive %u of %lu bytes: error %d, unpacked in part", i,
                   (unsigned long)size, err);
        }
    }
}

int vfs_init(void)
{
    const unsigned safe = ABI_MS_NOSUID | ABI_MS_NODEV;
    notify_init();
    int err = dentry_init();
    err = err < 0 ? err : root_mount();
    err = err < 0 ? err : sysfs_init();
    err = err < 0 ? err : devfs_init();
    err = err < 0 ? err : procfs_init();
    err = err < 0 ? err : mount_here("/dev", 0755, &devtmpfs_type, NULL, ABI_MS_NOSUID);
    err = err < 0 ? err
                  : mount_here("/dev/pts", 0755, &devpts_type, "gid=5,mode=620,ptmxmode=666",
                               ABI_MS_NOSUID | ABI_MS_NOEXEC);
    err = err < 0 ? err : mount_here("/proc", 0555, &proc_type, NULL, safe | ABI_MS_NOEXEC);
    err = err < 0 ? err : mount_here("/sys", 0555, &sysfs_type, NULL, safe | ABI_MS_NOEXEC);
    err = err < 0 ? err : mount_here("/tmp", 01777, &tmpfs_type, NULL, safe);
    err = err < 0 ? err : mount_here("/dev/shm", 01777, &tmpfs_type, NULL, safe);
    err = err < 0 ? err : bus_init();
    err = err < 0 ? err : bus_supervisor_init();
    err = err < 0 ? err : bus_ring_init();
    err = err < 0 ? err : stl_init();
    if (err < 0) {
        return err;
    }
    archives_unpack();
    return 0;
}
