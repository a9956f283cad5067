/* The system calls that move data, beside read and write: send*, recv*. */
#include "include/ptime.h"
#include "net/net.h"

static inline unsigned with_file(const struct file *f, unsigned flags)
{
    return (f->flags & O_NONBLOCK) != 0 ? flags | ABI_MSG_DONTWAIT : flags;
}

static inline size_t rw_len(uint64_t n)
{
    return n < ABI_RW_MAX ? n : ABI_RW_MAX;
}

long sys_sendto(const uint64_t a[6])
{
    struct file *f;
    int err;
    struct sock *sk = sock_get((int)a[0], &f, &err);
    if (sk == NULL) {
        return err;
    }
    struct iobuf b = iobuf_user(a[1], rw_len(a[2]));
    struct sock_name name;
    struct sock_extra x = {.name = NULL};
    long result = 0;
    if (a[4] != 0) {
        result = name_from_user(a[4], (int32_t)a[5], &name);
        x.name = name.len > 0 ? &name : NULL;
    }
    if (result == 0) {
        result = sk->ops->send(sk, &b, with_file(f, (unsigned)a[3]), &x);
    }
    file_unref(f);
    return result;
}

/* MSG_ERRQUEUE asks for errors of a network, of which there are none to be had. */
static bool no_errors(const struct sock *sk, unsigned flags)
{
    return (flags & ABI_MSG_ERRQUEUE) != 0 &&
           (sk->family == ABI_AF_INET || sk->family == ABI_AF_INET6);
}

long sys_recvfrom(const uint64_t a[6])
{
    struct file *f;
    int err;
    struct sock *sk = sock_get((int)a[0], &f, &err);
    if (sk == NULL) {
        return err;
    }
    struct iobuf b = iobuf_user(a[1], rw_len(a[2]));
    struct sock_name name = {.len = 0};
    struct sock_extra x = {.name = a[4] != 0 ? &name : NULL};
    long result = no_errors(sk, (unsigned)a[3])
                      ? -EAGAIN
                      : sk->ops->recv(sk, &b, with_file(f, (unsigned)a[3]), &x);
    fdset_free(x.scm.files);
    if (result >= 0 && a[4] != 0) {
        err = name_to_user(&name, a[4], a[5]);
        result = err < 0 ? err : result;
    }
    file_unref(f);
    return result;
}

/* ---- with a header ---- */

static int header_get(uint64_t uaddr, struct abi_msghdr *h)
{
    if (mb_copy_in(h, uaddr, sizeof(*h)) < 0) {
        return -EFAULT;
    }
    if (h->name == 0) {
        h->namelen = 0;
    }
    if (h->namelen < 0) {
        return -EINVAL;
    }
    if (h->namelen > NAME_SIZE) {
        h->namelen = NAME_SIZE;
    }
    return h->iovlen > ABI_UIO_MAXIOV ? -EMSGSIZE : 0;
}

static long send_message(struct sock *sk, const struct file *f, uint64_t umsg, unsigned flags)
{
    struct abi_msghdr h;
    struct sock_name name;
    struct sock_extra x = {.name = NULL};
    struct iov v;
    long err = header_get(umsg, &h);
    if (err < 0) {
        return err;
    }
    if (h.namelen > 0) {
        err = name_from_user(h.name, h.namelen, &name);
        x.name = &name;
    }
    if (err == 0) {
        err = iov_get(h.iov, h.iovlen, &v);
    }
    if (err < 0) {
        return err;
    }
    if (h.controllen > 0) {
        err = sk->family == ABI_AF_UNIX ? scm_from_user(h.control, h.controllen, &x.scm)
                                        : scm_ignore(h.control, h.controllen);
    }
    if (err == 0) {
        err = sk->ops->send(sk, &v.b, with_file(f, flags), &x);
    }
    fdset_free(x.scm.files);
    iov_end(&v);
    return err;
}

/* What was received beside the data, told in the program's header. */
static int tell(struct sock *sk, uint64_t umsg, struct abi_msghdr *h, struct sock_extra *x,
                unsigned flags)
{
    uint64_t room = h->controllen;
    if (h->control == 0) {
        room = h->controllen = 0;
    }
    unsigned told = x->flags | (flags & ABI_MSG_CMSG_CLOEXEC);
    int err = 0;
    if (h->name != 0) {
        err = name_to_user(x->name, h->name, umsg + offsetof(struct abi_msghdr, namelen));
    }
    if (err == 0 && sk->family == ABI_AF_UNIX) {
        err = scm_to_user(h, &x->scm, sk->passcred, (flags & ABI_MSG_CMSG_CLOEXEC) != 0, &told);
    }
    fdset_free(x->scm.files);
    if (err < 0) {
        return err;
    }
    uint64_t used = room - h->controllen;
    if (mb_copy_out(umsg + offsetof(struct abi_msghdr, flags), &told, sizeof(told)) < 0 ||
        mb_copy_out(umsg + offsetof(struct abi_msghdr, controllen), &used, sizeof(used)) < 0) {
        return -EFAULT;
    }
    return 0;
}

