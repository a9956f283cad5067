/* procfs: the tree and its links.
 *
 * Inodes and dentries are made when looked up.  Reading files and folders is in proc_file.c and proc_dir.c; what
 * the files say is in the other proc_*.c.
 */
#include "fs/procfs.h"
#include "fd/fd_int.h"

#include <stdio.h>
#include <string.h>

static struct sb *proc_sb;
static struct mount *anon_mount;

static const struct inode_ops proc_iops, proc_link_iops, proc_magic_iops;

/* ---- inodes ---- */

bool procfs_is_process(const struct file *f)
{
    return f->ops == &procfs_dir_ops && procfs_entry(f->inode) == &proc_pid_entry;
}

struct process *procfs_process(const struct inode *ino)
{
    struct process *p = process_find(ino->proc.pid);
    return p != NULL && p->start_ticks == ino->proc.start ? p : NULL;
}

struct task *procfs_task(const struct inode *ino)
{
    const struct process *p = procfs_process(ino);
    struct task *t = p != NULL ? p->threads : NULL;
    while (t != NULL && ino->proc.tid != 0 && t->tid != ino->proc.tid) {
        t = t->next_thread;
    }
    return t;
}

bool procfs_may_look(const struct process *p)
{
    return process_may_look(p, true);
}

/* The same file has the same number as long as its process lives. */
uint64_t procfs_ino(const struct proc_entry *e, int pid, int tid, int fd)
{
    uint64_t where = (uintptr_t)e >> 3 & 0x3ffff; /* entries of one image lie near each other */
    return where | (uint64_t)(fd + 1) << 18 | (uint64_t)(tid != 0 ? tid : pid) << 39;
}

static struct inode *proc_inode(const struct proc_entry *e, int pid, int tid, int fd)
{
    static const uint32_t type[] = {
        [PROC_FILE] = S_IFREG, [PROC_DIR] = S_IFDIR,  [PROC_ROOT] = S_IFDIR, [PROC_TASKS] = S_IFDIR,
        [PROC_FDS] = S_IFDIR,  [PROC_LINK] = S_IFLNK, [PROC_MAGIC] = S_IFLNK};
    bool dir = type[e->kind] == S_IFDIR;
    const struct inode_ops *ops = e->kind == PROC_LINK    ? &proc_link_iops
                                  : e->kind == PROC_MAGIC ? &proc_magic_iops
                                                          : &proc_iops;
    struct inode *ino =
        inode_make(proc_sb, ops, dir ? &procfs_dir_ops : &procfs_file_ops, type[e->kind] | e->mode);
    if (ino == NULL) {
        return NULL;
    }
    ino->entry = e;
    ino->ino = procfs_ino(e, pid, tid, fd);
    if (e->kind == PROC_LINK) {
        ino->link = (char *)e->link; /* shares its room with proc, which links do not need */
        ino->size = (int64_t)strlen(e->link);
        return ino;
    }
    memset(&ino->proc, 0, sizeof(ino->proc));
    ino->proc.pid = pid;
    ino->proc.tid = tid;
    ino->proc.fd = fd;
    procfs_as_set(ino);
    const struct process *p = pid != 0 ? process_find(pid) : NULL;
    if (p != NULL) {
        const struct cred *c = process_cred(p);
        ino->proc.start = p->start_ticks;
        if (p->dumpable || ino->mode == (S_IFDIR | 0555)) { /* else nobody's but root's */
            ino->uid = c->euid;
            ino->gid = c->egid;
        }
    }
    return ino;
}

static int proc_dentry(struct dentry *dir, const char *name, unsigned len, struct inode *ino,
                       struct dentry **out)
{
    if (ino == NULL) {
        return -ENOMEM;
    }
    *out = dentry_make(dir, name, len, 0, ino);
    if (*out == NULL) {
        inode_unref(ino);
        return -ENOMEM;
    }
    return 0;
}

/* A decimal number as Linux takes it here: no sign, no leading zero.  -1: none. */
static int parse_number(const char *s, unsigned len)
{
    int n = 0;
    if (len == 0 || len > 9 || (s[0] == '0' && len > 1)) {
        return -1;
    }
    for (unsigned i = 0; i < len; i++) {
        if (s[i] < '0' || s[i] > '9') {
            return -1;
        }
        n = n * 10 + (s[i] - '0');
    }
    return n;
}

