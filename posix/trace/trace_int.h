/* What the files of posix/trace share among themselves. */
#ifndef POSIX_TRACE_INT_H
#define POSIX_TRACE_INT_H

#include <linux/ptrace.h>
#include "proc.h"
#include "trace.h"

/* Begin to trace t, by tracer.  NULL: no memory. */
struct trace *trace_begin(struct task *t, struct task *tracer);
/* End it: t goes on untraced, with this signal if it was stopped before one. */
void trace_end(struct trace *r, int sig);
/* Have a stopped thread go on. */
void trace_resume(struct trace *r, int sig);
/* SIGCHLD for the tracer, and wake its wait. */
void trace_tell(const struct trace *r, int code, int status);

/* regs.c: PTRACE_GETREGSET and SETREGSET. */
long trace_regset(struct trace *r, bool set, uint64_t type, uint64_t uiov);
long trace_syscall_info(const struct trace *r, uint64_t size, uint64_t uaddr);

#endif
