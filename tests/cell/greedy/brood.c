/* Cells of its own, which do nothing but loop.  See greedy.h.
 *
 * Their image is an ELF file of one page: header, one segment, the section with the manifest, and one
 * instruction.
 */
#include "greedy.h"

#include <nx/manifest.h>
#include <string.h>

#define EM_RISCV 243u
#define JUMP_HERE 0x0000006fu /* j . */
#define CHILD_PAGES 64u
#define IMAGE_SLOT SLOT_FREE

struct image {
    struct {
        uint8_t ident[16];
        uint16_t type, machine;
        uint32_t version;
        uint64_t entry, phoff, shoff;
        uint32_t flags;
        uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
    } head;
    struct {
        uint32_t type, flags;
        uint64_t offset, vaddr, paddr, filesz, memsz, align;
    } segment;
    struct {
        uint32_t name, type;
        uint64_t flags, addr, offset, size;
        uint32_t link, info;
        uint64_t align, entsize;
    } section[2];
    char names[16];
    uint32_t code[4];
    struct nx_manifest manifest;
};
_Static_assert(sizeof(struct image) <= NX_PAGE_SIZE, "one page");

static const struct image child = {
    .head = {.ident = {0x7f, 'E', 'L', 'F', 2, 1, 1},
             .type = 3,
             .machine = EM_RISCV,
             .version = 1,
             .entry = offsetof(struct image, code),
             .phoff = offsetof(struct image, segment),
             .shoff = offsetof(struct image, section),
             .ehsize = sizeof(child.head),
             .phentsize = sizeof(child.segment),
             .phnum = 1,
             .shentsize = sizeof(child.section[0]),
             .shnum = 2},
    .segment = {.type = 1, .flags = 5, .filesz = NX_PAGE_SIZE, .memsz = NX_PAGE_SIZE},
    .section = {{.type = 3, .offset = offsetof(struct image, names), .size = 16},
                {.type = 1,
                 .offset = offsetof(struct image, manifest),
                 .size = sizeof(struct nx_manifest)}},
    .names = ".nexus.manifest",
    .code = {JUMP_HERE},
    .manifest = {.magic = NX_MANIFEST_MAGIC,
                 .name = "child",
                 .tier = NX_TIER_PHOTON,
                 .window_gb = 1,
                 .quota_pages = CHILD_PAGES,
                 .quota_fibers = 1},
};

/* All it can have, which run; the number of them, and why there are no more. */
static unsigned long breed(long *e)
{
    unsigned long n = 0;
    for (;;) {
        const unsigned slot = IMAGE_SLOT + 1 + (unsigned)n;
        *e = nx_spawn_cell(IMAGE_SLOT, 0, NX_PAGE_SIZE, slot, 1);
        *e = *e == 0 ? nx_spawn_start(slot, 0) : *e;
        if (*e != 0) {
            return n;
        }
        n++;
    }
}

void brood_cells(void)
{
    long e = nx_make_mem(IMAGE_SLOT, 1, 0);
    void *at = e == 0 ? cell_map(IMAGE_SLOT, NX_PROT_R | NX_PROT_W, NULL, NULL) : NULL;
    if (at == NULL) {
        cell_panic("no memory: error %ld", -e);
    }
    memcpy(at, &child, sizeof(child));
    unsigned long n = breed(&e);
    refused("a cell", n, e);
    for (;;) {
        (void)nx_spawn_cell(IMAGE_SLOT, 0, NX_PAGE_SIZE, IMAGE_SLOT + 1 + (unsigned)n, 1);
        nap();
    }
}
