/* signal.h - for other people's code: there are no signals; one that is raised ends the cell. */
#ifndef NEXUS_LIBC_SIGNAL_H
#define NEXUS_LIBC_SIGNAL_H

#include <stdlib.h>

#define SIGABRT 6
#define SIGKILL 9
#define SIGSEGV 11
#define raise(signal) abort()

#endif
