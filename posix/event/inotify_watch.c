/* Watches: making and ending them, and the way from what happens to a file to their instances. */
#include "event/inotify_int.h"
#include "include/proc.h"

#include <limits.h>

#define WATCH_COST \
    1280u /* of a hundredth of the memory that one user's may take, as Linux reckons */
#define WATCHES_MIN 8192u
#define WATCHES_MAX 1048576u

unsigned notify_watches;
long notify_limit[NOTIFY_LIMITS] = {[NOTIFY_QUEUED] = 16384, [NOTIFY_INSTANCES] = 128};
struct inotify *inotify_all;

/* What is told whether asked for or not. */
#define ALWAYS (IN_UNMOUNT | IN_IGNORED | IN_Q_OVERFLOW)
#define KEPT (IN_ALL_EVENTS | IN_ONESHOT | IN_EXCL_UNLINK)

uint32_t notify_cookie(void)
{
    static uint32_t last;
    return ++last;
}

/* ---- making and ending ---- */

void notify_init(void)
{
    uint64_t n = mb_pages_total() * MB_PAGE / 100 / WATCH_COST;
    notify_limit[NOTIFY_WATCHES] = n < WATCHES_MIN   ? WATCHES_MIN
                                   : n > WATCHES_MAX ? WATCHES_MAX
                                                     : (long)n;
}

struct watch *watch_find(const struct inotify *in, int32_t wd)
{
    struct watch *w = in->watches;
    while (w != NULL && w->wd != wd) {
        w = w->next;
    }
    return w;
}

/* Numbers go up, and wrap when one watched for very long. */
static int32_t next_wd(struct inotify *in)
{
    do {
        in->last_wd = in->last_wd == INT32_MAX ? 1 : in->last_wd + 1;
    } while (in->wrapped && watch_find(in, in->last_wd) != NULL);
    in->wrapped |= in->last_wd == INT32_MAX;
    return in->last_wd;
}

int32_t watch_set(struct inotify *in, struct inode *ino, uint32_t mask)
{
    struct watch *w = ino->watches;
    while (w != NULL && w->in != in) {
        w = w->inode_next;
    }
    if (w != NULL) {
        if ((mask & IN_MASK_CREATE) != 0) {
            return -EEXIST;
        }
        w->mask = (mask & KEPT) | ((mask & IN_MASK_ADD) != 0 ? w->mask : 0);
        return w->wd;
    }
    if ((long)in->user->watches >= notify_limit[NOTIFY_WATCHES]) {
        return -ENOSPC;
    }
    w = mb_zalloc(sizeof(*w));
    if (w == NULL) {
        return -ENOMEM;
    }
    w->in = in;
    w->inode = inode_ref(ino);
    w->wd = next_wd(in);
    w->mask = mask & KEPT;
    w->next = in->watches;
    w->link = &in->watches;
    if (w->next != NULL) {
        w->next->link = &w->next;
    }
    in->watches = w;
    w->inode_next = ino->watches;
    w->inode_link = &ino->watches;
    if (w->inode_next != NULL) {
        w->inode_next->inode_link = &w->inode_next;
    }
    ino->watches = w;
    in->user->watches++;
    notify_watches++;
    return w->wd;
}

void watch_remove(struct watch *w, bool tell)
{
    if (tell) {
        in_queue(w->in, w->wd, IN_IGNORED, 0, NULL, 0);
    }
    *w->link = w->next;
    if (w->next != NULL) {
        w->next->link = w->link;
    }
    *w->inode_link = w->inode_next;
    if (w->inode_next != NULL) {
        w->inode_next->inode_link = w->inode_link;
    }
    w->in->user->watches--;
    notify_watches--;
    inode_unref(w->inode);
    mb_free(w);
}

/* ---- telling ---- */

/* To all that watch ino; unlinked: it happened to something whose name is gone. */
static void tell(struct inode *ino, uint32_t mask, const char *name, unsigned len, uint32_t cookie,
                 bool unlinked)
{
    uint32_t what = mask & (IN_ALL_EVENTS | ALWAYS);
    for (struct watch *w = ino->watches, *next; w != NULL; w = next) {
        next = w->inode_next;
        if (((w->mask | ALWAYS) & what) == 0 || (unlinked && (w->mask & IN_EXCL_UNLINK) != 0)) {
            continue;
        }
        in_queue(w->in, w->wd, mask, cookie, name, len);
        if ((w->mask & IN_ONESHOT) != 0) {
            watch_remove(w, true);
        }
    }
}

static uint32_t with_type(const struct inode *ino, uint32_t mask)
{
    bool self = (mask & (IN_DELETE_SELF | IN_MOVE_SELF)) != 0; /* these never say it */
    return S_ISDIR(ino->mode) && !self ? mask | IN_ISDIR : mask;
}

void notify_inode_(struct inode *ino, uint32_t mask)
{
    tell(ino, with_type(ino, mask), NULL, 0, 0, false);
}

void notify_dentry_(const struct dentry *d, uint32_t mask)
{
    bool unlinked = (d->flags & DENTRY_DELETED) != 0;
    mask = with_type(d->inode, mask);
    if (d->parent != d) {
        tell(d->parent->inode, mask, d->name, d->len, 0, unlinked);
    }
    tell(d->inode, mask, NULL, 0, 0, unlinked);
}

void notify_name_(struct inode *dir, uint32_t mask, const char *name, unsigned len, uint32_t cookie)
{
    tell(dir, mask, name, len, cookie, false);
}

/* The caller has a reference. */
void notify_gone_(struct inode *ino)
{
    notify_inode_(ino, IN_DELETE_SELF);
    while (ino->watches != NULL) {
        watch_remove(ino->watches, true);
    }
}

void notify_unmount_(const struct sb *sb)
{
    for (struct inotify *in = inotify_all; in != NULL; in = in->next) {
        for (struct watch *w = in->watches, *next; w != NULL; w = next) {
            next = w->next;
            if (w->inode->sb == sb) {
                in_queue(in, w->wd, IN_UNMOUNT, 0, NULL, 0);
                watch_remove(w, true);
            }
        }
    }
}
