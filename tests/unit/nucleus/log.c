/* The log and the Boot Error Buffer: records, numbers, shares, and who is told.
 */
// test-sources: nucleus/core/*.c nucleus/arch/host/*.c lib/*.c
#include "audit.h"

#define HEAP (NX_FREE + 16 * PAGE)

static struct cell *a;

static int begin(void **state)
{
    (void)counts_before(state);
    a = test_cell("a");
    assert_non_null(run(0));
    lock();
    assert_int_equal(space_anon(&a->window, HEAP, 32 * PAGE, RW), 0);
    unlock();
    return 0;
}

static int end(void **state)
{
    lock();
    log_watch(NULL);
    unlock();
    audit();
    test_end(a);
    audit();
    return counts_after(state);
}

#define LOG_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

static struct nx_log out[40];

static long read_lines(uint64_t first, uint64_t bytes)
{
    long n = nx_meta_readlog(HEAP, bytes, first);
    if (n > 0) {
        lock();
        assert_int_equal(space_copy_in(&a->window, out, HEAP, (size_t)n * sizeof(out[0])), 0);
        unlock();
    }
    return n;
}

static void say(const char *text, unsigned level)
{
    lock();
    assert_int_equal(space_copy_out(&a->window, HEAP, text, strlen(text)), 0);
    unlock();
    assert_int_equal(nx_meta_log(HEAP, strlen(text), level), 0);
}

static void a_line_says_who_and_when(void **state)
{
    uint64_t at = log_end();
    host.time = 5000;
    say("first", NX_LOG_ERR);
    say("second", NX_LOG_DEBUG);
    assert_int_equal(nx_meta_stat(NX_STAT_LOG_END), at + 2);
    assert_int_equal(read_lines(at, sizeof(out)), 2);
    assert_int_equal(out[0].number, at);
    assert_int_equal(out[1].number, at + 1);
    assert_int_equal(out[1].seq, out[0].seq + 1);
    assert_int_equal(out[0].level, NX_LOG_ERR);
    assert_int_equal(out[1].level, NX_LOG_DEBUG);
    assert_int_equal(out[0].time, 5000);
    assert_int_equal(out[0].generation, 1);
    assert_string_equal(out[0].cell, "a");
    assert_int_equal(out[0].len, 5);
    assert_memory_equal(out[0].text, "first", 5);
}

static void reading_has_bounds(void **state)
{
    uint64_t at = log_end();
    for (unsigned i = 0; i < 50; i++) {
        say("line", NX_LOG_INFO);
    }
    assert_int_equal(read_lines(at, 3 * sizeof(struct nx_log) + 319), 3);
    assert_int_equal(read_lines(at, 319), 0);
    assert_int_equal(read_lines(at, 32 * PAGE), 32);
    assert_int_equal(out[31].number, at + 31);
    assert_int_equal(read_lines(at + 32, 32 * PAGE), 18);
    assert_int_equal(read_lines(at + 50, 32 * PAGE), 0);
    assert_int_equal(read_lines(~0ul, 32 * PAGE), 0);
    assert_int_equal(nx_meta_readlog(NX_SYSTABLE, PAGE, at), -NX_EFAULT);
    assert_int_equal(nx_meta_readlog(0, PAGE, at), -NX_EFAULT);
}

/* `a` writes far more than there is room for: what the nucleus said before is still there, and the
 * numbers tell how much of a's is not. */
static void a_flood_pushes_out_its_own_only(void **state)
{
    uint64_t at = log_end();
    lock();
    for (unsigned i = 0; i < 20; i++) {
        log_print("of the nucleus: %u", i);
    }
    unlock();
    for (unsigned i = 0; i < 3000; i++) {
        say("flood", NX_LOG_INFO);
    }
    assert_int_equal(read_lines(at, sizeof(out)), 32);
    for (unsigned i = 0; i < 20; i++) {
        char text[40];
        int n = snprintf(text, sizeof(text), "of the nucleus: %u", i);
        assert_int_equal(out[i].number, at + i);
        assert_int_equal(out[i].generation, 0);
        assert_int_equal(out[i].len, n);
        assert_memory_equal(out[i].text, text, (size_t)n);
    }
    assert_true(out[20].number > at + 20);
    uint64_t n = 0, last = 0, seq = 0;
    struct nx_log l;
    lock();
    for (uint64_t next = at + 20; log_read(next, &l); next = l.number + 1) {
        assert_true(n == 0 || (l.number == last + 1 && l.seq == seq + 1));
        last = l.number;
        seq = l.seq;
        n++;
    }
    unlock();
    assert_int_equal(last, at + 3019);
    assert_in_range(n, 100, 256);
}

