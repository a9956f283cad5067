/* See image.h. */
#include "image.h"

#include <nx/layout.h>
#include <nx/types.h>
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
struct elf_section {
    uint32_t name, type;
    uint64_t flags, addr, offset, size;
    uint32_t link, info;
    uint64_t align, entsize;
};
struct elf_segment {
    uint32_t type, flags;
    uint64_t offset, vaddr, paddr, filesz, memsz, align;
};
#define ELF_LOAD 1
#define ELF_WRITE 2
_Static_assert(sizeof(struct elf_head) == 64, "ELF header");
_Static_assert(sizeof(struct elf_segment) == 56, "ELF program header");
_Static_assert(sizeof(struct elf_section) == 64, "ELF section header");

struct bytes {
    const uint8_t *base;
    uint64_t size;
};

/* Copy n bytes at off; false when they are not all there. */
static bool take(struct bytes b, uint64_t off, void *to, uint64_t n)
{
    if (!nx_in_bounds(off, n, b.size)) {
        return false;
    }
    memcpy(to, b.base + off, n);
    return true;
}

static bool take_section(struct bytes b, const struct elf_head *h, unsigned i,
                         struct elf_section *out)
{
    uint64_t at;
    return !nx_add_overflow(h->shoff, (uint64_t)i * sizeof(*out), &at) &&
           take(b, at, out, sizeof(*out));
}

int image_manifest(const void *image, size_t size, struct nx_manifest *out)
{
    static const uint8_t ident[6] = {0x7f, 'E', 'L', 'F', 2, 1};
    static const char wanted[] = ".nexus.manifest";
    struct bytes b = {image, size};
    struct elf_head h;
    struct elf_section names, s;
    if (!take(b, 0, &h, sizeof(h)) || memcmp(h.ident, ident, sizeof(ident)) != 0 ||
        h.shentsize != sizeof(s) || h.shstrndx >= h.shnum ||
        !take_section(b, &h, h.shstrndx, &names)) {
        return -NX_EIMAGE;
    }
    for (unsigned i = 0; i < h.shnum; i++) {
        char name[sizeof(wanted)];
        uint64_t at;
        if (!take_section(b, &h, i, &s) || nx_add_overflow(names.offset, s.name, &at) ||
            !take(b, at, name, sizeof(name)) || memcmp(name, wanted, sizeof(name)) != 0) {
            continue;
        }
        if (s.size != sizeof(*out) || !take(b, s.offset, out, sizeof(*out)) ||
            nx_manifest_check(out) != NULL) {
            return -NX_EIMAGE;
        }
        return 0;
    }
    return -NX_EIMAGE;
}

uint64_t image_fixed_pages(const void *image, size_t size)
{
    struct bytes b = {image, size};
    struct elf_head h;
    uint64_t pages = 0;
    if (!take(b, 0, &h, sizeof(h))) {
        return 0;
    }
    for (unsigned i = 0; i < h.phnum; i++) {
        struct elf_segment s;
        uint64_t at, end;
        if (nx_add_overflow(h.phoff, (uint64_t)i * sizeof(s), &at) || !take(b, at, &s, sizeof(s)) ||
            nx_add_overflow(s.vaddr, s.filesz, &end) || !nx_in_bounds(s.offset, s.filesz, size)) {
            return 0; /* the nucleus will refuse it */
        }
        if (s.type == ELF_LOAD && (s.flags & ELF_WRITE) == 0 && s.filesz != 0) {
            pages +=
                (ALIGN_UP(end, NX_PAGE_SIZE) - ALIGN_DOWN(s.vaddr, NX_PAGE_SIZE)) / NX_PAGE_SIZE;
        }
    }
    return pages;
}
