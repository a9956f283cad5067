/* A server of several clients: the sessions of a SERVE want, and requests that wait.
 *
 * Each round every client's new requests, and before them those that were kept in earlier rounds, are handed to
 * `serve`, which answers or has them kept (NEXUS_LATER).  A client that is a new one has its predecessor's
 * kept requests forgotten.  One that breaks its ring ends the cell: the supervisor makes the channel anew and starts
 * both again (NEXUS_EXIT_PEER).  Not so where clients are programs (interface "ring.N", nexus/bus.h), who come and go and
 * may do what they like: with `programs` set, one that breaks its ring is left alone until the next one has put it in order.
 *
 *     static struct service_client clients[CLIENTS_KV];
 *     static struct service s = {.client = clients, .clients = CLIENTS_KV, .serve = serve};
 *     service_open(&s, SLOT_KV, NULL);
 *     for (;;) {
 *         service_work(&s);
 *         service_wait(&s, 0, NX_NEVER);
 *     }
 *
 * One fiber at a time.
 */
#ifndef NEXUS_SERVICE_H
#define NEXUS_SERVICE_H

#include <nexus/session.h>

#define SERVICE_DEPTH 8u /* requests of a client at a time; more wait in its ring */

struct service_client {
    struct nexus_server session;
    struct nx_slot backlog[SERVICE_DEPTH];
    struct nx_slot kept[SERVICE_DEPTH];
    uint32_t kept_count;
    bool present; /* the supervisor has given us this channel */
    bool broken;  /* its ring makes no sense, and it is a program's */
};

struct service {
    struct service_client *client; /* an array of `clients`, as many as the manifest says */
    unsigned clients;
    unsigned slot; /* of the SERVE want */
    bool programs; /* a client that breaks its ring hurts nobody but itself */
    /* Answer the request with server_reply() or a generated stub: 0 or its error; or NEXUS_LATER. */
    int (*serve)(struct service *s, struct nexus_server *session, const struct nx_slot *request);
};

/* Take the channels and say HELLO to every client; hello: the configuration in its payload, or NULL.  A
 * channel that makes no sense ends the cell (cell_no_channel).  How many there are. */
unsigned service_open(struct service *s, unsigned slot, const struct nx_slot *hello);
/* Another configuration for the HELLOs to come. */
void service_config(struct service *s, const struct nx_slot *hello);
/* One round for all clients. */
void service_work(struct service *s);
/* Sleep until a client, or a slot of the mask `more`, has something, or the deadline (ticks) passes: the
 * slot that fired, NX_KICKED when there was no need to sleep, or -NX_ETIME. */
long service_wait(struct service *s, uint64_t more, uint64_t deadline);
/* The two halves of service_wait(), for who has other things to announce: ask all clients to ring, and add
 * their slots to the mask; false: there is work. */
bool service_sleep_prepare(struct service *s, uint64_t *watch);
void service_awake(struct service *s);

#endif
