/* devpts: the names of pseudo terminals' slaves, and the node ptmx that makes more of them.
 *
 * There is one instance; mounting it again shows the same, with the options of the newest mount (gid, uid,
 * mode of new nodes, ptmxmode, max).  Who makes the terminals (posix/tty/pty.c) says when a name comes and
 * goes, and is asked to open one.
 */
#include "fd/fd_int.h"
#include "fs/inode.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAJOR_TTYAUX 5
#define MINOR_PTMX 2
#define MAJOR_SLAVE 136u
#define MAX_DEFAULT 4096u
#define MAX_MOST (1u << 20)

struct options {
    uint32_t uid, gid, mode, ptmx_mode, max;
    bool set_uid, set_gid;
};

static struct sb *pts_sb;
static struct options options = {.mode = 0600, .max = MAX_DEFAULT};
static int (*open_master)(struct file *f);
static int (*open_slave)(unsigned index, struct file *f);

static void no_data(struct inode *ino)
{
    ino->sb->inodes--;
}

static int slave_open(struct inode *ino, struct file *f)
{
    uint64_t minor = (ino->rdev & 0xff) | (ino->rdev >> 12 & 0xfff00);
    return open_slave != NULL ? open_slave((unsigned)minor, f) : -EIO;
}

static int ptmx_open(struct inode *ino, struct file *f)
{
    return open_master != NULL ? open_master(f) : -EIO;
}

/* Names come and go with the terminals; mode and owner may be changed. */
static const struct inode_ops dir_iops = {.evict = no_data};
static const struct inode_ops slave_iops = {.writable = true, .open = slave_open, .evict = no_data};
static const struct inode_ops ptmx_iops = {.writable = true, .open = ptmx_open, .evict = no_data};
static const struct file_ops no_file_ops = {.name = "pts"};

static struct dentry *find(const char *name)
{
    unsigned len = (unsigned)strlen(name);
    return pts_sb != NULL ? dentry_find(pts_sb->root, name, len, dentry_hash(name, len)) : NULL;
}

static int node_make(const char *name, const struct inode_ops *ops, uint32_t mode, uint64_t rdev,
                     struct inode **out)
{
    unsigned len = (unsigned)strlen(name);
    struct inode *ino = inode_make(pts_sb, ops, &no_file_ops, S_IFCHR | mode);
    if (ino == NULL) {
        return -ENOMEM;
    }
    pts_sb->inodes++;
    ino->rdev = rdev;
    struct dentry *d = dentry_make(pts_sb->root, name, len, dentry_hash(name, len), ino);
    if (d == NULL) {
        inode_unref(ino);
        return -ENOMEM;
    }
    dentry_attach(d);
    dentry_unref(d); /* the name's own reference stays */
    *out = ino;
    return 0;
}

static void number_name(char *buf, size_t n, unsigned index)
{
    snprintf(buf, n, "%u", index);
}

int devpts_add(unsigned index)
{
    const struct cred *c = cred_now();
    char name[12];
    struct inode *ino;
    if (pts_sb == NULL) {
        return -EIO;
    }
    number_name(name, sizeof(name), index);
    int err = node_make(name, &slave_iops, options.mode, dev_make(MAJOR_SLAVE, index), &ino);
    if (err == 0) {
        ino->uid = options.set_uid ? options.uid : c->fsuid;
        ino->gid = options.set_gid ? options.gid : c->fsgid;
    }
    return err;
}

void devpts_remove(unsigned index)
{
    char name[12];
    number_name(name, sizeof(name), index);
    struct dentry *d = find(name);
    if (d != NULL) {
        d->inode->nlink--;
        dentry_detach(d);
    }
}

int devpts_open(unsigned index, unsigned flags, struct file **out)
{
    char name[12];
    number_name(name, sizeof(name), index);
    struct dentry *d = find(name);
    struct mount *m = mount_list;
    while (m != NULL && m->sb != pts_sb) {
        m = m->next;
    }
    if (d == NULL || m == NULL) {
        return -EIO;
    }
    struct path p = {.mnt = m, .dentry = d};
    return file_open_path(path_ref(p), flags, out);
}

