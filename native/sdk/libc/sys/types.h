/* sys/types.h - for other people's code. */
#ifndef NEXUS_LIBC_TYPES_H
#define NEXUS_LIBC_TYPES_H

#include <stddef.h>
#include <stdint.h>

typedef long ssize_t;

#endif
