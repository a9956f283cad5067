/* Figures of test cells: a line of the log each, "figure NAME INSTRUCTIONS", which tests/bench/run.py reads from
 * /proc/nexus/log.  Meaningful under qemu -icount shift=0. */
#ifndef TEST_FIGURE_H
#define TEST_FIGURE_H

#include <nexus/cell.h>

static inline uint64_t instructions(void)
{
    uint64_t v;
    __asm__ volatile("rdinstret %0" : "=r"(v));
    return v;
}

/* Of `rounds` operations together; the log has that of one. */
static inline void figure(const char *name, uint64_t total, uint64_t rounds)
{
    cell_log("figure %s %lu", name, (unsigned long)((total + rounds / 2) / rounds));
}

#endif
