/* procfs: chmod, chown and utimes of what is there.
 *
 * What is of a process has the mode it has, and its owner is the process' whatever was set before; what is below
 * /proc/sys has its times alone.  All else keeps what was set, in a list of those that are not as they were made.
 */
#include "fs/procfs.h"

static struct kept {
    struct kept *next;
    const struct proc_entry *entry;
    uint32_t mode, uid, gid;
} * all;

static struct kept **find(const struct proc_entry *e)
{
    struct kept **at = &all;
    while (*at != NULL && (*at)->entry != e) {
        at = &(*at)->next;
    }
    return at;
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
    struct kept **at = find(e), *k = *at;
    if (S_ISLNK(ino->mode) || ino->proc.pid != 0) {
        return 0;
    }
    if ((ino->mode & 07777) == e->mode && ino->uid == 0 && ino->gid == 0) { /* as made */
        if (k != NULL) {
            *at = k->next;
            mb_free(k);
        }
        return 0;
    }
    if (k == NULL) {
        k = mb_alloc(sizeof(*k));
        if (k == NULL) {
            return -ENOMEM;
        }
        k->next = all;
        k->entry = e;
        all = k;
    }
    k->mode = ino->mode;
    k->uid = ino->uid;
    k->gid = ino->gid;
    return 0;
}

void procfs_as_set(struct inode *ino)
{
    const struct kept *k = all != NULL ? *find(procfs_entry(ino)) : NULL;
    if (k != NULL) {
        ino->mode = k->mode;
        ino->uid = k->uid;
        ino->gid = k->gid;
    }
}
