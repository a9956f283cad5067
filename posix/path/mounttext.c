/* The texts about mounts: /proc/<pid>/mounts, mountinfo and mountstats. */
#include "path/path.h"

/* Spaces and the like as in fstab: \040. */
static void put_escaped(struct text *t, const char *s)
{
    for (; *s != 0; s++) {
        unsigned char c = (unsigned char)*s;
        if (c == ' ' || c == '\t' || c == '\n' || c == '\\' || c == '#') {
            text_printf(t, "\\%03o", c);
        } else {
            text_add(t, s, 1);
        }
    }
}

static void put_flags(struct text *t, unsigned f)
{
    text_printf(t, "%s%s%s%s%s%s%s%s", (f & ABI_MS_RDONLY) != 0 ? "ro" : "rw",
                (f & ABI_MS_NOSUID) != 0 ? ",nosuid" : "", (f & ABI_MS_NODEV) != 0 ? ",nodev" : "",
                (f & ABI_MS_NOEXEC) != 0 ? ",noexec" : "",
                (f & ABI_MS_NOATIME) != 0 ? ",noatime" : "",
                (f & ABI_MS_NODIRATIME) != 0 ? ",nodiratime" : "",
                (f & (ABI_MS_NOATIME | ABI_MS_STRICTATIME)) == 0 ? ",relatime" : "",
                (f & ABI_MS_NOSYMFOLLOW) != 0 ? ",nosymfollow" : "");
}

/* Where in its file system a mount begins; after an unlink there is no telling. */
static void put_root(struct text *t, const struct mount *m, char *buf)
{
    static const char deleted[] = " (deleted)";
    struct mount whole = {.root = m->sb->root, .sb = m->sb};
    struct path root = {.mnt = &whole, .dentry = m->sb->root};
    struct path p = {.mnt = &whole, .dentry = m->root};
    long len = path_text(p, &root, buf, PATH_MAX, NULL);
    if (len < 0) {
        text_printf(t, "/");
        return;
    }
    bool gone = (m->root->flags & DENTRY_DELETED) != 0;
    if (gone) {
        buf[len - (long)sizeof(deleted) + 1] = 0;
    }
    put_escaped(t, buf);
    text_printf(t, "%s", gone ? "//deleted" : "");
}

/* buf: room for another path. */
static void put_info(struct text *t, const struct mount *m, const char *where, char *buf)
{
    uint64_t dev = m->sb->dev;
    text_printf(t, "%u %u %u:%u ", m->id, m->parent != NULL ? m->parent->id : m->id, dev_major(dev),
                dev_minor(dev));
    put_root(t, m, buf);
    text_printf(t, " ");
    put_escaped(t, where);
    text_printf(t, " ");
    put_flags(t, m->flags);
    if (m->group != 0) {
        text_printf(t, " shared:%u", m->group);
    }
    if (m->master != 0) {
        text_printf(t, " master:%u", m->master);
    }
    text_printf(t, "%s - %s ", m->unbindable ? " unbindable" : "", m->sb->type->name);
    put_escaped(t, m->source);
    text_printf(t, " %s\n", m->sb->rdonly ? "ro" : "rw");
}

void mount_text(struct text *t, const struct path *root, enum mount_format format)
{
    char *path = mb_alloc(2ul * PATH_MAX);
    if (path == NULL) {
        t->failed = true;
        return;
    }
    for (const struct mount *m = mount_list; m != NULL; m = m->next) {
        bool reachable;
        struct path p = {.mnt = (struct mount *)m, .dentry = m->root};
        if (path_text(p, root, path, PATH_MAX, &reachable) < 0 || !reachable) {
            continue;
        }
        switch (format) {
        case MOUNT_INFO:
            put_info(t, m, path, path + PATH_MAX);
            break;
        case MOUNT_STATS:
            text_printf(t, "device ");
            put_escaped(t, m->source);
            text_printf(t, " mounted on ");
            put_escaped(t, path);
            text_printf(t, " with fstype %s\n", m->sb->type->name);
            break;
        default:
            put_escaped(t, m->source);
            text_printf(t, " ");
            put_escaped(t, path);
            text_printf(t, " %s ", m->sb->type->name);
            put_flags(t, m->flags | (m->sb->rdonly ? ABI_MS_RDONLY : 0));
            text_printf(t, " 0 0\n");
            break;
        }
    }
    mb_free(path);
}
