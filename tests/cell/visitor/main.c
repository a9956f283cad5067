/* Test cell: asks tests/cell/visited, by visits where that can be, and checks every answer.  It goes on whatever becomes of the
 * server, and says how often it was answered, has visited, and was not answered.
 */
#include "../visited/visits.h"

#include <manifest/visitor.h>
#include <nexus/cell.h>
#include <nexus/channel.h>

#define ROUND 2000u
#define PATIENCE_MS 500u

static struct channel ch;
static uint32_t cookie;
static unsigned answers, visits, broken, lost;

/* The answer to this one; those to others that were given up go by. */
static int take(uint32_t wanted, uint64_t word)
{
    struct nx_slot m;
    const uint64_t until = cell_now() + cell_ticks_of_ms(PATIENCE_MS);
    for (;;) {
        const int e = channel_receive(&ch, &m, until);
        if (e != 0) {
            return e;
        }
        if (m.cookie == wanted) {
            if (m.word[0] != visits_answer(word) || m.word[5] != ~word) {
                cell_panic("wrong answer");
            }
            return 0;
        }
    }
}

static void ask(uint16_t type)
{
    const uint64_t word = cell_now() ^ (uint64_t)cookie << 40;
    static struct nx_slot m;
    m.type = type;
    m.cookie = ++cookie;
    m.word[0] = word;
    m.word[5] = ~word;
    int e = nx_ring_push(&ch.out, &m);
    if (e == 0) {
        e = channel_visit(&ch);
        visits += e == 0;
        broken += e == -NX_EPEER;
        e = take(m.cookie, word);
    }
    if (e == 0) {
        answers++;
        return;
    }
    if (e != -NX_ETIME && e != -NX_EFULL) {
        cell_panic("error %d", -e);
    }
    lost++;
    channel_greet(&ch);
    channel_bell_out(&ch);
    cell_sleep_ms(1);
}

int cell_main(const struct nx_cellinfo *info)
{
    const int e = channel_open(&ch, SLOT_SERVER_RX, SLOT_SERVER_TX);
    if (e != 0) {
        cell_panic("channel: error %d", -e);
    }
    for (unsigned round = 1;; round++) {
        for (unsigned i = 0; i < ROUND; i++) {
            ask(i % 16 == 0 ? VISITS_PAGE : VISITS_ANSWER);
            if (i % 200 == 0) {
                cell_sleep_ms(1); /* so that it sleeps, too, when asked again */
            }
        }
        if (round % 16 == 4) {
            ask(VISITS_CALL);
        } else if (round % 16 == 8) {
            ask(VISITS_FAULT);
        }
        cell_log("round %u: answers %u visits %u broken %u lost %u", round, answers, visits, broken,
                 lost);
    }
}