unsigned devpts_max(void)
{
    return options.max;
}

/* ---- mounting ---- */

static int parse_option(char *word, struct options *o)
{
    static const struct {
        const char *name;
        size_t at;
        int base;
        uint32_t most;
    } known[] = {
        {"uid", offsetof(struct options, uid), 10, UINT32_MAX},
        {"gid", offsetof(struct options, gid), 10, UINT32_MAX},
        {"mode", offsetof(struct options, mode), 8, 07777},
        {"ptmxmode", offsetof(struct options, ptmx_mode), 8, 07777},
        {"max", offsetof(struct options, max), 10, MAX_MOST},
    };
    char *value = strchr(word, '='), *end;
    if (strcmp(word, "newinstance") == 0) {
        return 0; /* there is one; Linux ignores the word, too */
    }
    if (value == NULL) {
        return -EINVAL;
    }
    *value++ = 0;
    for (unsigned i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (strcmp(word, known[i].name) == 0) {
            unsigned long n = strtoul(value, &end, known[i].base);
            if (*value == 0 || *end != 0 || n > known[i].most) {
                return -EINVAL;
            }
            *(uint32_t *)((char *)o + known[i].at) = (uint32_t)n;
            o->set_uid |= strcmp(word, "uid") == 0;
            o->set_gid |= strcmp(word, "gid") == 0;
            return 0;
        }
    }
    return -EINVAL;
}

static int parse_options(const char *text, struct options *o)
{
    while (text != NULL && *text != 0) {
        char word[48];
        size_t len = strcspn(text, ",");
        if (len >= sizeof(word)) {
            return -EINVAL;
        }
        memcpy(word, text, len);
        word[len] = 0;
        int err = len > 0 ? parse_option(word, o) : 0;
        if (err < 0) {
            return err;
        }
        text += len + (text[len] == ',');
    }
    return 0;
}

static int instance_make(const struct fs_type *type)
{
    struct sb *sb = sb_make(type);
    if (sb == NULL) {
        return -ENOMEM;
    }
    struct inode *ino = inode_make(sb, &dir_iops, &dir_file_ops, S_IFDIR | 0755);
    if (ino != NULL) {
        sb->inodes++;
        sb->root = dentry_make(NULL, "/", 1, 0, ino);
    }
    if (sb->root == NULL) {
        if (ino != NULL) {
            inode_unref(ino);
        }
        sb_unref(sb);
        return -ENOMEM;
    }
    pts_sb = sb;
    int err = node_make("ptmx", &ptmx_iops, 0, dev_make(MAJOR_TTYAUX, MINOR_PTMX), &ino);
    if (err < 0) {
        pts_sb = NULL;
        sb_unref(sb);
    }
    return err;
}

static int devpts_mount(const struct fs_type *type, const char *text, struct sb **out)
{
    struct options o = {.mode = 0600, .max = MAX_DEFAULT};
    int err = parse_options(text, &o);
    if (err == 0 && pts_sb == NULL) {
        err = instance_make(type);
    }
    if (err < 0) {
        return err;
    }
    options = o;
    struct inode *ptmx = find("ptmx")->inode;
    ptmx->mode = S_IFCHR | o.ptmx_mode;
    pts_sb->refs++;
    *out = pts_sb;
    return 0;
}

const struct fs_type devpts_type = {
    .name = "devpts",
    .nodev = true,
    .magic = 0x1cd1,
    .mount = devpts_mount,
};

int devpts_serve(int (*master)(struct file *f), int (*slave)(unsigned index, struct file *f))
{
    open_master = master;
    open_slave = slave;
    return devfs_register("ptmx", S_IFCHR | 0666, MAJOR_TTYAUX, MINOR_PTMX, master);
}
