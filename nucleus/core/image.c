/* Cell images: a position-independent ELF64 file inside a memory object.
 *
 * Every number of the file is checked before use; what is wrong answers -NX_EIMAGE.  Every life gets
 * copies of all segments: whatever becomes of them, the next life begins with the image as it was.  The
 * maker may lend memory for the copies of those that are only read: in the next life they are still there,
 * are compared, and copied where they differ.  Relocation is the cell's own start-up code's work
 * (native/lib/crt).
 */
#include "cell.h"
#include "mem.h"
#include "page.h"

#include <nx_base.h>
#include <nx_manifest.h>
#include <string.h>

struct elf_head {
    uint8_t ident[16];
    uint16_t type, machine;
    uint32_t version;
    uint64_t entry, phoff, shoff;
    uint32_t flags;
    uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};
struct elf_segment {
    uint32_t type, flags;
    uint64_t offset, vaddr, paddr, filesz, memsz, align;
};
struct elf_section {
    uint32_t name, type;
    uint64_t flags, addr, offset, size;
    uint32_t link, info;
    uint64_t align, entsize;
};
_Static_assert(sizeof(struct elf_head) == 64, "ELF header");
_Static_assert(sizeof(struct elf_segment) == 56, "ELF program header");
_Static_assert(sizeof(struct elf_section) == 64, "ELF section header");

#define ELF_DYN 3
#define ELF_LOAD 1
#define SEGMENTS_MAX 16

/* An image inside a memory object. */
struct image {
    const struct mem *mem;
    uint64_t off, size;
    const struct mem *fixed; /* for what is only read; NULL: pages of the cell's own */
    uint64_t fixed_used;
};

static bool image_read(const struct image *im, uint64_t off, void *dst, size_t n)
{
    return nx_in_bounds(off, n, im->size) && mem_read(im->mem, im->off + off, dst, n);
}

static int read_head(const struct image *im, struct elf_head *h)
{
    static const uint8_t ident[7] = {0x7f, 'E', 'L', 'F', 2, 1, 1};
    if (!nx_in_bounds(im->off, im->size, im->mem->pages * NX_PAGE_SIZE) ||
        im->off % NX_PAGE_SIZE != 0 || !image_read(im, 0, h, sizeof(*h)) ||
        memcmp(h->ident, ident, sizeof(ident)) != 0 || h->type != ELF_DYN ||
        h->machine != ARCH_ELF_MACHINE || h->phentsize != sizeof(struct elf_segment) ||
        h->phnum == 0 || h->phnum > SEGMENTS_MAX) {
        return -NX_EIMAGE;
    }
    return 0;
}

static bool manifest_ok(const struct nx_manifest *m)
{
    return nx_manifest_check(m) == NULL;
}

int image_manifest(const struct mem *mem, uint64_t off, uint64_t size, struct nx_manifest *out)
{
    struct image im = {.mem = mem, .off = off, .size = size};
    struct elf_head h;
    int e = read_head(&im, &h);
    if (e != 0) {
        return e;
    }
    struct elf_section names, s;
    uint64_t at;
    if (h.shentsize != sizeof(s) || h.shstrndx >= h.shnum ||
        nx_add_overflow(h.shoff, (uint64_t)h.shstrndx * sizeof(s), &at) ||
        !image_read(&im, at, &names, sizeof(names))) {
        return -NX_EIMAGE;
    }
    for (unsigned i = 0; i < h.shnum; i++) {
        char name[sizeof(".nexus.manifest")];
        if (nx_add_overflow(h.shoff, (uint64_t)i * sizeof(s), &at) ||
            !image_read(&im, at, &s, sizeof(s)) || nx_add_overflow(names.offset, s.name, &at) ||
            !image_read(&im, at, name, sizeof(name))) {
            continue;
        }
        if (memcmp(name, ".nexus.manifest", sizeof(name)) == 0 && s.size == sizeof(*out) &&
            image_read(&im, s.offset, out, sizeof(*out))) {
            return manifest_ok(out) ? 0 : -NX_EIMAGE;
        }
    }
    return -NX_EIMAGE;
}

static unsigned segment_prot(uint32_t flags)
{
    return ((flags & 4) ? NX_PROT_R : 0) | ((flags & 2) ? NX_PROT_W : 0) |
           ((flags & 1) ? NX_PROT_X : 0);
}

