/* L0: what it expects of the supervisor, what it does when that stays silent, and the end of all things. */
// test-sources: nucleus/core/*.c nucleus/arch/host/*.c lib/*.c
#include "audit.h"

#include "watchdog.h"

#define PERIOD (TIMEBASE / 4)
#define BUDGET \
    (TIMEBASE / 20) /* L0's deadlines are looked at when a budget ends, Gravity's at the latest */

static struct cell *boss, *other;
static struct fiber *fb, *fo;

/* The supervisor and another cell, on hart 0; the supervisor listens to the other's death and sleeps. */
static int begin(void **state)
{
    (void)counts_before(state);
    struct nx_manifest m = test_manifest("supervisor");
    m.tier = NX_TIER_PHOTON;
    host.time = 1000;
    harts[0].online = true;
    harts[1].online = false; /* it would take what this hart is given */
    boss = test_cell_with(&m);
    fb = run(0);
    other = test_cell("other");
    lock();
    assert_int_equal(cap_put(boss, 5, &other->obj, NX_R_ALL), 0);
    supervisor = boss;
    watchdog_start();
    unlock();
    assert_int_equal(nx_recv_wait(1 << 5, NX_NEVER), HOST_SWITCHED);
    fo = run(0);
    assert_ptr_equal(fo->cell, other);
    return 0;
}

static int end(void **state)
{
    supervisor = NULL;
    watchdog_due = watchdog_due_idle = NX_NEVER;
    if (boss->state != NX_CS_DEAD) {
        test_end(boss);
    }
    if (other != NULL) {
        test_end(other);
    }
    audit();
    return counts_after(state);
}
#define DOG_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

/* Time passes on hart 0 while it has something to do or a timer. */
static void pass(uint64_t ticks)
{
    uint64_t stop = host.time + ticks;
    while (host.time < stop) {
        host.time = NX_MAX(host.time, NX_MIN(stop, host.hart[0].deadline));
        if (host_interrupt_pending(0)) {
            interrupts(0);
        }
    }
}

static uint64_t beb_of(enum nx_beb_kind kind, struct nx_beb *last)
{
    struct nx_beb b;
    uint64_t n = 0;
    for (uint64_t at = 0; beb_read(at, &b); at = b.number + 1) {
        if (b.kind == kind) {
            *last = b;
            n++;
        }
    }
    return n;
}

static void a_busy_machine_asks(void **state)
{
    pass(PERIOD - 1);
    assert_ptr_equal(harts[0].fiber, fo);
    assert_int_equal(boss->attend, 0);
    pass(BUDGET);
    assert_ptr_equal(harts[0].fiber, fb); /* kicked, and of the better tier */
    assert_int_equal(fb->reg[10], NX_KICKED);
    assert_int_equal(boss->attend, CELL_ASKED);
    assert_int_equal(nx_recv_wait(1 << 5, NX_NEVER), HOST_SWITCHED);
    assert_int_equal(boss->attend, 0);
    assert_ptr_equal(harts[0].fiber, fo);
    struct nx_beb b;
    assert_int_equal(beb_of(NX_BEB_SILENT, &b), 0);
}

static void an_idle_machine_does_not(void **state)
{
    assert_int_equal(nx_recv_wait(1, NX_NEVER), HOST_SWITCHED);
    while (host_interrupt_pending(0)) {
        interrupts(0);
    }
    pass(PERIOD * 100); /* what the timer was set to before may come once */
    assert_int_equal(host.hart[0].deadline, NX_NEVER);
    assert_int_equal(boss->attend, 0);
    /* Work after a long rest: no question is due yet. */
    lock();
    fiber_wake(fo, 0);
    unlock();
    assert_ptr_equal(run(0), fo);
    pass(PERIOD / 2);
    assert_int_equal(boss->attend, 0);
}

static void silence_escalates(void **state)
{
    struct nx_beb b;
    uint64_t before = beb_of(NX_BEB_SILENT, &b);
    pass(PERIOD + BUDGET);
    assert_ptr_equal(harts[0].fiber, fb); /* it runs on, and makes no call */
    pass(PERIOD);
    assert_int_equal(beb_of(NX_BEB_SILENT, &b), before);
    pass(PERIOD);
    assert_int_equal(beb_of(NX_BEB_SILENT, &b), before + 1);
    assert_int_equal(b.arg0, 500);
    assert_string_equal(b.cell, "supervisor");
    assert_int_equal(nx_recv_wait(1 << 5, NX_NEVER), NX_KICKED); /* once more */
    assert_int_equal(nx_recv_wait(1 << 5, NX_NEVER), HOST_SWITCHED);
    assert_int_equal(boss->attend, 0);
    pass(PERIOD * 2); /* asked again, from the beginning */
    assert_int_equal(beb_of(NX_BEB_SILENT, &b), before + 1);
}

