/* The log, the end of the machine, and what the nucleus knows about it. */
#include "mb_int.h"

#include <nexus/exit.h>

void mb_log(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    cell_vlog(NX_LOG_INFO, fmt, ap);
    va_end(ap);
}

void mb_log_at(unsigned level, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    cell_vlog(level, fmt, ap);
    va_end(ap);
}

bool mb_log_read(uint64_t *number, struct nx_log *out)
{
    if (nx_meta_readlog((uint64_t)out, sizeof(*out), *number) != 1) {
        return false;
    }
    *number = out->number;
    return true;
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

void mb_crash(void)
{
    for (;;) {
        *(volatile uint64_t *)NX_CELLINFO = 0; /* read-only */
    }
}

bool mb_beb_read(uint64_t *number, struct nx_beb *out)
{
    if (nx_meta_beb((uint64_t)out, sizeof(*out), *number) != 1) {
        return false;
    }
    *number = out->number;
    return true;
}

uint64_t mb_cell_value(unsigned nx_cell_value)
{
    long v = nx_meta_cell(NX_SELF, nx_cell_value);
    return v > 0 ? (uint64_t)v : 0;
}
