/* The system calls that make, name and connect sockets.  Data: msg.c; options: option.c. */
#include "net/net.h"

#include <string.h>

#define TYPE_FLAGS ((unsigned)(O_NONBLOCK | O_CLOEXEC)) /* SOCK_NONBLOCK, SOCK_CLOEXEC */

int name_from_user(uint64_t uaddr, int64_t len, struct sock_name *name)
{
    if (len < 0 || len > NAME_SIZE) {
        return -EINVAL;
    }
    name->len = (unsigned)len;
    name->family = ABI_AF_UNSPEC;
    return len == 0 ? 0 : mb_copy_in(name->bytes, uaddr, (size_t)len);
}

int name_to_user(const struct sock_name *name, uint64_t uaddr, uint64_t ulen)
{
    int32_t room;
    if (mb_copy_in(&room, ulen, sizeof(room)) < 0) {
        return -EFAULT;
    }
    if (room < 0) {
        return -EINVAL;
    }
    int32_t len = (int32_t)name->len, n = room < len ? room : len;
    if (n > 0 && mb_copy_out(uaddr, name->bytes, (size_t)n) < 0) {
        return -EFAULT;
    }
    return mb_copy_out(ulen, &len, sizeof(len));
}

static int create(const uint64_t a[6], struct sock **out, const struct family **family)
{
    unsigned number = (unsigned)a[0], type = (unsigned)a[1] & ABI_SOCK_TYPE_MASK;
    unsigned protocol = (unsigned)a[2];
    if (((unsigned)a[1] & ~(ABI_SOCK_TYPE_MASK | TYPE_FLAGS)) != 0) {
        return -EINVAL;
    }
    if (number >= ABI_AF_MAX) {
        return -EAFNOSUPPORT;
    }
    if (type > ABI_SOCK_PACKET) {
        return -EINVAL;
    }
    *family = family_find(number);
    return *family != NULL ? (*family)->create(number, type, protocol, out) : -EAFNOSUPPORT;
}

long sys_socket(const uint64_t a[6])
{
    struct sock *sk;
    const struct family *family;
    int err = create(a, &sk, &family);
    if (err < 0) {
        return err;
    }
    struct file *f = sock_file(sk, (unsigned)a[1]);
    return f != NULL ? fd_install(f, 0, (a[1] & O_CLOEXEC) != 0) : -ENFILE;
}

/* Two connected ones as files. */
static int pair_make(const uint64_t a[6], struct file *f[2])
{
    struct sock *one, *two;
    const struct family *family;
    int err = create(a, &one, &family);
    if (err < 0) {
        return err;
    }
    f[0] = sock_file(one, (unsigned)a[1]);
    if (f[0] == NULL) {
        return -ENFILE;
    }
    err = create(a, &two, &family);
    f[1] = err == 0 ? sock_file(two, (unsigned)a[1]) : NULL;
    if (f[1] == NULL) {
        file_unref(f[0]);
        return err < 0 ? err : -ENFILE;
    }
    err = family->pair == NULL ? -EOPNOTSUPP : family->pair(one, two);
    if (err != 0) {
        file_unref(f[0]);
        file_unref(f[1]);
    }
    return err;
}

long sys_socketpair(const uint64_t a[6])
{
    struct file *f[2] = {NULL, NULL};
    int32_t fds[2];
    bool cloexec = (a[1] & O_CLOEXEC) != 0;
    int err = pair_make(a, f);
    if (err != 0) {
        return err;
    }
    fds[0] = fd_install(f[0], 0, cloexec);
    if (fds[0] < 0) {
        file_unref(f[1]);
        return fds[0];
    }
    fds[1] = fd_install(f[1], 0, cloexec);
    if (fds[1] < 0) {
        fd_close(fds[0]);
        return fds[1];
    }
    err = mb_copy_out(a[3], fds, sizeof(fds));
    if (err < 0) {
        fd_close(fds[0]);
        fd_close(fds[1]);
    }
    return err;
}

static int bind_(struct sock *sk, const struct sock_name *name, const struct file *f)
{
    return sk->ops->bind(sk, name);
}

static int connect_(struct sock *sk, const struct sock_name *name, const struct file *f)
{
    return name->len < sizeof(name->family)
               ? -EINVAL
               : sk->ops->connect(sk, name, (f->flags & O_NONBLOCK) != 0);
}

