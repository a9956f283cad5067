/* Signal-driven I/O: whom a file tells that it may be read or written (O_ASYNC), and with which signal.
 *
 * As epoll does, a file that is to tell hooks itself to the queues of its poll operation: a wake-up of one is
 * news.  That there is room again is news only to who found none (file_found_full), since then.
 * The owner is kept by its number's object: who has ended is told nothing, nor who gets the number later.
 *
 * Not here: SIGURG, for there are no urgent data.
 */
#include "event/epoll.h"
#include "fd/fd_int.h"
#include "include/proc.h"
#include "include/sig.h"
#include "poll/poll_int.h"

#include <asm/ioctls.h>
#include <asm/sockios.h>
#include <nx_base.h>

#define HOOKS 2u
#define POLLMSG_ 0x400u

enum owner_type { OWNER_TID, OWNER_PID, OWNER_PGRP }; /* F_OWNER_* */

struct async {
    struct file *file;
    struct pid *owner;  /* referenced; NULL: nobody is told */
    int type;           /* enum owner_type */
    uint32_t uid, euid; /* who has set it */
    int signal;         /* 0: SIGIO without details */
    int fd;             /* it was switched on with */
    bool full;          /* somebody wants room */
    unsigned hooks_used;
    struct async_hook {
        struct waiter w;
        struct async *async;
        bool out; /* of who waits for room */
    } hook[HOOKS];
};

static struct async *async_of(struct file *f)
{
    if (f->async == NULL) {
        f->async = mb_zalloc(sizeof(*f->async));
        if (f->async != NULL) {
            f->async->file = f;
        }
    }
    return f->async;
}

/* ---- telling ---- */

static bool may_tell(const struct async *a, const struct cred *c)
{
    return a->euid == 0 || a->euid == c->suid || a->euid == c->ruid || a->uid == c->suid ||
           a->uid == c->ruid;
}

/* Signals whose si_code has meanings of its own. */
#define OWN_CODES                                                                                \
    (SIG_BIT(SIGILL) | SIG_BIT(SIGFPE) | SIG_BIT(SIGSEGV) | SIG_BIT(SIGBUS) | SIG_BIT(SIGTRAP) | \
     SIG_BIT(SIGCHLD) | SIG_BIT(SIGSYS))

static void tell_one(const struct async *a, struct process *p, struct task *t, int code)
{
    static const uint16_t band[] = {
        [POLL_IN] = ABI_POLLIN | ABI_POLLRDNORM,
        [POLL_OUT] = ABI_POLLOUT | ABI_POLLWRNORM | ABI_POLLWRBAND,
        [POLL_MSG] = ABI_POLLIN | ABI_POLLRDNORM | POLLMSG_,
        [POLL_ERR] = ABI_POLLERR,
        [POLL_PRI] = ABI_POLLPRI | ABI_POLLRDBAND,
        [POLL_HUP] = ABI_POLLHUP | ABI_POLLERR,
    };
    if (!may_tell(a, t != NULL ? &t->cred : process_cred(p))) {
        return;
    }
    if (a->signal != 0) {
        struct ksiginfo info = {.signo = a->signal, .code = code};
        if ((SIG_BIT(a->signal) & OWN_CODES) != 0) {
            info.code = SI_SIGIO;
        }
        info.u.poll.band = band[code];
        info.u.poll.fd = a->fd;
        if (sig_send(p, t, a->signal, &info) == 0) {
            return;
        }
    }
    sig_send(p, t, SIGIO, NULL);
}

static void tell(const struct async *a, int code)
{
    const struct pid *owner = a->owner;
    if (owner == NULL) {
        return;
    }
    if (a->type == OWNER_PGRP) {
        for (struct process *p = owner->members, *next; p != NULL; p = next) {
            next = p->pgrp_next;
            tell_one(a, p, NULL, code);
        }
    } else if (a->type == OWNER_TID && owner->task != NULL) {
        tell_one(a, owner->task->proc, owner->task, code);
    } else if (a->type == OWNER_PID && (owner->proc != NULL || owner->task != NULL)) {
        tell_one(a, owner->proc != NULL ? owner->proc : owner->task->proc, NULL, code);
    }
}

