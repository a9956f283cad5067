/* A cell the supervisor looks after: what is known of it over all its lives. */
#ifndef SUPERVISOR_SERVICE_H
#define SUPERVISOR_SERVICE_H

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
    int image;                   /* place in the store, or SERVICE_BUNDLE */
    uint64_t offset, size;       /* of the image there */
    uint64_t arg;                /* for its info page: nexus/device.h */
    uint32_t instance;           /* 0: it is the only one; n + 1: number n */
    unsigned slot;               /* NX_SELF: the supervisor itself */
    uint32_t generation;
    enum service_state state;
    bool blamed;       /* killed for what its peer says of it: a death of its own fault */
    uint64_t start_at; /* ticks */
    uint64_t born_ms;
    struct restart record;
    char missing[48];
    struct service_dma dma[SERVICE_DMA_MAX];
    unsigned dma_count;
    const volatile struct nexus_beat *beat; /* NULL: it need not beat */
    int beat_place;
};
#define SERVICE_BUNDLE (-1)

/* Start it now; when that fails, its restart policy decides. */
void service_start(struct service *s);

/* Its death was signalled: say so, then do what its exit code asks or its policy wants. */
void service_ended(struct service *s);

#endif
