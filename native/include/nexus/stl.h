/* Interface "log": the System Truth Ledger (STL), one ordered stream of what cells said (the log) and of
 * what the nucleus saw them do (the Boot Error Buffer).  Over a session (nexus/session.h) with a pool; its
 * messages are in native/idl/log.idl.
 *
 * READ writes records of number >= the one asked for, as many whole ones as fit, oldest first, each
 *
 *      0  +----------------------------------------------+
 *         | number | time_ns | seq | generation ... cell |   struct nexus_stl, 64 bytes
 *     64  +----------------------------------------------+
 *         | text, len bytes, padded with zeros to 8      |
 *         +----------------------------------------------+
 *
 * Every record there ever was has a number, also those that are gone: a hole between two numbers is as
 * many lost records, and so is one between the number asked for and the first one given.  Numbers go on
 * over restarts of the server; none is given twice.
 */
#ifndef NEXUS_STL_H
#define NEXUS_STL_H

#include <idl/log.h>

enum nexus_stl_kind {
    NEXUS_STL_LOG, /* a line of a cell or of the nucleus */
    NEXUS_STL_BEB, /* an entry of the Boot Error Buffer, in words */
    NEXUS_STL_KINDS
};

struct nexus_stl {
    uint64_t number;
    uint64_t time_ns; /* since the machine's time counter was 0 */
    uint64_t seq;     /* LOG: the writer's own count, from 1; BEB: entry number */
    uint32_t generation;
    uint16_t len;  /* of text; no control characters but tabs, no NUL */
    uint8_t level; /* NX_LOG_* */
    uint8_t kind;  /* enum nexus_stl_kind */
    char cell[32]; /* "nucleus", generation 0: the nucleus itself */
};
_Static_assert(sizeof(struct nexus_stl) == 64, "nexus_stl layout");

#define NEXUS_STL_TEXT NX_LOG_TEXT
#define NEXUS_STL_MAX (sizeof(struct nexus_stl) + NEXUS_STL_TEXT) /* bytes of the longest record */

/* Bytes from this record to the next one. */
static inline uint32_t nexus_stl_size(const struct nexus_stl *r)
{
    return (uint32_t)(sizeof(*r) + ((r->len + 7u) & ~7u));
}

#endif
