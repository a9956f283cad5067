/* Page frames and quotas: allocation, reference counts, runs, who pays. */
// test-sources: nucleus/core/*.c nucleus/arch/host/*.c lib/*.c
#include "nucleus_test.h"

static struct quota *quota(uint64_t pages)
{
    return quota_make(pages * PAGE, 1, 1);
}

static void a_page_is_charged_and_credited(void **state)
{
    struct quota *q = quota(2);
    uint64_t before = page_free_count();
    uint64_t a = page_alloc(q, 0);
    uint64_t b = page_alloc_zero(q, 0);
    assert_true(a != 0 && b != 0 && a != b);
    assert_int_equal(a % PAGE, 0);
    assert_int_equal(q->used, 2 * PAGE);
    assert_int_equal(page_free_count(), before - 2);
    assert_int_equal(page_alloc(q, 0), 0); /* the quota is used up */
    for (unsigned i = 0; i < PAGE; i++) {
        assert_int_equal(((char *)arch_phys(b))[i], 0);
    }
    page_unref(a);
    page_unref(b);
    assert_int_equal(q->used, 0);
    assert_int_equal(page_free_count(), before);
    quota_orphan(q);
    assert_false(q->taken);
}

static void the_reserve_is_left_alone(void **state)
{
    struct quota *q = quota(4);
    assert_int_equal(page_alloc(q, 4 * PAGE), 0);
    uint64_t a = page_alloc(q, 3 * PAGE);
    assert_int_not_equal(a, 0);
    assert_int_equal(page_alloc(q, 3 * PAGE), 0);
    assert_int_equal(page_alloc(q, ~0ul), 0); /* no overflow */
    page_unref(a);
    quota_orphan(q);
}

static void references_count(void **state)
{
    struct quota *q = quota(1);
    uint64_t a = page_alloc(q, 0);
    page_ref(a);
    page_ref(a);
    assert_int_equal(page_refs(a), 3);
    page_unref(a);
    page_unref(a);
    assert_int_equal(page_refs(a), 1);
    assert_int_equal(q->used, PAGE);
    page_unref(a);
    assert_int_equal(page_refs(a), 0);
    assert_int_equal(q->used, 0);
    quota_orphan(q);
}

static void an_orphan_lives_until_its_pages_are_gone(void **state)
{
    struct quota *q = quota(2);
    uint64_t a = page_alloc(q, 0);
    page_ref(a);
    quota_orphan(q);
    assert_true(q->taken);
    page_unref(a);
    assert_true(q->taken);
    page_unref(a);
    assert_false(q->taken);
}

static void what_is_no_memory_has_no_count(void **state)
{
    static const uint64_t none[] = {0, PAGE, 0x10000000, HOST_MEMORY_BASE - PAGE, ~0ul - PAGE + 1};
    for (unsigned i = 0; i < 5; i++) {
        assert_false(page_known(none[i]));
        page_ref(none[i]);
        page_unref(none[i]);
    }
    assert_false(page_known(machine.memory_end));
    assert_false(page_known(HOST_MEMORY_BASE)); /* inside, but never given to the allocator */
    page_ref(HOST_MEMORY_BASE);
    page_unref(HOST_MEMORY_BASE);
    assert_false(page_known(HOST_MEMORY_BASE));
}

static void runs_are_contiguous_and_zero(void **state)
{
    struct quota *q = quota(64);
    uint64_t hole[8];
    /* Make the free list ragged first. */
    for (unsigned i = 0; i < 8; i++) {
        hole[i] = page_alloc(q, 0);
    }
    for (unsigned i = 0; i < 8; i += 2) {
        page_unref(hole[i]);
    }
    uint64_t before = page_free_count();
    uint64_t a = page_alloc_contig(q, 16);
    assert_int_not_equal(a, 0);
    assert_int_equal(page_free_count(), before - 16);
    for (uint64_t i = 0; i < 16 * PAGE; i++) {
        assert_int_equal(((char *)arch_phys(a))[i], 0);
    }
    for (unsigned i = 1; i < 8; i += 2) {
        assert_true(hole[i] < a || hole[i] >= a + 16 * PAGE);
    }
    assert_int_equal(page_alloc_contig(q, 0), 0);
    assert_int_equal(page_alloc_contig(q, 64), 0);   /* quota */
    assert_int_equal(page_alloc_contig(q, ~0ul), 0); /* no overflow */
    assert_int_equal(page_alloc_contig(q, 1ul << 52), 0);
    assert_int_equal(page_free_count(), before - 16);
    for (unsigned i = 0; i < 16; i++) {
        assert_int_equal(page_refs(a + i * PAGE), 1);
        page_unref(a + i * PAGE);
    }
    for (unsigned i = 1; i < 8; i += 2) {
        page_unref(hole[i]);
    }
    assert_int_equal(q->used, 0);
    quota_orphan(q);
}

