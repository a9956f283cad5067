/* See health.h. */
#include "health.h"

static bool repeats(struct health_test *t, uint8_t byte)
{
    t->run = t->bytes != 0 && byte == t->last ? t->run + 1 : 1;
    t->last = byte;
    return t->run >= HEALTH_REPEATS;
}

static bool out_of_proportion(struct health_test *t, uint8_t byte)
{
    if (t->window == 0) {
        t->first = byte;
        t->equal = 0;
    }
    t->equal += byte == t->first;
    t->window = (t->window + 1) % HEALTH_WINDOW;
    return t->equal >= HEALTH_EQUAL;
}

enum health health_test(struct health_test *t, const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n && t->state == HEALTH_GOOD; i++) {
        if (repeats(t, bytes[i])) {
            t->state = HEALTH_STUCK;
        } else if (out_of_proportion(t, bytes[i])) {
            t->state = HEALTH_BIASED;
        }
        t->bytes++;
    }
    return t->state;
}

const char *health_name(enum health state)
{
    static const char *const names[] = {"good", "stuck", "biased"};
    return names[state];
}
