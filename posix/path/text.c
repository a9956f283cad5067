/* Names in and out: buffers for names from programs, and the text of a path. */
#include "path/path.h"

#include <stdio.h>
#include <string.h>

/* Two buffers that need no allocation: enough for every call that does not sleep with a name. */
#define NAMES 2
static char names[NAMES][PATH_MAX];
static unsigned names_used;

int name_get(uint64_t uaddr, char **out)
{
    char *name = NULL;
    for (unsigned i = 0; i < NAMES && name == NULL; i++) {
        if ((names_used & 1u << i) == 0) {
            names_used |= 1u << i;
            name = names[i];
        }
    }
    if (name == NULL) {
        name = mb_alloc(PATH_MAX);
        if (name == NULL) {
            return -ENOMEM;
        }
    }
    long len = mb_str_in(name, uaddr, PATH_MAX);
    if (len < 0) {
        name_put(name);
        return (int)len;
    }
    *out = name;
    return 0;
}

void name_put(char *name)
{
    for (unsigned i = 0; i < NAMES; i++) {
        if (name == names[i]) {
            names_used &= ~(1u << i);
            return;
        }
    }
    mb_free(name);
}

/* Put text before *pos; false: no room. */
static bool prepend(char *buf, size_t *pos, const char *text, size_t len)
{
    if (len > *pos) {
        return false;
    }
    *pos -= len;
    memcpy(buf + *pos, text, len);
    return true;
}

long path_text(struct path p, const struct path *root, char *buf, size_t n, bool *reachable)
{
    size_t pos = n - 1;
    size_t end = pos;
    bool fits = true;

    if (reachable != NULL) {
        *reachable = true;
    }
    if ((p.dentry->flags & DENTRY_DELETED) != 0) {
        fits = prepend(buf, &pos, " (deleted)", 10);
        end = pos;
    }
    while (fits && (p.dentry != root->dentry || p.mnt != root->mnt)) {
        if (p.dentry == p.mnt->root) {
            if (p.mnt->parent == NULL) {
                if (reachable != NULL) {
                    *reachable = false;
                }
                break;
            }
            p = (struct path){.mnt = p.mnt->parent, .dentry = p.mnt->mountpoint};
            continue;
        }
        fits = prepend(buf, &pos, p.dentry->name, p.dentry->len);
        if (p.dentry->parent == p.dentry) { /* an open file that never had a name */
            break;
        }
        fits = fits && prepend(buf, &pos, "/", 1);
        p.dentry = p.dentry->parent;
    }
    if (pos == end) {
        fits = fits && prepend(buf, &pos, "/", 1);
    }
    if (!fits) {
        return -ENAMETOOLONG;
    }
    size_t len = n - 1 - pos;
    memmove(buf, buf + pos, len);
    buf[len] = 0;
    return (long)len;
}

size_t file_path(const struct file *f, char *buf, size_t n)
{
    if (n == 0) {
        return 0;
    }
    long len;
    if (f->dentry != NULL) {
        struct path p = {.mnt = f->mnt, .dentry = f->dentry};
        len = path_text(p, &fsctx_now()->root, buf, n, NULL);
    } else if ((f->inode->mode & S_IFMT) == 0) {
        len = snprintf(buf, n, "anon_inode:%s", f->ops->name);
    } else {
        len = snprintf(buf, n, "%s:[%lu]", f->ops->name, (unsigned long)f->inode->ino);
    }
    if (len < 0) {
        buf[0] = 0;
        return 0;
    }
    return (size_t)len < n ? (size_t)len : n - 1;
}
