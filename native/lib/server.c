/* The server's half of a session.  See nexus/session.h.
 *
 * What is to be sent goes out in this order: the HELLO that is due, the backlog, new replies.  Replies
 * for a client that is gone are dropped from the backlog, so a HELLO always stands before it.
 */
#include <nexus/cell.h>
#include <nexus/session.h>
#include <nx/sys.h>
#include <nx_base.h>
#include <string.h>

static uint32_t backlog_count(const struct nexus_server *s)
{
    return s->backlog_tail - s->backlog_head;
}

static bool may_take(const struct nexus_server *s)
{
    return !s->renewing && s->taken + backlog_count(s) < s->backlog_size;
}

static bool sends_wait(const struct nexus_server *s)
{
    return s->hello_due || backlog_count(s) != 0;
}

/* 0 when nothing waits any more, -NX_EFULL, -NX_EPEER. */
static int push_waiting(struct nexus_server *s)
{
    int e = 0;
    if (s->hello_due) {
        e = nx_ring_push(&s->ch.out, &s->hello);
        s->hello_due = e != 0;
        s->pushed |= e == 0;
    }
    while (e == 0 && backlog_count(s) != 0) {
        e = nx_ring_push(&s->ch.out, &s->backlog[s->backlog_head % s->backlog_size]);
        if (e == 0) {
            s->backlog_head++;
            s->pushed = true;
        }
    }
    return e;
}

/* Say HELLO once nothing of the client before is left. */
static void renew(struct nexus_server *s)
{
    s->backlog_head = s->backlog_tail;
    s->event_due = false;
    s->renewing = s->taken != 0;
    s->hello_due = s->taken == 0;
}

int server_open(struct nexus_server *s, unsigned slot, unsigned client, struct nx_slot *backlog,
                uint32_t backlog_size)
{
    *s = (struct nexus_server){.backlog = backlog, .backlog_size = backlog_size};
    if (client >= NX_SLOTS / 3 || slot + 3 * client + 2 >= NX_SLOTS || !nx_is_pow2(backlog_size)) {
        return -NX_EINVAL;
    }
    slot += 3 * client;
    int e = channel_serve(&s->ch, slot, slot + 1);
    const long pool = e == 0 ? nx_meta_size(slot + 2) : 0;
    if (pool > 0) {
        s->pool_size = (size_t)pool;
        long phys = nx_meta_phys(slot + 2, 0);
        s->dma = phys > 0;
        s->pool_phys = s->dma ? (uint64_t)phys : 0;
    }
    s->pool_phys_not = ~s->pool_phys;
    return e;
}

uint64_t server_phys(const struct nexus_server *s, uint32_t off)
{
    if (s->pool_phys != ~s->pool_phys_not) {
        cell_panic("the pool's address for the device is damaged");
    }
    return s->pool_phys + off;
}

bool server_reaches(const struct nexus_server *s, uint64_t phys, uint64_t len)
{
    return s->dma && s->pool_phys == ~s->pool_phys_not && phys >= s->pool_phys &&
           nx_in_bounds(phys - s->pool_phys, len, s->pool_size);
}

void server_config(struct nexus_server *s, const struct nx_slot *config)
{
    const uint32_t x = s->hello.cookie;
    s->hello = config != NULL ? *config : (struct nx_slot){0};
    s->hello.type = NEXUS_HELLO;
    s->hello.flags = 0;
    s->hello.cookie = x;
}

int server_hello(struct nexus_server *s, const struct nx_slot *config)
{
    int n = nx_ring_pending(&s->ch.in, NX_RING_SLOTS_MAX);
    if (n < 0) {
        return n;
    }
    nx_ring_release(&s->ch.in, (uint32_t)n);
    s->popped = true;
    server_config(s, config);
    s->hello.cookie = s->ch.in.own;
    s->hello_due = true;
    return server_flush(s);
}

int server_take(struct nexus_server *s, struct nx_slot *request)
{
    while (may_take(s)) {
        int e = nx_ring_pop(&s->ch.in, request);
        if (e != 0) {
            return e == -NX_EEMPTY ? 0 : e;
        }
        s->popped = true;
        if (request->type != NEXUS_HELLO) {
            s->taken++;
            return 1;
        }
        s->hello.cookie = s->ch.in.own;
        renew(s);
        if (s->hello_due) {
            return 0; /* a flood of them gets one answer a round */
        }
    }
    return 0;
}

bool server_renewing(const struct nexus_server *s)
{
    return s->renewing;
}

int server_reply(struct nexus_server *s, const struct nx_slot *request, int result,
                 const struct nx_slot *reply)
{
    if (s->taken == 0) {
        return 0; /* never: there is nothing to answer */
    }
    s->taken--;
    if (s->renewing) {
        renew(s);
        return 0;
    }
    struct nx_slot *slot = &s->backlog[s->backlog_tail++ % s->backlog_size];
    *slot = reply != NULL ? *reply : (struct nx_slot){0};
    slot->type = request->type;
    slot->flags |= NX_SLOT_REPLY;
    slot->cookie = request->cookie;
    slot->word32[0] = (uint32_t)result;
    int e = push_waiting(s);
    return e == -NX_EFULL ? 0 : e;
}

int server_event(struct nexus_server *s, const struct nx_slot *event)
{
    if (s->renewing) {
        return -NX_EFULL; /* and no room would help */
    }
    int e = push_waiting(s);
    if (e == 0) {
        struct nx_slot slot = *event;
        slot.flags &= (uint16_t)~NX_SLOT_REPLY;
        e = nx_ring_push(&s->ch.out, &slot);
        s->pushed |= e == 0;
    }
    s->event_due = e == -NX_EFULL;
    return e;
}

int server_flush(struct nexus_server *s)
{
    int e = push_waiting(s);
    /* For what we did, and for nothing else: the client's look would wake us, without end. */
    if (s->popped) {
        channel_bell_in(&s->ch);
    }
    if (s->pushed) {
        channel_bell_out(&s->ch);
    }
    s->pushed = s->popped = false;
    return e == -NX_EFULL ? 0 : e;
}

int server_sleep_prepare(struct nexus_server *s)
{
    int n = 0;
    if (sends_wait(s) || (s->event_due && !s->renewing)) {
        n = nx_ring_sleep_prepare(&s->ch.out);
    }
    if (n == 0 && may_take(s)) {
        n = nx_ring_sleep_prepare(&s->ch.in);
    }
    if (n != 0) {
        server_awake(s);
    }
    return n < 0 ? n : n > 0;
}

void server_awake(struct nexus_server *s)
{
    nx_ring_sleep_cancel(&s->ch.in);
    nx_ring_sleep_cancel(&s->ch.out);
}

uint64_t server_watch(const struct nexus_server *s)
{
    return 1ul << s->ch.in_slot | 1ul << s->ch.out_slot;
}

bool server_in_pool(const struct nexus_server *s, uint32_t off, uint32_t len)
{
    return nx_in_bounds(off, len, s->pool_size);
}

uint8_t *server_at(struct nexus_server *s, uint32_t off, uint32_t len)
{
    if (!server_in_pool(s, off, len)) {
        return NULL;
    }
    if (s->pool == NULL) {
        s->pool = cell_map(s->ch.in_slot + 2u, NX_PROT_R | NX_PROT_W, NULL, NULL);
    }
    return s->pool != NULL ? s->pool + off : NULL;
}