/* What there is to read: POLL_*, or 0. */
static int news(const struct file *f, unsigned events)
{
    if (S_ISSOCK(f->inode->mode)) {
        if ((events & (ABI_POLLERR | ABI_POLLHUP)) != 0) {
            return (events & ABI_POLLERR) != 0 ? POLL_ERR : POLL_HUP;
        }
    } else if (S_ISFIFO(f->inode->mode) && (events & ABI_POLLHUP) != 0) {
        return POLL_IN;
    }
    return (events & ABI_POLLIN) != 0 ? POLL_IN : 0;
}

static bool hook_woken(struct waiter *w)
{
    struct async_hook *h = container_of(w, struct async_hook, w);
    struct async *a = h->async;
    unsigned events = a->file->ops->poll(a->file, NULL);
    if (!h->out) {
        int code = news(a->file, events);
        if (code != 0) {
            tell(a, code);
        }
    } else if (a->full && (events & (ABI_POLLOUT | ABI_POLLERR)) != 0) {
        a->full = false;
        tell(a, POLL_OUT);
    }
    return true;
}

void file_found_full(struct file *f)
{
    if (f->async != NULL) {
        f->async->full = true;
    }
}

/* ---- on and off ---- */

struct hook_table {
    struct poll_table pt;
    struct async *async;
};

static void hook_add(struct poll_table *pt, struct waitq *q)
{
    struct async *a = container_of(pt, struct hook_table, pt)->async;
    if (a->hooks_used < HOOKS) {
        struct async_hook *h = &a->hook[a->hooks_used++];
        h->async = a;
        h->out = pt->out;
        wait_add_fn(q, &h->w, hook_woken);
    }
}

static void off(struct file *f)
{
    struct async *a = f->async;
    while (a->hooks_used > 0) {
        wait_remove(&a->hook[--a->hooks_used].w);
    }
    f->flags &= ~(unsigned)FASYNC;
}

static void set_owner(struct async *a, struct pid *owner, int type)
{
    if (owner != NULL) {
        pid_ref(owner);
    }
    pid_unref(a->owner);
    a->owner = owner;
    a->type = type;
    a->uid = current->cred.ruid;
    a->euid = current->cred.euid;
}

int async_set(int fd, struct file *f, bool on)
{
    struct async *a = async_of(f);
    if (a == NULL) {
        return -ENOMEM;
    }
    off(f);
    if (!on) {
        return 0;
    }
    struct hook_table table = {.pt.add = hook_add, .async = a};
    a->fd = fd;
    a->full = (f->ops->poll(f, &table.pt) & ABI_POLLOUT) == 0;
    f->flags |= FASYNC;
    if (f->ops->foreground != NULL && a->owner == NULL) {
        struct pid *group = pid_find(f->ops->foreground(f));
        set_owner(a, group != NULL ? group : current->proc->pid_ref,
                  group != NULL ? OWNER_PGRP : OWNER_PID);
    }
    return 0;
}

int async_lease(int fd, struct file *f)
{
    struct async *a = async_of(f);
    if (a == NULL) {
        return -ENOMEM;
    }
    a->fd = fd;
    if (a->owner == NULL) {
        set_owner(a, current->proc->pid_ref, OWNER_PID);
    }
    return 0;
}

void async_lease_breaks(const struct file *f)
{
    tell(f->async, POLL_MSG);
}

void async_hangup(struct file *f)
{
    if (f->async != NULL) {
        off(f);
    }
}

void async_forget(struct file *f)
{
    off(f);
    pid_unref(f->async->owner);
    mb_free(f->async);
}

/* ---- the owner, the signal ---- */

