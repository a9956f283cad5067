/* The System Truth Ledger, read from logd (nexus/stl.h): one request to read and one to be told of more
 * at a time.  What comes is copied and checked before posix/ sees it. */
#include "service.h"

#include "patience.h"

#include <nexus/stl.h>
#include <string.h>

#define PIECE 8192u /* bytes of records in one answer */

void (*mb_stl_hook)(uint64_t end);

static struct nexus_client logd;
static struct patience patience;
static struct nexus_request read_request, follow_request;
static bool have_logd, reading, following;
static mb_stl_done *read_done;
static _Alignas(8) uint8_t records[PIECE];

/* Are these n bytes whole records, in order?  Then their text is what nexus/stl.h says. */
static bool well_formed(const uint8_t *at, size_t n)
{
    struct nexus_stl r;
    for (uint64_t last = 0; n > 0;) {
        if (n < sizeof(r)) {
            return false;
        }
        memcpy(&r, at, sizeof(r));
        if (r.len > NEXUS_STL_TEXT || nexus_stl_size(&r) > n || r.number < last ||
            r.number == UINT64_MAX || r.cell[sizeof(r.cell) - 1] != 0) {
            return false;
        }
        last = r.number + 1;
        at += nexus_stl_size(&r);
        n -= nexus_stl_size(&r);
    }
    return true;
}

static void read_answered(struct nexus_request *r, int result, const struct nx_slot *reply)
{
    size_t n = 0;
    reading = false;
    if (result == 0 && reply != NULL && reply->word32[1] <= PIECE) {
        n = reply->word32[1];
        memcpy(records, logd.pool + r->slot.buf_off, n);
    } else {
        result = result != 0 ? result : -NX_EIO;
    }
    if (!well_formed(records, n)) {
        result = -NX_EIO;
    }
    if (result != 0) {
        read_done(NULL, 0, 0, 0, mb_errno(result));
    } else {
        read_done(records, n, reply->word[1], reply->word[2], 0);
    }
}

static void follow_answered(struct nexus_request *r, int result, const struct nx_slot *reply)
{
    following = false;
    if (mb_stl_hook) {
        mb_stl_hook(result == 0 && reply != NULL ? reply->word[2] : 0);
    }
}

static void lost(struct nexus_client *c)
{
    have_logd = false;
    mb_log_at(NX_LOG_ERR, "logd broke the protocol of its ring: it is not asked any more");
}

bool mb_stl_present(void)
{
    return have_logd;
}

int mb_stl_ask(uint64_t from, mb_stl_done *done)
{
    if (!have_logd) {
        return -ENODEV;
    }
    if (reading) {
        return -EBUSY;
    }
    read_done = done;
    read_request = (struct nexus_request){
        .slot = {.type = NEXUS_STL_READ, .buf_len = PIECE, .word = {from}}, .done = read_answered};
    reading = client_submit(&logd, &read_request) == 0;
    if (reading) {
        patience_asked(&patience, &read_request, NEXUS_PATIENCE);
    }
    return reading ? 0 : -ENODEV;
}

void mb_stl_follow(uint64_t from)
{
    if (!have_logd || following) {
        return;
    }
    follow_request = (struct nexus_request){.slot = {.type = NEXUS_STL_FOLLOW, .word = {from}},
                                            .done = follow_answered};
    following = client_submit(&logd, &follow_request) == 0;
    if (following) {
        patience_asked(&patience, &follow_request, NEXUS_PATIENCE_NONE);
    }
}

static void greeted(struct nexus_client *c, const struct nx_slot *hello)
{
    patience_hello(&patience);
}

static bool doubt(struct nexus_client *c, const struct nexus_request *r,
                  const struct nx_slot *reply)
{
    const int result = (int)reply->word32[0];
    return result != 0 && patience_doubt(&patience, r, result);
}

void mb_stl_init(void)
{
    logd.hello = greeted;
    logd.doubt = doubt;
    have_logd = client_open(&logd, MB_SLOT_LOG) == 0 && logd.pool_size >= PIECE;
    if (have_logd) {
        mb_service_add(&logd, lost);
        patience_start(&patience, &logd, "log");
    } else {
        mb_log_at(NX_LOG_WARNING, "no logd: only the nucleus' own log is there");
    }
}
