/* Driver cell of a virtio graphics device: serves the interface "display" (nexus/display.h).
 *
 * gpu.c is the driver; here it meets its capabilities.
 */
#include "gpu.h"

#include <nexus/cell.h>

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
        cell_no_channel(DRIVER_SLOT_SERVE, "display", e);
    }
    e = gpu_start(&gpu, &driver);
    if (e != 0) {
        driver_fail(&driver, e);
    }
    driver_run(&driver);
}
