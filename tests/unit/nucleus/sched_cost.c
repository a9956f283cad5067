/* What the scheduler costs does not grow with harts and fibers: the instructions of a switch, a wake-up and of looking for work, counted one by one
 * (a child is single-stepped) with few harts and with 63, with 2 fibers and with 1,000.
 *
 * With an argument, prints the table tests/bench/sched_cost.py draws: operation, harts, fibers, instructions.
 */
// test-sources: nucleus/core/*.c nucleus/arch/host/*.c lib/*.c
#include "nucleus_test.h"

#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <signal.h>

#define MOST_FIBERS 1000u
#define TIMES 8u /* of which the mean counts: sets and heaps are mended now and then */
#define WARM 8u  /* one in so many sleepers is woken before it counts */
#define NOISE 1.25

static struct cell *cell[NX_TIERS];
static struct fiber *fiber[MOST_FIBERS + HARTS_MAX + TIMES];
static unsigned made;

static struct fiber *another(unsigned tier, unsigned h)
{
    int e;
    hart(h);
    struct fiber *f = fiber_make(cell[tier], NX_IMAGE, 0, 0, tier, &e);
    if (f == NULL) {
        _exit(3);
    }
    fiber[made++] = f;
    return f;
}

/* `harts` of them up, each busy with a fiber of this tier; `ready` more of them stand in line on hart 0. */
static void setting(unsigned n, unsigned tier, unsigned ready)
{
    hart_count = n;
    for (unsigned i = 0; i < n; i++) {
        another(tier, i);
        lock();
        harts[i].online = true;
        sched_ready(fiber[i]);
        unlock();
        (void)run(i);
    }
    for (unsigned i = 0; i < ready; i++) {
        another(tier, 0);
        lock();
        sched_ready(fiber[n + i]);
        unlock();
    }
    hart(0);
}

/* ---- what is measured; each once, with the lock, and on hart 0 ---- */
static void ready_one(unsigned i)
{
    fiber[made - 1 - i]->status = FIBER_BLOCKED;
    sched_ready(fiber[made - 1 - i]);
}

static void unready_one(unsigned i)
{
    sched_unready(fiber[made - 1 - i]);
    fiber[made - 1 - i]->status = FIBER_BLOCKED;
}

static void take_work(unsigned i)
{
    (void)place_work();
}

static void sleep_one(unsigned i)
{
    struct fiber *f = fiber[made - 1 - i];
    f->deadline = host.time + 1 + (i * 7919u) % 1000u;
    timeq_add(&harts[0], f);
}

static void wake_first(unsigned i)
{
    timeq_remove(timeq_first(&harts[0]));
}

static void switch_one(unsigned i)
{
    unlock();
    (void)nx_tick_yield();
    lock();
}

static void nothing(unsigned i)
{
}

/* ---- single steps ---- */
static void mark(void)
{
    (void)raise(SIGUSR1);
}

static unsigned long steps_between_marks(pid_t child)
{
    unsigned long n = 0;
    int status, marks = 0;
    for (;;) {
        if (waitpid(child, &status, 0) != child || !WIFSTOPPED(status)) {
            return 0;
        }
        marks += WSTOPSIG(status) == SIGUSR1;
        if (marks == 2) {
            return n;
        }
        n += marks == 1;
        if (ptrace(marks == 1 ? PTRACE_SINGLESTEP : PTRACE_CONT, child, NULL, NULL) != 0) {
            return 0;
        }
    }
}

/* Instructions of one `op` in that setting; 0: they cannot be counted here. */
static double count_raw(void (*before)(void), void (*op)(unsigned), unsigned times)
{
    pid_t child = fork();
    if (child == 0) {
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0) {
            _exit(2);
        }
        before();
        lock();
        mark();
        for (unsigned i = 0; i < times; i++) {
            op(i);
        }
        mark();
        _exit(0);
    }
    double n = (double)steps_between_marks(child) / times;
    (void)kill(child, SIGKILL);
    (void)waitpid(child, NULL, 0);
    return n;
}

static unsigned harts_now, fibers_now;

/* All busy with Matter; what wakes is Matter, too: everybody has to be looked at, or a set of them. */
static void all_busy(void)
{
    setting(harts_now, NX_TIER_MATTER, fibers_now);
    for (unsigned i = 0; i < TIMES; i++) {
        another(NX_TIER_MATTER, 0);
    }
}

/* The last hart alone is idle. */
static void last_idle(void)
{
    setting(harts_now - 1, NX_TIER_MATTER, 0);
    hart_count = harts_now;
    harts[harts_now - 1].online = true;
    (void)run(harts_now - 1);
    hart(0);
    for (unsigned i = 0; i < TIMES; i++) {
        another(NX_TIER_MATTER, 0);
    }
}

