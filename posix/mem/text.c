/* What others ask about an address space: /proc/<pid>/maps, sizes, the identity of a futex word. */
#include "mem/mm_int.h"

#include "fs/text.h"
#include "linux_abi.h"

#include <asm/errno.h>
#include <string.h>

#define NAME_COLUMN 73 /* where Linux puts the name */
#define MAJOR(dev) ((unsigned)((dev) >> 8 & 0xfff))
#define MINOR(dev) ((unsigned)(((dev)&0xff) | ((dev) >> 12 & 0xfff00)))

typedef unsigned long ul;

static const char *vma_name(const struct mm *mm, const struct vma *v, char *buf, size_t n)
{
    if (v->kind == VMA_FILE) {
        file_path(v->file, buf, n);
        return buf;
    }
    if (v->flags & VMA_VDSO) {
        return v->prot & NX_PROT_X ? "[vdso]" : "[vvar]";
    }
    if (v->kind == VMA_VEC) {
        return "/dev/zero (deleted)";
    }
    if (v->flags & VMA_STACK) {
        return "[stack]";
    }
    return v->start < mm->brk && v->end > mm->brk_start ? "[heap]" : "";
}

static void vma_line(const struct mm *mm, const struct vma *v, struct text *t)
{
    static char path[512]; /* under the lock; stacks are small */
    uint64_t dev = v->kind == VMA_FILE ? file_dev(v->file) : 0;
    uint64_t ino = v->kind == VMA_FILE ? file_ino(v->file) : 0;
    const bool ours =
        (v->flags & VMA_VDSO) != 0; /* shared by all, and to programs as if it was theirs */
    size_t from = t->len;
    text_printf(t, "%08lx-%08lx %c%c%c%c %08lx %02x:%02x %lu ", (ul)v->start, (ul)v->end,
                v->prot & NX_PROT_R ? 'r' : '-', v->prot & NX_PROT_W ? 'w' : '-',
                v->prot & NX_PROT_X ? 'x' : '-', (v->flags & VMA_SHARED) && !ours ? 's' : 'p',
                v->kind == VMA_ANON || ours ? 0 : (ul)v->off, MAJOR(dev), MINOR(dev), (ul)ino);
    const char *name = vma_name(mm, v, path, sizeof(path));
    int len = (int)(t->len - from), pad = *name && len < NAME_COLUMN ? NAME_COLUMN - len : 0;
    text_printf(t, "%*s%s\n", pad, "", name);
}

/* What smaps says below the line of an area. */
static void vma_details(const struct vma *v, struct text *t)
{
    unsigned page = MB_PAGE / 1024;
    text_printf(t, "Size:           %8lu kB\nKernelPageSize: %8u kB\nMMUPageSize:    %8u kB\n",
                (ul)((v->end - v->start) / 1024), page, page);
    text_printf(t, "VmFlags: %s%s%s%s%s\n", v->prot & NX_PROT_R ? "rd " : "",
                v->prot & NX_PROT_W ? "wr " : "", v->prot & NX_PROT_X ? "ex " : "",
                v->flags & VMA_SHARED ? "sh " : "", v->flags & VMA_GROWSDOWN ? "gd " : "");
}

void mm_maps_text(const struct mm *mm, struct text *t, bool details)
{
    for (uint32_t i = 0; i < mm->count; i++) {
        vma_line(mm, &mm->vma[i], t);
        if (details) {
            vma_details(&mm->vma[i], t);
        }
    }
}

void mm_layout(const struct mm *mm, struct mm_layout *out)
{
    *out = mm->layout;
    out->brk_start = mm->brk_start;
    out->brk = mm->brk;
    out->text_pages = out->data_pages = out->stack_pages = 0;
    out->locked_pages = mm_locked_pages(mm);
    for (uint32_t i = 0; i < mm->count; i++) {
        const struct vma *v = &mm->vma[i];
        uint64_t pages = (v->end - v->start) / MB_PAGE;
        if (v->flags & VMA_GROWSDOWN) {
            out->stack_pages += pages;
        } else if (v->prot & NX_PROT_X) {
            out->text_pages += pages;
        } else if ((v->prot & NX_PROT_W) && !(v->flags & VMA_SHARED)) {
            out->data_pages += pages;
        }
    }
}

int mm_futex_key(struct mm *mm, uint64_t addr, bool private_, struct mm_futex_key *key)
{
    if (addr >= MM_TASK_END) {
        return -EFAULT;
    }
    *key = (struct mm_futex_key){.object = mm, .offset = addr};
    if (private_) {
        return 0;
    }
    const struct vma *v = vma_at(mm, addr);
    if (!v) {
        return -EFAULT;
    }
    if (v->flags & VMA_SHARED) {
        key->object = v->kind == VMA_FILE ? (const void *)v->file->inode : v->vec;
        key->offset = v->off + (addr - v->start);
    }
    return 0;
}
