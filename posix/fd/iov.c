/* Moving bytes between the personality and a program's buffers, whole or scattered. */
#include "fd/fd_int.h"

#include <string.h>

enum { PUT, GET, ZERO };

/* One segment's worth, within b->seg. */
static int move(const struct iobuf *b, void *mem, size_t n, int how)
{
    if (b->user) {
        switch (how) {
        case PUT:
            return mb_copy_out(b->addr, mem, n);
        case GET:
            return mb_copy_in(mem, b->addr, n);
        default:
            return mb_zero_out(b->addr, n);
        }
    }
    void *here = (void *)(uintptr_t)b->addr;
    switch (how) {
    case PUT:
        memcpy(here, mem, n);
        break;
    case GET:
        memcpy(mem, here, n);
        break;
    default:
        memset(here, 0, n);
        break;
    }
    return 0;
}

/* Over as many segments as it takes. */
static int move_all(struct iobuf *b, void *mem, size_t n, int how)
{
    char *p = mem;
    for (;;) {
        size_t part = n < b->seg ? n : b->seg;
        int err = move(b, p, part, how);
        if (err < 0) {
            return err;
        }
        b->addr += part;
        b->seg -= part;
        b->len -= part;
        n -= part;
        if (b->seg == 0 && b->len > 0) {
            b->addr = b->more->addr;
            b->seg = b->more->len;
            b->more++;
        }
        if (n == 0) {
            return 0;
        }
        p += how == ZERO ? 0 : part;
    }
}

/* The usual case: program memory, and no need to step to the next segment. */
static inline bool fits(const struct iobuf *b, size_t n)
{
    return b->user && (n < b->seg || (n == b->seg && b->seg == b->len));
}

int iobuf_put(struct iobuf *b, const void *src, size_t n)
{
    if (fits(b, n)) {
        int err = mb_copy_out(b->addr, src, n);
        if (err == 0) {
            b->addr += n;
            b->seg -= n;
            b->len -= n;
        }
        return err;
    }
    return move_all(b, (void *)src, n, PUT);
}

int iobuf_get(struct iobuf *b, void *dst, size_t n)
{
    if (fits(b, n)) {
        int err = mb_copy_in(dst, b->addr, n);
        if (err == 0) {
            b->addr += n;
            b->seg -= n;
            b->len -= n;
        }
        return err;
    }
    return move_all(b, dst, n, GET);
}

int iobuf_zero(struct iobuf *b, size_t n)
{
    if (fits(b, n)) {
        int err = mb_zero_out(b->addr, n);
        if (err == 0) {
            b->addr += n;
            b->seg -= n;
            b->len -= n;
        }
        return err;
    }
    return move_all(b, NULL, n, ZERO);
}

void iov_end(struct iov *v)
{
    if (v->seg != v->few) {
        mb_free(v->seg);
    }
}

/* Copy the vector before looking at it; segments behind ABI_RW_MAX bytes are cut off. */
int iov_get(uint64_t uaddr, uint64_t count, struct iov *v)
{
    _Static_assert(sizeof(struct iovec_seg) == sizeof(struct abi_iovec), "iovec layout");
    if (count > ABI_IOV_MAX) {
        return -EINVAL;
    }
    v->seg = v->few;
    if (count > IOV_INLINE) {
        v->seg = mb_alloc(count * sizeof(*v->seg));
        if (v->seg == NULL) {
            return -ENOMEM;
        }
    }
    int err = mb_copy_in(v->seg, uaddr, count * sizeof(*v->seg));
    uint64_t total = 0;
    unsigned kept = 0;
    for (uint64_t i = 0; i < count && err == 0; i++) {
        uint64_t len = v->seg[i].len;
        if ((int64_t)len < 0) {
            err = -EINVAL;
            break;
        }
        if (!mb_range_ok(v->seg[i].addr, len)) {
            err = -EFAULT;
            break;
        }
        if (len > ABI_RW_MAX - total) {
            len = ABI_RW_MAX - total;
        }
        if (len > 0) {
            v->seg[kept++] = (struct iovec_seg){.addr = v->seg[i].addr, .len = len};
            total += len;
        }
    }
    if (err < 0) {
        iov_end(v);
        return err;
    }
    v->b = (struct iobuf){.user = true, .len = total};
    if (kept > 0) {
        v->b.addr = v->seg[0].addr;
        v->b.seg = v->seg[0].len;
        v->b.more = v->seg + 1;
    }
    return 0;
}
