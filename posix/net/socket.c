/* Sockets as objects and as files: making, ending, waiting, and what read, write and poll do with them. */
#include "net/net.h"

#include <asm/ioctls.h>
#include <string.h>

static const struct family *const families[] = {
    &unix_family,
    &inet_family,
    &inet6_family,
    &netlink_family,
};

const struct family *family_find(unsigned number)
{
    for (unsigned i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
        if (families[i]->family == number) {
            return families[i];
        }
    }
    return NULL;
}

struct sock *sock_make(const struct sock_ops *ops, struct sock **all, unsigned family,
                       unsigned type, unsigned protocol)
{
    struct sock *sk = mb_zalloc(sizeof(*sk));
    if (sk == NULL) {
        return NULL;
    }
    sk->ops = ops;
    sk->refs = 1;
    sk->family = (uint16_t)family;
    sk->type = (uint16_t)type;
    sk->protocol = (uint16_t)protocol;
    sk->sndbuf = sk->rcvbuf = SOCK_BUFFER;
    sk->rcvlowat = 1;
    sk->peercred = (struct abi_ucred){0, ~0u, ~0u};
    sk->all_next = *all;
    sk->all_link = all;
    if (*all != NULL) {
        (*all)->all_link = &sk->all_next;
    }
    *all = sk;
    return sk;
}

void sock_free_(struct sock *sk)
{
    if (sk->ops->free != NULL) {
        sk->ops->free(sk);
    }
    *sk->all_link = sk->all_next;
    if (sk->all_next != NULL) {
        sk->all_next->all_link = sk->all_link;
    }
    mb_free(sk);
}

void sock_close(struct sock *sk)
{
    sk->file = NULL;
    sk->ops->release(sk);
    sk->dead = true;
    sock_unref(sk);
}

struct file *sock_file_blank(unsigned flags)
{
    return file_make_anon(&sock_file_ops, S_IFSOCK | 0777, O_RDWR | (flags & O_NONBLOCK), NULL);
}

void sock_file_take(struct file *f, struct sock *sk)
{
    f->priv = sk;
    sk->file = f;
}

struct file *sock_file(struct sock *sk, unsigned flags)
{
    struct file *f = sock_file_blank(flags);
    if (f == NULL) {
        sock_close(sk);
        return NULL;
    }
    sock_file_take(f, sk);
    return f;
}

struct sock *sock_get(int fd, struct file **f, int *err)
{
    *f = fd_get(fd);
    if (*f == NULL) {
        *err = -EBADF;
        return NULL;
    }
    struct sock *sk = sock_of(*f);
    if (sk == NULL) {
        file_unref(*f);
        *err = -ENOTSOCK;
    }
    return sk;
}

struct abi_ucred sock_cred(void)
{
    const struct cred *c = cred_now();
    return (struct abi_ucred){current->proc->pid, c->euid, c->egid};
}

/* ---- waiting ---- */

static int wait_result(int err, int64_t timeout)
{
    if (err == -ETIMEDOUT) {
        return -EAGAIN;
    }
    return err == -EINTR && timeout == 0 ? -ERESTARTSYS : err;
}

static inline void deadline_set(uint64_t *deadline, int64_t timeout)
{
    if (*deadline == 0) {
        *deadline = timeout == 0 ? MB_NEVER : time_ticks_at(time_monotonic_ns() + timeout);
    }
}

int sock_wait(struct waitq *q, int64_t timeout, uint64_t *deadline)
{
    deadline_set(deadline, timeout);
    return wait_result(wait_on(q, *deadline), timeout);
}

int sock_wait_in(struct sock *sk, uint64_t *deadline)
{
    deadline_set(deadline, sk->rcvtimeo);
    return wait_result(wait_on_one(&sk->rq, *deadline), sk->rcvtimeo);
}

void sock_pass_on(struct sock *sk)
{
    if (sk->rq.head != NULL) {
        wait_pass_on(&sk->rq);
    }
}

void sock_wake_all(struct sock *sk)
{
    wait_wake(&sk->rq);
    wait_wake(&sk->wq);
}

int sock_error(struct sock *sk)
{
    int err = sk->err;
    sk->err = 0;
    return -err;
}

long sock_broken(unsigned flags, long e)
{
    if (e == -EPIPE && (flags & ABI_MSG_NOSIGNAL) == 0) {
        signal_self(ABI_SIGPIPE);
    }
    return e;
}

/* ---- the file ---- */

static inline unsigned file_flags(const struct file *f)
{
    return (f->flags & O_NONBLOCK) != 0 ? ABI_MSG_DONTWAIT : 0;
}

static long sock_read(struct file *f, struct iobuf *b, int64_t *pos)
{
    struct sock *sk = f->priv;
    return b->len != 0 ? sk->ops->recv(sk, b, file_flags(f), NULL) : 0;
}

static long sock_write(struct file *f, struct iobuf *b, int64_t *pos)
{
    struct sock *sk = f->priv;
    return sk->ops->send(sk, b, file_flags(f), NULL);
}

static unsigned sock_poll(struct file *f, struct poll_table *pt)
{
    struct sock *sk = f->priv;
    if (pt != NULL) {
        poll_wait(pt, &sk->rq);
        poll_wait_room(pt, &sk->wq);
    }
    return sk->ops->poll(sk);
}

static long sock_ioctl(struct file *f, uint64_t cmd, uint64_t arg)
{
    struct sock *sk = f->priv;
    long r = sk->ops->ioctl(sk, cmd, arg);
    return r == -ENOTTY ? lo_ioctl(sk, cmd, arg) : r;
}

static void sock_flush(struct file *f)
{
    const struct sock *sk = f->priv;
    if (sk->family == ABI_AF_UNIX) {
        unix_file_closes(f);
    }
}

static void sock_release(struct file *f)
{
    if (f->priv != NULL) {
        sock_close(f->priv);
    }
}

const struct file_ops sock_file_ops = {
    .name = "socket",
    .read = sock_read,
    .write = sock_write,
    .poll = sock_poll,
    .ioctl = sock_ioctl,
    .flush = sock_flush,
    .release = sock_release,
    .tells = true,
};
