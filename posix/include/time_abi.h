/* Linux's constants of clocks, timers, limits and usage (CLOCK_*, ITIMER_*, RLIMIT_*, RUSAGE_*, PRIO_*).
 *
 * On the host the C library's headers stand in: the kernel's cannot be included beside them, and the
 * values are the same.
 */
#ifndef POSIX_TIME_ABI_H
#define POSIX_TIME_ABI_H

#ifdef NX_HOST
#include <sys/resource.h>
#include <sys/time.h>
#include <time.h>
#else
#include <linux/resource.h>
#include <linux/time.h>
#endif

#endif
