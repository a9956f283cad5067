/* Path lookup: one loop over the components, symbolic links by a small stack of what is left to do.
 *
 *      "a/link/b"   at: a    rest: "link/b"   link -> "../x"
 *                   at: a    rest: "../x"     stack: "/b"
 *
 * Rules: `at` is always referenced; link texts stay valid because nothing here sleeps.  With LOOKUP_BENEATH
 * and LOOKUP_IN_ROOT the starting point is the root: leaving it is an error, or leads back to it.
 */
#include "path/path.h"

#include <string.h>

#define LINKS_MAX 40

struct walk {
    struct path at, root; /* root is borrowed from the thread's fsctx */
    const char *rest;
    unsigned flags; /* LOOKUP_* */
    unsigned links, depth;
    const char *stack[LINKS_MAX];
};

void path_cross_mounts(struct path *p)
{
    while (p->dentry->mounts > 0) {
        struct mount *m = mount_on(p->mnt, p->dentry);
        if (m == NULL) {
            return; /* mounted in another place of the same file system */
        }
        struct path to = path_ref((struct path){.mnt = m, .dentry = m->root});
        path_unref(*p);
        *p = to;
    }
}

static int walk_up(struct walk *w)
{
    if ((w->flags & LOOKUP_BENEATH) != 0 && w->at.dentry == w->root.dentry &&
        w->at.mnt == w->root.mnt) {
        return -EXDEV;
    }
    while (w->at.dentry != w->root.dentry || w->at.mnt != w->root.mnt) {
        struct path up = {.mnt = w->at.mnt, .dentry = w->at.dentry->parent};
        bool mount_root = w->at.dentry == w->at.mnt->root;
        if (mount_root) {
            if (w->at.mnt->parent == NULL) {
                return 0;
            }
            if ((w->flags & LOOKUP_NO_XDEV) != 0) {
                return -EXDEV;
            }
            up = (struct path){.mnt = w->at.mnt->parent, .dentry = w->at.mnt->mountpoint};
        }
        path_ref(up);
        path_unref(w->at);
        w->at = up;
        if (!mount_root) {
            const struct mount *before = w->at.mnt;
            path_cross_mounts(&w->at);
            return (w->flags & LOOKUP_NO_XDEV) != 0 && w->at.mnt != before ? -EXDEV : 0;
        }
    }
    return 0;
}

/* Where a relative name begins. */
static int walk_begin(struct walk *w, int dirfd, const char *name, unsigned flags)
{
    const struct fsctx *ctx = fsctx_now();
    w->root = ctx->root;
    w->rest = name;
    w->links = w->depth = 0;
    w->flags = flags;
    bool scoped = (flags & (LOOKUP_BENEATH | LOOKUP_IN_ROOT)) != 0;
    if (name[0] == '/' && (flags & LOOKUP_BENEATH) != 0) {
        return -EXDEV;
    }
    if (name[0] == '/' && !scoped) {
        w->at = path_ref(w->root);
    } else if (dirfd == AT_FDCWD) {
        w->at = path_ref(ctx->cwd);
    } else {
        struct file *f = fd_get_path(dirfd);
        if (f == NULL) {
            return -EBADF;
        }
        if (f->dentry == NULL || (name[0] != 0 && !S_ISDIR(f->inode->mode))) {
            file_unref(f);
            return -ENOTDIR;
        }
        w->at = path_ref((struct path){.mnt = f->mnt, .dentry = f->dentry});
        file_unref(f);
    }
    if (scoped) { /* borrowed as well: the descriptor or the working directory holds it */
        w->root = w->at;
    }
    return 0;
}

static int entry_get(struct dentry *dir, const char *name, unsigned len, uint32_t hash,
                     struct dentry **out)
{
    struct dentry *d = dentry_find(dir, name, len, hash);
    if (d != NULL) {
        *out = dentry_ref(d);
        return 0;
    }
    if (dir->inode->ops->lookup == NULL) {
        return -ENOENT;
    }
    return dir->inode->ops->lookup(dir, name, len, out);
}

int path_entry(const struct path *parent, const struct last *last, struct dentry **out)
{
    return entry_get(parent->dentry, last->name, last->len, last->hash, out);
}

