/*
 * The personality lock: threads for fibers, latches for the nucleus' kicks.
 *
 * A sleep of ten seconds is a lost wake-up.  Failures in a thread abort the program, since cmocka cannot
 * unwind from there.  Time passes when a fiber yields, and when a test says so.
 * test-sources: membrane/lock.c membrane/time.c
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../../membrane/mb_int.h"

#define FIBERS 6
#define MS 10000ul /* ticks */

#define CHECK(e)                                                    \
    do {                                                            \
        if (!(e)) {                                                 \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #e); \
            abort();                                                \
        }                                                           \
    } while (0)

uint64_t mb_host_time = 1000 * MS, mb_host_instret;
const struct nx_systable *nx_host_table;

static struct fake {
    struct mb_fiber fiber;
    pthread_mutex_t mutex;
    pthread_cond_t kicked;
    bool latch, asleep;
    unsigned sleeps, kicks;
} fake[FIBERS];
static _Thread_local struct fake *self;

struct mb_fiber *mb_self(void)
{
    return &self->fiber;
}

static jmp_buf panicked;
void cell_panic(const char *fmt, ...)
{
    longjmp(panicked, 1);
}

/* ---- the nucleus ---- */
static long fake_send(uint64_t op, uint64_t handle, uint64_t a2, uint64_t a3, uint64_t a4,
                      uint64_t a5)
{
    CHECK(op == NX_SEND_KICK && handle >= 1 && handle <= FIBERS);
    struct fake *f = &fake[handle - 1];
    pthread_mutex_lock(&f->mutex);
    f->latch = true;
    f->kicks++;
    pthread_cond_signal(&f->kicked);
    pthread_mutex_unlock(&f->mutex);
    return 0;
}

static long fake_recv(uint64_t op, uint64_t mask, uint64_t deadline, uint64_t a3, uint64_t a4,
                      uint64_t a5)
{
    struct timespec until;
    CHECK(op == NX_RECV_WAIT && mask == 0 && deadline == NX_NEVER);
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 10;
    pthread_mutex_lock(&self->mutex);
    self->asleep = true;
    self->sleeps++;
    while (!self->latch) {
        CHECK(pthread_cond_timedwait(&self->kicked, &self->mutex, &until) != ETIMEDOUT);
    }
    self->latch = self->asleep = false;
    pthread_mutex_unlock(&self->mutex);
    return NX_KICKED;
}

static void pass(uint64_t ticks)
{
    __atomic_fetch_add(&mb_host_time, ticks, __ATOMIC_RELAXED);
}

static long fake_tick(uint64_t op, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5)
{
    CHECK(op == NX_TICK_YIELD);
    pass(100);
    return 0;
}

static const struct nx_systable table = {
    .call = {[NX_CALL_SEND] = fake_send, [NX_CALL_RECV] = fake_recv, [NX_CALL_TICK] = fake_tick}};

static bool is_asleep(struct fake *f)
{
    pthread_mutex_lock(&f->mutex);
    bool asleep = f->asleep && !f->latch;
    pthread_mutex_unlock(&f->mutex);
    return asleep;
}

static int begin(void **state)
{
    nx_host_table = &table;
    for (unsigned i = 0; i < FIBERS; i++) {
        fake[i] = (struct fake){.fiber = {.handle = i + 1},
                                .mutex = PTHREAD_MUTEX_INITIALIZER,
                                .kicked = PTHREAD_COND_INITIALIZER};
    }
    self = &fake[0];
    return 0;
}

/* ---- many at once ---- */
static unsigned rounds, inside, total;

static void *work(void *arg)
{
    self = arg;
    unsigned seed = (unsigned)self->fiber.handle;
    for (unsigned i = 0; i < rounds; i++) {
        mb_lock();
        CHECK(mb_lock_is_mine());
        CHECK(++inside == 1);
        total++;
        for (int spin = rand_r(&seed) % 200; spin > 0; spin--) {
            __asm__ volatile("");
        }
        inside--;
        if (i % 7 == 0) {
            mb_lock_break();
            CHECK(mb_lock_is_mine());
        }
        mb_unlock();
        CHECK(!mb_lock_is_mine());
        if (i % 16 == 0) { /* a kick that has to do with something else */
            (void)fake_send(NX_SEND_KICK, 1 + (uint64_t)rand_r(&seed) % FIBERS, 0, 0, 0, 0);
        }
        if (i % 3 == 0) {
            self->fiber.woken = mb_arch_time();
        }
        pass((uint64_t)rand_r(&seed) % 100);
    }
    return NULL;
}

