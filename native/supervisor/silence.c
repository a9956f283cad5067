/* See silence.h. */
#include "silence.h"

#include <nexus/cell.h>
#include <string.h>

void silence_if_told(const struct nx_cellinfo *info)
{
    if (info->generation != 1 ||
        strstr(info->bootargs, "nexus.test=silence-supervisor") == NULL) {
        return;
    }
    cell_log("silent from now on, as told");
    for (;;) {
        __asm__ volatile("");
    }
}
