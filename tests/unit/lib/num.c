/*
 * num.c - strtoul and relatives against the system's, on odd and on random texts.
 *
 * test-sources: lib/num.c
 */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <nx_libc.h>

static void compare(const char *s, int base)
{
    char *have_end, *want_end;
    unsigned long have = nx_strtoul(s, &have_end, base), want = strtoul(s, &want_end, base);
    if (have != want || have_end != want_end) {
        fail_msg("strtoul(\"%s\", %d): %lx, not %lx; stopped at %td, not %td", s, base, have, want,
                 have_end - s, want_end - s);
    }
    long shave = nx_strtol(s, &have_end, base), swant = strtol(s, &want_end, base);
    if (shave != swant || have_end != want_end) {
        fail_msg("strtol(\"%s\", %d): %ld, not %ld", s, base, shave, swant);
    }
    assert_true(nx_strtoull(s, NULL, base) == strtoull(s, NULL, base));
    assert_true(nx_strtoll(s, NULL, base) == strtoll(s, NULL, base));
}

static void chosen_texts(void **state)
{
    static const char *const texts[] = {
        "",
        " ",
        "-",
        "+",
        "0",
        "-0",
        "00",
        "08",
        "0x",
        "0xg",
        "0X1f",
        "0x1F",
        "-0x10",
        "+17",
        "+-1",
        " \t\n\v\f\r42",
        "12ab",
        "zz",
        "ZZ",
        "1:2",
        "1/2",
        "18446744073709551615",
        "18446744073709551616",
        "-18446744073709551615",
        "-18446744073709551616",
        "9223372036854775807",
        "9223372036854775808",
        "-9223372036854775808",
        "-9223372036854775809",
        "99999999999999999999999999",
        "0xffffffffffffffff",
        "0x10000000000000000",
        "01777777777777777777777",
        "02000000000000000000000",
        "1@",
        "1[",
        "1`",
        "1{",
        "\xb1",
        "a",
        "-a",
    };
    static const int bases[] = {0, 2, 3, 8, 10, 16, 35, 36};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        for (size_t b = 0; b < sizeof(bases) / sizeof(bases[0]); b++) {
            compare(texts[i], bases[b]);
        }
    }
}

static void random_texts(void **state)
{
    static const char set[] = "0123456789abcfxzXAF-+ 7700";
    srand(1);
    for (int i = 0; i < 200000; i++) {
        char s[28];
        int n = rand() % 27;
        for (int k = 0; k < n; k++) {
            s[k] = set[(size_t)rand() % (sizeof(set) - 1)];
        }
        s[n] = '\0';
        int base = rand() % 36;
        compare(s, base == 1 ? 0 : base);
    }
}

static void bad_base_reads_nothing(void **state)
{
    char *end;
    const char *s = "12";
    assert_int_equal(nx_strtoul(s, &end, 1), 0);
    assert_ptr_equal(end, s);
    assert_int_equal(nx_strtoul(s, &end, 37), 0);
    assert_ptr_equal(end, s);
    assert_int_equal(nx_strtoul(s, &end, -1), 0);
    assert_ptr_equal(end, s);
}

static void atoi_is_decimal(void **state)
{
    assert_int_equal(nx_atoi(" -12x"), -12);
    assert_int_equal(nx_atoi("010"), 10);
    assert_int_equal(nx_atoi("x"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chosen_texts),
        cmocka_unit_test(random_texts),
        cmocka_unit_test(bad_base_reads_nothing),
        cmocka_unit_test(atoi_is_decimal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
