/* Path lookup: one loop over the components, symbolic links by a small stack of what is left to do.
 *
 *      "a/link/b"   at: a    rest: "link/b"   link -> "../x"
 *                   at: a    rest: "../x"     stack: "/b"
 *
 * Rules: `at` is always referenced; link texts stay valid because nothing here sleeps.
 */
#include "path/path.h"

#include <string.h>

#define LINKS_MAX 40

struct walk {
    struct path at, root; /* root is borrowed from the thread's fsctx */
    const char *rest;
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

static void walk_up(struct walk *w)
{
    while (w->at.dentry != w->root.dentry || w->at.mnt != w->root.mnt) {
        struct path up = {.mnt = w->at.mnt, .dentry = w->at.dentry->parent};
        bool mount_root = w->at.dentry == w->at.mnt->root;
        if (mount_root) {
            if (w->at.mnt->parent == NULL) {
                return;
            }
            up = (struct path){.mnt = w->at.mnt->parent, .dentry = w->at.mnt->mountpoint};
        }
        path_ref(up);
        path_unref(w->at);
        w->at = up;
        if (!mount_root) {
            path_cross_mounts(&w->at);
            return;
        }
    }
}

/* Where a relative name begins. */
static int walk_begin(struct walk *w, int dirfd, const char *name)
{
    const struct fsctx *ctx = fsctx_now();
    w->root = ctx->root;
    w->rest = name;
    w->links = w->depth = 0;
    if (name[0] == '/') {
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

/* `link` (its reference is taken over) is to be followed from w->at: sets what is left to walk. */
static int walk_link(struct walk *w, struct path link)
{
    struct inode *ino = link.dentry->inode;
    int err = 0;
    if (++w->links > LINKS_MAX) {
        err = -ELOOP;
    } else if (ino->ops->follow != NULL) {
        struct path to;
        err = ino->ops->follow(ino, &to);
        if (err == 0) {
            path_unref(w->at);
            w->at = to;
        }
    } else if (ino->link == NULL || ino->link[0] == 0) {
        err = -ENOENT;
    } else {
        if (*w->rest != 0) {
            w->stack[w->depth++] = w->rest;
        }
        w->rest = ino->link;
        if (w->rest[0] == '/') {
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
            walk_up(w);
            continue;
        }
        struct path next;
        err = child_get(&w->at, name, (unsigned)len, hash, &next);
        if (err < 0) {
            return err;
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
    int err = walk_begin(&w, dirfd, name);
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
    int err = walk_begin(&w, dirfd, name);
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

int path_open_walk(int dirfd, const char *name, bool nofollow, struct path *parent,
                   struct last *last, struct path *found)
{
    struct walk w;
    bool slash = false;
    if (name[0] == 0) {
        return -ENOENT;
    }
    int err = walk_begin(&w, dirfd, name);
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
            if (last->len == 2) {
                walk_up(&w);
            }
            *found = path_ref(w.at);
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
        if (err < 0 || !S_ISLNK(found->dentry->inode->mode) || nofollow) {
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