static struct file *task_file(const struct task *t, int fd)
{
    struct file *f = NULL;
    return t != NULL && t->files != NULL && files_next(t->files, fd, &f) == fd ? f : NULL;
}

struct file *procfs_file(const struct inode *ino)
{
    return task_file(procfs_task(ino), ino->proc.fd);
}

static int proc_lookup(struct dentry *dir, const char *name, unsigned len, struct dentry **out)
{
    const struct inode *ino = dir->inode;
    const struct proc_entry *e = procfs_entry(ino);
    int pid = ino->proc.pid, tid = ino->proc.tid;

    if (pid != 0 && procfs_process(ino) == NULL) {
        return -ENOENT;
    }
    int n = e->kind != PROC_DIR ? parse_number(name, len) : -1;
    if (n >= 0 && e->kind == PROC_ROOT) {
        const struct process *p = process_find(n);
        const struct task *t = p == NULL ? task_find(n) : NULL; /* there too, and in no list */
        if (p == NULL && t == NULL) {
            return -ENOENT;
        }
        struct inode *of =
            proc_inode(&proc_pid_entry, t != NULL ? t->proc->pid : n, t != NULL ? n : 0, -1);
        return proc_dentry(dir, name, len, of, out);
    }
    if (n >= 0 && e->kind == PROC_TASKS) {
        const struct task *t = task_find(n);
        return t == NULL || t->proc != procfs_process(ino)
                   ? -ENOENT
                   : proc_dentry(dir, name, len, proc_inode(&proc_task_entry, pid, n, -1), out);
    }
    if (n >= 0 && e->kind == PROC_FDS) {
        return task_file(procfs_task(ino), n) == NULL
                   ? -ENOENT
                   : proc_dentry(dir, name, len, proc_inode(e->children, pid, tid, n), out);
    }
    if (e->kind == PROC_FDS) {
        return -ENOENT;
    }
    for (const struct proc_entry *c = e->children; c != NULL && c->name != NULL; c++) {
        if (strlen(c->name) == len && memcmp(c->name, name, len) == 0) {
            return proc_dentry(dir, name, len, proc_inode(c, pid, tid, -1), out);
        }
    }
    return -ENOENT;
}

static int proc_permission(struct inode *ino, unsigned may)
{
    const struct process *p =
        ino->proc.pid != 0 && !S_ISLNK(ino->mode) ? procfs_process(ino) : NULL;
    const struct proc_entry *e = procfs_entry(ino);
    if (p != NULL && e->kind == PROC_FDS && procfs_may_look(p)) {
        return 0;
    }
    return inode_mode_permission(ino, may);
}

static void proc_stat(struct inode *ino, struct kstat *st)
{
    st->blocks = 0;
    st->blksize = 1024;
    if (procfs_entry(ino)->kind == PROC_ROOT) {
        for (const struct process *p = process_first(); p != NULL; p = p->next) {
            st->nlink++;
        }
    }
}

/* ---- links ---- */

/* An open file without a name gets a dentry of its own, seen through a mount that is nowhere. */
int procfs_anon_path(struct file *f, struct path *out)
{
    struct dentry *d =
        dentry_make(NULL, f->ops->name, (unsigned)strlen(f->ops->name), 0, inode_ref(f->inode));
    if (d == NULL) {
        inode_unref(f->inode);
        return -ENOMEM;
    }
    *out = (struct path){.mnt = mount_ref(anon_mount), .dentry = d};
    return 0;
}

static int fd_follow(struct inode *ino, struct path *out)
{
    const struct process *p = procfs_process(ino);
    struct file *f = procfs_file(ino);
    if (p == NULL || f == NULL) {
        return -ENOENT;
    }
    if (!procfs_may_look(p)) {
        return -EACCES;
    }
    if (f->dentry == NULL) {
        return procfs_anon_path(f, out);
    }
    *out = path_ref((struct path){.mnt = f->mnt, .dentry = f->dentry});
    return 0;
}

