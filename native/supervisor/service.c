/* See service.h. */
#include "service.h"
#include "grants.h"
#include "power.h"

#include <nexus/cell.h>
#include <nexus/exit.h>
#include <nx/sys.h>
#include <string.h>

static uint64_t now_ms(void)
{
    return cell_now() / cell_ticks_of_ms(1);
}

/* ---- birth ---- */

/* The restart policy's answer to an end that was the cell's own fault. */
static void hold_back(struct service *s)
{
    uint64_t wait = restart_after(&s->record, s->born_ms, now_ms(), s->manifest.backoff_ms);
    if (wait == RESTART_NEVER) {
        s->state = SERVICE_QUARANTINE;
        cell_log("%s dies again and again: left dead", s->manifest.name);
        return;
    }
    if (wait > 0) {
        cell_log("%s dies too often: waiting %lu ms", s->manifest.name, (unsigned long)wait);
    }
    s->state = SERVICE_WAITING;
    s->start_at = cell_now() + cell_ticks_of_ms(wait);
}

void service_start(struct service *s)
{
    s->generation++;
    s->born_ms = now_ms();
    long e = nx_spawn_cell(SLOT_BUNDLE, s->offset, s->size, s->slot, s->generation);
    if (e == 0) {
        grants_give(s);
        e = nx_spawn_start(s->slot, s->arg);
        if (e != 0) {
            nx_grant_drop(s->slot);
        }
    }
    if (e != 0) {
        cell_log("%s generation %u does not start: error %ld", s->manifest.name, s->generation, -e);
        hold_back(s);
        return;
    }
    s->state = SERVICE_RUNNING;
}

/* ---- death ---- */

struct end {
    long why, code;
};

static struct end report_end(const struct service *s)
{
    struct end end = {nx_meta_cell(s->slot, NX_CELL_EXIT_WHY),
                      nx_meta_cell(s->slot, NX_CELL_EXIT_CODE)};
    const char *name = s->manifest.name;
    switch (end.why) {
    case NX_WHY_EXIT:
        cell_log("%s generation %u ended with %#lx", name, s->generation, (unsigned long)end.code);
        break;
    case NX_WHY_FAULT:
        cell_log("%s generation %u: fault %ld at %#lx, address %#lx", name, s->generation, end.code,
                 (unsigned long)nx_meta_cell(s->slot, NX_CELL_EXIT_PC),
                 (unsigned long)nx_meta_cell(s->slot, NX_CELL_EXIT_ADDR));
        break;
    case NX_WHY_NOMEM:
        cell_log("%s generation %u: out of memory", name, s->generation);
        break;
    default:
        cell_log("%s generation %u was killed (%#lx)", name, s->generation,
                 (unsigned long)end.code);
    }
    return end;
}

/* Only the personality speaks for the user, who may switch the machine off. */
static bool may_end_machine(const struct service *s)
{
    return strcmp(s->manifest.name, "posix") == 0;
}

/* What the exit code asks for: nexus/exit.h. */
static void obey(struct service *s, unsigned long code)
{
    unsigned long kind = NEXUS_EXIT_KIND(code);
    if (kind == NEXUS_EXIT_POWEROFF && may_end_machine(s)) {
        power_off(NEXUS_EXIT_VALUE(code));
    }
    if (kind == NEXUS_EXIT_RESET && may_end_machine(s)) {
        power_reset();
    }
    if (kind == NEXUS_EXIT_PEER) {
        struct service *peer = grants_renew(s, NEXUS_EXIT_VALUE(code));
        if (peer != NULL && peer->state == SERVICE_RUNNING) {
            nx_exit_kill(peer->slot, code);
        }
    }
}

void service_ended(struct service *s)
{
    struct end end = report_end(s);
    nx_grant_drop(s->slot);
    s->state = SERVICE_DOWN;
    if (end.why == NX_WHY_EXIT) {
        obey(s, (unsigned long)end.code);
    }
    if (s->manifest.restart != NX_RESTART_ALWAYS) {
        return;
    }
    if (end.why == NX_WHY_KILLED) {
        service_start(s);
        return;
    }
    hold_back(s);
    if (s->state == SERVICE_WAITING && s->start_at <= cell_now()) {
        service_start(s);
    }
}
