/* procfs: open files of a process, the mounts it sees, and all file locks. */
#include "fs/procfs.h"
#include "fd/fd_int.h"

#include <stdio.h>

int proc_show_fdinfo(struct text *t, struct inode *ino)
{
    const struct process *p = procfs_process(ino);
    const struct task *who = procfs_task(ino);
    struct file *f = procfs_file(ino);
    if (p == NULL || f == NULL) {
        return -ENOENT;
    }
    if (!procfs_may_look(p)) {
        return -EACCES;
    }
    unsigned fd = (unsigned)ino->proc.fd;
    bool cloexec = (who->files->cloexec[fd / 64] >> fd % 64 & 1) != 0;
    text_printf(t, "pos:\t%ld\nflags:\t0%o\nmnt_id:\t%u\nino:\t%lu\n", (long)f->pos,
                f->flags | (cloexec ? O_CLOEXEC : 0), f->mnt != NULL ? f->mnt->id : 0,
                (unsigned long)f->inode->ino);
    locks_text(t, f->inode, f, who->files);
    return 0;
}

int proc_show_locks(struct text *t, struct inode *ino)
{
    locks_text(t, NULL, NULL, NULL);
    return 0;
}

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
