/* Patience with servers: which of them are alive and serve nobody.
 *
 * A server that neither ends nor answers is known to its clients only.  So every session here with requests
 * that are answered within a bounded time, if at all, notes when they were sent.  When the oldest one is
 * older than its limit, the supervisor is told (NEXUS_CONTROL_COMPLAIN), which ends the server and starts
 * it again; the session then asks anew.  Rules:
 *
 *  - Ages begin anew with every HELLO and every complaint.
 *  - Each complaint without an answer in between doubles the patience, 64-fold at most: a device that
 *    is slow, or dead for good, costs ever less.
 *  - Of several requests the longest limit counts for all: a device that makes things safe may have no
 *    time for the rest.
 *  - A server that has not said HELLO a while after the session was opened is complained of as well.
 *  - A look that comes much too late proves that we were kept from running, and nothing else: the ages
 *    begin anew, once.
 *  - When the supervisor says that nobody serves the interface, that is that until a HELLO.
 *
 * A server that is damaged may also live and answer errors.  So an error is believed only when a second life
 * says the same: at the first one the supervisor is asked for another life without blame (NEXUS_CONTROL_DOUBT),
 * and the request counts as unanswered (nexus/session.h, `doubt`).  Once a second life has said the same, this
 * server's errors are believed at once for NEXUS_PATIENCE_TRUST: a bad sector must not cost a restart a read.
 *
 * There is a timer only while something is asked, and at most one limit longer.  All with the lock. */
#ifndef MEMBRANE_PATIENCE_H
#define MEMBRANE_PATIENCE_H

#include "mb_int.h"

#include <nexus/session.h>

/* Milliseconds; 0: an answer may take as long as it likes. */
enum {
    NEXUS_PATIENCE_NONE = 0,
    NEXUS_PATIENCE = 1000,
    NEXUS_PATIENCE_HELLO = 2000, /* a driver resets its device first */
    NEXUS_PATIENCE_FLUSH = 5000, /* a disk's cache may be large */
    NEXUS_PATIENCE_DOUBT = 100,  /* from the doubt to the next life's HELLO */
    NEXUS_PATIENCE_TRUST = 60000,
};

/* Something the main fiber does at a time (serve.c). */
struct serve_timer {
    uint64_t due; /* ticks; MB_NEVER */
    /* Its time has come, `late` ticks ago; due is MB_NEVER again. */
    void (*fire)(struct serve_timer *t, uint64_t now, uint64_t late);
    struct serve_timer *next;
};
void serve_timer_add(struct serve_timer *t,
                     void (*fire)(struct serve_timer *t, uint64_t now, uint64_t late));
void serve_timer_set(struct serve_timer *t, uint64_t due); /* from any fiber */

struct patience {
    struct serve_timer timer; /* first */
    struct nexus_client *client;
    /* Look at the rings; NULL: cannot be.  Should a bell have been lost, this is all that is wrong. */
    void (*poll)(struct patience *p);
    char what[32]; /* the interface, as our manifest names it */
    struct {
        uint64_t since, limit;       /* ticks; limit 0: none */
        bool doubted;                /* answered with an error; asked again in the next life */
    } asked[NEXUS_SESSION_REQUESTS]; /* by number in the session's table */
    uint64_t anew;                   /* nothing counts as older */
    uint64_t sent, answered;         /* requests with a limit; answered: at the last look */
    unsigned doubts;                 /* complaints since the last answer */
    uint64_t trusted;                /* errors are believed until then */
    bool spared, given_up;
    bool complaining; /* the supervisor has not answered yet */
    struct nexus_request complaint;
};

/* The session is open: `what` is the interface's name. */
void patience_start(struct patience *p, struct nexus_client *c, const char *what);
/* This request was submitted.  Of every request of the session. */
void patience_asked(struct patience *p, const struct nexus_request *r, unsigned limit_ms);
/* The server has said HELLO. */
void patience_hello(struct patience *p);
/* It has answered this request of the session with the error `result`.  True: that is doubted, another life is
 * asked for. */
bool patience_doubt(struct patience *p, const struct nexus_request *r, int result);

/* control.c: tell the supervisor; `type`: NEXUS_CONTROL_COMPLAIN or _DOUBT.  r->done is the caller's.  0 or an
 * errno. */
int control_complain(struct nexus_request *r, unsigned type, const char *what);

#endif
