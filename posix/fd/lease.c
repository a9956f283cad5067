/* Leases (F_SETLEASE): who has one is told by a signal before somebody else opens the file in a way that does not go
 * with it, and the other waits until it is given up, or for fs.lease-break-time at most.
 *
 * A lease is of an open file description and goes with it.  Who waits looks again after every change.
 */
#include "fd/fd_int.h"

struct lease {
    struct lease *next;
    struct file *file; /* not referenced */
    int type;          /* F_RDLCK, F_WRLCK */
    int target;        /* while it is being broken: what it is to become, F_RDLCK or F_UNLCK */
    bool breaking;
    uint64_t deadline; /* when it becomes that by itself */
};

struct leaseset {
    struct lease *list;
    struct waitq changed;
    unsigned waiters;
};

long lease_break_time = 45, leases_enable = 1;

static void trim(struct inode *ino)
{
    struct leaseset *s = ino->leases;
    if (s->list == NULL && s->waiters == 0) {
        ino->leases = NULL;
        mb_free(s);
    }
}

static struct lease **place_of(struct leaseset *s, const struct file *f)
{
    struct lease **at = &s->list;
    while (*at != NULL && (*at)->file != f) {
        at = &(*at)->next;
    }
    return at;
}

/* Becomes type; F_UNLCK: it is gone. */
static void turn(struct leaseset *s, struct lease **at, int type)
{
    struct lease *l = *at;
    l->type = type;
    l->breaking = false;
    if (type == F_UNLCK) {
        *at = l->next;
        mb_free(l);
    }
    wait_wake(&s->changed);
}

void lease_forget(struct file *f)
{
    struct leaseset *s = f->inode->leases;
    struct lease **at = place_of(s, f);
    if (*at != NULL) {
        turn(s, at, F_UNLCK);
    }
    trim(f->inode);
}

/* ---- fcntl ---- */

/* Does what others have open, or leased, go with it? */
static bool fits(const struct file *f, int type)
{
    const struct inode *ino = f->inode;
    if (type == F_RDLCK ? ino->writers > 0 : ino->opens != 1) {
        return false;
    }
    for (const struct lease *l = ino->leases != NULL ? ino->leases->list : NULL; l != NULL;
         l = l->next) {
        if (l->file != f &&
            (type == F_WRLCK || l->type == F_WRLCK || (l->breaking && l->target == F_UNLCK))) {
            return false;
        }
    }
    return true;
}

static int give(int fd, struct file *f, int type)
{
    struct inode *ino = f->inode;
    if (ino->leases == NULL) {
        ino->leases = mb_zalloc(sizeof(*ino->leases));
        if (ino->leases == NULL) {
            return -ENOMEM;
        }
    }
    struct lease **at = place_of(ino->leases, f);
    if (*at == NULL) {
        struct lease *l = mb_zalloc(sizeof(*l));
        int err = l != NULL ? async_lease(fd, f) : -ENOMEM;
        if (err < 0) {
            mb_free(l);
            trim(ino);
            return err;
        }
        l->file = f;
        *at = l;
    }
    turn(ino->leases, at, type);
    return 0;
}

static int set(int fd, struct file *f, int type)
{
    const struct inode *ino = f->inode;
    if (cred_now()->fsuid != ino->uid && !capable(CAP_LEASE)) {
        return -EACCES;
    }
    if (!S_ISREG(ino->mode) || leases_enable == 0) {
        return -EINVAL;
    }
    switch (type) {
    case F_UNLCK:
        if (ino->leases == NULL || *place_of(ino->leases, f) == NULL) {
            return -EAGAIN;
        }
        lease_forget(f);
        return 0;
    case F_RDLCK:
    case F_WRLCK:
        return fits(f, type) ? give(fd, f, type) : -EAGAIN;
    default:
        return -EINVAL;
    }
}

long lease_fcntl(int fd, struct file *f, int cmd, uint64_t arg)
{
    if (cmd == F_SETLEASE) {
        return set(fd, f, (int)arg);
    }
    const struct lease *l = f->inode->leases != NULL ? *place_of(f->inode->leases, f) : NULL;
    return l == NULL ? F_UNLCK : l->breaking ? l->target : l->type;
}

/* ---- breaking ---- */

/* Whoever stands in the way is told once; how many do.  *deadline: when the first of them stands no longer. */
static unsigned tell(struct leaseset *s, bool write, uint64_t *deadline)
{
    unsigned n = 0;
    *deadline = MB_NEVER;
    for (struct lease *l = s->list; l != NULL; l = l->next) {
        if (!write && l->type != F_WRLCK) {
            continue;
        }
        n++;
        int target = write ? F_UNLCK : F_RDLCK;
        if (!l->breaking) {
            l->breaking = true;
            l->target = target;
            l->deadline =
                lease_break_time == 0
                    ? MB_NEVER
                    : time_ticks_at(time_monotonic_ns() + lease_break_time * NSEC_PER_SEC);
            async_lease_breaks(l->file);
        } else if (target == F_UNLCK) {
            l->target = target;
        }
        *deadline = l->deadline < *deadline ? l->deadline : *deadline;
    }
    return n;
}

static void expire(struct leaseset *s)
{
    uint64_t now = mb_ticks();
    for (struct lease **at = &s->list; *at != NULL;) {
        struct lease *l = *at;
        if (l->breaking && l->deadline <= now) {
            turn(s, at, l->target);
        }
        if (*at == l) {
            at = &l->next;
        }
    }
}

int lease_break(struct inode *ino, bool write, bool nonblock)
{
    uint64_t deadline;
    int err = 0;
    while (err == 0 && ino->leases != NULL && tell(ino->leases, write, &deadline) > 0) {
        if (nonblock) {
            return -EWOULDBLOCK;
        }
        struct leaseset *s = ino->leases;
        s->waiters++;
        err = wait_on(&s->changed, deadline);
        s->waiters--;
        if (err == -ETIMEDOUT) {
            expire(s);
            err = 0;
        }
        trim(ino);
    }
    return err == -EINTR ? -ERESTARTSYS : err;
}

int lease_break_open(const struct path *p, unsigned flags)
{
    struct inode *ino = p->dentry->inode;
    if (ino->leases == NULL || (flags & O_PATH) != 0) {
        return 0;
    }
    bool write = (flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC) != 0;
    return lease_break(ino, write, (flags & O_NONBLOCK) != 0);
}
