/* Propagation of mounts: what is mounted, moved or unmounted below one shows below others, too.
 *
 *   peers    mounts of one group (`group`): what happens to one happens to all
 *   slaves   `master` is the group that what happens comes from; nothing goes back
 * A mount can be both: a slave that shares with peers of its own.  A bind copy is a peer and a slave of whom
 * the original is one.  Groups are numbers; one is in use as long as a mount has it.
 * Not here: what was mounted beneath on a peer stays beneath, where Linux puts the new one below it.
 */
#include "fs/inode.h"
#include "fs/mount.h"

static struct mount *member(unsigned group, const struct mount *but)
{
    struct mount *m = mount_list;
    while (m != NULL && (m->group != group || m == but)) {
        m = m->next;
    }
    return m;
}

static unsigned new_group(void)
{
    static unsigned last;
    do {
        last++;
    } while (last == 0 || member(last, NULL) != NULL);
    return last;
}

static bool below(const struct mount *m, const struct mount *top)
{
    while (m != NULL && m != top) {
        m = m->parent;
    }
    return m != NULL;
}

/* ---- what a mount is ---- */

/* m leaves its group: slaves of a group that ends hear of whom it heard. */
static void leave(struct mount *m)
{
    unsigned group = m->group;
    m->group = 0;
    if (group == 0 || member(group, NULL) != NULL) {
        return;
    }
    for (struct mount *s = mount_list; s != NULL; s = s->next) {
        if (s->master == group) {
            s->master = m->master;
        }
    }
}

static void make_slave(struct mount *m)
{
    unsigned group = m->group;
    bool peers = group != 0 && member(group, m) != NULL;
    leave(m);
    m->master = peers ? group : m->master;
}

static void set_kind(struct mount *m, unsigned kind)
{
    if (kind == ABI_MS_SHARED) {
        m->group = m->group != 0 ? m->group : new_group();
        m->unbindable = false;
        return;
    }
    make_slave(m);
    if (kind != ABI_MS_SLAVE) {
        m->master = 0;
        m->unbindable = kind == ABI_MS_UNBINDABLE;
    }
}

void mount_set_kind(struct mount *top, unsigned kind, bool recursive)
{
    for (struct mount *m = mount_list; m != NULL; m = m->next) {
        if (m == top || (recursive && below(m, top))) {
            set_kind(m, kind);
        }
    }
}

void mount_make_private(struct mount *m)
{
    set_kind(m, ABI_MS_PRIVATE);
}

bool mount_holds_unbindable(const struct mount *top)
{
    const struct mount *m = mount_list;
    while (m != NULL && !(m->unbindable && below(m, top))) {
        m = m->next;
    }
    return m != NULL;
}

/* ---- mounting ---- */

static void all_shared(struct mount *top)
{
    for (struct mount *m = mount_list; m != NULL; m = m->next) {
        if (m->group == 0 && below(m, top)) {
            set_kind(m, ABI_MS_SHARED);
        }
    }
}

/* Does a member of the group have its copy at d already?  Copies have numbers from first_new on. */
static bool was_told(unsigned group, const struct dentry *d, unsigned first_new)
{
    const struct mount *m = mount_list;
    while (m != NULL && (m->id < first_new || m->mountpoint != d || m->parent == NULL ||
                         m->parent->group != group)) {
        m = m->next;
    }
    return m != NULL;
}

/* A copy of what is at source for `to`, which is of the group that source's parent is of, or a slave of it. */
static int tell(const struct mount *source, struct mount *to, unsigned first_new,
                struct mount **last)
{
    unsigned group = source->parent->group;
    struct path from = {.mnt = (struct mount *)source, .dentry = source->root};
    struct path at = {.mnt = to, .dentry = source->mountpoint};
    enum mount_kinship kin = to->group == group ? MOUNT_PEER : MOUNT_SLAVE;
    struct mount *copy;
    if (kin == MOUNT_SLAVE && to->group != 0 && was_told(to->group, at.dentry, first_new)) {
        return 0; /* its peers have it, and then it has */
    }
    int err = mount_copy(&from, &at, true, kin, &copy);
    if (err == 0 && kin == MOUNT_SLAVE && to->group != 0) { /* goes on from there */
        all_shared(copy);
        (*last)->next_source = copy;
        *last = copy;
    }
    return err;
}

int mount_propagate(struct mount *m, unsigned first_new)
{
    struct mount *last = m;
    int err = 0;
    if (m->parent == NULL || m->parent->group == 0) {
        return 0;
    }
    all_shared(m);
    m->next_source = NULL;
    for (const struct mount *source = m; source != NULL && err == 0; source = source->next_source) {
        unsigned group = source->parent->group;
        for (struct mount *to = mount_list; to != NULL && err == 0; to = to->next) {
            if (to->id < first_new && to != source->parent &&
                (to->group == group || to->master == group) &&
                dentry_is_below(source->mountpoint, to->root)) {
                err = tell(source, to, first_new, &last);
            }
        }
    }
    return err;
}

/* ---- unmounting ---- */

/* Mark all that hear of what happens to m. */
static void mark_hearers(const struct mount *m)
{
    for (struct mount *x = mount_list; x != NULL; x = x->next) {
        x->marked = m->group != 0 && x != m && (x->group == m->group || x->master == m->group);
    }
    for (bool more = m->group != 0; more;) {
        more = false;
        for (struct mount *x = mount_list; x != NULL; x = x->next) {
            for (const struct mount *y = mount_list; !x->marked && x != m && y != NULL;
                 y = y->next) {
                x->marked =
                    y->marked && y->group != 0 && (x->group == y->group || x->master == y->group);
                more |= x->marked;
            }
        }
    }
}

static bool has_children(const struct mount *m)
{
    const struct mount *x = mount_list;
    while (x != NULL && x->parent != m) {
        x = x->next;
    }
    return x != NULL;
}

/* What goes with m at x. */
static struct mount *echo(struct mount *x, const struct mount *m)
{
    struct mount *c = mount_on(x, m->mountpoint);
    return c != NULL && c != m && !has_children(c) ? c : NULL;
}

bool mount_echoes_busy(const struct mount *m)
{
    mark_hearers(m->parent);
    for (struct mount *x = mount_list; x != NULL; x = x->next) {
        struct mount *c = x->marked ? echo(x, m) : NULL;
        if (c != NULL && c->refs > 1) {
            return true;
        }
    }
    return false;
}

void mount_cut_echoes(const struct mount *m)
{
    mark_hearers(m->parent);
    for (struct mount *x = mount_list; x != NULL;) {
        struct mount *c = x->marked ? echo(x, m) : NULL;
        x->marked = false; /* one of each */
        if (c != NULL) {
            mount_cut(c);
        }
        x = c != NULL ? mount_list : x->next;
    }
}
