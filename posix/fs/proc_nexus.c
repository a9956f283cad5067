/* procfs: what the nucleus knows of cells - its Boot Error Buffer, this cell - and the keys that end the
 * machine or the personality. */
#include "fs/procfs.h"

#include <string.h>

/* ---- /proc/nexus/beb: a line an entry, oldest first
 *
 *     NUMBER TICKS hartN KIND CELL.GENERATION fiber HANDLE ARG0 ARG1
 *
 * The arguments are as in struct nx_beb: FAULT pc and address, OVERRUN budget and time run, DENIED the
 * object type or pledge that was wanted and the slot. */

static const char *const kinds[] = {
    [NX_BEB_OVERRUN] = "overrun", [NX_BEB_DEMOTED] = "demoted",     [NX_BEB_FAULT] = "fault",
    [NX_BEB_DENIED] = "denied",   [NX_BEB_CELL_DEAD] = "cell-dead", [NX_BEB_PROMOTED] = "promoted",
    [NX_BEB_SILENT] = "silent",   [NX_BEB_RESTART] = "restart",     [NX_BEB_SYSTEMIC] = "systemic",
    [NX_BEB_AUDIT] = "audit",
};

static const char *kind_name(uint32_t kind)
{
    return kind < sizeof(kinds) / sizeof(kinds[0]) && kinds[kind] != NULL ? kinds[kind] : "?";
}

static int show_beb(struct text *t, struct inode *ino)
{
    struct nx_beb b;
    uint64_t number = 0;
    while (mb_beb_read(&number, &b)) {
        text_printf(t, "%lu %lu hart%u %s %.*s.%u fiber %#x %#lx %#lx\n", (unsigned long)number,
                    (unsigned long)b.time, b.hart, kind_name(b.kind), (int)sizeof(b.cell), b.cell,
                    b.generation, b.fiber, (unsigned long)b.arg0, (unsigned long)b.arg1);
        number++;
    }
    return 0;
}

/* ---- /proc/nexus/cell: the personality as a cell ---- */

static int show_cell(struct text *t, struct inode *ino)
{
    static const struct {
        const char *name;
        unsigned what;
    } line[] = {
        {"generation", NX_CELL_GENERATION}, {"pages", NX_CELL_PAGES},     {"quota", NX_CELL_QUOTA},
        {"fibers", NX_CELL_FIBERS},         {"runtime", NX_CELL_RUNTIME}, {"tier", NX_CELL_TIER},
        {"fused", NX_CELL_PLACEMENT},
    };
    for (unsigned i = 0; i < sizeof(line) / sizeof(line[0]); i++) {
        text_printf(t, "%s %lu\n", line[i].name, (unsigned long)mb_cell_value(line[i].what));
    }
    return 0;
}

/* ---- /proc/nexus/leak, log ---- */

/* The nucleus' log; the membrane may know it. */
__attribute__((weak)) bool mb_log_read(uint64_t *number, struct nx_log *out)
{
    return false;
}

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
        text_printf(t, "%s %lu\n", line[i].name, (unsigned long)line[i].value);
    }
    return 0;
}

/* What the nucleus keeps of the log, a line each; the longer history is /Bus/log. */
static int show_log(struct text *t, struct inode *ino)
{
    struct nx_log l;
    for (uint64_t number = 0; mb_log_read(&number, &l); number++) {
        if (l.generation != 0) {
            text_printf(t, "%lu %s.%u: %.*s\n", (unsigned long)l.time, l.cell, l.generation, l.len,
                        l.text);
        } else { /* the nucleus itself */
            text_printf(t, "%lu %.*s\n", (unsigned long)l.time, l.len, l.text);
        }
    }
    return 0;
}

/* ---- /proc/sysrq-trigger: its first character counts, as on Linux ---- */

int proc_sysrq(struct inode *ino, char *text, size_t n)
{
    switch (n > 0 ? text[0] : 0) {
    case 'b':
        mb_log("sysrq: reset");
        mb_reset();
    case 'c':
        mb_log("sysrq: crash");
        mb_crash();
    case 'o':
        mb_log("sysrq: power off");
        mb_power_off(0);
    default:
        mb_log("sysrq: b resets, c crashes, o powers off");
        return 0;
    }
}

/* ---- the table ---- */

const struct proc_entry proc_nexus_files[] = {
    {.name = "beb", .mode = 0400, .kind = PROC_FILE, .show = show_beb},
    {.name = "cell", .mode = 0400, .kind = PROC_FILE, .show = show_cell},
    {.name = "leak", .mode = 0400, .kind = PROC_FILE, .show = show_leak},
    {.name = "log", .mode = 0400, .kind = PROC_FILE, .show = show_log},
    {.name = NULL},
};
