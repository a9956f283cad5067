/* See silence.h. */
#include "silence.h"

#include <nexus/cell.h>
#include <string.h>

void silence_if_told(const struct nx_cellinfo *info, long slot)
{
    if (info->generation != 1 || slot < 0 || slot >= NX_SLOTS ||
        strstr(info->bootargs, "nexus.test=silence-supervisor") == NULL) {
        return;
    }
    cell_log("silent from now on, as told");
    for (;;) {
        __asm__ volatile("");
    }
}
