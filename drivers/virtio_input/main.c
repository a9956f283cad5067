/* Driver cell of a virtio input device: serves the interface "input" (nexus/input.h), one cell for each device.
 *
 * input.c is the driver; here it meets its capabilities.
 */
#include "input.h"

#include <nexus/cell.h>
#include <nx/manifest.h>

NX_MANIFEST manifest = {
    .magic = NX_MANIFEST_MAGIC,
    .name = "virtio_input",
    .tier = NX_TIER_PHOTON,
    .placement = NX_PLACE_ISOLATED,
    .restart = NX_RESTART_ALWAYS,
    .backoff_ms = 100,
    .pledge = NX_PLEDGE_MAP | NX_PLEDGE_IPC | NX_PLEDGE_META,
    .window_gb = 1,
    .quota_pages = 256,
    .quota_fibers = 1,
    .flags = NX_MANIFEST_PER_DEVICE,
    .want_count = 4,
    .want = {{.kind = NX_WANT_DEVMEM,
              .slot = DRIVER_SLOT_REGS,
              .rights = NX_R_READ | NX_R_WRITE,
              .device_id = 18,
              .what = "virtio,mmio"},
             {.kind = NX_WANT_IRQ,
              .slot = DRIVER_SLOT_IRQ,
              .rights = NX_R_READ | NX_R_RECV,
              .device_id = 18,
              .what = "virtio,mmio"},
             {.kind = NX_WANT_DMA,
              .slot = DRIVER_SLOT_DMA,
              .rights = NX_R_READ | NX_R_WRITE | NX_R_DMA,
              .pool_pages = 4},
             {.kind = NX_WANT_SERVE,
              .slot = DRIVER_SLOT_SERVE,
              .rights = NX_R_READ | NX_R_WRITE | NX_R_SEND | NX_R_RECV,
              .ring_slots = 64,
              .pool_pages = 1,
              .clients = 1,
              .what = "input"}},
};

static struct input input;
static struct driver driver;
static struct nexus_server server;
static struct nx_slot backlog[INPUT_STATUSES];

int cell_main(const struct nx_cellinfo *info)
{
    driver = (struct driver){
        .servers = &server, .server_count = 1, .self = &input, .service = input_service};
    driver_open(&driver, info->arg);
    int e = server_open(&server, DRIVER_SLOT_SERVE, 0, backlog, INPUT_STATUSES);
    if (e != 0 || server.pool == NULL) {
        cell_panic("no input channel with a pool: error %d", -e);
    }
    e = input_start(&input, &driver);
    if (e != 0) {
        driver_fail(&driver, e);
    }
    driver_run(&driver);
}
