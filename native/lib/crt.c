/* What happens between the first instruction of a cell (start.S) and its cell_main.
 *
 * The loader only maps; relocation is done here.  Until cell_relocate() has returned, nothing may read
 * a pointer that was initialised at compile time, and constants only as PC-relative code reaches them.
 */
#include "crt.h"

#include <nexus/cell.h>
#include <nx/sys.h>

#define DT_NULL 0
#define DT_RELA 7
#define DT_RELASZ 8
#define DT_RELAENT 9
#define R_RELATIVE 3

struct dynamic {
    uint64_t tag, value;
};
struct rela {
    uint64_t offset, info;
    int64_t addend;
};

/* Exit codes of an image that was linked wrongly: nothing else works yet. */
#define BAD_RELOCATION 0xbad0001

void cell_relocate(uint64_t base, const struct dynamic *dyn)
{
    const struct rela *rela = NULL;
    uint64_t size = 0, each = sizeof(*rela);
    for (; dyn->tag != DT_NULL; dyn++) {
        if (dyn->tag == DT_RELA) {
            rela = (const struct rela *)(base + dyn->value);
        } else if (dyn->tag == DT_RELASZ) {
            size = dyn->value;
        } else if (dyn->tag == DT_RELAENT) {
            each = dyn->value;
        }
    }
    for (uint64_t i = 0; rela != NULL && i < size / sizeof(*rela); i++) {
        if (each != sizeof(*rela) || rela[i].info != R_RELATIVE) {
            nx_exit_cell(BAD_RELOCATION);
        }
        *(uint64_t *)(base + rela[i].offset) = base + (uint64_t)rela[i].addend;
    }
}

_Noreturn void cell_run(const struct nx_cellinfo *info)
{
    cell_exit((uint64_t)cell_main(info));
}
