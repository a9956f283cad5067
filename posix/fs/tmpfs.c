/* tmpfs: files in memory.  Names live in the dentry hash, data in page trees (tmpfs_data.c).
 *
 * The same inodes serve the root, ramfs (no limits) and devtmpfs (one instance).  Limits as on Linux:
 * half of the memory, unless size= or nr_blocks= say otherwise; nr_inodes=.  All together never take
 * more than three quarters of the memory: files cannot be killed to make room for programs.
 */
#include "fs/inode.h"
#include "fs/seal.h"

#include <stdlib.h>
#include <string.h>

#define DIRENT_SIZE 20 /* what Linux pretends an entry takes */

static void tmpfs_evict(struct inode *ino)
{
    struct sb *sb = ino->sb;
    if (S_ISREG(ino->mode)) {
        tmpfs_pages_free(ino, 0, ~0ul);
    } else if (S_ISLNK(ino->mode)) {
        mb_free(ino->link);
    } else if (S_ISFIFO(ino->mode) && ino->pipe != NULL) {
        pipe_free(ino->pipe);
    }
    sb->inodes--;
}

static int special_open(struct inode *ino, struct file *f)
{
    if (S_ISCHR(ino->mode) || S_ISBLK(ino->mode)) {
        return device_open(ino, f);
    }
    return S_ISFIFO(ino->mode) ? fifo_open(ino, f) : -ENXIO;
}

static void dir_stat(struct inode *ino, struct kstat *st)
{
    st->size = (2 + (int64_t)ino->dir.entries) * DIRENT_SIZE;
}

const struct inode_ops tmpfs_file_iops = {
    .writable = true,
    .truncate = tmpfs_truncate,
    .fallocate = tmpfs_fallocate,
    .evict = tmpfs_evict,
};
static const struct inode_ops dir_iops = {
    .writable = true,
    .stat = dir_stat,
    .evict = tmpfs_evict,
};
static const struct inode_ops link_iops = {
    .writable = true,
    .evict = tmpfs_evict,
};
static const struct inode_ops special_iops = {
    .writable = true,
    .open = special_open,
    .evict = tmpfs_evict,
};
static const struct file_ops no_file_ops = {.name = "special"};

int tmpfs_make(struct sb *sb, uint32_t mode, uint64_t rdev, const char *target, struct inode **out)
{
    const struct inode_ops *ops = &special_iops;
    const struct file_ops *fops = &no_file_ops;
    char *text = NULL;
    uint32_t seals = 0;

    if (sb->inodes_max != 0 && sb->inodes >= sb->inodes_max) {
        return -ENOSPC;
    }
    switch (mode & S_IFMT) {
    case S_IFREG:
        ops = &tmpfs_file_iops;
        fops = &tmpfs_file_ops;
        seals = F_SEAL_SEAL;
        break;
    case S_IFDIR:
        ops = &dir_iops;
        fops = &dir_file_ops;
        break;
    case S_IFLNK: {
        size_t len = target != NULL ? strlen(target) + 1 : 0;
        text = len > 0 ? mb_alloc(len) : NULL;
        if (text == NULL) {
            return len > 0 ? -ENOMEM : -EINVAL;
        }
        memcpy(text, target, len);
        ops = &link_iops;
        break;
    }
    default:
        break;
    }
    struct inode *ino = inode_make(sb, ops, fops, mode);
    if (ino == NULL) {
        mb_free(text);
        return -ENOMEM;
    }
    ino->seals = seals;
    if (text != NULL) {
        ino->link = text;
        ino->size = (int64_t)strlen(text);
    } else if (S_ISCHR(mode) || S_ISBLK(mode)) {
        ino->rdev = rdev;
    }
    sb->inodes++;
    *out = ino;
    return 0;
}

/* ---- mounting ---- */

struct options {
    uint64_t pages, inodes;
    uint32_t mode, uid, gid;
};

/* A number with k, m, g or %; 0, or -EINVAL. */
static int parse_size(const char *text, uint64_t *bytes)
{
    char *end;
    uint64_t n = strtoul(text, &end, 10);
    if (end == text) {
        return -EINVAL;
    }
    unsigned shift = 0;
    switch (*end) {
    case 'k':
    case 'K':
        shift = 10;
        break;
    case 'm':
    case 'M':
        shift = 20;
        break;
    case 'g':
    case 'G':
        shift = 30;
        break;
    case '%':
        n = n > 100 ? mb_pages_total() * MB_PAGE : mb_pages_total() * MB_PAGE / 100 * n;
        break;
    default:
        break;
    }
    if (*end != 0 && end[1] != 0) {
        return -EINVAL;
    }
    if (*end != 0 && shift == 0 && *end != '%') {
        return -EINVAL;
    }
    if (n > ~0ul >> shift) {
        return -EINVAL;
    }
    *bytes = n << shift;
    return 0;
}