/* The supervisor waits in the queue behind others of its tier: it goes first. */
static void first_in_line(void **state)
{
    struct nx_manifest m = test_manifest("hog");
    m.tier = NX_TIER_PHOTON;
    struct cell *hogs[3];
    for (unsigned i = 0; i < ARRAY_LEN(hogs); i++) {
        hogs[i] = test_cell_with(&m);
    }
    interrupts(0);
    lock();
    for (unsigned i = 0; i < ARRAY_LEN(hogs); i++) {
        sched_set_tier(list_first(&hogs[i]->fibers, struct fiber, cell_link), NX_TIER_PHOTON);
    }
    fiber_kick(fb);
    assert_int_equal(fb->status, FIBER_READY);
    assert_ptr_not_equal(list_first(&harts[0].queue[0], struct fiber, queue_link), fb);
    sched_first(fb);
    assert_ptr_equal(list_first(&harts[0].queue[0], struct fiber, queue_link), fb);
    unlock();
    audit();
    for (unsigned i = 0; i < ARRAY_LEN(hogs); i++) {
        test_end(hogs[i]);
    }
    run(0);
}

/* A machine that stands still is not a silent supervisor. */
static void a_jump_of_time_is_one_period(void **state)
{
    struct nx_beb b;
    uint64_t before = beb_of(NX_BEB_SILENT, &b);
    pass(PERIOD + 1);
    host.time += 100 * TIMEBASE;
    interrupts(0);
    assert_int_equal(beb_of(NX_BEB_SILENT, &b), before);
    assert_int_equal(nx_recv_wait(1 << 5, NX_NEVER), HOST_SWITCHED);
}

static void a_death_nobody_takes(void **state)
{
    struct nx_beb b;
    uint64_t before = beb_of(NX_BEB_SILENT, &b);
    /* The supervisor looks elsewhere. */
    lock();
    fiber_wake(fb, 0);
    unlock();
    interrupts(0);
    assert_ptr_equal(run(0), fb);
    assert_int_equal(nx_recv_wait(1 << 6, NX_NEVER), HOST_SWITCHED);
    assert_int_equal(nx_exit_cell(0), HOST_SWITCHED);
    assert_int_equal(other->state, NX_CS_DEAD);
    assert_int_not_equal(host.hart[0].deadline, NX_NEVER); /* also on an idle machine */
    pass(PERIOD * 2 + 2);
    assert_int_equal(beb_of(NX_BEB_SILENT, &b), before + 1);
    /* Any call is a sign of life, but the death is still there. */
    assert_ptr_equal(run(0), fb);
    assert_int_equal(nx_meta_version(), NX_ABI_VERSION);
    assert_int_not_equal(watchdog_due_idle, NX_NEVER);
    assert_int_equal(nx_recv_wait(1 << 5, 0), 5);
    assert_int_equal(nx_recv_wait(1 << 6, NX_NEVER), HOST_SWITCHED);
    pass(PERIOD * 100);
    assert_int_equal(host.hart[0].deadline, NX_NEVER);
    assert_int_equal(beb_of(NX_BEB_SILENT, &b), before + 1);
}

static void a_death_taken_at_once(void **state)
{
    assert_int_equal(nx_exit_cell(0), HOST_SWITCHED);
    assert_ptr_equal(harts[0].fiber, fb);
    assert_int_equal(nx_recv_wait(1 << 5, NX_NEVER), HOST_SWITCHED);
    pass(PERIOD * 100);
    assert_int_equal(host.hart[0].deadline, NX_NEVER);
}

static void deaths_together_are_one_event(void **state)
{
    struct nx_beb b;
    uint64_t before = beb_of(NX_BEB_SYSTEMIC, &b);
    static const struct {
        unsigned after_ms, events;
    } deaths[] = {{0, 0},  {40, 0},  {61, 0}, {30, 1}, {1, 1},  {90, 1},
                  {99, 1}, {101, 1}, {50, 1}, {50, 2}, {500, 2}};
    for (unsigned i = 0; i < ARRAY_LEN(deaths); i++) {
        host.time += deaths[i].after_ms * MS;
        lock();
        watchdog_fault(other);
        unlock();
        assert_int_equal(beb_of(NX_BEB_SYSTEMIC, &b), before + deaths[i].events);
    }
    assert_int_equal(b.arg0, 3);
    assert_int_equal(b.arg1, 100 * MS);
}

