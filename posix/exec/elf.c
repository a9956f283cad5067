/* The ELF parser; see elf.h.  Fields are read byte by byte: the buffer has no alignment. */
#include "exec/elf.h"

#include <asm/errno.h>
#include <nx/layout.h>
#include <nx/types.h>
#include <nx_base.h>

#define PAGE NX_PAGE_SIZE
#define ALIGN_MAX (1ul << 30)

enum { ET_EXEC = 2, ET_DYN = 3, EM_RISCV = 243 };
enum { PT_LOAD = 1, PT_INTERP = 3, PT_GNU_STACK = 0x6474e551 };
enum { PF_X = 1, PF_W = 2, PF_R = 4 };

static uint64_t get(const uint8_t *p, unsigned bytes)
{
    uint64_t v = 0;
    while (bytes-- > 0) {
        v = v << 8 | p[bytes];
    }
    return v;
}

int elf_parse_head(struct elf_image *im, const uint8_t *head, size_t n, uint64_t file_size)
{
    static const uint8_t ident[6] = {0x7f, 'E', 'L', 'F', 2 /* 64 bit */, 1 /* little endian */};
    if (n < ELF_HEAD) {
        return -ENOEXEC;
    }
    for (unsigned i = 0; i < sizeof(ident); i++) {
        if (head[i] != ident[i]) {
            return -ENOEXEC;
        }
    }
    uint64_t type = get(head + 16, 2), machine = get(head + 18, 2);
    *im = (struct elf_image){.pic = type == ET_DYN, .align = PAGE};
    im->entry = get(head + 24, 8);
    im->phoff = get(head + 32, 8);
    im->phnum = (unsigned)get(head + 56, 2);
    if ((type != ET_EXEC && type != ET_DYN) || machine != EM_RISCV ||
        get(head + 54, 2) != ELF_SEGMENT || im->phnum == 0 || im->phnum > ELF_HEADERS_MAX ||
        !nx_in_bounds(im->phoff, (uint64_t)im->phnum * ELF_SEGMENT, file_size)) {
        return -ENOEXEC;
    }
    return 0;
}

static int parse_load(struct elf_image *im, const uint8_t *h, uint64_t file_size)
{
    uint64_t flags = get(h + 4, 4), align = get(h + 48, 8);
    struct elf_load l = {.off = get(h + 8, 8),
                         .vaddr = get(h + 16, 8),
                         .filesz = get(h + 32, 8),
                         .memsz = get(h + 40, 8)};
    l.prot = (flags & PF_R ? NX_PROT_R : 0) | (flags & PF_W ? NX_PROT_W : 0) |
             (flags & PF_X ? NX_PROT_X : 0);
    if (l.memsz == 0) {
        return 0; /* nothing to load; linkers make such */
    }
    if (im->loads == ELF_LOADS_MAX || l.filesz > l.memsz ||
        !nx_in_bounds(l.off, l.filesz, file_size) ||
        !nx_in_bounds(l.vaddr, l.memsz, NX_LOWER_END - PAGE) ||
        (l.filesz != 0 && l.off % PAGE != l.vaddr % PAGE)) {
        return -ENOEXEC;
    }
    if (align > im->align && nx_is_pow2(align) && align <= ALIGN_MAX) {
        im->align = align;
    }
    uint64_t low = ALIGN_DOWN(l.vaddr, PAGE), high = ALIGN_UP(l.vaddr + l.memsz, PAGE);
    im->low = im->loads == 0 || low < im->low ? low : im->low;
    im->high = high > im->high ? high : im->high;
    /* The program headers as the program will see them. */
    if (nx_in_bounds(im->phoff - l.off, (uint64_t)im->phnum * ELF_SEGMENT, l.filesz) &&
        im->phoff >= l.off) {
        im->phdr = l.vaddr + (im->phoff - l.off);
    }
    im->load[im->loads++] = l;
    return 0;
}

static int parse_interp(struct elf_image *im, const uint8_t *h, uint64_t file_size)
{
    uint64_t off = get(h + 8, 8), len = get(h + 32, 8);
    if (im->interp_len != 0) {
        return 0; /* the first one counts */
    }
    if (len < 2 || len > ELF_INTERP_MAX || !nx_in_bounds(off, len, file_size)) {
        return -ENOEXEC;
    }
    im->interp_off = off;
    im->interp_len = (unsigned)len;
    return 0;
}

int elf_parse_segments(struct elf_image *im, const uint8_t *headers, uint64_t file_size)
{
    for (unsigned i = 0; i < im->phnum; i++) {
        const uint8_t *h = headers + (size_t)i * ELF_SEGMENT;
        int err = 0;
        switch (get(h, 4)) {
        case PT_LOAD:
            err = parse_load(im, h, file_size);
            break;
        case PT_INTERP:
            err = parse_interp(im, h, file_size);
            break;
        case PT_GNU_STACK:
            im->exec_stack = (get(h + 4, 4) & PF_X) != 0;
            break;
        default:
            break;
        }
        if (err < 0) {
            return err;
        }
    }
    /* A program without a byte, or one that wants page 0 for itself at a fixed place. */
    if (im->loads == 0 || (!im->pic && im->low < PAGE)) {
        return -ENOEXEC;
    }
    return 0;
}
