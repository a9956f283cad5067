/* See renew.h. */
#include "renew.h"

#include <nexus/control.h>
#include <nx_base.h>
#include <string.h>

static struct renewal *all;

static void answered(struct nexus_request *request, int result, const struct nx_slot *reply)
{
    struct renewal *r = container_of(request, struct renewal, request);
    if (result == -NX_EBUSY) {
        serve_timer_set(&r->timer,
                        mb_arch_time() + mb_ns_to_ticks(NEXUS_CONTROL_FAIR_MS * 1000000ul));
        return;
    }
    r->pending = false;
    if (result != 0 || !r->reopen(r)) {
        r->pending = true; /* for good */
        mb_log_at(NX_LOG_ERR, "the channel %s is lost: %d", r->what, result);
    }
}

static void ask(struct renewal *r)
{
    r->request.done = answered;
    if (control_ask(&r->request, NEXUS_CONTROL_RENEW, r->what) != 0) {
        mb_log_at(NX_LOG_ERR, "the channel %s is lost: nobody makes it anew", r->what);
    }
}

static void again(struct serve_timer *t, uint64_t now, uint64_t late)
{
    ask((struct renewal *)t);
}

void renewal_add(struct renewal *r, const char *what, unsigned slot,
                 bool (*reopen)(struct renewal *r))
{
    r->what = what;
    r->slot = slot;
    r->reopen = reopen;
    r->next = all;
    all = r;
    serve_timer_add(&r->timer, again);
}

void renewal_start(struct renewal *r)
{
    if (r->pending) {
        return;
    }
    mb_log_at(NX_LOG_WARNING, "the channel %s is broken: new rings are wanted", r->what);
    r->pending = true;
    nx_grant_drop(r->slot);
    nx_grant_drop(r->slot + 1);
    ask(r);
}

void renewal_start_of(const char *what, size_t n)
{
    for (struct renewal *r = all; r != NULL; r = r->next) {
        if (strlen(r->what) == n && memcmp(r->what, what, n) == 0) {
            renewal_start(r);
        }
    }
}
