/* Clocks by number, for the files of posix/time and the futex code. */
#ifndef POSIX_CLOCK_H
#define POSIX_CLOCK_H

#include <stdint.h>
#include "time_abi.h"
#include "waitq.h"

int clock_now(int id, int64_t *ns); /* 0 or -EINVAL */
int64_t time_realtime_offset(void);
void time_set_realtime(int64_t ns); /* wakes clock_set */
/* Woken when the realtime clock was set: sleepers and timers until a point of it look again. */
extern struct waitq clock_set;

/* The deadline in ticks of a sleep until `ns` of the clock (absolute), which may move for REALTIME. */
uint64_t clock_deadline(int id, int64_t ns);

#ifndef TIMER_ABSTIME
#define TIMER_ABSTIME 1
#endif

#endif
