/* Driver cell of a virtio input device: serves the interface "input" (nexus/input.h), one cell for each device.
 *
 * input.c is the driver; here it meets its capabilities.
 */
#include "input.h"

#include <nexus/cell.h>

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
    if (e != 0 || server.pool_size == 0) {
        cell_no_channel(DRIVER_SLOT_SERVE, "input", e);
    }
    e = input_start(&input, &driver);
    if (e != 0) {
        driver_fail(&driver, e);
    }
    driver_run(&driver);
}
