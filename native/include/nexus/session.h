/* Requests and replies over a channel, kept across restarts of either side.
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
 * A client may die, too.  Its successor says HELLO first (type NEXUS_HELLO, no payload), and nothing
 * more before it is answered:
 *
 *       | -- HELLO, at index H of the request ring ---------------> | ends what it had of the dead one
 *       | <- HELLO: cookie = X > H, configuration ----------------- | nothing of it uses the pool now
 *
 * What the server had taken of the dead client is finished or abandoned first, and its replies are
 * thrown away: only then does the server say HELLO again, with the index X behind the client's.  The
 * HELLO of a server that was restarted meanwhile has an X > H as well and means the same.  All the client
 * receives before is for its predecessor and thrown away.  Cookies are (ring index << 8 | number of the
 * request), so a late reply never meets a request it is not for.
 *
 * An error need not be true: a damaged server may answer so whatever it is asked.  A client that can have it
 * restarted may doubt an error of a repeatable request (`doubt`): the request counts as unanswered then, and
 * is asked again when the server's next life says HELLO.  What that one says is believed.
 *
 * Results: a reply's word32[0] is 0 or -NX_E* (as uint32_t); the rest is the interface's.  Offsets and
 * lengths in the pool are in buf_off and buf_len of the request; the server checks them.
 *
 * The other side is hostile.  A client drops and counts what matches nothing (`strays`), a HELLO with an
 * index it has not reached as well.  Impossible ring indices it mends (nexus/channel.h) and waits: a server
 * that is damaged will have another life, and then everything is asked again.  A server takes requests of the types it knows and answers the rest -NX_ENOSYS; the
 * work of one client_poll or server_flush is bounded by the ring's size.
 *
 * Not locked: one fiber at a time, both for the client and for the server.
 */
#ifndef NEXUS_SESSION_H
#define NEXUS_SESSION_H

#include <nexus/channel.h>
#include <stdbool.h>
#include <stddef.h>

#define NEXUS_HELLO 0x7ffeu /* message type, both directions, in every interface of this kind */

#define NEXUS_SESSION_REQUESTS 256u

/* What a server's function for a message answers beside 0 and -NX_E*: it is not answered yet.  nexus/service.h asks it
 * again; a server by itself keeps the request and answers it when it can. */
#define NEXUS_LATER 1

/* ---- client ---- */

struct nexus_request {
    struct nx_slot slot; /* type, buf_off, buf_len, payload: the caller's; cookie: the session's */
    /* Called from client_poll() when the answer is there; reply is valid during the call.  The request
     * may be submitted anew from within.  result: word32[0] of the reply as int; or -NX_EPEER with
     * reply == NULL: it was lost with its server and must not be repeated. */
    void (*done)(struct nexus_request *r, int result, const struct nx_slot *reply);
    /* the session's: */
    uint32_t index;             /* of the ring slot it stands in */
    uint8_t number;             /* in the client's table */
    bool sent;                  /* it is in the ring; else it waits for room */
    bool doubted;               /* an earlier life answered with an error */
    struct nexus_request *next; /* of those that wait for room */
};

struct nexus_client {
    struct channel ch;
    uint8_t *pool; /* NULL: the channel has none */
    size_t pool_size;
    uint32_t generation; /* HELLOs that counted; 0: the server has not spoken yet */
    uint32_t strays;     /* messages that matched nothing */
    /* Called at every HELLO that counts, before requests are sent again; configuration: 48 bytes.
     * May be NULL. */
    void (*hello)(struct nexus_client *c, const struct nx_slot *hello);
    /* Messages that are neither reply nor HELLO (events); may be NULL. */
    void (*event)(struct nexus_client *c, const struct nx_slot *slot);
    /* A repeatable request was answered; r->doubted: not for the first time.  true: that is not believed, an error or
     * nonsense, and somebody restarts the server.  May be NULL: all is believed. */
    bool (*doubt)(struct nexus_client *c, const struct nexus_request *r,
                  const struct nx_slot *reply);
    /* the session's: */
    struct nexus_request *table[NEXUS_SESSION_REQUESTS]; /* by number */
    uint32_t next_number, outstanding;
    struct nexus_request *waiting, **waiting_end; /* not sent, in order */
    uint32_t hello_end;                           /* index behind our HELLO */
    bool hello_sent;
    bool pushed, popped; /* since the bells were last looked at */
};

/* Take the channel of the USE want at `slot` (three slots).  0, or an error of channel_open; the pool
 * is mapped when there is one.  hello and event must be set before; the rest is set here.  Requests may
 * be submitted at once: they wait for the server's HELLO. */
