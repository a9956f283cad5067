/* string.h - the part of the C header that lib/mem.c and lib/str.c implement. Freestanding builds only. */
#ifndef NX_LIBC_STRING_H
#define NX_LIBC_STRING_H

#include <nx_libc.h>

#endif
