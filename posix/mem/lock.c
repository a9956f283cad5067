/* mlock and its kin.  Pages are never taken away, so locking is making them present, and counting them
 * against RLIMIT_MEMLOCK; root is not counted.  A child has no locks, nor has a new program.
 */
#include "mem/mm_int.h"

#include "sys.h"
#include "task.h"

#include <asm/errno.h>
#include <linux/mman.h>
#include <linux/resource.h>

/* Pages of locked areas in [start, end). */
static uint64_t locked_in(const struct mm *mm, uint64_t start, uint64_t end)
{
    uint64_t pages = 0;
    for (uint32_t i = vma_index(mm, start); i < mm->count && mm->vma[i].start < end; i++) {
        const struct vma *v = &mm->vma[i];
        if (v->flags & VMA_LOCKED) {
            uint64_t from = v->start > start ? v->start : start;
            pages += ((v->end < end ? v->end : end) - from) / MB_PAGE;
        }
    }
    return pages;
}

uint64_t mm_locked_pages(const struct mm *mm)
{
    return locked_in(mm, 0, MM_TASK_END);
}

static bool may_lock_any(void)
{
    return capable(CAP_IPC_LOCK);
}

int mm_may_lock(const struct mm *mm, uint64_t pages)
{
    uint64_t limit = rlimit_soft(RLIMIT_MEMLOCK) / MB_PAGE;
    if (may_lock_any()) {
        return 0;
    }
    if (rlimit_soft(RLIMIT_MEMLOCK) == 0) {
        return -EPERM;
    }
    return pages > limit || mm_locked_pages(mm) > limit - pages ? -ENOMEM : 0;
}

/* Give the areas of the range the flag or take it; -ENOMEM where a hole is, with what lies before done. */
static int mark(struct mm *mm, uint64_t start, uint64_t end, bool lock)
{
    if (mm->count + 2 > MM_VMAS_MAX || vma_reserve(mm, 2) < 0) {
        return -ENOMEM;
    }
    uint64_t at = start;
    for (uint32_t i = vma_index(mm, start); at < end; i++) {
        if (i == mm->count || mm->vma[i].start > at) {
            break;
        }
        at = mm->vma[i].end;
    }
    uint64_t to = at < end ? at : end;
    if (to > start) {
        vma_split(mm, start, to);
        for (uint32_t i = vma_index(mm, start); i < mm->count && mm->vma[i].start < to; i++) {
            uint16_t *flags = &mm->vma[i].flags;
            if (!(*flags & VMA_VDSO)) {
                *flags = (uint16_t)(lock ? *flags | VMA_LOCKED : *flags & ~VMA_LOCKED);
            }
        }
        vma_join(mm, start, to);
    }
    return at < end ? -ENOMEM : 0;
}

static int range_of(uint64_t addr, uint64_t len, uint64_t *start, uint64_t *end)
{
    if (len > MM_TASK_END || addr > MM_TASK_END - len) {
        return addr > ~0ul - len ? -EINVAL : -ENOMEM;
    }
    *start = page_down(addr);
    *end = page_up(addr + len);
    return 0;
}

static long lock_range(uint64_t addr, uint64_t len, bool populate)
{
    struct mm *mm = current->mm;
    uint64_t start, end;
    int err = range_of(addr, len, &start, &end);
    if (err < 0) {
        return err;
    }
    uint64_t have = may_lock_any() ? 0 : locked_in(mm, start, end);
    err = mm_may_lock(mm, (end - start) / MB_PAGE - have);
    if (err < 0 || start == end) {
        return err;
    }
    err = mark(mm, start, end, true);
    if (err == 0 && populate) {
        mm_populate(mm, start, end, true);
    }
    return err;
}

long sys_mlock(const uint64_t a[6])
{
    return lock_range(a[0], a[1], true);
}

long sys_mlock2(const uint64_t a[6])
{
    if (a[2] & ~(uint64_t)MLOCK_ONFAULT) {
        return -EINVAL;
    }
    return lock_range(a[0], a[1], a[2] == 0);
}

long sys_munlock(const uint64_t a[6])
{
    uint64_t start, end;
    int err = range_of(a[0], a[1], &start, &end);
    return err < 0 || start == end ? err : mark(current->mm, start, end, false);
}

static void mark_all(struct mm *mm, bool lock)
{
    for (uint32_t i = 0; i < mm->count; i++) {
        uint16_t *flags = &mm->vma[i].flags;
        if (!(*flags & VMA_VDSO)) {
            *flags = (uint16_t)(lock ? *flags | VMA_LOCKED : *flags & ~VMA_LOCKED);
        }
    }
}

long sys_mlockall(const uint64_t a[6])
{
    struct mm *mm = current->mm;
    if (a[0] == 0 || (a[0] & ~(uint64_t)(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT)) ||
        a[0] == MCL_ONFAULT) {
        return -EINVAL;
    }
    if (!may_lock_any()) {
        uint64_t limit = rlimit_soft(RLIMIT_MEMLOCK);
        if (limit == 0) {
            return -EPERM;
        }
        if ((a[0] & MCL_CURRENT) && mm->pages > limit / MB_PAGE) {
            return -ENOMEM;
        }
    }
    mm->lock_future = a[0] & MCL_FUTURE;
    mm->lock_on_fault = a[0] & MCL_ONFAULT;
    if (a[0] & MCL_CURRENT) {
        mark_all(mm, true);
    }
    if ((a[0] & MCL_CURRENT) && !(a[0] & MCL_ONFAULT)) {
        for (uint32_t i = 0; i < mm->count; i++) { /* what is there of it stays what it is */
            if (mm->vma[i].prot != 0) {
                mm_populate(mm, mm->vma[i].start, mm->vma[i].end, true);
            }
        }
    }
    return 0;
}

long sys_munlockall(const uint64_t a[6])
{
    struct mm *mm = current->mm;
    mark_all(mm, false);
    mm->lock_future = mm->lock_on_fault = false;
    return 0;
}