/* ---- the lock ---- */
static void look_body(void *arg)
{
    struct lock_wait *w = arg;
    for (;;) {
        host.time += MS;
        lock_wait_look(w, host.time);
    }
}

static void a_lock_that_never_comes(void **state)
{
    struct lock_wait w = {.last = host.time};
    uint64_t start = host.time;
    host.console_len = 0;
    host.reset = false;
    harts[1].online = true;
    watchdog_ending = 0;
    assert_int_equal(host_try(look_body, &w), HOST_HALTED);
    assert_true(host.reset);
    assert_true(host.time - start >= 10 * TIMEBASE && host.time - start < 10 * TIMEBASE + 50 * MS);
    assert_non_null(strstr(host.console, "waits for the nucleus lock for 500 ms\n"));
    assert_non_null(strstr(host.console, "waits for the nucleus lock for 2500 ms\n"));
    assert_non_null(strstr(host.console, "waits for the nucleus lock for 10000 ms: reset\n"));
    /* Every other hart halts when it sees that. */
    w = (struct lock_wait){.last = host.time};
    host.reset = false;
    start = host.time;
    assert_int_equal(host_try(look_body, &w), HOST_HALTED);
    assert_true(!host.reset && host.time - start < 10 * MS);
    assert_true(host.hart[1].ipi);
    host.hart[1].ipi = false;
    watchdog_ending = 0;
}

static void a_stopped_hart_has_not_waited(void **state)
{
    struct lock_wait w = {.last = host.time};
    host.console_len = 0;
    host.time += 1000 * TIMEBASE;
    lock_wait_look(&w, host.time);
    assert_int_equal(host.console_len, 0);
}

static void panic_body(void *arg)
{
    panic("of the test");
}

static void a_panic_stops_every_hart(void **state)
{
    harts[1].online = true;
    watchdog_ending = 0;
    host.reset = false;
    assert_int_equal(host_try(panic_body, NULL), HOST_HALTED);
    assert_false(host.reset);
    assert_true(host.hart[1].ipi);
    hart(1);
    assert_int_equal(host_enter(), HOST_HALTED);
    hart(0);
    watchdog_ending = 0;
    strcpy(machine.bootargs, "nexus.panic=reset");
    assert_int_equal(host_try(panic_body, NULL), HOST_HALTED);
    assert_true(host.reset);
    machine.bootargs[0] = 0;
    watchdog_ending = 0;
    host.hart[1].ipi = false;
}

/* ---- memory of devices, lineages ---- */
static void generations_only_rise(void **state)
{
    struct nx_manifest m = test_manifest("lineage");
    static const uint32_t wanted[] = {1, 2, 1, 7, 7, 3}, got[] = {1, 2, 3, 7, 8, 9};
    for (unsigned i = 0; i < ARRAY_LEN(wanted); i++) {
        int e;
        lock();
        struct cell *c = cell_make_by(boss, &m, wanted[i], &e);
        unlock();
        assert_non_null(c);
        assert_int_equal(c->generation, got[i]);
        test_end(c);
    }
    int e;
    lock();
    m.quota_pages = 200;
    struct cell *c = cell_make_by(other, &m, 1, &e); /* somebody else's, whatever its name */
    m.quota_pages = 50;
    struct cell *d = cell_make_by(c, &m, 1, &e);
    unlock();
    assert_int_equal(c->generation, 1);
    assert_string_equal(c->line, "other");
    assert_string_equal(d->line, "other");
    test_end(d);
    test_end(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DOG_TEST(a_busy_machine_asks),
        DOG_TEST(an_idle_machine_does_not),
        DOG_TEST(silence_escalates),
        DOG_TEST(first_in_line),
        DOG_TEST(a_jump_of_time_is_one_period),
        DOG_TEST(a_death_nobody_takes),
        DOG_TEST(a_death_taken_at_once),
        DOG_TEST(deaths_together_are_one_event),
        DOG_TEST(a_lock_that_never_comes),
        DOG_TEST(a_stopped_hart_has_not_waited),
        DOG_TEST(a_panic_stops_every_hart),
        DOG_TEST(generations_only_rise),
    };
    test_boot(2, 32 * MIB);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
