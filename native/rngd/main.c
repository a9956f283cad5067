/* rngd: the cell that gives out random numbers (interface "random", nexus/entropy.h).
 *
 * Its seed comes from a hardware source (interface "entropy") and from nowhere else: without one it
 * answers nothing.  Requests that come before the seed wait for it.  Nothing of a life is kept for the
 * next, which seeds itself anew.  When and how: seed.h; what it means for programs: docs/random.md.
 */
#include "seed.h"

#include <manifest/rngd.h>
#include <nexus/cell.h>
#include <nexus/entropy.h>
#include <nexus/exit.h>
#include <nexus/session.h>
#include <nx/sys.h>
#include <nx_base.h>
#include <nx_chacha20.h>
#include <string.h>

#define CLIENTS 2u
#define WAITING 8u     /* requests of a client that may wait at a time */
#define GIVE_MAX 4096u /* bytes of an answer */
#define RETRY_MS \
    50u /* after the source's first error; twice as long after each further one, up to */
#define RETRY_MS_MAX 60000u

struct client {
    struct nexus_server session;
    struct nx_slot backlog[WAITING];
    struct nx_slot waiting[WAITING]; /* requests that came before the seed */
    uint32_t waiting_count;
    bool present; /* somebody uses this channel */
};

static struct client clients[CLIENTS];
static struct nexus_client source;
static struct nexus_request ask; /* the one we have at the source */
static bool have_source, asked;
static uint64_t retry_at; /* ticks: after an error it is asked again then */
static uint32_t retry_ms;
static struct seed seed;

static uint64_t now_ms(void)
{
    return cell_now() / cell_ticks_of_ms(1);
}

/* ---- the source ---- */

static void tell(void)
{
    if (seed.health.state != HEALTH_GOOD) {
        cell_log_at(NX_LOG_CRIT,
                    "the hardware source is %s after %lu bytes: it is not used any more%s",
                    health_name(seed.health.state), (unsigned long)seed.health.bytes,
                    seed.seeded ? "" : ", and no random numbers are given out");
    } else {
        cell_log("seeded with %u bytes of the hardware source", SEED_START);
    }
}

static void answered(struct nexus_request *r, int result, const struct nx_slot *reply)
{
    uint8_t bytes[SEED_ASK];
    asked = false;
    if (reply == NULL || result != 0 || reply->word32[1] == 0 ||
        reply->word32[1] > r->slot.buf_len) {
        retry_ms = retry_ms == 0 ? RETRY_MS : NX_MIN(2 * retry_ms, RETRY_MS_MAX);
        retry_at = cell_now() + cell_ticks_of_ms(retry_ms);
        cell_log_at(NX_LOG_ERR, "the hardware source gives an error: %d; asked again in %u ms",
                    -result, retry_ms);
        return;
    }
    retry_ms = 0;
    size_t n = reply->word32[1];
    /* The pool is the driver's to change: tested is what was copied. */
    memcpy(bytes, source.pool + r->slot.buf_off, n);
    nx_wipe(source.pool + r->slot.buf_off, n);
    if (seed_feed(&seed, bytes, n, now_ms())) {
        tell();
    }
    nx_wipe(bytes, sizeof(bytes));
}

/* Its driver lives anew: whatever was wrong may be over. */
static void greeted(struct nexus_client *c, const struct nx_slot *hello)
{
    seed_source_anew(&seed);
    retry_at = retry_ms = 0;
}

static void open_source(void)
{
    source.hello = greeted;
    int e = client_open(&source, SLOT_SOURCE);
    if (e == -NX_EINVAL ||
        e == -NX_EPEER) { /* it has a driver, and nobody else would see what is wrong */
        cell_no_channel(SLOT_SOURCE, "entropy", e);
    }
    have_source = e == 0 && source.pool != NULL && source.pool_size >= SEED_ASK;
    if (!have_source) {
        cell_log_at(NX_LOG_WARNING, "there is no hardware source: no random numbers are given out");
    }
}

/* Ask for what the seed is short of. */
static void ask_source(void)
{
    const bool may = have_source && !asked && cell_now() >= retry_at;
    uint32_t n = may ? seed_wants(&seed, now_ms()) : 0;
    if (n == 0) {
        return;
    }
    ask = (struct nexus_request){.slot = {.type = NEXUS_ENTROPY_READ, .buf_len = n},
                                 .done = answered};
    asked = client_submit(&source, &ask) == 0;
}

