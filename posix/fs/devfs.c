/* /dev: the one devtmpfs, and what is behind device numbers.
 *
 * Drivers of the personality register with devfs_register; a node of that number works anywhere, also
 * one made with mknod.  The memory devices (null, zero, full, kmsg) are here.
 */
#include "fs/inode.h"
#include "fs/sysfs.h"
#include "path/path.h"

#include <stdlib.h>
#include <string.h>

struct device {
    struct device *next;
    uint64_t dev;
    uint32_t type; /* S_IFCHR, S_IFBLK */
    int (*open)(struct file *f);
};

static struct device *devices;
static struct sb *dev_sb;
const struct vfs_block *vfs_block;

static struct device **device_link(uint32_t type, uint64_t dev)
{
    struct device **link = &devices;
    while (*link != NULL && ((*link)->dev != dev || (*link)->type != type)) {
        link = &(*link)->next;
    }
    return link;
}

int device_open(struct inode *ino, struct file *f)
{
    const struct device *d = *device_link(ino->mode & S_IFMT, ino->rdev);
    return d != NULL ? d->open(f) : -ENXIO;
}

struct sb *devfs_sb(void)
{
    return dev_sb;
}

static struct dentry *child(struct dentry *dir, const char *name, unsigned len)
{
    return dentry_find(dir, name, len, dentry_hash(name, len));
}

/* Make a node in a folder of /dev, whatever is mounted and whoever asks. */
static int node_make_in(struct dentry *dir, const char *name, uint32_t mode, uint64_t rdev,
                        const char *target)
{
    unsigned len = (unsigned)strlen(name);
    struct inode *ino;
    if (child(dir, name, len) != NULL) {
        return -EEXIST;
    }
    int err = tmpfs_make(dev_sb, mode, rdev, target, &ino);
    if (err < 0) {
        return err;
    }
    struct dentry *d = dentry_make(dir, name, len, dentry_hash(name, len), ino);
    if (d == NULL) {
        inode_unref(ino);
        return -ENOMEM;
    }
    dentry_attach(d);
    dentry_unref(d);
    if (S_ISDIR(mode)) {
        dir->inode->nlink++;
    }
    return 0;
}

/* The folder a name like "input/event0" is in, made when `make` says so; *name becomes the last part. */
static struct dentry *folder_of(const char **name, bool make)
{
    struct dentry *dir = dev_sb->root;
    const char *slash = strchr(*name, '/');
    char part[16];
    if (slash == NULL) {
        return dir;
    }
    unsigned len = (unsigned)(slash - *name);
    if (len >= sizeof(part)) {
        return NULL;
    }
    memcpy(part, *name, len);
    part[len] = 0;
    *name = slash + 1;
    if (make) {
        node_make_in(dir, part, S_IFDIR | 0755, 0, NULL);
    }
    dir = child(dir, part, len);
    return dir != NULL && dir->inode != NULL && S_ISDIR(dir->inode->mode) ? dir : NULL;
}

static int node_make(const char *name, uint32_t mode, uint64_t rdev, const char *target)
{
    struct dentry *dir = folder_of(&name, true);
    return dir != NULL ? node_make_in(dir, name, mode, rdev, target) : -ENOTDIR;
}

static const char *last_part(const char *name)
{
    const char *slash = strrchr(name, '/');
    return slash != NULL ? slash + 1 : name;
}

/* The folder of /sys/class a device is in. */
static const char *class_of(uint32_t type, uint32_t major)
{
    static const struct {
        uint32_t major;
        const char *name;
    } classes[] = {{1, "mem"},    {4, "tty"},       {5, "tty"},   {10, "misc"},
                   {13, "input"}, {29, "graphics"}, {136, "tty"}, {229, "tty"}};
    if (type == S_IFBLK) {
        return "block";
    }
    for (unsigned i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
        if (classes[i].major == major) {
            return classes[i].name;
        }
    }
    return "misc";
}

int device_register(uint32_t type, uint64_t dev, int (*open)(struct file *f))
{
    struct device *d = mb_alloc(sizeof(*d));
    if (d == NULL) {
        return -ENOMEM;
    }
    *d = (struct device){.next = devices, .dev = dev, .type = type, .open = open};
    devices = d;
    return 0;
}

int devfs_register(const char *name, uint32_t mode, uint32_t major, uint32_t minor,
                   int (*open)(struct file *f))
{
    const uint32_t type = S_ISBLK(mode) ? S_IFBLK : S_IFCHR;
    const uint64_t dev = dev_make(major, minor);
    int err = device_register(type, dev, open);
    err = err < 0 ? err : node_make(name, type | (mode & 07777), dev, NULL);
    if (err == 0) {
        sysfs_device(class_of(type, major), last_part(name), major, minor);
    }
    return err == -EEXIST ? 0 : err;
}

void devfs_remove(const char *name, uint32_t type, uint32_t major, uint32_t minor)
{
    struct device **link = device_link(type, dev_make(major, minor)), *d = *link;
    if (d == NULL) {
        return;
    }
    const struct dentry *dir = folder_of(&name, false);
    struct dentry *node =
        dir != NULL ? child((struct dentry *)dir, name, (unsigned)strlen(name)) : NULL;
    if (node != NULL && (node->inode->mode & S_IFMT) == type && node->inode->rdev == d->dev) {
        node->inode->nlink--;
        dentry_detach(node);
    }
    sysfs_device_gone(class_of(type, major), last_part(name), major, minor);
    *link = d->next;
    mb_free(d);
}