/* The same for the Boot Error Buffer. */
static void a_flood_of_errors_too(void **state)
{
    struct cell *b = test_cell("b");
    uint64_t at = beb_end();
    struct nx_beb e;
    lock();
    beb_cell_dead(b);
    for (unsigned i = 0; i < 1000; i++) {
        beb_add(NX_BEB_DENIED, harts[0].fiber, i, 0);
    }
    assert_true(beb_read(at, &e));
    assert_int_equal(e.number, at);
    assert_string_equal(e.cell, "b");
    assert_true(beb_read(at + 1, &e));
    assert_true(e.number > at + 1);
    assert_string_equal(e.cell, "a");
    unlock();
    test_end(b);
}

static uint64_t pending(void)
{
    return a->pending;
}

static void who_watches_is_told(void **state)
{
    assert_int_equal(nx_meta_watch(7), -NX_EBADF);
    assert_int_equal(nx_make_event(7), 0);
    assert_int_equal(nx_meta_watch(7), 0);
    assert_int_equal(pending(), 0);
    say("something", NX_LOG_INFO);
    say("more", NX_LOG_INFO);
    assert_int_equal(nx_recv_wait(1ul << 7, 0), 7);
    assert_int_equal(nx_recv_wait(1ul << 7, 0), -NX_ETIME); /* signals coalesce */
    assert_int_equal(nx_send_bell(50), -NX_EBADF);          /* an entry of the BEB */
    assert_int_equal(nx_recv_wait(1ul << 7, 0), 7);
    /* Another one instead. */
    assert_int_equal(nx_make_event(8), 0);
    assert_int_equal(nx_meta_watch(8), 0);
    say("something", NX_LOG_INFO);
    assert_int_equal(pending(), 1ul << 8);
    assert_int_equal(nx_recv_wait(1ul << 8, 0), 8);
    /* The event goes with its slot; who watched is told nothing more. */
    assert_int_equal(nx_grant_drop(8), 0);
    say("something", NX_LOG_INFO);
    assert_int_equal(pending(), 0);
    assert_int_equal(nx_meta_watch(NX_SELF), 0);
    say("something", NX_LOG_INFO);
    assert_int_equal(nx_grant_drop(7), 0);
}

static void watching_needs_rights(void **state)
{
    assert_int_equal(nx_make_event(7), 0);
    assert_int_equal(nx_make_mem(8, 1, 0), 0);
    assert_int_equal(nx_meta_watch(8), -NX_EBADF);
    assert_int_equal(nx_meta_watch(64), -NX_EBADF);
    assert_int_equal(nx_mask_rights(7, NX_R_RECV), 0);
    assert_int_equal(nx_meta_watch(7), -NX_EPERM);
    assert_int_equal(nx_mask_pledge(NX_PLEDGE_ALL & ~NX_PLEDGE_DEBUG), 0);
    assert_int_equal(nx_meta_watch(NX_SELF), -NX_EPERM);
    assert_int_equal(nx_grant_drop(7), 0);
    assert_int_equal(nx_grant_drop(8), 0);
}

/* A cell that watches and dies: its own end is in the log, and the next one watches in its place. */
static void the_watcher_dies(void **state)
{
    struct cell *w = test_cell("w");
    struct event *e = NULL;
    lock();
    e = event_make(w->quota, NX_T_EVENT);
    assert_non_null(e);
    assert_int_equal(cap_put(w, 9, &e->obj, NX_R_ALL), 0);
    log_watch(e);
    object_unref(&e->obj);
    unlock();
    test_end(w);
    say("nobody hears this", NX_LOG_INFO);
    lock();
    log_watch(NULL);
    unlock();
}

int main(void)
{
    test_boot(2, 8 * MIB);
    const struct CMUnitTest tests[] = {
        LOG_TEST(a_line_says_who_and_when),
        LOG_TEST(reading_has_bounds),
        LOG_TEST(a_flood_pushes_out_its_own_only),
        LOG_TEST(a_flood_of_errors_too),
        LOG_TEST(who_watches_is_told),
        LOG_TEST(watching_needs_rights),
        LOG_TEST(the_watcher_dies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
