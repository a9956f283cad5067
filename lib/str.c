/*
 * str.c - the functions of <string.h> on NUL-terminated strings.
 *
 * A byte at a time: names and options are short. Bulk data goes through mem.c. No strtok, no
 * locales, nothing that keeps state.
 */
#include <nx_base.h>
#include <nx_libc.h>

static inline int lower(unsigned char c)
{
    return c >= 'A' && c <= 'Z' ? c | 32 : c;
}

size_t NX_LIBC(strlen)(const char *s)
{
    const char *p = s;
    while (*p != '\0') {
        p++;
    }
    return (size_t)(p - s);
}

size_t NX_LIBC(strnlen)(const char *s, size_t max)
{
    size_t n = 0;
    while (n < max && s[n] != '\0') {
        n++;
    }
    return n;
}

int NX_LIBC(strcmp)(const char *a, const char *b)
{
    while (*a != '\0' && *a == *b) {
        a++;
        b++;
    }
    return (unsigned char)*a - (unsigned char)*b;
}

int NX_LIBC(strncmp)(const char *a, const char *b, size_t n)
{
    for (; n > 0; n--, a++, b++) {
        if (*a != *b || *a == '\0') {
            return (unsigned char)*a - (unsigned char)*b;
        }
    }
    return 0;
}

int NX_LIBC(strcasecmp)(const char *a, const char *b)
{
    return NX_LIBC(strncasecmp)(a, b, SIZE_MAX);
}

int NX_LIBC(strncasecmp)(const char *a, const char *b, size_t n)
{
    for (; n > 0; n--, a++, b++) {
        int difference = lower((unsigned char)*a) - lower((unsigned char)*b);
        if (difference != 0 || *a == '\0') {
            return difference;
        }
    }
    return 0;
}

char *NX_LIBC(strchrnul)(const char *s, int c)
{
    while (*s != '\0' && *s != (char)c) {
        s++;
    }
    return (char *)(uintptr_t)s;
}

char *NX_LIBC(strchr)(const char *s, int c)
{
    char *p = NX_LIBC(strchrnul)(s, c);
    return *p == (char)c ? p : NULL;
}

char *NX_LIBC(strrchr)(const char *s, int c)
{
    return NX_LIBC(memrchr)(s, c, NX_LIBC(strlen)(s) + 1);
}

char *NX_LIBC(strstr)(const char *s, const char *what)
{
    size_t n = NX_LIBC(strlen)(what);
    for (; NX_LIBC(strncmp)(s, what, n) != 0; s++) {
        if (*s == '\0') {
            return NULL;
        }
    }
    return (char *)(uintptr_t)s;
}

/* Length of the start of `s` whose bytes are (or are not) in `set`. */
static size_t span(const char *s, const char *set, bool in)
{
    size_t n = 0;
    while (s[n] != '\0' && (NX_LIBC(strchr)(set, s[n]) != NULL) == in) {
        n++;
    }
    return n;
}

size_t NX_LIBC(strspn)(const char *s, const char *set)
{
    return span(s, set, true);
}

size_t NX_LIBC(strcspn)(const char *s, const char *set)
{
    return span(s, set, false);
}

char *NX_LIBC(strcpy)(char *restrict to, const char *restrict from)
{
    char *p = to;
    while ((*p++ = *from++) != '\0') {
    }
    return to;
}

char *NX_LIBC(strncpy)(char *restrict to, const char *restrict from, size_t n)
{
    size_t len = NX_LIBC(strnlen)(from, n);
    NX_LIBC(memcpy)(to, from, len);
    NX_LIBC(memset)(to + len, 0, n - len);
    return to;
}

char *NX_LIBC(strcat)(char *restrict to, const char *restrict from)
{
    /* strcat has no bound to give. NOLINTNEXTLINE(clang-analyzer-security.insecureAPI.strcpy) */
    NX_LIBC(strcpy)(to + NX_LIBC(strlen)(to), from);
    return to;
}

size_t NX_LIBC(strlcpy)(char *restrict to, const char *restrict from, size_t size)
{
    size_t len = NX_LIBC(strlen)(from);
    if (size > 0) {
        size_t n = NX_MIN(len, size - 1);
        NX_LIBC(memcpy)(to, from, n);
        to[n] = '\0';
    }
    return len;
}

size_t NX_LIBC(strlcat)(char *restrict to, const char *restrict from, size_t size)
{
    size_t have = NX_LIBC(strnlen)(to, size);
    return have + NX_LIBC(strlcpy)(to + have, from, size - have);
}
