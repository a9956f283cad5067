/* The last cell of the web-log analyser: counts records (interface "tally") and says what they come to.
 *
 * Each client has a tally of its own; which one a request is of, its session says.  Records lie in the pool, which stays
 * the client's to change: each is copied before it is looked at, and its text is ended here.
 */
#include "weblog.h"

#include <idl/tally.h>
#include <manifest/weblog_tally.h>
#include <nexus/cell.h>
#include <nexus/service.h>
#include <nx/sys.h>

static struct service_client clients[CLIENTS_CLIENTS];
static struct weblog_tally tallies[CLIENTS_CLIENTS];

static int add(void *ctx, const struct nx_slot *request, uint8_t *buf, uint32_t length,
               struct tally_add_answer *answer)
{
    struct weblog_tally *t = ctx;
    struct weblog_record r;
    if (length % sizeof(r) != 0) {
        return -NX_EINVAL;
    }
    for (uint32_t at = 0; at < length; at += sizeof(r)) {
        memcpy(&r, buf + at, sizeof(r));
        r.path[WEBLOG_PATH - 1] = 0;
        weblog_add(t, &r);
    }
    answer->count = t->count;
    return 0;
}

static int report(void *ctx, const struct nx_slot *request, uint8_t *buf, uint32_t length,
                  struct tally_report_answer *answer)
{
    static char text[1024];
    const size_t n = weblog_report(ctx, text, sizeof(text));
    if (n > length) {
        return -NX_EINVAL;
    }
    memcpy(buf, text, n);
    answer->length = (uint32_t)n;
    cell_log("%lu ticks of run time so far", (unsigned long)nx_meta_cell(NX_SELF, NX_CELL_RUNTIME));
    return 0;
}

static int clear(void *ctx, const struct nx_slot *request)
{
    memset(ctx, 0, sizeof(struct weblog_tally));
    return 0;
}

static int serve(struct service *s, struct nexus_server *session, const struct nx_slot *request)
{
    static const struct tally_ops ops = {.add = add, .report = report, .clear = clear};
    for (unsigned i = 0; i < CLIENTS_CLIENTS; i++) {
        if (session == &clients[i].session) {
            return tally_serve(session, request, &ops, &tallies[i]);
        }
    }
    return server_reply(session, request, -NX_EINVAL, NULL);
}

static struct service service = {
    .client = clients, .clients = CLIENTS_CLIENTS, .programs = true, .serve = serve};

int cell_main(const struct nx_cellinfo *info)
{
    service_open(&service, SLOT_CLIENTS, NULL);
    for (;;) {
        service_work(&service);
        service_wait(&service, 0, NX_NEVER);
    }
}
