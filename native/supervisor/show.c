/* The commands that only tell; docs/supervisor.md has their columns. */
#include "control.h"
#include "link.h"
#include "place.h"

#include <nexus/cell.h>
#include <nx/sys.h>
#include <nx_base.h>
#include <string.h>

typedef unsigned long ul;

static const char *const states[] = {
    [SERVICE_DOWN] = "down",       [SERVICE_RUNNING] = "running",
    [SERVICE_WAITING] = "waiting", [SERVICE_QUARANTINE] = "quarantine",
    [SERVICE_ABSENT] = "absent",
};
static const char *const tiers[NX_TIERS] = {"photon", "matter", "gravity", "void"};

static ul value(const struct service *s, enum nx_cell_value what)
{
    long v = s->state == SERVICE_RUNNING ? nx_meta_cell(s->slot, what) : 0;
    return v > 0 ? (ul)v : 0;
}

/* The one it has now: who has used up its energy is in Void. */
static const char *tier(const struct service *s)
{
    return tiers[(s->state == SERVICE_RUNNING ? value(s, NX_CELL_TIER) : s->manifest.tier) %
                 NX_TIERS];
}

static ul us_of_ticks(ul ticks)
{
    return ticks / (cell_ticks_of_ms(1000) / 1000000);
}

static ul stat(enum nx_stat what)
{
    long v = nx_meta_stat(what);
    return v > 0 ? (ul)v : 0;
}

static unsigned restarts(const struct service *s)
{
    return s->generation > 1 ? s->generation - 1 : 0;
}

void show_ps(struct answer *a)
{
    const char *const args = ((const struct nx_cellinfo *)NX_CELLINFO)->bootargs;
    answer_add(a, "%-16s %4s %-10s %-7s %-8s %8s %7s %9s %6s %10s %s\n", "CELL", "GEN", "STATE",
               "TIER", "PLACE", "RESTARTS", "PAGES", "ENERGY", "FIBERS", "TIME", "NOTE");
    for (unsigned i = 0; i < service_count; i++) {
        const struct service *s = &services[i];
        const ul us = us_of_ticks(value(s, NX_CELL_RUNTIME));
        const bool fused = s->slot != NX_SELF && place_of(args, &s->manifest) == NX_PLACE_FUSED;
        answer_add(a, "%-16s %4u %-10s %-7s %-8s %8u %7lu %9lu %6lu %6lu.%03lu %s\n",
                   s->manifest.name, s->generation, states[s->state], tier(s),
                   fused ? "fused" : "isolated", restarts(s), value(s, NX_CELL_PAGES),
                   value(s, NX_CELL_ENERGY_USED), value(s, NX_CELL_FIBERS), us / 1000000,
                   us / 1000 % 1000, s->state == SERVICE_ABSENT ? s->missing : "-");
    }
}

void show_top(struct answer *a)
{
    answer_add(a, "machine %lu %lu %lu %lu %lu\n", (ul)nx_meta_machine(NX_MACHINE_HARTS),
               us_of_ticks(cell_now()), us_of_ticks(stat(NX_STAT_IDLE_TICKS)),
               stat(NX_STAT_PAGES_TOTAL), stat(NX_STAT_PAGES_FREE));
    for (unsigned i = 0; i < service_count; i++) {
        const struct service *s = &services[i];
        const ul us = us_of_ticks(value(s, NX_CELL_RUNTIME));
        answer_add(a, "cell %s %u %s %s %lu %lu %lu %lu %lu %lu %u\n", s->manifest.name,
                   s->generation, states[s->state], tier(s), value(s, NX_CELL_PAGES),
                   value(s, NX_CELL_QUOTA), value(s, NX_CELL_FIBERS), us,
                   value(s, NX_CELL_ENERGY_USED), (ul)s->manifest.energy, restarts(s));
    }
}

void show_cores(struct answer *a)
{
    static const char *const classes[NX_CLASSES] = {"apex", "forge", "mill", "ember"};
    const long harts = nx_meta_machine(NX_MACHINE_HARTS);
    long best = 1;
    for (long i = 0; i < harts; i++) {
        best = NX_MAX(best, nx_meta_hart((uint64_t)i, NX_HART_SPEED));
    }
    answer_add(a, "%-5s %-6s %8s %6s %10s %9s\n", "HART", "CLASS", "SPEED", "SHARE", "IDLE",
               "MEASURED");
    for (long i = 0; i < harts; i++) {
        const uint64_t hart = (uint64_t)i;
        const long class = nx_meta_hart(hart, NX_HART_CLASS);
        const long speed = nx_meta_hart(hart, NX_HART_SPEED);
        if (class < 0 || speed < 0) {
            answer_add(a, "%-5ld %-6s\n", i, "down");
            continue;
        }
        const ul idle = us_of_ticks((ul)nx_meta_hart(hart, NX_HART_IDLE));
        answer_add(a, "%-5ld %-6s %8ld %5ld%% %6lu.%03lu %7luus\n", i, classes[class % NX_CLASSES],
                   speed, speed * 100 / best, idle / 1000000, idle / 1000 % 1000,
                   us_of_ticks((ul)nx_meta_hart(hart, NX_HART_MEASURING)));
    }
}

