/* Commands about who ran when: the nucleus records (meta TIMELINE), we have it told. */
#include "control.h"

#include <nexus/cell.h>
#include <nx/sys.h>
#include <nx_base.h>

#define RECORD_MS 1000u
#define RECORD_MS_MAX 10000u

static uint64_t began, ticks;

static unsigned long us(uint64_t t)
{
    return (unsigned long)(t / (cell_ticks_of_ms(1000) / 1000000));
}

void run_record(const struct command *c, struct answer *a)
{
    const uint64_t ms = c->has_number ? c->number : RECORD_MS;
    if (ms > RECORD_MS_MAX) {
        answer_error(a, "at most %u ms", RECORD_MS_MAX);
        return;
    }
    const long e = nx_meta_timeline(cell_ticks_of_ms(ms));
    if (e != 0) {
        answer_error(a, "nothing is recorded: error %ld", -e);
        return;
    }
    began = cell_now();
    ticks = cell_ticks_of_ms(ms);
    answer_add(a, "%s\n", ms != 0 ? "recording" : "forgotten");
}

/* Times are microseconds since recording began. */
void show_switches(const struct command *c, struct answer *a)
{
    static const char *const whys[] = {"begins", "waits", "ready", "ended", "idle"};
    struct nx_switch s[32];
    uint64_t number = 0;
    const uint64_t now = cell_now() - began;
    if (nx_meta_switches((uint64_t)s, 0, c->number, 0) < 0) {
        answer_error(a, "there is no hart %lu", (unsigned long)c->number);
        return;
    }
    answer_add(a, "span %lu\n", us(NX_MIN(now, ticks)));
    for (;;) {
        const long n = nx_meta_switches((uint64_t)s, sizeof(s), c->number, number);
        for (long i = 0; i < n; i++) {
            const uint64_t at = s[i].time > began ? s[i].time - began : 0;
            answer_add(a, "%lu %.*s %u %lx %u %s\n", us(at), (int)sizeof(s[i].cell),
                       s[i].fiber != 0 ? s[i].cell : "-", s[i].generation,
                       (unsigned long)s[i].fiber, s[i].tier, whys[s[i].why % ARRAY_LEN(whys)]);
        }
        if (n <= 0 || a->full) {
            return;
        }
        number = s[n - 1].number + 1;
    }
}
