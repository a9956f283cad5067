/* procfs: what it says about the system as a whole. */
#include "fs/procfs.h"
#include "misc/load.h"
#include "path/path.h"

#include <stdio.h>
#include <string.h>

typedef unsigned long ul;

#define KB(pages) ((ul)((pages) * (MB_PAGE / 1024)))

/* The names uname tells are with uname (posix/misc); these stand in for them in host tests. */
__attribute__((weak)) const char *uname_text(unsigned field);
__attribute__((weak)) const char *uname_text(unsigned field)
{
    static const char *const names[] = {"Linux",        "nexus",   "6.1.0-nexus",
                                        "#1 SMP Nexus", "riscv64", "(none)"};
    return names[field];
}
/* Sockets are in posix/net; host tests of other things have none. */
__attribute__((weak)) const struct proc_entry proc_net_files[] = {{.name = NULL}};

enum { UNAME_SYSTEM, UNAME_NODE, UNAME_RELEASE, UNAME_VERSION };

/* The nucleus' log; the membrane may know it. */
__attribute__((weak)) bool mb_log_read(uint64_t *number, struct nx_log *out)
{
    return false;
}

static int show_meminfo(struct text *t, struct inode *ino)
{
    uint64_t total = mb_pages_total(), free = mb_pages_free(), shmem = tmpfs_pages;
    uint64_t buffers = vfs_block != NULL ? vfs_block->cached() : 0;
    uint64_t resident = 0;
    for (const struct process *p = process_first(); p != NULL; p = p->next) {
        resident += p->zombie ? 0 : process_resident(p);
    }
    const struct {
        const char *name;
        ul kb;
    } line[] = {
        {"MemTotal:", KB(total)},
        {"MemFree:", KB(free)},
        {"MemAvailable:", KB(free + buffers)},
        {"Buffers:", KB(buffers)},
        {"Cached:", KB(shmem)},
        {"SwapCached:", 0},
        {"Active:", KB(resident)},
        {"Inactive:", 0},
        {"SwapTotal:", 0},
        {"SwapFree:", 0},
        {"Dirty:", 0},
        {"Writeback:", 0},
        {"AnonPages:", KB(resident)},
        {"Mapped:", 0},
        {"Shmem:", KB(shmem)},
        {"Slab:", 0},
        {"PageTables:", KB(mb_stat(NX_STAT_TABLES))},
    };
    for (unsigned i = 0; i < sizeof(line) / sizeof(line[0]); i++) {
        text_printf(t, "%-15s %8lu kB\n", line[i].name, line[i].kb);
    }
    return 0;
}

/* Time all processes there ever were have used, in ticks of 1/100 s; idle is counted apart. */
static void cpu_times(ul *user, ul *system, ul *idle)
{
    uint64_t us = 0, sy = 0;
    for (const struct process *p = process_first(); p != NULL; p = p->next) {
        uint64_t u, s, cu, cs;
        process_times(p, &u, &s, &cu, &cs);
        us += u + cu;
        sy += s + cs;
    }
    *user = (ul)(us / NSEC_PER_USER_TICK);
    *system = (ul)(sy / NSEC_PER_USER_TICK);
    *idle = (ul)(mb_ticks_to_ns(mb_stat(NX_STAT_IDLE_TICKS)) / NSEC_PER_USER_TICK);
}

static int show_stat(struct text *t, struct inode *ino)
{
    ul user, system, idle, harts = mb_harts();
    unsigned running = 0;
    cpu_times(&user, &system, &idle);
    text_printf(t, "cpu  %lu 0 %lu %lu 0 0 0 0 0 0\n", user, system, idle);
    for (ul i = 0; i < harts; i++) { /* how it is spread is not known here */
        text_printf(t, "cpu%lu %lu 0 %lu %lu 0 0 0 0 0 0\n", i, user / harts, system / harts,
                    idle / harts);
    }
    for (const struct process *p = process_first(); p != NULL; p = p->next) {
        for (const struct task *k = p->threads; k != NULL; k = k->next_thread) {
            running += k->state == 'R';
        }
    }
    int64_t boot = (time_realtime_ns() - time_monotonic_ns()) / NSEC_PER_SEC;
    text_printf(t, "intr 0\nctxt %lu\nbtime %ld\nprocesses %u\nprocs_running %u\nprocs_blocked 0\n",
                (ul)mb_stat(NX_STAT_SWITCHES), (long)boot, proc_task_count(), running);
    return 0;
}

static int show_uptime(struct text *t, struct inode *ino)
{
    ul up = (ul)(time_monotonic_ns() / (NSEC_PER_SEC / 100));
    ul idle = (ul)(mb_ticks_to_ns(mb_stat(NX_STAT_IDLE_TICKS)) / (NSEC_PER_SEC / 100));
    text_printf(t, "%lu.%02lu %lu.%02lu\n", up / 100, up % 100, idle / 100, idle % 100);
    return 0;
}

