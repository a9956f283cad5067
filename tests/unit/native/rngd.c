/* rngd: the health tests of the source, and when the generator is seeded.
 */
// test-sources: native/rngd/health.c native/rngd/seed.c lib/rng.c lib/chacha20.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../../native/rngd/seed.h"

static struct health_test t;
static struct seed s;

static int begin(void **state)
{
    memset(&t, 0, sizeof(t));
    seed_init(&s);
    srandom(42);
    return 0;
}

static void fill(uint8_t *to, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        to[i] = (uint8_t)(random() >> 7);
    }
}

/* ---- health ---- */

static void a_good_source_passes(void **state)
{
    static uint8_t bytes[1 << 20];
    fill(bytes, sizeof(bytes));
    assert_int_equal(health_test(&t, bytes, sizeof(bytes)), HEALTH_GOOD);
    assert_int_equal(t.bytes, sizeof(bytes));
}

/* Also one that gives no more than it is credited with: 4 bits in every byte. */
static void a_source_of_four_bits_passes(void **state)
{
    static uint8_t bytes[1 << 20];
    fill(bytes, sizeof(bytes));
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] &= 0x0f;
    }
    assert_int_equal(health_test(&t, bytes, sizeof(bytes)), HEALTH_GOOD);
}

static void repetition(void **state)
{
    uint8_t bytes[64];
    fill(bytes, sizeof(bytes));
    bytes[19] = 6;
    memset(bytes + 20, 7, HEALTH_REPEATS - 1);
    bytes[20 + HEALTH_REPEATS - 1] = 8;
    assert_int_equal(health_test(&t, bytes, sizeof(bytes)), HEALTH_GOOD); /* one less is none */
    bytes[20 + HEALTH_REPEATS - 1] = 7;
    memset(&t, 0, sizeof(t));
    assert_int_equal(health_test(&t, bytes, 20 + HEALTH_REPEATS - 1), HEALTH_GOOD);
    assert_int_equal(health_test(&t, bytes + 20 + HEALTH_REPEATS - 1, 1), HEALTH_STUCK);
    assert_int_equal(t.bytes, 20 + HEALTH_REPEATS);
    /* It stays so. */
    fill(bytes, sizeof(bytes));
    assert_int_equal(health_test(&t, bytes, sizeof(bytes)), HEALTH_STUCK);
}

static void a_dead_source(void **state)
{
    static const uint8_t zeros[HEALTH_REPEATS], ones[HEALTH_REPEATS] = {[0 ... 8] = 0xff};
    assert_int_equal(health_test(&t, zeros, sizeof(zeros)), HEALTH_STUCK);
    memset(&t, 0, sizeof(t));
    assert_int_equal(health_test(&t, ones, sizeof(ones)), HEALTH_STUCK);
}

/* A byte that comes too often, but never twice in a row. */
static void proportion(void **state)
{
    uint8_t bytes[HEALTH_WINDOW];
    for (unsigned often = HEALTH_EQUAL - 1; often <= HEALTH_EQUAL; often++) {
        for (unsigned i = 0; i < HEALTH_WINDOW; i++) {
            bytes[i] = i < 2 * often && i % 2 == 0 ? 1 : (uint8_t)(2 + i % 200);
        }
        memset(&t, 0, sizeof(t));
        assert_int_equal(health_test(&t, bytes, sizeof(bytes)),
                         often < HEALTH_EQUAL ? HEALTH_GOOD : HEALTH_BIASED);
    }
    /* Two windows have half of it each: that is no failure. */
    memset(&t, 0, sizeof(t));
    for (unsigned i = 0; i < HEALTH_WINDOW; i++) {
        bytes[i] = i % 8 == 0 ? 1 : (uint8_t)(2 + i % 200);
    }
    assert_int_equal(health_test(&t, bytes, sizeof(bytes)), HEALTH_GOOD);
    assert_int_equal(health_test(&t, bytes, sizeof(bytes)), HEALTH_GOOD);
}

/* ---- seeding ---- */

/* As rngd does it: feed what is wanted, in pieces.  False: the source is not asked any more. */
static bool feed(size_t piece, uint64_t now, uint8_t mask)
{
    uint8_t bytes[SEED_ASK];
    uint32_t n = seed_wants(&s, now);
    if (n == 0) {
        return false;
    }
    assert_true(n <= SEED_ASK);
    n = n < piece ? n : (uint32_t)piece;
    fill(bytes, n);
    for (uint32_t i = 0; i < n; i++) {
        bytes[i] &= mask;
    }
    (void)seed_feed(&s, bytes, n, now);
    return true;
}

static void nothing_before_the_seed(void **state)
{
    uint8_t out[32], before[32];
    memset(out, 0xaa, sizeof(out));
    memcpy(before, out, sizeof(out));
    uint32_t fed = 0;
    while (!s.seeded) {
        assert_false(seed_give(&s, out, sizeof(out)));
        assert_memory_equal(out, before, sizeof(out));
        assert_true(feed(31, 5, 0xff));
        fed += 31;
        assert_true(s.seeded == (fed >= SEED_START));
    }
    assert_int_equal(s.count, 1);
    assert_true(seed_give(&s, out, sizeof(out)));
    assert_memory_not_equal(out, before, sizeof(out));
    assert_false(feed(31, 5, 0xff)); /* nothing more is asked for */
}

