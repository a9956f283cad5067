/* /Bus: services of cells as files.  Each is a character device of our own major number, below a folder
 * of the root. */
#include "fs/inode.h"
#include "path/path.h"

#include <stdio.h>

#define MAJOR_BUS 240 /* of those Linux leaves for local use */

int bus_init(void)
{
    int err = vfs_make("/Bus", S_IFDIR | 0755, 0, NULL, NULL);
    return err == -EEXIST ? 0 : err;
}

int bus_register(const char *name, uint32_t mode, int (*open)(struct file *f))
{
    static uint32_t next;
    char path[64];
    const uint64_t dev = dev_make(MAJOR_BUS, next);
    int err = device_register(S_IFCHR, dev, open);
    if (err < 0) {
        return err;
    }
    next++;
    snprintf(path, sizeof(path), "/Bus/%s", name);
    return vfs_make(path, S_IFCHR | (mode & 07777), dev, NULL, NULL);
}
