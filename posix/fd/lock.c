/* File locks: POSIX record locks (owned by the descriptor table, that is by the process), open file
 * description locks and flock (owned by the file).
 *
 * All of an inode's locks are in one list; a range is [start, end], both inclusive.  Record locks of one
 * owner never overlap, and neighbours of one type are merged; they stand together and in order, so that
 * F_GETLK tells the first.  flocks only meet flocks.
 * Waiters sleep on one queue per inode and look again after every change.
 */
#include "fd/fd_int.h"

#define WHOLE INT64_MAX

struct lock {
    struct lock *next;
    const void *owner; /* struct files * or struct file * */
    int64_t start, end;
    int pid;
    int16_t type; /* F_RDLCK, F_WRLCK; F_UNLCK in requests */
    bool flock;
};

struct lockset {
    struct lockset *next; /* all that have locks or waiters */
    const struct inode *ino;
    struct lock *list;
    struct waitq q;
    unsigned waiters;
};

/* Who waits for whom, for EDEADLK. */
struct lock_wait {
    struct lock_wait *next;
    const void *owner, *blocker;
};
static struct lock_wait *lock_waits;
static struct lockset *locksets;

static struct lockset *lockset_get(struct inode *ino)
{
    if (ino->locks == NULL) {
        ino->locks = mb_zalloc(sizeof(*ino->locks));
        if (ino->locks != NULL) {
            ino->locks->ino = ino;
            ino->locks->next = locksets;
            locksets = ino->locks;
        }
    }
    return ino->locks;
}

/* Free it when it is of no more use. */
static void lockset_trim(struct inode *ino)
{
    struct lockset *s = ino->locks;
    if (s != NULL && s->list == NULL && s->waiters == 0) {
        struct lockset **link = &locksets;
        while (*link != s) {
            link = &(*link)->next;
        }
        *link = s->next;
        ino->locks = NULL;
        mb_free(s);
    }
}

static struct lock *conflict(const struct lockset *s, const struct lock *want)
{
    for (struct lock *l = s->list; l != NULL; l = l->next) {
        if (l->owner != want->owner && l->flock == want->flock && l->start <= want->end &&
            l->end >= want->start && (l->type == F_WRLCK || want->type == F_WRLCK)) {
            return l;
        }
    }
    return NULL;
}

static bool deadlock(const void *me, const void *blocker)
{
    for (unsigned steps = 0; steps < 64; steps++) {
        if (blocker == me) {
            return true;
        }
        const struct lock_wait *w = lock_waits;
        while (w != NULL && w->owner != blocker) {
            w = w->next;
        }
        if (w == NULL) {
            return false;
        }
        blocker = w->blocker;
    }
    return false;
}

static bool touches(const struct lock *l, const struct lock *want)
{
    return l->start <= (want->end == WHOLE ? WHOLE : want->end + 1) &&
           (want->start == 0 || l->end >= want->start - 1);
}

/* Where it belongs: behind its owner's that begin before it, or at the end. */
static struct lock **place_of(struct lockset *s, const struct lock *want)
{
    struct lock **link = &s->list;
    bool among_mine = false;
    for (; *link != NULL; link = &(*link)->next) {
        bool mine = (*link)->owner == want->owner && (*link)->flock == want->flock;
        if (mine ? (*link)->start > want->start : among_mine) {
            break;
        }
        among_mine |= mine;
    }
    return link;
}

/* Make it so: there is no conflict.  spare: two locks, NULL where used; what falls out is freed. */
static void apply(struct lockset *s, struct lock want, struct lock *spare[2])
{
    struct lock **link = &s->list, *l;
    while ((l = *link) != NULL) {
        bool mine = l->owner == want.owner && l->flock == want.flock;
        if (mine && l->type == want.type && touches(l, &want)) {
            want.start = l->start < want.start ? l->start : want.start;
            want.end = l->end > want.end ? l->end : want.end;
        } else if (mine && l->start <= want.end && l->end >= want.start) {
            if (l->start < want.start && l->end > want.end) { /* a hole in the middle */
                struct lock *right = spare[0];
                spare[0] = NULL;
                *right = *l;
                right->start = want.end + 1;
                l->end = want.start - 1;
                l->next = right;
                link = &right->next;
                continue;
            }
            if (l->start < want.start || l->end > want.end) {
                if (l->start < want.start) {
                    l->end = want.start - 1;
                } else {
                    l->start = want.end + 1;
                }
                link = &l->next;
                continue;
            }
        } else {
            link = &l->next;
            continue;
        }
        *link = l->next;
        mb_free(l);
    }
    if (want.type != F_UNLCK) {
        l = spare[1];
        spare[1] = NULL;
        *l = want;
        link = place_of(s, &want);
        l->next = *link;
        *link = l;
    }
    wait_wake(&s->q);
}

