/* mmap, munmap, mprotect, brk. */
#include "mem/mm_int.h"

#include "linux_abi.h"
#include "sys.h"
#include "task.h"

#include <asm/errno.h>
#include <asm/fcntl.h>
#include <linux/mman.h>
#include <linux/resource.h>

#define PROT_KNOWN (PROT_READ | PROT_WRITE | PROT_EXEC)
/* What MAP_SHARED_VALIDATE takes: no MAP_SYNC, which is for files that are memory that lasts. */
#define FLAGS_KNOWN                                                                        \
    ((unsigned)(MAP_TYPE | MAP_FIXED | MAP_ANONYMOUS | MAP_DENYWRITE | MAP_EXECUTABLE |    \
                MAP_GROWSDOWN | MAP_LOCKED | MAP_NORESERVE | MAP_POPULATE | MAP_NONBLOCK | \
                MAP_STACK | MAP_HUGETLB | (MAP_HUGE_MASK << MAP_HUGE_SHIFT)))

/* What mmap is asked for, checked. */
struct request {
    uint64_t addr, len;
    unsigned flags;
    struct vma v; /* all but the place */
};

/* Where the range goes when the caller insists. */
static int check_fixed(struct mm *mm, const struct request *r)
{
    if (r->addr % MB_PAGE) {
        return -EINVAL;
    }
    if (r->len > MM_TASK_END || r->addr > MM_TASK_END - r->len) {
        return -ENOMEM;
    }
    if (r->addr < MB_PAGE || (r->addr < MM_MIN_ADDR && !capable(CAP_SYS_RAWIO))) {
        return -EPERM;
    }
    if ((r->flags & MAP_FIXED_NOREPLACE) && !vma_range_free(mm, r->addr, r->addr + r->len)) {
        return -EEXIST;
    }
    return 0;
}

static int check_file(const struct request *r, struct file *f)
{
    bool shared = r->v.flags & VMA_SHARED, write = r->v.prot & PROT_WRITE;
    unsigned mode = f->flags & O_ACCMODE;
    if (mode == O_WRONLY || (shared && write && mode != O_RDWR)) {
        return -EACCES;
    }
    if (!f->ops->page && !f->ops->zeroed) {
        return -ENODEV;
    }
    if ((r->v.prot & PROT_EXEC) && file_noexec(f)) {
        return -EPERM;
    }
    if (r->v.off + r->len < r->v.off) {
        return -EOVERFLOW;
    }
    return f->ops->mmap_ok ? f->ops->mmap_ok(f, r->v.prot, shared) : 0;
}

/* Memory that is nobody's file. */
static int open_zeroed(struct request *r, bool may_write)
{
    r->v.off = 0;
    if (!(r->v.flags & VMA_SHARED)) {
        r->v.kind = VMA_ANON;
        return 0;
    }
    r->v.kind = VMA_VEC;
    r->v.flags |= may_write ? VMA_MAYWRITE : 0;
    r->v.vec = pagevec_make(r->len / MB_PAGE);
    return r->v.vec ? 0 : -ENOMEM;
}

/* The object behind the area: a reference of ours in r->v, which the caller drops. */
static int open_object(struct request *r, int fd)
{
    if (r->flags & MAP_ANONYMOUS) {
        return open_zeroed(r, true);
    }
    struct file *f = fd_get(fd);
    if (!f) {
        return -EBADF;
    }
    int err = check_file(r, f);
    if (err < 0) {
        file_unref(f);
        return err;
    }
    if (f->ops->zeroed) {
        err = open_zeroed(r, (f->flags & O_ACCMODE) == O_RDWR);
        file_unref(f);
        return err;
    }
    r->v.kind = VMA_FILE;
    r->v.file = f;
    file_accessed(f);
    if ((f->flags & O_ACCMODE) == O_RDWR && err == 0) {
        r->v.flags |= VMA_MAYWRITE;
    }
    return 0;
}

static void close_object(const struct request *r)
{
    if (r->v.kind == VMA_FILE) {
        file_unref(r->v.file);
    } else if (r->v.kind == VMA_VEC) {
        pagevec_unref(r->v.vec);
    }
}

