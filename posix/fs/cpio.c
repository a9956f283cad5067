/* cpio newc archives into the root file system; a state machine fed with pieces of any size.
 *
 *      header 110 | name, NUL, to 4 | data, to 4 | header ... | "TRAILER!!!" | zeroes | next archive
 *
 * The archive is trusted to be ours, its format is not: sizes and names are checked, a bad one ends the
 * unpacking with -EINVAL and what came before stays.  Names with ".." are refused; leading slashes are
 * dropped.  Hard links: the first of them that is met makes the file, the others link to it.
 * Names may end with several NULs: with them mkcpio.py puts the data of a file to a page boundary, and
 * whole pages of an archive that stays (archive_unpack) are then borrowed instead of copied.
 * Not here: the old binary formats, checksums (070702 is read, its sums are not looked at).
 */
#include "fs/cpio.h"
#include "fd/fd_int.h"

#include <stdio.h>
#include <string.h>

#define HEADER 110u

enum field {
    INO,
    MODE,
    UID,
    GID,
    NLINK,
    MTIME,
    FILESIZE,
    DEV_MAJOR,
    DEV_MINOR,
    RDEV_MAJOR,
    RDEV_MINOR,
    NAMESIZE,
    CHECK,
    FIELDS
};

struct hardlink {
    struct hardlink *next;
    uint32_t ino, dev[2];
    struct path file;
};

struct cpio {
    enum { WANT_HEADER, WANT_NAME, WANT_DATA, WANT_LINK } state;
    uint64_t offset; /* in the archive, for padding */
    uint32_t have;   /* of the piece being collected */
    uint64_t left;   /* data still to come */
    uint32_t f[FIELDS];
    struct file *out; /* of a regular file with data */
    struct hardlink *links;
    bool stays;   /* what is fed lies there for ever */
    bool trailer; /* only zeroes or a new archive may follow */
    char header[HEADER];
    char name[PATH_MAX];
    char text[PATH_MAX]; /* of a symbolic link */
};

struct cpio *cpio_begin(void)
{
    return mb_zalloc(sizeof(struct cpio));
}

static void links_drop(struct cpio *c)
{
    while (c->links != NULL) {
        struct hardlink *l = c->links;
        c->links = l->next;
        path_unref(l->file);
        mb_free(l);
    }
}

static int header_parse(struct cpio *c)
{
    if (memcmp(c->header, "070701", 6) != 0 && memcmp(c->header, "070702", 6) != 0) {
        return -EINVAL;
    }
    for (unsigned i = 0; i < FIELDS; i++) {
        uint32_t v = 0;
        for (unsigned k = 0; k < 8; k++) {
            char ch = c->header[6 + i * 8 + k];
            unsigned digit = ch >= '0' && ch <= '9'   ? (unsigned)(ch - '0')
                             : ch >= 'a' && ch <= 'f' ? (unsigned)(ch - 'a' + 10)
                             : ch >= 'A' && ch <= 'F' ? (unsigned)(ch - 'A' + 10)
                                                      : 16u;
            if (digit == 16) {
                return -EINVAL;
            }
            v = v << 4 | digit;
        }
        c->f[i] = v;
    }
    return c->f[NAMESIZE] == 0 || c->f[NAMESIZE] > PATH_MAX ? -EINVAL : 0;
}

/* Drop leading "/" and "./"; no "..": NULL is a bad name, "" the root itself. */
static const char *name_clean(const char *name)
{
    for (;;) {
        if (name[0] == '/') {
            name++;
        } else if (name[0] == '.' && (name[1] == '/' || name[1] == 0)) {
            name++;
        } else {
            break;
        }
    }
    for (const char *p = name; *p != 0;) {
        size_t len = strcspn(p, "/");
        if (len == 2 && p[0] == '.' && p[1] == '.') {
            return NULL;
        }
        p += len + (p[len] == '/');
    }
    return name;
}

/* Make the directories above name, which archives of EXTRA trees may leave out. */
static int parents_make(char *name)
{
    int err = 0;
    for (char *p = strchr(name, '/'); p != NULL && err == 0; p = strchr(p + 1, '/')) {
        *p = 0;
        err = vfs_make(name, S_IFDIR | 0755, 0, NULL, NULL);
        err = err == -EEXIST ? 0 : err;
        *p = '/';
    }
    return err;
}

/* Something is there by that name already: take it away, unless it is a directory (kept). */
static int clear_way(const char *name, bool directory)
{
    struct path parent;
    struct last last;
    struct dentry *d;
    int err = path_parent(AT_FDCWD, name, &parent, &last);
    if (err < 0) {
        return err;
    }
    err = last.dots ? -EEXIST : path_entry(&parent, &last, &d);
    if (err == 0) {
        if (S_ISDIR(d->inode->mode)) {
            err = directory ? 1 : -EISDIR;
        } else {
            d->inode->nlink--;
            dentry_detach(d);
        }
        dentry_unref(d);
    }
    path_unref(parent);
    return err == -ENOENT ? 0 : err;
}

