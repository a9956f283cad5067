/* The generator and how it is seeded: all of rngd that makes no calls.
 *
 *     STARTING --1024 good bytes--> SEEDED <--> (reseed: 64 good bytes)
 *        |                            |
 *        +------ a bad byte ----------+--> as it was, and the source is not asked until its driver lives anew
 *
 * At start 1024 bytes are tested before the first byte is given out (SP 800-90B, 4.3), and all of them
 * go into the seed.  A source that fails is not used any more in this life and its driver's; a generator that was
 * seeded before goes on with what it has, one that was not waits for another 1024 good bytes.
 */
#ifndef RNGD_SEED_H
#define RNGD_SEED_H

#include "health.h"

#include <nx_rng.h>

#define SEED_START 1024u          /* bytes tested and mixed in before anything is given out */
#define SEED_AGAIN 64u            /* bytes of a reseed */
#define SEED_BYTES (1024u * 1024) /* reseed after so many bytes given out */
#define SEED_MS (5u * 60 * 1000)  /* and after so long */
#define SEED_ASK 256u             /* bytes asked for at a time */

struct seed {
    struct nx_rng rng;
    struct health_test health;
    bool seeded;
    uint32_t missing; /* bytes of the seed under way; 0: none is */
    uint64_t given;   /* bytes since the last one was complete */
    uint64_t time_ms; /* when that was */
    uint32_t count;   /* seeds so far */
};

void seed_init(struct seed *s);
/* How many bytes to ask the source for now; 0: none. */
uint32_t seed_wants(struct seed *s, uint64_t now_ms);
/* n bytes came from the source.  True when something happened that is worth a line: seeded for the first
 * time, or the source has failed. */
bool seed_feed(struct seed *s, const uint8_t *bytes, size_t n, uint64_t now_ms);
/* The source's driver lives anew: if it had failed the tests begin anew, and all that is short of a first seed. */
void seed_source_anew(struct seed *s);
/* Give out n bytes; false, and nothing written, before the first seed. */
bool seed_give(struct seed *s, uint8_t *to, size_t n);

#endif