/* The child of `at` in *out, referenced.  Permission to search was checked. */
static int child_get(const struct path *at, const char *name, unsigned len, uint32_t hash,
                     struct path *out)
{
    struct dentry *d;
    int err = entry_get(at->dentry, name, len, hash, &d);
    if (err < 0) {
        return err;
    }
    out->mnt = mount_ref(at->mnt);
    out->dentry = d;
    if (d->mounts > 0) {
        path_cross_mounts(out);
    }
    return 0;
}

int path_child(const struct path *parent, const struct last *last, struct path *out)
{
    return child_get(parent, last->name, last->len, last->hash, out);
}

/* A magic link: to wherever it leads, which is nowhere "inside". */
static int jump(struct walk *w, struct inode *ino)
{
    struct path to;
    if ((w->flags & LOOKUP_NO_MAGIC) != 0) {
        return -ELOOP;
    }
    int err = ino->ops->follow(ino, &to);
    if (err < 0) {
        return err;
    }
    if ((w->flags & (LOOKUP_BENEATH | LOOKUP_IN_ROOT)) != 0 ||
        ((w->flags & LOOKUP_NO_XDEV) != 0 && to.mnt != w->at.mnt)) {
        path_unref(to);
        return -EXDEV;
    }
    path_unref(w->at);
    w->at = to;
    return 0;
}

/* `link` (its reference is taken over) is to be followed from w->at, where it is: sets what is left to walk. */
static int walk_link(struct walk *w, struct path link)
{
    const char *rest = w->rest;
    while (*rest == '/') {
        rest++;
    }
    bool last = *rest == 0 && w->depth == 0;
    struct inode *ino = link.dentry->inode;
    int err = 0;
    if (++w->links > LINKS_MAX || (w->flags & LOOKUP_NO_LINKS) != 0 ||
        (link.mnt->flags & ABI_MS_NOSYMFOLLOW) != 0) {
        err = -ELOOP;
    } else if (last && protect_follow(w->at.dentry->inode, ino) < 0) {
        err = -EACCES;
    } else if (ino->ops->follow != NULL) {
        err = jump(w, ino);
    } else if (ino->link == NULL || ino->link[0] == 0) {
        err = -ENOENT;
    } else {
        if (*w->rest != 0) {
            w->stack[w->depth++] = w->rest;
        }
        w->rest = ino->link;
        inode_accessed_at(ino, link.mnt);
        if (w->rest[0] == '/') {
            bool leaves = (w->flags & LOOKUP_BENEATH) != 0 ||
                          ((w->flags & LOOKUP_NO_XDEV) != 0 && w->root.mnt != w->at.mnt);
            err = leaves ? -EXDEV : 0;
            path_unref(w->at);
            w->at = path_ref(w->root);
        }
    }
    path_unref(link);
    return err;
}

/* Walk on until nothing is left, or with want not NULL until only the last component is.  follow: a
 * link at the very end is followed.  *slash: the name ended in one. */
static int walk_run(struct walk *w, bool follow, struct last *want, bool *slash)
{
    for (;;) {
        const char *s = w->rest;
        while (*s == '/') {
            s++;
        }
        if (*s == 0) {
            if (w->depth > 0) {
                w->rest = w->stack[--w->depth];
                continue;
            }
            if (want != NULL) { /* "/", or a link that leads to it */
                *want = (struct last){.name = s, .dots = true};
            }
            return 0;
        }
        const char *name = s;
        uint32_t hash = DENTRY_HASH_START;
        unsigned char c;
        while ((c = (unsigned char)*s) != 0 && c != '/') {
            hash = dentry_hash_step(hash, c);
            s++;
        }
        size_t len = (size_t)(s - name);
        const char *end = s;
        while (*s == '/') {
            s++;
        }
        bool final = *s == 0 && w->depth == 0;
        if (final && s != end) {
            *slash = true;
        }
        struct inode *dir = w->at.dentry->inode;
        if (!S_ISDIR(dir->mode)) {
            return -ENOTDIR;
        }
        if (len > NAME_MAX) {
            return -ENAMETOOLONG;
        }
        int err = inode_permission(dir, MAY_EXEC);
        if (err < 0) {
            return err;
        }
        w->rest = s;
        bool dot = name[0] == '.' && len == 1;
        bool dotdot = name[0] == '.' && len == 2 && name[1] == '.';
        if (final && want != NULL) {
            *want = (struct last){.name = name,
                                  .len = (unsigned)len,
                                  .hash = hash,
                                  .dots = dot || dotdot,
                                  .slash = *slash};
            return 0;
        }
        if (dot) {
            continue;
        }
        if (dotdot) {
            err = walk_up(w);
            if (err < 0) {
                return err;
            }
            continue;
        }
        struct path next;
        err = child_get(&w->at, name, (unsigned)len, hash, &next);
        if (err < 0) {
            return err;
        }
        if ((w->flags & LOOKUP_NO_XDEV) != 0 && next.mnt != w->at.mnt) {
            path_unref(next);
            return -EXDEV;
        }
        if (S_ISLNK(next.dentry->inode->mode) && (!final || follow || *slash)) {
            err = walk_link(w, next);
            if (err < 0) {
                return err;
            }
            continue;
        }
        path_unref(w->at);
        w->at = next;
    }
}

