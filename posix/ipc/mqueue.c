/* POSIX message queues: the mq_* calls.
 *
 * A queue is an inode under a name of its own list (no file system shows it); a descriptor of it is a file.
 * Messages are kept in the order they are to be received in: highest priority first, then oldest.
 * Who is to be told of a message that comes to an empty queue (mq_notify) is told once.
 * A thread is told (SIGEV_THREAD) by C libraries: it reads a cookie from a netlink socket.
 */
#include <linux/mqueue.h>
#include <linux/poll.h>
#include <stdio.h>
#include <string.h>
#include "fd/fd_int.h"
#include "ipc/mqueue.h"
#include "net/cookie.h"
#include "proc.h"
#include "ptime.h"
#include "sig.h"
#include "sys.h"
#include "time/clock.h"

#define OVERHEAD 48u /* what Linux counts for a message, and for each priority there may be */
#define TEXT_SIZE 80
#ifndef SIGEV_SIGNAL
#define SIGEV_SIGNAL 0
#define SIGEV_NONE 1
#define SIGEV_THREAD 2
#endif

struct message {
    struct message *next;
    size_t size;
    unsigned priority;
    uint8_t bytes[];
};

struct mqueue {
    struct mqueue *next; /* of those that have a name */
    struct inode *inode;
    char name[NAME_MAX + 1];
    int64_t msgs_most, size_most, count;
    uint64_t bytes; /* in them */
    struct message *first;
    struct waitq senders, receivers;
    unsigned waiting; /* receivers */
    struct user *user;
    uint64_t charged;
    int notify_pid;        /* 0: nobody */
    uint64_t notify_start; /* pids are used again */
    int notify_how, notify_signo;
    uint64_t notify_value;
    struct sock *notify_sock; /* SIGEV_THREAD: where the cookie goes */
    uint8_t cookie[NOTIFY_COOKIE_LEN];
};

long mq_limit[MQ_LIMITS] = {
    [MQ_QUEUES] = 256,      [MQ_MSGS] = 10,           [MQ_SIZE] = 8192,
    [MQ_MSGS_DEFAULT] = 10, [MQ_SIZE_DEFAULT] = 8192,
};
static struct mqueue *named;
static unsigned queue_count;

static struct mqueue *queue_of(const struct inode *ino)
{
    return (struct mqueue *)(uintptr_t)ino->entry;
}

/* Nobody is to be told any more.  Who was told by a cookie learns why. */
static void notify_end(struct mqueue *q, uint8_t why)
{
    q->notify_pid = 0;
    if (q->notify_sock) {
        q->cookie[NOTIFY_COOKIE_LEN - 1] = why;
        cookie_send(q->notify_sock, q->cookie, sizeof q->cookie);
        q->notify_sock = NULL;
    }
}

/* ---- the file ---- */

static void queue_evict(struct inode *ino)
{
    struct mqueue *q = queue_of(ino);
    for (struct message *m; (m = q->first);) {
        q->first = m->next;
        mb_free(m);
    }
    notify_end(q, NOTIFY_REMOVED);
    q->user->mq_bytes -= q->charged;
    user_unref(q->user);
    queue_count--;
    mb_free(q);
}

static long queue_read(struct file *f, struct iobuf *b, int64_t *pos)
{
    const struct mqueue *q = queue_of(f->inode);
    char text[TEXT_SIZE + 1];
    int len = snprintf(text, sizeof text, "QSIZE:%-10lu NOTIFY:%-5d SIGNO:%-5d NOTIFY_PID:%-6d\n",
                       (unsigned long)q->bytes, q->notify_pid ? q->notify_how : 0,
                       q->notify_pid && q->notify_how == SIGEV_SIGNAL ? q->notify_signo : 0,
                       q->notify_pid);
    if (*pos < 0 || *pos >= len)
        return 0;
    size_t n = (size_t)(len - *pos) < b->len ? (size_t)(len - *pos) : b->len;
    if (iobuf_put(b, text + *pos, n))
        return -EFAULT;
    *pos += (int64_t)n;
    return (long)n;
}

static int64_t queue_lseek(struct file *f, int64_t off, int whence)
{
    off += whence == 1 ? f->pos : 0;
    if (whence < 0 || whence > 1 || off < 0)
        return -EINVAL;
    return f->pos = off;
}

static unsigned queue_poll(struct file *f, struct poll_table *pt)
{
    struct mqueue *q = queue_of(f->inode);
    if (pt) {
        poll_wait(pt, &q->senders);
        poll_wait(pt, &q->receivers);
    }
    return (q->count ? POLLIN | POLLRDNORM : 0u) |
           (q->count < q->msgs_most ? POLLOUT | POLLWRNORM : 0u);
}

