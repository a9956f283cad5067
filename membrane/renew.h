/* Broken channels, and new rings for them (NEXUS_CONTROL_RENEW, nexus/control.h).
 *
 * Who finds that the rings of a channel hold what no honest side leaves there - one of its ends has gone
 * wrong, or memory has - gives them up here.  The supervisor makes new ones and puts them into the same
 * slots, and the owner opens those.  The supervisor may also say so first.  All with the lock. */
#ifndef MEMBRANE_RENEW_H
#define MEMBRANE_RENEW_H

#include "patience.h"

struct renewal {
    struct serve_timer timer; /* first */
    const char *what;         /* the interface */
    unsigned slot;            /* of the ring to the server; the other one's is the next */
    /* New rings are in the slots: open them.  False: they are broken, too. */
    bool (*reopen)(struct renewal *r);
    bool pending;
    struct nexus_request request;
    struct renewal *next;
};

void renewal_add(struct renewal *r, const char *what, unsigned slot,
                 bool (*reopen)(struct renewal *r));
/* The channel is of no use any more.  Once is enough. */
void renewal_start(struct renewal *r);
/* The same, by the interface's name. */
void renewal_start_of(const char *what, size_t n);

#endif
