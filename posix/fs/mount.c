/* Mounts: which file system is seen where.  Few, so a list is enough.
 *
 * A mount that is attached has a reference for that; so has each child on its parent.  It can be taken
 * away when nobody else has one (open files, working directories), or detached: then it lives on,
 * invisible, until they are gone.
 * What is mounted on one dentry covers what was there before: the newest is last in the list.
 * Not here: mount(2) itself (path/mountcalls.c).
 */
#include "fs/mount.h"
#include "fs/notify.h"

#include <string.h>

struct mount *mount_list;
uint64_t mount_changes;
struct waitq mount_changed_wait;

static unsigned next_mount_id = 1;
static uint32_t next_dev_minor = 16;

const struct fs_type *const fs_types[] = {
    &tmpfs_type, &ramfs_type, &devtmpfs_type, &devpts_type, &proc_type, &sysfs_type, NULL};

const struct fs_type *fs_find(const char *name)
{
    for (const struct fs_type *const *t = fs_types; *t != NULL; t++) {
        if (strcmp((*t)->name, name) == 0) {
            return *t;
        }
    }
    return NULL;
}

struct sb *sb_make(const struct fs_type *type)
{
    struct sb *sb = mb_zalloc(sizeof(*sb));
    if (sb == NULL) {
        return NULL;
    }
    sb->type = type;
    sb->refs = 1;
    sb->dev = dev_make(0, next_dev_minor++);
    return sb;
}

void sb_unref(struct sb *sb)
{
    if (--sb->refs > 0) {
        return;
    }
    if (notify_watches != 0) {
        notify_unmount_(sb);
    }
    if (sb->root != NULL) {
        dentry_free_tree(sb->root);
    }
    mb_free(sb);
}

struct mount *mount_on(const struct mount *parent, const struct dentry *d)
{
    struct mount *found = NULL;
    for (struct mount *m = mount_list; m != NULL; m = m->next) {
        if (m->parent == parent && m->mountpoint == d) {
            found = m;
        }
    }
    return found;
}

void mount_unref_(struct mount *m)
{
    dentry_unref(m->root);
    sb_unref(m->sb);
    mb_free(m->source);
    mb_free(m);
}

void mount_changed(void)
{
    mount_changes++;
    wait_wake(&mount_changed_wait);
}

/* Enter m into the tree; it is in the list's end, behind what it covers. */
int mount_attach(struct mount *m, const struct path *at)
{
    struct mount **end = &mount_list;
    while (*end != NULL) {
        end = &(*end)->next;
    }
    if (at != NULL) {
        if (at->dentry->mounts == UINT16_MAX) {
            return -ENOSPC;
        }
        m->parent = mount_ref(at->mnt);
        m->mountpoint = dentry_ref(at->dentry);
        at->dentry->mounts++;
    }
    m->next = NULL;
    *end = m;
    m->refs++;
    mount_changed();
    return 0;
}

/* Takes over a reference of sb, whatever happens. */
int mount_add(struct sb *sb, struct dentry *root, const struct path *at, const char *source,
              unsigned flags, struct mount **out)
{
    struct mount *m = mb_zalloc(sizeof(*m));
    size_t len = strlen(source) + 1;
    char *text = mb_alloc(len);
    if (m == NULL || text == NULL) {
        mb_free(m);
        mb_free(text);
        sb_unref(sb);
        return -ENOMEM;
    }
    memcpy(text, source, len);
    m->source = text;
    m->sb = sb;
    m->root = dentry_ref(root);
    m->flags = flags;
    m->id = next_mount_id++;
    m->refs = 1;
    int err = mount_attach(m, at);
    if (err == 0 && out != NULL) {
        *out = m;
    }
    mount_unref(m);
    return err;
}

static void mount_detach(struct mount *m)
{
    struct mount **link = &mount_list;
    while (*link != NULL && *link != m) {
        link = &(*link)->next;
    }
    if (*link != NULL) {
        *link = m->next;
    }
    mount_changed();
    if (m->parent != NULL) {
        struct mount *parent = m->parent;
        m->mountpoint->mounts--;
        dentry_unref(m->mountpoint);
        m->mountpoint = NULL;
        m->parent = NULL;
        mount_unref(parent);
    }
    mount_unref(m);
}

