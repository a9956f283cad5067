/* procfs: /proc/sys, what can be asked and set of the system as a whole.
 *
 * Numbers are a struct sysctl each, with the range they may be set to; what a number does is with whoever
 * declares it.  Those nobody asks for here are kept and told, for programs that set them at boot.
 */
#include "exec.h"
#include "fs/sysctl.h"
#include "ipc/limits.h"
#include "misc/uts.h"
#include "path/path.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef unsigned long ul;

/* ---- numbers ---- */

int sysctl_show(struct text *t, struct inode *ino)
{
    const struct sysctl *s = procfs_entry(ino)->arg;
    text_printf(t, "%ld\n", s->elsewhere != NULL ? *s->elsewhere : s->value);
    return 0;
}

int sysctl_store(struct inode *ino, char *text, size_t n)
{
    struct sysctl *s = procfs_entry(ino)->arg;
    return procfs_number(text, s->min, s->max, s->elsewhere != NULL ? s->elsewhere : &s->value);
}

int sysctl_show_ulong(struct text *t, struct inode *ino)
{
    text_printf(t, "%lu\n", *(const ul *)procfs_entry(ino)->arg);
    return 0;
}

int sysctl_store_ulong(struct inode *ino, char *text, size_t n)
{
    char *end;
    text += strspn(text, " \t\n");
    ul value = strtoul(text, &end, 0);
    if (end == text || *text == '-' || end[strspn(end, " \t\n")] != 0) {
        return -EINVAL;
    }
    *(ul *)procfs_entry(ino)->arg = value;
    return 0;
}

/* Numbers that live elsewhere, as unsigned. */
int sysctl_show_unsigned(struct text *t, struct inode *ino)
{
    text_printf(t, "%u\n", *(const unsigned *)procfs_entry(ino)->arg);
    return 0;
}

static int store_pid_max(struct inode *ino, char *text, size_t n)
{
    long value;
    int err = procfs_number(text, 301, PID_MAX, &value);
    if (err == 0) {
        pid_max = (unsigned)value;
    }
    return err;
}

/* ---- words ---- */

static int show_name(struct text *t, struct inode *ino)
{
    text_printf(t, "%s\n", uname_text((enum uts_field)(uintptr_t)procfs_entry(ino)->arg));
    return 0;
}

static int store_name(struct inode *ino, char *text, size_t n)
{
    char *to = uname_text((enum uts_field)(uintptr_t)procfs_entry(ino)->arg);
    text[strcspn(text, "\n")] = 0;
    n = strlen(text);
    n = n < UTS_SIZE - 1 ? n : UTS_SIZE - 1;
    memset(to, 0, UTS_SIZE);
    memcpy(to, text, n);
    return 0;
}

#define NAME(n, m, field)                                                           \
    {                                                                               \
        .name = n, .mode = m, .kind = PROC_FILE, .show = show_name,                 \
        .store = (m) == 0644 ? store_name : NULL, .arg = (void *)(uintptr_t)(field) \
    }

#define WORD_SIZE 128

static int show_word(struct text *t, struct inode *ino)
{
    text_printf(t, "%s\n", (const char *)procfs_entry(ino)->arg);
    return 0;
}

static int store_word(struct inode *ino, char *text, size_t n)
{
    char *to = procfs_entry(ino)->arg;
    text[strcspn(text, "\n")] = 0;
    snprintf(to, WORD_SIZE, "%s", text);
    return 0;
}

#define WORD(n, room)                                                                       \
    {                                                                                       \
        .name = n, .mode = 0644, .kind = PROC_FILE, .show = show_word, .store = store_word, \
        .arg = (room)                                                                       \
    }

static char core_pattern[WORD_SIZE] = "core", modprobe[WORD_SIZE], printk[WORD_SIZE] = "7\t4\t1\t7";

/* ---- random ---- */

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

static const struct proc_entry random_files[] = {
    PROC_TEXT("boot_id", show_boot_id),
    PROC_TEXT("entropy_avail", show_entropy_avail),
    FIXED("poolsize", 256),
    NUMBER("urandom_min_reseed_secs", 60, 0, INT32_MAX),
    PROC_TEXT("uuid", show_uuid),
    NUMBER("write_wakeup_threshold", 256, 0, INT32_MAX),
    {.name = NULL},
};

/* ---- kernel ---- */

static int show_threads_max(struct text *t, struct inode *ino)
{
    uint64_t n = mb_pages_total() / 32; /* as proc/clone.c counts */
    text_printf(t, "%lu\n", (ul)(n < 64 ? 64 : n > PID_MAX - 100 ? PID_MAX - 100 : n));
    return 0;
}

static int show_sem(struct text *t, struct inode *ino)
{
    text_printf(t, "%u\t%u\t%u\t%u\n", SEMS_MOST, SEMS_MOST * SETS_MOST, SEM_OPS_MOST, SETS_MOST);
    return 0;
}

