/*
 * The random generator: its block function is ChaCha20, and nothing comes twice.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* The block function is private: its file is taken in whole. */
#include "../../../membrane/random.c" // NOLINT(bugprone-suspicious-include)

uint64_t mb_host_time = 1, mb_host_instret = 2;

/* RFC 8439, 2.3.2 */
static void chacha20(void **state)
{
    static const uint8_t want[64] = {
        0x10, 0xf1, 0xe7, 0xe4, 0xd1, 0x3b, 0x59, 0x15, 0x50, 0x0f, 0xdd, 0x1f, 0xa3,
        0x20, 0x71, 0xc4, 0xc7, 0xd1, 0xf4, 0xc7, 0x33, 0xc0, 0x68, 0x03, 0x04, 0x22,
        0xaa, 0x9a, 0xc3, 0xd4, 0x6c, 0x4e, 0xd2, 0x82, 0x64, 0x46, 0x07, 0x9f, 0xaa,
        0x09, 0x14, 0xc2, 0xd7, 0x05, 0xd9, 0x8b, 0x02, 0xa2, 0xb5, 0x12, 0x9c, 0xd1,
        0xde, 0x16, 0x4e, 0xb9, 0xcb, 0xd0, 0x83, 0xe8, 0xa2, 0x50, 0x3c, 0x4e,
    };
    static const uint32_t nonce[3] = {0x09000000, 0x4a000000, 0};
    uint32_t out[16];
    for (unsigned i = 0; i < sizeof(key); i++) {
        ((uint8_t *)key)[i] = (uint8_t)i;
    }
    block(out, 1, nonce);
    assert_memory_equal(out, want, sizeof(want));
}

static void nothing_twice(void **state)
{
    enum { N = 2000 };
    static uint64_t seen[N];
    mb_random_init("some seed", 9);
    for (unsigned i = 0; i < N; i++) {
        mb_random(&seen[i], sizeof(seen[i]));
        for (unsigned k = 0; k < i; k++) {
            assert_true(seen[k] != seen[i]);
        }
    }
}

/* Every byte of the buffer is written, none beside it, whatever the length. */
static void lengths(void **state)
{
    uint8_t buf[600], sum[600] = {0};
    for (size_t n = 0; n <= 500; n += 7) {
        memset(sum, 0, sizeof(sum));
        for (unsigned round = 0; round < 12; round++) {
            memset(buf, 0, sizeof(buf));
            mb_random(buf + 10, n);
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
    memcpy(before, key, sizeof(key));
    used = POOL;
    mb_random(out, sizeof(out));
    assert_true(memcmp(before, key, sizeof(key)) != 0);
    for (size_t i = 0; i < used; i++) {
        assert_int_equal(pool[i], 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chacha20),
        cmocka_unit_test(nothing_twice),
        cmocka_unit_test(lengths),
        cmocka_unit_test(erased),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
