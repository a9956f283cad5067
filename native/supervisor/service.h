/* A cell the supervisor looks after: what is known of it over all its lives. */
#ifndef SUPERVISOR_SERVICE_H
#define SUPERVISOR_SERVICE_H

#include "restart.h"

#include <nx/manifest.h>
#include <stdbool.h>

#define SERVICES_MAX 24u
#define PERSONALITY "posix" /* the cell the user talks to */

enum service_state {
    SERVICE_DOWN,       /* not started yet, or ended for good */
    SERVICE_RUNNING,    /* `slot` holds its capability */
    SERVICE_WAITING,    /* to be started at `start_at` */
    SERVICE_QUARANTINE, /* died too often */
};

struct service {
    struct nx_manifest manifest;
    uint64_t offset, size; /* of the image in the bundle */
    uint64_t arg;          /* for its info page: nexus/device.h */
    unsigned slot;
    uint32_t generation;
    enum service_state state;
    bool blamed;       /* killed for what its peer says of it: a death of its own fault */
    uint64_t start_at; /* ticks */
    uint64_t born_ms;
    struct restart record;
};

/* Start it now; when that fails, its restart policy decides. */
void service_start(struct service *s);

/* Its death was signalled: say so, then do what its exit code asks or its policy wants. */
void service_ended(struct service *s);

#endif
