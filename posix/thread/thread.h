/* Futexes and robust lists, as the rest of posix/ uses them. */
#ifndef POSIX_THREAD_H
#define POSIX_THREAD_H

#include <stdint.h>

struct task;
struct mm;
/* Wake up to n waiters of the word at addr, shared or private (the word a thread's end clears). */
int futex_wake_addr(struct mm *mm, uint64_t addr, int n);
/* The thread ends: PI futexes it owns go to who waits for them. */
void futex_owner_exits(struct task *t);
/* The thread ends: mark the locks it holds and wake who waits for them. */
void robust_list_exit(struct task *t);

#endif
