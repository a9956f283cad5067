/* sysfs: /sys, a tree of folders, links and files whose text is made when they are read.
 *
 * Who has something to show makes a folder and files in it when the thing comes, and removes the folder when it
 * goes.  Names are hashed as in tmpfs; contents come from the file's attribute.
 */
#ifndef POSIX_FS_SYSFS_H
#define POSIX_FS_SYSFS_H

#include "fs/inode.h"
#include "fs/text.h"

struct sysfs_file {
    const char *name;
    void (*show)(struct text *t, void *arg);
};

/* The folder of that path ("class/tty"), made with those above it: borrowed; NULL: no memory. */
struct dentry *sysfs_folder(const char *path);
/* Files of a table that ends with a NULL name; they show arg, which must live as long as the folder.
 * 0 or -ENOMEM. */
int sysfs_files(struct dentry *folder, const struct sysfs_file *files, void *arg);
/* A link by that path to another ("../../devices/x"). */
int sysfs_link(const char *path, const char *target);
/* What is at the path goes, with all below. */
void sysfs_remove(const char *path);

int sysfs_init(void);
/* sysfs_system.c: processors, the kernel, what devices are sorted by. */
int sysfs_system_init(void);
/* A device comes or goes: "block" or "tty", its name and number. */
void sysfs_device(const char *class_, const char *name, uint32_t major, uint32_t minor);
void sysfs_device_gone(const char *class_, const char *name, uint32_t major, uint32_t minor);

#endif
