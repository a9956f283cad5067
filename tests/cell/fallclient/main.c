/* Test cell: what a server's crash costs its client, in instructions (meaningful under qemu -icount
 * shift=0): from the request it crashes at to the answer of the next life to one that waited behind it.
 *
 * Logs one line for tests/bench/run.py, the dearest crash of some:
 *     figure crash-to-answer INSTRUCTIONS
 */
#include "../faller/fall.h"

#include <manifest/fallclient.h>
#include <nexus/cell.h>
#include <nexus/session.h>
#include <nx/sys.h>
#include <nx_base.h>

#define CRASHES 4u /* one more and the server is held back */

static struct nexus_client server;
static struct nexus_request fall, echo;
static unsigned ended, answered;

static uint64_t instructions(void)
{
    uint64_t v;
    __asm__ volatile("rdinstret %0" : "=r"(v));
    return v;
}

static void fell(struct nexus_request *r, int result, const struct nx_slot *reply)
{
    ended += result == -NX_EPEER;
}

static void echoed(struct nexus_request *r, int result, const struct nx_slot *reply)
{
    answered += result == 0;
}

static void ask(struct nexus_request *r, uint16_t type,
                void (*done)(struct nexus_request *r, int result, const struct nx_slot *reply))
{
    *r = (struct nexus_request){.slot = {.type = type}, .done = done};
    if (client_submit(&server, r) != 0) {
        cell_panic("cannot ask");
    }
}

static void wait_for(const unsigned *count, unsigned n)
{
    while (*count != n) {
        client_poll(&server);
        if (*count != n && client_sleep_prepare(&server) == 0) {
            (void)nx_recv_wait(client_watch(&server), NX_NEVER);
            client_awake(&server);
        }
    }
}

int cell_main(const struct nx_cellinfo *info)
{
    uint64_t dearest = 0;
    int e = client_open(&server, SLOT_SERVER);
    if (e != 0) {
        cell_panic("channel: error %d", -e);
    }
    ask(&echo, FALL_ECHO, echoed);
    wait_for(&answered, 1);
    for (unsigned i = 1; i <= CRASHES; i++) {
        nx_tick_sleep(cell_now() + cell_ticks_of_ms(100)); /* all is quiet again */
        const uint64_t start = instructions();
        ask(&fall, FALL_NOW, fell);
        ask(&echo, FALL_ECHO, echoed);
        wait_for(&answered, i + 1);
        dearest = NX_MAX(dearest, instructions() - start);
        wait_for(&ended, i);
        cell_log("crash %u: %lu", i, (unsigned long)(instructions() - start));
    }
    cell_log("figure crash-to-answer %lu", (unsigned long)dearest);
    return 0;
}
