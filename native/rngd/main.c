/* rngd: the cell that gives out random numbers (interface "random", nexus/entropy.h).
 *
 * Its seed comes from a hardware source (interface "entropy") and from nowhere else: without one it
 * answers nothing.  Requests that come before the seed wait for it.  Nothing of a life is kept for the
 * next, which seeds itself anew.  When and how: seed.h; what it means for programs: docs/random.md.
 */
#include "seed.h"

#include <manifest/rngd.h>
#include <nexus/cell.h>
#include <nexus/complaint.h>
#include <nexus/entropy.h>
#include <nexus/service.h>
#include <nx/sys.h>
#include <nx_base.h>
#include <nx_chacha20.h>
#include <string.h>

#define GIVE_MAX 4096u /* bytes of an answer */
#define RETRY_MS \
    50u /* after the source's first error; twice as long after each further one, up to */
#define RETRY_MS_MAX 60000u
#define PATIENCE_MS \
    30000u /* with a source that does not answer, for it may be slow; twice as long each time, up to */
#define PATIENCE_MS_MAX 3600000u

static struct service_client clients[CLIENTS_CLIENTS];
static struct nexus_client source;
static struct nexus_request ask; /* the one we have at the source */
static bool have_source, asked;
static uint64_t retry_at; /* ticks: after an error it is asked again then */
static uint32_t retry_ms;
static uint64_t asked_at; /* ticks */
static uint32_t patience_ms = PATIENCE_MS;
static bool doubted; /* its driver was asked for another life, and no good answer came since */
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

/* What the source says may be its driver's fault; what a second life of that says as well is believed. */
static void doubt(void)
{
    if (!doubted) {
        doubted = true;
        (void)client_doubt(&source);
    }
}

static void answered(struct nexus_request *r, int result, const struct nx_slot *reply)
{
    uint8_t bytes[SEED_ASK];
    struct nexus_entropy_read_answer answer;
    nexus_entropy_read_answered(reply, &answer);
    asked = false;
    patience_ms = PATIENCE_MS;
    if (result != 0 || answer.length == 0 || answer.length > r->slot.buf_len) {
        retry_ms = retry_ms == 0 ? RETRY_MS : NX_MIN(2 * retry_ms, RETRY_MS_MAX);
        retry_at = cell_now() + cell_ticks_of_ms(retry_ms);
        cell_log_at(NX_LOG_ERR, "the hardware source gives an error: %d; asked again in %u ms",
                    -result, retry_ms);
        doubt();
        return;
    }
    retry_ms = 0;
    size_t n = answer.length;
    /* The pool is the driver's to change: tested is what was copied. */
    memcpy(bytes, source.pool + r->slot.buf_off, n);
    nx_wipe(source.pool + r->slot.buf_off, n);
    if (seed_feed(&seed, bytes, n, now_ms())) {
        tell();
    }
    nx_wipe(bytes, sizeof(bytes));
    if (seed.health.state != HEALTH_GOOD) {
        doubt();
    } else {
        doubted = false;
    }
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
    ask = (struct nexus_request){.done = answered};
    nexus_entropy_read_request(&ask, 0, n);
    asked = client_submit(&source, &ask) == 0;
    asked_at = cell_now();
}

/* When the source is to be complained of; NX_NEVER: nothing is asked. */
static uint64_t patience_ends(void)
{
    return asked ? asked_at + cell_ticks_of_ms(patience_ms) : NX_NEVER;
}

static void lose_patience(void)
{
    if (patience_ends() <= cell_now()) {
        cell_log_at(NX_LOG_WARNING, "the hardware source has not answered for %u s",
                    patience_ms / 1000);
        patience_ms = NX_MIN(2 * patience_ms, PATIENCE_MS_MAX);
        asked_at = cell_now();
        (void)client_complain(&source); /* its next life is asked the same */
    }
}

static void poll_source(void)
{
    if (have_source && client_poll(&source) != 0) {
        cell_log_at(NX_LOG_ERR, "the driver of the hardware source broke the protocol of its ring");
        have_source = false;
    }
}

/* ---- the clients ---- */

static int read_random(void *ctx, const struct nx_slot *request, uint8_t *to, uint32_t room,
                       struct nexus_entropy_read_answer *answer)
{
    answer->length = NX_MIN(room, GIVE_MAX);
    if (room == 0) {
        return -NX_EINVAL;
    }
    return seed_give(&seed, to, answer->length) ? 0 : NEXUS_LATER;
}

static int serve(struct service *s, struct nexus_server *session, const struct nx_slot *request)
{
    static const struct nexus_entropy_ops ops = {.read = read_random};
    return nexus_entropy_serve(session, request, &ops, NULL);
}

static struct service service = {.client = clients, .clients = CLIENTS_CLIENTS, .serve = serve};

/* Is there hope for who waits? */
static struct nx_slot hello_now(void)
{
    const bool hope = seed.seeded || (have_source && seed.health.state == HEALTH_GOOD);
    return (struct nx_slot){.word32 = {hope ? NEXUS_RANDOM_SOURCE : 0}};
}

/* Sleep until the source, or a client, has something. */
static void rest(void)
{
    uint64_t watch = 0;
    bool idle = true;
    if (have_source) {
        idle = client_sleep_prepare(&source) == 0;
        watch = client_watch(&source);
    }
    if (idle) {
        service_wait(&service, watch, retry_ms != 0 && !asked ? retry_at : patience_ends());
    }
    if (have_source) {
        client_awake(&source);
    }
}

int cell_main(const struct nx_cellinfo *info)
{
    seed_init(&seed);
    open_source();
    struct nx_slot hello = hello_now();
    service_open(&service, SLOT_CLIENTS, &hello);
    for (;;) {
        poll_source();
        hello = hello_now();
        service_config(&service, &hello);
        service_work(&service);
        ask_source();
        lose_patience();
        rest();
    }
}
