/* What other people's code expects of a C library, beside lib/ and the heap: errno, one for all fibers; abort(). */
#include <nexus/cell.h>
#include <stdlib.h>

extern int errno;
int errno;

_Noreturn void abort(void)
{
    cell_panic("abort");
}
