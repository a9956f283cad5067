/*
 * base.c - bits, alignment, checked arithmetic, lists and CRC-32.
 *
 * test-sources: lib/crc32.c
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <nx_base.h>
#include <nx_crc32.h>
#include <nx_list.h>

static void bits_match_builtins(void **state)
{
    assert_int_equal(nx_ctz64(0), 64);
    assert_int_equal(nx_clz64(0), 64);
    assert_int_equal(nx_ctz32(0), 32);
    assert_int_equal(nx_clz32(0), 32);
    assert_int_equal(nx_popcount64(0), 0);
    uint64_t x = 1;
    for (int i = 0; i < 100000; i++) {
        uint64_t v = i < 64 ? 1ull << i : i < 128 ? ~0ull << (i - 64) : x >> (x >> 58);
        x = x * 6364136223846793005u + 1442695040888963407u;
        if (v == 0) {
            continue;
        }
        assert_int_equal(nx_ctz64(v), __builtin_ctzll(v));
        assert_int_equal(nx_clz64(v), __builtin_clzll(v));
        assert_int_equal(nx_log2(v), 63 - __builtin_clzll(v));
        assert_int_equal(nx_popcount64(v), __builtin_popcountll(v));
        assert_int_equal(nx_is_pow2(v), __builtin_popcountll(v) == 1);
        if ((uint32_t)v != 0) {
            assert_int_equal(nx_ctz32((uint32_t)v), __builtin_ctz((uint32_t)v));
            assert_int_equal(nx_clz32((uint32_t)v), __builtin_clz((uint32_t)v));
        }
    }
}

static void alignment(void **state)
{
    uint64_t out;
    assert_int_equal(ALIGN_UP(4097u, 4096), 8192);
    assert_int_equal(ALIGN_UP((uint64_t)0x100000001, 4096), 0x100001000);
    assert_int_equal(ALIGN_DOWN((uint64_t)0x1fffffffff, 4096), 0x1ffffff000);
    assert_true(IS_ALIGNED(8192u, 4096));
    assert_false(nx_align_up(UINT64_MAX - 4095, 4096, &out));
    assert_int_equal(out, UINT64_MAX - 4095);
    assert_true(nx_align_up(UINT64_MAX - 4094, 4096, &out));
}

static void bounds(void **state)
{
    assert_true(nx_in_bounds(0, 0, 0));
    assert_true(nx_in_bounds(10, 0, 10));
    assert_true(nx_in_bounds(9, 1, 10));
    assert_false(nx_in_bounds(10, 1, 10));
    assert_false(nx_in_bounds(1, UINT64_MAX, 10));
    assert_false(nx_in_bounds(UINT64_MAX, 1, 10));
    int n;
    assert_true(nx_add_overflow(INT32_MAX, 1, &n));
    assert_true(nx_mul_overflow(INT32_MAX, 2, &n));
    assert_true(nx_sub_overflow(0u, 1u, &(unsigned){0}));
    assert_false(nx_add_overflow(1, 1, &n));
    assert_int_equal(n, 2);
}

static void min_max_evaluate_once(void **state)
{
    int i = 0;
    /* typeof does not evaluate. NOLINTBEGIN(bugprone-macro-repeated-side-effects) */
    assert_int_equal(NX_MIN(i++, 5), 0);
    assert_int_equal(i, 1);
    assert_int_equal(NX_MAX(i++, 0), 1);
    /* NOLINTEND(bugprone-macro-repeated-side-effects) */
    assert_int_equal(i, 2);
}

struct item {
    int n;
    struct list link;
};

static int digits(struct list *head)
{
    int all = 0;
    list_for_each(node, head)
    {
        all = all * 10 + list_entry(node, struct item, link)->n;
    }
    return all;
}

static void lists(void **state)
{
    struct list a = LIST_INIT(a), b;
    struct item item[6];
    list_init(&b);
    assert_true(list_is_empty(&a));
    assert_null(list_pop_front(&a));
    assert_null(list_first(&a, struct item, link));
    for (int i = 0; i < 6; i++) {
        item[i].n = i + 1;
        list_push_back(i < 3 ? &a : &b, &item[i].link);
    }
    list_splice_back(&a, &b);
    assert_true(list_is_empty(&b));
    assert_int_equal(digits(&a), 123456);
    list_splice_back(&a, &b);
    assert_int_equal(digits(&a), 123456);
    list_remove(&item[2].link);
    list_remove(&item[2].link); /* on no list: harmless */
    list_push_front(&a, &item[2].link);
    assert_int_equal(digits(&a), 312456);
    assert_int_equal(list_first(&a, struct item, link)->n, 3);
    list_for_each_safe(node, &a)
    {
        if (list_entry(node, struct item, link)->n % 2 == 0) {
            list_remove(node);
        }
    }
    assert_int_equal(digits(&a), 315);
    assert_ptr_equal(list_pop_front(&a), &item[2].link);
    assert_true(list_is_empty(&item[2].link));
    assert_int_equal(digits(&a), 15);
}

static void crc32_known_and_in_pieces(void **state)
{
    const char *s = "123456789";
    assert_int_equal(nx_crc32(0, s, 9), 0xcbf43926);
    assert_int_equal(nx_crc32(0, "", 0), 0);
    for (size_t cut = 0; cut <= 9; cut++) {
        assert_int_equal(nx_crc32(nx_crc32(0, s, cut), s + cut, 9 - cut), 0xcbf43926);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bits_match_builtins),
        cmocka_unit_test(alignment),
        cmocka_unit_test(bounds),
        cmocka_unit_test(min_max_evaluate_once),
        cmocka_unit_test(lists),
        cmocka_unit_test(crc32_known_and_in_pieces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