static int child_path(int pid, int tid, struct path *out)
{
    /* The root inode has one dentry; what is below is made anew. */
    char name[12];
    struct dentry *d, *task = NULL;
    unsigned len = (unsigned)snprintf(name, sizeof(name), "%d", pid);
    int err = proc_lookup(proc_sb->root, name, len, &d);
    if (err == 0 && tid != 0) {
        struct dentry *dir;
        err = proc_lookup(d, "task", 4, &dir);
        dentry_unref(d);
        if (err == 0) {
            len = (unsigned)snprintf(name, sizeof(name), "%d", tid);
            err = proc_lookup(dir, name, len, &task);
            dentry_unref(dir);
            d = task;
        }
    }
    if (err < 0) {
        return err;
    }
    struct mount *m = mount_list;
    while (m != NULL && m->sb != proc_sb) {
        m = m->next;
    }
    if (m == NULL) {
        dentry_unref(d);
        return -ENOENT;
    }
    *out = (struct path){.mnt = mount_ref(m), .dentry = d};
    return 0;
}

int procfs_self(struct inode *ino, struct path *out)
{
    return child_path(current->proc->pid, 0, out);
}

int procfs_thread_self(struct inode *ino, struct path *out)
{
    return child_path(current->proc->pid, current->tid, out);
}

static int proc_follow(struct inode *ino, struct path *out)
{
    return procfs_entry(ino)->follow(ino, out);
}

static int proc_readlink(struct inode *ino, char *buf, size_t n)
{
    const struct proc_entry *e = procfs_entry(ino);
    if (e->follow == procfs_self) {
        return snprintf(buf, n, "%d", current->proc->pid);
    }
    if (e->follow == procfs_thread_self) {
        return snprintf(buf, n, "%d/task/%d", current->proc->pid, current->tid);
    }
    if (e == &proc_fd_entry) {
        const struct process *p = procfs_process(ino);
        const struct file *f = procfs_file(ino);
        if (p == NULL || f == NULL) {
            return -ENOENT;
        }
        return procfs_may_look(p) ? (int)file_path(f, buf, n) : -EACCES;
    }
    struct path to;
    int err = e->follow(ino, &to);
    if (err < 0) {
        return err;
    }
    long len = path_text(to, &fsctx_now()->root, buf, n, NULL);
    path_unref(to);
    return (int)len;
}

/* Links with a fixed text are followed by it. */
static const struct inode_ops proc_link_iops = {
    .permission = proc_permission,
    .stat = proc_stat,
    .may_set = procfs_may_set,
};
static const struct inode_ops proc_magic_iops = {
    .permission = proc_permission,
    .stat = proc_stat,
    .may_set = procfs_may_set,
    .was_set = procfs_was_set,
    .follow = proc_follow,
    .readlink = proc_readlink,
};

static const struct inode_ops proc_iops = {
    .lookup = proc_lookup,
    .open = procfs_open,
    .permission = proc_permission,
    .stat = proc_stat,
    .may_set = procfs_may_set,
    .was_set = procfs_was_set,
};

/* ---- setting up ---- */

const struct proc_entry proc_root_entry = {
    .name = "/", .mode = 0555, .kind = PROC_ROOT, .children = proc_root_files};
const struct proc_entry proc_pid_entry = {
    .name = "pid", .mode = 0555, .kind = PROC_DIR, .children = proc_pid_files};
const struct proc_entry proc_task_entry = {
    .name = "task", .mode = 0555, .kind = PROC_DIR, .children = proc_task_files};
const struct proc_entry proc_fd_entry = {
    .name = "fd", .mode = 0700, .kind = PROC_MAGIC, .follow = fd_follow};
const struct proc_entry proc_fdinfo_entry = {
    .name = "fdinfo", .mode = 0444, .kind = PROC_FILE, .show = proc_show_fdinfo};

static int proc_mount(const struct fs_type *type, const char *options, struct sb **out)
{
    proc_sb->refs++;
    *out = proc_sb;
    return 0;
}

const struct fs_type proc_type = {
    .name = "proc", .nodev = true, .magic = 0x9fa0, .mount = proc_mount};

int procfs_init(void)
{
    proc_sb = sb_make(&proc_type);
    if (proc_sb == NULL) {
        return -ENOMEM;
    }
    struct inode *ino = proc_inode(&proc_root_entry, 0, 0, -1);
    if (ino == NULL) {
        return -ENOMEM;
    }
    proc_sb->root = dentry_make(NULL, "/", 1, 0, ino);
    if (proc_sb->root == NULL) {
        inode_unref(ino);
        return -ENOMEM;
    }
    anon_mount = mb_zalloc(sizeof(*anon_mount));
    if (anon_mount == NULL) {
        return -ENOMEM;
    }
    *anon_mount = (struct mount){.root = dentry_ref(proc_sb->root), .sb = proc_sb, .refs = 1};
    proc_sb->refs++;
    return 0;
}
