/* procfs: reading a directory: first the entries of its table, then those that have a number for a name. */
#include "fs/procfs.h"

#include <stdio.h>
#include <string.h>

#define POS_CHILDREN 2
#define POS_NUMBERS 0x1000 /* behind the fixed entries: one per number */

/* The lowest number >= from that has an entry here, with its entry; -1: none. */
static int next_number(const struct inode *dir, int from)
{
    int best = -1;
    switch (procfs_entry(dir)->kind) {
    case PROC_ROOT:
        for (const struct process *p = process_first(); p != NULL; p = p->next) {
            if (p->pid >= from && (best < 0 || p->pid < best)) {
                best = p->pid;
            }
        }
        return best;
    case PROC_TASKS: {
        const struct process *p = procfs_process(dir);
        for (const struct task *t = p != NULL ? p->threads : NULL; t != NULL; t = t->next_thread) {
            if (t->tid >= from && (best < 0 || t->tid < best)) {
                best = t->tid;
            }
        }
        return best;
    }
    case PROC_FDS: {
        const struct task *t = procfs_task(dir);
        return t != NULL && t->files != NULL ? files_next(t->files, from, NULL) : -1;
    }
    default:
        return -1;
    }
}

static int put_numbers(struct file *f, struct iobuf *b)
{
    const struct inode *dir = f->inode;
    unsigned kind = procfs_entry(dir)->kind;
    for (;;) {
        int n = next_number(dir, (int)(f->pos - POS_NUMBERS));
        if (n < 0) {
            return 0;
        }
        char name[12];
        unsigned len = (unsigned)snprintf(name, sizeof(name), "%d", n);
        uint64_t ino = kind == PROC_ROOT    ? procfs_ino(&proc_pid_entry, n, 0, -1)
                       : kind == PROC_TASKS ? procfs_ino(&proc_task_entry, dir->proc.pid, n, -1)
                                            : procfs_ino(procfs_entry(dir)->children, dir->proc.pid,
                                                         dir->proc.tid, n);
        uint32_t type = kind != PROC_FDS                                ? S_IFDIR
                        : procfs_entry(dir)->children == &proc_fd_entry ? S_IFLNK
                                                                        : S_IFREG;
        int err = dirent_put(b, ino, POS_NUMBERS + n + 1, type, name, len);
        if (err != 0) {
            return err;
        }
        f->pos = POS_NUMBERS + n + 1;
    }
}

static int put_children(struct file *f, struct iobuf *b)
{
    const struct inode *dir = f->inode;
    const struct proc_entry *e = procfs_entry(dir), *c = e->kind != PROC_FDS ? e->children : NULL;
    for (int64_t i = 0; c != NULL && c[i].name != NULL; i++) {
        if (i + POS_CHILDREN < f->pos) {
            continue;
        }
        uint32_t type = c[i].kind == PROC_FILE                              ? S_IFREG
                        : c[i].kind == PROC_LINK || c[i].kind == PROC_MAGIC ? S_IFLNK
                                                                            : S_IFDIR;
        int err = dirent_put(b, procfs_ino(&c[i], dir->proc.pid, dir->proc.tid, -1),
                             i + POS_CHILDREN + 1, type, c[i].name, (unsigned)strlen(c[i].name));
        if (err != 0) {
            return err;
        }
        f->pos = i + POS_CHILDREN + 1;
    }
    f->pos = POS_NUMBERS;
    return 0;
}

static int proc_getdents(struct file *f, struct iobuf *b)
{
    const struct inode *dir = f->inode;
    size_t room = b->len;
    if (dir->proc.pid != 0 && procfs_process(dir) == NULL) {
        return -ENOENT;
    }
    int err = dirent_dots(f, b);
    if (err == 0 && f->pos < POS_NUMBERS) {
        err = put_children(f, b);
    }
    if (err == 0) {
        err = put_numbers(f, b);
    }
    if (b->len != room) {
        return (int)(room - b->len);
    }
    return err > 0 ? -EINVAL : err;
}

static long proc_dir_read(struct file *f, struct iobuf *b, int64_t *pos)
{
    return -EISDIR;
}

const struct file_ops procfs_dir_ops = {
    .name = "procdir",
    .read = proc_dir_read,
    .lseek = procfs_lseek,
    .getdents = proc_getdents,
};
