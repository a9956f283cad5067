/* procfs: open files of a process, and all file locks. */
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
    if (f->ops->info != NULL) {
        f->ops->info(f, t);
    }
    return 0;
}

int proc_show_locks(struct text *t, struct inode *ino)
{
    locks_text(t, NULL, NULL, NULL);
    return 0;
}
