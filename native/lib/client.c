/* The client's half of a session.  See nexus/session.h.
 *
 * A request is in `table` from submit to done.  Those not in the ring are in the list `waiting`, oldest
 * first, and nothing overtakes them: what is sent again after a restart keeps its order.
 */
#include <nexus/call.h>
#include <nexus/cell.h>
#include <nexus/session.h>
#include <nx_base.h>

/* Is index a before b?  Of free-running counts less than 2^31 apart. */
static bool before(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) < 0;
}

/* ---- sending ---- */

static void wait_for_room(struct nexus_client *c, struct nexus_request *r)
{
    r->sent = false;
    r->next = NULL;
    *c->waiting_end = r;
    c->waiting_end = &r->next;
}

static int push(struct nexus_client *c, struct nexus_request *r)
{
    r->index = c->ch.out.own;
    r->slot.cookie = r->index << 8 | r->number;
    r->slot.flags &= (uint16_t)~NX_SLOT_REPLY;
    int e = nx_ring_push(&c->ch.out, &r->slot);
    r->sent = e == 0;
    c->pushed |= e == 0;
    return e;
}

static int push_hello(struct nexus_client *c)
{
    static const struct nx_slot hello = {.type = NEXUS_HELLO};
    if (c->hello_sent) {
        return 0;
    }
    int e = nx_ring_push(&c->ch.out, &hello);
    if (e == 0) {
        c->hello_sent = c->pushed = true;
        c->hello_end = c->ch.out.own;
    }
    return e;
}

/* Ring for what we did, and for nothing else: a bell for each look at the rings would wake the server,
 * whose look would wake us, without end. */
static void ring_bells(struct nexus_client *c)
{
    if (c->pushed) {
        channel_bell_out(&c->ch);
    }
    if (c->popped) {
        channel_bell_in(&c->ch);
    }
    c->pushed = c->popped = false;
}

/* Put what waits into the ring, as far as there is room: 0 or -NX_EPEER. */
static int push_waiting(struct nexus_client *c)
{
    int e = push_hello(c);
    while (e == 0 && c->generation != 0 && c->waiting != NULL) {
        struct nexus_request *r = c->waiting;
        e = push(c, r);
        if (e == 0) {
            c->waiting = r->next;
            if (c->waiting == NULL) {
                c->waiting_end = &c->waiting;
            }
        }
    }
    ring_bells(c);
    return e == -NX_EFULL ? 0 : e;
}

/* ---- ends ---- */

static void finish(struct nexus_client *c, struct nexus_request *r, int result,
                   const struct nx_slot *reply)
{
    c->table[r->number] = NULL;
    c->outstanding--;
    r->done(r, result, reply);
}

/* ---- receiving ---- */

/* How many slots ago was index i?  Counts are free-running; nothing is older than 2^32. */
static uint32_t age(const struct nexus_client *c, uint32_t i)
{
    return c->ch.out.own - i;
}

/* Of the requests that stand before X the repeatable ones go to the front of those that wait, in the
 * order they were sent in; the others are answered, as a list in the same order. */
static struct nexus_request *sort_lost(struct nexus_client *c, uint32_t x)
{
    struct nexus_request *again = NULL, *ended = NULL, **at;
    for (unsigned i = 0; i < NEXUS_SESSION_REQUESTS; i++) {
        struct nexus_request *r = c->table[i];
        if (r == NULL || !r->sent || age(c, r->index) <= age(c, x)) {
            continue;
        }
        at = (r->slot.type & NX_TYPE_REPEATABLE) != 0 ? &again : &ended;
        while (*at != NULL && age(c, (*at)->index) > age(c, r->index)) {
            at = &(*at)->next;
        }
        r->next = *at;
        *at = r;
    }
    if (again == NULL) {
        return ended;
    }
    for (at = &again; *at != NULL; at = &(*at)->next) {
        (*at)->sent = false;
    }
    *at = c->waiting;
    if (c->waiting == NULL) {
        c->waiting_end = at;
    }
    c->waiting = again;
    return ended;
}

static int take_hello(struct nexus_client *c, const struct nx_slot *hello)
{
    const uint32_t x = hello->cookie;
    if (before(c->ch.out.own, x)) {
        c->strays++; /* nonsense; the server's next life may know better */
        return 0;
    }
    if (c->generation == 0 && (!c->hello_sent || before(x, c->hello_end))) {
        return 0; /* said to our predecessor, or before our own was heard */
    }
    struct nexus_request *ended = sort_lost(c, x);
    c->generation += c->generation + 1 != 0;
    if (c->hello != NULL) {
        c->hello(c, hello);
    }
    while (ended != NULL) {
        struct nexus_request *r = ended;
        ended = r->next;
        finish(c, r, -NX_EPEER, NULL);
    }
    return push_waiting(c);
}

