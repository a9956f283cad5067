/*
 * The pointer matrix: a table of calls that would succeed, and every pointer of theirs made bad in turn.
 *
 * A row says for each argument what it is; the pointers are to memory of the test that is good:
 *      V(x)      a plain value
 *      R(p)      a structure the call reads (of the size of what p points to)
 *      W(p)      one it writes: bad when read-only as well
 *      S(text)   a string it reads
 *      RB WB     bytes: (p, n); a call that has done the first of them may succeed
 * with a second argument of flags where needed: NULL_OK, NULL_EINVAL, ALIGNED (Linux answers EINVAL to odd addresses).
 * FIELD(a, p, field, arg) in .inside: a pointer in the structure that argument a points to.
 *
 * matrix_try: each pointer is 0, 1, the last byte, the last page, of the kernel, a hole, without access, beyond
 * the end of a mapped file, half in a hole, and read-only where written: EFAULT each time. Then the call with
 * good pointers succeeds (or says .error), and writes nothing around what it was given.
 * matrix_race: each pointer is to a page that another thread takes away and brings back: the call succeeds, says
 * EFAULT or .error, and writes nothing around.
 */
#ifndef POSIXTEST_MATRIX_H
#define POSIXTEST_MATRIX_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "test.h"

enum {
    VALUE = 1,
    READ = 2,
    WRITE = 4,
    STRING = 8, /* READ */
    BYTES = 16, /* READ or WRITE: less than all is fine */
    NULL_OK = 32,
    NULL_EINVAL = 256,
    ALIGNED = 64,
    LAZY = 128, /* looked at only when there is something: success is fine, too */
};

/* A row says what it has to say: the rest is zero. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

struct arg {
    unsigned kind;
    long value;
    size_t size;
};

struct inside {
    unsigned arg;  /* whose structure */
    size_t offset; /* of the pointer in it */
    struct arg is;
};

struct row {
    const char *name;
    long nr;
    struct arg arg[6];
    struct inside inside[4];
    void (*before)(void); /* each call */
    void (*after)(long);  /* each that succeeded, with its result */
    int error;            /* what good pointers give, and a race: 0 is success */
    int bad_error;        /* what bad ones give, 0: EFAULT */
};

#define V(x)                \
    {                       \
        VALUE, (long)(x), 0 \
    }
#define R(p)                         \
    {                                \
        READ, (long)(p), sizeof *(p) \
    }
#define W(p)                          \
    {                                 \
        WRITE, (long)(p), sizeof *(p) \
    }
#define RF(p, flags)                           \
    {                                          \
        READ | (flags), (long)(p), sizeof *(p) \
    }
#define WF(p, flags)                            \
    {                                           \
        WRITE | (flags), (long)(p), sizeof *(p) \
    }
#define S(text)                                   \
    {                                             \
        READ | STRING, (long)(text), sizeof(text) \
    }
#define SF(text, flags)                                     \
    {                                                       \
        READ | STRING | (flags), (long)(text), sizeof(text) \
    }
#define RB(p, n)                   \
    {                              \
        READ | BYTES, (long)(p), n \
    }
#define WB(p, n)                    \
    {                               \
        WRITE | BYTES, (long)(p), n \
    }
#define FIELD(a, p, field, ...)                           \
    {                                                     \
        a, offsetof(__typeof__(*(p)), field), __VA_ARGS__ \
    }

void matrix_try(const struct row *rows); /* ended by one without a name */
void matrix_race(const struct row *rows);
/* Where pages that go away are; bad addresses for tests that go on alone. */
#define BAD_ADDRESSES 11
struct bad {
    const char *name;
    long address;
    bool write_only; /* bad only for what is written */
};
const struct bad *bad_addresses(void);

/* The two tests of a function that builds rows and runs them. */
#define BOTH(name)                \
    static void try_##name(void)  \
    {                             \
        name(matrix_try);         \
    }                             \
    static void race_##name(void) \
    {                             \
        name(matrix_race);        \
    }

/* .after of calls that make a descriptor. */
void close_result(long fd);
/* Close all descriptors from this one to those of the test itself. */
void close_from(int fd);

#endif