static const struct proc_entry kernel_files[] = {
    FIXED("cap_last_cap", CAP_LAST_CAP),
    WORD("core_pattern", core_pattern),
    NUMBER("core_uses_pid", 0, 0, 1),
    NUMBER("ctrl-alt-del", 0, 0, 1),
    NUMBER("dmesg_restrict", 0, 0, 1),
    NAME("domainname", 0644, UTS_DOMAIN),
    NAME("hostname", 0644, UTS_NODE),
    NUMBER("kptr_restrict", 0, 0, 2),
    WORD("modprobe", modprobe),
    LIMIT("msgmax", 0, INT32_MAX, &ipc_limit[IPC_MESSAGE_BYTES]),
    LIMIT("msgmnb", 0, INT32_MAX, &ipc_limit[IPC_QUEUE_BYTES]),
    LIMIT("msgmni", 0, IPC_SLOTS, &ipc_limit[IPC_QUEUES]),
    FIXED("ngroups_max", NGROUPS),
    NAME("osrelease", 0444, UTS_RELEASE),
    NAME("ostype", 0444, UTS_SYSTEM),
    NUMBER("overflowgid", 65534, 0, 65535),
    NUMBER("overflowuid", 65534, 0, 65535),
    NUMBER("panic", 0, INT32_MIN, INT32_MAX),
    NUMBER("panic_on_oops", 0, 0, 1),
    {.name = "pid_max",
     .mode = 0644,
     .kind = PROC_FILE,
     .show = sysctl_show_unsigned,
     .store = store_pid_max,
     .arg = &pid_max},
    WORD("printk", printk),
    PROC_FOLDER("random", random_files),
    {.name = "randomize_va_space",
     .mode = 0644,
     .kind = PROC_FILE,
     .show = sysctl_show,
     .store = sysctl_store,
     .arg = &(struct sysctl){.min = 0, .max = 2, .elsewhere = &exec_randomize}},
    PROC_TEXT("sem", show_sem),
    LIMIT_UNSIGNED("shmall", &shm_pages_max),
    LIMIT_UNSIGNED("shmmax", &shm_bytes_max),
    LIMIT("shmmni", 0, IPC_SLOTS, &ipc_limit[IPC_SEGMENTS]),
    NUMBER("sysrq", 1, 0, 511),
    FIXED("tainted", 0),
    PROC_TEXT("threads-max", show_threads_max),
    NAME("version", 0444, UTS_VERSION),
    {.name = NULL},
};

/* ---- vm ---- */

static int store_drop_caches(struct inode *ino, char *text, size_t n)
{
    long what;
    int err = procfs_number(text, 1, 4, &what);
    if (err == 0 && (what & 1) != 0 && vfs_block != NULL) {
        vfs_block->shrink(~0ul);
    }
    return err;
}

static const struct proc_entry vm_files[] = {
    NUMBER("dirty_background_bytes", 0, 0, INT64_MAX),
    NUMBER("dirty_background_ratio", 10, 0, 100),
    NUMBER("dirty_bytes", 0, 0, INT64_MAX),
    NUMBER("dirty_expire_centisecs", 3000, 0, INT32_MAX),
    NUMBER("dirty_ratio", 20, 0, 100),
    NUMBER("dirty_writeback_centisecs", 500, 0, INT32_MAX),
    {.name = "drop_caches", .mode = 0200, .kind = PROC_FILE, .store = store_drop_caches},
    NUMBER("laptop_mode", 0, 0, INT32_MAX),
    LIMIT("max_map_count", 0, INT32_MAX, &mm_areas_max),
    NUMBER("min_free_kbytes", 4096, 0, INT32_MAX),
    FIXED("mmap_min_addr", 65536),
    FIXED("nr_hugepages", 0),
    NUMBER("oom_dump_tasks", 1, 0, 1),
    NUMBER("oom_kill_allocating_task", 0, 0, 1),
    NUMBER("overcommit_kbytes", 0, 0, INT64_MAX),
    NUMBER("overcommit_memory", 0, 0, 2),
    NUMBER("overcommit_ratio", 50, 0, INT32_MAX),
    NUMBER("page-cluster", 3, 0, INT32_MAX),
    NUMBER("panic_on_oom", 0, 0, 2),
    NUMBER("swappiness", 60, 0, 200),
    NUMBER("vfs_cache_pressure", 100, 0, INT32_MAX),
    {.name = NULL},
};

const struct proc_entry proc_sys_files[] = {
    PROC_FOLDER("fs", sysctl_fs_files),
    PROC_FOLDER("kernel", kernel_files),
    PROC_FOLDER("vm", vm_files),
    {.name = NULL},
};