static void attributes(struct cpio *c, struct inode *ino)
{
    ino->uid = c->f[UID];
    ino->gid = c->f[GID];
    ino->mode = (ino->mode & S_IFMT) | (c->f[MODE] & 07777);
    ino->mtime = ino->atime = ino->ctime = (int64_t)c->f[MTIME] * NSEC_PER_SEC;
}

/* A further name of a file with several: 1 when it was one, 0 when this is the first. */
static int link_known(struct cpio *c, const char *name)
{
    for (struct hardlink *l = c->links; l != NULL; l = l->next) {
        if (l->ino != c->f[INO] || l->dev[0] != c->f[DEV_MAJOR] || l->dev[1] != c->f[DEV_MINOR]) {
            continue;
        }
        struct path parent;
        struct last last;
        struct inode *ino = l->file.dentry->inode;
        if ((ino->mode & S_IFMT) != (c->f[MODE] & S_IFMT)) {
            return -EINVAL;
        }
        int err = path_parent(AT_FDCWD, name, &parent, &last);
        if (err < 0) {
            return err;
        }
        struct dentry *d =
            dentry_make(parent.dentry, last.name, last.len, last.hash, inode_ref(ino));
        if (d == NULL) {
            inode_unref(ino);
            err = -ENOMEM;
        } else {
            dentry_attach(d);
            dentry_unref(d);
            ino->nlink++;
            err = 1;
            if (c->left > 0 && S_ISREG(ino->mode)) { /* newc puts the data to the last name */
                err = file_open_path(path_ref(l->file), O_WRONLY, &c->out);
                err = err < 0 ? err : 1;
            }
        }
        path_unref(parent);
        return err;
    }
    return 0;
}

static int link_remember(struct cpio *c, struct path p)
{
    struct hardlink *l = mb_alloc(sizeof(*l));
    if (l == NULL) {
        return -ENOMEM;
    }
    *l = (struct hardlink){.next = c->links,
                           .ino = c->f[INO],
                           .dev = {c->f[DEV_MAJOR], c->f[DEV_MINOR]},
                           .file = path_ref(p)};
    c->links = l;
    return 0;
}

static int entry_make(struct cpio *c, char *name, const char *target)
{
    uint32_t mode = c->f[MODE];
    struct path p;
    bool directory = S_ISDIR(mode);
    if (*name == 0) { /* the root directory itself */
        return directory ? 0 : -EINVAL;
    }
    int err = parents_make(name);
    err = err < 0 ? err : clear_way(name, directory);
    if (err < 0) {
        return err;
    }
    bool linked = !directory && c->f[NLINK] > 1;
    if (linked) {
        int known = link_known(c, name);
        if (known != 0) {
            return known < 0 ? known : 0;
        }
    }
    if (err == 1) {
        err = path_lookup(AT_FDCWD, name, 0, &p);
    } else {
        err = vfs_make(name, mode, dev_make(c->f[RDEV_MAJOR], c->f[RDEV_MINOR]), target, &p);
    }
    if (err < 0) {
        return err;
    }
    attributes(c, p.dentry->inode);
    if (linked) {
        err = link_remember(c, p);
    }
    if (err == 0 && S_ISREG(mode) && c->left > 0) {
        return file_open_path(p, O_WRONLY, &c->out);
    }
    path_unref(p);
    return err;
}

/* The name is there: make the entry, or for a link wait for its text. */
static int name_done(struct cpio *c)
{
    if (c->name[c->f[NAMESIZE] - 1] != 0) {
        return -EINVAL;
    }
    c->left = c->f[FILESIZE];
    c->have = 0;
    c->state = WANT_DATA;
    if (strcmp(c->name, "TRAILER!!!") == 0) {
        c->trailer = true;
        links_drop(c);
        return 0;
    }
    char *name = (char *)name_clean(c->name);
    if (name == NULL) {
        return -EINVAL;
    }
    switch (c->f[MODE] & S_IFMT) {
    case S_IFLNK:
        if (c->left == 0 || c->left >= PATH_MAX) {
            return -EINVAL;
        }
        c->state = WANT_LINK;
        return 0;
    case S_IFREG:
    case S_IFDIR:
    case S_IFCHR:
    case S_IFBLK:
    case S_IFIFO:
    case S_IFSOCK:
        return entry_make(c, name, NULL);
    default:
        return -EINVAL;
    }
}

static int data_done(struct cpio *c)
{
    if (c->out != NULL) {
        attributes(c, c->out->inode); /* writing changed the times */
        file_unref(c->out);
        c->out = NULL;
    }
    c->state = WANT_HEADER;
    c->have = 0;
    return 0;
}

