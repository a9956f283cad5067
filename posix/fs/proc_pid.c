/* procfs: the files of a process or thread; the texts of the larger ones are in proc_stat.c, proc_mem.c and
 * proc_fd.c. */
#include "fs/procfs.h"
#include "path/path.h"

#include <stdio.h>
#include <string.h>

typedef unsigned long ul;

int proc_who(const struct inode *ino, struct proc_who *w)
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
    w->state = w->p->zombie || w->t == NULL          ? 'Z'
               : w->p->stopped && w->t->state != 't' ? 'T'
                                                     : w->t->state;
    memset(&w->mm, 0, sizeof(w->mm));
    if (w->t != NULL && w->t->mm != NULL) {
        mm_layout(w->t->mm, &w->mm);
    }
    return 0;
}

/* What is in the program's memory there now, as far as it can be read; up to and with the first NUL when it is
 * a title. */
static void add_memory(struct text *t, struct mm *mm, uint64_t at, uint64_t end, bool title)
{
    char *page = mb_alloc(MB_PAGE);
    t->failed |= page == NULL;
    while (page != NULL && at < end) {
        size_t n = end - at < MB_PAGE ? end - at : MB_PAGE;
        size_t got = mm_remote_read(mm, at, page, n, true);
        size_t len = title ? strnlen(page, got) : got;
        text_add(t, page, len < got ? len + 1 : len);
        at = got < n || title ? end : at + got;
    }
    mb_free(page);
}

/* A program may write itself a title over its arguments, as nginx does; one that is longer than they were goes on
 * over the environment behind them. Titles are cut at a page, as on Linux. */
static void add_arguments(struct text *t, struct mm *mm, const struct mm_layout *l)
{
    char last = 0;
    if (l->arg_start >= l->arg_end) {
        return;
    }
    bool title = mm_remote_read(mm, l->arg_end - 1, &last, 1, true) == 1 && last != 0;
    bool behind = title && l->env_start == l->arg_end && l->env_end > l->arg_end;
    add_memory(t, mm, l->arg_start, behind ? l->env_end : l->arg_end, title);
}

static int show_cmdline(struct text *t, struct inode *ino)
{
    struct proc_who w;
    int err = proc_who(ino, &w);
    if (err == 0 && w.t != NULL && w.t->mm != NULL) {
        struct mm *mm = mm_ref(w.t->mm); /* the thread may end while a page is read from a file */
        add_arguments(t, mm, &w.mm);
        mm_unref(mm);
    }
    return err;
}

static int show_environ(struct text *t, struct inode *ino)
{
    struct proc_who w;
    int err = proc_who(ino, &w);
    if (err < 0) {
        return err;
    }
    if (!procfs_may_look(w.p)) {
        return -EACCES;
    }
    if (w.t != NULL && w.t->mm != NULL) {
        struct mm *mm = mm_ref(w.t->mm);
        add_memory(t, mm, w.mm.env_start, w.mm.env_end, false);
        mm_unref(mm);
    }
    return 0;
}