/* Is this answer not believed?  The request then stands in the ring as one that was never answered; another answer to
 * it of the same life is a stray, for its cookie names another number. */
static bool doubts(struct nexus_client *c, struct nexus_request *r, const struct nx_slot *reply)
{
    if (c->doubt == NULL || (r->slot.type & NX_TYPE_REPEATABLE) == 0 || !c->doubt(c, r, reply)) {
        return false;
    }
    r->doubted = true;
    r->slot.cookie = ~r->slot.cookie;
    return true;
}

static void take_reply(struct nexus_client *c, const struct nx_slot *reply)
{
    struct nexus_request *r = c->table[reply->cookie % NEXUS_SESSION_REQUESTS];
    if (r == NULL || !r->sent || r->slot.cookie != reply->cookie || r->slot.type != reply->type) {
        c->strays++;
        return;
    }
    channel_well(&c->ch);
    if (!doubts(c, r, reply)) {
        finish(c, r, (int)reply->word32[0], reply);
    }
}

static int take(struct nexus_client *c, const struct nx_slot *slot)
{
    if (slot->type == NEXUS_HELLO) {
        return take_hello(c, slot);
    }
    if (c->generation == 0) {
        return 0; /* for our predecessor */
    }
    if ((slot->flags & NX_SLOT_REPLY) != 0) {
        take_reply(c, slot);
    } else if (c->event != NULL) {
        c->event(c, slot);
    }
    return 0;
}

/* ---- interface ---- */

int client_open(struct nexus_client *c, unsigned slot)
{
    *c = (struct nexus_client){.hello = c->hello, .event = c->event, .doubt = c->doubt};
    c->waiting_end = &c->waiting;
    int e = channel_open(&c->ch, slot + 1, slot);
    if (e == 0) {
        int none;
        c->pool = cell_map(slot + 2, NX_PROT_R | NX_PROT_W, &c->pool_size, &none);
        e = push_waiting(c);
    }
    return e;
}

int client_submit(struct nexus_client *c, struct nexus_request *r)
{
    if (c->outstanding == NEXUS_SESSION_REQUESTS) {
        return -NX_EFULL;
    }
    while (c->table[c->next_number % NEXUS_SESSION_REQUESTS] != NULL) {
        c->next_number++;
    }
    r->number = (uint8_t)(c->next_number++ % NEXUS_SESSION_REQUESTS);
    r->doubted = false;
    c->table[r->number] = r;
    c->outstanding++;
    wait_for_room(c, r);
    while (push_waiting(c) == -NX_EPEER && channel_mend(&c->ch)) {
    }
    return 0;
}

static void not_waiting(struct nexus_client *c, const struct nexus_request *r)
{
    struct nexus_request **at = &c->waiting;
    while (*at != NULL && *at != r) {
        at = &(*at)->next;
    }
    if (*at != NULL) {
        *at = r->next;
        if (*at == NULL) {
            c->waiting_end = at;
        }
    }
}

bool client_cancel(struct nexus_client *c, struct nexus_request *r)
{
    if (c->table[r->number] != r) {
        return false;
    }
    if (!r->sent) {
        not_waiting(c, r);
    }
    c->table[r->number] = NULL;
    c->outstanding--;
    return true;
}

int client_poll(struct nexus_client *c)
{
    const uint32_t most = c->ch.in.count;
    int e = 0;
    channel_greet(&c->ch);
    for (uint32_t n = 0; n < most && e == 0; n++) {
        struct nx_slot slot;
        e = nx_ring_pop(&c->ch.in, &slot);
        if (e == 0) {
            c->popped = true;
            e = take(c, &slot);
        }
    }
    if (e == 0 || e == -NX_EEMPTY) {
        e = push_waiting(c);
    }
    if (e == -NX_EPEER) {
        (void)channel_mend(&c->ch); /* the next poll, or the next sleep, looks again */
    }
    return 0;
}

int client_sleep_prepare(struct nexus_client *c)
{
    int n = 0;
    if (!c->hello_sent || (c->generation != 0 && c->waiting != NULL)) {
        n = nx_ring_sleep_prepare(&c->ch.out);
    }
    if (n == 0) {
        n = nx_ring_sleep_prepare(&c->ch.in);
    }
    if (n != 0) {
        client_awake(c);
    }
    return n < 0 ? channel_mend(&c->ch) : n > 0;
}

void client_awake(struct nexus_client *c)
{
    nx_ring_sleep_cancel(&c->ch.in);
    nx_ring_sleep_cancel(&c->ch.out);
}

uint64_t client_watch(const struct nexus_client *c)
{
    return 1ul << c->ch.in_slot | 1ul << c->ch.out_slot;
}