static bool notifies_us(const struct mqueue *q)
{
    const struct process *p = current->proc;
    return q->notify_pid == p->pid && q->notify_start == p->start_ticks;
}

/* Whoever asked to be told closes a descriptor: then no more. */
static void queue_flush(struct file *f)
{
    struct mqueue *q = queue_of(f->inode);
    if (current && notifies_us(q))
        notify_end(q, NOTIFY_REMOVED);
}

static const struct file_ops queue_ops = {
    .name = "mqueue",
    .read = queue_read,
    .lseek = queue_lseek,
    .poll = queue_poll,
    .flush = queue_flush,
};
static const struct inode_ops queue_iops = {.evict = queue_evict};

/* ---- mq_open, mq_unlink ---- */

static struct mqueue **find(const char *name)
{
    struct mqueue **at = &named;
    while (*at && strcmp((*at)->name, name) != 0)
        at = &(*at)->next;
    return at;
}

static int get_name(uint64_t uname, char *name)
{
    long len = mb_str_in(name, uname, NAME_MAX + 1);
    if (len < 0)
        return (int)len;
    if (len == 0)
        return -ENOENT;
    return strchr(name, '/') || !strcmp(name, ".") || !strcmp(name, "..") ? -EACCES : 0;
}

static int check_attr(const struct mq_attr *a)
{
    bool more = capable(CAP_SYS_RESOURCE);
    if (a->mq_maxmsg <= 0 || a->mq_msgsize <= 0)
        return -EINVAL;
    if (a->mq_maxmsg > (more ? MQ_MSGS_HARD : mq_limit[MQ_MSGS]) ||
        a->mq_msgsize > (more ? MQ_SIZE_HARD : mq_limit[MQ_SIZE]))
        return -EINVAL;
    return 0;
}

static int charge(struct mqueue *q)
{
    uint64_t msgs = (uint64_t)q->msgs_most, priorities = msgs < MQ_PRIO_MAX ? msgs : MQ_PRIO_MAX;
    q->charged = msgs * ((uint64_t)q->size_most + OVERHEAD) + priorities * OVERHEAD;
    q->user = current->user;
    if (q->user->mq_bytes + q->charged > rlimit_soft(ABI_RLIMIT_MSGQUEUE))
        return -EMFILE;
    user_ref(q->user);
    q->user->mq_bytes += q->charged;
    return 0;
}

static int queue_make(const char *name, unsigned mode, const struct mq_attr *a, struct mqueue **out)
{
    if ((long)queue_count >= mq_limit[MQ_QUEUES] && !capable(CAP_SYS_RESOURCE))
        return -ENOSPC;
    struct mqueue *q = mb_zalloc(sizeof *q);
    if (!q)
        return -ENOMEM;
    memcpy(q->name, name, strlen(name) + 1);
    q->msgs_most = a->mq_maxmsg;
    q->size_most = a->mq_msgsize;
    waitq_init(&q->senders);
    waitq_init(&q->receivers);
    int err = charge(q);
    if (err) {
        mb_free(q);
        return err;
    }
    queue_count++;
    struct inode *ino =
        inode_make(NULL, &queue_iops, &queue_ops, S_IFREG | (mode & 0777 & ~fsctx_now()->umask));
    if (!ino) {
        struct inode none = {.entry = q};
        queue_evict(&none);
        return -ENOMEM;
    }
    ino->entry = q;
    ino->uid = current->cred.fsuid;
    ino->gid = current->cred.fsgid;
    ino->size = TEXT_SIZE;
    q->inode = ino; /* its reference is the name's */
    q->next = named;
    named = q;
    *out = q;
    return 0;
}

static long least(enum mq_limit a, enum mq_limit b)
{
    return mq_limit[a] < mq_limit[b] ? mq_limit[a] : mq_limit[b];
}

static int open_or_make(const char *name, unsigned flags, unsigned mode, uint64_t uattr,
                        struct mqueue **out)
{
    static const unsigned want[] = {MAY_READ, MAY_WRITE, MAY_READ | MAY_WRITE};
    struct mq_attr attr = {.mq_maxmsg = least(MQ_MSGS_DEFAULT, MQ_MSGS),
                           .mq_msgsize = least(MQ_SIZE_DEFAULT, MQ_SIZE)};
    if ((flags & O_ACCMODE) == O_ACCMODE)
        return -EINVAL;
    if (uattr && mb_copy_in(&attr, uattr, sizeof attr))
        return -EFAULT;
    struct mqueue *q = *find(name);
    if (q) {
        *out = q;
        if ((flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL))
            return -EEXIST;
        return inode_permission(q->inode, want[flags & O_ACCMODE]);
    }
    if (!(flags & O_CREAT))
        return -ENOENT;
    int err = check_attr(&attr);
    return err ? err : queue_make(name, mode, &attr, out);
}

