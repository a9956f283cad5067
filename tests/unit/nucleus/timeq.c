/* The heap of sleep deadlines against a sorted array. */
// test-sources: nucleus/core/*.c nucleus/arch/host/*.c lib/*.c
#include "nucleus_test.h"

enum { FIBERS = 300 };
static struct fiber fibers[FIBERS];

static unsigned heap_size(const struct fiber *f)
{
    unsigned n = 0;
    for (; f != NULL; f = f->heap_next) {
        if (f->heap_child != NULL) {
            assert_ptr_equal(f->heap_child->heap_prev, f);
            assert_true(f->heap_child->deadline >= f->deadline);
        }
        if (f->heap_next != NULL) {
            assert_ptr_equal(f->heap_next->heap_prev, f);
        }
        n += 1 + heap_size(f->heap_child);
    }
    return n;
}

static void add(struct hart *h, unsigned i, uint64_t deadline)
{
    fibers[i].deadline = deadline;
    timeq_add(h, &fibers[i]);
}

static uint64_t least(const struct hart *h)
{
    uint64_t best = NX_NEVER;
    for (unsigned i = 0; i < FIBERS; i++) {
        if (fibers[i].heap_hart == h && fibers[i].deadline < best) {
            best = fibers[i].deadline;
        }
    }
    return best;
}

static void agree(const struct hart *h, unsigned count)
{
    const struct fiber *first = timeq_first(h);
    assert_int_equal(first != NULL ? first->deadline : NX_NEVER, least(h));
    assert_int_equal(heap_size(first), count);
    assert_true(first == NULL || (first->heap_next == NULL && first->heap_prev == NULL));
}

static void they_come_out_in_order(void **state)
{
    static const uint64_t order[][5] = {{1, 2, 3, 4, 5},
                                        {5, 4, 3, 2, 1},
                                        {3, 1, 4, 1, 5},
                                        {7, 7, 7, 7, 7},
                                        {0, NX_NEVER - 1, 0, 9, 2}};
    for (unsigned o = 0; o < 5; o++) {
        uint64_t last = 0;
        for (unsigned i = 0; i < 5; i++) {
            add(&harts[0], i, order[o][i]);
            agree(&harts[0], i + 1);
        }
        for (unsigned n = 5; n > 0; n--) {
            struct fiber *f = timeq_first(&harts[0]);
            assert_true(f->deadline >= last);
            last = f->deadline;
            timeq_remove(f);
            agree(&harts[0], n - 1);
        }
    }
}

static void removing_twice_does_no_harm(void **state)
{
    add(&harts[0], 0, 5);
    add(&harts[0], 1, 3);
    timeq_remove(&fibers[0]);
    timeq_remove(&fibers[0]);
    agree(&harts[0], 1);
    timeq_remove(&fibers[1]);
    timeq_remove(&fibers[1]);
    agree(&harts[0], 0);
}

static void random_use_of_two_heaps_agrees_with_a_model(void **state)
{
    struct rng r = rng_seed(5);
    unsigned count[2] = {0, 0};
    for (unsigned step = 0; step < 20000; step++) {
        unsigned i = (unsigned)rng_below(&r, FIBERS);
        struct fiber *f = &fibers[i];
        if (rng_below(&r, 40) == 0) {
            /* As the timer does: take several that are due. */
            unsigned h = (unsigned)rng_below(&r, 2);
            for (unsigned n = 0; n < 20 && (f = timeq_first(&harts[h])) != NULL; n++) {
                timeq_remove(f);
                count[h]--;
                agree(&harts[h], count[h]);
            }
        } else if (f->heap_hart == NULL) {
            unsigned h = (unsigned)rng_below(&r, 2);
            add(&harts[h], i, rng_below(&r, rng_below(&r, 2) ? 10 : 1000000));
            count[h]++;
        } else {
            count[f->heap_hart->index]--;
            timeq_remove(f);
            assert_null(f->heap_hart);
        }
        if (step % 8 == 0) {
            agree(&harts[0], count[0]);
            agree(&harts[1], count[1]);
        }
    }
    for (unsigned i = 0; i < FIBERS; i++) {
        timeq_remove(&fibers[i]);
    }
    agree(&harts[0], 0);
    agree(&harts[1], 0);
}

int main(void)
{
    test_boot(2, 4 * MIB);
    const struct CMUnitTest tests[] = {
        TEST(they_come_out_in_order),
        TEST(removing_twice_does_no_harm),
        TEST(random_use_of_two_heaps_agrees_with_a_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
