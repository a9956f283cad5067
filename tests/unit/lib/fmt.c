/*
 * fmt.c - vsnprintf against the system's, over all flags, widths, precisions and sizes.
 *
 * test-sources: lib/fmt.c lib/str.c lib/mem.c
 */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <nx_libc.h>

/* The same arguments to both, with no room, too little, just enough and more. Formats are made
 * at run time here, which is what the checks of the compiler cannot follow. */
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wmissing-format-attribute"

static void same(const char *fmt, ...)
{
    va_list ap;
    char want[512];
    va_start(ap, fmt);
    int length = vsnprintf(want, sizeof(want), fmt, ap);
    va_end(ap);
    assert_in_range(length, 0, sizeof(want) - 1);
    for (size_t size = 0; size <= (size_t)length + 2; size += size < 2 ? 1 : 17) {
        char *have = malloc(size);
        va_start(ap, fmt);
        int n = nx_vsnprintf(have, size, fmt, ap);
        va_end(ap);
        size_t kept = size == 0 ? 0 : (size_t)length < size ? (size_t)length : size - 1;
        if (n != length || (size > 0 && (memcmp(have, want, kept) != 0 || have[kept] != '\0'))) {
            fail_msg("\"%s\" size %zu: %d \"%.*s\", not %d \"%s\"", fmt, size, n, (int)kept, have,
                     length, want);
        }
        free(have);
    }
    va_start(ap, fmt);
    char *whole = malloc((size_t)length + 1);
    nx_vsnprintf(whole, (size_t)length + 1, fmt, ap);
    va_end(ap);
    assert_string_equal(whole, want);
    free(whole);
}

static const char *const widths[] = {"", "1", "5", "12", "30"};
static const char *const precisions[] = {"", ".", ".0", ".1", ".7", ".25"};

/* Calls back with every "%<flags><width><precision>". */
static void each_spec(void (*test)(const char *spec))
{
    static const char flag_chars[] = "-+ #0";
    for (unsigned flags = 0; flags < 32; flags++) {
        for (size_t w = 0; w < 5; w++) {
            for (size_t p = 0; p < 6; p++) {
                char spec[32] = "%";
                size_t n = 1;
                for (unsigned f = 0; f < 5; f++) {
                    if (flags >> f & 1) {
                        spec[n++] = flag_chars[f];
                    }
                }
                snprintf(spec + n, sizeof(spec) - n, "%s%s", widths[w], precisions[p]);
                test(spec);
            }
        }
    }
}

static void try_integers(const char *spec)
{
    static const uint64_t values[] = {
        0,
        1,
        7,
        8,
        42,
        127,
        128,
        255,
        65535,
        0x7fffffff,
        0x80000000,
        0xffffffff,
        0x7fffffffffffffff,
        0x8000000000000000,
        0xffffffffffffffff,
        0x123456789abcdef0,
    };
    static const char conversions[] = "diuxXo";
    static const char *const longs[] = {"l", "ll", "z", "j", "t"};
    /* Each spec gets a quarter of the values, another one than its neighbours. */
    static size_t turn;
    for (size_t v = turn++ % 4; v < sizeof(values) / sizeof(values[0]); v += 4) {
        for (const char *c = conversions; *c != '\0'; c++) {
            char fmt[64];
            snprintf(fmt, sizeof(fmt), "<%s%c>", spec, *c);
            same(fmt, (unsigned)values[v]);
            snprintf(fmt, sizeof(fmt), "<%sh%c>", spec, *c);
            same(fmt, (unsigned)values[v]);
            snprintf(fmt, sizeof(fmt), "<%shh%c>", spec, *c);
            same(fmt, (unsigned)values[v]);
            snprintf(fmt, sizeof(fmt), "<%s%s%c>", spec, longs[(v + turn) % 5], *c);
            same(fmt, values[v]);
        }
    }
}

static void integers(void **state)
{
    each_spec(try_integers);
}

static void try_strings(const char *spec)
{
    char fmt[64];
    if (strpbrk(spec + 1, "+ #") != NULL || spec[1] == '0' || spec[2] == '0') {
        return; /* undefined with %s and %c */
    }
    snprintf(fmt, sizeof(fmt), "<%ss>", spec);
    same(fmt, "");
    same(fmt, "hello");
    same(fmt, "a text that is longer than every width");
    if (strchr(spec, '.') == NULL) {
        snprintf(fmt, sizeof(fmt), "<%sc>", spec);
        same(fmt, 'x');
        same(fmt, '\0');
    }
}

static void strings(void **state)
{
    each_spec(try_strings);
}

/* A string that is not terminated may be printed with a precision. */
static void precision_bounds_reads(void **state)
{
    char *s = malloc(3);
    memcpy(s, "abc", 3);
    same("%.3s|%.2s|%.*s", s, s, 3, s);
    free(s);
}

static void stars(void **state)
{
    same("%*d|%-*d|%.*d|%*.*x", 8, 1, 8, 2, 5, 3, 10, 4, 0xab);
    same("%*d|%.*d|%.*s", -8, 1, -1, 2, -5, "all of it");
    same("%d%%%s%c%5u%%", 1, "two", '3', 4u);
}

static void pointers(void **state)
{
    char here, text[64];
    same("%p %20p %-20p|", (void *)&here, (void *)&here, (void *)0xdeadbeef);
    nx_snprintf(text, sizeof(text), "%p", NULL); /* ours: a number, unlike glibc's "(nil)" */
    assert_string_equal(text, "0x0");
}

static int ours(char *to, size_t size, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = nx_vsnprintf(to, size, fmt, ap);
    va_end(ap);
    return n;
}

static void null_string(void **state)
{
    char s[16];
    assert_int_equal(ours(s, sizeof(s), "%s", (char *)NULL), 6);
    assert_string_equal(s, "(null)");
}

static void unknown_stands_as_it_is(void **state)
{
    char s[32];
    assert_int_equal(ours(s, sizeof(s), "%d %5.1f %y%", 7), 11);
    assert_string_equal(s, "7 %5.1f %y%");
    ours(s, sizeof(s), "%n|%-", NULL);
    assert_string_equal(s, "%n|%-");
}

static void huge_widths_saturate(void **state)
{
    char s[4];
    assert_int_equal(ours(s, 0, "%2147483647d", 1), INT_MAX);
    assert_int_equal(ours(s, sizeof(s), "%99999999999999999999d|%*d", 1, INT_MIN, 2), INT_MAX);
    assert_string_equal(s, "   ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers),
        cmocka_unit_test(strings),
        cmocka_unit_test(precision_bounds_reads),
        cmocka_unit_test(stars),
        cmocka_unit_test(pointers),
        cmocka_unit_test(null_string),
        cmocka_unit_test(unknown_stands_as_it_is),
        cmocka_unit_test(huge_widths_saturate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
