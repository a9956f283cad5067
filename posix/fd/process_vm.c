/* process_vm_readv and process_vm_writev: memory of another process, without stopping it. */
#include "fd/fd_int.h"
#include "include/mm.h"
#include "include/trace.h"

#define IOV_MOST 1024u

struct copy {
    struct mm *mm;
    struct iovec_seg *remote; /* not empty ones */
    uint64_t count;
    char *page; /* on the way */
    bool write;
};

static int get_remote(struct copy *c, uint64_t uaddr, uint64_t count)
{
    c->remote = mb_alloc((count != 0 ? count : 1) * sizeof(c->remote[0]));
    if (c->remote == NULL) {
        return -ENOMEM;
    }
    if (mb_copy_in(c->remote, uaddr, count * sizeof(c->remote[0])) < 0) {
        return -EFAULT;
    }
    c->count = count;
    for (uint64_t i = 0; i < count; i++) {
        if ((int64_t)c->remote[i].len < 0) {
            return -EINVAL;
        }
    }
    return 0;
}

/* Up to a page between the local buffer and addr: bytes, or an error of the local side. */
static long copy_part(const struct copy *c, struct iobuf *local, uint64_t addr, size_t n)
{
    if (!c->write) {
        size_t got = mm_remote_read(c->mm, addr, c->page, n, false);
        return got > 0 && iobuf_put(local, c->page, got) < 0 ? -EFAULT : (long)got;
    }
    if (iobuf_get(local, c->page, n) < 0) {
        return -EFAULT;
    }
    return (long)mm_remote_write(c->mm, addr, c->page, n, false);
}

static long copy_all(const struct copy *c, struct iobuf *local)
{
    long done = 0;
    for (uint64_t i = 0; i < c->count; i++) {
        struct iovec_seg s = c->remote[i];
        while (s.len > 0 && local->len > 0) {
            size_t n = MB_PAGE - s.addr % MB_PAGE;
            n = n < s.len ? n : s.len;
            n = n < local->len ? n : local->len;
            long got = copy_part(c, local, s.addr, n);
            done += got > 0 ? got : 0;
            if (got < (long)n) {
                return done > 0 ? done : -EFAULT;
            }
            s.addr += n;
            s.len -= n;
            mb_lock_break();
        }
    }
    return done;
}

static long run(struct copy *c, int pid, struct iobuf *local)
{
    const struct task *t = task_find(pid);
    if (t == NULL || t->mm == NULL) {
        return -ESRCH;
    }
    int err = trace_may_access(t);
    if (err < 0) {
        return err;
    }
    c->page = mb_alloc(MB_PAGE);
    if (c->page == NULL) {
        return -ENOMEM;
    }
    c->mm = mm_ref(t->mm);
    long n = copy_all(c, local);
    mm_unref(c->mm);
    mb_free(c->page);
    return n;
}

static long process_vm(const uint64_t a[6], bool write)
{
    struct copy c = {.write = write};
    struct iov v;
    if (a[5] != 0 || a[4] > IOV_MOST) {
        return -EINVAL;
    }
    int err = iov_get(a[1], a[2], &v);
    if (err < 0) {
        return err;
    }
    long n = get_remote(&c, a[3], a[4]);
    if (n == 0) {
        n = run(&c, (int)a[0], &v.b);
    }
    mb_free(c.remote);
    iov_end(&v);
    return n;
}

long sys_process_vm_readv(const uint64_t a[6])
{
    return process_vm(a, false);
}

long sys_process_vm_writev(const uint64_t a[6])
{
    return process_vm(a, true);
}
