/* Telling inotify what happens to files: called by whoever does it, after it was done.
 *
 * What happens to a file is told to who watches it, and with its name to who watches its directory.
 * As long as nobody watches anything, that costs one look at notify_watches.  All want the personality lock.
 */
#ifndef POSIX_FS_NOTIFY_H
#define POSIX_FS_NOTIFY_H

#include "fs/inode.h"

#include <linux/inotify.h>

extern unsigned notify_watches; /* of all */
/* Events that wait in an instance; instances and watches of one user. */
enum notify_limit { NOTIFY_QUEUED, NOTIFY_INSTANCES, NOTIFY_WATCHES, NOTIFY_LIMITS };
extern long notify_limit[NOTIFY_LIMITS];
void notify_init(void);

void notify_inode_(struct inode *ino, uint32_t mask);
void notify_dentry_(const struct dentry *d, uint32_t mask);
void notify_name_(struct inode *dir, uint32_t mask, const char *name, unsigned len,
                  uint32_t cookie);
void notify_gone_(struct inode *ino);
void notify_unmount_(const struct sb *sb);

/* To who watches the file itself. */
static inline void notify_inode(struct inode *ino, uint32_t mask)
{
    if (__builtin_expect(notify_watches != 0, 0)) {
        notify_inode_(ino, mask);
    }
}
/* To these, and to who watches the directory. */
static inline void notify_dentry(const struct dentry *d, uint32_t mask)
{
    if (__builtin_expect(notify_watches != 0, 0)) {
        notify_dentry_(d, mask);
    }
}
static inline void notify_file(const struct file *f, uint32_t mask)
{
    if (__builtin_expect(notify_watches != 0, 0) && f->dentry != NULL && (f->flags & O_PATH) == 0) {
        notify_dentry_(f->dentry, mask);
    }
}
/* A name of dir came or went. */
static inline void notify_name(struct inode *dir, uint32_t mask, const char *name, unsigned len)
{
    if (__builtin_expect(notify_watches != 0, 0)) {
        notify_name_(dir, mask, name, len, 0);
    }
}
/* The last name of the file went, and nobody has it open. */
static inline void notify_gone(struct inode *ino)
{
    if (__builtin_expect(ino->watches != NULL, 0)) {
        notify_gone_(ino);
    }
}
uint32_t notify_cookie(void); /* ties the two halves of a rename together */

#endif
