/* L0: silence of L1, soft restart, the end of the machine.  See watchdog.h. */
#include "watchdog.h"

#include "audit.h"
#include "boot.h"
#include "cell.h"
#include "fiber.h"
#include "hart.h"
#include "log.h"
#include "machine.h"
#include "mem.h"
#include "sched.h"

#include <nx_base.h>
#include <string.h>

#define PERIODS_A_SECOND 4u
#define SILENT_ESCALATE 2u /* periods */
#define SILENT_RESTART 10u
#define SILENT_RESET 40u
#define MS_OF(periods) ((periods)*1000u / PERIODS_A_SECOND)

#define RESTARTS 3u /* within RESTART_SPAN seconds; one more is too many */
#define RESTART_SPAN 60u

#define FAULTS 3u
#define FAULT_SPAN_MS 100u

uint64_t watchdog_due = NX_NEVER, watchdog_due_idle = NX_NEVER;
uint32_t watchdog_ending;

/* ---- deadlines: L1's period, and one of others ---- */
static uint64_t period;
static uint64_t next_period = NX_NEVER, next_other = NX_NEVER;

/* ---- L1 ---- */
static uint32_t silent; /* periods that passed since L1 owes an answer */
static bool audit_due;  /* of capabilities, after a systemic event */
static bool deaths;     /* one was signalled, and not yet seen taken */

/* ---- soft restart ---- */
static bool restarting;
static uint32_t generation; /* of the supervisor that ended */
static uint64_t restart_at[RESTARTS];
static uint32_t restarts;

static bool asked(void)
{
    return supervisor != NULL && (supervisor->attend & CELL_ASKED) != 0;
}

static void set_due(void)
{
    watchdog_due = NX_MIN(next_period, next_other);
    watchdog_due_idle = audit_due                         ? watchdog_due
                        : asked() || deaths || restarting ? next_period
                                                          : NX_NEVER;
}

void watchdog_start(void)
{
    period = NX_MAX(machine.timebase / PERIODS_A_SECOND, 1ul);
    next_period = arch_time() + period;
    set_due();
}

void watchdog_at(uint64_t when)
{
    next_other = NX_MIN(next_other, when);
    set_due();
}

void watchdog_busy(uint64_t now)
{
    if (now >= next_period && watchdog_due_idle == NX_NEVER && next_period != NX_NEVER) {
        next_period = now + period; /* nobody was asked meanwhile */
        set_due();
    }
}

/* ---- is L1 there? ---- */
/* From now on an answer is owed. */
static void owe(uint64_t now)
{
    if (watchdog_due_idle == NX_NEVER) {
        silent = 0;
        next_period = now + period;
    }
    cell_attend(supervisor, supervisor->attend | CELL_ASKED);
    set_due();
}

static void nudge(void)
{
    list_for_each(n, &supervisor->fibers)
    {
        fiber_kick(list_entry(n, struct fiber, cell_link));
    }
}

static void heard(void)
{
    if (silent >= SILENT_ESCALATE) {
        log_print("the supervisor answers again");
    }
    silent = 0;
    deaths = false;
}

void watchdog_beat(void)
{
    cell_attend(supervisor, supervisor->attend & ~CELL_ASKED);
    if (!deaths) {
        heard();
    }
    set_due();
}

void watchdog_death(const struct cell *c)
{
    if (supervisor != NULL && c->death.cell == supervisor && next_period != NX_NEVER) {
        owe(arch_time());
        deaths = true;
        set_due();
    }
}

/* A dead cell's signal that the supervisor has not taken: neither a fiber of it was woken by it, nor has
 * one looked at the slot since. */
static bool untaken_death(void)
{
    list_for_each(n, &cells)
    {
        const struct cell *c = list_entry(n, struct cell, link);
        if (c->state == NX_CS_DEAD && c->death.cell == supervisor &&
            (supervisor->pending >> c->death.slot & 1) != 0) {
            return true;
        }
    }
    return false;
}

static bool any_busy(void)
{
    for (unsigned i = 0; i < hart_count; i++) {
        if (harts[i].fiber != NULL) {
            return true;
        }
    }
    return false;
}

static void escalate(void)
{
    log_print("the supervisor is silent for %u ms: it goes first in line", MS_OF(silent));
    beb_add_cell(NX_BEB_SILENT, supervisor, MS_OF(silent), 0);
    list_for_each_safe(n, &supervisor->fibers)
    {
        struct fiber *f = list_entry(n, struct fiber, cell_link);
        if (f->status == FIBER_READY) {
            sched_first(f);
        } else {
            fiber_kick(f);
        }
    }
}

static void still_silent(void)
{
    silent++;
    if (silent == SILENT_ESCALATE && supervisor != NULL) {
        escalate();
    } else if (silent == SILENT_RESTART && supervisor != NULL) {
        watchdog_restart(WATCHDOG_SILENT);
    } else if (silent >= SILENT_RESET) {
        console_print("\nnexus: the supervisor is silent for %u ms: reset\n", MS_OF(silent));
        watchdog_end(true);
    }
}

