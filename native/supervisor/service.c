/* See service.h. */
#include "service.h"
#include "control.h"
#include "grants.h"
#include "link.h"
#include "place.h"
#include "plan.h"
#include "power.h"
#include "store.h"

#include <nexus/cell.h>
#include <nexus/exit.h>
#include <nx/sys.h>
#include <nx_base.h>
#include <stdio.h>
#include <string.h>

#define KILL_WAIT_MS 1000u

struct service services[SERVICES_MAX];
unsigned service_count;

uint64_t service_now_ms(void)
{
    return cell_now() / cell_ticks_of_ms(1);
}

struct service *service_find(const char *name)
{
    for (unsigned i = 0; i < service_count; i++) {
        if (strcmp(services[i].manifest.name, name) == 0) {
            return &services[i];
        }
    }
    struct service *meant = NULL;
    for (unsigned i = 0; i < service_count; i++) {
        if (plan_meant(name, services[i].manifest.name)) {
            if (meant != NULL) {
                return NULL;
            }
            meant = &services[i];
        }
    }
    return meant;
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
    if (link_console(s)) {
        snprintf(line, sizeof(line), "\r\nnexus: %s\r\n", text);
        link_say(s, line);
    }
}

/* ---- birth ---- */

/* The restart policy's answer to an end that was the cell's own fault: for how long it waits. */
static uint64_t hold_back(struct service *s)
{
    uint64_t wait = restart_after(&s->record, s->born_ms, service_now_ms(), s->manifest.backoff_ms);
    s->state = wait == RESTART_NEVER ? SERVICE_QUARANTINE : SERVICE_WAITING;
    if (wait != RESTART_NEVER) {
        s->start_at = cell_now() + cell_ticks_of_ms(wait);
    }
    return wait;
}

static void tell_held_back(const struct service *s, uint64_t wait)
{
    if (wait == RESTART_NEVER) {
        tell(s, "%s dies again and again: left dead", s->manifest.name);
    } else if (wait > 0) {
        tell(s, "%s dies too often: waiting %lu ms", s->manifest.name, (unsigned long)wait);
    }
}

/* A life that takes the place of one that is gone gets the pages that one only read: the nucleus compares
 * them with the image and writes what differs.  So it is as good as a copy, and costs less. */
static long make_from_bundle(const struct service *s, uint64_t offset, uint64_t size,
                             uint64_t dst_place, uint64_t life, bool again)
{
    const bool fixed = again && store_give(NX_SELF, s->fixed, SLOT_SCRATCH,
                                           NX_R_READ | NX_R_WRITE | NX_R_EXEC) == 0;
    long e = nx_spawn_cell(SLOT_BUNDLE, offset, size,
                           dst_place | (fixed ? (uint64_t)SLOT_SCRATCH << 24 : 0), life);
    if (fixed) {
        nx_grant_drop(SLOT_SCRATCH);
    }
    return e;
}

/* Make its next life, in `slot`, from the image at these places; nothing runs yet. */
static long make_cell(const struct service *s, unsigned slot, int image, uint64_t offset,
                      uint64_t size)
{
    const uint64_t life = (s->generation + 1) | (uint64_t)s->instance << 32;
    const uint64_t place =
        place_of(((const struct nx_cellinfo *)NX_CELLINFO)->bootargs, &s->manifest);
    const uint64_t dst_place =
        slot | place << 8 | (place != NX_PLACE_ISOLATED ? SLOT_MACHINE << 16 : 0);
    if (image == SERVICE_BUNDLE) {
        return make_from_bundle(s, offset, size, dst_place, life, slot == s->slot);
    }
    long e = store_give(NX_SELF, image, SLOT_SCRATCH, NX_R_READ | NX_R_EXEC);
    if (e == 0) {
        e = nx_spawn_cell(SLOT_SCRATCH, offset, size, dst_place, life);
        nx_grant_drop(SLOT_SCRATCH);
    }
    return e;
}

