/* The heap of a cell. */
#include <nexus/cell.h>
#include <stdlib.h>
#include <string.h>

int cell_main(const struct nx_cellinfo *info)
{
    char *a = malloc(20), *b = calloc(1000, 1000);
    if (a == NULL || b == NULL || b[999999] != 0 || abs(-2) != 2 || labs(-2) != 2) {
        abort(); /* as cell_panic() does, without a word */
    }
    memcpy(a, "kept", 5);
    a = realloc(a, 200000);
    if (a == NULL || strcmp(a, "kept") != 0) {
        cell_panic("not kept");
    }
    free(b);
    if (malloc(1000000) != b) {
        cell_panic("not used again");
    }
    free(NULL);
    free(a);
    if (malloc(~0ul) != NULL || calloc(~0ul, 2) != NULL) {
        cell_panic("too much memory");
    }
    cell_log("ok");
    return 0;
}
