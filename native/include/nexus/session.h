/* Requests and replies over a channel, kept across restarts of the server.
 *
 * A server may die at any moment and come again (its successor has the same two rings and the same
 * pool).  What then becomes of the requests it had is settled by one message:
 *
 *     client                                                     server
 *       | -- request: type, cookie, payload ----------------------> | takes it out of the ring at once
 *       | <- reply: same type, NX_SLOT_REPLY, same cookie --------- | when it is done, in any order
 *       :                                          (dies; the next generation starts)
 *       | <- HELLO: cookie = X, payload: configuration ------------ | first of all it sends
 *
 * A new server reads the producer's index X of the request ring, releases all before it, and says
 * HELLO with X.  So every request that stands before X is either answered - its reply stands before the
 * HELLO in the reply ring - or lost; and every request from X on will be served.  The client, at a
 * HELLO, sends the unanswered ones before X again, unless their type lacks NX_TYPE_REPEATABLE: those
 * end with -NX_EPEER.  A request's memory in the pool belongs to the server from submit to done; a
 * server's first act is to reset its device, so nothing of the dead one's writes there afterwards.
 *
 * Results: a reply's word32[0] is 0 or -NX_E* (as uint32_t); the rest is the interface's.  Offsets and
 * lengths in the pool are in buf_off and buf_len of the request; the server checks them.
 *
 * Not locked: one fiber at a time, both for the client and for the server.
 */
#ifndef NEXUS_SESSION_H
#define NEXUS_SESSION_H

#include <nexus/channel.h>
#include <stdbool.h>
#include <stddef.h>

#define NEXUS_HELLO 0x7ffeu /* message type, server to client, in every interface of this kind */

#define NEXUS_SESSION_REQUESTS 256u

/* ---- client ---- */

struct nexus_request {
    struct nx_slot slot; /* type, buf_off, buf_len, payload: the caller's; cookie: the session's */
    /* Called from client_poll() when the answer is there; reply is valid during the call.  The request
     * may be submitted anew from within.  result: word32[0] of the reply as int, or -NX_EPEER. */
    void (*done)(struct nexus_request *r, int result, const struct nx_slot *reply);
    /* the session's: */
    uint32_t index;             /* of the ring slot it stands in */
    bool sent;                  /* it is in the ring; else it waits for room */
    struct nexus_request *next; /* of those that wait for room */
};

struct nexus_client {
    struct channel ch;
    uint8_t *pool; /* NULL: the channel has none */
    size_t pool_size;
    uint32_t generation; /* HELLOs seen */
    /* Called at every HELLO, before requests are sent again; configuration: 48 bytes. */
    void (*hello)(struct nexus_client *c, const struct nx_slot *hello);
    /* Messages that are neither reply nor HELLO (events); may be NULL. */
    void (*event)(struct nexus_client *c, const struct nx_slot *slot);
    /* the session's: */
    struct nexus_request *table[NEXUS_SESSION_REQUESTS];
    uint32_t next_cookie, outstanding;
    struct nexus_request *waiting, **waiting_end;
};

/* Take the channel of the USE want at `slot` (three slots).  0, or an error of channel_open; the pool
 * is mapped when there is one.  hello and event must be set before. */
int client_open(struct nexus_client *c, unsigned slot);
/* Send a request, or queue it when the ring is full.  0, or -NX_EFULL when NEXUS_SESSION_REQUESTS are
 * outstanding.  Rings the bell. */
int client_submit(struct nexus_client *c, struct nexus_request *r);
/* Take all that came, run the done functions, send what waited for room.  0, or -NX_EPEER: the server
 * broke the protocol of its rings. */
int client_poll(struct nexus_client *c);
/* Ask the server to ring when something comes: 0, and recv on client_watch() is right; or 1: poll
 * first.  -NX_EPEER.  client_awake() after recv. */
int client_sleep_prepare(struct nexus_client *c);
void client_awake(struct nexus_client *c);
uint64_t client_watch(const struct nexus_client *c); /* mask of slots for recv */

/* ---- server ---- */

struct nexus_server {
    struct channel ch;
    uint8_t *pool;
    size_t pool_size;
    bool dma;           /* the pool's physical address is known: */
    uint64_t pool_phys; /* contiguous */
    /* the session's: replies and the HELLO that wait for room */
    struct nx_slot *backlog;
    uint32_t backlog_size, backlog_head, backlog_tail;
};

/* Take channel `client` of the SERVE want at `slot`.  backlog: room for as many replies as requests the
 * server takes at a time (it must not take more), power of two.  0 or an error. */
int server_open(struct nexus_server *s, unsigned slot, unsigned client, struct nx_slot *backlog,
                uint32_t backlog_size);
/* The HELLO, with the configuration in its payload.  Call it once, after the device was reset, before
 * the first server_take. */
int server_hello(struct nexus_server *s, const struct nx_slot *config);
/* The next request, copied and taken off the ring: 1, 0 when there is none, -NX_EPEER. */
int server_take(struct nexus_server *s, struct nx_slot *request);
/* Answer: result is 0 or -NX_E*; reply may be NULL when the result is all.  type, cookie and
 * NX_SLOT_REPLY are filled in from request.  Never lost: kept until there is room.  0 or -NX_EPEER. */
int server_reply(struct nexus_server *s, const struct nx_slot *request, int result,
                 const struct nx_slot *reply);
/* An event (not a reply) to the client: 0, -NX_EFULL when it would have to wait, -NX_EPEER. */
int server_event(struct nexus_server *s, const struct nx_slot *event);
/* Send what waited and ring bells: after each round of work.  0 or -NX_EPEER. */
int server_flush(struct nexus_server *s);
int server_sleep_prepare(struct nexus_server *s); /* as client_sleep_prepare */
void server_awake(struct nexus_server *s);
uint64_t server_watch(const struct nexus_server *s);
/* Is [off, off + len) inside the pool? */
bool server_in_pool(const struct nexus_server *s, uint32_t off, uint32_t len);

#endif
