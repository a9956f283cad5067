/* Driver cell of a virtio entropy source: serves the interface "entropy" (nexus/entropy.h) to two clients,
 * the generator of random numbers and the personality.
 *
 * rng.c is the driver; here it meets its capabilities.
 */
#include "rng.h"

#include <nexus/cell.h>
#include <nx/manifest.h>

NX_MANIFEST manifest = {
    .magic = NX_MANIFEST_MAGIC,
    .name = "virtio_rng",
    .tier = NX_TIER_PHOTON,
    .placement = NX_PLACE_ISOLATED,
    .restart = NX_RESTART_ALWAYS,
    .backoff_ms = 100,
    .pledge = NX_PLEDGE_MAP | NX_PLEDGE_IPC | NX_PLEDGE_META,
    .window_gb = 1,
    .quota_pages = 256,
    .quota_fibers = 1,
    .want_count = 4,
    .want = {{.kind = NX_WANT_DEVMEM,
              .slot = DRIVER_SLOT_REGS,
              .rights = NX_R_READ | NX_R_WRITE,
              .device_id = 4,
              .what = "virtio,mmio"},
             {.kind = NX_WANT_IRQ,
              .slot = DRIVER_SLOT_IRQ,
              .rights = NX_R_READ | NX_R_RECV,
              .device_id = 4,
              .what = "virtio,mmio"},
             {.kind = NX_WANT_DMA,
              .slot = DRIVER_SLOT_DMA,
              .rights = NX_R_READ | NX_R_WRITE | NX_R_DMA,
              .pool_pages = 1},
             {.kind = NX_WANT_SERVE,
              .slot = DRIVER_SLOT_SERVE,
              .rights = NX_R_READ | NX_R_WRITE | NX_R_SEND | NX_R_RECV | NX_R_DMA,
              .ring_slots = 8,
              .pool_pages = 1,
              .clients = RNG_CLIENTS,
              .what = "entropy"}},
};

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
            cell_panic("no entropy channel with a pool: error %d", -e);
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
