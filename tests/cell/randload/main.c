/* Test cell: asks rngd for random numbers, one request after the other, and counts, for the fault
 * campaign (tests/faults/loads.py), which finds `randload` by its symbol and reads and writes it in the
 * machine's memory. */
#include <manifest/randload.h>
#include <nexus/cell.h>
#include <nexus/complaint.h>
#include <nexus/entropy.h>
#include <nexus/session.h>
#include <nx/sys.h>
#include <string.h>

#define BYTES 48u
#define REST_MS 5         /* how often it looks whether it is to work */
#define PATIENCE_MS 5000u /* with one request; then rngd is complained of */

/* Written by the campaign: active; look (one more: the longest is forgotten). All else by this cell. */
volatile struct {
    uint64_t active, look;
    uint64_t answers, wrong, errors, longest, looked,
        since; /* the last three in ticks, but looked */
} randload;

static struct nexus_client rngd;
static struct nexus_request request;
static bool waiting, again;
static uint64_t complain_at; /* ticks */
static uint32_t patience_ms = PATIENCE_MS;
static uint8_t before[BYTES];

/* An error is asked about again, and believed when a second life says the same, as careful clients do. */
static bool doubts(struct nexus_client *c, const struct nexus_request *r,
                   const struct nx_slot *reply)
{
    return again && (int)reply->word32[0] != 0 && !r->doubted && client_doubt(c) == 0;
}

static void done(struct nexus_request *r, int result, const struct nx_slot *reply)
{
    /* What came of a damaged request says nothing of the server: whoever may ask again does. */
    again = result != 0 && !again;
    if (again && client_submit(&rngd, r) == 0) {
        return;
    }
    const uint64_t took = cell_now() - randload.since;
    waiting = false;
    patience_ms = PATIENCE_MS;
    randload.since = 0;
    if (randload.looked != randload.look) {
        randload.looked = randload.look;
        randload.longest = 0;
    }
    randload.longest = took > randload.longest ? took : randload.longest;
    if (result != 0) {
        randload.errors++;
    } else if (reply->word32[1] == 0 || reply->word32[1] > BYTES ||
               memcmp(rngd.pool, before, 16) == 0) {
        randload.wrong++;
    }
    memcpy(before, rngd.pool, BYTES);
    randload.answers++;
}

static void submit(void)
{
    request = (struct nexus_request){.slot = {.type = NEXUS_ENTROPY_READ, .buf_len = BYTES},
                                     .done = done};
    randload.since = cell_now();
    complain_at = randload.since + cell_ticks_of_ms(patience_ms);
    waiting = client_submit(&rngd, &request) == 0;
    if (!waiting) {
        cell_exit(1); /* its supervisor gives it another life, and perhaps a channel that works */
    }
}

static void lose_patience(void)
{
    if (waiting && cell_now() >= complain_at) {
        patience_ms *= patience_ms < 64 * PATIENCE_MS ? 2 : 1;
        complain_at = cell_now() + cell_ticks_of_ms(patience_ms);
        (void)client_complain(&rngd);
    }
}

int cell_main(const struct nx_cellinfo *info)
{
    rngd.doubt = doubts;
    int e = client_open(&rngd, SLOT_RANDOM);
    if (e != 0 || rngd.pool == NULL || rngd.pool_size < BYTES) {
        cell_no_channel(SLOT_RANDOM, "random", e);
    }
    for (;;) {
        int n = client_sleep_prepare(&rngd);
        if (n == 0) {
            nx_recv_wait(client_watch(&rngd), cell_now() + cell_ticks_of_ms(REST_MS));
            client_awake(&rngd);
        }
        if (n < 0 || client_poll(&rngd) < 0) {
            cell_exit(1);
        }
        lose_patience();
        if (!waiting && randload.active != 0) {
            submit();
        }
    }
}