void show_services(struct answer *a)
{
    const char *what;
    const struct service *server, *client;
    answer_add(a, "%-24s %-16s %s\n", "INTERFACE", "SERVED BY", "USED BY");
    for (unsigned i = 0; link_at(i, &what, &server, &client); i++) {
        answer_add(a, "%-24s %-16s %s\n", what, server->manifest.name,
                   client != NULL ? client->manifest.name : "-");
    }
}

/* ---- log and Boot Error Buffer ---- */

static void add_time(struct answer *a, ul number, ul ticks)
{
    const ul us = us_of_ticks(ticks);
    answer_add(a, "%lu %lu.%06lu ", number, us / 1000000, us % 1000000);
}

static const char *beb_kind(uint32_t kind)
{
    static const char *const kinds[] = {
        [NX_BEB_OVERRUN] = "overrun",     [NX_BEB_DEMOTED] = "demoted",
        [NX_BEB_FAULT] = "fault",         [NX_BEB_DENIED] = "denied",
        [NX_BEB_CELL_DEAD] = "cell-dead", [NX_BEB_PROMOTED] = "promoted",
        [NX_BEB_SILENT] = "silent",       [NX_BEB_RESTART] = "restart",
        [NX_BEB_SYSTEMIC] = "systemic",   [NX_BEB_AUDIT] = "audit",
    };
    return kind < ARRAY_LEN(kinds) && kinds[kind] != NULL ? kinds[kind] : "?";
}

#define BEB_USUAL 20u

/* The number of the first of the newest n before `end`.  Entries may be missing in between: those that
 * are there count. */
static uint64_t beb_first(uint64_t n, uint64_t end)
{
    struct nx_beb b;
    uint64_t have = 0, number = 0;
    for (; nx_meta_beb((uint64_t)&b, sizeof(b), number) == 1 && b.number < end;
         number = b.number + 1) {
        have++;
    }
    number = n == 0 ? end : 0;
    for (; number < end && have > n && nx_meta_beb((uint64_t)&b, sizeof(b), number) == 1; have--) {
        number = b.number + 1;
    }
    return number;
}

void show_beb(const struct command *c, struct answer *a)
{
    struct nx_beb b;
    const uint64_t end = stat(NX_STAT_BEB_END); /* what comes while we look is for the next time */
    uint64_t number = beb_first(c->has_number ? c->number : BEB_USUAL, end);
    for (; !a->full && nx_meta_beb((uint64_t)&b, sizeof(b), number) == 1 && b.number < end;
         number = b.number + 1) {
        const size_t before = a->len;
        add_time(a, (ul)b.number, (ul)b.time);
        answer_add(a, "hart%u %s %.*s.%u fiber %#x %#lx %#lx\n", b.hart, beb_kind(b.kind),
                   (int)sizeof(b.cell), b.cell, b.generation, b.fiber, (ul)b.arg0, (ul)b.arg1);
        a->len = a->full ? before : a->len;
    }
}

void show_log(const struct command *c, struct answer *a)
{
    struct nx_log l;
    uint64_t number = c->has_number ? c->number : 0;
    for (; !a->full && nx_meta_readlog((uint64_t)&l, sizeof(l), number) == 1;
         number = l.number + 1) {
        const size_t before = a->len;
        add_time(a, (ul)l.number, (ul)l.time);
        answer_add(a, "%.*s.%u: %.*s\n", (int)sizeof(l.cell), l.cell, l.generation, (int)l.len,
                   l.text);
        a->len = a->full ? before : a->len;
    }
}

/* ---- pledges ---- */

void show_pledge(const struct service *s, struct answer *a)
{
    static const char *const classes[] = {"spawn", "make",    "map",  "grant", "ipc",
                                          "time",  "foreign", "meta", "debug"};
    const ul has = s->state == SERVICE_RUNNING ? value(s, NX_CELL_PLEDGE) : s->manifest.pledge;
    answer_add(a, "%s:", s->manifest.name);
    for (unsigned i = 0; i < ARRAY_LEN(classes); i++) {
        if ((has >> i & 1) != 0) {
            answer_add(a, " %s", classes[i]);
        } else if ((s->manifest.pledge >> i & 1) != 0) {
            answer_add(a, " (%s)", classes[i]); /* given up since */
        }
    }
    answer_add(a, "\n");
}
