/* Load averages without a tick: brought up to date when somebody asks.
 *
 * Threads in state R are counted at that moment and taken to have run since the last look; with nobody
 * asking for long, the averages of that time are a guess.  That is the price of an idle machine.
 */
#include "load.h"
#include "proc.h"
#include "ptime.h"

#define FIXED_ONE 65536ull
#define STEP_NS (5 * NSEC_PER_SEC)
#define STEPS_MAX 720 /* an hour: older is forgotten anyway */

/* exp(-5 s / 1, 5, 15 min) */
static const uint32_t decay[3] = {60296, 64453, 65173};
static uint64_t average[3];
static int64_t looked_at;

static uint64_t running(void)
{
    uint64_t n = 0;
    for (const struct process *p = process_first(); p; p = p->next)
        for (const struct task *t = p->threads; t; t = t->next_thread)
            n += t->state == 'R' || t->state == 'D';
    return n;
}

void load_averages(uint64_t avg[3])
{
    int64_t now = time_monotonic_ns();
    int64_t steps = (now - looked_at) / STEP_NS;
    uint64_t n = running();
    n = n ? n - 1 : 0; /* not the one who asks */
    looked_at += steps * STEP_NS;
    if (steps > STEPS_MAX)
        steps = STEPS_MAX;
    while (steps-- > 0)
        for (int i = 0; i < 3; i++)
            average[i] =
                (average[i] * decay[i] + n * FIXED_ONE * (FIXED_ONE - decay[i])) / FIXED_ONE;
    for (int i = 0; i < 3; i++)
        avg[i] = average[i] * 100 / FIXED_ONE;
}
