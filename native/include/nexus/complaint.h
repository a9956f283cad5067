/* A client's word to the supervisor about its server, which only the client can know serves it badly: one that waits for what
 * never comes lives and beats as well as any.
 *
 * The word is narrow.  It can be said by who holds the client's end of a channel of its manifest, of who is at the other end of it,
 * and says nothing but one of the two below.  It is believed as docs/supervisor.md has it ("Servers that are alive and
 * serve nobody"): of a life younger than 500 ms when it is that old, and who was held back for faults stays so.  No
 * answer comes; the server's next life says HELLO, and what was asked of the last one is asked again, or ends
 * with -NX_EPEER.  So who hears nothing complains again, with more patience each time.
 *
 * How it travels, for who wants to know: a count and its complement in the client's own line of the ring to the server
 * (nx/ring.h, `reserved`), which the supervisor looks at when the event in slot NEXUS_COMPLAINT_SLOT,
 * which every cell with a `use` has unless its manifest uses that slot, is rung: at most every NEXUS_COMPLAINT_MS.
 */
#ifndef NEXUS_COMPLAINT_H
#define NEXUS_COMPLAINT_H

#include <nexus/session.h>

#define NEXUS_COMPLAINT_SLOT 62u
#define NEXUS_COMPLAINT_MS 250u

/* Which words of the line: of each kind the count, then its complement; both 0: nothing was ever said. */
enum nexus_complaint { NEXUS_COMPLAINT_SILENT, NEXUS_COMPLAINT_ERRORS, NEXUS_COMPLAINT_KINDS };

/* My server does not answer me: the supervisor ends it as for a fault of its own, and its restart policy goes on from there.  0;
 * -NX_EBADF: nobody hears complaints of this cell; -NX_EPERM: it has no pledge `ipc`. */
int client_complain(struct nexus_client *c);

/* My server answers with errors, or nonsense, that its next life may not: the same without blame, so that it starts again at once.
 * Who hears the same of a second life should believe it.  0, -NX_EBADF, -NX_EPERM. */
int client_doubt(struct nexus_client *c);

#endif
