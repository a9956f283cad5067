/* stdio.h - formatting into memory is all there is: lib/fmt.c. Freestanding builds only. */
#ifndef NX_LIBC_STDIO_H
#define NX_LIBC_STDIO_H

#include <nx_libc.h>

#endif
