/* Driver cell of a virtio network device: serves the interface "frame" (nexus/frame.h), one cell for each device.
 *
 * net.c is the driver; here it meets its capabilities.
 */
#include "net.h"

#include <nexus/cell.h>

static struct net net;
static struct driver driver;
static struct nexus_server server;
static struct nx_slot backlog[2 * NET_DEPTH];

int cell_main(const struct nx_cellinfo *info)
{
    driver = (struct driver){
        .servers = &server, .server_count = 1, .self = &net, .service = net_service};
    driver_open(&driver, info->arg);
    int e = server_open(&server, DRIVER_SLOT_SERVE, 0, backlog, 2 * NET_DEPTH);
    if (e != 0 || !server.dma) {
        cell_no_channel(DRIVER_SLOT_SERVE, "frame", e);
    }
    e = net_start(&net, &driver);
    if (e != 0) {
        driver_fail(&driver, e);
    }
    driver_run(&driver);
}
