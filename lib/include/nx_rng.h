/* A random generator with fast key erasure over ChaCha20.
 *
 *     key ---ChaCha20---> | next key (32) | output (224) |      one refill: four blocks
 *
 * The first bytes of every refill are the next key, and output is erased as it is handed out: who reads
 * the memory later learns nothing of what was given before.  What comes is as good as what was mixed in;
 * nobody but the caller knows how good that is (see `seeded` of its owner).
 *
 * Not locked.  No I/O, no time: the caller passes what may differ from machine to machine as a nonce.
 */
#ifndef NX_RNG_H
#define NX_RNG_H

#include <stddef.h>
#include <stdint.h>

#define NX_RNG_KEY 32u
#define NX_RNG_POOL 256u

struct nx_rng {
    uint32_t key[NX_RNG_KEY / 4];
    uint8_t pool[NX_RNG_POOL]; /* from `used` on to be handed out; erased before it */
    uint32_t used;
};

/* Nothing mixed in: everybody who does this gets the same bytes. */
void nx_rng_init(struct nx_rng *r);
/* Mix in n bytes: as much is known of the state afterwards as was known of both before.  What was made
 * earlier and not handed out is thrown away. */
void nx_rng_mix(struct nx_rng *r, const void *seed, size_t n);
/* n bytes.  nonce: goes into refills, for what little it is worth; may be NULL. */
void nx_rng_bytes(struct nx_rng *r, void *buf, size_t n, const uint32_t nonce[3]);

#endif