/* Wait until want conflicts with nothing: 0, -EAGAIN, -EDEADLK, -EINTR. */
static int acquire(struct lockset *s, const struct lock *want, bool wait)
{
    struct lock *other;
    while (want->type != F_UNLCK && (other = conflict(s, want)) != NULL) {
        if (!wait) {
            return -EAGAIN;
        }
        if (want->pid > 0 && !want->flock && deadlock(want->owner, other->owner)) {
            return -EDEADLK;
        }
        struct lock_wait w = {.next = lock_waits, .owner = want->owner, .blocker = other->owner};
        lock_waits = &w;
        s->waiters++;
        int err = wait_on(&s->q, MB_NEVER);
        s->waiters--;
        struct lock_wait **link = &lock_waits;
        while (*link != &w) {
            link = &(*link)->next;
        }
        *link = w.next;
        if (err < 0) {
            return err == -EINTR ? -ERESTARTSYS : err;
        }
    }
    return 0;
}

static int lock_set(struct inode *ino, const struct lock *want, bool wait)
{
    if (want->type == F_UNLCK && ino->locks == NULL) {
        return 0;
    }
    struct lock *spare[2] = {mb_alloc(sizeof(struct lock)), mb_alloc(sizeof(struct lock))};
    struct lockset *s = lockset_get(ino);
    int err = -ENOLCK;
    if (s != NULL && spare[0] != NULL && spare[1] != NULL) {
        err = acquire(s, want, wait);
        if (err == 0) {
            apply(s, *want, spare);
        }
    }
    mb_free(spare[0]);
    mb_free(spare[1]);
    lockset_trim(ino);
    return err;
}

static void drop_owner(struct inode *ino, const void *owner)
{
    struct lockset *s = ino->locks;
    struct lock **link = &s->list, *l;
    bool any = false;
    while ((l = *link) != NULL) {
        if (l->owner == owner) {
            *link = l->next;
            mb_free(l);
            any = true;
        } else {
            link = &l->next;
        }
    }
    if (any) {
        wait_wake(&s->q);
    }
    lockset_trim(ino);
}

/* POSIX: closing any descriptor of the file gives up the process' locks on it. */
void locks_forget(struct file *f, const struct files *owner)
{
    drop_owner(f->inode, owner);
}

void locks_release(struct file *f)
{
    drop_owner(f->inode, f);
}

/* ---- what /proc says ---- */

static void lock_line(struct text *t, const struct inode *ino, const struct lock *l, unsigned nr)
{
    uint64_t dev = ino->sb != NULL ? ino->sb->dev : 0;
    text_printf(t, "%u: %s  ADVISORY  %s %d %02x:%02x:%lu %ld ", nr,
                l->flock     ? "FLOCK"
                : l->pid < 0 ? "OFDLCK"
                             : "POSIX",
                l->type == F_WRLCK ? "WRITE" : "READ ", l->pid, dev_major(dev), dev_minor(dev),
                (unsigned long)ino->ino, (long)l->start);
    if (l->end == WHOLE) {
        text_printf(t, "EOF\n");
    } else {
        text_printf(t, "%ld\n", (long)l->end);
    }
}

void locks_text(struct text *t, const struct inode *ino, const void *file, const void *files)
{
    unsigned nr = 1;
    for (const struct lockset *s = locksets; s != NULL; s = s->next) {
        for (const struct lock *l = s->list; l != NULL; l = l->next) {
            if (ino == NULL) {
                lock_line(t, s->ino, l, nr++);
            } else if (s->ino == ino && (l->owner == file || l->owner == files)) {
                text_printf(t, "lock:\t");
                lock_line(t, s->ino, l, nr++);
            }
        }
    }
}

/* ---- fcntl ---- */

#ifndef F_OFD_GETLK
#define F_OFD_GETLK 36
#define F_OFD_SETLK 37
#define F_OFD_SETLKW 38
#endif

