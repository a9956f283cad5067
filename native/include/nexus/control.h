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
 * Commands and their answers: docs/supervisor.md.  Errors of a command are its answer's first line,
 * "error: ..."; the reply's result is for malformed requests.
 */
#ifndef NEXUS_CONTROL_H
#define NEXUS_CONTROL_H

#include <nx/ring.h>

#define NEXUS_CONTROL_COMMAND \
    1 /* not repeatable: a kill that was lost is asked for again by its user */

#endif