static int show_comm(struct text *t, struct inode *ino)
{
    struct proc_who w;
    int err = proc_who(ino, &w);
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

static size_t fill_entropy(void *ctx, char *buf, size_t n)
{
    return proc_entropy_text(ctx, buf, n);
}

static int show_entropy(struct text *t, struct inode *ino)
{
    struct proc_who w;
    int err = proc_who(ino, &w);
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

/* ---- small ones ---- */

/* Has to do with what does not exist here: what Linux says when it is not used. */
static int show_word(struct text *t, struct inode *ino)
{
    text_printf(t, "%s", (const char *)procfs_entry(ino)->arg);
    return 0;
}

static int store_nothing(struct inode *ino, char *text, size_t n)
{
    return 0;
}

static int slack_of(const struct inode *ino, struct task **t)
{
    *t = procfs_task(ino);
    if (*t == NULL) {
        return -ESRCH;
    }
    return *t == current || capable(CAP_SYS_NICE) ? 0 : -EPERM;
}

static int show_timer_slack(struct text *t, struct inode *ino)
{
    struct task *who;
    int err = slack_of(ino, &who);
    if (err == 0) {
        text_printf(t, "%lu\n", (unsigned long)who->timer_slack);
    }
    return err;
}

static int store_timer_slack(struct inode *ino, char *text, size_t n)
{
    struct task *who;
    long value;
    int err = procfs_number(text, 0, INT64_MAX, &value);
    err = err < 0 ? err : slack_of(ino, &who);
    if (err == 0) {
        who->timer_slack = value != 0 ? (uint64_t)value : who->timer_slack_default;
    }
    return err;
}

static int show_personality(struct text *t, struct inode *ino)
{
    const struct process *p = procfs_process(ino);
    if (p == NULL) {
        return -ESRCH;
    }
    if (!procfs_may_look(p)) {
        return -EACCES;
    }
    text_printf(t, "%08x\n", p->personality);
    return 0;
}

static int show_children(struct text *t, struct inode *ino)
{
    const struct process *p = procfs_process(ino);
    const struct task *who = procfs_task(ino);
    for (const struct process *c = p != NULL && who == p->threads ? p->children : NULL; c != NULL;
         c = c->sibling) {
        text_printf(t, "%d ", c->pid);
    }
    return 0;
}

/* ---- who has to go when memory is out (proc/oom.c) ---- */

static int show_oom_score(struct text *t, struct inode *ino)
{
    const struct process *p = procfs_process(ino);
    if (p == NULL) {
        return -ESRCH;
    }
    uint64_t total = mb_pages_total(), points = process_badness(p);
    points = points * 1000 / (total != 0 ? total : 1);
    text_printf(t, "%lu\n", (ul)(points < 2000 ? points : 2000));
    return 0;
}

static int show_oom_adj(struct text *t, struct inode *ino)
{
    const struct process *p = procfs_process(ino);
    if (p == NULL) {
        return -ESRCH;
    }
    text_printf(t, "%d\n", p->oom_score_adj);
    return 0;
}

static int store_oom_adj(struct inode *ino, char *text, size_t n)
{
    struct process *p = procfs_process(ino);
    long adj;
    int err = procfs_number(text, -1000, 1000, &adj);
    if (err < 0) {
        return err;
    }
    if (p == NULL) {
        return -ESRCH;
    }
    bool may = capable(CAP_SYS_RESOURCE);
    if (adj < p->oom_score_adj_min && !may) {
        return -EACCES;
    }
    p->oom_score_adj = (int)adj;
    if (may) {
        p->oom_score_adj_min = (int)adj; /* below it only somebody as mighty goes */
    }
    return 0;
}

/* ---- the tables ---- */

#define FILE_ENTRY(n, m, f)                                \
    {                                                      \
        .name = n, .mode = m, .kind = PROC_FILE, .show = f \
    }
#define WORD_ENTRY(n, m, text)                                          \
    {                                                                   \
        .name = n, .mode = m, .kind = PROC_FILE, .show = show_word,     \
        .store = (m)&0200 ? store_nothing : NULL, .arg = (char *)(text) \
    }
#define LINK_ENTRY(n, f)                                         \
    {                                                            \
        .name = n, .mode = 0777, .kind = PROC_MAGIC, .follow = f \
    }
#define MEM_ENTRY                                                              \
    {                                                                          \
        .name = "mem", .mode = 0600, .kind = PROC_FILE, .fops = &proc_mem_ops, \
        .may_open = proc_mem_open                                              \
    }
#define MOUNTS_ENTRY(n, m, f)                                                        \
    {                                                                                \
        .name = n, .mode = m, .kind = PROC_FILE, .show = f, .fops = &proc_mounts_ops \
    }
#define ID_MAP "         0          0 4294967295\n"
#define COMMON_ENTRIES                                                                             \
    FILE_ENTRY("auxv", 0400, proc_show_auxv), WORD_ENTRY("cgroup", 0444, "0::/\n"),                \
        {.name = "clear_refs", .mode = 0200, .kind = PROC_FILE, .store = store_nothing},           \
        FILE_ENTRY("cmdline", 0444, show_cmdline),                                                 \
        {.name = "comm", .mode = 0644, .kind = PROC_FILE, .show = show_comm, .store = store_comm}, \
        LINK_ENTRY("cwd", follow_cwd), FILE_ENTRY("environ", 0400, show_environ),                  \
        LINK_ENTRY("exe", follow_exe),                                                             \
        {.name = "fd", .mode = 0500, .kind = PROC_FDS, .children = &proc_fd_entry},                \
        {.name = "fdinfo", .mode = 0555, .kind = PROC_FDS, .children = &proc_fdinfo_entry},        \
        WORD_ENTRY("gid_map", 0644, ID_MAP), FILE_ENTRY("io", 0400, proc_show_io),                 \
        FILE_ENTRY("limits", 0444, show_limits), WORD_ENTRY("loginuid", 0644, "4294967295"),       \
        FILE_ENTRY("maps", 0444, proc_show_maps), MEM_ENTRY,                                       \
        MOUNTS_ENTRY("mountinfo", 0444, proc_show_mountinfo),                                      \
        MOUNTS_ENTRY("mounts", 0444, proc_show_mounts),                                            \
        FILE_ENTRY("oom_score", 0444, show_oom_score),                                             \
        {.name = "oom_score_adj",                                                                  \
         .mode = 0644,                                                                             \
         .kind = PROC_FILE,                                                                        \
         .show = show_oom_adj,                                                                     \
         .store = store_oom_adj},                                                                  \
        FILE_ENTRY("personality", 0400, show_personality), LINK_ENTRY("root", follow_root),        \
        WORD_ENTRY("sessionid", 0444, "4294967295"), WORD_ENTRY("setgroups", 0644, "allow\n"),     \
        FILE_ENTRY("smaps", 0444, proc_show_smaps),                                                \
        FILE_ENTRY("smaps_rollup", 0444, proc_show_smaps_rollup),                                  \
        FILE_ENTRY("stat", 0444, proc_show_stat), FILE_ENTRY("statm", 0444, proc_show_statm),      \
        FILE_ENTRY("status", 0444, proc_show_status), WORD_ENTRY("uid_map", 0644, ID_MAP),         \
        WORD_ENTRY("wchan", 0444, "0")

const struct proc_entry proc_pid_files[] = {
    COMMON_ENTRIES,
    WORD_ENTRY("coredump_filter", 0644, "00000033\n"),
    FILE_ENTRY("entropy", 0444, show_entropy),
    MOUNTS_ENTRY("mountstats", 0400, proc_show_mountstats),
    {.name = "net", .mode = 0555, .kind = PROC_DIR, .children = proc_net_files},
    {.name = "task", .mode = 0555, .kind = PROC_TASKS},
    {.name = "timerslack_ns",
     .mode = 0666,
     .kind = PROC_FILE,
     .show = show_timer_slack,
     .store = store_timer_slack},
    {.name = NULL},
};
const struct proc_entry proc_task_files[] = {
    COMMON_ENTRIES,
    FILE_ENTRY("children", 0444, show_children),
    {.name = NULL},
};
