/* procfs: numbers of the whole system: memory, processor time, load, harts. */
#include "fs/procfs.h"
#include "misc/load.h"

#include <stdio.h>

typedef unsigned long ul;

#define KB(pages) ((ul)((pages) * (MB_PAGE / 1024)))

int proc_show_meminfo(struct text *t, struct inode *ino)
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
        {"SReclaimable:", 0},
        {"SUnreclaim:", 0},
        {"PageTables:", KB(mb_stat(NX_STAT_TABLES))},
        {"CommitLimit:", KB(total)},
        {"Committed_AS:", KB(resident + shmem)},
        {"VmallocTotal:", 0},
        {"VmallocUsed:", 0},
        {"HugePages_Total:", 0},
        {"HugePages_Free:", 0},
        {"Hugepagesize:", 2048},
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

int proc_show_cpu_stat(struct text *t, struct inode *ino)
{
    ul user, system, idle, harts = mb_harts();
    unsigned running = 0, blocked = 0;
    cpu_times(&user, &system, &idle);
    text_printf(t, "cpu  %lu 0 %lu %lu 0 0 0 0 0 0\n", user, system, idle);
    for (ul i = 0; i < harts; i++) { /* how it is spread is not known here */
        text_printf(t, "cpu%lu %lu 0 %lu %lu 0 0 0 0 0 0\n", i, user / harts, system / harts,
                    idle / harts);
    }
    for (const struct process *p = process_first(); p != NULL; p = p->next) {
        for (const struct task *k = p->threads; k != NULL; k = k->next_thread) {
            running += k->state == 'R';
            blocked += k->state == 'D';
        }
    }
    int64_t boot = (time_realtime_ns() - time_monotonic_ns()) / NSEC_PER_SEC;
    text_printf(t,
                "intr 0\nctxt %lu\nbtime %ld\nprocesses %lu\nprocs_running %u\nprocs_blocked %u\n"
                "softirq 0 0 0 0 0 0 0 0 0 0 0\n",
                (ul)mb_stat(NX_STAT_SWITCHES), (long)boot, (ul)proc_fork_count(), running, blocked);
    return 0;
}

int proc_show_uptime(struct text *t, struct inode *ino)
{
    ul up = (ul)(time_monotonic_ns() / (NSEC_PER_SEC / 100));
    ul idle = (ul)(mb_ticks_to_ns(mb_stat(NX_STAT_IDLE_TICKS)) / (NSEC_PER_SEC / 100));
    text_printf(t, "%lu.%02lu %lu.%02lu\n", up / 100, up % 100, idle / 100, idle % 100);
    return 0;
}

int proc_show_loadavg(struct text *t, struct inode *ino)
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

int proc_show_cpuinfo(struct text *t, struct inode *ino)
{
    for (unsigned i = 0; i < mb_harts(); i++) {
        text_printf(t, "processor\t: %u\nhart\t\t: %u\nisa\t\t: rv64imafdc\nmmu\t\t: sv39\n\n", i,
                    i);
    }
    return 0;
}

/* What is counted at all; the rest of Linux's long list has no meaning here. */
int proc_show_vmstat(struct text *t, struct inode *ino)
{
    uint64_t faults = 0;
    for (const struct process *p = process_first(); p != NULL; p = p->next) {
        faults += p->min_flt + p->cmin_flt;
    }
    text_printf(t, "nr_free_pages %lu\nnr_file_pages %lu\nnr_shmem %lu\nnr_page_table_pages %lu\n",
                (ul)mb_pages_free(), (ul)(vfs_block != NULL ? vfs_block->cached() : 0),
                (ul)tmpfs_pages, (ul)mb_stat(NX_STAT_TABLES));
    text_printf(t,
                "pgpgin 0\npgpgout 0\npswpin 0\npswpout 0\npgfault %lu\npgmajfault 0\noom_kill 0\n",
                (ul)faults);
    return 0;
}

/* Interrupts are the nucleus' and the drivers': here are only those between harts. */
int proc_show_interrupts(struct text *t, struct inode *ino)
{
    text_printf(t, "     ");
    for (unsigned i = 0; i < mb_harts(); i++) {
        text_printf(t, "       CPU%-3u", i);
    }
    text_printf(t, "\nIPI0:");
    for (unsigned i = 0; i < mb_harts(); i++) { /* how they are spread is not known */
        text_printf(t, " %12lu", (ul)(i == 0 ? mb_stat(NX_STAT_IPIS) : 0));
    }
    text_printf(t, "  Rescheduling interrupts, all harts\n");
    return 0;
}
