/* strings.h - see string.h. Freestanding builds only. */
#ifndef NX_LIBC_STRINGS_H
#define NX_LIBC_STRINGS_H

#include <nx_libc.h>

#endif