static void the_machine_can_be_used_up(void **state)
{
    struct quota *q = quota(1 << 20);
    uint64_t n = page_free_count();
    uint64_t *all = malloc(n * sizeof(*all));
    for (uint64_t i = 0; i < n; i++) {
        all[i] = page_alloc(q, 0);
        assert_int_not_equal(all[i], 0);
    }
    assert_int_equal(page_alloc(q, 0), 0);
    assert_int_equal(page_alloc_contig(q, 1), 0);
    assert_int_equal(q->used, n * PAGE);
    page_unref(all[n / 2]);
    assert_int_equal(page_alloc_contig(q, 2), 0);
    assert_int_equal(page_alloc_contig(q, 1), all[n / 2]);
    for (uint64_t i = 0; i < n; i++) {
        page_unref(all[i]);
    }
    free(all);
    assert_int_equal(page_free_count(), n);
    quota_orphan(q);
}

static void quotas_run_out(void **state)
{
    struct quota *q[QUOTAS] = {NULL};
    unsigned n = 0;
    while (n < QUOTAS && (q[n] = quota(1)) != NULL) {
        n++;
    }
    assert_int_equal(n, QUOTAS - 1); /* and the nucleus' own */
    quota_orphan(q[7]);
    struct quota *again = quota(3);
    assert_ptr_equal(again, q[7]);
    assert_int_equal(again->limit, 3 * PAGE);
    assert_false(again->orphan);
    for (unsigned i = 0; i < n; i++) {
        quota_orphan(q[i]);
    }
}

/* Random use of several quotas against an array of what each page should be. */
static void random_use_agrees_with_a_model(void **state)
{
    struct rng r = rng_seed(1);
    enum { PAGES = 400, PAYERS = 3 };
    struct {
        uint64_t pa;
        unsigned refs, payer;
    } *held = calloc(PAGES, sizeof(*held));
    struct quota *q[PAYERS];
    uint64_t used[PAYERS] = {0}, before = page_free_count(), out = 0;
    for (unsigned i = 0; i < PAYERS; i++) {
        q[i] = quota(150);
    }
    for (unsigned step = 0; step < 60000; step++) {
        unsigned i = (unsigned)rng_below(&r, PAGES), p = (unsigned)rng_below(&r, PAYERS);
        if (held[i].refs == 0) {
            uint64_t reserve = rng_below(&r, 2) * 10 * PAGE;
            uint64_t pa = page_alloc(q[p], reserve);
            assert_int_equal(pa != 0, (used[p] + 1) * PAGE + reserve <= 150 * PAGE);
            if (pa != 0) {
                held[i].pa = pa;
                held[i].refs = 1;
                held[i].payer = p;
                used[p]++;
                out++;
            }
        } else if (rng_below(&r, 2) == 0) {
            page_ref(held[i].pa);
            held[i].refs++;
        } else {
            page_unref(held[i].pa);
            if (--held[i].refs == 0) {
                used[held[i].payer]--;
                out--;
            }
        }
        assert_int_equal(page_refs(held[i].pa), held[i].pa != 0 ? held[i].refs : UINT32_MAX);
        held[i].pa = held[i].refs != 0 ? held[i].pa : 0;
        assert_int_equal(q[p]->used, used[p] * PAGE);
        assert_int_equal(page_free_count(), before - out);
    }
    for (unsigned i = 0; i < PAGES; i++) {
        for (; held[i].refs != 0; held[i].refs--) {
            page_unref(held[i].pa);
        }
    }
    for (unsigned i = 0; i < PAYERS; i++) {
        assert_int_equal(q[i]->used, 0);
        quota_orphan(q[i]);
    }
    free(held);
}

int main(void)
{
    test_boot(1, 8 * MIB);
    const struct CMUnitTest tests[] = {
        TEST(a_page_is_charged_and_credited),
        TEST(the_reserve_is_left_alone),
        TEST(references_count),
        TEST(an_orphan_lives_until_its_pages_are_gone),
        TEST(what_is_no_memory_has_no_count),
        TEST(runs_are_contiguous_and_zero),
        TEST(the_machine_can_be_used_up),
        TEST(quotas_run_out),
        TEST(random_use_agrees_with_a_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
