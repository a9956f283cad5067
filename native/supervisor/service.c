/* See service.h. */
#include "service.h"
#include "grants.h"
#include "power.h"

#include <nexus/cell.h>
#include <nexus/exit.h>
#include <nx/sys.h>
#include <stdio.h>
#include <string.h>

static uint64_t now_ms(void)
{
    return cell_now() / cell_ticks_of_ms(1);
}

/* To the log and, when it is the cell that speaks to the user, to the console in its place. */
static void tell(const struct service *s, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
static void tell(const struct service *s, const char *fmt, ...)
{
    char text[256], line[sizeof(text) + 16];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    cell_log("%s", text);
    snprintf(line, sizeof(line), "\r\nnexus: %s\r\n", text);
    grants_say(s, line);
}

/* ---- birth ---- */

/* The restart policy's answer to an end that was the cell's own fault. */
static void hold_back(struct service *s)
{
    uint64_t wait = restart_after(&s->record, s->born_ms, now_ms(), s->manifest.backoff_ms);
    if (wait == RESTART_NEVER) {
        s->state = SERVICE_QUARANTINE;
        tell(s, "%s dies again and again: left dead", s->manifest.name);
        return;
    }
    if (wait > 0) {
        tell(s, "%s dies too often: waiting %lu ms", s->manifest.name, (unsigned long)wait);
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
        s->generation = (uint32_t)nx_meta_cell(s->slot, NX_CELL_GENERATION);
        grants_give(s);
        e = nx_spawn_start(s->slot, s->arg);
        if (e != 0) {
            nx_grant_drop(s->slot);
        }
    }
    if (e != 0) {
        tell(s, "%s generation %u does not start: error %ld", s->manifest.name, s->generation, -e);
        hold_back(s);
        return;
    }
    s->state = SERVICE_RUNNING;
}

/* ---- death ---- */

struct end {
    long why, code;
};

/* Only the personality speaks for the user, who may switch the machine off. */
static bool asks_for_end(const struct service *s, unsigned long code)
{
    unsigned long kind = NEXUS_EXIT_KIND(code);
    return (kind == NEXUS_EXIT_POWEROFF || kind == NEXUS_EXIT_RESET) &&
           strcmp(s->manifest.name, PERSONALITY) == 0;
}

static struct end report_end(const struct service *s)
{
    struct end end = {nx_meta_cell(s->slot, NX_CELL_EXIT_WHY),
                      nx_meta_cell(s->slot, NX_CELL_EXIT_CODE)};
    const char *name = s->manifest.name;
    unsigned n = s->generation;
    unsigned long code = (unsigned long)end.code;
    switch (end.why) {
    case NX_WHY_EXIT:
        if (asks_for_end(s, code)) { /* as wanted: no news on the console */
            cell_log("%s generation %u ended with %#lx", name, n, code);
        } else {
            tell(s, "%s generation %u ended with %#lx", name, n, code);
        }
        break;
    case NX_WHY_FAULT:
        tell(s, "%s generation %u: fault %lu at %#lx, address %#lx", name, n, code,
             (unsigned long)nx_meta_cell(s->slot, NX_CELL_EXIT_PC),
             (unsigned long)nx_meta_cell(s->slot, NX_CELL_EXIT_ADDR));
        break;
    case NX_WHY_NOMEM:
        tell(s, "%s generation %u: out of memory", name, n);
        break;
    default:
        tell(s, "%s generation %u was killed (%#lx)", name, n, code);
    }
    return end;
}

/* `s` says that its peer on this channel broke the ring protocol.  Who did, the pages do not tell, and
 * either side may lie; servers are trusted more.  So the client answers for it: a server's word ends it,
 * and counts as a death of its own fault.  A client's word ends the server only when the channel cannot
 * be used any more.  True: the end of `s` is not its own fault. */
static bool accuse(const struct service *s, unsigned long code)
{
    unsigned slot = NEXUS_EXIT_VALUE(code);
    struct service *server, *client;
    if (!grants_ends(s, slot, &server, &client)) {
        return false;
    }
    struct service *peer = s == server ? client : server;
    if (s == client && grants_intact(s, slot)) {
        cell_log("%s has no reason to complain of %s", s->manifest.name, peer->manifest.name);
        return false;
    }
    grants_renew(s, slot);
    if (peer->state != SERVICE_RUNNING) {
        return false;
    }
    peer->blamed = peer == client;
    nx_exit_kill(peer->slot, code);
    return peer == client;
}

void service_ended(struct service *s)
{
    struct end end = report_end(s);
    unsigned long code = (unsigned long)end.code;
    bool own_fault = end.why != NX_WHY_KILLED || s->blamed;
    nx_grant_drop(s->slot);
    s->state = SERVICE_DOWN;
    s->blamed = false;
    if (end.why == NX_WHY_EXIT && asks_for_end(s, code)) {
        if (NEXUS_EXIT_KIND(code) == NEXUS_EXIT_RESET) {
            power_reset();
        }
        power_off(NEXUS_EXIT_VALUE(code));
    }
    if (end.why == NX_WHY_EXIT && NEXUS_EXIT_KIND(code) == NEXUS_EXIT_PEER) {
        own_fault = !accuse(s, code);
    }
    if (s->manifest.restart != NX_RESTART_ALWAYS) {
        return;
    }
    if (!own_fault) {
        service_start(s);
        return;
    }
    hold_back(s);
    if (s->state == SERVICE_WAITING && s->start_at <= cell_now()) {
        service_start(s);
    }
}