static long recv_message(struct sock *sk, const struct file *f, uint64_t umsg, unsigned flags)
{
    struct abi_msghdr h;
    struct sock_name name = {.len = 0};
    struct sock_extra x = {.scm = {.cred = SCM_NOBODY}};
    struct iov v;
    long result = header_get(umsg, &h);
    if (result == 0) {
        result = iov_get(h.iov, h.iovlen, &v);
    }
    if (result < 0) {
        return result;
    }
    x.name = h.name != 0 ? &name : NULL;
    result = no_errors(sk, flags) ? -EAGAIN : sk->ops->recv(sk, &v.b, with_file(f, flags), &x);
    iov_end(&v);
    if (result < 0) {
        fdset_free(x.scm.files);
        return result;
    }
    int err = tell(sk, umsg, &h, &x, flags);
    return err < 0 ? err : result;
}

typedef long message(struct sock *sk, const struct file *f, uint64_t umsg, unsigned flags);

static long one_message(const uint64_t a[6], message *fn)
{
    struct file *f;
    int err;
    unsigned flags = (unsigned)a[2];
    if ((flags & ABI_MSG_CMSG_COMPAT) != 0) {
        return -EINVAL;
    }
    struct sock *sk = sock_get((int)a[0], &f, &err);
    if (sk == NULL) {
        return err;
    }
    long result = fn(sk, f, a[1], flags);
    file_unref(f);
    return result;
}

long sys_sendmsg(const uint64_t a[6])
{
    return one_message(a, send_message);
}

long sys_recvmsg(const uint64_t a[6])
{
    return one_message(a, recv_message);
}

static long put_len(uint64_t ummsg, long n)
{
    uint32_t len = (uint32_t)n;
    return mb_copy_out(ummsg + offsetof(struct abi_mmsghdr, len), &len, sizeof(len));
}

long sys_sendmmsg(const uint64_t a[6])
{
    struct file *f;
    int err;
    unsigned flags = (unsigned)a[3];
    uint32_t n = (uint32_t)a[2] < ABI_UIO_MAXIOV ? (uint32_t)a[2] : ABI_UIO_MAXIOV, done = 0;
    if ((flags & ABI_MSG_CMSG_COMPAT) != 0) {
        return -EINVAL;
    }
    struct sock *sk = sock_get((int)a[0], &f, &err);
    if (sk == NULL) {
        return err;
    }
    long result = 0;
    for (; done < n; done++) {
        uint64_t at = a[1] + done * sizeof(struct abi_mmsghdr);
        result = send_message(sk, f, at, flags);
        if (result >= 0) {
            result = put_len(at, result);
        }
        if (result < 0) {
            break;
        }
        mb_lock_break();
    }
    file_unref(f);
    return done > 0 ? (long)done : result;
}

static long recv_many(struct sock *sk, const struct file *f, const uint64_t a[6], int64_t end)
{
    unsigned flags = (unsigned)a[3];
    uint32_t n = (uint32_t)a[2], done = 0;
    long result = sock_error(sk);
    while (result == 0 && done < n) {
        uint64_t at = a[1] + done * sizeof(struct abi_mmsghdr);
        result = recv_message(sk, f, at, flags & ~ABI_MSG_WAITFORONE);
        if (result >= 0) {
            result = put_len(at, result);
        }
        if (result < 0) {
            break;
        }
        done++;
        if ((flags & ABI_MSG_WAITFORONE) != 0) {
            flags |= ABI_MSG_DONTWAIT;
        }
        if (time_monotonic_ns() >= end) {
            break;
        }
        mb_lock_break();
    }
    if (done > 0 && result < 0 && result != -EAGAIN && result > -ERESTARTSYS) {
        sk->err = (int)-result; /* for the next call */
    }
    return done > 0 ? (long)done : result;
}

long sys_recvmmsg(const uint64_t a[6])
{
    struct file *f;
    int err;
    int64_t end = INT64_MAX, ns;
    if (((unsigned)a[3] & ABI_MSG_CMSG_COMPAT) != 0) {
        return -EINVAL;
    }
    if (a[4] != 0) {
        err = time_get_timespec(a[4], &ns);
        if (err < 0) {
            return err;
        }
        int64_t now = time_monotonic_ns();
        end = ns > INT64_MAX - now ? INT64_MAX : now + ns;
    }
    struct sock *sk = sock_get((int)a[0], &f, &err);
    if (sk == NULL) {
        return err;
    }
    long result = recv_many(sk, f, a, end);
    if (a[4] != 0 && result > 0) {
        int64_t left = end - time_monotonic_ns();
        err = time_put_timespec(a[4], left > 0 ? left : 0);
        result = err < 0 ? err : result;
    }
    file_unref(f);
    return result;
}
