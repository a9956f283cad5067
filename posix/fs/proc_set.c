/* procfs: chmod, chown and utimes of what is there.
 *
 * What is of a process has the mode it has, and its owner is the process' whatever was set before; what is below
 * /proc/sys has its times alone.  All else keeps what was set, in a table of those that are not as they were made.
 */
#include "fs/procfs.h"

#define KEPT_MOST 128
static struct kept {
    const struct proc_entry *entry; /* NULL: free */
    uint32_t mode, uid, gid;
} kept[KEPT_MOST];
static bool any; /* there has been one: nearly always there is none to look for */

static struct kept *find(const struct proc_entry *e)
{
    for (unsigned i = 0; i < KEPT_MOST; i++) {
        if (kept[i].entry == e) {
            return &kept[i];
        }
    }
    return NULL;
}

static bool is_below(const struct proc_entry *e, const struct proc_entry *table)
{
    for (; table != NULL && table->name != NULL; table++) {
        if (table == e || (table->kind == PROC_DIR && is_below(e, table->children))) {
            return true;
        }
    }
    return false;
}

static bool is_sys(const struct proc_entry *e)
{
    return e->children == proc_sys_files || is_below(e, proc_sys_files);
}

int procfs_may_set(const struct inode *ino, unsigned what)
{
    const struct proc_entry *e = procfs_entry(ino);
    bool of_process = !S_ISLNK(ino->mode) && ino->proc.pid != 0;
    unsigned fixed = of_process ? SET_MODE : is_sys(e) ? SET_MODE | SET_OWNER : 0;
    return (what & fixed) != 0 ? -EPERM : 0;
}

int procfs_was_set(struct inode *ino)
{
    const struct proc_entry *e = procfs_entry(ino);
    if (S_ISLNK(ino->mode) || ino->proc.pid != 0) {
        return 0;
    }
    struct kept *k = find(e);
    if ((ino->mode & 07777) == e->mode && ino->uid == 0 && ino->gid == 0) { /* as made */
        e = NULL;
    } else if (k == NULL) {
        k = find(NULL);
        if (k == NULL) {
            return -ENOSPC;
        }
    }
    if (k != NULL) {
        any = true;
        *k = (struct kept){.entry = e, .mode = ino->mode, .uid = ino->uid, .gid = ino->gid};
    }
    return 0;
}

void procfs_as_set(struct inode *ino)
{
    const struct kept *k = any ? find(procfs_entry(ino)) : NULL;
    if (k != NULL) {
        ino->mode = k->mode;
        ino->uid = k->uid;
        ino->gid = k->gid;
    }
}
