/* What tests/cell/stream sends to tests/cell/streamsink: buffers of the channel's pool, by their place in it. */
#ifndef TEST_STREAM_H
#define TEST_STREAM_H

#include <nx/ring.h>

#define STREAM_BUFFER (64u << 10)

/* Answered when the buffer is its sender's again; word32[1] of the answer: what was found.
 * HANDED: only its first word was looked at; READ: the sum of all its words, in 32 bits. */
#define STREAM_HANDED (1 | NX_TYPE_REPEATABLE)
#define STREAM_READ (2 | NX_TYPE_REPEATABLE)

#endif
