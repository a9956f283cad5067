/* The generator.  See nx_rng.h. */
#include <nx_rng.h>

#include <nx_base.h>
#include <nx_chacha20.h>
#include <string.h>

static void refill(struct nx_rng *r, const uint32_t nonce[3])
{
    static const uint32_t none[3];
    uint32_t out[16];
    for (uint32_t i = 0; i < NX_RNG_POOL / sizeof(out); i++) {
        nx_chacha20_block(out, r->key, i, nonce != NULL ? nonce : none);
        memcpy(r->pool + i * sizeof(out), out, sizeof(out));
    }
    memcpy(r->key, r->pool, sizeof(r->key));
    memset(r->pool, 0, sizeof(r->key));
    nx_wipe(out, sizeof(out));
    r->used = sizeof(r->key);
}

void nx_rng_init(struct nx_rng *r)
{
    *r = (struct nx_rng){.used = NX_RNG_POOL};
}

void nx_rng_mix(struct nx_rng *r, const void *seed, size_t n)
{
    const uint8_t *p = seed;
    while (n > 0) {
        size_t part = NX_MIN(n, sizeof(r->key));
        for (size_t i = 0; i < part; i++) {
            ((uint8_t *)r->key)[i] ^= p[i];
        }
        refill(r, NULL); /* a new key, of which the old one and the seed are hidden */
        p += part;
        n -= part;
    }
    nx_wipe(r->pool, sizeof(r->pool));
    r->used = NX_RNG_POOL;
}

void nx_rng_bytes(struct nx_rng *r, void *buf, size_t n, const uint32_t nonce[3])
{
    uint8_t *to = buf;
    while (n > 0) {
        if (r->used >= NX_RNG_POOL) {
            refill(r, nonce);
        }
        size_t part = NX_MIN(n, (size_t)(NX_RNG_POOL - r->used));
        memcpy(to, r->pool + r->used, part);
        nx_wipe(r->pool + r->used, part);
        r->used += (uint32_t)part;
        to += part;
        n -= part;
    }
}
