/*
 * The clocks that count CPU time: sleeping by them, and what cannot be done with them.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#include "test.h"

#define NOBODY 0x0fffffff
#define OF_PROCESS(pid) ((clockid_t)(~(unsigned)(pid) << 3 | 2))
#define OF_THREAD(tid) ((clockid_t)(~(unsigned)(tid) << 3 | 6))
#define OF_DESCRIPTOR(fd) ((clockid_t)(~(unsigned)(fd) << 3 | 3))

static int64_t clock_ns(clockid_t clock)
{
    struct timespec t;
    OK(clock_gettime(clock, &t));
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static struct timespec span(int64_t ns)
{
    return (struct timespec){ns / 1000000000, ns % 1000000000};
}

static long sleep_by(clockid_t clock, int flags, const struct timespec *t, struct timespec *rest)
{
    return syscall(SYS_clock_nanosleep, clock, flags, t, rest);
}

static pid_t busy(void)
{
    pid_t pid;
    CHILD(pid)
    {
        for (;;) {
            __asm__ volatile("");
        }
    }
    return pid;
}

static void end(pid_t pid)
{
    OK(kill(pid, SIGKILL));
    wait_killed(pid, SIGKILL);
}

static void of_another(void)
{
    pid_t pid = busy();
    clockid_t clock = OF_PROCESS(pid);
    int64_t before = clock_ns(clock);
    struct timespec t = span(30000000);
    OK(sleep_by(clock, 0, &t, NULL));
    CHECK(clock_ns(clock) >= before + 30000000);
    t = span(clock_ns(clock) + 30000000);
    OK(sleep_by(clock, TIMER_ABSTIME, &t, NULL));
    CHECK(clock_ns(clock) >= (int64_t)t.tv_sec * 1000000000 + t.tv_nsec);
    OK(sleep_by(clock, TIMER_ABSTIME, &t, NULL)); /* is past */
    end(pid);
    t = span(1);
    ERR(sleep_by(clock, 0, &t, NULL), EINVAL);
}

static volatile bool stop;

static void *spin(void *arg)
{
    while (!stop) {
    }
    return NULL;
}

/* A thread computes while another sleeps by the time of both. */
static void of_itself(void)
{
    pthread_t thread;
    int64_t before;
    struct timespec t = span(30000000);
    EQ(pthread_create(&thread, NULL, spin, NULL), 0);
    before = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    OK(sleep_by(CLOCK_PROCESS_CPUTIME_ID, 0, &t, NULL));
    CHECK(clock_ns(CLOCK_PROCESS_CPUTIME_ID) >= before + 30000000);
    OK(sleep_by(OF_PROCESS(0), 0, &t, NULL));
    OK(sleep_by(OF_PROCESS(getpid()), 0, &t, NULL));
    CHECK(clock_ns(CLOCK_PROCESS_CPUTIME_ID) >= before + 90000000);
    stop = true;
    EQ(pthread_join(thread, NULL), 0);
}

static void interrupted(void)
{
    struct gate once;
    pid_t pid;
    gate_init(&once);
    CHILD(pid)
    {
        struct timespec t = span(10000000000), rest = {0, 0};
        handle(SIGUSR1, count_signal, SA_RESTART, 0);
        ERR(sleep_by(CLOCK_PROCESS_CPUTIME_ID, 0, &t, &rest), EINTR);
        EQ(caught, 1);
        CHECK(rest.tv_sec == 9 && rest.tv_nsec > 0);
        rest.tv_sec = 77;
        gate_open(&once);
        ERR(sleep_by(CLOCK_PROCESS_CPUTIME_ID, TIMER_ABSTIME, &t, &rest), EINTR);
        EQ(rest.tv_sec, 77);
    }
    wait_state(pid, 'S');
    OK(kill(pid, SIGSTOP)); /* goes on afterwards */
    wait_state(pid, 'T');
    OK(kill(pid, SIGCONT));
    wait_state(pid, 'S');
    OK(kill(pid, SIGUSR1));
    gate_wait(&once);
    wait_state(pid, 'S');
    OK(kill(pid, SIGUSR1));
    wait_ok(pid);
}

static void errors(void)
{
    struct timespec t = span(1000), bad = {0, -1}, res;
    struct timex x = {0};
    long none = 8;

    ERR(sleep_by(CLOCK_THREAD_CPUTIME_ID, 0, &t, NULL), EOPNOTSUPP);
    ERR(sleep_by(OF_THREAD(0), 0, &t, NULL), EINVAL); /* would never end */
    ERR(sleep_by(OF_THREAD(getpid()), 0, &t, NULL), EINVAL);
    ERR(sleep_by(OF_PROCESS(NOBODY), 0, &t, NULL), EINVAL);
    ERR(sleep_by((OF_PROCESS(0) & ~3) | 1, 0, &bad, NULL), EINVAL);
    ERR(sleep_by(OF_PROCESS(NOBODY), 0, (void *)none, NULL), EFAULT);
    ERR(sleep_by(OF_DESCRIPTOR(0), 0, (void *)none, NULL), EOPNOTSUPP);
    ERR(sleep_by(CLOCK_MONOTONIC_RAW, 0, (void *)none, NULL), EOPNOTSUPP);
    ERR(sleep_by(CLOCK_REALTIME_COARSE, 0, (void *)none, NULL), EOPNOTSUPP);
    ERR(sleep_by(10, 0, (void *)none, NULL), EINVAL);
    ERR(sleep_by(99, 0, (void *)none, NULL), EINVAL);

    ERR(syscall(SYS_clock_adjtime, OF_PROCESS(0), &x), EOPNOTSUPP);
    ERR(syscall(SYS_clock_adjtime, OF_PROCESS(NOBODY), &x), EOPNOTSUPP);
    ERR(syscall(SYS_clock_adjtime, OF_THREAD(NOBODY), &x), EOPNOTSUPP);
    ERR(syscall(SYS_clock_adjtime, OF_DESCRIPTOR(0), &x), EINVAL);
    ERR(syscall(SYS_clock_adjtime, CLOCK_MONOTONIC, &x), EOPNOTSUPP);
    ERR(syscall(SYS_clock_adjtime, CLOCK_PROCESS_CPUTIME_ID, &x), EOPNOTSUPP);
    ERR(syscall(SYS_clock_adjtime, 99, &x), EINVAL);
    ERR(syscall(SYS_clock_adjtime, 99, none), EFAULT);

    ERR(syscall(SYS_clock_settime, OF_PROCESS(0), &t), EPERM);
    ERR(syscall(SYS_clock_settime, OF_THREAD(getpid()), &bad), EPERM);
    ERR(syscall(SYS_clock_settime, OF_PROCESS(NOBODY), &t), EINVAL);
    ERR(syscall(SYS_clock_settime, OF_PROCESS(NOBODY), none), EFAULT);
    ERR(syscall(SYS_clock_settime, CLOCK_MONOTONIC, none), EINVAL);
    ERR(syscall(SYS_clock_settime, CLOCK_PROCESS_CPUTIME_ID, none), EINVAL);

    OK(clock_getres(OF_PROCESS(0), &res));
    EQ(res.tv_nsec, 1);
    OK(syscall(SYS_clock_getres, OF_PROCESS(0) & ~3, &res)); /* in ticks */
    CHECK(res.tv_nsec > 1);
    ERR(syscall(SYS_clock_getres, OF_PROCESS(NOBODY), &res), EINVAL);
}

const struct test cputime_tests[] = {
    {"of_another", of_another},
    {"of_itself", of_itself},
    {"interrupted", interrupted},
    {"errors", errors},
    {0},
};