/* Take up to want bytes (of the piece being collected) into buf: how many. */
static size_t collect(struct cpio *c, char *buf, size_t want, const char *data, size_t n)
{
    size_t take = want - c->have < n ? want - c->have : n;
    memcpy(buf + c->have, data, take);
    c->have += (uint32_t)take;
    return take;
}

static long feed_header(struct cpio *c, const char *data, size_t n)
{
    if (c->have == 0 && data[0] == 0) {
        return 1; /* padding between archives, or to 4 */
    }
    size_t took = collect(c, c->header, HEADER, data, n);
    if (c->have == HEADER) {
        int err = header_parse(c);
        if (err < 0) {
            return err;
        }
        c->state = WANT_NAME;
        c->have = 0;
        c->trailer = false;
    }
    return (long)took;
}

static long feed_data(struct cpio *c, const char *data, size_t n)
{
    size_t take = c->left < n ? c->left : n;
    long lent = 0;
    if (c->out != NULL && c->stays && c->out->ops == &tmpfs_file_ops) {
        lent = tmpfs_borrow(c->out->inode, data, take, &c->out->pos);
    }
    if (lent < 0) {
        return lent;
    }
    if (lent > 0) {
        take = (size_t)lent;
    } else if (c->out != NULL) {
        struct iobuf b = iobuf_kernel((void *)(uintptr_t)data, take);
        long put = c->out->ops->write(c->out, &b, &c->out->pos);
        if (put != (long)take) {
            return put < 0 ? put : -ENOSPC;
        }
    }
    c->left -= take;
    return (long)take;
}

/* One step: bytes used, or an error. */
static long feed_some(struct cpio *c, const char *data, size_t n)
{
    long took;
    int err = 0;
    bool pad = (c->offset & 3) != 0;
    switch (c->state) {
    case WANT_HEADER:
        return pad && c->have == 0 ? 1 : feed_header(c, data, n);
    case WANT_NAME:
        took = (long)collect(c, c->name, c->f[NAMESIZE], data, n);
        if (c->have == c->f[NAMESIZE]) {
            err = name_done(c);
        }
        break;
    case WANT_LINK:
        if (pad && c->have == 0) {
            return 1;
        }
        took = (long)collect(c, c->text, c->left, data, n);
        if (c->have == c->left) {
            c->text[c->have] = 0;
            err = entry_make(c, (char *)name_clean(c->name), c->text);
            err = err == 0 ? data_done(c) : err;
        }
        break;
    default:
        if (pad && c->left == c->f[FILESIZE]) {
            return 1;
        }
        took = feed_data(c, data, n);
        break;
    }
    if (err == 0 && took >= 0 && c->state == WANT_DATA && c->left == 0) {
        err = data_done(c);
    }
    return err < 0 ? err : took;
}

int cpio_feed(struct cpio *c, const void *data, size_t n)
{
    const char *p = data;
    while (n > 0) {
        long took = feed_some(c, p, n);
        if (took < 0) {
            return (int)took;
        }
        c->offset += (uint64_t)took;
        p += took;
        n -= (size_t)took;
    }
    return 0;
}

int cpio_end(struct cpio *c)
{
    bool whole = c->state == WANT_HEADER && c->have == 0;
    if (c->out != NULL) {
        file_unref(c->out);
    }
    links_drop(c);
    mb_free(c);
    return whole ? 0 : -EINVAL;
}

static int feed_sink(void *ctx, const void *data, size_t n)
{
    return cpio_feed(ctx, data, n);
}

/* A plain archive up to its trailer: bytes used. */
static long plain_feed(struct cpio *c, const uint8_t *p, size_t n)
{
    size_t used = 0;
    c->trailer = false;
    c->stays = true;
    while (used < n && !(c->trailer && c->state == WANT_HEADER)) {
        long took = feed_some(c, (const char *)p + used, n - used);
        if (took < 0) {
            return took;
        }
        c->offset += (uint64_t)took;
        used += (size_t)took;
    }
    c->stays = false;
    return (long)used;
}

int archive_unpack(const void *data, size_t n)
{
    const uint8_t *p = data;
    struct cpio *c = cpio_begin();
    int err = 0;
    if (c == NULL) {
        return -ENOMEM;
    }
    while (n > 0 && err == 0) {
        long took = 1; /* zeroes lie between archives */
        c->offset = 0;
        if (p[0] == 0x1f && n > 1 && p[1] == 0x8b) {
            took = gunzip(p, n, feed_sink, c);
        } else if (p[0] != 0) {
            took = plain_feed(c, p, n);
        }
        if (took < 0) {
            err = (int)took;
            break;
        }
        p += took;
        n -= (size_t)took;
    }
    int end = cpio_end(c);
    return err < 0 ? err : end;
}