long sys_mq_open(const uint64_t a[6])
{
    unsigned flags = (unsigned)a[1];
    char name[NAME_MAX + 1];
    struct mqueue *q;
    int err = get_name(a[0], name);
    err = err ? err : fd_room();
    err = err ? err : open_or_make(name, flags, (unsigned)a[2], a[3], &q);
    if (err)
        return err;
    struct file *f = file_make_inode(&queue_ops, q->inode, flags & (O_ACCMODE | O_NONBLOCK), NULL);
    return f ? fd_install(f, 0, flags & O_CLOEXEC) : -ENOMEM;
}

long sys_mq_unlink(const uint64_t a[6])
{
    char name[NAME_MAX + 1];
    int err = get_name(a[0], name);
    if (err)
        return err;
    struct mqueue **at = find(name), *q = *at;
    if (!q)
        return -ENOENT;
    if (!inode_owned(q->inode))
        return -EPERM;
    *at = q->next;
    q->inode->nlink = 0;
    inode_unref(q->inode);
    return 0;
}

/* ---- sending and receiving ---- */

/* The file and its queue, referenced; NULL: no queue, or not open for that. */
static struct file *queue_file(int fd, bool write)
{
    struct file *f = fd_get(fd);
    if (f && (f->ops != &queue_ops || !(write ? file_can_write(f) : file_can_read(f)))) {
        file_unref(f);
        return NULL;
    }
    return f;
}

static int get_deadline(uint64_t utime, uint64_t *deadline)
{
    int64_t ns;
    *deadline = MB_NEVER;
    if (!utime)
        return 0;
    int err = time_get_timespec(utime, &ns);
    if (!err)
        *deadline = clock_deadline(CLOCK_REALTIME, ns);
    return err;
}

static void notify(struct mqueue *q)
{
    struct process *p = process_find(q->notify_pid);
    if (!q->notify_pid || q->waiting)
        return;
    notify_end(q, NOTIFY_WOKENUP);
    if (!p || p->start_ticks != q->notify_start || q->notify_how != SIGEV_SIGNAL ||
        !q->notify_signo)
        return;
    struct ksiginfo info = sig_info_user(q->notify_signo, SI_MESGQ);
    info.u.rt.value = q->notify_value;
    sig_send(p, NULL, q->notify_signo, &info);
}

static void insert(struct mqueue *q, struct message *m)
{
    struct message **at = &q->first;
    while (*at && (*at)->priority >= m->priority)
        at = &(*at)->next;
    m->next = *at;
    *at = m;
    q->bytes += m->size;
    if (q->count++ == 0)
        notify(q);
    wait_wake(&q->receivers);
}

static int send(struct file *f, struct message *m, uint64_t deadline)
{
    struct mqueue *q = queue_of(f->inode);
    while (q->count >= q->msgs_most) {
        if (f->flags & O_NONBLOCK)
            return -EAGAIN;
        int err = wait_on(&q->senders, deadline);
        if (err)
            return err == -EINTR ? -ERESTARTSYS : err;
    }
    insert(q, m);
    return 0;
}

long sys_mq_timedsend(const uint64_t a[6])
{
    uint64_t size = a[2], deadline;
    unsigned priority = (unsigned)a[3];
    if (priority >= MQ_PRIO_MAX)
        return -EINVAL;
    int err = get_deadline(a[4], &deadline);
    if (err)
        return err;
    struct file *f = queue_file((int)a[0], true);
    if (!f)
        return -EBADF;
    struct message *m = NULL;
    if (size > (uint64_t)queue_of(f->inode)->size_most)
        err = -EMSGSIZE;
    else if (!(m = mb_alloc(sizeof *m + size)))
        err = -ENOMEM;
    if (!err) {
        *m = (struct message){.size = size, .priority = priority};
        err = mb_copy_in(m->bytes, a[1], size);
    }
    err = err ? err : send(f, m, deadline);
    if (err)
        mb_free(m);
    file_unref(f);
    return err;
}

static int receive(struct file *f, uint64_t deadline, struct message **out)
{
    struct mqueue *q = queue_of(f->inode);
    while (!q->first) {
        if (f->flags & O_NONBLOCK)
            return -EAGAIN;
        q->waiting++;
        int err = wait_on(&q->receivers, deadline);
        q->waiting--;
        if (err)
            return err == -EINTR ? -ERESTARTSYS : err;
    }
    struct message *m = q->first;
    q->first = m->next;
    q->count--;
    q->bytes -= m->size;
    wait_wake(&q->senders);
    *out = m;
    return 0;
}