static int parse_option(const char *name, const char *value, struct options *o)
{
    uint64_t n = 0;
    int err;
    if (strcmp(name, "size") == 0) {
        err = parse_size(value, &n);
        o->pages = n / MB_PAGE + (n % MB_PAGE != 0);
    } else if (strcmp(name, "nr_blocks") == 0) {
        err = parse_size(value, &o->pages);
    } else if (strcmp(name, "nr_inodes") == 0) {
        err = parse_size(value, &o->inodes);
    } else {
        char *end;
        bool mode = strcmp(name, "mode") == 0;
        n = strtoul(value, &end, mode ? 8 : 10);
        err = *value == 0 || *end != 0 ? -EINVAL : 0;
        if (mode) {
            o->mode = n & 07777;
        } else if (strcmp(name, "uid") == 0) {
            o->uid = (uint32_t)n;
        } else if (strcmp(name, "gid") == 0) {
            o->gid = (uint32_t)n;
        } else {
            return -EINVAL;
        }
    }
    return err;
}

static int parse_options(const char *text, struct options *o)
{
    while (text != NULL && *text != 0) {
        char word[64];
        const char *end = strchr(text, ',');
        size_t len = end != NULL ? (size_t)(end - text) : strlen(text);
        if (len >= sizeof(word)) {
            return -EINVAL;
        }
        memcpy(word, text, len);
        word[len] = 0;
        char *value = strchr(word, '=');
        if (value != NULL) {
            *value++ = 0;
            int err = parse_option(word, value, o);
            if (err < 0) {
                return err;
            }
        } else if (len > 0) {
            return -EINVAL;
        }
        text += len + (end != NULL);
    }
    return 0;
}

static int tmpfs_mount(const struct fs_type *type, const char *options, struct sb **out)
{
    struct options o = {.mode = type == &tmpfs_type ? 01777 : 0755};
    tmpfs_pages_max = mb_pages_total() / 4 * 3;
    if (type == &tmpfs_type) {
        o.pages = mb_pages_total() / 2;
        o.inodes = mb_pages_total() / 2;
    }
    int err = parse_options(options, &o);
    if (err < 0) {
        return err;
    }
    struct sb *sb = sb_make(type);
    if (sb == NULL) {
        return -ENOMEM;
    }
    sb->pages_max = o.pages;
    sb->inodes_max = o.inodes;
    struct inode *ino;
    err = tmpfs_make(sb, S_IFDIR | o.mode, 0, NULL, &ino);
    if (err == 0) {
        ino->uid = o.uid;
        ino->gid = o.gid;
        sb->root = dentry_make(NULL, "/", 1, 0, ino);
        if (sb->root == NULL) {
            inode_unref(ino);
            err = -ENOMEM;
        }
    }
    if (err < 0) {
        sb_unref(sb);
        return err;
    }
    *out = sb;
    return 0;
}

/* New limits, which what is there must keep; the rest belongs to the root and stays. */
static int tmpfs_remount(struct sb *sb, const char *options)
{
    struct options o = {.pages = sb->pages_max, .inodes = sb->inodes_max};
    int err = parse_options(options, &o);
    if (err < 0) {
        return err;
    }
    /* A file system without limits cannot get some: what it took was not counted against them. */
    if ((o.pages != 0) != (sb->pages_max != 0) || (o.inodes != 0) != (sb->inodes_max != 0) ||
        (o.pages != 0 && o.pages < sb->pages) || (o.inodes != 0 && o.inodes < sb->inodes)) {
        return -EINVAL;
    }
    sb->pages_max = o.pages;
    sb->inodes_max = o.inodes;
    return 0;
}

const struct fs_type tmpfs_type = {
    .name = "tmpfs",
    .nodev = true,
    .magic = 0x01021994,
    .mount = tmpfs_mount,
    .remount = tmpfs_remount,
    .make = tmpfs_make,
};
const struct fs_type ramfs_type = {
    .name = "ramfs",
    .nodev = true,
    .magic = 0x858458f6,
    .mount = tmpfs_mount,
    .make = tmpfs_make,
};
