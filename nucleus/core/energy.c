/* See energy.h. */
#include "energy.h"

#include "budget.h"
#include "cell.h"
#include "machine.h"
#include "sched.h"
#include "watchdog.h"

#include <nx_base.h>

#define LOOK_MS 2u         /* at most so often */
#define BACK_PART 10u      /* of a second's worth has to be there again */
#define RATE_MAX 8000000ul /* more than all harts have */

uint32_t energy_limited;
uint64_t energy_next;

static uint64_t unit_ticks(void)
{
    return NX_MAX(machine.timebase / 1000000, 1ul);
}

uint64_t energy_runtime(const struct cell *c)
{
    uint64_t t = c->runtime;
    list_for_each(n, &c->fibers)
    {
        const struct fiber *f = list_entry(n, struct fiber, cell_link);
        t += fiber_runtime(f) + (f->status == FIBER_RUNNING ? arch_time() - f->hart->since : 0);
    }
    return t;
}

static uint64_t used_ticks(const struct cell *c)
{
    const struct energy *e = &c->energy;
    return energy_runtime(c) +
           (e->sends * ENERGY_SEND + e->pages * ENERGY_PAGE + e->made) * unit_ticks();
}

static uint64_t capacity(const struct energy *e)
{
    return e->rate * unit_ticks();
}

uint64_t energy_part(uint64_t rate, const struct cell *maker)
{
    uint64_t most = maker != NULL ? maker->energy.rate : 0;
    return most == 0 ? rate : rate == 0 ? most : NX_MIN(rate, most);
}

void energy_init(struct cell *c, uint64_t rate)
{
    struct energy *e = &c->energy;
    e->rate = NX_MIN(rate, RATE_MAX);
    e->left = (int64_t)capacity(e);
    e->at = arch_time();
    energy_limited += e->rate != 0;
}

void energy_end(struct cell *c)
{
    energy_limited -= c->energy.rate != 0;
}

static void look(struct cell *c, uint64_t now)
{
    struct energy *e = &c->energy;
    uint64_t used = used_ticks(c), spent = used - e->seen;
    if (now - e->at > machine.timebase) {
        e->at = now - machine.timebase; /* more does not fit */
    }
    uint64_t filled = (now - e->at) * capacity(e) / machine.timebase;
    e->seen = used;
    e->at += filled * machine.timebase / capacity(e);
    int64_t change = (int64_t)filled - (int64_t)NX_MIN(spent, capacity(e));
    if (e->out) {
        change = NX_MAX(change, 0l); /* in Void it takes nothing from anybody */
    }
    e->left = NX_MIN(e->left + change, (int64_t)capacity(e));
    if (e->left <= 0 && !e->out) {
        e->out = true;
        budget_retier(c);
    } else if (e->out && e->left >= (int64_t)(capacity(e) / BACK_PART)) {
        e->out = false;
        budget_retier(c);
    }
}

void energy_tick(uint64_t now)
{
    bool out = false;
    energy_next = now + machine.timebase * LOOK_MS / 1000;
    list_for_each(n, &cells)
    {
        struct cell *c = list_entry(n, struct cell, link);
        if (c->energy.rate != 0 && c->state == NX_CS_RUNNING) {
            look(c, now);
            out |= c->energy.out;
        }
    }
    if (out) {
        watchdog_at(now + machine.timebase / BACK_PART);
    }
}

bool energy_spend(struct cell *c, uint64_t units)
{
    if (c->energy.rate != 0) {
        look(c, arch_time());
        if (c->energy.out) {
            return false;
        }
    }
    c->energy.made += units;
    return true;
}

uint64_t energy_used(const struct cell *c)
{
    return used_ticks(c) / unit_ticks();
}

uint64_t energy_left(struct cell *c)
{
    if (c->energy.rate == 0) {
        return ~0ul;
    }
    look(c, arch_time());
    return c->energy.left > 0 ? (uint64_t)c->energy.left / unit_ticks() : 0;
}