/* Give what was made what its manifest wants, and let it run. */
static long run_cell(struct service *s)
{
    grants_give(s);
    long e = nx_spawn_start(s->slot, s->arg);
    if (e != 0) {
        nx_grant_drop(s->slot);
    }
    return e;
}

/* How its next life's beginning went. */
static void begun(struct service *s, long e)
{
    /* The nucleus counts lives as well, and for longer than we live. */
    s->generation =
        e == 0 ? (uint32_t)nx_meta_cell(s->slot, NX_CELL_GENERATION) : s->generation + 1;
    s->born_ms = service_now_ms();
    s->wanted = false;
    if (e != 0) {
        tell(s, "%s generation %u does not start: error %ld", s->manifest.name, s->generation, -e);
        tell_held_back(s, hold_back(s));
        return;
    }
    s->state = SERVICE_RUNNING;
    health_start(&s->health, s->born_ms, s->manifest.heartbeat_ms);
    burn_start(&s->burn);
    s->health.beats = s->beat != NULL ? s->beat->beats : 0;
}

void service_start(struct service *s)
{
    long e = make_cell(s, s->slot, s->image, s->offset, s->size);
    begun(s, e == 0 ? run_cell(s) : e);
}

/* ---- death ---- */

/* How a life ended. */
struct end {
    long why, code, pc, addr;
    uint32_t generation;
};

static struct end end_of(const struct service *s)
{
    return (struct end){.why = nx_meta_cell(s->slot, NX_CELL_EXIT_WHY),
                        .code = nx_meta_cell(s->slot, NX_CELL_EXIT_CODE),
                        .pc = nx_meta_cell(s->slot, NX_CELL_EXIT_PC),
                        .addr = nx_meta_cell(s->slot, NX_CELL_EXIT_ADDR),
                        .generation = s->generation};
}

/* Only the personality speaks for the user, who may switch the machine off. */
static bool asks_for_end(const struct service *s, unsigned long code)
{
    unsigned long kind = NEXUS_EXIT_KIND(code);
    return (kind == NEXUS_EXIT_POWEROFF || kind == NEXUS_EXIT_RESET) &&
           strcmp(s->manifest.name, PERSONALITY) == 0;
}

static void tell_end(const struct service *s, const struct end *end)
{
    const char *name = s->manifest.name;
    const unsigned n = end->generation;
    const unsigned long code = (unsigned long)end->code;
    const bool said_so = code == NEXUS_KILL_SILENT || code == NEXUS_KILL_DOUBTED;
    switch (end->why) {
    case NX_WHY_EXIT:
        if (asks_for_end(s, code)) { /* as wanted: no news on the console */
            cell_log("%s generation %u ended with %#lx", name, n, code);
        } else {
            tell(s, "%s generation %u ended with %#lx", name, n, code);
        }
        break;
    case NX_WHY_FAULT:
        tell(s, "%s generation %u: fault %lu at %#lx, address %#lx", name, n, code,
             (unsigned long)end->pc, (unsigned long)end->addr);
        break;
    case NX_WHY_NOMEM:
        tell(s, "%s generation %u: out of memory", name, n);
        break;
    default:
        tell(s, "%s generation %u was killed%s%s (%#lx)", name, n,
             code == NEXUS_KILL_HUNG      ? ": no heartbeat"
             : code == NEXUS_KILL_BURNS   ? ": runs and never waits"
             : code == NEXUS_KILL_SILENT  ? ": does not answer "
             : code == NEXUS_KILL_DOUBTED ? ": its errors are doubted by "
                                          : "",
             said_so && s->accuser != NULL ? s->accuser->manifest.name : "", code);
    }
}

/* `s` says that its peer on this channel broke the ring protocol.  Who did, the pages do not tell, and
 * either side may lie; servers are trusted more.  So the client answers for it: a server's third word ends it,
 * and counts as a death of its own fault.  A client's word ends the server only when the channel cannot
 * be used any more.  True: the end of `s` is not its own fault. */
