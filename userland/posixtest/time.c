/*
 * Clocks, sleeping, interval timers.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/times.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "test.h"

static int64_t ns(const struct timespec *t)
{
    return (int64_t)t->tv_sec * 1000000000 + t->tv_nsec;
}

static int64_t clock_ns(clockid_t clock)
{
    struct timespec t;

    OK(clock_gettime(clock, &t));
    CHECK(t.tv_nsec >= 0 && t.tv_nsec < 1000000000);
    return ns(&t);
}

static void clocks(void)
{
    int64_t last = clock_ns(CLOCK_MONOTONIC), now;
    struct timespec t;
    struct timeval tv;

    for (int i = 0; i < 10000; i++) {
        now = clock_ns(CLOCK_MONOTONIC);
        CHECK(now >= last);
        last = now;
    }
    CHECK(clock_ns(CLOCK_REALTIME) / 1000000000 > 1577836800); /* after 2020 */
    OK(gettimeofday(&tv, NULL));
    CHECK(tv.tv_usec >= 0 && tv.tv_usec < 1000000);
    CHECK(clock_ns(CLOCK_REALTIME) / 1000000000 - tv.tv_sec <= 1);
    OK(clock_gettime(CLOCK_BOOTTIME, &t));
    OK(clock_gettime(CLOCK_MONOTONIC_RAW, &t));
    OK(clock_gettime(CLOCK_MONOTONIC_COARSE, &t));
    OK(clock_gettime(CLOCK_REALTIME_COARSE, &t));
    ERR(syscall(SYS_clock_gettime, 99, &t), EINVAL);
    CHECK(labs(time(NULL) - tv.tv_sec) <= 1);
}

static void cpu_clocks(void)
{
    int64_t process = clock_ns(CLOCK_PROCESS_CPUTIME_ID), wall = clock_ns(CLOCK_MONOTONIC);
    int64_t thread = clock_ns(CLOCK_THREAD_CPUTIME_ID), used, took;

    sleep_ms(60);
    CHECK(clock_ns(CLOCK_PROCESS_CPUTIME_ID) - process < 50000000); /* sleeping is free */
    while (clock_ns(CLOCK_MONOTONIC) - wall < 200000000) {
    }
    used = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - process;
    took = clock_ns(CLOCK_MONOTONIC) - wall;
    CHECK(used > 10000000 && used <= took + 1000000);
    CHECK(clock_ns(CLOCK_THREAD_CPUTIME_ID) - thread <= took + 1000000);
}

static void sleep_time(void)
{
    struct timespec t = {0, 50000000}, rem = {5, 5};
    int64_t start = clock_ns(CLOCK_MONOTONIC);

    OK(nanosleep(&t, &rem));
    CHECK(clock_ns(CLOCK_MONOTONIC) - start >= 50000000);
    EQ(rem.tv_sec, 5); /* only told when interrupted */
    t = (struct timespec){0, 0};
    OK(nanosleep(&t, NULL));
    t = (struct timespec){0, 1000000000};
    ERR(nanosleep(&t, NULL), EINVAL);
    t = (struct timespec){-1, 0};
    ERR(nanosleep(&t, NULL), EINVAL);
    t = (struct timespec){0, -1};
    ERR(nanosleep(&t, NULL), EINVAL);
}

static void sleep_until(void)
{
    struct timespec t;
    int64_t start = clock_ns(CLOCK_MONOTONIC);

    OK(clock_gettime(CLOCK_MONOTONIC, &t));
    t.tv_nsec += 60000000;
    if (t.tv_nsec >= 1000000000) {
        t.tv_nsec -= 1000000000;
        t.tv_sec++;
    }
    EQ(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL), 0);
    CHECK(clock_ns(CLOCK_MONOTONIC) - start >= 60000000);
    EQ(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL), 0); /* is past */
    t = (struct timespec){0, 1000000};
    EQ(clock_nanosleep(CLOCK_REALTIME, 0, &t, NULL), 0);
    EQ(clock_nanosleep(99, 0, &t, NULL), EINVAL);
    t.tv_nsec = -1;
    EQ(clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL), EINVAL);
}

static void sleep_interrupted(void)
{
    pid_t pid;

    CHILD(pid)
    {
        struct timespec t = {10, 0}, rem = {0, 0};

        handle(SIGUSR1, count_signal, SA_RESTART, 0); /* sleeping is not restarted */
        ERR(nanosleep(&t, &rem), EINTR);
        EQ(caught, 1);
        CHECK(ns(&rem) > 5000000000 && ns(&rem) < 10000000000);
    }
    wait_state(pid, 'S');
    sleep_ms(20);
    OK(kill(pid, SIGUSR1));
    wait_ok(pid);
}

static void many_sleepers(void)
{
    enum { N = 20 };
    pid_t pid[N];

    for (int i = 0; i < N; i++) {
        CHILD(pid[i])
        {
            int64_t start = now_ms();

            sleep_ms(20 + i * 5);
            CHECK(now_ms() - start >= 20 + i * 5);
        }
    }
    for (int i = 0; i < N; i++) {
        wait_ok(pid[i]);
    }
}

