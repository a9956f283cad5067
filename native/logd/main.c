/* logd: the cell that keeps the System Truth Ledger (interface "log", nexus/stl.h).
 *
 * Writers do not know it: they write to the nucleus, which signals an event here when there is more.
 * drain.c moves that into the history (history.c), whose memory outlives this cell.  A client reads from
 * any number on, or is told when there is more.  Nothing ticks while nobody writes.
 */
#include "drain.h"

#include <manifest/logd.h>
#include <nexus/cell.h>
#include <nexus/service.h>
#include <nexus/stl.h>
#include <nx/sys.h>
#include <nx_base.h>

#define SLOT_GROWN 2    /* made by us */
#define READ_MAX 16384u /* bytes of an answer */
#define REST_MS 2u      /* from the first news to the look at them */

static struct service_client clients[CLIENTS_CLIENTS];
static struct history history;
static struct drain source;

static int read_records(void *ctx, const struct nx_slot *request, const struct nexus_stl_read *ask,
                        uint8_t *to, uint32_t room, struct nexus_stl_read_answer *answer)
{
    uint64_t from = ask->from;
    room = NX_MIN(room, READ_MAX);
    if (room < NEXUS_STL_MAX) {
        return -NX_EINVAL;
    }
    answer->length = (uint32_t)history_read(&history, &from, to, room);
    answer->next = NX_MIN(from, history.next);
    answer->end = history.next;
    return 0;
}

/* A number that is not reached yet is none of ours: who asks hears so. */
static int follow(void *ctx, const struct nx_slot *request, const struct nexus_stl_follow *ask,
                  struct nexus_stl_follow_answer *answer)
{
    answer->end = history.next;
    return ask->from != history.next ? 0 : NEXUS_LATER;
}

static int serve(struct service *s, struct nexus_server *session, const struct nx_slot *request)
{
    static const struct nexus_stl_ops ops = {.read = read_records, .follow = follow};
    return nexus_stl_serve(session, request, &ops, NULL);
}

static struct service service = {.client = clients, .clients = CLIENTS_CLIENTS, .serve = serve};

static void open_history(const struct nx_cellinfo *info)
{
    size_t size = 0;
    int e = 0;
    void *memory = cell_map(SLOT_MEMORY, NX_PROT_R | NX_PROT_W, &size, &e);
    int n = history_open(&history, memory, size);
    if (n < 0) {
        cell_panic("no memory for the history: error %d", -e);
    }
    source.timebase = info->timebase;
    drain_open(&source, &history);
    if (info->generation > 1) {
        cell_log("%d records of the last life, up to %lu", n, (unsigned long)history.next);
    }
    e = (int)nx_make_event(SLOT_GROWN);
    e = e == 0 ? (int)nx_meta_watch(SLOT_GROWN) : e;
    if (e != 0) {
        cell_panic("the log cannot be watched: error %d", -e);
    }
}

/* Sleep until a client rings or the log grows.  When it does, a while passes before it is looked at: what
 * happens first is more urgent, as a rule, than that it can be read (a driver that died is to live again);
 * and a flood does not cost a switch to us for every line: all it can cost is what the nucleus keeps,
 * once a rest.  Who asks is answered at once, and with all there is. */
static void rest(void)
{
    if (service_wait(&service, 1ul << SLOT_GROWN, NX_NEVER) == SLOT_GROWN) {
        service_wait(&service, 0, cell_now() + cell_ticks_of_ms(REST_MS));
    }
}

int cell_main(const struct nx_cellinfo *info)
{
    open_history(info);
    service_open(&service, SLOT_CLIENTS, NULL);
    for (;;) {
        unsigned moved = drain(&source, &history);
        service_work(&service);
        if (moved < DRAIN_MOST) {
            rest();
        }
    }
}