static int show_loadavg(struct text *t, struct inode *ino)
{
    uint64_t avg[3];
    unsigned running = 0;
    int last = 0;
    load_averages(avg);
    for (const struct process *p = process_first(); p != NULL; p = p->next) {
        last = p->pid > last ? p->pid : last;
        for (const struct task *k = p->threads; k != NULL; k = k->next_thread) {
            running += k->state == 'R';
        }
    }
    for (int i = 0; i < 3; i++) {
        text_printf(t, "%lu.%02lu ", (ul)(avg[i] / 100), (ul)(avg[i] % 100));
    }
    text_printf(t, "%u/%u %d\n", running, proc_task_count(), last);
    return 0;
}

static size_t fill_mounts(void *ctx, char *buf, size_t n)
{
    return mount_text(buf, n);
}

int proc_show_mounts(struct text *t, struct inode *ino)
{
    text_fill(t, fill_mounts, NULL);
    return 0;
}

static int show_filesystems(struct text *t, struct inode *ino)
{
    for (const struct fs_type *const *f = fs_types; *f != NULL; f++) {
        text_printf(t, "%s\t%s\n", (*f)->nodev ? "nodev" : "", (*f)->name);
    }
    return 0;
}

static int show_version(struct text *t, struct inode *ino)
{
    text_printf(t, "%s version %s (gcc " __VERSION__ ") %s\n", uname_text(UNAME_SYSTEM),
                uname_text(UNAME_RELEASE), uname_text(UNAME_VERSION));
    return 0;
}

static int show_cpuinfo(struct text *t, struct inode *ino)
{
    for (unsigned i = 0; i < mb_harts(); i++) {
        text_printf(t, "processor\t: %u\nhart\t\t: %u\nisa\t\t: rv64imafdc\nmmu\t\t: sv39\n\n", i,
                    i);
    }
    return 0;
}

static int show_cmdline(struct text *t, struct inode *ino)
{
    text_printf(t, "%s\n", mb_bootargs());
    return 0;
}

static int show_devices(struct text *t, struct inode *ino)
{
    text_printf(t,
                "Character devices:\n  1 mem\n  5 /dev/tty\n  5 /dev/console\n 10 misc\n 13 input\n"
                " 29 fb\n229 hvc\n\nBlock devices:\n254 virtblk\n");
    return 0;
}

static size_t fill_partitions(void *ctx, char *buf, size_t n)
{
    return vfs_block->partitions(buf, n);
}

static int show_partitions(struct text *t, struct inode *ino)
{
    text_printf(t, "major minor  #blocks  name\n\n");
    if (vfs_block != NULL) {
        text_fill(t, fill_partitions, NULL);
    }
    return 0;
}

static int show_swaps(struct text *t, struct inode *ino)
{
    text_printf(t, "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n");
    return 0;
}

static int show_nothing(struct text *t, struct inode *ino)
{
    return 0;
}

/* ---- sys ---- */

static int show_hostname(struct text *t, struct inode *ino)
{
    text_printf(t, "%s\n", uname_text(UNAME_NODE));
    return 0;
}

static int show_osrelease(struct text *t, struct inode *ino)
{
    text_printf(t, "%s\n", uname_text(UNAME_RELEASE));
    return 0;
}

static int show_ostype(struct text *t, struct inode *ino)
{
    text_printf(t, "%s\n", uname_text(UNAME_SYSTEM));
    return 0;
}

static int show_osversion(struct text *t, struct inode *ino)
{
    text_printf(t, "%s\n", uname_text(UNAME_VERSION));
    return 0;
}

static int show_pid_max(struct text *t, struct inode *ino)
{
    text_printf(t, "%d\n", PID_MAX);
    return 0;
}

static int show_pipe_max(struct text *t, struct inode *ino)
{
    text_printf(t, "%d\n", 1 << 20);
    return 0;
}

static int show_file_nr(struct text *t, struct inode *ino)
{
    text_printf(t, "%lu\t0\t%lu\n", (ul)files_open_count(), INT64_MAX);
    return 0;
}

static int show_ngroups(struct text *t, struct inode *ino)
{
    text_printf(t, "%d\n", NGROUPS);
    return 0;
}