int client_open(struct nexus_client *c, unsigned slot);
/* Send a request, or queue it when the ring is full.  0, -NX_EFULL when NEXUS_SESSION_REQUESTS are
 * outstanding (done is not called then).  Rings the bell.
 * The request is the session's until done. */
int client_submit(struct nexus_client *c, struct nexus_request *r);
/* Take what came (one ring full at most), run the done functions, send what waited for room.  0, or
 * an error of later versions.  Not from within done, hello or event. */
int client_poll(struct nexus_client *c);
/* Ask the server to ring when something comes: 0, and recv on client_watch() is right; or 1: poll
 * first.  client_awake() after recv. */
int client_sleep_prepare(struct nexus_client *c);
void client_awake(struct nexus_client *c);
uint64_t client_watch(const struct nexus_client *c); /* mask of slots for recv */

/* ---- server ---- */

struct nexus_server {
    struct nx_slot hello; /* the session's */
    struct channel ch;
    size_t pool_size;                  /* 0: the channel has none */
    uint64_t pool_phys, pool_phys_not; /* server_phys() */
    /* the session's: the pool once it is mapped, replies and the HELLO that wait for room */
    uint8_t *pool;
    struct nx_slot *backlog;
    uint32_t backlog_size, backlog_head, backlog_tail;
    bool dma; /* the pool is contiguous, and its physical address known */
    bool hello_due, renewing, event_due;
    bool pushed, popped; /* since the bells were last looked at */
    uint32_t taken;      /* not yet answered */
};

/* Take channel `client` of the SERVE want at `slot`.  backlog: room for as many replies as requests the
 * server wants to have at a time, power of two.  0 or an error. */
int server_open(struct nexus_server *s, unsigned slot, unsigned client, struct nx_slot *backlog,
                uint32_t backlog_size);
/* The HELLO, with the configuration in its payload (NULL: zeros).  Call it once, after the device was
 * reset, before the first server_take.  It is said again by itself when the client is a new one.
 * 0 or -NX_EPEER. */
int server_hello(struct nexus_server *s, const struct nx_slot *config);
/* Another configuration for later HELLOs (to a new client); says nothing now. */
void server_config(struct nexus_server *s, const struct nx_slot *config);
/* The next request, copied and taken off the ring: 1; 0 when there is none or backlog_size requests are
 * taken or their replies wait; -NX_EPEER. */
int server_take(struct nexus_server *s, struct nx_slot *request);
/* The client is a new one: nothing is taken before each request that was taken has had its
 * server_reply (which goes nowhere now).  A server that may keep requests for long must look at this
 * after server_take, stop using their memory and answer them. */
bool server_renewing(const struct nexus_server *s);
/* Answer: result is 0 or -NX_E*; reply may be NULL when the result is all.  type, cookie and
 * NX_SLOT_REPLY are filled in from request.  Never lost: kept until there is room.  0 or -NX_EPEER. */
int server_reply(struct nexus_server *s, const struct nx_slot *request, int result,
                 const struct nx_slot *reply);
/* An event (not a reply) to the client: 0, -NX_EFULL when it would have to wait, -NX_EPEER.  After
 * -NX_EFULL server_sleep_prepare() waits for room, too, until an event has gone. */
int server_event(struct nexus_server *s, const struct nx_slot *event);
/* Send what waited and ring bells: after each round of work.  0 or -NX_EPEER. */
int server_flush(struct nexus_server *s);
/* As client_sleep_prepare.  While server_take would answer 0 for want of room, only room counts. */
int server_sleep_prepare(struct nexus_server *s);
void server_awake(struct nexus_server *s);
uint64_t server_watch(const struct nexus_server *s);
/* Is [off, off + len) inside the pool? */
bool server_in_pool(const struct nexus_server *s, uint32_t off, uint32_t len);
/* Where a device finds that offset, with dma only.  The address is kept with its complement, and the cell ends (cell_panic) when
 * they do not agree any more: a device writes wherever it is told to, into other cells' memory as well. */
uint64_t server_phys(const struct nexus_server *s, uint32_t off);
/* Do these bytes, as a device sees them, lie in the pool? */
bool server_reaches(const struct nexus_server *s, uint64_t phys, uint64_t len);
/* The address of that piece; NULL when it is not inside.  The pool is mapped when it is first asked for: a
 * server whose device reads and writes there may never look itself. */
uint8_t *server_at(struct nexus_server *s, uint32_t off, uint32_t len);

#endif
