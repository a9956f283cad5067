/* Faults that the nucleus could not resolve: pages of files and shared objects, stack growth, and what
 * is a mistake of the program.
 *
 * Fault-around: the first fault in a window of a file area maps all pages of the window; the area
 * remembers that in `around`.  Inside such a window a page may have been mapped, and even replaced by
 * the program's own copy, without the list knowing: there the nucleus is asked first (mb_touch), page by
 * page.  So a set bit is always safe, and a clear one means that nothing of the window is there.
 */
#include "mem/mm_int.h"

#include "task.h"

#include <asm/errno.h>
#include <linux/resource.h>
#ifdef NX_HOST
#include <signal.h>
#else
#include <asm/siginfo.h>
#include <asm/signal.h>
#endif

#define AROUND_SHIFT 4     /* at least 16 pages */
#define AROUND_MAX_SHIFT 6 /* and no more than 64 of a window */
#define WINDOWS 64
#define STACK_STEP (32 * MB_PAGE) /* a stack grows by at least so much, if it may */

static int signal_is(struct mm_signal *out, int signo, int code)
{
    out->signo = signo;
    out->code = code;
    return 1;
}

static unsigned access_of(uint64_t cause)
{
    switch (cause) {
    case 1:
    case MM_CAUSE_EXEC:
        return NX_PROT_X;
    case 7:
    case MM_CAUSE_STORE:
        return NX_PROT_W;
    default:
        return NX_PROT_R;
    }
}

/* ---- stack ---- */

/* The area below which addr lies may grow down to it. */
static struct vma *grow_stack(struct mm *mm, uint64_t addr)
{
    uint32_t i = vma_index(mm, addr);
    struct vma *v = &mm->vma[i];
    if (i == mm->count || !(v->flags & VMA_GROWSDOWN)) {
        return NULL;
    }
    uint64_t limit = rlimit_soft(RLIMIT_STACK);
    uint64_t lowest = limit < v->end - MM_MIN_ADDR ? page_up(v->end - limit) : MM_MIN_ADDR;
    if (i > 0 && !(mm->vma[i - 1].flags & VMA_GROWSDOWN) && mm->vma[i - 1].prot != 0) {
        uint64_t above = mm->vma[i - 1].end + MM_STACK_GAP;
        lowest = lowest > above ? lowest : above;
    } else if (i > 0) {
        lowest = lowest > mm->vma[i - 1].end ? lowest : mm->vma[i - 1].end;
    }
    uint64_t want = page_down(addr);
    if (want < lowest) {
        return NULL;
    }
    if (v->start - want < STACK_STEP) {
        want = v->start - lowest > STACK_STEP ? v->start - STACK_STEP : lowest;
    }
    uint64_t len = v->start - want;
    if (mm_may_grow(mm, len, false, false) < 0 || mb_map_anon(mm->space, want, len, v->prot) < 0) {
        return NULL;
    }
    v->start = want;
    mm->pages += len / MB_PAGE;
    return v;
}

/* What the nucleus can make of the page: 0, -ENOMEM, or -ENOENT when it is really absent. */
static int touch(struct mm *mm, const struct vma *v, uint64_t page, bool write)
{
    int err = mb_touch(mm->space, page, write);
    if (err == -ENOENT && mm->uneven) { /* present after all, with less access? */
        mb_protect(mm->space, page, MB_PAGE, v->prot);
        err = mb_touch(mm->space, page, write);
    }
    return err;
}

/* ---- pages of objects ---- */

static void *object_page(const struct vma *v, uint64_t addr, bool write, int *err)
{
    uint64_t off = v->off + (addr - v->start);
    if (v->kind == VMA_VEC) {
        return pagevec_page(v->vec, off / MB_PAGE, err);
    }
    enum page_use use = PAGE_READ;
    if ((v->flags & VMA_SHARED) && (write || (v->flags & VMA_MAYWRITE))) {
        use = write ? PAGE_WRITE : PAGE_SHARE;
    }
    return v->file->ops->page(v->file, off, use, err);
}

/* A run of pages that lie side by side on both sides: one call of the nucleus. */
struct run {
    uint64_t va;
    char *src;
    uint64_t len;
};

static int run_flush(struct mm *mm, const struct vma *v, struct run *r)
{
    int err = 0;
    if (r->len) {
        err = mb_map_share(mm->space, r->va, r->len, v->prot, !(v->flags & VMA_SHARED), r->src);
    }
    r->len = 0;
    return err;
}

static int run_add(struct mm *mm, const struct vma *v, struct run *r, uint64_t va, char *page)
{
    if (r->len && r->src + r->len == page && r->va + r->len == va) {
        r->len += MB_PAGE;
        return 0;
    }
    int err = run_flush(mm, v, r);
    *r = (struct run){.va = va, .src = page, .len = MB_PAGE};
    return err;
}