void watchdog_tick(uint64_t now)
{
    if (now >= next_other) {
        next_other = NX_NEVER;
        set_due();
    }
    if (audit_due) {
        audit_due = false;
        set_due();
        audit_after_event();
    }
    if (now < next_period) {
        return;
    }
    /* In step, unless this is so late that a period is lost. */
    next_period += now - next_period < period ? period : now - next_period + period;
    if (restarting || asked() || (deaths && untaken_death())) {
        still_silent();
    } else {
        heard();
    }
    if (supervisor != NULL && any_busy() && !asked()) {
        cell_attend(supervisor, supervisor->attend | CELL_ASKED);
        nudge();
    }
    set_due();
}

/* ---- deaths that belong together ---- */
void watchdog_fault(const struct cell *c)
{
    static uint64_t at[FAULTS], last;
    static uint32_t seen;
    static bool told; /* of the event that still goes on */
    uint64_t now = arch_time(), span = machine.timebase * FAULT_SPAN_MS / 1000;
    if (seen != 0 && now - last > span) {
        told = false;
        seen = 0;
    }
    last = now;
    at[seen++ % FAULTS] = now;
    if (told || seen < FAULTS || now - at[seen % FAULTS] > span) {
        return;
    }
    told = true;
    log_print("systemic event: %u cells died by a fault within %u ms", FAULTS, FAULT_SPAN_MS);
    beb_add_cell(NX_BEB_SYSTEMIC, c, FAULTS, now - at[seen % FAULTS]);
    audit_due = true; /* not now: the cell is just ending */
    watchdog_at(now);
}

/* ---- soft restart ---- */
static const char *const why_text[] = {
    [WATCHDOG_SILENT] = "the supervisor is silent",
    [WATCHDOG_ENDED] = "the supervisor ended",
};

static struct cell *first_alive(void)
{
    list_for_each(n, &cells)
    {
        struct cell *c = list_entry(n, struct cell, link);
        if (c->state == NX_CS_NEW || c->state == NX_CS_RUNNING) {
            return c;
        }
    }
    return NULL;
}

void watchdog_restart(enum watchdog_why why)
{
    struct cell *old = supervisor, *c;
    uint64_t now = arch_time();
    if (restarts >= RESTARTS &&
        now - restart_at[restarts % RESTARTS] < RESTART_SPAN * machine.timebase) {
        give_up(why_text[why]);
    }
    restart_at[restarts++ % RESTARTS] = now;
    log_print("soft restart %u: %s", restarts, why_text[why]);
    beb_add_cell(NX_BEB_RESTART, old, why, restarts);
    generation = old->generation;
    mem_release_parked();
    restarting = true;
    supervisor = NULL;
    deaths = false;
    cell_end(old, NX_WHY_KILLED, 0, 0, 0);
    while ((c = first_alive()) != NULL) {
        cell_end(c, NX_WHY_KILLED, 0, 0, 0);
    }
    /* The driver of the console has gone with the others. */
    console_print("\nnexus: soft restart %u: %s\n", restarts, why_text[why]);
    object_unref(&old->obj);
    set_due();
    watchdog_revive();
}

bool watchdog_restarting(void)
{
    return restarting;
}

void watchdog_revive(void)
{
    const char *what;
    if (!restarting || cell_count != 0) {
        return;
    }
    restarting = false;
    int e = boot_supervisor(generation + 1, &what);
    if (e != 0) {
        log_print("%s: error %d", what, -e);
        give_up("there is no supervisor any more");
    }
    /* It has to say something, and what was silent before it still counts. */
    cell_attend(supervisor, supervisor->attend | CELL_ASKED);
    if (next_period == NX_NEVER) {
        watchdog_start();
    }
    set_due();
}

/* ---- the lock ---- */
void lock_wait_look(struct lock_wait *w, uint64_t now)
{
    static const unsigned stage_ms[] = {MS_OF(SILENT_ESCALATE), MS_OF(SILENT_RESTART),
                                        MS_OF(SILENT_RESET)};
    if (watchdog_ending != 0) {
        arch_halt();
    }
    /* A hart that was not run for a while has not waited for all of it. */
    w->waited += NX_MIN(now - w->last, machine.timebase / 1000);
    w->last = now;
    if (machine.timebase == 0 || w->waited / (machine.timebase / 1000 + 1) < stage_ms[w->stage]) {
        return;
    }
    console_print("\nnexus: hart %u waits for the nucleus lock for %u ms%s\n", this_hart()->index,
                  stage_ms[w->stage], w->stage == ARRAY_LEN(stage_ms) - 1 ? ": reset" : "");
    if (w->stage++ == ARRAY_LEN(stage_ms) - 1) {
        watchdog_end(true);
    }
}

#define LOOK_EVERY 256u /* tries */

__attribute__((noinline, cold)) void watchdog_lock_wait(void)
{
    struct lock_wait w = {.last = arch_time()};
    for (unsigned tries = 1;; tries++) {
        arch_relax();
        if (!arch_test_and_set(&nucleus_lock_word)) {
            return;
        }
        if (tries % LOOK_EVERY == 0) {
            lock_wait_look(&w, arch_time());
        }
    }
}

/* ---- the end ---- */
_Noreturn void watchdog_end(bool reset)
{
    if (__atomic_exchange_n(&watchdog_ending, 1, __ATOMIC_SEQ_CST) != 0) {
        arch_halt();
    }
    for (unsigned i = 0; i < hart_count; i++) {
        if (harts[i].online && &harts[i] != this_hart()) {
            arch_ipi(i);
        }
    }
    if (reset || strstr(machine.bootargs, "nexus.panic=reset") != NULL) {
        arch_reset();
    }
    arch_halt();
}
