/* Calls over a session that wait for their answer, for clients with nothing else to do meanwhile.
 * Stubs generated from an interface (docs/idl.md) are made of these.
 *
 * What can go wrong with the other side, and what the caller hears:
 *
 *   the server dies and comes again   a message that may be repeated is asked again by itself; the
 *                                     caller sees a pause.  Another ends with -NX_EPEER
 *   it does not answer                -NX_ETIME at the deadline
 *   it answers later than that, twice, or to a cookie nobody waits for    dropped, and counted in
 *                                     `strays` of the client
 *   it breaks the ring                as if it did not answer: the ring is mended for its next life
 */
#ifndef NEXUS_CALL_H
#define NEXUS_CALL_H

#include <nexus/session.h>

/* A request and what became of it; on the caller's stack. */
struct nexus_call {
    struct nexus_request request; /* slot: the caller's, the rest is set by client_call() */
    struct nx_slot reply;         /* valid when answered */
    int result;
    bool answered, done;
};

/* Sleep until something comes from the server or the deadline (ticks, NX_NEVER: none) passes, and take what
 * came; done functions of other requests run.  0, -NX_ETIME. */
int client_wait(struct nexus_client *c, uint64_t deadline);

/* Submit call->request and wait for its end.  deadline: ticks.  The result of the answer (0 or -NX_E*, the
 * reply is in call->reply then); -NX_ETIME; -NX_EPEER: lost with its server and not repeatable; -NX_EFULL: too
 * many requests are under way.  Not from within a done, hello or event function.
 * After -NX_ETIME the request is forgotten here, but the server may still carry it out: its piece of the pool is not the
 * caller's again before the server's next answer to a later request, or HELLO. */
int client_call(struct nexus_client *c, struct nexus_call *call, uint64_t deadline);

/* Forget a request that was submitted: done is not called, an answer that comes later is a stray.  What was
 * said of the pool above holds.  False: it is not under way.  Not from within a done, hello or event function. */
bool client_cancel(struct nexus_client *c, struct nexus_request *r);

#endif
