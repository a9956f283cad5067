/*
 * str.c - the string functions against the system's, and those it may lack against words.
 *
 * test-sources: lib/str.c lib/mem.c
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <cmocka.h>

#include <nx_libc.h>

static const char *const words[] = {
    "", "a", "A", "ab", "abc", "aBc", "ABD", "b", "\x80", "\x7f", "aab", "aaab", "a,b;c", "zzzz",
};
enum { WORDS = sizeof(words) / sizeof(words[0]) };

static int sign(int x)
{
    return (x > 0) - (x < 0);
}

static void pairs_match_system(void **state)
{
    for (int i = 0; i < WORDS; i++) {
        for (int j = 0; j < WORDS; j++) {
            const char *a = words[i], *b = words[j];
            assert_int_equal(sign(nx_strcmp(a, b)), sign(strcmp(a, b)));
            assert_int_equal(sign(nx_strcasecmp(a, b)), sign(strcasecmp(a, b)));
            assert_ptr_equal(nx_strstr(a, b), strstr(a, b));
            assert_int_equal(nx_strspn(a, b), strspn(a, b));
            assert_int_equal(nx_strcspn(a, b), strcspn(a, b));
            for (size_t n = 0; n < 6; n++) {
                assert_int_equal(sign(nx_strncmp(a, b, n)), sign(strncmp(a, b, n)));
                assert_int_equal(sign(nx_strncasecmp(a, b, n)), sign(strncasecmp(a, b, n)));
            }
        }
    }
}

static void singles_match_system(void **state)
{
    for (int i = 0; i < WORDS; i++) {
        const char *a = words[i];
        assert_int_equal(nx_strlen(a), strlen(a));
        for (int c = 0; c < 256; c++) {
            assert_ptr_equal(nx_strchr(a, c), strchr(a, c));
            assert_ptr_equal(nx_strrchr(a, c), strrchr(a, c));
            assert_ptr_equal(nx_strchrnul(a, c), strchrnul(a, c));
        }
        for (size_t n = 0; n < 6; n++) {
            char have[8], want[8];
            assert_int_equal(nx_strnlen(a, n), strnlen(a, n));
            memset(have, 'x', sizeof(have));
            memset(want, 'x', sizeof(want));
            nx_strncpy(have, a, n);
            for (size_t k = 0; k < n; k++) {
                want[k] = k < strlen(a) ? a[k] : '\0';
            }
            assert_memory_equal(have, want, sizeof(have));
        }
    }
}

/* A string without NUL at the end of a heap block: n must be respected to the byte. */
static void bounded_reads_stay_inside(void **state)
{
    char *p = malloc(5);
    memcpy(p, "abcde", 5);
    assert_int_equal(nx_strnlen(p, 5), 5);
    assert_int_equal(nx_strncmp(p, p, 5), 0);
    char to[5];
    nx_strncpy(to, p, 5);
    assert_memory_equal(to, p, 5);
    free(p);
}

static void copies(void **state)
{
    char to[8];
    assert_ptr_equal(nx_strcpy(to, "abc"), to);
    assert_ptr_equal(nx_strcat(to, "def"), to);
    assert_string_equal(to, "abcdef");
}

static void strlcpy_cuts_and_tells(void **state)
{
    char to[4] = "xyz";
    assert_int_equal(nx_strlcpy(to, "ab", 4), 2);
    assert_string_equal(to, "ab");
    assert_int_equal(nx_strlcpy(to, "abcdef", 4), 6);
    assert_string_equal(to, "abc");
    assert_int_equal(nx_strlcpy(to, "zz", 0), 2);
    assert_string_equal(to, "abc");
    assert_int_equal(nx_strlcpy(to, "zz", 1), 2);
    assert_string_equal(to, "");
}

static void strlcat_cuts_and_tells(void **state)
{
    char to[6] = "ab";
    assert_int_equal(nx_strlcat(to, "cd", 6), 4);
    assert_string_equal(to, "abcd");
    assert_int_equal(nx_strlcat(to, "efg", 6), 7);
    assert_string_equal(to, "abcde");
    assert_int_equal(nx_strlcat(to, "x", 3), 4); /* size smaller than what is there: untouched */
    assert_string_equal(to, "abcde");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pairs_match_system),        cmocka_unit_test(singles_match_system),
        cmocka_unit_test(bounded_reads_stay_inside), cmocka_unit_test(copies),
        cmocka_unit_test(strlcpy_cuts_and_tells),    cmocka_unit_test(strlcat_cuts_and_tells),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
