/* string.h - what lib/mem.c and lib/str.c implement of it. Freestanding builds only. */
#ifndef NX_LIBC_STRING_H
#define NX_LIBC_STRING_H

#include <nx_libc.h>

#endif
