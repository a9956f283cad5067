/* image_test.h - a small valid cell image: ELF header, three segments, a manifest section. */
#ifndef IMAGE_TEST_H
#define IMAGE_TEST_H

#include "nucleus_test.h"

struct elf_header {
    uint8_t ident[16];
    uint16_t type, machine;
    uint32_t version;
    uint64_t entry, phoff, shoff;
    uint32_t flags;
    uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};
struct elf_program {
    uint32_t type, flags;
    uint64_t offset, vaddr, paddr, filesz, memsz, align;
};
struct elf_section {
    uint32_t name, type;
    uint64_t flags, addr, offset, size;
    uint32_t link, info;
    uint64_t align, entsize;
};

#define PF_R 4u
#define PF_W 2u
#define PF_X 1u

/* Text (two pages, read and execute), data (from 0x3800 for a page and a half, then zeroes to 0x9000). */
#define IMAGE_BYTES (8 * PAGE)
struct test_image {
    struct elf_header head;
    struct elf_program program[4];
    struct elf_section section[3];
    char names[32];
    struct nx_manifest manifest;
};

#define TEXT_OFF PAGE
#define DATA_OFF (3 * PAGE + 0x800)
#define DATA_FILE 0x1800ul
#define DATA_MEM 0x5800ul
#define MANIFEST_OFF __builtin_offsetof(struct test_image, manifest)

static inline void image_build(uint8_t *bytes, const struct nx_manifest *m)
{
    struct test_image *im = (struct test_image *)bytes;
    for (uint64_t i = 0; i < IMAGE_BYTES; i++) {
        bytes[i] = (uint8_t)(i * 7 + i / PAGE);
    }
    *im = (struct test_image){
        .head =
            {
                .ident = {0x7f, 'E', 'L', 'F', 2, 1, 1},
                .type = 3,
                .machine = ARCH_ELF_MACHINE,
                .version = 1,
                .entry = 0x1234,
                .phoff = __builtin_offsetof(struct test_image, program),
                .shoff = __builtin_offsetof(struct test_image, section),
                .ehsize = sizeof(struct elf_header),
                .phentsize = sizeof(struct elf_program),
                .phnum = 4,
                .shentsize = sizeof(struct elf_section),
                .shnum = 3,
                .shstrndx = 1,
            },
        .program =
            {
                {.type = 6, .flags = PF_R, .offset = 64, .vaddr = 64}, /* no LOAD */
                {.type = 1,
                 .flags = PF_R,
                 .offset = 0,
                 .vaddr = 0,
                 .filesz = 0x900,
                 .memsz = 0x900},
                {.type = 1,
                 .flags = PF_R | PF_X,
                 .offset = TEXT_OFF,
                 .vaddr = TEXT_OFF,
                 .filesz = 2 * PAGE,
                 .memsz = 2 * PAGE},
                {.type = 1,
                 .flags = PF_R | PF_W,
                 .offset = DATA_OFF,
                 .vaddr = DATA_OFF,
                 .filesz = DATA_FILE,
                 .memsz = DATA_MEM},
            },
        .section =
            {
                {0},
                {.name = 1,
                 .type = 3,
                 .offset = __builtin_offsetof(struct test_image, names),
                 .size = 32},
                {.name = 11, .type = 1, .offset = MANIFEST_OFF, .size = sizeof(struct nx_manifest)},
            },
        .names = "\0.shstrtab\0.nexus.manifest",
        .manifest = *m,
    };
}

/* Put the image at page `at` of memory object mem. */
static inline void image_store(const struct mem *mem, uint64_t at, const uint8_t *bytes)
{
    for (uint64_t i = 0; i < IMAGE_BYTES; i += PAGE) {
        memcpy(arch_phys(mem_page(mem, at + i / PAGE)), bytes + i, PAGE);
    }
}

#endif