/* (descriptor, name, its length) */
static long with_name(const uint64_t a[6], int (*fn)(struct sock *sk, const struct sock_name *name,
                                                     const struct file *f))
{
    struct sock_name name;
    struct file *f;
    int err;
    struct sock *sk = sock_get((int)a[0], &f, &err);
    if (sk == NULL) {
        return err;
    }
    err = name_from_user(a[1], (int32_t)a[2], &name);
    if (err == 0) {
        err = fn(sk, &name, f);
    }
    file_unref(f);
    return err;
}

long sys_bind(const uint64_t a[6])
{
    return with_name(a, bind_);
}

long sys_connect(const uint64_t a[6])
{
    return with_name(a, connect_);
}

long sys_listen(const uint64_t a[6])
{
    struct file *f;
    int err;
    struct sock *sk = sock_get((int)a[0], &f, &err);
    if (sk == NULL) {
        return err;
    }
    unsigned backlog = (unsigned)a[1];
    err = sk->ops->listen == NULL
              ? -EOPNOTSUPP
              : sk->ops->listen(sk, backlog < ABI_SOMAXCONN ? backlog : ABI_SOMAXCONN);
    file_unref(f);
    return err;
}

/* A connection's turn has come: as a file, its peer's name told.  It keeps its turn when there is no memory. */
static long accept_child(struct sock *sk, const uint64_t a[6], unsigned flags)
{
    struct file *f = sock_file_blank(flags);
    if (f == NULL) {
        return -ENFILE;
    }
    struct sock *child = pending_take(sk);
    sock_file_take(f, child);
    if (a[1] != 0) {
        struct sock_name name = {.len = 0};
        int err = child->ops->getname(child, &name, true);
        if (err == 0) {
            err = name_to_user(&name, a[1], a[2]);
        } else {
            err = -ECONNABORTED;
        }
        if (err < 0) {
            file_unref(f);
            return err;
        }
    }
    return fd_install(f, 0, (flags & O_CLOEXEC) != 0);
}

static long do_accept(const uint64_t a[6], unsigned flags)
{
    struct file *f;
    int err = 0;
    uint64_t deadline = 0;
    if ((flags & ~TYPE_FLAGS) != 0) {
        return -EINVAL;
    }
    struct sock *sk = sock_get((int)a[0], &f, &err);
    if (sk == NULL) {
        return err;
    }
    if (!sk->ops->connections) {
        err = -EOPNOTSUPP;
    } else {
        err = fd_room();
    }
    while (err == 0 && sk->pending == NULL) {
        if (sk->state != SOCK_LISTENING || (sk->shutdown & SHUT_IN) != 0) {
            err = -EINVAL;
        } else if ((f->flags & O_NONBLOCK) != 0) {
            err = -EAGAIN;
        } else {
            err = sock_wait_in(sk, &deadline);
        }
    }
    long result = err == 0 ? accept_child(sk, a, flags) : err;
    if (sk->pending != NULL) {
        sock_pass_on(sk);
    }
    file_unref(f);
    return result;
}

long sys_accept(const uint64_t a[6])
{
    return do_accept(a, 0);
}

long sys_accept4(const uint64_t a[6])
{
    return do_accept(a, (unsigned)a[3]);
}

static long get_name(const uint64_t a[6], bool peer)
{
    struct sock_name name = {.len = 0};
    struct file *f;
    int err;
    struct sock *sk = sock_get((int)a[0], &f, &err);
    if (sk == NULL) {
        return err;
    }
    err = sk->ops->getname(sk, &name, peer);
    if (err == 0) {
        err = name_to_user(&name, a[1], a[2]);
    }
    file_unref(f);
    return err;
}

long sys_getsockname(const uint64_t a[6])
{
    return get_name(a, false);
}

long sys_getpeername(const uint64_t a[6])
{
    return get_name(a, true);
}

long sys_shutdown(const uint64_t a[6])
{
    struct file *f;
    int err;
    struct sock *sk = sock_get((int)a[0], &f, &err);
    if (sk == NULL) {
        return err;
    }
    unsigned how = (unsigned)a[1];
    if (how > ABI_SHUT_RDWR) {
        err = -EINVAL;
    } else {
        err = sk->ops->shutdown == NULL ? -EOPNOTSUPP : sk->ops->shutdown(sk, how + 1);
    }
    file_unref(f);
    return err;
}
