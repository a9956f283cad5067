/* The timeline: what is recorded of the switches, for how long, and who may ask. */
// test-sources: nucleus/core/*.c nucleus/arch/host/*.c lib/*.c
#include "audit.h"

#include "timeline.h"

#define AT NX_FREE
#define HELD (TIMELINE_PAGES * NX_PAGE_SIZE / sizeof(struct nx_switch))

static struct cell *cell;
static struct fiber *self;

static int begin(void **state)
{
    (void)counts_before(state);
    host.time += TIMEBASE;
    hart(0);
    cell = test_cell("watcher");
    self = run(0);
    return 0;
}

static int end(void **state)
{
    lock();
    assert_int_equal(timeline_record(0), 0);
    unlock();
    test_end(cell);
    audit();
    return counts_after(state);
}

#define LINE_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

/* The n-th record of hart 0. */
static struct nx_switch record(uint64_t n)
{
    struct nx_switch s = {0};
    assert_int_equal(nx_meta_switches(AT, sizeof(s), 0, n), 1);
    assert_int_equal(space_copy_in(&cell->window, &s, AT, sizeof(s)), 0);
    return s;
}

static void each_switch_is_recorded_with_its_reason(void **state)
{
    struct cell *other = test_cell("other"), *third;
    assert_int_equal(nx_meta_timeline(TIMEBASE), 0);
    assert_true(nx_spawn_fiber(NX_IMAGE, 0, 0, NX_TIER_MATTER) > 0);
    host.time += 5;
    assert_int_equal(nx_tick_yield(), HOST_SWITCHED); /* to the other */
    host.time += 5;
    assert_int_equal(nx_recv_wait(0, NX_NEVER), HOST_SWITCHED); /* to our second */
    host.time += 5;
    assert_int_equal(nx_exit_fiber(0), HOST_SWITCHED); /* to us */
    struct nx_switch s = record(0);
    assert_int_equal(s.why, NX_SWITCH_BEGIN);
    assert_int_equal(s.fiber, self->handle);
    assert_string_equal(s.cell, "watcher");
    s = record(1);
    assert_int_equal(s.why, NX_SWITCH_READY);
    assert_string_equal(s.cell, "other");
    assert_int_equal(s.tier, NX_TIER_MATTER);
    const uint64_t began = s.time;
    s = record(2);
    assert_int_equal(s.why, NX_SWITCH_WAITS);
    assert_int_equal(s.time, began + 5);
    s = record(3);
    assert_int_equal(s.why, NX_SWITCH_ENDED);
    assert_int_equal(s.fiber, self->handle);
    assert_int_equal(nx_meta_switches(AT, PAGE, 0, 4), 0);
    /* Nobody, and then somebody. */
    assert_int_equal(nx_tick_sleep(host.time + 10), HOST_SWITCHED);
    assert_null(harts[0].fiber);
    host.time += 10;
    assert_ptr_equal(run(0), self);
    s = record(4);
    assert_int_equal(s.fiber, 0);
    assert_int_equal(s.why, NX_SWITCH_WAITS);
    assert_int_equal(s.cell[0], 0);
    s = record(5);
    assert_int_equal(s.why, NX_SWITCH_IDLE);
    assert_int_equal(nx_meta_switches(AT, PAGE, 0, 0), 6);
    assert_int_equal(nx_meta_switches(AT, 3 * sizeof(s), 0, 2), 3);
    third = other;
    test_end(third);
}

static void the_newest_are_kept(void **state)
{
    assert_int_equal(nx_meta_timeline(10 * TIMEBASE), 0);
    for (unsigned i = 0; i < HELD; i++) {
        assert_int_equal(nx_tick_sleep(host.time + 1), HOST_SWITCHED);
        host.time++;
        assert_ptr_equal(run(0), self);
    }
    assert_int_equal(record(0).number, HELD + 1); /* of 2 * HELD + 1 */
    assert_int_equal(record(2 * HELD).number, 2 * HELD);
    assert_int_equal(nx_meta_switches(AT, PAGE, 0, 2 * HELD + 1), 0);
}

static void it_ends_by_itself_and_gives_its_memory_back(void **state)
{
    (void)host_access(AT, NX_PROT_W);
    const uint64_t pages = page_free_count();
    assert_int_equal(nx_meta_timeline(MS), 0);
    assert_true(page_free_count() <= pages - TIMELINE_PAGES);
    host.time += 2 * MS;
    assert_int_equal(nx_tick_sleep(host.time + 1), HOST_SWITCHED);
    host.time++;
    assert_ptr_equal(run(0), self);
    assert_int_equal(nx_meta_switches(AT, PAGE, 0, 0), 1);
    assert_int_equal(harts[0].bit, 1);
    assert_int_equal(nx_meta_timeline(0), 0);
    assert_int_equal(nx_meta_switches(AT, PAGE, 0, 0), 0);
    assert_int_equal(page_free_count(), pages);
}

static void wrong_questions(void **state)
{
    assert_int_equal(nx_meta_timeline(10 * TIMEBASE + 1), -NX_EINVAL);
    assert_int_equal(nx_meta_timeline(~0ul), -NX_EINVAL);
    assert_int_equal(nx_meta_switches(AT, PAGE, hart_count, 0), -NX_EINVAL);
    assert_int_equal(nx_meta_switches(AT, PAGE, ~0ul, 0), -NX_EINVAL);
    assert_int_equal(nx_meta_switches(AT, PAGE, 0, 0), 0);
    assert_int_equal(nx_meta_timeline(MS), 0);
    assert_int_equal(nx_meta_switches(NX_FREE + GIB / 2, PAGE, 0, 0), -NX_EFAULT);
    uint64_t limit = nucleus_quota->limit;
    assert_int_equal(nx_meta_timeline(0), 0);
    nucleus_quota->limit = nucleus_quota->used;
    assert_int_equal(nx_meta_timeline(MS), -NX_ENOMEM);
    nucleus_quota->limit = limit;
    assert_int_equal(nx_mask_pledge(NX_PLEDGE_ALL & ~NX_PLEDGE_DEBUG), 0);
    assert_int_equal(nx_meta_timeline(MS), -NX_EPERM);
    assert_int_equal(nx_meta_switches(AT, PAGE, 0, 0), -NX_EPERM);
}

static int boot(void **state)
{
    test_boot(2, 32 * MIB);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LINE_TEST(each_switch_is_recorded_with_its_reason),
        LINE_TEST(the_newest_are_kept),
        LINE_TEST(it_ends_by_itself_and_gives_its_memory_back),
        LINE_TEST(wrong_questions),
    };
    return cmocka_run_group_tests(tests, boot, NULL);
}