/* All in line, to be taken out again. */
static void in_line(void)
{
    all_busy();
    for (unsigned i = 0; i < TIMES; i++) {
        lock();
        ready_one(i);
        unlock();
    }
}

/* Only the last hart has something for others. */
static void work_at_the_last(void)
{
    setting(harts_now, NX_TIER_MATTER, 0);
    another(NX_TIER_MATTER, harts_now - 1);
    lock();
    sched_ready(fiber[harts_now]);
    unlock();
    lock();
    (void)place_work(); /* what was noted since is looked at once */
    unlock();
    hart(0);
}

static void sleepers(void)
{
    all_busy();
    for (unsigned i = 0; i < fibers_now; i++) {
        struct fiber *f = fiber[harts_now + i];
        lock();
        sched_unready(f);
        f->status = FIBER_BLOCKED;
        f->deadline = host.time + 1 + (i * 7919u) % 1000u;
        timeq_add(&harts[0], f);
        unlock();
    }
}

/* As a heap is that has been at work: the first to be woken after a thousand have come has to sort them all. */
static void sorted_sleepers(void)
{
    sleepers();
    for (unsigned i = 0; i < TIMES; i++) {
        sleep_one(i);
    }
    for (unsigned i = 0; i < fibers_now / WARM; i++) {
        wake_first(i);
    }
}

static const struct {
    const char *name;
    void (*before)(void), (*op)(unsigned);
    unsigned times;
    double grows; /* at most so many times, from 2 fibers to 1,000; harts: NOISE */
} ops[] = {
    {"switch", all_busy, switch_one, 1, NOISE},
    {"wake-busy", all_busy, ready_one, TIMES, NOISE},
    {"wake-idle", last_idle, ready_one, 1, NOISE},
    {"unready", in_line, unready_one, TIMES, NOISE},
    {"find-work", work_at_the_last, take_work, TIMES, NOISE},
    {"sleep", sleepers, sleep_one, TIMES, NOISE},
    {"timer", sorted_sleepers, wake_first, TIMES, 4}, /* a heap: by the logarithm */
};

static double count(unsigned op, unsigned n, unsigned fibers)
{
    static double marks; /* what the counting itself takes */
    harts_now = n;
    fibers_now = fibers;
    if (marks == 0) {
        marks = count_raw(all_busy, nothing, 1);
    }
    return count_raw(ops[op].before, ops[op].op, ops[op].times) - marks / ops[op].times;
}

static void it_does_not_grow(unsigned few_harts, unsigned many_harts, unsigned many_fibers)
{
    for (unsigned i = 0; i < ARRAY_LEN(ops); i++) {
        double few = count(i, few_harts, 2), many = count(i, many_harts, many_fibers);
        if (few <= 0 || many <= 0) {
            print_message("# nothing can be counted here\n");
            skip();
        }
        double allowed = many_fibers > 2 ? ops[i].grows : NOISE;
        print_message("# %s: %.0f instructions, %.0f\n", ops[i].name, few, many);
        if (many > few * allowed + 20) {
            fail_msg("%s costs %.0f with %u harts and %u fibers, and %.0f with %u and 2",
                     ops[i].name, many, many_harts, many_fibers, few, few_harts);
        }
    }
}

static void the_last_hart_costs_as_much_as_the_fifth(void **state)
{
    it_does_not_grow(PLACE_LOOK + 1, HARTS_MAX, 2);
}

static void the_thousandth_fiber_costs_as_much_as_the_second(void **state)
{
    it_does_not_grow(2, 2, MOST_FIBERS);
}

static int boot(void **state)
{
    test_boot(HARTS_MAX, 64 * MIB);
    for (unsigned t = 0; t < NX_TIERS; t++) {
        struct nx_manifest m = test_manifest("cost");
        m.tier = t;
        m.quota_fibers = ARRAY_LEN(fiber);
        m.quota_pages = 4096;
        cell[t] = test_cell_new(&m);
    }
    return 0;
}

static void table(void)
{
    static const unsigned few[] = {2, 4, 8, 16, 32, HARTS_MAX},
                          fibers[] = {2, 10, 30, 100, 300, 1000};
    (void)boot(NULL);
    for (unsigned i = 0; i < ARRAY_LEN(ops); i++) {
        for (unsigned k = 0; k < ARRAY_LEN(few); k++) {
            printf("%s %u 2 %.1f\n", ops[i].name, few[k], count(i, few[k], 2));
        }
        for (unsigned k = 0; k < ARRAY_LEN(fibers); k++) {
            printf("%s 2 %u %.1f\n", ops[i].name, fibers[k], count(i, 2, fibers[k]));
        }
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_hart_costs_as_much_as_the_fifth),
        cmocka_unit_test(the_thousandth_fiber_costs_as_much_as_the_second),
    };
    if (argc > 1) {
        table();
        return 0;
    }
    return cmocka_run_group_tests(tests, boot, NULL);
}
