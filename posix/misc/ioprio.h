/* Priorities of I/O, for whoever takes one with a request. */
#ifndef POSIX_IOPRIO_H
#define POSIX_IOPRIO_H

int ioprio_check(unsigned prio); /* may the current thread ask for it?  0, -EINVAL, -EPERM */

#endif
