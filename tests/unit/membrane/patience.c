/*
 * When the personality complains of a server: ages, limits and doubts, with a session and a clock that do
 * what the test says.
 */
// test-sources: membrane/patience.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <nexus/control.h>
#include <string.h>

#include "../../../membrane/patience.h"

uint64_t mb_host_time, mb_host_instret;

#define MS 10000ul /* ticks */

static struct patience p;
static struct nexus_client client;
static struct nexus_request request[4];
static unsigned complaints, doubts, logged; /* complaints: doubts and all */
static struct nexus_request *complaint;
static int submit_result;

uint64_t mb_ns_to_ticks(uint64_t ns)
{
    return ns / 100;
}

uint64_t mb_ticks_to_ns(uint64_t ticks)
{
    return ticks * 100;
}

void mb_log_at(unsigned level, const char *fmt, ...)
{
    logged++;
}

void serve_timer_add(struct serve_timer *t,
                     void (*fire)(struct serve_timer *t, uint64_t now, uint64_t late))
{
    t->due = MB_NEVER;
    t->fire = fire;
}

void serve_timer_set(struct serve_timer *t, uint64_t due)
{
    t->due = due;
}

int control_complain(struct nexus_request *r, unsigned type, const char *what)
{
    assert_string_equal(what, "block.0");
    assert_true(type == NEXUS_CONTROL_COMPLAIN || type == NEXUS_CONTROL_DOUBT);
    complaints++;
    doubts += type == NEXUS_CONTROL_DOUBT;
    complaint = submit_result == 0 ? r : NULL;
    return submit_result;
}

static void supervisor_says(int result)
{
    assert_non_null(complaint);
    struct nexus_request *r = complaint;
    complaint = NULL;
    r->done(r, result, NULL);
}

/* Time passes; the timer fires when it is due, or `late` ticks after. */
static void pass(uint64_t ticks, uint64_t late)
{
    const uint64_t until = mb_host_time + ticks;
    while (p.timer.due <= until && p.timer.due + late <= until) {
        mb_host_time = p.timer.due + late > mb_host_time ? p.timer.due + late : mb_host_time;
        const uint64_t due = p.timer.due;
        p.timer.due = MB_NEVER;
        p.timer.fire(&p.timer, mb_host_time, mb_host_time - due);
        assert_true(p.timer.due > mb_host_time);
    }
    mb_host_time = until;
}

static void ask(unsigned i, unsigned limit_ms)
{
    request[i].number = (uint8_t)(200 + i);
    request[i].doubted = false;
    client.table[200 + i] = &request[i];
    patience_asked(&p, &request[i], limit_ms);
}

static void answer(unsigned i)
{
    client.table[200 + i] = NULL;
}

static void hello(void)
{
    client.generation++;
    patience_hello(&p);
}

static int setup(void **state)
{
    mb_host_time = 77 * MS;
    memset(&p, 0, sizeof(p));
    memset(&client, 0, sizeof(client));
    complaints = doubts = logged = 0;
    complaint = NULL;
    submit_result = 0;
    patience_start(&p, &client, "block.0");
    return 0;
}

static int setup_greeted(void **state)
{
    setup(state);
    hello();
    pass(3000 * MS, 0);
    assert_int_equal(p.timer.due, MB_NEVER); /* idle: no timer */
    return 0;
}

static void who_answers_is_left_alone(void **state)
{
    for (unsigned n = 0; n < 1000; n++) {
        ask(n % 4, NEXUS_PATIENCE);
        pass(990 * MS, 0);
        answer(n % 4);
    }
    assert_int_equal(complaints, 0);
    pass(2000 * MS, 0);
    assert_int_equal(p.timer.due, MB_NEVER);
}

static void the_oldest_counts(void **state)
{
    ask(0, NEXUS_PATIENCE);
    for (unsigned n = 0; n < 9; n++) {
        pass(100 * MS, 0);
        ask(1, NEXUS_PATIENCE);
        answer(1);
    }
    pass(99 * MS, 0);
    assert_int_equal(complaints, 0);
    pass(1 * MS, 0);
    assert_int_equal(complaints, 1);
}

