/* Inside procfs: tables of entries, and how each makes its text.
 *
 * A directory is a table of entries ending with a NULL name.  Inodes and dentries are made when looked up
 * and go when nobody uses them; an inode says which entry it shows and of which process.
 */
#ifndef POSIX_FS_PROCFS_H
#define POSIX_FS_PROCFS_H

#include "fs/inode.h"
#include "fs/text.h"
#include "include/proc.h"

enum proc_kind {
    PROC_FILE,
    PROC_DIR,   /* children */
    PROC_ROOT,  /* children and a directory per process */
    PROC_TASKS, /* a directory per thread, children */
    PROC_FDS,   /* a link per descriptor */
    PROC_LINK,  /* link */
    PROC_MAGIC, /* a link that is followed by object, not by text */
};

struct proc_entry {
    const char *name;
    uint16_t mode; /* permission bits */
    uint8_t kind;
    const struct proc_entry *children;
    /* PROC_FILE: add the text; 0 or an error. */
    int (*show)(struct text *t, struct inode *ino);
    /* PROC_FILE: what is written, whole and NUL-terminated. */
    int (*store)(struct inode *ino, char *text, size_t n);
    /* PROC_LINK: the text.  PROC_MAGIC: the path, referenced. */
    const char *link;
    int (*follow)(struct inode *ino, struct path *out);
};

extern const struct proc_entry proc_root_entry;
extern const struct proc_entry proc_root_files[]; /* proc_sys.c */
extern const struct proc_entry proc_pid_files[];  /* proc_pid.c */
extern const struct proc_entry proc_task_files[]; /* of a thread: /proc/<pid>/task/<tid> */
extern const struct proc_entry proc_net_files[];  /* net/proc_net.c: of /proc/<pid>/net */
extern const struct proc_entry proc_pid_entry, proc_task_entry, proc_fd_entry;
int procfs_self(struct inode *ino, struct path *out); /* follow of self, thread-self */
int procfs_thread_self(struct inode *ino, struct path *out);

/* The process or thread an inode is about; NULL when it is gone.  A zombie has no threads. */
struct process *procfs_process(const struct inode *ino);
struct task *procfs_task(const struct inode *ino);
/* May the current thread look into p (files, memory map, environment)? */
bool procfs_may_look(const struct process *p);
/* A path to an open file that has no name (a pipe), so that it can be opened again. */
int procfs_anon_path(struct file *f, struct path *out);

int proc_show_mounts(struct text *t, struct inode *ino);
int proc_show_beb(struct text *t, struct inode *ino); /* proc_nexus.c */
int proc_show_cell(struct text *t, struct inode *ino);
int proc_sysrq(struct inode *ino, char *text, size_t n);

int procfs_init(void);

#endif
