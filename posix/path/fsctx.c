/* Root directory, working directory and umask of threads: objects that clone shares or copies. */
#include "path/path.h"

static struct fsctx boot_ctx = {.refs = 1, .umask = 022};

static struct path root_path(void)
{
    struct mount *m = mount_list;
    return (struct path){.mnt = m, .dentry = m->root};
}

struct fsctx *fsctx_now(void)
{
    const struct mb_fiber *f = mb_self();
    const struct task *t = f != NULL ? f->task : NULL;
    if (t != NULL && t->fs != NULL) {
        return t->fs;
    }
    /* Start-up and service fibers: borrowed references to a root that stays. */
    boot_ctx.root = boot_ctx.cwd = root_path();
    return &boot_ctx;
}

struct fsctx *fsctx_make(void)
{
    struct fsctx *c = mb_alloc(sizeof(*c));
    if (c == NULL) {
        return NULL;
    }
    c->refs = 1;
    c->umask = 022;
    struct path root = root_path();
    path_cross_mounts(&root);
    c->root = path_ref(root);
    c->cwd = path_ref(root);
    return c;
}

struct fsctx *fsctx_ref(struct fsctx *c)
{
    c->refs++;
    return c;
}

struct fsctx *fsctx_copy(const struct fsctx *c)
{
    struct fsctx *n = mb_alloc(sizeof(*n));
    if (n == NULL) {
        return NULL;
    }
    n->refs = 1;
    n->umask = c->umask;
    n->root = path_ref(c->root);
    n->cwd = path_ref(c->cwd);
    return n;
}

void fsctx_unref(struct fsctx *c)
{
    if (--c->refs == 0) {
        path_unref(c->root);
        path_unref(c->cwd);
        mb_free(c);
    }
}
