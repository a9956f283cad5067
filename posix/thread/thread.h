/* Futexes, robust lists and restartable sequences, as the rest of posix/ uses them. */
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
/* Of the current thread t, which has registered (t->rseq): a handler comes between two instructions / its program
 * goes on after something that was no call / it begins, or has just registered / it is not registered any more. */
void rseq_interrupt(struct task *t);
void rseq_resume(struct task *t);
void rseq_begin(struct task *t);
void rseq_end(struct task *t);

#endif
