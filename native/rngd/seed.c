/* See seed.h. */
#include "seed.h"

#include <nx_base.h>

void seed_init(struct seed *s)
{
    *s = (struct seed){.missing = SEED_START};
    nx_rng_init(&s->rng);
}

uint32_t seed_wants(struct seed *s, uint64_t now_ms)
{
    if (s->health.state != HEALTH_GOOD) {
        return 0;
    }
    if (s->missing == 0 && (s->given >= SEED_BYTES || now_ms - s->time_ms >= SEED_MS)) {
        s->missing = SEED_AGAIN;
    }
    return NX_MIN(s->missing, SEED_ASK);
}

bool seed_feed(struct seed *s, const uint8_t *bytes, size_t n, uint64_t now_ms)
{
    if (s->health.state != HEALTH_GOOD) {
        return false;
    }
    if (health_test(&s->health, bytes, n) != HEALTH_GOOD) {
        s->missing = 0;
        return true; /* what came before it was tested; this is thrown away */
    }
    nx_rng_mix(&s->rng, bytes, n);
    if (s->missing == 0) {
        return false; /* more than was asked for: it does no harm */
    }
    s->missing -= (uint32_t)NX_MIN(n, (size_t)s->missing);
    if (s->missing != 0) {
        return false;
    }
    bool first = !s->seeded;
    s->seeded = true;
    s->given = 0;
    s->time_ms = now_ms;
    s->count++;
    return first;
}

void seed_source_anew(struct seed *s)
{
    if (s->health.state == HEALTH_GOOD) {
        return;
    }
    s->health = (struct health_test){0};
    s->missing = s->seeded ? 0 : SEED_START;
}

bool seed_give(struct seed *s, uint8_t *to, size_t n)
{
    if (!s->seeded) {
        return false;
    }
    nx_rng_bytes(&s->rng, to, n, NULL);
    s->given += n;
    return true;
}