static void poll_source(void)
{
    if (have_source && client_poll(&source) != 0) {
        cell_log_at(NX_LOG_ERR, "the driver of the hardware source broke the protocol of its ring");
        have_source = false;
    }
}

/* ---- the clients ---- */

static void answer(struct client *c, const struct nx_slot *request)
{
    struct nx_slot reply = {0};
    uint32_t n = NX_MIN(request->buf_len, GIVE_MAX);
    uint8_t *to = server_at(&c->session, request->buf_off, request->buf_len);
    if (request->type != NEXUS_ENTROPY_READ) {
        (void)server_reply(&c->session, request, -NX_ENOSYS, NULL);
    } else if (n == 0 || to == NULL) {
        (void)server_reply(&c->session, request, -NX_EINVAL, NULL);
    } else if (seed_give(&seed, to, n)) {
        reply.word32[1] = n;
        (void)server_reply(&c->session, request, 0, &reply);
    } else {
        c->waiting[c->waiting_count++] = *request; /* server_take stops at as many as fit */
    }
}

static void answer_waiting(struct client *c)
{
    uint32_t n = c->waiting_count;
    c->waiting_count = 0;
    for (uint32_t i = 0; i < n; i++) {
        answer(c, &c->waiting[i]);
    }
}

/* The client is a new one: what the old one asked for is nobody's any more. */
static void forget_waiting(struct client *c)
{
    while (c->waiting_count > 0) {
        (void)server_reply(&c->session, &c->waiting[--c->waiting_count], -NX_EPEER, NULL);
    }
}

static void serve(struct client *c)
{
    struct nx_slot request;
    int e = 1;
    if (seed.seeded) {
        answer_waiting(c);
    }
    while (e == 1) {
        e = server_take(&c->session, &request);
        if (e == 1) {
            answer(c, &request);
        }
        if (server_renewing(&c->session)) {
            forget_waiting(c);
            e = 1;
        }
    }
    if (e == 0) {
        e = server_flush(&c->session);
    }
    if (e != 0) {
        cell_log_at(NX_LOG_ERR, "a client broke the protocol of its ring");
        cell_exit(NEXUS_EXIT_PEER | (SLOT_CLIENTS + 3 * (unsigned)(c - clients)));
    }
}

/* Is there hope for who waits? */
static struct nx_slot hello_now(void)
{
    const bool hope = seed.seeded || (have_source && seed.health.state == HEALTH_GOOD);
    return (struct nx_slot){.word32 = {hope ? NEXUS_RANDOM_SOURCE : 0}};
}

static void open_clients(void)
{
    const struct nx_slot hello = hello_now();
    for (unsigned i = 0; i < CLIENTS; i++) {
        struct client *c = &clients[i];
        int e = server_open(&c->session, SLOT_CLIENTS, i, c->backlog, WAITING);
        c->present = e != -NX_EBADF;
        e = e == 0 ? server_hello(&c->session, &hello) : e;
        if (c->present && e != 0) {
            cell_no_channel(SLOT_CLIENTS + 3 * i, "random", e);
        }
    }
}

/* Ask everybody to ring; false: there is something to do already. */
static bool may_sleep(uint64_t *watch)
{
    bool idle = true;
    *watch = 0;
    if (have_source) {
        idle = client_sleep_prepare(&source) == 0;
        *watch |= client_watch(&source);
    }
    for (unsigned i = 0; idle && i < CLIENTS; i++) {
        if (!clients[i].present) {
            continue;
        }
        idle = server_sleep_prepare(&clients[i].session) == 0;
        *watch |= server_watch(&clients[i].session);
    }
    return idle;
}

int cell_main(const struct nx_cellinfo *info)
{
    uint64_t watch;
    seed_init(&seed);
    open_source();
    open_clients();
    for (;;) {
        poll_source();
        const struct nx_slot hello = hello_now();
        for (unsigned i = 0; i < CLIENTS; i++) {
            if (clients[i].present) {
                server_config(&clients[i].session, &hello);
                serve(&clients[i]);
            }
        }
        ask_source();
        if (may_sleep(&watch)) {
            nx_recv_wait(watch, retry_ms != 0 && !asked ? retry_at : NX_NEVER);
        }
        if (have_source) {
            client_awake(&source);
        }
        for (unsigned i = 0; i < CLIENTS; i++) {
            if (clients[i].present) {
                server_awake(&clients[i].session);
            }
        }
    }
}
