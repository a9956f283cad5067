/* See crucible.h. */
#include "crucible.h"

#include "machine.h"

#include <nx_base.h>
#include <string.h>

#define ROUNDS 2048u
#define WORDS 128u
#define TRIES 3u
#define SLOWER_PART 16u

#define SLOW "nexus.slow="
#define SLOW_MOST 64u

bool crucible_mixed;
uint64_t crucible_class[NX_CLASSES];

/* The next number of the boot argument, and past what ends it. */
static unsigned number(const char **at)
{
    unsigned n = 0;
    while ((unsigned)**at - '0' < 10) {
        n = n * 10 + (unsigned)*(*at)++ - '0';
    }
    *at += **at == ',';
    return n;
}

/* How many times over the work is done: once, but for what the boot arguments say of this hart. */
static unsigned times(const struct hart *h)
{
    const char *at = strstr(machine.bootargs, SLOW);
    const uint64_t second = arch_time() / machine.timebase;
    if (at == NULL) {
        return 1;
    }
    at += sizeof(SLOW) - 1;
    const bool ours = number(&at) == h->index;
    const unsigned factor = number(&at), from = number(&at), to = number(&at);
    return ours && second >= from && second < to ? NX_MAX(NX_MIN(factor, SLOW_MOST), 1u) : 1;
}

/* Ticks of the work, done so many times. */
static __attribute__((noinline)) uint64_t measure(unsigned rounds)
{
    volatile uint64_t word[WORDS];
    uint64_t x = 88172645463325252u;
    const uint64_t start = arch_time();
    for (unsigned i = 0; i < WORDS; i++) {
        word[i] = i;
    }
    for (unsigned i = 0; i < rounds; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        word[x % WORDS] += x;
    }
    return arch_time() - start;
}

static uint64_t shortest(const struct hart *h, unsigned tries)
{
    const unsigned rounds = ROUNDS * times(h);
    uint64_t best = NX_NEVER;
    for (; tries > 0; tries--) {
        const uint64_t took = measure(rounds);
        best = NX_MIN(took, best);
    }
    return best;
}

static unsigned class_of(uint64_t speed, uint64_t best)
{
    const uint64_t eighths = speed * 8 / best;
    return eighths >= 7   ? NX_CLASS_APEX
           : eighths >= 5 ? NX_CLASS_FORGE
           : eighths >= 3 ? NX_CLASS_MILL
                          : NX_CLASS_EMBER;
}

static void classify(void)
{
    uint64_t best = 1;
    bool mixed = false;
    for (unsigned i = 0; i < hart_count; i++) {
        best = NX_MAX(best, harts[i].speed);
    }
    memset(crucible_class, 0, sizeof(crucible_class));
    for (unsigned i = 0; i < hart_count; i++) {
        if (harts[i].speed != 0) {
            harts[i].class = class_of(harts[i].speed, best);
            mixed = mixed || harts[i].class != NX_CLASS_APEX; /* the fastest is */
        }
        crucible_class[harts[i].class] |= harts[i].bit;
    }
    crucible_mixed = mixed;
}

void crucible_note(struct hart *h, uint64_t ticks)
{
    const uint64_t speed = ROUNDS * (machine.timebase / 1000) / NX_MAX(ticks, 1ul) | 1;
    if (speed >= h->speed) {
        h->speed = speed;
    } else {
        h->speed -= (h->speed - speed) / SLOWER_PART;
    }
    h->measured = arch_time();
    classify();
}

void crucible_boot(struct hart *h)
{
    const uint64_t start = arch_time(), ticks = shortest(h, TRIES);
    h->measuring = arch_time() - start;
    lock();
    crucible_note(h, ticks);
    unlock();
}

void crucible_idle(struct hart *h)
{
    if (arch_time() - h->measured > machine.timebase) {
        const uint64_t ticks = shortest(h, 1);
        lock();
        crucible_note(h, ticks);
        unlock();
    }
}