long sys_mq_timedreceive(const uint64_t a[6])
{
    uint64_t deadline;
    struct message *m;
    int err = get_deadline(a[4], &deadline);
    if (err)
        return err;
    struct file *f = queue_file((int)a[0], false);
    if (!f)
        return -EBADF;
    err = a[2] < (uint64_t)queue_of(f->inode)->size_most ? -EMSGSIZE : receive(f, deadline, &m);
    file_unref(f);
    if (err)
        return err;
    long got = (long)m->size;
    uint32_t priority = m->priority;
    if ((a[3] && mb_copy_out(a[3], &priority, sizeof priority)) ||
        mb_copy_out(a[1], m->bytes, m->size))
        got = -EFAULT;
    mb_free(m);
    return got;
}

/* ---- the rest ---- */

struct event { /* struct sigevent */
    uint64_t value;
    int32_t signo, how, pad[12];
};

/* sk: the socket for SIGEV_THREAD; it is taken when that succeeds. */
static int set_notify(struct mqueue *q, const struct event *e, struct sock *sk,
                      const uint8_t *cookie)
{
    const struct process *p = current->proc;
    if (!e) {
        if (notifies_us(q))
            notify_end(q, NOTIFY_REMOVED);
        return 0;
    }
    const struct process *old = q->notify_pid ? process_find(q->notify_pid) : NULL;
    if (old && old->start_ticks == q->notify_start && !old->zombie)
        return -EBUSY;
    notify_end(q, NOTIFY_REMOVED);
    q->notify_pid = p->pid;
    q->notify_start = p->start_ticks;
    q->notify_how = e->how;
    q->notify_signo = e->signo;
    q->notify_value = e->value;
    q->notify_sock = sk;
    memcpy(q->cookie, cookie, sizeof q->cookie);
    return 0;
}

static int check_event(const struct event *e, struct sock **sk, uint8_t *cookie)
{
    if (e->how != SIGEV_NONE && e->how != SIGEV_SIGNAL && e->how != SIGEV_THREAD)
        return -EINVAL;
    if (e->how == SIGEV_SIGNAL && (e->signo < 0 || e->signo > SIG_COUNT))
        return -EINVAL;
    if (e->how != SIGEV_THREAD)
        return 0;
    return mb_copy_in(cookie, e->value, NOTIFY_COOKIE_LEN) ? -EFAULT : cookie_sock(e->signo, sk);
}

long sys_mq_notify(const uint64_t a[6])
{
    struct event e;
    struct sock *sk = NULL;
    uint8_t cookie[NOTIFY_COOKIE_LEN] = {0};
    if (a[1] && mb_copy_in(&e, a[1], sizeof e))
        return -EFAULT;
    int err = a[1] ? check_event(&e, &sk, cookie) : 0;
    if (err)
        return err;
    struct file *f = fd_get((int)a[0]);
    err = -EBADF;
    if (f && f->ops == &queue_ops)
        err = set_notify(queue_of(f->inode), a[1] ? &e : NULL, sk, cookie);
    if (f)
        file_unref(f);
    if (err && sk)
        cookie_drop(sk);
    return err;
}

static int get_set(struct file *f, uint64_t unew, struct mq_attr *old)
{
    const struct mqueue *q = queue_of(f->inode);
    struct mq_attr new;
    if (unew && mb_copy_in(&new, unew, sizeof new))
        return -EFAULT;
    if (unew && (new.mq_flags & ~(long)O_NONBLOCK))
        return -EINVAL;
    memset(old, 0, sizeof *old);
    old->mq_flags = f->flags & O_NONBLOCK;
    old->mq_maxmsg = q->msgs_most;
    old->mq_msgsize = q->size_most;
    old->mq_curmsgs = q->count;
    if (unew)
        f->flags = (f->flags & ~(unsigned)O_NONBLOCK) | (unsigned)new.mq_flags;
    return 0;
}

long sys_mq_getsetattr(const uint64_t a[6])
{
    struct mq_attr old;
    struct file *f = fd_get((int)a[0]);
    if (!f)
        return -EBADF;
    int err = f->ops == &queue_ops ? get_set(f, a[1], &old) : -EBADF;
    file_unref(f);
    if (!err && a[2] && mb_copy_out(a[2], &old, sizeof old))
        err = -EFAULT;
    return err;
}
