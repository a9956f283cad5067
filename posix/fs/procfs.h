/* Inside procfs: tables of entries, and how each makes its text.
 *
 * A directory is a table of entries ending with a NULL name.  Inodes and dentries are made when looked up
 * and go when nobody uses them; an inode says which entry it shows and of which process.
 */
#ifndef POSIX_FS_PROCFS_H
#define POSIX_FS_PROCFS_H

#include "fs/inode.h"
#include "fs/text.h"
#include "include/mm.h"
#include "include/proc.h"

enum proc_kind {
    PROC_FILE,
    PROC_DIR,   /* children */
    PROC_ROOT,  /* children and a directory per process */
    PROC_TASKS, /* a directory per thread, children */
    PROC_FDS,   /* an entry per descriptor, made as children says */
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
    /* PROC_FILE: operations of its own, which may use show; may_open: 0 or an error. */
    const struct file_ops *fops;
    int (*may_open)(struct inode *ino);
    /* PROC_LINK: the text.  PROC_MAGIC: the path, referenced. */
    const char *link;
    int (*follow)(struct inode *ino, struct path *out);
    void *arg; /* for show and store */
};
static inline const struct proc_entry *procfs_entry(const struct inode *ino)
{
    return ino->entry;
}

extern const struct proc_entry proc_root_entry;
extern const struct proc_entry proc_root_files[];    /* proc_root.c */
extern const struct proc_entry proc_sys_files[];     /* proc_sys.c */
extern const struct proc_entry proc_nexus_files[];   /* proc_nexus.c */
extern const struct proc_entry proc_sysvipc_files[]; /* proc_ipc.c */
extern const struct proc_entry proc_pid_files[];     /* proc_pid.c */
extern const struct proc_entry proc_net_files[];     /* net/proc_net.c: of /proc/<pid>/net */
extern const struct proc_entry proc_task_files[];    /* of a thread: /proc/<pid>/task/<tid> */
extern const struct proc_entry proc_pid_entry, proc_task_entry, proc_fd_entry, proc_fdinfo_entry;
int procfs_self(struct inode *ino, struct path *out); /* follow of self, thread-self */
int procfs_thread_self(struct inode *ino, struct path *out);

/* The process or thread an inode is about; NULL when it is gone.  A zombie has no threads. */
bool procfs_is_process(const struct file *f); /* an open directory /proc/<pid>, not of a thread */
struct process *procfs_process(const struct inode *ino);
struct task *procfs_task(const struct inode *ino);
struct file *procfs_file(
    const struct inode *ino); /* of an entry in fd or fdinfo: borrowed, or NULL */
/* May the current thread look into p (files, memory map, environment)? */
bool procfs_may_look(const struct process *p);
/* A path to an open file that has no name (a pipe), so that it can be opened again. */
int procfs_anon_path(struct file *f, struct path *out);

/* ---- of a process: proc_pid.c has the tables, the others the texts ---- */

/* A process is shown through its first thread; /proc/<pid>/task/<tid> through that one. */
struct proc_who {
    struct process *p;
    struct task *t; /* NULL: a zombie */
    const struct cred *cred;
    const char *comm;
    int id;
    char state;
    struct mm_layout mm;
};
int proc_who(const struct inode *ino, struct proc_who *w); /* 0, -ESRCH */
/* Only who may look sees addresses: they help an attacker. */
static inline unsigned long proc_secret(const struct proc_who *w, uint64_t address)
{
    return procfs_may_look(w->p) ? address : 0;
}
typedef int proc_show(struct text *t, struct inode *ino);
/* proc_stat.c */
proc_show proc_show_stat, proc_show_status, proc_show_statm, proc_show_io;
/* proc_mem.c */
proc_show proc_show_maps, proc_show_smaps, proc_show_smaps_rollup, proc_show_auxv;
/* proc_memory.c: mem */
extern const struct file_ops proc_mem_ops;
int proc_mem_open(struct inode *ino);
/* proc_fd.c */
proc_show proc_show_fdinfo, proc_show_locks;
/* proc_mounts.c */
proc_show proc_show_mounts, proc_show_mountinfo, proc_show_mountstats;
extern const struct file_ops proc_mounts_ops;
/* proc_system.c */
proc_show proc_show_meminfo, proc_show_vmstat, proc_show_cpu_stat, proc_show_uptime,
    proc_show_loadavg, proc_show_cpuinfo, proc_show_interrupts;

/* What was written, as one number from min to max: 0 or -EINVAL. */
int procfs_number(const char *text, long min, long max, long *out);
int proc_sysrq(struct inode *ino, char *text, size_t n);

/* The same file has the same number as long as its process lives. */
uint64_t procfs_ino(const struct proc_entry *e, int pid, int tid, int fd);
/* What a file made of text has as its priv, and two operations of such files. */
struct proc_text {
    struct text text;
    uint64_t seen; /* mounts: mount_changes when it was opened or polled last */
};
long proc_text_read(struct file *f, struct iobuf *b, int64_t *pos);
void proc_text_release(struct file *f);
extern const struct file_ops procfs_file_ops, procfs_dir_ops;
/* proc_set.c: mode and owner as they were set, for inodes are made anew. */
int procfs_may_set(const struct inode *ino, unsigned what);
int procfs_was_set(struct inode *ino);
void procfs_as_set(struct inode *ino);
int procfs_open(struct inode *ino, struct file *f);
int64_t procfs_lseek(struct file *f, int64_t off, int whence);

int procfs_init(void);

#define PROC_TEXT(n, f)                                       \
    {                                                         \
        .name = n, .mode = 0444, .kind = PROC_FILE, .show = f \
    }
#define PROC_FOLDER(n, c)                                        \
    {                                                            \
        .name = n, .mode = 0555, .kind = PROC_DIR, .children = c \
    }

#endif
