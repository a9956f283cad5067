/* Interval timers and POSIX timers of a process, as its end and exec see them. */
#ifndef POSIX_ITIMER_H
#define POSIX_ITIMER_H

#include <stdint.h>

struct process;
struct ksiginfo;
void timers_drop(struct process *p); /* the process ends: all of them */
void timers_exec(struct process *p); /* exec: POSIX timers go, interval timers stay */
/* After an upcall of a process with cpu_watched: has a CPU timer or limit come? */
void itimers_cpu_check(struct process *p);
/* In timer.c: the POSIX ones. */
void posix_timers_drop(struct process *p);
/* The signal of one is being taken from its queue: fill in the overrun count. */
void posix_timer_told(struct process *p, struct ksiginfo *info);
/* Those on CPU time: what is left until the next, 0: none. */
uint64_t posix_timers_cpu_check(struct process *p);
/* A signal is being taken from its queue: a timer may have waited for that. */
void timers_signal_taken(struct process *p, struct ksiginfo *info);

/* A timer whose signal is still pending, or ignored, fires no more often than this: so a short interval
 * costs little. */
#define TIMER_IDLE_NS 4000000u
#define CPU_KICK_NS 4000000u /* how often a process with CPU timers is looked at */

#endif
