/* Address spaces: making, sharing, copying and ending them. */
#include "mem/mm_int.h"

#include "task.h"

#include <asm/errno.h>
#include <linux/resource.h>

/* Where things are put, with some randomness (ASLR).  It is modest on purpose: what a fork copies are
 * page tables, and things close together need few.
 *
 *   program (fixed, or at PIE_BASE) | brk -> ...... <- mmap_base | stack 8 MiB and more | page of code
 */
#define RANDOM_STACK_PAGES 0x100 /* the top of stack and code page, below the end */
#define RANDOM_MMAP_PAGES 0x2000
#define MMAP_GAP_MIN (128ul << 20)

struct mm *mm_all;
void (*mm_aio_end)(struct aio **first);

static uint64_t random_pages(bool random, uint64_t n)
{
    uint32_t r;
    if (!random) {
        return 0;
    }
    mb_random(&r, sizeof(r));
    return (r % n) * MB_PAGE;
}

static uint64_t stack_room(void)
{
    uint64_t limit = rlimit_soft(RLIMIT_STACK);
    if (limit > MM_TASK_END / 6 * 5) {
        return MM_TASK_END / 6 * 5;
    }
    return limit < MMAP_GAP_MIN ? MMAP_GAP_MIN : page_up(limit);
}

static int map_vdso(struct mm *mm)
{
    struct vma v = {.start = mm->vdso - MB_PAGE,
                    .end = mm->vdso,
                    .kind = VMA_VEC,
                    .vec = vdso_pages(),
                    .prot = NX_PROT_R,
                    .flags = VMA_SHARED | VMA_VDSO};
    int err = mm_map(mm, &v);
    v.start = mm->vdso;
    v.end = mm->vdso + MB_PAGE;
    v.off = MB_PAGE;
    v.prot |= NX_PROT_X;
    return err < 0 ? err : mm_map(mm, &v);
}

/* An address space with nothing in it, not even in the list. */
static struct mm *mm_blank(void)
{
    struct mm *mm = mb_zalloc(sizeof(*mm));
    if (!mm) {
        return NULL;
    }
    long space = mb_space_make();
    if (space < 0) {
        mb_free(mm);
        return NULL;
    }
    mm->refs = 1;
    mm->space = (mb_space)space;
    mm->next = mm_all;
    mm->link = &mm_all;
    if (mm_all) {
        mm_all->link = &mm->next;
    }
    mm_all = mm;
    return mm;
}

struct mm *mm_make(bool random)
{
    struct mm *mm = mm_blank();
    if (!mm) {
        return NULL;
    }
    mm->vdso = MM_TASK_END - 2 * MB_PAGE - random_pages(random, RANDOM_STACK_PAGES);
    mm->layout.stack_top = mm->vdso - 2 * MB_PAGE;
    mm->mmap_base = mm->layout.stack_top - stack_room() - random_pages(random, RANDOM_MMAP_PAGES);
    if (map_vdso(mm) < 0) {
        mm_unref(mm);
        return NULL;
    }
    return mm;
}

struct mm *mm_ref(struct mm *mm)
{
    mm->refs++;
    return mm;
}

void mm_unref(struct mm *mm)
{
    if (--mm->refs > 0) {
        return;
    }
    if (mm->aio) {
        mm_aio_end(&mm->aio);
    }
    *mm->link = mm->next;
    if (mm->next) {
        mm->next->link = mm->link;
    }
    /* First the program's mappings, then the pages they may have been of. */
    mb_space_destroy(mm->space);
    vma_free_all(mm);
    mb_free(mm);
}

/* What MADV_DONTFORK and MADV_WIPEONFORK asked for. */
static int clone_exceptions(struct mm *to, const struct mm *from)
{
    for (uint32_t i = 0; i < from->count; i++) {
        const struct vma *v = &from->vma[i];
        int err = 0;
        if (v->flags & VMA_DONTFORK) {
            err = mb_unmap(to->space, v->start, v->end - v->start);
        } else if (v->flags & VMA_WIPEONFORK) {
            err = mb_map_anon(to->space, v->start, v->end - v->start, v->prot);
        }
        if (err < 0) {
            return err;
        }
    }
    return 0;
}

struct mm *mm_clone(struct mm *from)
{
    struct mm *mm = mm_blank();
    if (!mm) {
        return NULL;
    }
    mm->mmap_base = from->mmap_base;
    mm->vdso = from->vdso;
    mm->brk_start = from->brk_start;
    mm->brk = from->brk;
    mm->layout = from->layout;
    mm->barriers = from->barriers;
    if (vma_copy_all(mm, from) < 0 || mb_space_clone(mm->space, from->space) < 0 ||
        clone_exceptions(mm, from) < 0) {
        mm_unref(mm);
        return NULL;
    }
    return mm;
}

struct aio **mm_aio(struct mm *mm)
{
    return &mm->aio;
}

mb_space mm_space(const struct mm *mm)
{
    return mm->space;
}

int mm_bind(struct mm *mm)
{
    return mb_space_bind(mm ? mm->space : 0);
}

uint64_t mm_vdso_addr(const struct mm *mm)
{
    return mm->vdso;
}

uint64_t mm_sigreturn_addr(const struct mm *mm)
{
    return mm->vdso + VDSO_SIGRETURN;
}

uint64_t mm_vsize(const struct mm *mm)
{
    return mm->pages * MB_PAGE;
}

uint64_t mm_resident(const struct mm *mm)
{
    return mb_resident(mm->space);
}
