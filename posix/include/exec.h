/* Starting programs (posix/exec).  Wants the personality lock. */
#ifndef POSIX_EXEC_H
#define POSIX_EXEC_H

extern long
    exec_randomize; /* /proc/sys/kernel/randomize_va_space; 0: programs always lie at the same place */

/* Replace the (empty) program of the current thread by the one at path, which becomes pid 1's: for the
 * first process only.  The caller then enters foreign mode.  0, or a negated errno. */
int exec_kernel(const char *path, const char *const argv[], const char *const envp[]);

#endif
