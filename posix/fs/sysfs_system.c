/* sysfs: the processors, the kernel, and devices sorted by class and number.
 *
 *      devices/system/cpu/{online,possible,present,kernel_max,cpuN/...}   devices/virtual/<class>/<name>
 *      class/<class>/<name>, dev/{block,char}/<major>:<minor>, block/<disk> -> there
 */
#include "fs/sysfs.h"

#include <stdio.h>
#include <string.h>

/* ---- processors: arg is their number ---- */

static unsigned number(const void *arg)
{
    return (unsigned)(uintptr_t)arg;
}

static void put_mask(struct text *t, uint64_t mask)
{
    if (mask >> 32 != 0) {
        text_printf(t, "%x,", (unsigned)(mask >> 32));
    }
    text_printf(t, mask >> 32 != 0 ? "%08x\n" : "%x\n", (unsigned)mask);
}

static uint64_t all_harts(void)
{
    unsigned n = mb_harts();
    return n >= 64 ? ~0ull : (1ull << n) - 1;
}

static void show_all(struct text *t, void *arg)
{
    unsigned n = mb_harts();
    text_printf(t, n > 1 ? "0-%u\n" : "%u\n", n - 1);
}

static void show_none(struct text *t, void *arg)
{
    text_printf(t, "\n");
}

static void show_number(struct text *t, void *arg)
{
    text_printf(t, "%u\n", number(arg));
}

static void show_zero(struct text *t, void *arg)
{
    text_printf(t, "0\n");
}

static void show_one(struct text *t, void *arg)
{
    text_printf(t, "1\n");
}

static void show_kernel_max(struct text *t, void *arg)
{
    text_printf(t, "63\n");
}

static void show_own_mask(struct text *t, void *arg)
{
    put_mask(t, 1ull << number(arg));
}

static void show_all_mask(struct text *t, void *arg)
{
    put_mask(t, all_harts());
}

static const struct sysfs_file cpus_files[] = {
    {"isolated", show_none},
    {"kernel_max", show_kernel_max},
    {"offline", show_none},
    {"online", show_all},
    {"possible", show_all},
    {"present", show_all},
    {NULL, NULL},
};
static const struct sysfs_file cpu_files[] = {{"online", show_one}, {NULL, NULL}};
/* One package, one thread a core. */
static const struct sysfs_file topology_files[] = {
    {"cluster_cpus", show_own_mask},       {"cluster_cpus_list", show_number},
    {"cluster_id", show_number},           {"core_cpus", show_own_mask},
    {"core_cpus_list", show_number},       {"core_id", show_number},
    {"core_siblings", show_all_mask},      {"core_siblings_list", show_all},
    {"package_cpus", show_all_mask},       {"package_cpus_list", show_all},
    {"physical_package_id", show_zero},    {"thread_siblings", show_own_mask},
    {"thread_siblings_list", show_number}, {NULL, NULL},
};
static const struct sysfs_file node_files[] = {
    {"has_cpu", show_zero}, {"online", show_zero}, {"possible", show_zero}, {NULL, NULL}};
static const struct sysfs_file node0_files[] = {
    {"cpulist", show_all}, {"cpumap", show_all_mask}, {NULL, NULL}};

static int cpus_init(void)
{
    int err = sysfs_files(sysfs_folder("devices/system/cpu"), cpus_files, NULL);
    for (unsigned i = 0; i < mb_harts() && err == 0; i++) {
        char path[64];
        void *arg = (void *)(uintptr_t)i;
        snprintf(path, sizeof(path), "devices/system/cpu/cpu%u", i);
        err = sysfs_files(sysfs_folder(path), cpu_files, arg);
        snprintf(path, sizeof(path), "devices/system/cpu/cpu%u/topology", i);
        err = err < 0 ? err : sysfs_files(sysfs_folder(path), topology_files, arg);
    }
    err = err < 0 ? err : sysfs_files(sysfs_folder("devices/system/node"), node_files, NULL);
    return err < 0 ? err
                   : sysfs_files(sysfs_folder("devices/system/node/node0"), node0_files, NULL);
}

/* ---- the kernel ---- */

static void show_seqnum(struct text *t, void *arg)
{
    text_printf(t, "0\n");
}

static void show_profiling(struct text *t, void *arg)
{
    text_printf(t, "0\n");
}

