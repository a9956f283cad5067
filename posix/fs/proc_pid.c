/* procfs: what it says about one process or thread. */
#include "fs/procfs.h"
#include "include/mm.h"
#include "include/sig.h"
#include "path/path.h"
#include "tty/tty.h"

#include <stdio.h>
#include <string.h>

typedef unsigned long ul;

/* A process is shown through its first thread; /proc/<pid>/task/<tid> through that one. */
struct who {
    struct process *p;
    struct task *t; /* NULL: a zombie */
    const struct cred *cred;
    const char *comm;
    int id;
    char state;
    struct mm_layout mm;
};

static int who_get(const struct inode *ino, struct who *w)
{
    w->p = procfs_process(ino);
    if (w->p == NULL) {
        return -ESRCH;
    }
    w->t = procfs_task(ino);
    if (w->t == NULL && ino->proc.tid != 0) {
        return -ESRCH;
    }
    w->cred = w->t != NULL ? &w->t->cred : &w->p->cred;
    w->comm = w->t != NULL ? w->t->comm : w->p->comm;
    w->id = ino->proc.tid != 0 ? ino->proc.tid : w->p->pid;
    w->state = w->p->zombie || w->t == NULL ? 'Z' : w->p->stopped ? 'T' : w->t->state;
    memset(&w->mm, 0, sizeof(w->mm));
    if (w->t != NULL && w->t->mm != NULL) {
        mm_layout(w->t->mm, &w->mm);
    }
    return 0;
}

static void signal_sets(const struct who *w, uint64_t *ignored, uint64_t *caught)
{
    *ignored = *caught = 0;
    if (w->t == NULL || w->t->sighand == NULL) {
        return;
    }
    for (int i = 0; i < SIG_COUNT; i++) {
        uint64_t handler = w->t->sighand->action[i].handler;
        *ignored |= handler == KSIG_IGN ? SIG_BIT(i + 1) : 0;
        *caught |= handler != KSIG_DFL && handler != KSIG_IGN ? SIG_BIT(i + 1) : 0;
    }
}

static ul user_ticks(uint64_t ns)
{
    return (ul)(ns / NSEC_PER_USER_TICK);
}

/* Only what belongs to whoever may look: addresses help an attacker. */
static ul secret(const struct who *w, uint64_t address)
{
    return procfs_may_look(w->p) ? (ul)address : 0;
}

static int show_stat(struct text *t, struct inode *ino)
{
    struct who w;
    int err = who_get(ino, &w);
    if (err < 0) {
        return err;
    }
    struct process *p = w.p;
    const struct session *s = p->session;
    const struct tty *tty = s != NULL ? s->tty : NULL;
    uint64_t utime, stime, cutime, cstime, ignored, caught;
    process_times(p, &utime, &stime, &cutime, &cstime);
    signal_sets(&w, &ignored, &caught);
    text_printf(t, "%d (%s) %c %d %d %d %d %d 0 %lu %lu 0 0 ", w.id, w.comm, w.state,
                p->parent != NULL ? p->parent->pid : 0, p->pgid, s != NULL ? s->sid : 0,
                tty != NULL ? (int)tty->dev : 0, tty != NULL ? tty->pgrp : -1, (ul)p->min_flt,
                (ul)p->cmin_flt);
    text_printf(t, "%lu %lu %lu %lu %d %d %u 0 %lu %lu %lu %lu ", user_ticks(utime),
                user_ticks(stime), user_ticks(cutime), user_ticks(cstime), 20 + p->nice, p->nice,
                p->nthreads != 0 ? p->nthreads : 1, user_ticks(mb_ticks_to_ns(p->start_ticks)),
                w.t != NULL ? (ul)process_vsize(p) : 0, w.t != NULL ? (ul)process_resident(p) : 0,
                (ul)p->rlimit[5][0]);
    text_printf(t, "%lu %lu %lu 0 0 %lu %lu %lu %lu 0 0 0 %d 0 %d %d 0 0 0 ",
                secret(&w, w.mm.code_start), secret(&w, w.mm.code_end), secret(&w, w.mm.stack_top),
                w.t != NULL ? (ul)(w.t->sigpending & 0x7fffffff) : 0,
                w.t != NULL ? (ul)(w.t->sigmask & 0x7fffffff) : 0, (ul)(ignored & 0x7fffffff),
                (ul)(caught & 0x7fffffff), p->exit_signal, w.t != NULL ? w.t->sched_prio : 0,
                w.t != NULL ? w.t->sched_policy : 0);
    text_printf(t, "%lu %lu %lu %lu %lu %lu %lu %d\n", secret(&w, w.mm.data_start),
                secret(&w, w.mm.data_end), secret(&w, w.mm.brk_start), secret(&w, w.mm.arg_start),
                secret(&w, w.mm.arg_end), secret(&w, w.mm.env_start), secret(&w, w.mm.env_end),
                procfs_may_look(p) ? p->exit_status : 0);
    return 0;
}

