/*
 * Timers: fired in order of their deadlines, whatever was set, moved and cancelled before.
 * test-sources: posix/time/ktimer.c
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <membrane.h>

#include "ptime.h"

#define MANY 10000u

static struct mb_fiber fiber;
static void (*serve)(void *);
static uint64_t now;
static unsigned wakes;
static jmp_buf idle;

struct mb_fiber *mb_self(void)
{
    return NULL;
}

struct mb_fiber *mb_fiber_start(void (*fn)(void *), void *arg)
{
    serve = fn;
    return &fiber;
}

void mb_lock(void)
{
}

uint64_t mb_ticks(void)
{
    return now;
}

void mb_wake(struct mb_fiber *f)
{
    wakes++;
}

int mb_park(uint64_t deadline)
{
    if (deadline == MB_NEVER) {
        longjmp(idle, 1);
    }
    assert_true(deadline > now);
    now = deadline;
    return 0;
}

static void run(void)
{
    if (setjmp(idle) == 0) {
        serve(NULL);
    }
}

static struct timer {
    struct ktimer k;
    unsigned fired;
} timers[MANY];
static uint64_t last_deadline, last_number;
static unsigned fired;

static void fire(struct ktimer *k)
{
    struct timer *t = (struct timer *)k;
    assert_false(ktimer_is_set(k));
    assert_true(k->deadline <= now);
    assert_true(k->deadline > last_deadline ||
                (k->deadline == last_deadline && k->number > last_number));
    last_deadline = k->deadline;
    last_number = k->number;
    t->fired++;
    fired++;
}

static int set_up(void **state)
{
    assert_int_equal(ktimer_init(), 0);
    memset(timers, 0, sizeof(timers));
    for (unsigned i = 0; i < MANY; i++) {
        timers[i].k.fn = fire;
    }
    fired = 0;
    return 0;
}

static void many_in_order(void **state)
{
    unsigned left = MANY;
    srandom(5);
    for (unsigned i = 0; i < MANY; i++) {
        ktimer_set(&timers[i].k, now + 1 + (uint64_t)random() % 5000);
    }
    for (unsigned i = 0; i < MANY; i++) {
        struct ktimer *k = &timers[(unsigned)random() % MANY].k;
        if (i % 2 == 0) {
            ktimer_set(k, now + 1 + (uint64_t)random() % 5000); /* moved, or set again */
        } else {
            ktimer_cancel(k);
            ktimer_cancel(k);
        }
    }
    for (unsigned i = 0; i < MANY; i++) {
        left -= !ktimer_is_set(&timers[i].k);
    }
    run();
    assert_int_equal(fired, left);
}

static void the_service_is_woken_for_the_soonest_only(void **state)
{
    wakes = 0;
    ktimer_set(&timers[0].k, now + 10);
    assert_int_equal(wakes, 1);
    ktimer_set(&timers[1].k, now + 20);
    assert_int_equal(wakes, 1);
    ktimer_set(&timers[2].k, now + 5);
    assert_int_equal(wakes, 2);
    run();
    assert_int_equal(fired, 3);
}

/* From within its function: set again, and cancel another of the same time. */
static void again(struct ktimer *k)
{
    if (++fired < 5) {
        ktimer_set(k, k->deadline);
    }
    ktimer_cancel(&timers[1].k);
}

static void changes_while_they_fire(void **state)
{
    timers[0].k.fn = again;
    ktimer_set(&timers[0].k, now + 3);
    ktimer_set(&timers[1].k, now + 3);
    run();
    assert_int_equal(fired, 5);
    assert_int_equal(timers[1].fired, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(many_in_order, set_up),
        cmocka_unit_test_setup(the_service_is_woken_for_the_soonest_only, set_up),
        cmocka_unit_test_setup(changes_while_they_fire, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
