/* The heap of a cell. */
#include <nexus/cell.h>
#include <stdlib.h>
#include <string.h>

/* 200,000 bytes that begin with a text; NULL: no memory. */
static char *kept(void)
{
    char *small = malloc(20);
    if (small == NULL) {
        return NULL;
    }
    memcpy(small, "kept", 5);
    char *large = realloc(small, 200000);
    if (large == NULL) {
        free(small);
    }
    return large;
}

int cell_main(const struct nx_cellinfo *info)
{
    char *a = kept();
    char *b = calloc(1000, 1000);
    if (a == NULL || b == NULL || strcmp(a, "kept") != 0 || b[999999] != 0) {
        abort(); /* as cell_panic() does, without a word */
    }
    const long where = abs(-2) + labs(-2);
    const void *was = b;
    free(b);
    b = malloc(1000000); /* what was freed is used again */
    char *too_much = malloc(~0ul), *overflow = calloc(~0ul, 2);
    if (b != was || where != 4 || too_much != NULL || overflow != NULL) {
        cell_panic("the heap is not as it should be");
    }
    free(NULL);
    free(a);
    free(b);
    cell_log("ok");
    return 0;
}