/* nr 0: nobody. */
static int own(struct file *f, int nr, int type)
{
    struct pid *p = pid_find(nr);
    if (nr != 0 && p == NULL) {
        return -ESRCH;
    }
    if (nr == 0 && f->async == NULL) {
        return 0;
    }
    struct async *a = async_of(f);
    if (a == NULL) {
        return -ENOMEM;
    }
    set_owner(a, p, type);
    return 0;
}

static int own_signed(struct file *f, int32_t who)
{
    if (who == INT32_MIN) {
        return -EINVAL;
    }
    return own(f, who < 0 ? -who : who, who < 0 ? OWNER_PGRP : OWNER_PID);
}

/* The owner's number, if there is anybody left. */
static int owner_number(const struct file *f)
{
    const struct async *a = f->async;
    if (a == NULL || a->owner == NULL) {
        return 0;
    }
    const void *alive = a->type == OWNER_TID   ? (const void *)a->owner->task
                        : a->type == OWNER_PID ? (const void *)a->owner->proc
                                               : (const void *)a->owner->members;
    return alive != NULL ? a->owner->nr : 0;
}

static int owner_signed(const struct file *f)
{
    int nr = owner_number(f);
    return nr != 0 && f->async->type == OWNER_PGRP ? -nr : nr;
}

struct owner_ex { /* struct f_owner_ex */
    int32_t type, pid;
};

static long set_own_ex(struct file *f, uint64_t arg)
{
    struct owner_ex e;
    if (mb_copy_in(&e, arg, sizeof(e)) < 0) {
        return -EFAULT;
    }
    return e.type < OWNER_TID || e.type > OWNER_PGRP ? -EINVAL : own(f, e.pid, e.type);
}

static long get_own_ex(const struct file *f, uint64_t arg)
{
    struct owner_ex e = {.type = f->async != NULL ? f->async->type : OWNER_TID,
                         .pid = owner_number(f)};
    return mb_copy_out(arg, &e, sizeof(e));
}

static long get_uids(const struct file *f, uint64_t arg)
{
    uint32_t uids[2] = {0, 0};
    if (f->async != NULL) {
        uids[0] = f->async->uid;
        uids[1] = f->async->euid;
    }
    return mb_copy_out(arg, uids, sizeof(uids));
}

static long set_signal(struct file *f, uint64_t arg)
{
    if (arg > SIG_COUNT) {
        return -EINVAL;
    }
    if (arg == 0 && f->async == NULL) {
        return 0;
    }
    struct async *a = async_of(f);
    if (a == NULL) {
        return -ENOMEM;
    }
    a->signal = (int)arg;
    return 0;
}

long async_fcntl(struct file *f, int cmd, uint64_t arg)
{
    switch (cmd) {
    case F_SETOWN:
        return own_signed(f, (int32_t)arg);
    case F_GETOWN:
        return owner_signed(f);
    case F_SETOWN_EX:
        return set_own_ex(f, arg);
    case F_GETOWN_EX:
        return get_own_ex(f, arg);
    case F_GETOWNER_UIDS:
        return get_uids(f, arg);
    case F_SETSIG:
        return set_signal(f, arg);
    case F_GETSIG:
        return f->async != NULL ? f->async->signal : 0;
    default:
        return -EINVAL;
    }
}

long async_ioctl(int fd, struct file *f, uint32_t cmd, uint64_t arg)
{
    int32_t n;
    bool get = cmd == FIOGETOWN || cmd == SIOCGPGRP;
    if (cmd != FIOASYNC && !S_ISSOCK(f->inode->mode)) {
        return f->ops->ioctl != NULL ? f->ops->ioctl(f, cmd, arg) : -ENOTTY;
    }
    if (get) {
        n = owner_signed(f);
        return mb_copy_out(arg, &n, sizeof(n));
    }
    if (mb_copy_in(&n, arg, sizeof(n)) < 0) {
        return -EFAULT;
    }
    if (cmd != FIOASYNC) {
        return own_signed(f, n);
    }
    if ((n != 0) == ((f->flags & FASYNC) != 0)) {
        return 0;
    }
    return f->ops->tells ? async_set(fd, f, n != 0) : -ENOTTY;
}
