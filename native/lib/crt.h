/* Private to the start-up code: what start.S calls, in this order. */
#ifndef NATIVE_CRT_H
#define NATIVE_CRT_H

#include <nx/types.h>

struct dynamic;

/* Make the image's own addresses right for where it was loaded. */
void cell_relocate(uint64_t base, const struct dynamic *dyn);
_Noreturn void cell_run(const struct nx_cellinfo *info);

#endif
