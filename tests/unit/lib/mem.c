/*
 * mem.c - memcpy, memmove, memset, memcmp, memchr, memrchr at every alignment.
 *
 * Buffers are heap blocks of the exact size, so that AddressSanitizer sees a byte read or written
 * too far.
 *
 * test-sources: lib/mem.c
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <nx_libc.h>

enum { ALIGNS = 16, LENGTHS = 200 };

static void fill(uint8_t *p, size_t n, unsigned seed)
{
    for (size_t i = 0; i < n; i++) {
        p[i] = (uint8_t)(i * 31 + seed * 7 + (i >> 3));
    }
}

static void memcpy_all_alignments(void **state)
{
    for (size_t a = 0; a < ALIGNS; a++) {
        for (size_t b = 0; b < ALIGNS; b++) {
            for (size_t n = 0; n < LENGTHS; n++) {
                uint8_t *from = malloc(a + n);
                uint8_t *to = malloc(b + n);
                fill(from, a + n, (unsigned)n);
                memset(to, 0xee, b + n);
                assert_ptr_equal(nx_memcpy(to + b, from + a, n), to + b);
                assert_true(memcmp(to + b, from + a, n) == 0);
                for (size_t i = 0; i < b; i++) {
                    assert_int_equal(to[i], 0xee);
                }
                free(from);
                free(to);
            }
        }
    }
}

static void memmove_all_overlaps(void **state)
{
    enum { ROOM = 320 };
    uint8_t have[ROOM], want[ROOM];
    for (size_t from = 0; from < 96; from++) {
        for (size_t to = 0; to < 96; to++) {
            for (size_t n = 0; n < LENGTHS; n += n < 40 ? 1 : 7) {
                uint8_t *exact = malloc(96 + n);
                fill(exact, 96 + n, (unsigned)from);
                memcpy(have, exact, 96 + n);
                memcpy(want, exact, 96 + n);
                memmove(want + to, want + from, n);
                assert_ptr_equal(nx_memmove(exact + to, exact + from, n), exact + to);
                assert_true(memcmp(exact, want, 96 + n) == 0);
                free(exact);
            }
        }
    }
}

/* Where the low end is the start of the block: a read before it would be seen. */
static void memmove_down_exact(void **state)
{
    for (size_t shift = 1; shift < 24; shift++) {
        for (size_t n = 16; n < LENGTHS; n++) {
            uint8_t *p = malloc(n + shift);
            uint8_t want[LENGTHS];
            fill(p, n + shift, (unsigned)shift);
            memcpy(want, p, n);
            nx_memmove(p + shift, p, n);
            assert_true(memcmp(p + shift, want, n) == 0);
            free(p);
        }
    }
}

static void memset_all_alignments(void **state)
{
    for (size_t a = 0; a < ALIGNS; a++) {
        for (size_t n = 0; n < LENGTHS; n++) {
            uint8_t *p = malloc(a + n + 1);
            memset(p, 0x11, a + n + 1);
            assert_ptr_equal(nx_memset(p + a, (int)(0xffffff00u | 0xa5), n), p + a);
            for (size_t i = 0; i < a + n + 1; i++) {
                assert_int_equal(p[i], i >= a && i < a + n ? 0xa5 : 0x11);
            }
            free(p);
        }
    }
}

static int sign(int x)
{
    return (x > 0) - (x < 0);
}

static void memcmp_every_difference(void **state)
{
    for (size_t a = 0; a < 9; a++) {
        for (size_t b = 0; b < 9; b++) {
            for (size_t n = 0; n < 70; n++) {
                uint8_t *p = malloc(a + n), *q = malloc(b + n);
                memset(p, 0x7f, a + n);
                memset(q, 0x7f, b + n);
                assert_int_equal(nx_memcmp(p + a, q + b, n), 0);
                for (size_t i = 0; i < n; i++) {
                    q[b + i] = 0x80; /* greater only when compared unsigned */
                    assert_int_equal(sign(nx_memcmp(p + a, q + b, n)), -1);
                    assert_int_equal(sign(nx_memcmp(q + b, p + a, n)), 1);
                    q[b + i] = 0x7f;
                }
                free(p);
                free(q);
            }
        }
    }
}

static void memcmp_first_difference_counts(void **state)
{
    uint8_t p[40] = {0}, q[40] = {0};
    p[9] = 1;
    q[10] = 2;
    assert_true(nx_memcmp(p, q, sizeof(p)) > 0);
}

static void memchr_finds_first_and_last(void **state)
{
    const char *s = "abcabc";
    assert_ptr_equal(nx_memchr(s, 'b', 6), s + 1);
    assert_ptr_equal(nx_memrchr(s, 'b', 6), s + 4);
    assert_ptr_equal(nx_memchr(s, 'b' + 256, 6), s + 1);
    assert_null(nx_memchr(s, 'c', 2));
    assert_null(nx_memchr(s, 'a', 0));
    assert_null(nx_memrchr(s, 'z', 6));
    assert_null(nx_memrchr(s, 'a', 0));
}

/* Every alignment, length and place; what is outside, and looks like it, does not count. */
static void memchr_everywhere(void **state)
{
    uint8_t b[64];
    for (unsigned from = 8; from < 24; from++) {
        for (unsigned n = 0; n < 32; n++) {
            for (unsigned at = from; at <= from + n; at++) {
                memset(b, 0x80, sizeof(b));
                memset(b, 0, from);
                b[at] = 0;
                assert_ptr_equal(nx_memchr(b + from, 0, n), at < from + n ? b + at : NULL);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memcpy_all_alignments),
        cmocka_unit_test(memmove_all_overlaps),
        cmocka_unit_test(memmove_down_exact),
        cmocka_unit_test(memset_all_alignments),
        cmocka_unit_test(memcmp_every_difference),
        cmocka_unit_test(memcmp_first_difference_counts),
        cmocka_unit_test(memchr_finds_first_and_last),
        cmocka_unit_test(memchr_everywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