static void seeded(uint64_t now)
{
    while (feed(SEED_ASK, now, 0xff)) {
    }
    assert_true(s.seeded);
}

static void first_seed_is_told(void **state)
{
    uint8_t bytes[SEED_START];
    fill(bytes, sizeof(bytes));
    assert_false(seed_feed(&s, bytes, SEED_START - 1, 0));
    assert_true(seed_feed(&s, bytes + SEED_START - 1, 1, 0));
    fill(bytes, sizeof(bytes));
    assert_false(seed_feed(&s, bytes, 64, 0)); /* more than was asked for */
}

static void reseeds_after_bytes(void **state)
{
    static uint8_t out[65536];
    seeded(1000);
    for (unsigned i = 0; i < SEED_BYTES / sizeof(out); i++) {
        assert_int_equal(seed_wants(&s, 1000), 0);
        assert_true(seed_give(&s, out, sizeof(out)));
    }
    assert_int_equal(seed_wants(&s, 1000), SEED_AGAIN);
    assert_true(feed(20, 1000, 0xff));
    assert_true(seed_give(&s, out, sizeof(out))); /* meanwhile it goes on giving */
    assert_int_equal(seed_wants(&s, 1000), SEED_AGAIN - 20);
    seeded(1000);
    assert_int_equal(s.count, 2);
    assert_int_equal(seed_wants(&s, 1000), 0);
}

static void reseeds_after_time(void **state)
{
    seeded(1000);
    assert_int_equal(seed_wants(&s, 1000 + SEED_MS - 1), 0);
    assert_int_equal(seed_wants(&s, 1000 + SEED_MS), SEED_AGAIN);
    seeded(1000 + SEED_MS);
    assert_int_equal(s.count, 2);
    assert_int_equal(seed_wants(&s, 1000 + 2 * SEED_MS - 1), 0);
}

static void a_failing_source_never_seeds(void **state)
{
    uint8_t out[8];
    feed(SEED_ASK, 0, 0xff);
    feed(SEED_ASK, 0, 0x00);
    assert_int_equal(s.health.state, HEALTH_STUCK);
    assert_false(feed(SEED_ASK, 0, 0xff));
    assert_false(seed_feed(&s, (const uint8_t[2048]){0}, 2048, 0));
    assert_false(s.seeded);
    assert_false(seed_give(&s, out, sizeof(out)));
}

static void a_new_life_of_the_driver_is_tested_anew(void **state)
{
    feed(SEED_ASK, 0, 0xff);
    seed_source_anew(&s); /* nothing was wrong: what came counts */
    assert_int_equal(s.missing, SEED_START - SEED_ASK);
    feed(SEED_ASK, 0, 0x00);
    assert_false(feed(SEED_ASK, 0, 0xff));
    seed_source_anew(&s);
    assert_int_equal(s.missing, SEED_START);
    seeded(0);
    assert_int_equal(s.count, 1);
    s.missing = SEED_AGAIN;
    feed(SEED_ASK, 0, 0x00);
    assert_int_equal(s.health.state, HEALTH_STUCK);
    seed_source_anew(&s);
    assert_true(s.seeded);
    assert_int_equal(s.health.state, HEALTH_GOOD);
}

static void a_source_that_fails_later(void **state)
{
    uint8_t out[8];
    seeded(0);
    struct nx_rng before = s.rng;
    assert_true(seed_feed(&s, (const uint8_t[16]){0}, 16, 0)); /* worth a line */
    assert_memory_equal(&before, &s.rng, sizeof(before));      /* nothing of it was mixed in */
    assert_int_equal(seed_wants(&s, SEED_MS), 0);
    assert_true(seed_give(&s, out, sizeof(out)));
    assert_false(seed_feed(&s, (const uint8_t[16]){0}, 16, 0)); /* said once */
}

/* Another source, other numbers. */
static void numbers_depend_on_the_seed(void **state)
{
    uint8_t a[32], b[32];
    seeded(0);
    assert_true(seed_give(&s, a, sizeof(a)));
    seed_init(&s);
    seeded(0);
    assert_true(seed_give(&s, b, sizeof(b)));
    assert_memory_not_equal(a, b, sizeof(a));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup(name, begin)
    const struct CMUnitTest tests[] = {
        T(a_good_source_passes),
        T(a_source_of_four_bits_passes),
        T(repetition),
        T(a_dead_source),
        T(proportion),
        T(nothing_before_the_seed),
        T(first_seed_is_told),
        T(reseeds_after_bytes),
        T(reseeds_after_time),
        T(a_failing_source_never_seeds),
        T(a_new_life_of_the_driver_is_tested_anew),
        T(a_source_that_fails_later),
        T(numbers_depend_on_the_seed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
