/* procfs: what lies at its root, and the short texts among it. */
#include "fs/procfs.h"
#include "misc/uts.h"
#include "path/path.h"

#include <stdio.h>
#include <string.h>

/* Sockets are in posix/net; host tests of other things have none. */
__attribute__((weak)) const struct proc_entry proc_net_files[] = {{.name = NULL}};

static int show_filesystems(struct text *t, struct inode *ino)
{
    for (const struct fs_type *const *f = fs_types; *f != NULL; f++) {
        text_printf(t, "%s\t%s\n", (*f)->nodev ? "nodev" : "", (*f)->name);
    }
    return 0;
}

static int show_version(struct text *t, struct inode *ino)
{
    text_printf(t, "%s version %s (gcc " __VERSION__ ") %s\n", uname_text(UTS_SYSTEM),
                uname_text(UTS_RELEASE), uname_text(UTS_VERSION));
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
                " 29 fb\n229 hvc\n240 nexus\n\nBlock devices:\n254 virtblk\n");
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

static int show_misc(struct text *t, struct inode *ino)
{
    text_printf(t, "183 hw_random\n");
    return 0;
}

static int show_consoles(struct text *t, struct inode *ino)
{
    text_printf(t, "console0             -W- (EC p  )    5:1\n");
    return 0;
}

static int show_cgroups(struct text *t, struct inode *ino)
{
    text_printf(t, "#subsys_name\thierarchy\tnum_cgroups\tenabled\n");
    return 0;
}

static int show_execdomains(struct text *t, struct inode *ino)
{
    text_printf(t, "0-0\tLinux           \t[kernel]\n");
    return 0;
}

static size_t fill_diskstats(void *ctx, char *buf, size_t n)
{
    return vfs_block->diskstats(buf, n);
}

static int show_diskstats(struct text *t, struct inode *ino)
{
    if (vfs_block != NULL) {
        text_fill(t, fill_diskstats, NULL);
    }
    return 0;
}

const struct proc_entry proc_root_files[] = {
    PROC_TEXT("buddyinfo", show_nothing),
    PROC_TEXT("cgroups", show_cgroups),
    PROC_TEXT("cmdline", show_cmdline),
    PROC_TEXT("consoles", show_consoles),
    PROC_TEXT("cpuinfo", proc_show_cpuinfo),
    PROC_TEXT("crypto", show_nothing),
    PROC_TEXT("devices", show_devices),
    PROC_TEXT("diskstats", show_diskstats),
    PROC_TEXT("execdomains", show_execdomains),
    PROC_TEXT("filesystems", show_filesystems),
    PROC_TEXT("interrupts", proc_show_interrupts),
    {.name = "iomem", .mode = 0400, .kind = PROC_FILE, .show = show_nothing},
    PROC_TEXT("loadavg", proc_show_loadavg),
    PROC_TEXT("locks", proc_show_locks),
    PROC_TEXT("meminfo", proc_show_meminfo),
    PROC_TEXT("misc", show_misc),
    PROC_TEXT("modules", show_nothing),
    {.name = "mounts", .mode = 0777, .kind = PROC_LINK, .link = "self/mounts"},
    {.name = "net", .mode = 0777, .kind = PROC_LINK, .link = "self/net"},
    PROC_FOLDER("nexus", proc_nexus_files),
    PROC_TEXT("partitions", show_partitions),
    {.name = "self", .mode = 0777, .kind = PROC_MAGIC, .follow = procfs_self},
    PROC_TEXT("stat", proc_show_cpu_stat),
    PROC_TEXT("swaps", show_swaps),
    PROC_FOLDER("sys", proc_sys_files),
    {.name = "sysrq-trigger", .mode = 0200, .kind = PROC_FILE, .store = proc_sysrq},
    PROC_FOLDER("sysvipc", proc_sysvipc_files),
    {.name = "thread-self", .mode = 0777, .kind = PROC_MAGIC, .follow = procfs_thread_self},
    PROC_TEXT("uptime", proc_show_uptime),
    PROC_TEXT("version", show_version),
    PROC_TEXT("vmstat", proc_show_vmstat),
    {.name = NULL},
};
