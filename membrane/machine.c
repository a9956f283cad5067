/* The log, the end of the machine, and what the nucleus knows about it. */
#include "mb_int.h"

#include <nexus/exit.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LOG_LINE 256 /* what the nucleus takes in one call */

static void log_line(const char *fmt, va_list ap)
{
    char line[LOG_LINE];
    int n = vsnprintf(line, sizeof(line), fmt, ap);
    nx_meta_log((uint64_t)line, n < LOG_LINE ? (uint64_t)n : LOG_LINE - 1);
}

void mb_log(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    log_line(fmt, ap);
    va_end(ap);
}

static _Noreturn void end(uint64_t code)
{
    for (;;) {
        nx_exit_cell(code);
    }
}

void mb_panic(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    log_line(fmt, ap);
    va_end(ap);
    end(1);
}

void mb_power_off(int status)
{
    end(NEXUS_EXIT_POWEROFF | (unsigned)(status & 0xff));
}

void mb_reset(void)
{
    end(NEXUS_EXIT_RESET);
}

uint64_t mb_stat(unsigned nx_stat)
{
    long v = nx_meta_stat(nx_stat);
    return v > 0 ? (uint64_t)v : 0;
}