int path_lookup(int dirfd, const char *name, unsigned flags, struct path *out)
{
    struct walk w;
    bool slash = false;
    if (name[0] == 0 && (flags & LOOKUP_EMPTY) == 0) {
        return -ENOENT;
    }
    int err = walk_begin(&w, dirfd, name, flags);
    if (err < 0) {
        return err;
    }
    err = walk_run(&w, (flags & LOOKUP_FOLLOW) != 0, NULL, &slash);
    if (err == 0 && (slash || (flags & LOOKUP_DIRECTORY) != 0) &&
        !S_ISDIR(w.at.dentry->inode->mode)) {
        err = -ENOTDIR;
    }
    if (err < 0) {
        path_unref(w.at);
        return err;
    }
    if ((flags & LOOKUP_KEEP_EXPIRY) == 0) {
        w.at.mnt->expired = false;
    }
    *out = w.at;
    return 0;
}

int path_parent(int dirfd, const char *name, struct path *parent, struct last *last)
{
    struct walk w;
    bool slash = false;
    if (name[0] == 0) {
        return -ENOENT;
    }
    int err = walk_begin(&w, dirfd, name, 0);
    if (err < 0) {
        return err;
    }
    err = walk_run(&w, false, last, &slash);
    if (err == 0 && !S_ISDIR(w.at.dentry->inode->mode)) {
        err = -ENOTDIR;
    }
    if (err < 0) {
        path_unref(w.at);
        return err;
    }
    *parent = w.at;
    return 0;
}

int path_open_walk(int dirfd, const char *name, unsigned flags, struct path *parent,
                   struct last *last, struct path *found)
{
    struct walk w;
    bool slash = false;
    if (name[0] == 0) {
        return -ENOENT;
    }
    int err = walk_begin(&w, dirfd, name, flags);
    if (err < 0) {
        return err;
    }
    for (;;) {
        err = walk_run(&w, false, last, &slash);
        if (err < 0) {
            break;
        }
        if (last->dots) { /* it is there, and it is no link */
            w.rest = last->len == 2 ? ".." : "";
            err = last->len == 2 ? walk_up(&w) : 0;
            if (err == 0) {
                *found = path_ref(w.at);
            }
            break;
        }
        if (last->slash) { /* open makes no directories, and says so before it looks */
            err = -EISDIR;
            break;
        }
        err = child_get(&w.at, last->name, last->len, last->hash, found);
        if (err == -ENOENT) {
            found->dentry = NULL;
            err = 0;
            break;
        }
        if (err == 0 && (flags & LOOKUP_NO_XDEV) != 0 && found->mnt != w.at.mnt) {
            path_unref(*found);
            err = -EXDEV;
        }
        if (err < 0 || !S_ISLNK(found->dentry->inode->mode) || (flags & LOOKUP_FOLLOW) == 0) {
            break;
        }
        struct inode *ino = found->dentry->inode;
        bool magic = ino->ops->follow != NULL;
        err = walk_link(&w, *found);
        if (err < 0) {
            break;
        }
        if (magic) {
            *last = (struct last){.name = "", .dots = true, .slash = slash};
            *found = path_ref(w.at);
            break;
        }
    }
    if (err < 0) {
        path_unref(w.at);
        return err;
    }
    *parent = w.at;
    return 0;
}

int path_lookup_user(int dirfd, uint64_t uname, unsigned flags, struct path *out)
{
    char *name;
    int err = name_get(uname, &name);
    if (err < 0) {
        return err;
    }
    err = path_lookup(dirfd, name, flags, out);
    name_put(name);
    return err;
}
