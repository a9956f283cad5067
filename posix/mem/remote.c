/* Memory of other address spaces: for ptrace, /proc/<pid>/mem, process_vm_readv and process_vm_writev.
 *
 * The calling fiber is bound to the other space for as long as it copies.  `force` is a debugger's right:
 * it reads what may not be read and writes, into a copy of the program's own, what may not be written.
 */
#include "mem/mm_int.h"

#include "task.h"

#include <asm/errno.h>

/* Open the page of v at addr for the access although the area forbids it; false: not even so. */
static bool force_open(struct mm *mm, struct vma *v, uint64_t page, unsigned need)
{
    if ((v->flags & VMA_VDSO) || (need == NX_PROT_W && (v->flags & VMA_SHARED))) {
        return false;
    }
    return mb_protect(mm->space, page, MB_PAGE, v->prot | need | NX_PROT_R) == 0;
}

/* Make the page present for the access. */
static bool open_page(struct mm *mm, uint64_t page, unsigned need, bool force, bool *opened)
{
    struct mm_signal sig;
    struct vma *v = vma_at(mm, page);
    bool write = need == NX_PROT_W;
    if (v == NULL) {
        return false;
    }
    uint8_t prot = v->prot;
    *opened = !prot_allows(prot, need);
    if (*opened && (!force || !force_open(mm, v, page, need))) {
        return false;
    }
    v->prot |= (uint8_t)(*opened ? need | NX_PROT_R : 0);
    bool ok = mm_fault(mm, page, write ? MM_CAUSE_STORE : MM_CAUSE_LOAD, &sig) == 0;
    v = vma_at(mm, page); /* a file may have slept */
    if (v == NULL) {
        return false;
    }
    v->prot = prot;
    return ok && (v->kind == VMA_ANON || mb_touch(mm->space, page, write) == 0);
}

static bool copy_page(struct mm *mm, uint64_t addr, char *buf, size_t n, bool write)
{
    struct task *t = current;
    struct mm *mine = t->mm;
    bool ok = false;
    t->mm = mm; /* for mb_fault_hook */
    if (mm_bind(mm) == 0) {
        ok = (write ? mb_copy_out(addr, buf, n) : mb_copy_in(buf, addr, n)) == 0;
    }
    mm_bind(mine);
    t->mm = mine;
    return ok;
}

static size_t transfer(struct mm *mm, uint64_t addr, char *buf, size_t n, unsigned need, bool force)
{
    size_t done = 0;
    if (mm == NULL) {
        return 0;
    }
    mm_ref(mm); /* it may end while a page is fetched */
    while (done < n && addr < MM_TASK_END) {
        uint64_t page = page_down(addr);
        size_t part = page + MB_PAGE - addr < n - done ? page + MB_PAGE - addr : n - done;
        bool opened = false;
        bool ok = open_page(mm, page, need, force, &opened) &&
                  copy_page(mm, addr, buf + done, part, need == NX_PROT_W);
        const struct vma *v = vma_at(mm, page);
        if (opened && v != NULL) { /* the whole area: its neighbours may have come with the page */
            mb_protect(mm->space, v->start, v->end - v->start, v->prot);
        }
        if (!ok) {
            break;
        }
        done += part;
        addr += part;
    }
    mm_unref(mm);
    return done;
}

size_t mm_remote_read(struct mm *mm, uint64_t addr, void *buf, size_t n, bool force)
{
    return transfer(mm, addr, buf, n, NX_PROT_R, force);
}

size_t mm_remote_write(struct mm *mm, uint64_t addr, const void *buf, size_t n, bool force)
{
    size_t done = transfer(mm, addr, (char *)(uintptr_t)buf, n, NX_PROT_W, force);
    const struct vma *v = done > 0 ? vma_at(mm, page_down(addr)) : NULL;
    if (v != NULL && (v->prot & NX_PROT_X)) { /* instructions: every hart is to see them */
        mb_protect(mm->space, v->start, MB_PAGE, v->prot);
    }
    return done;
}