/* A mount below m without children of its own, or m itself. */
static struct mount *mount_leaf(struct mount *m)
{
    for (;;) {
        struct mount *child = mount_list;
        while (child != NULL && child->parent != m) {
            child = child->next;
        }
        if (child == NULL) {
            return m;
        }
        m = child;
    }
}

/* With all below it. */
void mount_cut(struct mount *m)
{
    struct mount *leaf;
    do {
        leaf = mount_leaf(m);
        mount_make_private(leaf);
        mount_detach(leaf);
    } while (leaf != m);
}

/* ---- copying and moving ---- */

#define MOUNTS_MAX 100000u /* as Linux' fs.mount-max */

static unsigned mounts_used(void)
{
    unsigned n = 0;
    for (const struct mount *m = mount_list; m != NULL; m = m->next) {
        n++;
    }
    return n;
}

unsigned mount_next_id(void)
{
    return next_mount_id;
}

/* What src shows, from root on, seen at `at` too. */
static int copy_one(struct mount *src, struct dentry *root, const struct path *at,
                    enum mount_kinship kin)
{
    src->sb->refs++;
    int err = mount_add(src->sb, root, at, src->source, src->flags, &src->copy);
    if (err == 0) {
        src->copy->group = kin == MOUNT_PEER ? src->group : 0;
        src->copy->master = kin == MOUNT_PEER ? src->master : src->group;
    }
    return err;
}

/* The mounts below from that are there already: as often as new ones show up, for a mount need not be
 * behind the one it sits on. */
static int copy_below(const struct path *from, unsigned first_new, enum mount_kinship kin)
{
    for (bool found = true; found;) {
        found = false;
        for (struct mount *m = mount_list; m != NULL; m = m->next) {
            struct mount *up = m->parent;
            if (m->id >= first_new || m->unbindable || m->copy != NULL || up == NULL ||
                up->copy == NULL ||
                (up == from->mnt && !dentry_is_below(m->mountpoint, from->dentry))) {
                continue;
            }
            struct path at = {.mnt = up->copy, .dentry = m->mountpoint};
            int err = copy_one(m, m->root, &at, kin);
            if (err < 0) {
                return err;
            }
            found = true;
        }
    }
    return 0;
}

int mount_copy(const struct path *from, const struct path *at, bool recursive,
               enum mount_kinship kin, struct mount **out)
{
    unsigned first_new = next_mount_id;
    if (mounts_used() * (recursive ? 2 : 1) >= MOUNTS_MAX) {
        return -ENOSPC;
    }
    int err = copy_one(from->mnt, from->dentry, at, kin);
    if (err == 0 && recursive) {
        err = copy_below(from, first_new, kin);
        if (err < 0) {
            mount_cut(from->mnt->copy);
        }
    }
    *out = from->mnt->copy;
    for (struct mount *m = mount_list; m != NULL; m = m->next) {
        m->copy = NULL;
    }
    from->mnt->copy = NULL; /* it may be on no list */
    return err;
}

int mount_reattach(struct mount *m, const struct path *at)
{
    if (m->parent == NULL) {
        return -EINVAL;
    }
    if (S_ISDIR(m->root->inode->mode) != S_ISDIR(at->dentry->inode->mode)) {
        return -EINVAL;
    }
    const struct mount *up = at->mnt;
    do {
        if (up == m) {
            return -ELOOP;
        }
        up = up->parent;
    } while (up != NULL);
    if (at->dentry->mounts == UINT16_MAX) {
        return -ENOSPC;
    }
    mount_ref(m);
    mount_detach(m);
    int err = mount_attach(m, at); /* cannot fail: that was looked at */
    mount_unref(m);
    return err;
}

unsigned sb_writers(const struct sb *sb)
{
    unsigned n = 0;
    for (const struct mount *m = mount_list; m != NULL; m = m->next) {
        n += m->sb == sb ? m->writers : 0;
    }
    return n;
}

int mount_remove(struct mount *m, bool detach)
{
    if (m->parent == NULL) {
        return -EBUSY; /* the root: it is needed to the end */
    }
    if (!detach && (m->refs > 1 || mount_echoes_busy(m))) {
        return -EBUSY;
    }
    for (struct mount *leaf = NULL; leaf != m;) {
        leaf = mount_leaf(m);
        mount_cut_echoes(leaf);
        mount_cut(leaf);
    }
    return 0;
}
