/*
 * Rows of mappings and page faults.
 */
#include <sys/mman.h>

#include "nxbench.h"

static char *map(size_t size)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (p == MAP_FAILED) {
        fail("mmap");
    }
    return p;
}

static void run_map(unsigned ops)
{
    while (ops-- > 0) {
        munmap(map(65536), 65536);
    }
}

static void run_touch(unsigned ops)
{
    const size_t page = 4096, pages = 256;

    while (ops-- > 0) {
        volatile char *p = map(pages * page);

        for (size_t i = 0; i < pages; i++) {
            p[i * page] = 1;
        }
        munmap((void *)p, pages * page);
    }
}

const struct row memory_rows[] = {
    {"mmap-64k", "mmap + munmap 64 KiB", 100, 10, 3, NULL, run_map, NULL},
    {"mmap-touch", "mmap, touch 256 pages, munmap", 2, 1, 3, NULL, run_touch, NULL},
    {0},
};
