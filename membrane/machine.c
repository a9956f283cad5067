/* The log, the end of the machine, and what the nucleus knows about it. */
#include "mb_int.h"

#include <nexus/exit.h>

void mb_log(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    cell_vlog(fmt, ap);
    va_end(ap);
}

void mb_power_off(int status)
{
    cell_exit(NEXUS_EXIT_POWEROFF | (unsigned)(status & 0xff));
}

void mb_reset(void)
{
    cell_exit(NEXUS_EXIT_RESET);
}

uint64_t mb_stat(unsigned nx_stat)
{
    long v = nx_meta_stat(nx_stat);
    return v > 0 ? (uint64_t)v : 0;
}