static const char *state_name(char state)
{
    switch (state) {
    case 'R':
        return "R (running)";
    case 'S':
        return "S (sleeping)";
    case 'D':
        return "D (disk sleep)";
    case 'T':
        return "T (stopped)";
    case 'Z':
        return "Z (zombie)";
    default:
        return "X (dead)";
    }
}

static size_t fill_signals(void *ctx, char *buf, size_t n)
{
    return proc_status_signals(ctx, buf, n);
}

static int show_status(struct text *t, struct inode *ino)
{
    struct who w;
    int err = who_get(ino, &w);
    if (err < 0) {
        return err;
    }
    const struct process *p = w.p;
    const struct cred *c = w.cred;
    text_printf(t, "Name:\t%s\n", w.comm);
    if (w.t != NULL && w.t->fs != NULL) {
        text_printf(t, "Umask:\t%04o\n", w.t->fs->umask);
    }
    text_printf(t, "State:\t%s\nTgid:\t%d\nNgid:\t0\nPid:\t%d\nPPid:\t%d\nTracerPid:\t0\n",
                state_name(w.state), p->pid, w.id, p->parent != NULL ? p->parent->pid : 0);
    text_printf(t, "Uid:\t%u\t%u\t%u\t%u\nGid:\t%u\t%u\t%u\t%u\n", c->ruid, c->euid, c->suid,
                c->fsuid, c->rgid, c->egid, c->sgid, c->fsgid);
    text_printf(t, "FDSize:\t%d\nGroups:\t", w.t != NULL && w.t->files != NULL ? 64 : 0);
    for (unsigned i = 0; c->groups != NULL && i < c->groups->count; i++) {
        text_printf(t, "%u ", c->groups->gid[i]);
    }
    text_printf(t, "\n");
    if (w.t != NULL && w.t->mm != NULL) {
        ul size = (ul)(process_vsize(p) / 1024), rss = (ul)(process_resident(p) * (MB_PAGE / 1024));
        ul page = MB_PAGE / 1024, peak = (ul)p->max_rss * page;
        text_printf(t,
                    "VmPeak:\t%8lu kB\nVmSize:\t%8lu kB\nVmLck:\t%8u kB\nVmPin:\t%8u kB\n"
                    "VmHWM:\t%8lu kB\nVmRSS:\t%8lu kB\nVmData:\t%8lu kB\nVmStk:\t%8lu kB\n"
                    "VmExe:\t%8lu kB\nVmLib:\t%8u kB\nVmSwap:\t%8u kB\n",
                    size, size, 0, 0, peak > rss ? peak : rss, rss, (ul)w.mm.data_pages * page,
                    (ul)w.mm.stack_pages * page, (ul)w.mm.text_pages * page, 0, 0);
    }
    text_printf(t, "Threads:\t%u\n", p->nthreads != 0 ? p->nthreads : 1);
    text_fill(t, fill_signals, w.p);
    text_printf(t, "NoNewPrivs:\t%d\n", p->no_new_privs);
    return 0;
}

