/* Interval timers and POSIX timers of a process, as its end and exec see them. */
#ifndef POSIX_ITIMER_H
#define POSIX_ITIMER_H

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

#endif
