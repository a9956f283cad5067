/* See patience.h. */
#include "patience.h"

#include <nexus/control.h>
#include <nx_base.h>
#include <string.h>

#define DOUBTS_MAX 6u

static uint64_t ticks_of_ms(uint64_t ms)
{
    return mb_ns_to_ticks(ms * 1000000);
}

/* The requests with a limit that are under way. */
struct ages {
    uint64_t oldest; /* MB_NEVER: there is none */
    uint64_t limit;
    uint64_t count;
    bool doubted; /* one of them */
};

static struct ages ages_of(const struct patience *p)
{
    struct ages a = {.oldest = MB_NEVER};
    if (p->client->generation == 0) {
        a.oldest = p->anew;
        a.limit = ticks_of_ms(NEXUS_PATIENCE_HELLO);
    }
    for (unsigned i = 0; i < NEXUS_SESSION_REQUESTS; i++) {
        if (p->client->table[i] != NULL && p->asked[i].limit != 0) {
            a.count++;
            a.oldest = NX_MIN(a.oldest, NX_MAX(p->asked[i].since, p->anew));
            a.limit = NX_MAX(a.limit, p->asked[i].limit);
            a.doubted = a.doubted || p->asked[i].doubted;
        }
    }
    return a;
}

static void give_up(struct patience *p, const char *why)
{
    mb_log_at(NX_LOG_ERR, "the server of %s does not answer, and %s", p->what, why);
    p->given_up = true;
}

static void told(struct nexus_request *r, int result, const struct nx_slot *reply)
{
    struct patience *p = container_of(r, struct patience, complaint);
    p->complaining = false;
    if (result != 0 && result != -NX_EBUSY) {
        give_up(p, "the supervisor has none to start again");
    }
}

/* False: the supervisor does not hear us. */
static bool tell(struct patience *p, unsigned type)
{
    p->doubts += p->doubts < DOUBTS_MAX;
    if (p->complaining) {
        give_up(p, "neither does the supervisor");
        return false;
    }
    p->complaint.done = told;
    p->complaining = control_complain(&p->complaint, type, p->what) == 0;
    if (!p->complaining) {
        give_up(p, "there is no way to tell the supervisor");
    }
    return p->complaining;
}

static void complain(struct patience *p, const struct ages *a, uint64_t now)
{
    const uint64_t age = now - a->oldest;
    p->anew = now;
    p->spared = false;
    mb_log_at(NX_LOG_WARNING, "the server of %s has not answered for %lu ms", p->what,
              (unsigned long)(mb_ticks_to_ns(age) / 1000000));
    (void)tell(p, a->doubted ? NEXUS_CONTROL_DOUBT : NEXUS_CONTROL_COMPLAIN);
}

static bool is_over(const struct patience *p, const struct ages *a, uint64_t now)
{
    return a->oldest != MB_NEVER && !p->given_up && now >= a->oldest + (a->limit << p->doubts);
}

static void look(struct serve_timer *t, uint64_t now, uint64_t late)
{
    struct patience *p = (struct patience *)t;
    struct ages a = ages_of(p);
    if (p->poll != NULL && is_over(p, &a, now)) {
        p->poll(p);
        a = ages_of(p);
    }
    if (p->sent - a.count != p->answered) {
        p->answered = p->sent - a.count;
        p->doubts = 0;
        p->spared = false;
    }
    if (a.oldest == MB_NEVER || p->given_up) {
        return;
    }
    const uint64_t limit = a.limit << p->doubts, due = a.oldest + limit;
    if (now < due) {
        serve_timer_set(t, due);
    } else if (late > limit / 2 && !p->spared) {
        p->spared = true;
        p->anew = now;
        serve_timer_set(t, now + limit);
    } else {
        complain(p, &a, now);
        if (!p->given_up) {
            serve_timer_set(t, now + (a.limit << p->doubts));
        }
    }
}

void patience_start(struct patience *p, struct nexus_client *c, const char *what)
{
    p->client = c;
    p->anew = mb_arch_time();
    memcpy(p->what, what, NX_MIN(strlen(what), sizeof(p->what) - 1));
    serve_timer_add(&p->timer, look);
    serve_timer_set(&p->timer, p->anew + ticks_of_ms(NEXUS_PATIENCE_HELLO));
}

void patience_asked(struct patience *p, const struct nexus_request *r, unsigned limit_ms)
{
    const uint64_t now = mb_arch_time(), limit = ticks_of_ms(limit_ms);
    const uint64_t due = now + (limit << p->doubts);
    p->asked[r->number].since = now;
    p->asked[r->number].limit = limit;
    p->asked[r->number].doubted = false;
    p->sent += limit != 0;
    if (limit != 0 && !p->given_up && due < p->timer.due) {
        serve_timer_set(&p->timer, due);
    }
}

void patience_hello(struct patience *p)
{
    p->given_up = false;
    p->anew = mb_arch_time();
    if (p->timer.due == MB_NEVER) {
        look(&p->timer, p->anew, 0);
    }
}

/* The request is asked again at the next HELLO; it must come soon. */
static void await_next_life(struct patience *p, unsigned number, uint64_t now)
{
    const uint64_t limit = ticks_of_ms(NEXUS_PATIENCE_DOUBT);
    p->sent += p->asked[number].limit == 0;
    p->asked[number].limit = limit;
    p->asked[number].since = now;
    p->asked[number].doubted = true;
    if (now + (limit << p->doubts) < p->timer.due) {
        serve_timer_set(&p->timer, now + (limit << p->doubts));
    }
}

bool patience_doubt(struct patience *p, const struct nexus_request *r, int result)
{
    const uint64_t now = mb_arch_time();
    if (r->doubted) {
        p->trusted = now + ticks_of_ms(NEXUS_PATIENCE_TRUST);
    }
    if (p->given_up || now < p->trusted) {
        return false;
    }
    if (!p->complaining) {
        mb_log_at(NX_LOG_WARNING, "the server of %s answers with error %d: another life may not",
                  p->what, result);
        if (!tell(p, NEXUS_CONTROL_DOUBT)) {
            return false;
        }
    }
    await_next_life(p, r->number, now);
    return true;
}
