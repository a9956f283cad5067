/* cell_panic() on the host: it ends the test program, or PANICS(), where a test expects it. */
#ifndef TESTS_UNIT_PANIC_H
#define TESTS_UNIT_PANIC_H

#include <nexus/cell.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

static jmp_buf panic_back;
static bool panic_expected;

_Noreturn void cell_panic(const char *fmt, ...)
{
    if (!panic_expected) {
        va_list ap;
        va_start(ap, fmt);
        vfprintf(stderr, fmt, ap);
        va_end(ap);
        abort();
    }
    longjmp(panic_back, 1);
}

/* Does what is called end the cell? */
#define PANICS(call)                         \
    ({                                       \
        const int back = setjmp(panic_back); \
        panic_expected = true;               \
        if (back == 0) {                     \
            (void)(call);                    \
        }                                    \
        panic_expected = false;              \
        back != 0;                           \
    })

#endif
