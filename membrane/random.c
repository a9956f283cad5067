/* Random numbers: a ChaCha20 generator with fast key erasure.
 *
 * NOT YET SEEDED BY HARDWARE.  There is no entropy device driver in the system; the seed is the time
 * counter, the jitter of instructions against time at start and at every later call, and the boot
 * arguments, which may carry `rng-seed=...` from a boot loader that has entropy.  Without that an attacker
 * who knows when the machine was started can guess the state: good enough for hash seeds, stack
 * protectors and address layout, not for keys.  docs/ says the same.
 */
#include "mb_int.h"

#include <string.h>

#define POOL_BLOCKS 4
#define POOL (POOL_BLOCKS * 64)

static uint32_t key[8];
static uint8_t pool[POOL]; /* handed out from `used` on, and erased then */
static uint32_t used = POOL;

static inline uint32_t rotate(uint32_t v, unsigned n)
{
    return v << n | v >> (32 - n);
}

static void quarter(uint32_t *x, unsigned a, unsigned b, unsigned c, unsigned d)
{
    x[a] += x[b], x[d] = rotate(x[d] ^ x[a], 16);
    x[c] += x[d], x[b] = rotate(x[b] ^ x[c], 12);
    x[a] += x[b], x[d] = rotate(x[d] ^ x[a], 8);
    x[c] += x[d], x[b] = rotate(x[b] ^ x[c], 7);
}

/* One ChaCha20 block (RFC 8439) of our key, this counter and this nonce. */
static void block(uint32_t out[16], uint32_t counter, const uint32_t nonce[3])
{
    static const uint32_t sigma[4] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
    uint32_t in[16];
    memcpy(in, sigma, sizeof(sigma));
    memcpy(in + 4, key, sizeof(key));
    in[12] = counter;
    memcpy(in + 13, nonce, 3 * sizeof(uint32_t));
    memcpy(out, in, sizeof(in));
    for (unsigned i = 0; i < 10; i++) {
        quarter(out, 0, 4, 8, 12);
        quarter(out, 1, 5, 9, 13);
        quarter(out, 2, 6, 10, 14);
        quarter(out, 3, 7, 11, 15);
        quarter(out, 0, 5, 10, 15);
        quarter(out, 1, 6, 11, 12);
        quarter(out, 2, 7, 8, 13);
        quarter(out, 3, 4, 9, 14);
    }
    for (unsigned i = 0; i < 16; i++) {
        out[i] += in[i];
    }
}

/* What the machine does differently each time, as far as we can see. */
static void jitter(uint32_t nonce[3])
{
    uint64_t time = mb_arch_time(), instret = mb_arch_instret();
    nonce[0] = (uint32_t)time;
    nonce[1] = (uint32_t)(time >> 32) ^ (uint32_t)(instret >> 32);
    nonce[2] = (uint32_t)instret;
}

/* The first bytes made are the next key, so what was handed out cannot be computed from what the memory
 * holds later. */
static void refill(void)
{
    uint32_t nonce[3];
    jitter(nonce);
    for (uint32_t i = 0; i < POOL_BLOCKS; i++) {
        uint32_t out[16];
        block(out, i, nonce);
        memcpy(pool + i * sizeof(out), out, sizeof(out));
    }
    memcpy(key, pool, sizeof(key));
    memset(pool, 0, sizeof(key));
    used = sizeof(key);
}

void mb_random(void *buf, size_t n)
{
    uint8_t *to = buf;
    while (n > 0) {
        if (used == POOL) {
            refill();
        }
        size_t part = n < POOL - used ? n : POOL - used;
        memcpy(to, pool + used, part);
        memset(pool + used, 0, part);
        used += (uint32_t)part;
        to += part;
        n -= part;
    }
}

void mb_random_init(const void *seed, size_t n)
{
    const uint8_t *p = seed;
    for (; n > 0;) {
        size_t part = n < sizeof(key) ? n : sizeof(key);
        for (size_t i = 0; i < part; i++) {
            ((uint8_t *)key)[i] ^= p[i];
        }
        refill(); /* also replaces the key */
        p += part;
        n -= part;
    }
    for (unsigned i = 0; i < 64; i++) {
        refill();
    }
}