/* ---- memory devices ---- */

static long null_read(struct file *f, struct iobuf *b, int64_t *pos)
{
    return 0;
}

static long null_write(struct file *f, struct iobuf *b, int64_t *pos)
{
    return (long)b->len;
}

static int64_t null_lseek(struct file *f, int64_t off, int whence)
{
    return f->pos = 0;
}

static unsigned null_poll(struct file *f, struct poll_table *pt)
{
    return ABI_POLLIN | ABI_POLLOUT | ABI_POLLRDNORM | ABI_POLLWRNORM;
}

#define CHUNK 65536ul /* between looks at the signals and at who waits for the lock */

static long zero_read(struct file *f, struct iobuf *b, int64_t *pos)
{
    size_t want = b->len;
    while (b->len > 0) {
        size_t n = b->len < CHUNK ? b->len : CHUNK;
        int err = iobuf_zero(b, n);
        if (err < 0) {
            return b->len < want ? (long)(want - b->len) : err;
        }
        if (b->len > 0) {
            mb_lock_break();
            if (signal_interrupts()) {
                break;
            }
        }
    }
    return (long)(want - b->len);
}

static long full_write(struct file *f, struct iobuf *b, int64_t *pos)
{
    return -ENOSPC;
}

/* Lines for the log, as on Linux: `echo text > /dev/kmsg`, with a level `echo '<3>text' > /dev/kmsg`. */
static long kmsg_write(struct file *f, struct iobuf *b, int64_t *pos)
{
    char line[200];
    size_t n = b->len < sizeof(line) - 1 ? b->len : sizeof(line) - 1;
    size_t all = b->len;
    if (iobuf_get(b, line, n) < 0) {
        return -EFAULT;
    }
    while (n > 0 && line[n - 1] == '\n') {
        n--;
    }
    line[n] = '\0';
    char *text = line, *end;
    unsigned long level = NX_LOG_INFO;
    if (line[0] == '<') {
        unsigned long priority = strtoul(line + 1, &end, 10);
        if (end != line + 1 && *end == '>') {
            level = priority % NX_LOG_LEVELS; /* above it is the facility */
            text = end + 1;
        }
    }
    mb_log_at((unsigned)level, "%s", text);
    return (long)all;
}

static const struct file_ops null_ops = {
    .name = "null", .read = null_read, .write = null_write, .lseek = null_lseek};
static const struct file_ops zero_ops = {
    .name = "zero", .read = zero_read, .write = null_write, .lseek = null_lseek, .zeroed = true};
static const struct file_ops full_ops = {
    .name = "full", .read = zero_read, .write = full_write, .lseek = null_lseek};
static const struct file_ops kmsg_ops = {
    .name = "kmsg", .read = null_read, .write = kmsg_write, .lseek = null_lseek, .poll = null_poll};

static int null_open(struct file *f)
{
    f->ops = &null_ops;
    return 0;
}

static int zero_open(struct file *f)
{
    f->ops = &zero_ops;
    return 0;
}

static int full_open(struct file *f)
{
    f->ops = &full_ops;
    return 0;
}

static int kmsg_open(struct file *f)
{
    f->ops = &kmsg_ops;
    return 0;
}

static int devtmpfs_mount(const struct fs_type *type, const char *options, struct sb **out)
{
    dev_sb->refs++;
    *out = dev_sb;
    return 0;
}

const struct fs_type devtmpfs_type = {
    .name = "devtmpfs",
    .nodev = true,
    .magic = 0x01021994,
    .mount = devtmpfs_mount,
    .make = tmpfs_make,
};

int devfs_init(void)
{
    static const struct {
        const char *name;
        uint32_t minor;
        int (*open)(struct file *f);
    } memory[] = {
        {"null", 3, null_open},
        {"zero", 5, zero_open},
        {"full", 7, full_open},
        {"kmsg", 11, kmsg_open},
    };
    static const char *const links[][2] = {
        {"fd", "/proc/self/fd"},
        {"stdin", "/proc/self/fd/0"},
        {"stdout", "/proc/self/fd/1"},
        {"stderr", "/proc/self/fd/2"},
    };
    dev_sb = sb_make(&devtmpfs_type);
    if (dev_sb == NULL) {
        return -ENOMEM;
    }
    struct inode *ino;
    int err = tmpfs_make(dev_sb, S_IFDIR | 0755, 0, NULL, &ino);
    if (err < 0) {
        return err;
    }
    dev_sb->root = dentry_make(NULL, "/", 1, 0, ino);
    if (dev_sb->root == NULL) {
        return -ENOMEM;
    }
    for (unsigned i = 0; i < sizeof(memory) / sizeof(memory[0]) && err == 0; i++) {
        err = devfs_register(memory[i].name, 0666, 1, memory[i].minor, memory[i].open);
    }
    err = err < 0 ? err : devrandom_init();
    for (unsigned i = 0; i < sizeof(links) / sizeof(links[0]) && err == 0; i++) {
        err = node_make(links[i][0], S_IFLNK | 0777, 0, links[i][1]);
    }
    if (err == 0) {
        err = node_make("shm", S_IFDIR | 01777, 0, NULL);
    }
    return err;
}
