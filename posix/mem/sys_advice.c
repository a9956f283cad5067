/* madvise, msync, mincore. */
#include "mem/mm_int.h"

#include "sys.h"
#include "task.h"

#include <asm/errno.h>
#include <linux/mman.h>

/* The page aligned range of a call: 0, or a negated errno. */
static int range_of(uint64_t addr, uint64_t len, uint64_t *end, int too_far)
{
    if (addr % MB_PAGE) {
        return -EINVAL;
    }
    if (len > MM_TASK_END || addr > MM_TASK_END - len) {
        return too_far;
    }
    *end = addr + page_up(len);
    return 0;
}

static bool mapped(const struct mm *mm, uint64_t start, uint64_t end)
{
    for (uint32_t i = vma_index(mm, start); start < end; i++) {
        if (i == mm->count || mm->vma[i].start > start) {
            return false;
        }
        start = mm->vma[i].end;
    }
    return true;
}

/* ---- madvise ---- */

/* The pages of the part of v that lies in the range go; they come back zeroed or from the file. */
static int drop_pages(struct mm *mm, const struct vma *v, uint64_t start, uint64_t end)
{
    return v->kind == VMA_ANON ? mb_map_anon(mm->space, start, end - start, v->prot)
                               : mb_unmap(mm->space, start, end - start);
}

static int drop(struct mm *mm, uint64_t start, uint64_t end)
{
    for (uint32_t i = vma_index(mm, start); i < mm->count && mm->vma[i].start < end; i++) {
        const struct vma *v = &mm->vma[i];
        if (v->flags & VMA_VDSO) {
            return -EINVAL;
        }
        int err =
            drop_pages(mm, v, v->start > start ? v->start : start, v->end < end ? v->end : end);
        if (err < 0) {
            return err;
        }
    }
    return 0;
}

static int set_flags(struct mm *mm, uint64_t start, uint64_t end, unsigned set, unsigned clear)
{
    if (mm->count + 2 > MM_VMAS_MAX || vma_reserve(mm, 2) < 0) {
        return -ENOMEM;
    }
    vma_split(mm, start, end);
    for (uint32_t i = vma_index(mm, start); i < mm->count && mm->vma[i].start < end; i++) {
        struct vma *v = &mm->vma[i];
        v->flags = (uint16_t)((v->flags & ~clear) | set);
    }
    vma_join(mm, start, end);
    return 0;
}

static bool only_private_zeroes(const struct mm *mm, uint64_t start, uint64_t end)
{
    for (uint32_t i = vma_index(mm, start); i < mm->count && mm->vma[i].start < end; i++) {
        if (mm->vma[i].kind != VMA_ANON) {
            return false;
        }
    }
    return true;
}

static int advise(struct mm *mm, uint64_t start, uint64_t end, int advice)
{
    switch (advice) {
    case MADV_NORMAL:
    case MADV_RANDOM:
    case MADV_SEQUENTIAL:
    case MADV_WILLNEED:
    case MADV_DONTDUMP:
    case MADV_DODUMP:
    case MADV_COLD:
    case MADV_PAGEOUT:
        return 0;
    case MADV_FREE:
        if (!only_private_zeroes(mm, start, end)) {
            return -EINVAL;
        }
        return drop(mm, start, end);
    case MADV_DONTNEED:
    case MADV_DONTNEED_LOCKED:
        return drop(mm, start, end);
    case MADV_DONTFORK:
        return set_flags(mm, start, end, VMA_DONTFORK, 0);
    case MADV_DOFORK:
        return set_flags(mm, start, end, 0, VMA_DONTFORK);
    case MADV_WIPEONFORK:
        if (!only_private_zeroes(mm, start, end)) {
            return -EINVAL;
        }
        return set_flags(mm, start, end, VMA_WIPEONFORK, 0);
    case MADV_KEEPONFORK:
        return set_flags(mm, start, end, 0, VMA_WIPEONFORK);
    case MADV_POPULATE_READ:
    case MADV_POPULATE_WRITE:
        mm_populate(mm, start, end, advice == MADV_POPULATE_WRITE);
        return 0;
    default:
        return -EINVAL;
    }
}

static bool any_locked(const struct mm *mm, uint64_t start, uint64_t end)
{
    for (uint32_t i = vma_index(mm, start); i < mm->count && mm->vma[i].start < end; i++) {
        if (mm->vma[i].flags & VMA_LOCKED) {
            return true;
        }
    }
    return false;
}

static bool advice_known(int advice)
{
    switch (advice) {
    case MADV_NORMAL ... MADV_DONTNEED:
    case MADV_FREE:
    case MADV_DONTFORK:
    case MADV_DOFORK:
    case MADV_DONTDUMP ... MADV_DONTNEED_LOCKED:
        return true;
    default:
        return false;
    }
}

long sys_madvise(const uint64_t a[6])
{
    struct mm *mm = current->mm;
    uint64_t end;
    int advice = (int)a[2];
    if (!advice_known(advice)) {
        return -EINVAL;
    }
    int err = range_of(a[0], a[1], &end, -EINVAL);
    if (err < 0 || end == a[0]) {
        return err;
    }
    if ((advice == MADV_DONTNEED || advice == MADV_FREE) && any_locked(mm, a[0], end)) {
        return -EINVAL;
    }
    err = advise(mm, a[0], end, advice);
    /* What is mapped gets the advice; a hole is told of afterwards. */
    return err == 0 && !mapped(mm, a[0], end) ? -ENOMEM : err;
}

/* ---- the rest ---- */

/* Shared pages are the file's own: there is nothing to write back. */
long sys_msync(const uint64_t a[6])
{
    uint64_t end;
    if ((a[2] & ~(uint64_t)(MS_ASYNC | MS_INVALIDATE | MS_SYNC)) ||
        ((a[2] & MS_ASYNC) && (a[2] & MS_SYNC))) {
        return -EINVAL;
    }
    int err = range_of(a[0], a[1], &end, -ENOMEM);
    if (err < 0) {
        return err;
    }
    if ((a[2] & MS_INVALIDATE) && any_locked(current->mm, a[0], end)) {
        return -EBUSY;
    }
    return mapped(current->mm, a[0], end) ? 0 : -ENOMEM;
}

/* Nothing is ever swapped out, so every page counts as resident, touched or not. */
/* Private memory counts as present: what of it is, only the nucleus' tables know. */
static bool in_core(const struct vma *v, uint64_t addr)
{
    return v->kind != VMA_VEC || (v->flags & VMA_VDSO) ||
           pagevec_has(v->vec, (v->off + (addr - v->start)) / MB_PAGE);
}

long sys_mincore(const uint64_t a[6])
{
    const struct mm *mm = current->mm;
    uint8_t said[64];
    uint64_t end;
    int err = range_of(a[0], a[1], &end, -ENOMEM);
    if (err < 0) {
        return err;
    }
    if (!mapped(mm, a[0], end)) {
        return -ENOMEM;
    }
    for (uint64_t done = 0, pages = (end - a[0]) / MB_PAGE; done < pages;) {
        uint64_t n = pages - done < sizeof(said) ? pages - done : sizeof(said);
        for (uint64_t k = 0; k < n; k++) {
            said[k] = in_core(vma_at(mm, a[0] + (done + k) * MB_PAGE), a[0] + (done + k) * MB_PAGE);
        }
        if (mb_copy_out(a[2] + done, said, n) < 0) {
            return -EFAULT;
        }
        done += n;
    }
    return 0;
}
