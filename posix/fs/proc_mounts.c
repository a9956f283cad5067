/* procfs: the mounts a process sees, as texts whose files tell poll of changes: POLLERR and POLLPRI, once each. */
#include "fs/procfs.h"
#include "path/path.h"

/* Seen from the root of whom it is about. */
static int show_mounts(struct text *t, const struct inode *ino, enum mount_format format)
{
    const struct task *who = procfs_task(ino);
    if (who == NULL || who->fs == NULL) {
        return -EINVAL;
    }
    mount_text(t, &who->fs->root, format);
    return 0;
}

int proc_show_mounts(struct text *t, struct inode *ino)
{
    return show_mounts(t, ino, MOUNT_FSTAB);
}

int proc_show_mountinfo(struct text *t, struct inode *ino)
{
    return show_mounts(t, ino, MOUNT_INFO);
}

int proc_show_mountstats(struct text *t, struct inode *ino)
{
    return show_mounts(t, ino, MOUNT_STATS);
}

static unsigned mounts_poll(struct file *f, struct poll_table *pt)
{
    struct proc_text *t = f->priv;
    unsigned events = ABI_POLLIN | ABI_POLLRDNORM;
    if (pt != NULL) {
        poll_wait(pt, &mount_changed_wait);
    }
    if (t->seen != mount_changes) {
        t->seen = mount_changes;
        events |= ABI_POLLERR | ABI_POLLPRI;
    }
    return events;
}

const struct file_ops proc_mounts_ops = {
    .name = "mounts",
    .read = proc_text_read,
    .lseek = procfs_lseek,
    .poll = mounts_poll,
    .release = proc_text_release,
};
