/* The table of system calls, as others see it. */
#ifndef POSIX_CALLS_H
#define POSIX_CALLS_H

const char *call_name(unsigned nr); /* NULL: no such call */

#endif
