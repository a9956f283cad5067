/*
 * serve.c - however much a server has to say, the main fiber stays with it for a while only: a damaged one may
 * answer without end.
 */
// test-sources: membrane/serve.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../../../membrane/devices.h"

uint64_t mb_host_time, mb_host_instret;
const struct nx_systable *nx_host_table; /* no calls: nothing sleeps here */
struct mb_fiber mb_main_fiber;

static struct nexus_client client;
static unsigned polls, awakes, messages; /* messages: that are still to come */
static int poll_result;

uint64_t mb_ns_to_ticks(uint64_t ns)
{
    return ns / 100;
}

void mb_wake(struct mb_fiber *f)
{
}

void mb_lock(void)
{
}

void mb_unlock(void)
{
}

void cell_panic(const char *fmt, ...)
{
    fail();
    abort();
}

void client_awake(struct nexus_client *c)
{
    awakes++;
}

int client_poll(struct nexus_client *c)
{
    assert_ptr_equal(c, &client);
    polls++;
    messages -= messages > 0;
    return poll_result;
}

int client_sleep_prepare(struct nexus_client *c)
{
    return messages > 0;
}

static int setup(void **state)
{
    polls = awakes = messages = 0;
    poll_result = 0;
    return 0;
}

static void all_is_taken(void **state)
{
    messages = 5;
    assert_int_equal(serve_client(&client), 0);
    assert_int_equal(messages, 0);
    assert_int_equal(polls, 5);
    assert_int_equal(awakes, 1);
    assert_int_equal(serve_client(&client), 0); /* a look at nothing */
    assert_int_equal(polls, 6);
}

static void but_not_without_end(void **state)
{
    messages = UINT32_MAX;
    assert_int_equal(serve_client(&client), 0);
    assert_in_range(polls, 1, 16);
}

static void an_error_ends_it(void **state)
{
    messages = 5;
    poll_result = -NX_EPEER;
    assert_int_equal(serve_client(&client), -NX_EPEER);
    assert_int_equal(polls, 1);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(all_is_taken),
        TEST(but_not_without_end),
        TEST(an_error_ends_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