static void put_uuid(struct text *t, uint8_t b[16])
{
    b[6] = (b[6] & 0x0f) | 0x40;
    b[8] = (b[8] & 0x3f) | 0x80;
    for (int i = 0; i < 16; i++) {
        text_printf(t, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", b[i]);
    }
    text_printf(t, "\n");
}

static int show_uuid(struct text *t, struct inode *ino)
{
    uint8_t b[16];
    mb_random(b, sizeof(b));
    put_uuid(t, b);
    return 0;
}

static int show_boot_id(struct text *t, struct inode *ino)
{
    static uint8_t id[16];
    static bool made;
    if (!made) {
        mb_random(id, sizeof(id));
        made = true;
    }
    put_uuid(t, id);
    return 0;
}

static int show_entropy_avail(struct text *t, struct inode *ino)
{
    text_printf(t, "%d\n", mb_random_seeded() ? 256 : 0);
    return 0;
}

/* ---- nexus ---- */

/* What must be the same before and after any run of programs: the leak check compares. */
static int show_leak(struct text *t, struct inode *ino)
{
    if (vfs_block != NULL) {
        vfs_block->shrink(~0ul);
    }
    mb_trim();
    const struct {
        const char *name;
        uint64_t value;
    } line[] = {
        {"pages_free", mb_pages_free()},     {"heap_objects", mb_heap_objects()},
        {"open_files", files_open_count()},  {"inodes", inode_count},
        {"tasks", proc_task_count()},        {"tmpfs_pages", tmpfs_pages},
        {"fibers", mb_stat(NX_STAT_FIBERS)}, {"spaces", mb_stat(NX_STAT_SPACES)},
        {"cells", mb_stat(NX_STAT_CELLS)},   {"mems", mb_stat(NX_STAT_MEMS)},
        {"rings", mb_stat(NX_STAT_RINGS)},   {"events", mb_stat(NX_STAT_EVENTS)},
        {"caps", mb_stat(NX_STAT_CAPS)},     {"tables", mb_stat(NX_STAT_TABLES)},
    };
    for (unsigned i = 0; i < sizeof(line) / sizeof(line[0]); i++) {
        text_printf(t, "%s %lu\n", line[i].name, (ul)line[i].value);
    }
    return 0;
}

/* What the nucleus keeps of the log, a line each; the longer history is /Bus/log. */
static int show_log(struct text *t, struct inode *ino)
{
    struct nx_log l;
    for (uint64_t number = 0; mb_log_read(&number, &l); number++) {
        if (l.generation != 0) {
            text_printf(t, "%lu %s.%u: %.*s\n", (ul)l.time, l.cell, l.generation, l.len, l.text);
        } else { /* the nucleus itself */
            text_printf(t, "%lu %.*s\n", (ul)l.time, l.len, l.text);
        }
    }
    return 0;
}

#define FILE_ENTRY(n, f)                                      \
    {                                                         \
        .name = n, .mode = 0444, .kind = PROC_FILE, .show = f \
    }
#define DIR_ENTRY(n, c)                                          \
    {                                                            \
        .name = n, .mode = 0555, .kind = PROC_DIR, .children = c \
    }

static const struct proc_entry random_files[] = {
    FILE_ENTRY("uuid", show_uuid),
    FILE_ENTRY("boot_id", show_boot_id),
    FILE_ENTRY("entropy_avail", show_entropy_avail),
    {.name = NULL},
};
static const struct proc_entry kernel_files[] = {
    FILE_ENTRY("hostname", show_hostname), FILE_ENTRY("osrelease", show_osrelease),
    FILE_ENTRY("ostype", show_ostype),     FILE_ENTRY("version", show_osversion),
    FILE_ENTRY("pid_max", show_pid_max),   FILE_ENTRY("ngroups_max", show_ngroups),
    DIR_ENTRY("random", random_files),     {.name = NULL},
};
static const struct proc_entry sysfs_files[] = {
    FILE_ENTRY("pipe-max-size", show_pipe_max),
    FILE_ENTRY("file-nr", show_file_nr),
    {.name = NULL},
};
static const struct proc_entry sys_files[] = {
    DIR_ENTRY("kernel", kernel_files),
    DIR_ENTRY("fs", sysfs_files),
    {.name = NULL},
};
static const struct proc_entry nexus_files[] = {
    {.name = "beb", .mode = 0400, .kind = PROC_FILE, .show = proc_show_beb},
    {.name = "cell", .mode = 0400, .kind = PROC_FILE, .show = proc_show_cell},
    {.name = "leak", .mode = 0400, .kind = PROC_FILE, .show = show_leak},
    {.name = "log", .mode = 0400, .kind = PROC_FILE, .show = show_log},
    {.name = NULL},
};
const struct proc_entry proc_root_files[] = {
    FILE_ENTRY("cmdline", show_cmdline),
    FILE_ENTRY("cpuinfo", show_cpuinfo),
    FILE_ENTRY("devices", show_devices),
    FILE_ENTRY("filesystems", show_filesystems),
    FILE_ENTRY("loadavg", show_loadavg),
    FILE_ENTRY("meminfo", show_meminfo),
    FILE_ENTRY("modules", show_nothing),
    {.name = "mounts", .mode = 0777, .kind = PROC_LINK, .link = "self/mounts"},
    {.name = "net", .mode = 0777, .kind = PROC_LINK, .link = "self/net"},
    DIR_ENTRY("nexus", nexus_files),
    FILE_ENTRY("partitions", show_partitions),
    {.name = "self", .mode = 0777, .kind = PROC_MAGIC, .follow = procfs_self},
    FILE_ENTRY("stat", show_stat),
    FILE_ENTRY("swaps", show_swaps),
    DIR_ENTRY("sys", sys_files),
    {.name = "sysrq-trigger", .mode = 0200, .kind = PROC_FILE, .store = proc_sysrq},
    {.name = "thread-self", .mode = 0777, .kind = PROC_MAGIC, .follow = procfs_thread_self},
    FILE_ENTRY("uptime", show_uptime),
    FILE_ENTRY("version", show_version),
    {.name = NULL},
};
