/* The personality's channels, and who serves them: private to membrane/.
 *
 * The main fiber sleeps on all slots at once (serve.c).  What fires is worked off under the personality
 * lock; everything else that touches a channel holds it too, so a channel is used by one fiber at a time.
 */
#ifndef MEMBRANE_DEVICES_H
#define MEMBRANE_DEVICES_H

#include "mb_int.h"
#include "patience.h"

#include <devices.h>
#include <nexus/session.h>

/* What the serving fiber knows of a channel. */
struct port {
    uint64_t watch; /* slots */
    void *ctx;
    void (*work)(void *ctx); /* [lock] something came: take all, announce sleep again */
};
void port_add(uint64_t watch, void *ctx, void (*work)(void *ctx));

/* From within a port's work: there is more, but everybody else comes first; all are looked at again in a
 * millisecond. A damaged driver may have nonsense without end. */
void serve_again(void);

/* Take what came from a server, a few ring fulls at most, and announce sleep again: 0, or an error when its rings
 * are beyond mending. */
int serve_client(struct nexus_client *c);

/* A session with a device's driver. */
/* NOLINTBEGIN(clang-analyzer-optin.performance.Padding): the client is first, so that it leads here */
struct device {
    struct nexus_client client;
    struct patience patience;
    enum mb_device kind;
    unsigned index;
    bool there; /* it has said HELLO, and what it said makes sense */
    /* HELLO: take the configuration; false: it makes no sense. */
    bool (*hello)(struct device *d, const struct nx_slot *slot);
    /* Does this answer without an error make sense?  NULL: each does. */
    bool (*sensible)(const struct device *d, const struct nexus_request *r,
                     const struct nx_slot *reply);
};
/* NOLINTEND(clang-analyzer-optin.performance.Padding) */
/* Open the channel of the USE want at `slot`: into new memory of `size` bytes that has a struct device at
 * offset `at`.  NULL: the machine has no such device. */
void *driver_open(unsigned slot, size_t size, size_t at, enum mb_device kind, unsigned index,
                  bool (*hello)(struct device *d, const struct nx_slot *slot),
                  void (*event)(struct nexus_client *c, const struct nx_slot *slot));
/* Send a request that is answered within `limit_ms` (NEXUS_PATIENCE_*), or its driver is complained of.
 * 0, -EAGAIN or -EIO. */
int driver_ask(struct device *d, struct nexus_request *r, unsigned limit_ms);
/* The errno of a reply's result. */
int driver_errno(int result);

void block_init(void);
void entropy_init(void);
void display_init(void);
void input_init(void);

#endif