/* Where a page of a segment goes; the caller's reference. */
static uint64_t take_page(struct cell *c, struct image *im, unsigned prot)
{
    if (im->fixed == NULL || (prot & NX_PROT_W) != 0) {
        return page_alloc(c->quota, 0);
    }
    if (im->fixed_used == im->fixed->pages) {
        return 0;
    }
    uint64_t pa = mem_page(im->fixed, im->fixed_used++);
    page_ref(pa);
    return pa;
}

/* One page of a segment: a copy, with zeroes around the file's bytes.  What is in it already is not
 * written again.  The bytes are in one page of the image, at the same place as in theirs. */
static int load_page(struct cell *c, struct image *im, const struct elf_segment *s, uint64_t page)
{
    static char edge[NX_PAGE_SIZE] __attribute__((aligned(16)));
    unsigned prot = segment_prot(s->flags);
    uint64_t from = NX_MAX(page, s->vaddr);
    uint64_t to = NX_MIN(page + NX_PAGE_SIZE, s->vaddr + s->filesz);
    uint64_t at = im->off + s->offset + (from - s->vaddr);
    const char *wanted = arch_phys(mem_page(im->mem, at / NX_PAGE_SIZE));
    if (to - from < NX_PAGE_SIZE) {
        memset(edge, 0, sizeof(edge));
        memcpy(edge + (from - page), wanted + (from - page), (size_t)(to - from));
        wanted = edge;
    }
    uint64_t pa = take_page(c, im, prot);
    if (pa == 0) {
        return -NX_ENOMEM;
    }
    if (memcmp(arch_phys(pa), wanted, NX_PAGE_SIZE) != 0) {
        arch_page_copy(arch_phys(pa), wanted);
    }
    int e = space_page(&c->window, NX_IMAGE + page, pa, prot, 0);
    page_unref(pa);
    return e;
}

static int load_segment(struct cell *c, struct image *im, const struct elf_segment *s)
{
    uint64_t room = NX_FREE - NX_IMAGE;
    if (s->memsz == 0) {
        return 0;
    }
    if (!nx_in_bounds(s->vaddr, s->memsz, room) || s->filesz > s->memsz ||
        !nx_in_bounds(s->offset, s->filesz, im->size) ||
        s->offset % NX_PAGE_SIZE != s->vaddr % NX_PAGE_SIZE ||
        (segment_prot(s->flags) & (NX_PROT_W | NX_PROT_X)) == (NX_PROT_W | NX_PROT_X)) {
        return -NX_EIMAGE;
    }
    uint64_t first = ALIGN_DOWN(s->vaddr, NX_PAGE_SIZE);
    uint64_t file_end = s->filesz == 0 ? first : ALIGN_UP(s->vaddr + s->filesz, NX_PAGE_SIZE);
    uint64_t end = ALIGN_UP(s->vaddr + s->memsz, NX_PAGE_SIZE);
    if ((segment_prot(s->flags) & NX_PROT_W) == 0 && end != file_end) {
        return -NX_EIMAGE; /* read-only zeroes: no linker makes that */
    }
    for (uint64_t page = first; page < file_end; page += NX_PAGE_SIZE) {
        int e = load_page(c, im, s, page);
        if (e != 0) {
            return e;
        }
    }
    c->image_end = NX_MAX(c->image_end, NX_IMAGE + end);
    return end > file_end
               ? space_anon(&c->window, NX_IMAGE + file_end, end - file_end, segment_prot(s->flags))
               : 0;
}

int image_load(struct cell *c, const struct mem *mem, uint64_t off, uint64_t size,
               const struct mem *fixed)
{
    struct image im = {.mem = mem, .off = off, .size = size, .fixed = fixed};
    struct elf_head h;
    int e = read_head(&im, &h);
    if (e != 0) {
        return e;
    }
    for (unsigned i = 0; e == 0 && i < h.phnum; i++) {
        struct elf_segment s;
        uint64_t at;
        if (nx_add_overflow(h.phoff, (uint64_t)i * sizeof(s), &at) ||
            !image_read(&im, at, &s, sizeof(s))) {
            return -NX_EIMAGE;
        }
        if (s.type == ELF_LOAD) {
            e = load_segment(c, &im, &s);
        }
    }
    if (e == 0 && h.entry >= NX_FREE - NX_IMAGE) {
        e = -NX_EIMAGE;
    }
    c->entry = NX_IMAGE + h.entry;
    c->window.stale = ~0ul; /* new code: every hart fences before it runs it (space_enter_stale) */
    return e;
}