/* Map the pages of [start, end), of which the one at addr must be there. */
static int map_pages(struct mm *mm, const struct vma *v, uint64_t start, uint64_t end,
                     uint64_t addr, bool write)
{
    struct run run = {.len = 0};
    int err;
    void *wanted = object_page(v, addr, write, &err);
    if (!wanted) {
        return err;
    }
    for (uint64_t a = start; a < end; a += MB_PAGE) {
        int ignored;
        void *page = a == addr ? wanted : object_page(v, a, false, &ignored);
        if (!page) {
            continue;
        }
        err = run_add(mm, v, &run, a, page);
        if (err < 0) {
            return err;
        }
    }
    return run_flush(mm, v, &run);
}

/* Shared memory that can be written is mapped page by page: touching a window would allocate it. */
static bool around_wanted(const struct vma *v)
{
    return v->kind == VMA_FILE && !((v->flags & VMA_SHARED) && (v->flags & VMA_MAYWRITE));
}

static int fault_object(struct mm *mm, struct vma *v, uint64_t addr, bool write)
{
    uint64_t pages = (v->end - v->start) / MB_PAGE;
    unsigned shift = AROUND_SHIFT;
    while ((pages - 1) >> shift >= WINDOWS) {
        shift++;
    }
    uint64_t window = (addr - v->start) / MB_PAGE >> shift;
    if (around_wanted(v) && !(v->around >> window & 1)) {
        uint64_t start = v->start + (window << shift) * MB_PAGE;
        uint64_t end = start + (MB_PAGE << shift);
        v->around |= 1ull << window;
        if (shift > AROUND_MAX_SHIFT) { /* of the large windows of a large area, what is near */
            uint64_t near = MB_PAGE << AROUND_MAX_SHIFT;
            start += (addr - start) / near * near;
            end = start + near;
        }
        return map_pages(mm, v, start, end < v->end ? end : v->end, addr, write);
    }
    int err = touch(mm, v, addr, write);
    return err == -ENOENT ? map_pages(mm, v, addr, addr + MB_PAGE, addr, write) : err;
}

int mm_fault(struct mm *mm, uint64_t addr, uint64_t cause, struct mm_signal *out)
{
    unsigned access = access_of(cause);
    if (addr >= MM_TASK_END) {
        return signal_is(out, SIGSEGV, SEGV_MAPERR);
    }
    struct vma *v = vma_at(mm, addr);
    if (!v) {
        v = grow_stack(mm, addr);
    }
    if (!v) {
        return signal_is(out, SIGSEGV, SEGV_MAPERR);
    }
    if (!prot_allows(v->prot, access)) {
        return signal_is(out, SIGSEGV, SEGV_ACCERR);
    }
    bool write = access == NX_PROT_W;
    uint64_t page = page_down(addr);
    int err;
    if (v->kind == VMA_ANON) {
        err = touch(mm, v, page, write);
        if (err == -ENOENT) { /* lost by a failure in the middle of some call */
            err = mb_map_anon(mm->space, page, MB_PAGE, v->prot);
        }
    } else {
        err = fault_object(mm, v, page, write);
    }
    if (err == 0 || err == -ENOMEM) {
        return err;
    }
    return signal_is(out, SIGBUS,
                     BUS_ADRERR); /* behind the end of the file, or no way to read it */
}

/* ---- the personality's own access to program memory ---- */

static int fault_hook(uint64_t addr, bool write)
{
    struct mm_signal sig;
    struct task *t = current;
    if (!t || !t->mm) {
        return -EFAULT;
    }
    int r = mm_fault(t->mm, addr, write ? MM_CAUSE_STORE : MM_CAUSE_LOAD, &sig);
    return r > 0 ? -EFAULT : r;
}

/* ---- files that shrink ---- */

/* to == ~0: the file ends at `from`; copies that programs made for themselves go too, as on Linux.
 * Else a hole: private areas keep what they have. */
static void truncated(struct inode *ino, uint64_t from, uint64_t to)
{
    if (mm_inode_mapped(ino) == 0) {
        return;
    }
    for (struct mm *mm = mm_all; mm; mm = mm->next) {
        for (uint32_t i = 0; i < mm->count; i++) {
            const struct vma *v = &mm->vma[i];
            uint64_t len = v->end - v->start;
            if (v->kind != VMA_FILE || v->file->inode != ino || v->off >= to ||
                (from > v->off && from - v->off >= len) ||
                (to != ~0ul && !(v->flags & VMA_SHARED))) {
                continue;
            }
            uint64_t start = from > v->off ? v->start + (from - v->off) : v->start;
            uint64_t end = to - v->off < len ? v->start + (to - v->off) : v->end;
            mb_unmap(mm->space, start, end - start);
        }
    }
}

int mm_init(void)
{
    mb_fault_hook = fault_hook;
    vfs_truncate_hook = truncated;
    return vdso_init();
}