static long place_and_map(struct mm *mm, struct request *r)
{
    bool shared = r->v.flags & VMA_SHARED, write = r->v.prot & PROT_WRITE;
    bool accountable = (!shared && write && !(r->flags & MAP_NORESERVE)) || r->v.kind == VMA_VEC;
    bool fixed = r->flags & (MAP_FIXED | MAP_FIXED_NOREPLACE);
    if (mm->count >= MM_VMAS_MAX) {
        return -ENOMEM;
    }
    int err = mm_may_grow(mm, r->len, !shared && write, accountable);
    if (err == 0 && (r->v.flags & VMA_LOCKED)) {
        err = mm_may_lock(mm, r->len / MB_PAGE);
        err = err == -ENOMEM ? -EAGAIN : err;
    }
    if (err == 0 && fixed) {
        err = mm_unmap(mm, r->addr, r->addr + r->len);
    }
    if (err < 0) {
        return err;
    }
    uint64_t at = fixed ? r->addr : vma_find_gap(mm, r->addr, r->len);
    if (at == 0) {
        return -ENOMEM;
    }
    r->v.start = at;
    r->v.end = at + r->len;
    err = mm_map(mm, &r->v);
    if (err < 0) {
        return err;
    }
    bool present = (r->v.flags & VMA_LOCKED) && r->v.prot != 0 && !mm->lock_on_fault;
    if (present || (r->flags & (MAP_POPULATE | MAP_LOCKED))) {
        mm_populate(mm, at, at + r->len, write);
    }
    return (long)at;
}

long sys_mmap(const uint64_t a[6])
{
    struct mm *mm = current->mm;
    struct request r = {.addr = a[0], .flags = (unsigned)a[3]};
    r.v = (struct vma){.prot = a[2] & PROT_KNOWN, .off = a[5]};
    if (a[5] % MB_PAGE) {
        return -EINVAL;
    }
    if (!(r.flags & MAP_ANONYMOUS)) {
        struct file *f = fd_get((int)a[4]);
        if (!f) {
            return -EBADF; /* rather than any error below */
        }
        file_unref(f);
    }
    switch (r.flags & MAP_TYPE) {
    case MAP_PRIVATE:
        break;
    case MAP_SHARED_VALIDATE:
        if (r.flags & ~FLAGS_KNOWN) {
            return -EOPNOTSUPP;
        }
        __attribute__((fallthrough));
    case MAP_SHARED:
        r.v.flags = VMA_SHARED;
        break;
    default:
        return -EINVAL;
    }
    if (a[1] == 0) {
        return -EINVAL;
    }
    if (a[1] > MM_TASK_END) {
        return -ENOMEM;
    }
    r.len = page_up(a[1]);
    if (r.flags & MAP_HUGETLB) {
        return -EINVAL; /* there are none */
    }
    int err = r.flags & (MAP_FIXED | MAP_FIXED_NOREPLACE) ? check_fixed(mm, &r) : 0;
    if (err < 0) {
        return err;
    }
    r.v.flags |= (r.flags & MAP_NORESERVE ? VMA_NORESERVE : 0);
    r.v.flags |= (r.flags & MAP_LOCKED) || mm->lock_future ? VMA_LOCKED : 0;
    if ((r.flags & MAP_GROWSDOWN) && (r.flags & MAP_ANONYMOUS) && !(r.v.flags & VMA_SHARED)) {
        r.v.flags |= VMA_GROWSDOWN;
    }
    err = open_object(&r, (int)a[4]);
    if (err < 0) {
        return err;
    }
    long at = place_and_map(mm, &r);
    close_object(&r); /* the area has a reference of its own */
    return at;
}

long sys_munmap(const uint64_t a[6])
{
    if (a[0] % MB_PAGE || a[1] == 0 || a[1] > MM_TASK_END || a[0] > MM_TASK_END - a[1]) {
        return -EINVAL;
    }
    struct mm *mm = current->mm;
    uint64_t end = a[0] + page_up(a[1]);
    if (mm->count >= MM_VMAS_MAX) {
        const struct vma *v = vma_at(mm, a[0]);
        if (v && v->start < a[0] && v->end > end) {
            return -ENOMEM; /* the hole would make one more */
        }
    }
    return mm_unmap(mm, a[0], end);
}

/* ---- mprotect ---- */

static int check_protect(const struct vma *v, unsigned prot)
{
    if ((prot & PROT_WRITE) && v->kind != VMA_ANON && (v->flags & VMA_SHARED) &&
        !(v->flags & (VMA_MAYWRITE | VMA_VDSO))) {
        return -EACCES;
    }
    if ((prot & PROT_EXEC) && v->kind == VMA_FILE && file_noexec(v->file)) {
        return -EACCES;
    }
    if (v->flags & VMA_VDSO) {
        return prot & PROT_WRITE ? -EACCES : 0;
    }
    return 0;
}

