/* procfs: /proc/sysvipc. */
#include "fs/procfs.h"
#include "ipc/ipc.h"

static int show_shm(struct text *t, struct inode *ino)
{
    ipc_show_shm(t);
    return 0;
}

static int show_sem(struct text *t, struct inode *ino)
{
    ipc_show_sem(t);
    return 0;
}

static int show_msg(struct text *t, struct inode *ino)
{
    ipc_show_msg(t);
    return 0;
}

const struct proc_entry proc_sysvipc_files[] = {
    {.name = "msg", .mode = 0444, .kind = PROC_FILE, .show = show_msg},
    {.name = "sem", .mode = 0444, .kind = PROC_FILE, .show = show_sem},
    {.name = "shm", .mode = 0444, .kind = PROC_FILE, .show = show_shm},
    {.name = NULL},
};
