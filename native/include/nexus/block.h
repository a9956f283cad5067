/* Interface "block.N": sectors of disk N.  Over a session (nexus/session.h) with a pool; its messages are in
 * native/idl/block.idl.
 */
#ifndef NEXUS_BLOCK_H
#define NEXUS_BLOCK_H

#include <idl/block.h>

#define NEXUS_BLOCK_SECTOR 512u

/* Flags of the HELLO. */
#define NEXUS_BLOCK_READONLY 1u
#define NEXUS_BLOCK_CACHED 2u /* writes need FLUSH to be safe */

#endif