/* How far the range is mapped and may have this protection: its end, with the error that stops it. */
static uint64_t protectable(const struct mm *mm, uint64_t start, uint64_t end, unsigned prot,
                            int *err)
{
    uint64_t at = start;
    *err = 0;
    for (uint32_t i = vma_index(mm, start); at < end; i++) {
        if (i == mm->count || mm->vma[i].start > at) {
            *err = -ENOMEM;
            break;
        }
        *err = check_protect(&mm->vma[i], prot);
        if (*err < 0) {
            break;
        }
        at = mm->vma[i].end;
    }
    return at < end ? at : end;
}

static int protect(struct mm *mm, uint64_t start, uint64_t end, unsigned prot)
{
    int err = vma_reserve(mm, 2);
    if (err < 0) {
        return err;
    }
    err = mb_protect(mm->space, start, end - start, prot);
    if (err < 0) {
        mm->uneven = true;
        return err;
    }
    vma_split(mm, start, end);
    for (uint32_t i = vma_index(mm, start); i < mm->count && mm->vma[i].start < end; i++) {
        mm->vma[i].prot = (uint8_t)prot;
    }
    vma_join(mm, start, end);
    return 0;
}

long sys_mprotect(const uint64_t a[6])
{
    struct mm *mm = current->mm;
    uint64_t start = a[0], prot = a[2];
    bool down = prot & PROT_GROWSDOWN, up = prot & PROT_GROWSUP;
    prot &= ~(uint64_t)(PROT_GROWSDOWN | PROT_GROWSUP | PROT_SEM);
    if (start % MB_PAGE || (prot & ~(uint64_t)PROT_KNOWN) || (down && up)) {
        return -EINVAL;
    }
    if (a[1] == 0) {
        return 0;
    }
    if (a[1] > MM_TASK_END || start > MM_TASK_END - a[1]) {
        return -ENOMEM;
    }
    uint64_t end = start + page_up(a[1]);
    const struct vma *v = vma_at(mm, start);
    if (down) {
        if (!v || !(v->flags & VMA_GROWSDOWN)) {
            return -EINVAL;
        }
        start = v->start;
    } else if (up) {
        return -EINVAL;
    }
    int stop;
    uint64_t to = protectable(mm, start, end, (unsigned)prot, &stop);
    if (to > start) {
        int err = mm->count + 2 > MM_VMAS_MAX ? -ENOMEM : protect(mm, start, to, (unsigned)prot);
        if (err < 0) {
            return err;
        }
    }
    return stop;
}

/* ---- brk ---- */

static bool brk_grow(struct mm *mm, uint64_t from, uint64_t to)
{
    uint64_t limit = rlimit_soft(RLIMIT_DATA);
    if (to > MM_TASK_END - MB_PAGE || to - mm->brk_start > limit) {
        return false;
    }
    uint32_t i = vma_index(mm, from);
    if (i < mm->count) {
        uint64_t gap = mm->vma[i].flags & VMA_GROWSDOWN ? MM_STACK_GAP : 0;
        if (mm->vma[i].start < to + gap) {
            return false;
        }
    }
    unsigned flags = mm->lock_future ? VMA_LOCKED : 0;
    if (mm->count >= MM_VMAS_MAX || mm_may_grow(mm, to - from, true, true) < 0 ||
        (flags && mm_may_lock(mm, (to - from) / MB_PAGE) < 0) ||
        mm_map_zero(mm, from, to, PROT_READ | PROT_WRITE, flags) < 0) {
        return false;
    }
    if (flags && !mm->lock_on_fault) {
        mm_populate(mm, from, to, true);
    }
    return true;
}

long sys_brk(const uint64_t a[6])
{
    struct mm *mm = current->mm;
    uint64_t want = a[0];
    if (want < mm->brk_start || want >= MM_TASK_END) {
        return (long)mm->brk;
    }
    uint64_t old_end = page_up(mm->brk), new_end = page_up(want);
    if (new_end > old_end && !brk_grow(mm, old_end, new_end)) {
        return (long)mm->brk;
    }
    if (new_end < old_end && mm_unmap(mm, new_end, old_end) < 0) {
        return (long)mm->brk;
    }
    mm->brk = want;
    return (long)want;
}