static const struct sysfs_file kernel_files[] = {
    {"fscaps", show_one},
    {"profiling", show_profiling},
    {"uevent_seqnum", show_seqnum},
    {NULL, NULL},
};
static void show_thp(struct text *t, void *arg)
{
    text_printf(t, "always madvise [never]\n");
}

static const struct sysfs_file thp_files[] = {{"enabled", show_thp}, {NULL, NULL}};

/* ---- devices: arg is the number ---- */

static uint32_t dev_of(const void *arg)
{
    return (uint32_t)(uintptr_t)arg;
}

static void show_dev(struct text *t, void *arg)
{
    text_printf(t, "%u:%u\n", dev_major(dev_of(arg)), dev_minor(dev_of(arg)));
}

static void show_uevent(struct text *t, void *arg)
{
    text_printf(t, "MAJOR=%u\nMINOR=%u\n", dev_major(dev_of(arg)), dev_minor(dev_of(arg)));
}

/* Of a disk or partition: as /proc/partitions says, in sectors of 512 bytes. */
static void show_size(struct text *t, void *arg)
{
    uint64_t bytes = vfs_block != NULL ? vfs_block->bytes(dev_of(arg)) : 0;
    text_printf(t, "%lu\n", (unsigned long)(bytes / 512));
}

static const struct sysfs_file device_files[] = {
    {"dev", show_dev}, {"uevent", show_uevent}, {NULL, NULL}};
static const struct sysfs_file block_files[] = {{"dev", show_dev},        {"range", show_one},
                                                {"removable", show_zero}, {"size", show_size},
                                                {"uevent", show_uevent},  {NULL, NULL}};

static bool is_block(const char *class_)
{
    return strcmp(class_, "block") == 0;
}

/* Partitions have a number. */
static bool is_disk(const char *class_, const char *name)
{
    char last = name[strlen(name) - 1];
    return is_block(class_) && (last < '0' || last > '9');
}

static void number_link(char *buf, size_t n, const char *class_, uint32_t major, uint32_t minor)
{
    snprintf(buf, n, "dev/%s/%u:%u", is_block(class_) ? "block" : "char", major, minor);
}

void sysfs_device(const char *class_, const char *name, uint32_t major, uint32_t minor)
{
    char path[96], target[112];
    void *dev = (void *)(uintptr_t)dev_make(major, minor);
    snprintf(path, sizeof(path), "devices/virtual/%s/%s", class_, name);
    int err = sysfs_files(sysfs_folder(path), is_block(class_) ? block_files : device_files, dev);
    if (err == 0) {
        snprintf(target, sizeof(target), "../../%s", path);
        snprintf(path, sizeof(path), "class/%s/%s", class_, name);
        err = sysfs_link(path, target);
    }
    if (err == 0) {
        number_link(path, sizeof(path), class_, major, minor);
        err = sysfs_link(path, target);
    }
    if (err == 0 && is_disk(class_, name)) {
        snprintf(path, sizeof(path), "block/%s", name);
        err = sysfs_link(path, target + 3); /* one folder less above it */
    }
    if (err < 0) {
        mb_log("sysfs: no memory for %s", name);
    }
}

void sysfs_device_gone(const char *class_, const char *name, uint32_t major, uint32_t minor)
{
    char path[96];
    if (is_disk(class_, name)) {
        snprintf(path, sizeof(path), "block/%s", name);
        sysfs_remove(path);
    }
    number_link(path, sizeof(path), class_, major, minor);
    sysfs_remove(path);
    snprintf(path, sizeof(path), "class/%s/%s", class_, name);
    sysfs_remove(path);
    snprintf(path, sizeof(path), "devices/virtual/%s/%s", class_, name);
    sysfs_remove(path);
}

int sysfs_system_init(void)
{
    static const char *const folders[] = {"block",     "bus",      "class/block", "class/tty",
                                          "dev/block", "dev/char", "firmware",    "fs",
                                          "kernel/mm", "module",   "power"};
    int err = cpus_init();
    for (unsigned i = 0; i < sizeof(folders) / sizeof(folders[0]) && err == 0; i++) {
        err = sysfs_folder(folders[i]) != NULL ? 0 : -ENOMEM;
    }
    err = err < 0 ? err : sysfs_files(sysfs_folder("kernel"), kernel_files, NULL);
    return err < 0 ? err
                   : sysfs_files(sysfs_folder("kernel/mm/transparent_hugepage"), thp_files, NULL);
}
