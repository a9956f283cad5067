/* Inside /proc/sys: numbers, with the range they may be set to. */
#ifndef POSIX_FS_SYSCTL_H
#define POSIX_FS_SYSCTL_H

#include "fs/procfs.h"

struct sysctl {
    long value, min, max;
    long *elsewhere; /* where the value is if not here */
};
int sysctl_show(struct text *t, struct inode *ino);
int sysctl_store(struct inode *ino, char *text, size_t n);
int sysctl_show_ulong(struct text *t, struct inode *ino);
int sysctl_store_ulong(struct inode *ino, char *text, size_t n);
int sysctl_show_unsigned(struct text *t, struct inode *ino); /* of an unsigned somewhere */

extern const struct proc_entry sysctl_fs_files[]; /* proc_sys_fs.c */

#define NUMBER(n, v, lowest, highest)                                                           \
    {                                                                                           \
        .name = n, .mode = 0644, .kind = PROC_FILE, .show = sysctl_show, .store = sysctl_store, \
        .arg = &(struct sysctl)                                                                 \
        {                                                                                       \
            .value = (v), .min = (lowest), .max = (highest)                                     \
        }                                                                                       \
    }
#define FIXED(n, v)                                                                              \
    {                                                                                            \
        .name = n, .mode = 0444, .kind = PROC_FILE, .show = sysctl_show, .arg = &(struct sysctl) \
        {                                                                                        \
            .value = (v)                                                                         \
        }                                                                                        \
    }
/* The same of an unsigned long. */
#define LIMIT_UNSIGNED(n, where)                                               \
    {                                                                          \
        .name = n, .mode = 0644, .kind = PROC_FILE, .show = sysctl_show_ulong, \
        .store = sysctl_store_ulong, .arg = (where)                            \
    }
/* A number whose owner looks at it: a long of theirs. */
#define LIMIT(n, lowest, highest, where)                                                        \
    {                                                                                           \
        .name = n, .mode = 0644, .kind = PROC_FILE, .show = sysctl_show, .store = sysctl_store, \
        .arg = &(struct sysctl)                                                                 \
        {                                                                                       \
            .min = (lowest), .max = (highest), .elsewhere = (where)                             \
        }                                                                                       \
    }

#endif
