/* procfs: /proc/sys/fs, limits and rules of files, pipes, inotify and message queues. */
#include "aio/aio.h"
#include "fd/fd_int.h"
#include "fs/notify.h"
#include "fs/sysctl.h"
#include "ipc/mqueue.h"
#include "path/path.h"

typedef unsigned long ul;

static struct sysctl file_max = {.value = INT64_MAX, .min = 0, .max = INT64_MAX};

static int show_file_nr(struct text *t, struct inode *ino)
{
    text_printf(t, "%lu\t0\t%ld\n", (ul)files_open_count(), file_max.value);
    return 0;
}

static int show_inode_nr(struct text *t, struct inode *ino)
{
    text_printf(t, "%lu\t0\n", (ul)inode_count);
    return 0;
}

static int show_inode_state(struct text *t, struct inode *ino)
{
    text_printf(t, "%lu\t0\t0\t0\t0\t0\t0\n", (ul)inode_count);
    return 0;
}

static int show_dentry_state(struct text *t, struct inode *ino)
{
    text_printf(t, "%lu\t0\t45\t0\t0\t0\n", (ul)inode_count);
    return 0;
}

unsigned aio_nr, aio_max_nr = 65536;

static int store_aio_max(struct inode *ino, char *text, size_t n)
{
    long value;
    int err = procfs_number(text, 0, INT32_MAX, &value);
    if (err == 0) {
        aio_max_nr = (unsigned)value;
    }
    return err;
}

static int store_protected(struct inode *ino, char *text, size_t n)
{
    unsigned *level = procfs_entry(ino)->arg;
    bool two = level == &path_protected[PROTECT_FIFOS] || level == &path_protected[PROTECT_REGULAR];
    long value;
    int err = procfs_number(text, 0, two ? 2 : 1, &value);
    if (err == 0) {
        *level = (unsigned)value;
    }
    return err;
}

#define PROTECTED(n, what)                                                        \
    {                                                                             \
        .name = n, .mode = 0600, .kind = PROC_FILE, .show = sysctl_show_unsigned, \
        .store = store_protected, .arg = &path_protected[what]                    \
    }

/* In whole pages, a power of two of them. */
static int store_pipe_max(struct inode *ino, char *text, size_t n)
{
    long value, size = (long)MB_PAGE;
    int err = procfs_number(text, 1, 1l << 31, &value);
    while (err == 0 && size < value) {
        size *= 2;
    }
    if (err == 0) {
        pipe_size_max = size;
    }
    return err;
}

static const struct proc_entry inotify_files[] = {
    LIMIT("max_queued_events", 0, INT32_MAX, &notify_limit[NOTIFY_QUEUED]),
    LIMIT("max_user_instances", 0, INT32_MAX, &notify_limit[NOTIFY_INSTANCES]),
    LIMIT("max_user_watches", 0, INT32_MAX, &notify_limit[NOTIFY_WATCHES]),
    {.name = NULL},
};

static const struct proc_entry mqueue_files[] = {
    LIMIT("msg_default", 1, MQ_MSGS_HARD, &mq_limit[MQ_MSGS_DEFAULT]),
    LIMIT("msg_max", 1, MQ_MSGS_HARD, &mq_limit[MQ_MSGS]),
    LIMIT("msgsize_default", 128, MQ_SIZE_HARD, &mq_limit[MQ_SIZE_DEFAULT]),
    LIMIT("msgsize_max", 128, MQ_SIZE_HARD, &mq_limit[MQ_SIZE]),
    LIMIT("queues_max", 0, INT32_MAX, &mq_limit[MQ_QUEUES]),
    {.name = NULL},
};

const struct proc_entry sysctl_fs_files[] = {
    {.name = "aio-max-nr",
     .mode = 0644,
     .kind = PROC_FILE,
     .show = sysctl_show_unsigned,
     .store = store_aio_max,
     .arg = &aio_max_nr},
    {.name = "aio-nr",
     .mode = 0444,
     .kind = PROC_FILE,
     .show = sysctl_show_unsigned,
     .arg = &aio_nr},
    PROC_TEXT("dentry-state", show_dentry_state),
    NUMBER("dir-notify-enable", 1, 0, 1),
    {.name = "file-max",
     .mode = 0644,
     .kind = PROC_FILE,
     .show = sysctl_show,
     .store = sysctl_store,
     .arg = &file_max},
    PROC_TEXT("file-nr", show_file_nr),
    PROC_TEXT("inode-nr", show_inode_nr),
    PROC_TEXT("inode-state", show_inode_state),
    PROC_FOLDER("inotify", inotify_files),
    LIMIT("lease-break-time", 0, INT32_MAX, &lease_break_time),
    LIMIT("leases-enable", 0, 1, &leases_enable),
    NUMBER("mount-max", 100000, 1, INT32_MAX),
    PROC_FOLDER("mqueue", mqueue_files),
    FIXED("nr_open", 1 << 20),
    NUMBER("overflowgid", 65534, 0, 65535),
    NUMBER("overflowuid", 65534, 0, 65535),
    {.name = "pipe-max-size",
     .mode = 0644,
     .kind = PROC_FILE,
     .show = sysctl_show,
     .store = store_pipe_max,
     .arg = &(struct sysctl){.elsewhere = &pipe_size_max}},
    NUMBER("pipe-user-pages-hard", 0, 0, INT64_MAX),
    NUMBER("pipe-user-pages-soft", 16384, 0, INT64_MAX),
    PROTECTED("protected_fifos", PROTECT_FIFOS),
    PROTECTED("protected_hardlinks", PROTECT_HARDLINKS),
    PROTECTED("protected_regular", PROTECT_REGULAR),
    PROTECTED("protected_symlinks", PROTECT_SYMLINKS),
    NUMBER("suid_dumpable", 0, 0, 0),
    {.name = NULL},
};