static void patience_doubles_until_there_is_an_answer(void **state)
{
    ask(0, NEXUS_PATIENCE);
    uint64_t limit = 1000 * MS;
    for (unsigned n = 1; n < 12; n++) {
        pass(limit - 1, 0);
        assert_int_equal(complaints, n - 1);
        pass(1, 0);
        assert_int_equal(complaints, n);
        supervisor_says(n % 2 != 0 ? 0 : -NX_EBUSY);
        limit = limit < 64000 * MS ? 2 * limit : limit;
    }
    answer(0);
    ask(0, NEXUS_PATIENCE); /* it seems to be well again */
    const unsigned before = complaints + 1;
    pass(64000 * MS, 0);
    assert_int_equal(complaints, before);
    supervisor_says(0);
    answer(0);
    pass(64000 * MS, 0);
    ask(1, NEXUS_PATIENCE);
    pass(1000 * MS, 0);
    assert_int_equal(complaints, before + 1);
}

static void ages_begin_anew_with_a_hello(void **state)
{
    ask(0, NEXUS_PATIENCE);
    for (unsigned n = 0; n < 20; n++) {
        pass(900 * MS, 0);
        hello();
    }
    assert_int_equal(complaints, 0);
    pass(1000 * MS, 0);
    assert_int_equal(complaints, 1);
}

static void what_may_take_long_may(void **state)
{
    ask(0, NEXUS_PATIENCE_NONE);
    assert_int_equal(p.timer.due, MB_NEVER);
    pass(1000000 * MS, 0);
    ask(1, NEXUS_PATIENCE_FLUSH);
    pass(1000 * MS, 0);
    ask(2, NEXUS_PATIENCE); /* behind the flush */
    pass(3900 * MS, 0);
    assert_int_equal(complaints, 0);
    answer(1);
    pass(100 * MS, 0); /* the other one is alone now, and older than it may be */
    assert_int_equal(complaints, 1);
}

static void a_flush_does_not_put_off_what_comes_first(void **state)
{
    ask(1, NEXUS_PATIENCE_FLUSH);
    answer(1);
    ask(2, NEXUS_PATIENCE);
    pass(1000 * MS, 0);
    assert_int_equal(complaints, 1);
}

static void who_never_says_hello_is_complained_of(void **state)
{
    pass((NEXUS_PATIENCE_HELLO - 1) * MS, 0);
    assert_int_equal(complaints, 0);
    pass(1 * MS, 0);
    assert_int_equal(complaints, 1);
    supervisor_says(0);
    pass((2 * NEXUS_PATIENCE_HELLO - 1) * MS, 0);
    assert_int_equal(complaints, 1);
    hello();
    pass(100000 * MS, 0);
    assert_int_equal(complaints, 1);
    assert_int_equal(p.timer.due, MB_NEVER);
}

static void who_is_left_dead_is_not_mentioned_again(void **state)
{
    ask(0, NEXUS_PATIENCE);
    pass(1000 * MS, 0);
    supervisor_says(-NX_ENOENT);
    pass(1000000 * MS, 0);
    ask(1, NEXUS_PATIENCE);
    pass(1000000 * MS, 0);
    assert_int_equal(complaints, 1);
    assert_int_equal(p.timer.due, MB_NEVER);
    hello(); /* somebody let it out */
    pass(2000 * MS, 0);
    assert_int_equal(complaints, 2);
}

static void without_a_supervisor_there_is_a_line_in_the_log(void **state)
{
    submit_result = -EIO;
    ask(0, NEXUS_PATIENCE);
    pass(1000000 * MS, 0);
    assert_int_equal(complaints, 1);
    const unsigned lines = logged;
    assert_true(lines > 0);
    pass(1000000 * MS, 0);
    assert_int_equal(logged, lines);
}

static void take_answer(struct patience *x)
{
    assert_ptr_equal(x, &p);
    answer(0);
}

static void a_lost_bell_is_no_reason(void **state)
{
    p.poll = take_answer;
    ask(0, NEXUS_PATIENCE);
    pass(100000 * MS, 0);
    assert_int_equal(complaints, 0);
    assert_null(client.table[200]);
}

static void a_silent_supervisor_is_asked_once(void **state)
{
    ask(0, NEXUS_PATIENCE);
    pass(1000000 * MS, 0);
    assert_int_equal(complaints, 1);
    assert_int_equal(p.timer.due, MB_NEVER);
}

