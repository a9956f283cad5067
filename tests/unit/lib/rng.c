/* ChaCha20 against the vectors of RFC 8439, and the generator on top of it.
 */
// test-sources: lib/chacha20.c lib/rng.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <nx_chacha20.h>
#include <nx_rng.h>

static void expect(const uint32_t key[8], uint32_t counter, const uint32_t nonce[3],
                   const char *hex)
{
    uint32_t out[16];
    char got[129];
    nx_chacha20_block(out, key, counter, nonce);
    for (unsigned i = 0; i < 64; i++) {
        (void)snprintf(got + 2 * i, 3, "%02x", ((uint8_t *)out)[i]);
    }
    assert_string_equal(got, hex);
}

static void rfc8439(void **state)
{
    static const uint32_t none[3], nonce[3] = {0x09000000, 0x4a000000, 0},
                                   two[3] = {0, 0, 0x02000000};
    uint32_t key[8] = {0};
    /* A.1, 1 and 2 */
    expect(key, 0, none,
           "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7"
           "da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586");
    expect(key, 1, none,
           "9f07e7be5551387a98ba977c732d080dcb0f29a048e3656912c6533e32ee7aed"
           "29b721769ce64e43d57133b074d839d531ed1f28510afb45ace10a1f4b794d6f");
    /* A.1, 5 */
    expect(key, 0, two,
           "c2c64d378cd536374ae204b9ef933fcd1a8b2288b3dfa49672ab765b54ee27c7"
           "8a970e0e955c14f3a88e741b97c286f75f8fc299e8148362fa198a39531bed6d");
    /* A.1, 3 */
    ((uint8_t *)key)[31] = 1;
    expect(key, 1, none,
           "3aeb5224ecf849929b9d828db1ced4dd832025e8018b8160b82284f3c949aa5a"
           "8eca00bbb4a73bdad192b5c42f73f2fd4e273644c8b36125a64addeb006c13a0");
    /* 2.3.2 */
    for (unsigned i = 0; i < 32; i++) {
        ((uint8_t *)key)[i] = (uint8_t)i;
    }
    expect(key, 1, nonce,
           "10f1e7e4d13b5915500fdd1fa32071c4c7d1f4c733c068030422aa9ac3d46c4e"
           "d2826446079faa0914c2d705d98b02a2b5129cd1de164eb9cbd083e8a2503c4e");
}

static struct nx_rng r;

static int begin(void **state)
{
    nx_rng_init(&r);
    return 0;
}

static void nothing_twice(void **state)
{
    enum { N = 2000 };
    static uint64_t seen[N];
    nx_rng_mix(&r, "some seed", 9);
    for (unsigned i = 0; i < N; i++) {
        nx_rng_bytes(&r, &seen[i], sizeof(seen[i]), NULL);
        for (unsigned n = 0; n < i; n++) {
            assert_true(seen[n] != seen[i]);
        }
    }
}

/* Every byte of the buffer is written, none beside it, whatever the length. */
static void lengths(void **state)
{
    uint8_t buf[600], sum[600];
    for (size_t n = 0; n <= 500; n += 7) {
        memset(sum, 0, sizeof(sum));
        for (unsigned round = 0; round < 12; round++) {
            memset(buf, 0, sizeof(buf));
            nx_rng_bytes(&r, buf + 10, n, NULL);
            for (size_t i = 0; i < sizeof(buf); i++) {
                sum[i] |= buf[i];
            }
        }
        for (size_t i = 0; i < sizeof(buf); i++) {
            assert_int_equal(sum[i] != 0, i >= 10 && i < 10 + n);
        }
    }
}

/* What was handed out is not in memory any more, and the key is a new one. */
static void erased(void **state)
{
    uint32_t before[8];
    uint8_t out[100];
    memcpy(before, r.key, sizeof(before));
    nx_rng_bytes(&r, out, sizeof(out), NULL);
    assert_true(memcmp(before, r.key, sizeof(before)) != 0);
    for (size_t i = 0; i < r.used; i++) {
        assert_int_equal(r.pool[i], 0);
    }
    nx_rng_mix(&r, out, 1);
    for (size_t i = 0; i < sizeof(r.pool); i++) {
        assert_int_equal(r.pool[i], 0);
    }
}

/* Every seed, every bit and place of it, and what was there before make a difference. */
static void every_seed_counts(void **state)
{
    uint8_t seed[100] = {0}, out[101][16], twin[16];
    for (unsigned i = 0; i <= 100; i++) {
        nx_rng_init(&r);
        if (i < 100) {
            seed[i] ^= 1;
        }
        nx_rng_mix(&r, seed, sizeof(seed));
        nx_rng_bytes(&r, out[i], sizeof(out[i]), NULL);
        if (i < 100) {
            seed[i] ^= 1;
        }
        for (unsigned n = 0; n < i; n++) {
            assert_memory_not_equal(out[n], out[i], sizeof(out[i]));
        }
    }
    nx_rng_init(&r);
    nx_rng_mix(&r, seed, sizeof(seed));
    nx_rng_bytes(&r, twin, sizeof(twin), NULL);
    assert_memory_equal(twin, out[100], sizeof(twin)); /* the same seed: the same bytes */
    nx_rng_mix(&r, seed, sizeof(seed));
    nx_rng_bytes(&r, twin, sizeof(twin), NULL);
    assert_memory_not_equal(twin, out[100], sizeof(twin));
}

static void a_nonce_counts(void **state)
{
    static const uint32_t a[3] = {1, 2, 3}, b[3] = {1, 2, 4};
    uint8_t x[16], y[16];
    nx_rng_bytes(&r, x, sizeof(x), a);
    nx_rng_init(&r);
    nx_rng_bytes(&r, y, sizeof(y), b);
    assert_memory_not_equal(x, y, sizeof(x));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup(name, begin)
    const struct CMUnitTest tests[] = {
        T(rfc8439), T(nothing_twice),     T(lengths),
        T(erased),  T(every_seed_counts), T(a_nonce_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
