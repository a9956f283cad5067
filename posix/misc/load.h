/* The load averages of 1, 5 and 15 minutes, in 1/100. */
#ifndef POSIX_LOAD_H
#define POSIX_LOAD_H

#include <stdint.h>

void load_averages(uint64_t avg[3]);

#endif