static void a_late_look_is_no_proof(void **state)
{
    ask(0, NEXUS_PATIENCE);
    pass(1600 * MS, 600 * MS);
    assert_int_equal(complaints, 0);
    pass(999 * MS, 0);
    assert_int_equal(complaints, 0);
    pass(1 * MS, 0);
    assert_int_equal(complaints, 1);
    supervisor_says(0);
    setup_greeted(state);
    ask(0, NEXUS_PATIENCE); /* but once only */
    pass(1600 * MS, 600 * MS);
    pass(1600 * MS, 600 * MS);
    assert_int_equal(complaints, 1);
}

/* ---- errors ---- */

/* The request is answered with an error: is that doubted? */
static bool error(unsigned i)
{
    const bool doubted = patience_doubt(&p, &request[i], -NX_EIO);
    if (doubted) {
        request[i].doubted = true;
    } else {
        answer(i);
    }
    return doubted;
}

static void an_error_is_doubted(void **state)
{
    ask(0, NEXUS_PATIENCE);
    ask(1, NEXUS_PATIENCE_NONE);
    assert_true(error(0));
    assert_true(error(1)); /* one doubt for both */
    assert_int_equal(doubts, 1);
    supervisor_says(0);
    hello();
    answer(0);
    answer(1);
    pass(100000 * MS, 0);
    assert_int_equal(complaints, 1);
    assert_int_equal(p.timer.due, MB_NEVER);
    ask(0, NEXUS_PATIENCE);
    assert_true(error(0)); /* it was right to doubt */
    assert_int_equal(doubts, 2);
}

static void a_second_life_is_believed(void **state)
{
    ask(0, NEXUS_PATIENCE);
    assert_true(error(0));
    supervisor_says(0);
    hello();
    assert_false(error(0));
    for (unsigned n = 0; n < 59; n++) { /* and all it says for a while */
        ask(0, NEXUS_PATIENCE);
        assert_false(error(0));
        pass(1000 * MS, 0);
    }
    assert_int_equal(complaints, 1);
    pass(1000 * MS, 0);
    ask(0, NEXUS_PATIENCE);
    assert_true(error(0));
    assert_int_equal(doubts, 2);
}

static void a_life_that_is_too_young_is_doubted_again(void **state)
{
    ask(0, NEXUS_PATIENCE);
    assert_true(error(0));
    for (unsigned n = 1; n <= 3; n++) {
        assert_int_equal(doubts, n);
        supervisor_says(-NX_EBUSY);
        pass((100ul << n) * MS, 0);
    }
    supervisor_says(0);
    assert_int_equal(complaints, doubts);
    hello();
    answer(0);
    pass(100000 * MS, 0);
    assert_int_equal(doubts, 4);
    assert_int_equal(p.timer.due, MB_NEVER);
}

static void who_cannot_be_restarted_is_believed(void **state)
{
    ask(0, NEXUS_PATIENCE);
    submit_result = -EIO;
    assert_false(error(0));
    submit_result = 0;
    setup_greeted(state);
    ask(0, NEXUS_PATIENCE);
    assert_true(error(0));
    supervisor_says(-NX_ENOENT);
    ask(1, NEXUS_PATIENCE);
    assert_false(error(1));
    assert_int_equal(doubts, 1);
}

#define TEST(name) cmocka_unit_test_setup(name, setup_greeted)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(who_answers_is_left_alone),
        TEST(the_oldest_counts),
        TEST(patience_doubles_until_there_is_an_answer),
        TEST(ages_begin_anew_with_a_hello),
        TEST(what_may_take_long_may),
        TEST(a_flush_does_not_put_off_what_comes_first),
        cmocka_unit_test_setup(who_never_says_hello_is_complained_of, setup),
        TEST(who_is_left_dead_is_not_mentioned_again),
        TEST(without_a_supervisor_there_is_a_line_in_the_log),
        TEST(a_lost_bell_is_no_reason),
        TEST(a_silent_supervisor_is_asked_once),
        TEST(a_late_look_is_no_proof),
        TEST(an_error_is_doubted),
        TEST(a_second_life_is_believed),
        TEST(a_life_that_is_too_young_is_doubted_again),
        TEST(who_cannot_be_restarted_is_believed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