static int show_statm(struct text *t, struct inode *ino)
{
    struct who w;
    int err = who_get(ino, &w);
    if (err < 0) {
        return err;
    }
    if (w.t == NULL || w.t->mm == NULL) {
        text_printf(t, "0 0 0 0 0 0 0\n");
        return 0;
    }
    text_printf(t, "%lu %lu 0 %lu 0 %lu 0\n", (ul)(process_vsize(w.p) / MB_PAGE),
                (ul)process_resident(w.p), (ul)w.mm.text_pages,
                (ul)(w.mm.data_pages + w.mm.stack_pages));
    return 0;
}

static int show_cmdline(struct text *t, struct inode *ino)
{
    struct who w;
    int err = who_get(ino, &w);
    if (err == 0 && w.t != NULL && w.p->cmdline != NULL) {
        text_add(t, w.p->cmdline, w.p->cmdline_len);
    }
    return err;
}

static int show_environ(struct text *t, struct inode *ino)
{
    struct who w;
    int err = who_get(ino, &w);
    if (err < 0) {
        return err;
    }
    if (!procfs_may_look(w.p)) {
        return -EACCES;
    }
    if (w.t != NULL && w.p->environ_ != NULL) {
        text_add(t, w.p->environ_, w.p->environ_len);
    }
    return 0;
}

static int show_comm(struct text *t, struct inode *ino)
{
    struct who w;
    int err = who_get(ino, &w);
    if (err == 0) {
        text_printf(t, "%s\n", w.comm);
    }
    return err;
}

static int store_comm(struct inode *ino, char *text, size_t n)
{
    struct task *t = procfs_task(ino);
    if (t == NULL) {
        return -ESRCH;
    }
    if (t->proc != current->proc) {
        return -EINVAL;
    }
    text[strcspn(text, "\n")] = 0;
    n = strlen(text);
    n = n < sizeof(t->comm) - 1 ? n : sizeof(t->comm) - 1;
    memset(t->comm, 0, sizeof(t->comm));
    memcpy(t->comm, text, n);
    return 0;
}

static size_t fill_maps(void *ctx, char *buf, size_t n)
{
    return proc_maps_text(ctx, buf, n);
}

static size_t fill_entropy(void *ctx, char *buf, size_t n)
{
    return proc_entropy_text(ctx, buf, n);
}

static int show_maps(struct text *t, struct inode *ino)
{
    struct who w;
    int err = who_get(ino, &w);
    if (err < 0) {
        return err;
    }
    if (!procfs_may_look(w.p)) {
        return -EACCES;
    }
    if (w.t != NULL) {
        text_fill(t, fill_maps, w.p);
    }
    return 0;
}

static int show_entropy(struct text *t, struct inode *ino)
{
    struct who w;
    int err = who_get(ino, &w);
    if (err == 0 && w.p->tax != NULL) {
        text_fill(t, fill_entropy, w.p);
    }
    return err;
}

static int show_limits(struct text *t, struct inode *ino)
{
    static const struct {
        const char *name, *unit;
    } limit[16] = {
        {"Max cpu time", "seconds"},     {"Max file size", "bytes"},
        {"Max data size", "bytes"},      {"Max stack size", "bytes"},
        {"Max core file size", "bytes"}, {"Max resident set", "bytes"},
        {"Max processes", "processes"},  {"Max open files", "files"},
        {"Max locked memory", "bytes"},  {"Max address space", "bytes"},
        {"Max file locks", "locks"},     {"Max pending signals", "signals"},
        {"Max msgqueue size", "bytes"},  {"Max nice priority", ""},
        {"Max realtime priority", ""},   {"Max realtime timeout", "us"},
    };
    const struct process *p = procfs_process(ino);
    if (p == NULL) {
        return -ESRCH;
    }
    text_printf(t, "%-25s %-20s %-20s %-10s\n", "Limit", "Soft Limit", "Hard Limit", "Units");
    for (int i = 0; i < 16; i++) {
        char value[2][24];
        for (int k = 0; k < 2; k++) {
            if (p->rlimit[i][k] == ABI_RLIM_INFINITY) {
                snprintf(value[k], sizeof(value[k]), "unlimited");
            } else {
                snprintf(value[k], sizeof(value[k]), "%lu", (ul)p->rlimit[i][k]);
            }
        }
        text_printf(t, "%-25s %-20s %-20s %-10s\n", limit[i].name, value[0], value[1],
                    limit[i].unit);
    }
    return 0;
}

