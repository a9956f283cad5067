/* Pools and handle tables: objects come zeroed and apart, a handle names one life of an index. */
// test-sources: nucleus/core/*.c nucleus/arch/host/*.c lib/*.c
#include "nucleus_test.h"

#include "pool.h"

struct thing {
    uint64_t a[5];
};
static struct pool things = POOL("thing", struct thing);

static void objects_are_zero_and_apart(void **state)
{
    enum { COUNT = 500 };
    struct thing *t[COUNT];
    for (unsigned round = 0; round < 3; round++) {
        uint64_t used = nucleus_quota->used;
        for (unsigned i = 0; i < COUNT; i++) {
            t[i] = pool_alloc(&things);
            assert_non_null(t[i]);
            assert_int_equal((uintptr_t)t[i] % 16, 0);
            for (unsigned k = 0; k < 5; k++) {
                assert_int_equal(t[i]->a[k], 0);
                t[i]->a[k] = i;
            }
        }
        assert_int_equal(things.live, COUNT);
        for (unsigned i = 0; i < COUNT; i++) {
            for (unsigned k = 0; k < 5; k++) {
                assert_int_equal(t[i]->a[k], i);
            }
            pool_free(&things, t[i]);
        }
        assert_int_equal(things.live, 0);
        if (round > 0) {
            assert_int_equal(nucleus_quota->used, used); /* the pages stayed */
        }
    }
}

static void a_pool_without_memory_says_so(void **state)
{
    struct pool p = POOL("page", char[4000]);
    uint64_t limit = nucleus_quota->limit;
    nucleus_quota->limit = nucleus_quota->used;
    assert_null(pool_alloc(&p));
    nucleus_quota->limit += PAGE;
    void *one = pool_alloc(&p);
    assert_non_null(one);
    assert_null(pool_alloc(&p));
    pool_free(&p, one);
    assert_ptr_equal(pool_alloc(&p), one);
    nucleus_quota->limit = limit;
}

static struct handles table;

static void a_handle_names_one_life(void **state)
{
    int x, y;
    uint64_t a = handle_make(&table, &x);
    assert_int_not_equal(a, 0);
    assert_ptr_equal(handle_get(&table, a), &x);
    handle_drop(&table, a);
    assert_null(handle_get(&table, a));
    uint64_t b = handle_make(&table, &y);
    assert_int_equal(b & 0xffff, a & 0xffff); /* the index is used again */
    assert_int_not_equal(a, b);
    assert_null(handle_get(&table, a));
    assert_ptr_equal(handle_get(&table, b), &y);
    handle_drop(&table, b);
}

static void wild_handles_name_nothing(void **state)
{
    int x;
    uint64_t a = handle_make(&table, &x);
    assert_null(handle_get(&table, 0));
    assert_null(handle_get(&table, a + 1));
    assert_null(handle_get(&table, a ^ 0x10000));
    assert_null(handle_get(&table, a | 1ul << 48));
    assert_null(handle_get(&table, a | 1ul << 63));
    assert_null(handle_get(&table, 0xffff));
    assert_null(handle_get(&table, ~0ul));
    assert_null(handle_get(&table, HANDLES_MAX));
    handle_drop(&table, a);
}

static void a_full_table_says_so(void **state)
{
    static struct handles full;
    int x;
    unsigned n = 0;
    uint64_t first = handle_make(&full, &x);
    while (handle_make(&full, &x) != 0) {
        n++;
    }
    assert_int_equal(n + 1, HANDLES_MAX - 1);
    assert_ptr_equal(handle_get(&full, first), &x);
    handle_drop(&full, first);
    uint64_t again = handle_make(&full, &x);
    assert_int_equal(again, first + 0x10000);
    assert_int_equal(handle_make(&full, &x), 0);
}

static void a_table_without_memory_says_so(void **state)
{
    static struct handles t;
    int x;
    uint64_t limit = nucleus_quota->limit;
    nucleus_quota->limit = nucleus_quota->used;
    assert_int_equal(handle_make(&t, &x), 0);
    nucleus_quota->limit = limit;
    assert_int_not_equal(handle_make(&t, &x), 0);
}

static void random_use_agrees_with_a_model(void **state)
{
    static struct handles t;
    enum { COUNT = 700 };
    static uint64_t live[COUNT], dead[COUNT];
    static int object[COUNT];
    struct rng r = rng_seed(4);
    for (unsigned step = 0; step < 100000; step++) {
        unsigned i = (unsigned)rng_below(&r, COUNT);
        if (live[i] == 0) {
            live[i] = handle_make(&t, &object[i]);
            assert_int_not_equal(live[i], dead[i]);
        } else if (rng_below(&r, 3) == 0) {
            handle_drop(&t, live[i]);
            dead[i] = live[i];
            live[i] = 0;
        }
        unsigned k = (unsigned)rng_below(&r, COUNT);
        if (live[k] != 0) {
            assert_ptr_equal(handle_get(&t, live[k]), &object[k]);
        }
        assert_null(handle_get(&t, dead[k]));
    }
}

int main(void)
{
    test_boot(1, 8 * MIB);
    const struct CMUnitTest tests[] = {
        TEST(objects_are_zero_and_apart),     TEST(a_pool_without_memory_says_so),
        TEST(a_handle_names_one_life),        TEST(wild_handles_name_nothing),
        TEST(a_full_table_says_so),           TEST(a_table_without_memory_says_so),
        TEST(random_use_agrees_with_a_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