static void run(unsigned n, unsigned each)
{
    pthread_t thread[FIBERS];
    rounds = each;
    inside = total = 0;
    for (unsigned i = 0; i < n; i++) {
        assert_int_equal(pthread_create(&thread[i], NULL, work, &fake[i]), 0);
    }
    unsigned sleeps = 0;
    for (unsigned i = 0; i < n; i++) {
        pthread_join(thread[i], NULL);
        sleeps += fake[i].sleeps;
    }
    print_message("%u fibers: %u rounds, %u sleeps\n", n, total, sleeps);
    assert_int_equal(total, n * each);
}

static void two_exclude_each_other(void **state)
{
    run(2, 100000);
}

static void so_do_six(void **state)
{
    run(FIBERS, 30000);
}

/* ---- whose turn it is ---- */
static struct fake *order[FIBERS];
static unsigned arrived;

static void *once(void *arg)
{
    self = arg;
    mb_lock();
    order[arrived++] = self;
    mb_unlock();
    return NULL;
}

/* A fiber that runs into the lock we hold, and sleeps. */
static pthread_t waiter(struct fake *f, bool recent)
{
    pthread_t thread;
    f->fiber.woken = recent ? mb_host_time : 0;
    assert_int_equal(pthread_create(&thread, NULL, once, f), 0);
    while (!is_asleep(f)) {
        usleep(100);
    }
    return thread;
}

static void the_first_comes_first_and_the_recently_woken_before(void **state)
{
    pthread_t thread[4];
    arrived = 0;
    mb_lock();
    thread[0] = waiter(&fake[1], false);
    thread[1] = waiter(&fake[2], false);
    thread[2] = waiter(&fake[3], true);
    thread[3] = waiter(&fake[4], true);
    pass(15 * MS); /* long enough for a hand-over to each, nobody is overdue */
    mb_unlock();
    for (unsigned i = 0; i < 4; i++) {
        pthread_join(thread[i], NULL);
    }
    struct fake *const right[] = {&fake[3], &fake[4], &fake[1], &fake[2]};
    assert_memory_equal(order, right, sizeof(right));
}

static void the_overdue_do_not_wait_for_the_recently_woken(void **state)
{
    pthread_t thread[2];
    arrived = 0;
    mb_lock();
    thread[0] = waiter(&fake[1], false);
    pass(60 * MS);
    thread[1] = waiter(&fake[2], true);
    pass(2 * MS);
    mb_unlock();
    pthread_join(thread[0], NULL);
    pthread_join(thread[1], NULL);
    assert_ptr_equal(order[0], &fake[1]);
    assert_ptr_equal(order[1], &fake[2]);
}

/* Whoever has waited long gets it, although we come back at once. */
static void nobody_overtakes_one_who_waited_long(void **state)
{
    for (unsigned i = 0; i < 100; i++) {
        arrived = 0;
        mb_lock();
        pthread_t thread = waiter(&fake[1], i % 2 == 0);
        pass(12 * MS);
        mb_unlock();
        assert_false(mb_lock_is_mine());
        mb_lock();
        assert_int_equal(arrived, 1);
        mb_unlock();
        pthread_join(thread, NULL);
    }
}

static void a_break_lets_others_in(void **state)
{
    arrived = 0;
    mb_lock();
    mb_lock_break(); /* nobody there */
    assert_true(mb_lock_is_mine());
    pthread_t thread = waiter(&fake[1], true);
    pass(2 * MS);
    mb_lock_break();
    assert_int_equal(arrived, 1);
    assert_true(mb_lock_is_mine());
    mb_unlock();
    pthread_join(thread, NULL);
}

/* ---- what must not happen ---- */
static void taking_it_twice_is_a_panic(void **state)
{
    mb_lock();
    if (setjmp(panicked) == 0) {
        mb_lock();
        fail_msg("taken twice");
    }
    mb_unlock();
}

static void giving_back_anothers_is_a_panic(void **state)
{
    mb_lock();
    self = &fake[1];
    if (setjmp(panicked) == 0) {
        mb_unlock();
        fail_msg("given back");
    }
    self = &fake[0];
    mb_unlock();
    if (setjmp(panicked) == 0) {
        mb_unlock();
        fail_msg("given back twice");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(two_exclude_each_other, begin),
        cmocka_unit_test_setup(so_do_six, begin),
        cmocka_unit_test_setup(the_first_comes_first_and_the_recently_woken_before, begin),
        cmocka_unit_test_setup(the_overdue_do_not_wait_for_the_recently_woken, begin),
        cmocka_unit_test_setup(nobody_overtakes_one_who_waited_long, begin),
        cmocka_unit_test_setup(a_break_lets_others_in, begin),
        cmocka_unit_test_setup(taking_it_twice_is_a_panic, begin),
        cmocka_unit_test_setup(giving_back_anothers_is_a_panic, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
