/* Driver cell of a virtio graphics device: serves the interface "display" (nexus/display.h).
 *
 * gpu.c is the driver; here it meets its capabilities.
 */
#include "gpu.h"

#include <nexus/cell.h>
#include <nx/manifest.h>

NX_MANIFEST manifest = {
    .magic = NX_MANIFEST_MAGIC,
    .name = "virtio_gpu",
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
              .device_id = 16,
              .what = "virtio,mmio"},
             {.kind = NX_WANT_IRQ,
              .slot = DRIVER_SLOT_IRQ,
              .rights = NX_R_READ | NX_R_RECV,
              .device_id = 16,
              .what = "virtio,mmio"},
             {.kind = NX_WANT_DMA,
              .slot = DRIVER_SLOT_DMA,
              .rights = NX_R_READ | NX_R_WRITE | NX_R_DMA,
              .pool_pages = 1},
             {.kind = NX_WANT_SERVE,
              .slot = DRIVER_SLOT_SERVE,
              .rights = NX_R_READ | NX_R_WRITE | NX_R_SEND | NX_R_RECV | NX_R_DMA,
              .ring_slots = 16,
              .pool_pages = 1024, /* 1280 x 800 and a little */
              .clients = 1,
              .what = "display"}},
};

static struct gpu gpu;
static struct driver driver;
static struct nexus_server server;
static struct nx_slot backlog[GPU_DEPTH];

int cell_main(const struct nx_cellinfo *info)
{
    driver = (struct driver){
        .servers = &server, .server_count = 1, .self = &gpu, .service = gpu_service};
    driver_open(&driver, info->arg);
    int e = server_open(&server, DRIVER_SLOT_SERVE, 0, backlog, GPU_DEPTH);
    if (e != 0 || !server.dma) {
        cell_panic("no display channel with a pool: error %d", -e);
    }
    e = gpu_start(&gpu, &driver);
    if (e != 0) {
        driver_fail(&driver, e);
    }
    driver_run(&driver);
}