static bool accuse(const struct service *s, unsigned long code)
{
    unsigned slot = NEXUS_EXIT_VALUE(code);
    struct service *server, *client;
    if (!link_ends(s, slot, &server, &client)) {
        return false;
    }
    struct service *peer = s == server ? client : server;
    if (s == client && link_intact(s, slot)) {
        cell_log("%s has no reason to complain of %s", s->manifest.name, peer->manifest.name);
        return false;
    }
    link_renew(s, slot);
    if (peer->slot == NX_SELF) {
        control_renewed(); /* we are accused: a new channel is all we can do */
        return false;
    }
    if (peer->state != SERVICE_RUNNING) {
        return false;
    }
    peer->blamed = peer == client;
    nx_exit_kill(peer->slot, code);
    return peer == client;
}

/* A server complains of this client: is that to be believed?  Its own memory may be what is damaged, and it lives
 * again in no time; the client may hold all a user has.  Only when two more lives, which begin with what the
 * rings themselves say, complain as well, the client answers for it; and when the rings look well, so that their
 * word is all there is, only with the third. */
static bool complaint_counts(struct service *s, unsigned long code)
{
    const unsigned slot = NEXUS_EXIT_VALUE(code);
    struct service *server, *client;
    if (!link_ends(s, slot, &server, &client) || s != server) {
        return true;
    }
    const bool again = s->complained == slot + 1 && s->complained_life + 1 == s->generation;
    s->complaints = again ? s->complaints + 1 : 1;
    s->complained = slot + 1;
    s->complained_life = s->generation;
    if (s->complaints < (link_intact(s, slot) ? 4 : 3)) {
        return false;
    }
    s->complained = 0;
    return true;
}

/* It may start again, when its policy says so: at once, or after how long? */
static uint64_t go_on(struct service *s, bool own_fault)
{
    if (s->wanted) {
        service_start(s);
        return 0;
    }
    if (s->manifest.restart != NX_RESTART_ALWAYS) {
        return 0;
    }
    if (!own_fault) {
        service_start(s);
        return 0;
    }
    const uint64_t wait = hold_back(s);
    if (wait == 0) {
        service_start(s);
    }
    return wait;
}

/* It is dead: take back what it had. */
static void bury(struct service *s)
{
    nx_grant_drop(s->slot);
    grants_take_back(s);
    s->state = SERVICE_DOWN;
    s->blamed = false;
}

/* The next life comes before the news of this one's end: somebody waits for it.  But what is told on the console
 * is told in the place of who is to use it next. */
static void ended(struct service *s)
{
    const struct end end = end_of(s);
    const unsigned long code = (unsigned long)end.code;
    const bool exited = end.why == NX_WHY_EXIT, early = link_console(s);
    bool own_fault = end.why != NX_WHY_KILLED || s->blamed;
    if (early || exited) {
        tell_end(s, &end);
    }
    bury(s);
    if (exited && asks_for_end(s, code)) {
        if (NEXUS_EXIT_KIND(code) == NEXUS_EXIT_RESET) {
            power_reset();
        }
        power_off(NEXUS_EXIT_VALUE(code));
    }
    const bool accuses = exited && NEXUS_EXIT_KIND(code) == NEXUS_EXIT_PEER;
    const bool programs = accuses && link_programs(s, NEXUS_EXIT_VALUE(code));
    if (accuses && !programs) {
        own_fault = complaint_counts(s, code) && !accuse(s, code);
    }
    if (programs || (exited && NEXUS_EXIT_KIND(code) == NEXUS_EXIT_RINGS)) {
        link_mend(s, NEXUS_EXIT_VALUE(code));
    }
    const uint64_t wait = go_on(s, own_fault);
    if (!early && !exited) {
        tell_end(s, &end);
    }
    tell_held_back(s, wait);
}

static bool is_dead(const struct service *s)
{
    return nx_meta_cell(s->slot, NX_CELL_STATE) == NX_CS_DEAD;
}

