/* Starting programs (posix/exec).  Wants the personality lock. */
#ifndef POSIX_EXEC_H
#define POSIX_EXEC_H

struct process;
struct file;

/* Replace the (empty) program of the current thread by the one at path, which becomes pid 1's: for the
 * first process only.  The caller then enters foreign mode.  0, or a negated errno. */
int exec_kernel(const char *path, const char *const argv[], const char *const envp[]);

/* The executable of a process: a reference, and nobody may write to the file (ETXTBSY).  f may be NULL.
 * Fork and the end of a process use it as well as exec. */
void exec_set_exe(struct process *p, struct file *f);

#endif
