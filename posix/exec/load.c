/* Mapping ELF files: program and program interpreter, into the address space being built.
 *
 * Nothing is read but headers: the pages of the file are mapped when they are touched.
 */
#include "exec/exec_int.h"
#include "mem/mm_int.h"

#include <asm/errno.h>
#include <nx_base.h>
#include <string.h>

/* As on Linux, position independent programs start at two thirds of the address space. */
#define PIE_BASE (MM_TASK_END / 3 * 2)
#define PIE_RANDOM_PAGES 0x10000
#define BRK_RANDOM_PAGES 0x100

static uint64_t random_below(uint64_t n)
{
    uint32_t r;
    mb_random(&r, sizeof(r));
    return r % n;
}

int exec_read_elf(struct file *f, const uint8_t *head, size_t n, struct elf_image *im)
{
    int64_t size = file_size(f);
    int err = elf_parse_head(im, head, n, (uint64_t)size);
    if (err < 0) {
        return err;
    }
    uint64_t len = (uint64_t)im->phnum * ELF_SEGMENT;
    if (nx_in_bounds(im->phoff, len, n)) {
        return elf_parse_segments(im, head + im->phoff, (uint64_t)size);
    }
    uint8_t *headers = mb_alloc(len);
    if (!headers) {
        return -ENOMEM;
    }
    long got = file_read_kernel(f, headers, len, (int64_t)im->phoff);
    if (got < 0) {
        err = (int)got;
    } else {
        err = (uint64_t)got == len ? elf_parse_segments(im, headers, (uint64_t)size) : -ENOEXEC;
    }
    mb_free(headers);
    return err;
}

static int map_load(struct exec *x, struct file *f, const struct elf_load *l, uint64_t bias)
{
    struct mm *mm = x->mm;
    uint64_t start = page_down(bias + l->vaddr), end = page_up(bias + l->vaddr + l->memsz);
    uint64_t file_end = l->filesz ? page_up(bias + l->vaddr + l->filesz) : start;
    int err = mm_unmap(mm, start, end); /* a page shared by two segments is the later one's */
    if (err == 0 && file_end > start) {
        err = mm_map_file(mm, start, file_end, l->prot, f, page_down(l->off));
    }
    if (err == 0 && end > file_end) {
        err = mm_map_zero(mm, file_end, end, l->prot, 0);
    }
    uint64_t tail = bias + l->vaddr + l->filesz;
    if (err == 0 && l->filesz && l->memsz > l->filesz && tail % MB_PAGE) {
        if (x->tails == EXEC_TAILS_MAX) {
            return -ENOEXEC;
        }
        x->tail[x->tails++] = tail;
    }
    return err;
}

static int map_image(struct exec *x, struct file *f, const struct elf_image *im, uint64_t bias)
{
    if (bias + im->high > x->mm->mmap_base) {
        return -ENOMEM; /* a fixed program where the stack goes */
    }
    for (unsigned i = 0; i < im->loads; i++) {
        int err = map_load(x, f, &im->load[i], bias);
        if (err < 0) {
            return err;
        }
    }
    return 0;
}

/* Where an image goes; fixed ones stay where they are. */
static int place(const struct mm *mm, const struct elf_image *im, uint64_t hint, uint64_t *bias)
{
    *bias = 0;
    if (!im->pic) {
        return 0;
    }
    uint64_t at = vma_find_gap(mm, hint, im->high - im->low + (im->align - MB_PAGE));
    if (at == 0) {
        return -ENOMEM;
    }
    *bias = ALIGN_UP(at, im->align) - im->low; /* may wrap; so does adding it */
    return 0;
}

/* ---- the program interpreter (dynamic linker) ---- */

static int open_interp(const struct exec *x, struct file **out)
{
    char *path = mb_alloc(x->image.interp_len);
    if (!path) {
        return -ENOMEM;
    }
    long n = file_read_kernel(x->file, path, x->image.interp_len, (int64_t)x->image.interp_off);
    int err = n < 0 ? (int)n : -ENOEXEC;
    if (n == (long)x->image.interp_len && path[n - 1] == '\0') {
        err = vfs_open_exec(path, out);
    }
    mb_free(path);
    return err;
}

static int load_interp(struct exec *x)
{
    struct file *f = NULL;
    int err = open_interp(x, &f);
    if (err < 0) {
        return err;
    }
    uint8_t head[512];
    struct elf_image *im = mb_alloc(sizeof(*im));
    long n = im ? file_read_kernel(f, head, sizeof(head), 0) : -ENOMEM;
    err = n < 0 ? (int)n : exec_read_elf(f, head, (size_t)n, im);
    if (err == -ENOEXEC) {
        err = -ELIBBAD;
    }
    if (err == 0) {
        uint64_t bias;
        err = place(x->mm, im, 0, &bias);
        if (err == 0) {
            err = map_image(x, f, im, bias);
        }
        x->interp_base = bias;
        x->entry = bias + im->entry;
    }
    mb_free(im);
    file_unref(f);
    return err;
}

/* ---- the program ---- */

/* For /proc: where code and data lie. */
static void note_layout(struct exec *x)
{
    struct mm_layout *l = &x->mm->layout;
    const struct elf_image *im = &x->image;
    l->code_start = x->bias + im->low;
    l->code_end = l->data_start = l->data_end = 0;
    for (unsigned i = 0; i < im->loads; i++) {
        uint64_t start = x->bias + im->load[i].vaddr, end = start + im->load[i].filesz;
        if ((im->load[i].prot & NX_PROT_X) && end > l->code_end) {
            l->code_end = end;
        }
        l->data_start = start > l->data_start ? start : l->data_start;
        l->data_end = end > l->data_end ? end : l->data_end;
    }
}

int exec_load(struct exec *x)
{
    struct elf_image *im = &x->image;
    int err = place(x->mm, im, PIE_BASE + random_below(PIE_RANDOM_PAGES) * MB_PAGE, &x->bias);
    if (err == 0) {
        err = map_image(x, x->file, im, x->bias);
    }
    if (err < 0) {
        return err;
    }
    x->entry = x->bias + im->entry;
    x->mm->brk_start = x->bias + im->high + random_below(BRK_RANDOM_PAGES) * MB_PAGE;
    x->mm->brk = x->mm->brk_start;
    note_layout(x);
    return im->interp_len ? load_interp(x) : 0;
}

int exec_clear_tails(struct exec *x)
{
    for (unsigned i = 0; i < x->tails; i++) {
        const struct vma *v = vma_at(x->mm, x->tail[i]);
        if (!v || v->kind != VMA_FILE || !(v->prot & NX_PROT_W)) {
            continue; /* read-only: as on Linux the file's bytes show; or a later segment lies there */
        }
        int err = mb_zero_out(x->tail[i], page_up(x->tail[i]) - x->tail[i]);
        if (err < 0) {
            return -ENOMEM;
        }
    }
    return 0;
}
