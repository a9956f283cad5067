/* Interface "block.N": sectors of disk N.  Over a session (nexus/session.h) with a pool.
 *
 * HELLO payload: struct nexus_block_config.
 *
 *   READ, WRITE   payload word[0]: first sector; buf_off, buf_len: where in the pool, a multiple of 512
 *   FLUSH         what was answered before is on the medium when this is answered
 *   ID            buf_off, buf_len >= 20: the device's name, padded with NUL
 *
 * A WRITE that was answered is in the device; only FLUSH makes it safe against loss of power, unless the
 * device has no cache (NEXUS_BLOCK_CACHED not set).  Errors: -NX_EINVAL (range), -NX_EIO (the
 * device says so), -NX_EPERM (read-only), -NX_ENOSYS.
 */
#ifndef NEXUS_BLOCK_H
#define NEXUS_BLOCK_H

#include <nx/ring.h>

#define NEXUS_BLOCK_SECTOR 512u

#define NEXUS_BLOCK_READ (1 | NX_TYPE_REPEATABLE)
#define NEXUS_BLOCK_WRITE (2 | NX_TYPE_REPEATABLE)
#define NEXUS_BLOCK_FLUSH (3 | NX_TYPE_REPEATABLE)
#define NEXUS_BLOCK_ID (4 | NX_TYPE_REPEATABLE)

#define NEXUS_BLOCK_READONLY 1u
#define NEXUS_BLOCK_CACHED 2u /* writes need FLUSH to be safe */

struct nexus_block_config {
    uint64_t sectors;
    uint32_t block_size;  /* what the device likes best, a multiple of 512 */
    uint32_t max_request; /* bytes of one READ or WRITE at most */
    uint32_t flags;       /* NEXUS_BLOCK_* */
    uint32_t depth;       /* requests it works on at a time */
};

#endif
