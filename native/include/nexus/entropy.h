/* Interface "entropy" (from a hardware source, virtio-rng) and "random" (from rngd's generator): bytes
 * nobody can guess.  Over a session (nexus/session.h) with a pool.
 *
 *   READ   buf_off, buf_len: where in the pool; reply word32[1]: how many bytes were written (1 .. buf_len)
 *
 * "random" does not answer before it has been seeded from a hardware source.  Its HELLO says whether
 * there is one: word32[0] is NEXUS_RANDOM_SOURCE, or 0 when nobody should wait.
 */
#ifndef NEXUS_ENTROPY_H
#define NEXUS_ENTROPY_H

#include <nx/ring.h>

#define NEXUS_ENTROPY_READ (1 | NX_TYPE_REPEATABLE)

#define NEXUS_RANDOM_SOURCE 1u

#endif
