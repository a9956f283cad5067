/* Clocks by number, for the files of posix/time and the futex code. */
#ifndef POSIX_CLOCK_H
#define POSIX_CLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include "time_abi.h"
#include "waitq.h"

int clock_now(int id, int64_t *ns); /* 0 or -EINVAL */
/* Is it one of ours?  Of the CPU clocks, which are negative, each is, whether or not its process is there. */
bool clock_exists(int id);
/* The clocks of processes and threads: ~pid << 3 | thread << 2 | kind, the last kind being none. */
#define CLOCK_IS_THREADS(id) ((id)&4)
#define CLOCK_PID(id) ((int)(~(uint32_t)(id) >> 3))
#define CLOCK_KIND(id) ((id)&3)
#define CLOCK_KIND_RUN 2  /* as the scheduler counts; 0 and 1: in ticks */
#define CLOCK_KIND_NONE 3 /* with thread 0: of a descriptor, which we have none of */
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
