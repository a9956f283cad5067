/* Extended attributes of inodes: a list of names and values, kept by the inode.
 *
 * They cost heap, so what all of a file system's take counts against its limit of pages, and what all
 * take together against that of all file systems.
 * Not here: who may see and change which (path/xattr.c).
 */
#include "fs/inode.h"

#include <linux/xattr.h>
#include <string.h>

struct xattr {
    struct xattr *next;
    size_t size;
    char *name; /* behind the value */
    uint8_t value[];
};

static uint64_t bytes_of_all;

static size_t cost(const char *name, size_t n)
{
    return sizeof(struct xattr) + n + strlen(name) + 1;
}

static struct xattr **find(const struct inode *ino, const char *name)
{
    struct xattr **link = (struct xattr **)&ino->xattrs;
    while (*link != NULL && strcmp((*link)->name, name) != 0) {
        link = &(*link)->next;
    }
    return link;
}

static void take_out(struct inode *ino, struct xattr **link)
{
    struct xattr *x = *link;
    size_t bytes = cost(x->name, x->size);
    *link = x->next;
    ino->sb->xattr_bytes -= bytes;
    bytes_of_all -= bytes;
    mb_free(x);
}

long xattr_read(const struct inode *ino, const char *name, void *buf, size_t n)
{
    const struct xattr *x = *find(ino, name);
    if (x == NULL) {
        return -ENODATA;
    }
    if (n > 0) {
        memcpy(buf, x->value, n < x->size ? n : x->size);
    }
    return (long)x->size;
}

static bool fits(const struct sb *sb, size_t bytes)
{
    uint64_t mine = (sb->xattr_bytes + bytes) / MB_PAGE, all = (bytes_of_all + bytes) / MB_PAGE;
    return (sb->pages_max == 0 || sb->pages + mine < sb->pages_max) &&
           tmpfs_pages + all < tmpfs_pages_max;
}

int xattr_store(struct inode *ino, const char *name, const void *value, size_t n, unsigned flags)
{
    struct xattr **link = find(ino, name);
    size_t bytes = cost(name, n), len = strlen(name) + 1;
    if (*link != NULL && (flags & XATTR_CREATE) != 0) {
        return -EEXIST;
    }
    if (*link == NULL && (flags & XATTR_REPLACE) != 0) {
        return -ENODATA;
    }
    if (!fits(ino->sb, bytes)) {
        return -ENOSPC;
    }
    struct xattr *x = mb_alloc(bytes);
    if (x == NULL) {
        return -ENOMEM;
    }
    x->size = n;
    x->name = (char *)x->value + n;
    if (n > 0) {
        memcpy(x->value, value, n);
    }
    memcpy(x->name, name, len);
    if (*link != NULL) {
        take_out(ino, link);
    }
    x->next = *link;
    *link = x;
    ino->sb->xattr_bytes += bytes;
    bytes_of_all += bytes;
    return 0;
}

int xattr_drop(struct inode *ino, const char *name)
{
    struct xattr **link = find(ino, name);
    if (*link == NULL) {
        return -ENODATA;
    }
    take_out(ino, link);
    return 0;
}

size_t xattr_names(const struct inode *ino, char *buf, size_t n, bool trusted)
{
    size_t at = 0;
    for (const struct xattr *x = ino->xattrs; x != NULL; x = x->next) {
        size_t len = strlen(x->name) + 1;
        if (!trusted && strncmp(x->name, XATTR_TRUSTED_PREFIX, XATTR_TRUSTED_PREFIX_LEN) == 0) {
            continue;
        }
        if (at + len <= n) {
            memcpy(buf + at, x->name, len);
        }
        at += len;
    }
    return at;
}

void xattr_free_all(struct inode *ino)
{
    while (ino->xattrs != NULL) {
        take_out(ino, &ino->xattrs);
    }
}
