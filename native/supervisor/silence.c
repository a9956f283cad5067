/* See silence.h. */
#include "silence.h"

#include <nexus/cell.h>
#include <nx/layout.h>
#include <string.h>

void silence_if_told(void)
{
    const struct nx_cellinfo *info = (const struct nx_cellinfo *)NX_CELLINFO;
    if (info->generation != 1 || strstr(info->bootargs, "nexus.test=silence-supervisor") == NULL) {
        return;
    }
    cell_log("silent from now on, as told");
    for (;;) {
        __asm__ volatile("");
    }
}
