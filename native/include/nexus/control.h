/* Interface "control": what the supervisor tells of the cells, and does to them.  Over a session
 * (nexus/session.h) with a pool.  Its client is the personality, which shows it as the file
 * /Bus/supervisor to programs that may (the tool `nexus`).
 *
 * Requests are lines of text, as a user would type them; so are the answers.
 *
 *   COMMAND   buf_off, buf_len: the command in the pool.  Reply: word32[1]: length of the answer, which
 *             replaces the command in the pool; buf_len of the request is the room in all, word32[0] of
 *             the payload the command's length
 *
 *   COMPLAIN  "the server of INTERFACE does not answer me".  NX_SLOT_INLINE, buf_len: the length of the
 *             name, the payload the name, as the complainer's manifest has it ("block.0").  The supervisor
 *             ends that server as for a fault of its own, and its restart policy goes on from there.
 *             Result: 0 done; -NX_EBUSY ignored: it is about to start, or lives too short a time to be
 *             judged (NEXUS_CONTROL_FAIR_MS); -NX_ENOENT: nobody serves that interface to this client, or
 *             who does is left dead; -NX_EPERM: the supervisor's own interface; -NX_EINVAL: no name
 *
 *   DOUBT     "the server of INTERFACE answers with errors; its next life may not".  As COMPLAIN, but no
 *             fault: its policy has it start again at once
 *
 * Commands and their answers: docs/supervisor.md.  Errors of a command are its answer's first line,
 * "error: ..."; the reply's result is for malformed requests.
 */
#ifndef NEXUS_CONTROL_H
#define NEXUS_CONTROL_H

#include <nx/ring.h>

#define NEXUS_CONTROL_COMMAND \
    1 /* not repeatable: a kill that was lost is asked for again by its user */

#define NEXUS_CONTROL_COMPLAIN 2
#define NEXUS_CONTROL_DOUBT 3

#define NEXUS_CONTROL_FAIR_MS 500u

#endif
