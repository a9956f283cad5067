/* Driver cell of a virtio disk: serves the interface "block" (nexus/block.h), one cell for each disk.
 *
 * blk.c is the driver; here it meets its capabilities.
 */
#include "blk.h"

#include <nexus/cell.h>

static struct blk blk;
static struct driver driver;
static struct nexus_server server;
static struct nx_slot backlog[BLK_DEPTH];

int cell_main(const struct nx_cellinfo *info)
{
    driver = (struct driver){
        .servers = &server, .server_count = 1, .self = &blk, .service = blk_service};
    driver_open(&driver, info->arg);
    int e = server_open(&server, DRIVER_SLOT_SERVE, 0, backlog, BLK_DEPTH);
    if (e != 0 || !server.dma) {
        cell_no_channel(DRIVER_SLOT_SERVE, "block", e);
    }
    e = blk_start(&blk, &driver);
    if (e != 0) {
        driver_fail(&driver, e);
    }
    driver_run(&driver);
}