static int show_zero(struct text *t, struct inode *ino)
{
    text_printf(t, "0\n");
    return 0;
}

static int store_nothing(struct inode *ino, char *text, size_t n)
{
    return 0;
}

/* ---- links ---- */

static int may_follow(const struct process *p)
{
    return p == NULL ? -ENOENT : procfs_may_look(p) ? 0 : -EACCES;
}

static int follow_exe(struct inode *ino, struct path *out)
{
    const struct process *p = procfs_process(ino);
    int err = may_follow(p);
    if (err == 0 && (p->exe == NULL || p->exe->dentry == NULL)) {
        err = -ENOENT;
    }
    if (err == 0) {
        *out = path_ref((struct path){.mnt = p->exe->mnt, .dentry = p->exe->dentry});
    }
    return err;
}

static int follow_dir(struct inode *ino, struct path *out, bool root)
{
    const struct task *t = procfs_task(ino);
    int err = may_follow(procfs_process(ino));
    if (err == 0 && (t == NULL || t->fs == NULL)) {
        err = -ENOENT;
    }
    if (err == 0) {
        *out = path_ref(root ? t->fs->root : t->fs->cwd);
    }
    return err;
}

static int follow_cwd(struct inode *ino, struct path *out)
{
    return follow_dir(ino, out, false);
}

static int follow_root(struct inode *ino, struct path *out)
{
    return follow_dir(ino, out, true);
}

#define FILE_ENTRY(n, m, f)                                \
    {                                                      \
        .name = n, .mode = m, .kind = PROC_FILE, .show = f \
    }
#define LINK_ENTRY(n, f)                                         \
    {                                                            \
        .name = n, .mode = 0777, .kind = PROC_MAGIC, .follow = f \
    }
#define COMMON_ENTRIES                                                                             \
    FILE_ENTRY("cmdline", 0444, show_cmdline),                                                     \
        {.name = "comm", .mode = 0644, .kind = PROC_FILE, .show = show_comm, .store = store_comm}, \
        LINK_ENTRY("cwd", follow_cwd), FILE_ENTRY("environ", 0400, show_environ),                  \
        LINK_ENTRY("exe", follow_exe), {.name = "fd", .mode = 0500, .kind = PROC_FDS},             \
        FILE_ENTRY("limits", 0444, show_limits), FILE_ENTRY("maps", 0444, show_maps),              \
        FILE_ENTRY("mounts", 0444, proc_show_mounts),                                              \
        {.name = "oom_score_adj",                                                                  \
         .mode = 0644,                                                                             \
         .kind = PROC_FILE,                                                                        \
         .show = show_zero,                                                                        \
         .store = store_nothing},                                                                  \
        LINK_ENTRY("root", follow_root), FILE_ENTRY("stat", 0444, show_stat),                      \
        FILE_ENTRY("statm", 0444, show_statm), FILE_ENTRY("status", 0444, show_status)

const struct proc_entry proc_pid_files[] = {
    COMMON_ENTRIES,
    FILE_ENTRY("entropy", 0444, show_entropy),
    {.name = "task", .mode = 0555, .kind = PROC_TASKS},
    {.name = NULL},
};
const struct proc_entry proc_task_files[] = {
    COMMON_ENTRIES,
    {.name = NULL},
};
