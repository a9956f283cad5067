/* A cell the supervisor looks after: what is known of it over all its lives. */
#ifndef SUPERVISOR_SERVICE_H
#define SUPERVISOR_SERVICE_H

#include "burn.h"
#include "health.h"
#include "restart.h"

#include <nexus/beat.h>
#include <nx/manifest.h>
#include <stdbool.h>
#include <stddef.h>

#define SERVICES_MAX 48u /* one slot each: see store.h */
#define SERVICE_DMA_MAX 4u
#define PERSONALITY "posix" /* the cell the user talks to */

enum service_state {
    SERVICE_DOWN,       /* not started yet, or ended for good */
    SERVICE_RUNNING,    /* `slot` holds its capability */
    SERVICE_WAITING,    /* to be started at `start_at` */
    SERVICE_QUARANTINE, /* died too often */
    SERVICE_ABSENT,     /* cannot be: `missing` says why */
};

/* Memory for the DMA of one line of the manifest. */
struct service_dma {
    const struct nx_want *want;
    int place; /* in the store */
    void *at;  /* mapped, to zero it */
    size_t size;
};

struct service {
    struct nx_manifest manifest; /* of an instance: with the numbers */
    uint64_t offset, size;       /* of the image */
    uint64_t arg;                /* for its info page: nexus/device.h */
    int image;                   /* its place in the store, or SERVICE_BUNDLE */
    int fixed;                   /* place of the pages of the image that are only read; < 0: none */
    uint64_t fixed_pages;
    uint32_t instance; /* 0: it is the only one; n + 1: number n */
    unsigned slot;     /* NX_SELF: the supervisor itself */
    uint32_t generation;
    int beat_place;    /* of `beat`, below */
    uint64_t start_at; /* ticks */
    uint64_t born_ms;
    struct restart record;
    struct health health;
    struct burn burn;
    struct service_dma dma[SERVICE_DMA_MAX];
    const volatile struct nexus_beat *beat; /* NULL: it need not beat */
    const struct service *accuser;          /* who complained of it last */
    unsigned dma_count;
    enum service_state state;
    unsigned complained; /* slot + 1 of the client its life `complained_life` complained of */
    unsigned complaints; /* of that one, in so many lives one after the other */
    uint32_t complained_life;
    bool blamed; /* killed for a fault of its own */
    bool wanted; /* started again when it ends, whatever its policy says */
    char missing[48];
};
#define SERVICE_BUNDLE (-1)

/* All there are, the supervisor itself first. */
extern struct service services[SERVICES_MAX];
extern unsigned service_count;
/* By its name, or as plan_meant() says when one cell alone is meant; NULL. */
struct service *service_find(const char *name);

/* Start it now; when that fails, its restart policy decides. */
void service_start(struct service *s);

/* Its slot has fired: it has ended - say so, then do what its exit code asks or its policy wants - or its
 * native code has sunk to Void, and it is watched from now on. */
void service_heard(struct service *s);

/* End it for a reason (NEXUS_KILL_*), and go through its death.  Blamed: it counts as its own fault.
 * False: it does not end within a second, and will be heard of. */
bool service_kill(struct service *s, uint64_t code, bool blamed);

/* Start it anew, with a clean record, whatever became of it.  NULL, or what is against it. */
const char *service_restart(struct service *s);

/* Go on from another image: of a manifest that plan_swap() found good, at a place of the store or in the
 * bundle.  The old life ends when the new one is made.  0, or an error and nothing has changed; the
 * caller keeps or drops the place then. */
long service_swap(struct service *s, const struct nx_manifest *m, int image, uint64_t offset,
                  uint64_t size);

/* `s` says that the client of its channel at `slot` broke the protocol of its ring: the channel is made
 * anew, and the client ends for it.  False: there is no such channel. */
bool service_blame_client(struct service *s, unsigned slot);

/* Look whether it is well, when that is due; when is the next look (ms)? */
uint64_t service_look(struct service *s, uint64_t now_ms);

uint64_t service_now_ms(void);

#endif
