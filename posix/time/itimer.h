/* Interval timers and POSIX timers of a process, as its end and exec see them. */
#ifndef POSIX_ITIMER_H
#define POSIX_ITIMER_H

struct process;
void timers_drop(struct process *p); /* the process ends: all of them */
void timers_exec(struct process *p); /* exec: POSIX timers go, interval timers stay */
/* An upcall of the current thread: do CPU-time timers fire? */
void itimers_cpu_check(struct process *p);
/* In timer.c: the POSIX ones. */
void posix_timers_drop(struct process *p);

#endif
