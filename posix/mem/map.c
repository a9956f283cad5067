/* The steps that change an address space: nucleus and list together.  See mm_int.h. */
#include "mem/mm_int.h"

#include "task.h"

#include <asm/errno.h>
#include <linux/resource.h>

int mm_map(struct mm *mm, const struct vma *v)
{
    int err = vma_reserve(mm, 1);
    if (err < 0) {
        return err;
    }
    if (v->kind == VMA_ANON) {
        err = mb_map_anon(mm->space, v->start, v->end - v->start, v->prot);
        if (err < 0) {
            mb_unmap(mm->space, v->start, v->end - v->start); /* what it did before it failed */
            return err;
        }
    }
    /* Pages of files and vectors come by faults, some at a time. */
    vma_insert(mm, v);
    return 0;
}

int mm_unmap(struct mm *mm, uint64_t start, uint64_t end)
{
    if (vma_range_free(mm, start, end)) {
        return 0;
    }
    int err = vma_reserve(mm, 1);
    if (err == 0) {
        err = mb_unmap(mm->space, start, end - start);
    }
    if (err == 0) {
        vma_cut(mm, start, end);
    }
    return err;
}

int mm_map_zero(struct mm *mm, uint64_t start, uint64_t end, unsigned prot, unsigned flags)
{
    struct vma v = {.start = start,
                    .end = end,
                    .kind = VMA_ANON,
                    .prot = (uint8_t)prot,
                    .flags = (uint16_t)flags};
    return mm_map(mm, &v);
}

int mm_map_file(struct mm *mm, uint64_t start, uint64_t end, unsigned prot, struct file *f,
                uint64_t off)
{
    struct vma v = {
        .start = start, .end = end, .off = off, .kind = VMA_FILE, .file = f, .prot = (uint8_t)prot};
    return mm_map(mm, &v);
}

uint64_t mm_data_pages(const struct mm *mm)
{
    uint64_t pages = 0;
    for (uint32_t i = 0; i < mm->count; i++) {
        const struct vma *v = &mm->vma[i];
        if ((v->prot & NX_PROT_W) && !(v->flags & (VMA_SHARED | VMA_GROWSDOWN))) {
            pages += (v->end - v->start) / MB_PAGE;
        }
    }
    return pages;
}

/* Like Linux' heuristic overcommit: only what could never be there is refused. */
int mm_may_grow(const struct mm *mm, uint64_t len, bool data, bool accountable)
{
    uint64_t limit = rlimit_soft(RLIMIT_AS);
    if (len > limit || mm->pages * MB_PAGE > limit - len) {
        return -ENOMEM;
    }
    if (data) {
        limit = rlimit_soft(RLIMIT_DATA);
        if (limit < MM_TASK_END && (len > limit || mm_data_pages(mm) * MB_PAGE > limit - len)) {
            return -ENOMEM;
        }
    }
    return accountable && len / MB_PAGE > mb_pages_total() ? -ENOMEM : 0;
}

void mm_populate(struct mm *mm, uint64_t start, uint64_t end, bool write)
{
    struct mm_signal sig;
    for (uint64_t a = start; a < end; a += MB_PAGE) {
        const struct vma *v = vma_at(mm, a);
        if (!v) {
            return;
        }
        bool w = write && (v->prot & NX_PROT_W);
        if (mm_fault(mm, a, w ? MM_CAUSE_STORE : MM_CAUSE_LOAD, &sig) != 0) {
            return;
        }
        if (v->kind != VMA_ANON && mb_touch(mm->space, a, w) < 0) { /* its own copy now */
            return;
        }
    }
}
