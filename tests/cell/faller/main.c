/* Test cell: serves "fall" (fall.h), and crashes when it is asked to.  The other half of
 * tests/cell/fallclient, which measures.
 */
#include "fall.h"

#include <manifest/faller.h>
#include <nexus/cell.h>
#include <nexus/session.h>
#include <nx/sys.h>

#define DEPTH 4u

static struct nexus_server server;
static struct nx_slot backlog[DEPTH];

int cell_main(const struct nx_cellinfo *info)
{
    int e = server_open(&server, SLOT_CLIENT, 0, backlog, DEPTH);
    for (e = e == 0 ? server_hello(&server, NULL) : e; e >= 0;) {
        struct nx_slot request;
        while ((e = server_take(&server, &request)) == 1) {
            if (request.type == FALL_NOW) {
                *(volatile uint32_t *)0 = 0;
            }
            (void)server_reply(&server, &request, 0, NULL);
        }
        e = e == 0 ? server_flush(&server) : e;
        if (e == 0 && (e = server_sleep_prepare(&server)) == 0) {
            (void)nx_recv_wait(server_watch(&server), NX_NEVER);
            server_awake(&server);
        }
    }
    cell_panic("error %d", -e);
}