static int range_decode(struct file *f, const struct abi_flock *u, struct lock *want)
{
    int64_t base;
    switch (u->whence) {
    case SEEK_SET:
        base = 0;
        break;
    case SEEK_CUR:
        base = f->pos;
        break;
    case SEEK_END:
        base = f->inode->size;
        break;
    default:
        return -EINVAL;
    }
    int64_t start, end;
    if (__builtin_add_overflow(base, u->start, &start)) {
        return -EOVERFLOW;
    }
    if (start < 0) {
        return -EINVAL;
    }
    if (u->len > 0) {
        if (__builtin_add_overflow(start, u->len - 1, &end)) {
            return -EOVERFLOW;
        }
    } else if (u->len < 0) {
        end = start - 1;
        start += u->len;
        if (start < 0) {
            return -EINVAL;
        }
    } else {
        end = WHOLE;
    }
    want->start = start;
    want->end = end;
    return 0;
}

static long lock_get(struct file *f, struct abi_flock *u, struct lock *want, uint64_t arg)
{
    if (want->type == F_UNLCK) {
        return -EINVAL;
    }
    const struct lock *l = f->inode->locks != NULL ? conflict(f->inode->locks, want) : NULL;
    u->type = F_UNLCK;
    if (l != NULL) {
        u->type = l->type;
        u->whence = SEEK_SET;
        u->start = l->start;
        u->len = l->end == WHOLE ? 0 : l->end - l->start + 1;
        u->pid = l->pid;
    }
    return mb_copy_out(arg, u, sizeof(*u));
}

long lock_fcntl(int fd, struct file *f, int cmd, uint64_t arg)
{
    struct abi_flock u;
    bool ofd = cmd >= F_OFD_GETLK && cmd <= F_OFD_SETLKW;
    if (mb_copy_in(&u, arg, sizeof(u)) < 0) {
        return -EFAULT;
    }
    if (u.type != F_RDLCK && u.type != F_WRLCK && u.type != F_UNLCK) {
        return -EINVAL;
    }
    if (ofd && u.pid != 0) {
        return -EINVAL;
    }
    struct lock want = {
        .owner = ofd ? (const void *)f : current->files,
        .pid = ofd ? -1 : current->proc->pid,
        .type = u.type,
    };
    int err = range_decode(f, &u, &want);
    if (err < 0) {
        return err;
    }
    if (cmd == F_GETLK || cmd == F_OFD_GETLK) {
        return lock_get(f, &u, &want, arg);
    }
    if ((u.type == F_RDLCK && !file_can_read(f)) || (u.type == F_WRLCK && !file_can_write(f))) {
        return -EBADF;
    }
    err = lock_set(f->inode, &want, cmd == F_SETLKW || cmd == F_OFD_SETLKW);
    if (err == 0 && !ofd && u.type != F_UNLCK && fd_peek(fd) != f) {
        /* Another thread closed it while this one waited: that gave up locks not yet held. */
        want.type = F_UNLCK;
        lock_set(f->inode, &want, false);
        return -EBADF;
    }
    return err;
}

long sys_flock(const uint64_t a[6])
{
    int how = (int)a[1] & ~4; /* LOCK_NB */
    struct file *f = fd_get((int)a[0]);
    if (f == NULL) {
        return -EBADF;
    }
    long err = -EINVAL;
    if (how == 1 || how == 2 || how == 8) { /* LOCK_SH, LOCK_EX, LOCK_UN */
        struct lock want = {.owner = f, .end = WHOLE, .pid = current->proc->pid, .flock = true};
        want.type = F_UNLCK;
        if (how != 8 && f->inode->locks != NULL) {
            /* A conversion gives up the old lock first, unless it already is the right one. */
            const struct lock *l = f->inode->locks->list;
            while (l != NULL && !(l->owner == f && l->flock)) {
                l = l->next;
            }
            if (l != NULL && l->type != (how == 1 ? F_RDLCK : F_WRLCK)) {
                lock_set(f->inode, &want, false);
            }
        }
        want.type = how == 1 ? F_RDLCK : how == 2 ? F_WRLCK : F_UNLCK;
        err = lock_set(f->inode, &want, (a[1] & 4) == 0);
    }
    file_unref(f);
    return err;
}