static void alarm_once(void)
{
    struct itimerval t = {{0, 0}, {0, 40000}}, old;
    int64_t start = now_ms();

    handle(SIGALRM, count_signal, 0, 0);
    OK(setitimer(ITIMER_REAL, &t, &old));
    EQ(old.it_value.tv_sec, 0);
    EQ(old.it_value.tv_usec, 0);
    while (!caught) {
        sleep_ms(5);
    }
    CHECK(now_ms() - start >= 40);
    sleep_ms(60);
    EQ(caught, 1);
}

static void alarm_repeats(void)
{
    struct itimerval t = {{0, 10000}, {0, 10000}}, zero = {{0, 0}, {0, 0}}, old;
    int64_t start = now_ms();
    int count;

    handle(SIGALRM, count_signal, 0, 0);
    OK(setitimer(ITIMER_REAL, &t, NULL));
    while (caught < 5) {
        sleep_ms(5);
    }
    CHECK(now_ms() - start >= 50);
    OK(setitimer(ITIMER_REAL, &zero, &old));
    EQ(old.it_interval.tv_usec, 10000);
    CHECK(old.it_value.tv_usec <= 10000);
    count = caught;
    sleep_ms(40);
    EQ(caught, count);
}

static void alarm_values(void)
{
    struct itimerval t = {{0, 0}, {100, 0}}, old;

    OK(setitimer(ITIMER_REAL, &t, NULL));
    OK(getitimer(ITIMER_REAL, &old));
    CHECK(old.it_value.tv_sec >= 99 - 1 && old.it_value.tv_sec <= 100);
    EQ(alarm(50), 100); /* what was left, rounded to seconds */
    EQ(alarm(0), 50);
    EQ(alarm(0), 0);
    t.it_value.tv_usec = 1000000;
    ERR(setitimer(ITIMER_REAL, &t, NULL), EINVAL);
    t.it_value.tv_usec = -1;
    ERR(setitimer(ITIMER_REAL, &t, NULL), EINVAL);
    t.it_value.tv_usec = 0;
    ERR(syscall(SYS_setitimer, 99, &t, NULL), EINVAL);
}

static void alarm_over_fork_and_exec(void)
{
    struct itimerval left;
    pid_t pid;

    handle(SIGALRM, SIG_DFL, 0, 0);
    alarm(1000);
    CHILD(pid)
    {
        OK(getitimer(ITIMER_REAL, &left));
        EQ(left.it_value.tv_sec, 0); /* a child has none */
        struct itimerval t = {{0, 0}, {0, 80000}};
        OK(setitimer(ITIMER_REAL, &t, NULL));
        execl(self_path, "posixtest", "--helper", "sleep", "5000", NULL);
        sleep_ms(5000);
    }
    wait_killed(pid, SIGALRM); /* a new program keeps it */
}

static void cpu_timers(void)
{
    struct itimerval t = {{0, 0}, {0, 30000}};
    int64_t start = now_ms();

    handle(SIGVTALRM, count_signal, 0, 0);
    if (setitimer(ITIMER_VIRTUAL, &t, NULL) < 0) {
        FAIL("setitimer: %s", test_errno_name(errno));
    }
    while (!caught && now_ms() - start < 20000) {
        for (volatile int i = 0; i < 100000; i++) {
        }
    }
    EQ(caught, 1);
}

static void process_times(void)
{
    struct tms a, b;
    clock_t start = times(&a), end;

    while (times(&b) - start < 30) {
    }
    end = times(&b);
    CHECK(end - start >= 30);
    CHECK(b.tms_utime + b.tms_stime - a.tms_utime - a.tms_stime >= 3);
    EQ(b.tms_cutime + b.tms_cstime, 0);
}

/* A busy neighbour must not make sleepers late without bound. */
static void sleep_beside_busy(void)
{
    pid_t pid;
    int64_t start, worst = 0;

    CHILD(pid)
    {
        for (;;) {
            __asm__ volatile("");
        }
    }
    sleep_ms(100);
    for (int i = 0; i < 20; i++) {
        start = now_ms();
        sleep_ms(10);
        worst = now_ms() - start > worst ? now_ms() - start : worst;
    }
    OK(kill(pid, SIGKILL));
    wait_killed(pid, SIGKILL);
    if (worst > 500) {
        FAIL("a sleep of 10 ms took %ld ms", (long)worst);
    }
}

const struct test time_tests[] = {
    {"clocks", clocks},
    {"cpu_clocks", cpu_clocks},
    {"sleep", sleep_time},
    {"sleep_until", sleep_until},
    {"sleep_interrupted", sleep_interrupted},
    {"many_sleepers", many_sleepers},
    {"alarm_once", alarm_once},
    {"alarm_repeats", alarm_repeats},
    {"alarm_values", alarm_values},
    {"alarm_over_fork_and_exec", alarm_over_fork_and_exec},
    {"cpu_timers", cpu_timers},
    {"process_times", process_times},
    {"sleep_beside_busy", sleep_beside_busy},
    {0},
};