static struct burn_run run_of(const struct service *s)
{
    const long run = nx_meta_cell(s->slot, NX_CELL_RUNTIME);
    struct burn_run r = {.used_us = run > 0 ? (uint64_t)run * 1000 / cell_ticks_of_ms(1) : 0,
                         .in_void = s->manifest.tier != NX_TIER_VOID &&
                                    nx_meta_cell(s->slot, NX_CELL_TIER) == NX_TIER_VOID};
    r.moved = r.in_void ? link_moved(s) : 0;
    return r;
}

void service_heard(struct service *s)
{
    if (is_dead(s)) {
        ended(s);
        return;
    }
    const struct burn_run run = run_of(s);
    if (run.in_void) {
        burn_sunk(&s->burn, service_now_ms(), &run);
    }
}

/* ---- what others want of it ---- */

/* End it and wait for that: its fibers may have to leave other harts first. */
static bool end_cell(struct service *s, uint64_t code)
{
    const uint64_t deadline = cell_now() + cell_ticks_of_ms(KILL_WAIT_MS);
    nx_exit_kill(s->slot, code);
    /* The nucleus may only want to hear of us, or it was told before that it had sunk. */
    while (!is_dead(s) && nx_recv_wait(1ul << s->slot, deadline) >= 0) {
    }
    return is_dead(s);
}

bool service_kill(struct service *s, uint64_t code, bool blamed)
{
    s->blamed = blamed;
    if (!end_cell(s, code)) {
        return false;
    }
    ended(s);
    return true;
}

const char *service_restart(struct service *s)
{
    if (s->state == SERVICE_ABSENT) {
        return s->missing;
    }
    s->record = (struct restart){0};
    if (s->state != SERVICE_RUNNING) {
        service_start(s);
        return s->state == SERVICE_RUNNING ? NULL : "it does not start";
    }
    s->wanted = true;
    return service_kill(s, NEXUS_KILL_ASKED, false) ? NULL : "it takes long to end";
}

long service_swap(struct service *s, const struct nx_manifest *m, int image, uint64_t offset,
                  uint64_t size)
{
    long e = make_cell(s, SLOT_NEXT, image, offset, size);
    if (e != 0) {
        return e;
    }
    if (s->state == SERVICE_RUNNING) {
        if (!end_cell(s, NEXUS_KILL_ASKED)) {
            nx_grant_drop(SLOT_NEXT);
            return -NX_ETIME;
        }
        const struct end end = end_of(s);
        tell_end(s, &end);
        bury(s);
    }
    if (s->image != SERVICE_BUNDLE) {
        store_drop(s->image);
    }
    store_drop(s->fixed); /* of the other image: lives of this one have pages of their own */
    s->fixed = -1;
    s->manifest = *m;
    s->image = image;
    s->offset = offset;
    s->size = size;
    s->record = (struct restart){0};
    grants_swapped(s);
    (void)nx_grant_move(NX_SELF, SLOT_NEXT, s->slot, NX_R_ALL);
    begun(s, run_cell(s));
    return 0;
}

bool service_blame_client(struct service *s, unsigned slot)
{
    struct service *server, *client;
    if (!link_ends(s, slot, &server, &client) || server != s) {
        return false;
    }
    (void)accuse(s, NEXUS_EXIT_PEER | slot);
    return true;
}

uint64_t service_look(struct service *s, uint64_t now_ms)
{
    if (s->state == SERVICE_RUNNING && s->health.due <= now_ms &&
        health_hung(&s->health, now_ms, s->manifest.heartbeat_ms,
                    s->beat != NULL ? s->beat->beats : 0)) {
        (void)service_kill(s, NEXUS_KILL_HUNG, true);
    }
    if (s->state == SERVICE_RUNNING && s->burn.due <= now_ms) {
        const struct burn_run run = run_of(s);
        if (burn_look(&s->burn, now_ms, &run)) {
            (void)service_kill(s, NEXUS_KILL_BURNS, true);
        }
    }
    return s->state == SERVICE_RUNNING ? NX_MIN(s->health.due, s->burn.due) : HEALTH_NEVER;
}
