/* Driver cell of a virtio entropy source: serves the interface "entropy" (nexus/entropy.h) to two clients,
 * the generator of random numbers and the personality.
 *
 * rng.c is the driver; here it meets its capabilities.
 */
#include "rng.h"

#include <nexus/cell.h>

static struct rng rng;
static struct driver driver;
static struct nexus_server servers[RNG_CLIENTS];
static struct nx_slot backlog[RNG_CLIENTS][RNG_DEPTH];

/* A client that does not exist leaves its channel empty. */
static void open_sessions(void)
{
    for (unsigned i = 0; i < RNG_CLIENTS; i++) {
        struct nexus_server *s = &servers[driver.server_count];
        int e = server_open(s, DRIVER_SLOT_SERVE, i, backlog[i], RNG_DEPTH);
        if (e == 0 && s->dma) {
            driver.server_count++;
        } else if (e != -NX_EBADF) {
            cell_no_channel(DRIVER_SLOT_SERVE + 3 * i, "entropy", e);
        }
    }
}

int cell_main(const struct nx_cellinfo *info)
{
    driver = (struct driver){.servers = servers, .self = &rng, .service = rng_service};
    driver_open(&driver, info->arg);
    open_sessions();
    int e = rng_start(&rng, &driver);
    if (e != 0) {
        driver_fail(&driver, e);
    }
    driver_run(&driver);
}
