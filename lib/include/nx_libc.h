/*
 * nx_libc.h - the C library functions that lib/ implements.
 *
 * Freestanding code reaches them through <string.h>, <stdlib.h>, <stdio.h>, <ctype.h> of
 * lib/include/libc and does not include this file. On the host the system has all of these names,
 * so there each is called nx_<name>, for the tests.
 */
#ifndef NX_LIBC_H
#define NX_LIBC_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#ifdef NX_HOST
#define NX_LIBC(name) nx_##name
#else
#define NX_LIBC(name) name
#endif

/* mem.c */
void *NX_LIBC(memcpy)(void *restrict to, const void *restrict from, size_t n);
void *NX_LIBC(memmove)(void *to, const void *from, size_t n);
void *NX_LIBC(memset)(void *to, int c, size_t n);
int NX_LIBC(memcmp)(const void *a, const void *b, size_t n);
void *NX_LIBC(memchr)(const void *s, int c, size_t n);
void *NX_LIBC(memrchr)(const void *s, int c, size_t n);

/* str.c */
size_t NX_LIBC(strlen)(const char *s);
size_t NX_LIBC(strnlen)(const char *s, size_t max);
int NX_LIBC(strcmp)(const char *a, const char *b);
int NX_LIBC(strncmp)(const char *a, const char *b, size_t n);
int NX_LIBC(strcasecmp)(const char *a, const char *b);
int NX_LIBC(strncasecmp)(const char *a, const char *b, size_t n);
char *NX_LIBC(strchr)(const char *s, int c);
char *NX_LIBC(strrchr)(const char *s, int c);
char *NX_LIBC(strchrnul)(const char *s, int c);
char *NX_LIBC(strstr)(const char *s, const char *what);
size_t NX_LIBC(strspn)(const char *s, const char *set);
size_t NX_LIBC(strcspn)(const char *s, const char *set);
char *NX_LIBC(strcpy)(char *restrict to, const char *restrict from);
char *NX_LIBC(strncpy)(char *restrict to, const char *restrict from, size_t n);
char *NX_LIBC(strcat)(char *restrict to, const char *restrict from);
/* Copies what fits with its NUL; returns strlen(from), so a result >= size means cut short. */
size_t NX_LIBC(strlcpy)(char *restrict to, const char *restrict from, size_t size);
size_t NX_LIBC(strlcat)(char *restrict to, const char *restrict from, size_t size);

/* num.c: out of range saturates; there is no errno */
unsigned long NX_LIBC(strtoul)(const char *restrict s, char **restrict end, int base);
unsigned long long NX_LIBC(strtoull)(const char *restrict s, char **restrict end, int base);
long NX_LIBC(strtol)(const char *restrict s, char **restrict end, int base);
long long NX_LIBC(strtoll)(const char *restrict s, char **restrict end, int base);
int NX_LIBC(atoi)(const char *s);

/*
 * fmt.c: d i u x X o c s p %, flags "-+ #0", width and precision also by '*', lengths hh h l ll z
 * j t. No floating point, no %n: unknown conversions are printed as they stand and eat no argument.
 */
int NX_LIBC(vsnprintf)(char *restrict to, size_t size, const char *restrict fmt, va_list ap)
    __attribute__((format(printf, 3, 0)));
int NX_LIBC(snprintf)(char *restrict to, size_t size, const char *restrict fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
