/* Test cell: serves by a handler (channel_attend), which runs on its own fiber or on that of tests/cell/visitor.  Meanwhile a
 * second fiber wakes the first one, and changes the cell's mappings.
 */
#include "visits.h"

#include <manifest/visited.h>
#include <nexus/cell.h>
#include <nexus/channel.h>
#include <nexus/fiber.h>

#define PAGES 128u

static uint8_t pages[PAGES][NX_PAGE_SIZE];
static uint64_t serving;
static unsigned inside, answered;

static void fault(void)
{
    __asm__ volatile("sd zero, 16(zero)" ::: "memory");
}

static void answer(struct channel *ch, struct nx_slot *m)
{
    switch (m->type) {
    case VISITS_PAGE: /* one that nobody has touched before, most times */
        pages[answered % PAGES][0]++;
        break;
    case VISITS_CALL: /* in a visit, the end of this cell */
        (void)nx_tick_now();
        break;
    case VISITS_FAULT:
        fault();
        break;
    default:
        break;
    }
    m->word[0] = visits_answer(m->word[0]);
    answered++;
    (void)nx_ring_push(&ch->out, m);
}

/* A message is given back before it is worked on: what ended one life is not there for the next. */
static void handler(struct channel *ch)
{
    struct nx_slot m;
    if (inside++ != 0) { /* what is here is here once */
        fault();
    }
    while (nx_ring_space(&ch->out, 1) > 0 && nx_ring_pop(&ch->in, &m) == 0) {
        answer(ch, &m);
    }
    inside--;
}

static void disturb(void *arg)
{
    const uint64_t at = NX_WINDOW + (512ul << 20);
    for (uint64_t i = 0;; i++) {
        const uint64_t until = cell_now() + i % 8 * 20;
        while (cell_now() < until) {
        }
        (void)fiber_wake(serving);
        if (i % 4 == 0 &&
            (nx_map_anon(0, at, NX_PAGE_SIZE, NX_PROT_R | NX_PROT_W) != 0 ||
             (*(volatile uint64_t *)at = i, nx_map_unmap(0, at, NX_PAGE_SIZE)) != 0)) {
            cell_panic("no page");
        }
        if (i % 64 == 0) {
            cell_sleep_ms(1);
        }
    }
}

int cell_main(const struct nx_cellinfo *info)
{
    static struct channel ch;
    static struct fiber other;
    int e = channel_serve(&ch, SLOT_CLIENT_RX, SLOT_CLIENT_TX);
    serving = fiber_self();
    if (e != 0 || fiber_start(&other, disturb, NULL, 0, NX_TIER_MATTER) != 0) {
        cell_panic("no channel or fiber: error %d", -e);
    }
    e = channel_attend(&ch, handler);
    cell_panic("the visitor broke a ring: error %d", -e);
}
