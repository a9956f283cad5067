/* See timeline.h. */
#include "timeline.h"

#include "machine.h"
#include "page.h"

#include <nx_base.h>
#include <string.h>

#define ROOM (TIMELINE_PAGES * NX_PAGE_SIZE / sizeof(struct nx_switch))

static struct line {
    struct nx_switch *at;
    uint64_t count;
    const struct fiber *last; /* NULL: it was idle */
    bool ended;               /* the last one has: who it was is not looked at any more */
} lines[HARTS_MAX];
static uint64_t until;

static void forget_all(void)
{
    for (unsigned i = 0; i < HARTS_MAX; i++) {
        harts[i].bit &= ~HART_RECORDS;
        for (unsigned p = 0; lines[i].at != NULL && p < TIMELINE_PAGES; p++) {
            page_unref(arch_phys_of(lines[i].at) + p * NX_PAGE_SIZE);
        }
        lines[i] = (struct line){0};
    }
}

int timeline_record(uint64_t ticks)
{
    if (ticks > TIMELINE_MOST_SECONDS * machine.timebase) {
        return -NX_EINVAL;
    }
    forget_all();
    until = arch_time() + ticks;
    for (unsigned i = 0; ticks != 0 && i < hart_count; i++) {
        if (!harts[i].online) {
            continue;
        }
        const uint64_t pa = page_alloc_contig(nucleus_quota, TIMELINE_PAGES);
        if (pa == 0) {
            forget_all();
            return -NX_ENOMEM;
        }
        lines[i].at = arch_phys(pa);
        harts[i].bit |= HART_RECORDS;
        timeline_note(&harts[i], harts[i].fiber);
    }
    return 0;
}

static uint32_t why(const struct line *t)
{
    return t->count == 0                      ? NX_SWITCH_BEGIN
           : t->ended                         ? NX_SWITCH_ENDED
           : t->last == NULL                  ? NX_SWITCH_IDLE
           : t->last->status == FIBER_BLOCKED ? NX_SWITCH_WAITS
                                              : NX_SWITCH_READY;
}

void timeline_note(struct hart *h, const struct fiber *f)
{
    struct line *t = &lines[h->index];
    const uint64_t now = arch_time();
    if (t->at == NULL || (t->count != 0 && !t->ended && t->last == f)) {
        return;
    }
    if (now >= until) {
        h->bit &= ~HART_RECORDS;
        return;
    }
    struct nx_switch *s = &t->at[t->count % ROOM];
    *s = (struct nx_switch){.number = t->count, .time = now, .why = why(t)};
    if (f != NULL) {
        s->fiber = f->handle;
        s->tier = fiber_tier(f, h->foreign != NULL);
        s->generation = f->cell->generation;
        memcpy(s->cell, f->cell->name, sizeof(s->cell));
    }
    t->count++;
    t->last = f;
    t->ended = false;
}

void timeline_forget(const struct fiber *f)
{
    struct line *t = &lines[f->hart->index];
    t->ended |= t->last == f;
}

bool timeline_read(uint64_t hart, uint64_t number, struct nx_switch *out)
{
    const struct line *t = &lines[hart];
    number = NX_MAX(number, t->count > ROOM ? t->count - ROOM : 0);
    if (number >= t->count) {
        return false;
    }
    *out = t->at[number % ROOM];
    return true;
}
