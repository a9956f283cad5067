/*
 * What is said about scheduling, priorities and locked memory; fences; timers on CPU time.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#include "test.h"

/* linux/sched/types.h, which does not go with sched.h. */
struct sched_attr {
    uint32_t size, sched_policy;
    uint64_t sched_flags;
    int32_t sched_nice;
    uint32_t sched_priority;
    uint64_t runtime, deadline, period;
    uint32_t util_min, util_max;
};
#define SCHED_ATTR_SIZE_VER0 48

static long set_attr(struct sched_attr *a, unsigned flags)
{
    return syscall(SYS_sched_setattr, 0, a, flags);
}

static void attributes(void)
{
    struct {
        struct sched_attr attr;
        char more[64];
    } big = {.attr = {.size = sizeof big}};
    struct sched_attr a = {.size = sizeof a}, b;

    OK(syscall(SYS_sched_getattr, 0, &b, sizeof b, 0));
    CHECK(b.size >= SCHED_ATTR_SIZE_VER0 && b.size <= sizeof b);
    EQ(b.sched_policy, SCHED_OTHER);
    EQ(b.sched_nice, 0);
    a.sched_policy = SCHED_BATCH;
    a.sched_nice = 5;
    OK(set_attr(&a, 0));
    OK(syscall(SYS_sched_getattr, 0, &b, sizeof b, 0));
    EQ(b.sched_policy, SCHED_BATCH);
    EQ(b.sched_nice, 5);
    EQ(getpriority(PRIO_PROCESS, 0), 5);
    EQ(syscall(SYS_sched_getscheduler, 0), SCHED_BATCH);
    big.attr.sched_nice = 5;
    OK(set_attr(&big.attr, 0)); /* a newer structure, with nothing new in it */
    big.more[20] = 1;
    ERR(set_attr(&big.attr, 0), E2BIG);
    a.size = 16;
    ERR(set_attr(&a, 0), E2BIG);
    CHECK(a.size >= SCHED_ATTR_SIZE_VER0); /* it says what it knows */
    a.sched_policy = 77;
    ERR(set_attr(&a, 0), EINVAL);
    a.sched_policy = SCHED_OTHER;
    a.sched_priority = 1;
    ERR(set_attr(&a, 0), EINVAL);
    a.sched_priority = 0;
    ERR(set_attr(&a, 1), EINVAL);
    ERR(set_attr(NULL, 0), EINVAL);
    ERR(syscall(SYS_sched_setattr, 99999, &a, 0), ESRCH);
    ERR(syscall(SYS_sched_getattr, 0, &b, 16, 0), EINVAL);
    ERR(syscall(SYS_sched_getattr, 0, &b, sizeof b, 1), EINVAL);
    ERR(syscall(SYS_sched_getattr, 0, 16, sizeof b, 0), EFAULT);
}

static void reset_on_fork(void)
{
    struct sched_param p = {0};
    pid_t pid;

    OK(syscall(SYS_sched_setscheduler, 0, SCHED_BATCH | SCHED_RESET_ON_FORK, &p));
    EQ(syscall(SYS_sched_getscheduler, 0), SCHED_BATCH | SCHED_RESET_ON_FORK);
    CHILD(pid)
    {
        EQ(syscall(SYS_sched_getscheduler, 0) & ~SCHED_BATCH, 0);
    }
    wait_ok(pid);
}

static void realtime(void)
{
    struct sched_param p = {0};
    struct timespec t;
    pid_t pid;

    EQ(sched_get_priority_max(SCHED_FIFO), 99);
    EQ(sched_get_priority_min(SCHED_RR), 1);
    EQ(sched_get_priority_max(SCHED_OTHER), 0);
    ERR(sched_get_priority_max(77), EINVAL);
    OK(syscall(SYS_sched_rr_get_interval, 0, &t));
    ERR(syscall(SYS_sched_rr_get_interval, -1, &t), EINVAL);
    ERR(syscall(SYS_sched_setscheduler, 0, SCHED_FIFO, NULL), EINVAL);
    p.sched_priority = 100;
    ERR(syscall(SYS_sched_setscheduler, 0, SCHED_FIFO, &p), EINVAL);
    if (geteuid() != 0) {
        return;
    }
    CHILD(pid)
    {
        p.sched_priority = 3;
        OK(syscall(SYS_sched_setscheduler, 0, SCHED_RR, &p));
        p.sched_priority = 0;
        OK(syscall(SYS_sched_getparam, 0, &p));
        EQ(p.sched_priority, 3);
        OK(setuid(1000));
        p.sched_priority = 4;
        ERR(syscall(SYS_sched_setparam, 0, &p), EPERM);
        p.sched_priority = 0;
        OK(syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, &p));
        p.sched_priority = 1;
        ERR(syscall(SYS_sched_setscheduler, 0, SCHED_RR, &p), EPERM);
    }
    wait_ok(pid);
}

static void io_priority(void)
{
    enum { PROCESS = 1, BE = 2 << 13, RT = 1 << 13, IDLE = 3 << 13 };
    pid_t pid;

    ERR(syscall(SYS_ioprio_get, 0, 0), EINVAL);
    ERR(syscall(SYS_ioprio_get, PROCESS, 99999), ESRCH);
    ERR(syscall(SYS_ioprio_set, PROCESS, 0, 1), EINVAL);
    ERR(syscall(SYS_ioprio_set, PROCESS, 0, 5 << 13), EINVAL);
    ERR(syscall(SYS_ioprio_set, 9, 0, BE), EINVAL);
    OK(syscall(SYS_ioprio_set, PROCESS, 0, BE | 6));
    EQ(syscall(SYS_ioprio_get, PROCESS, 0), BE | 6);
    EQ(syscall(SYS_ioprio_get, PROCESS, getpid()), BE | 6);
    CHILD(pid)
    {
        EQ(syscall(SYS_ioprio_get, PROCESS, 0), BE | 6);
        OK(syscall(SYS_ioprio_set, PROCESS, 0, IDLE));
        if (geteuid() == 0) {
            OK(setuid(1000));
        }
        ERR(syscall(SYS_ioprio_set, PROCESS, 0, RT | 1), EPERM);
        ERR(syscall(SYS_ioprio_set, PROCESS, getppid(), BE), EPERM);
    }
    if (geteuid() == 0) {
        wait_ok(pid);
    } else {
        wait_status(pid);
    }
}

/* ---- locked memory ---- */

static void locking(void)
{
    size_t page = page_size();
    struct rlimit limit = {4 * page, 4 * page}, none = {0, 0};
    char *p = mmap(NULL, 8 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    pid_t pid;

    CHECK(p != MAP_FAILED);
    OK(mlock(p, page));
    OK(mlock(p + 1, page)); /* two pages, in fact */
    ERR(madvise(p, page, MADV_DONTNEED), EINVAL);
    ERR(msync(p, page, MS_INVALIDATE), EBUSY);
    OK(munlock(p, 8 * page));
    OK(madvise(p, page, MADV_DONTNEED));
    OK(munmap(p + 4 * page, page));
    ERR(mlock(p, 8 * page), ENOMEM); /* there is a hole */
    ERR(munlock(p, 8 * page), ENOMEM);
    OK(munlock(p, 4 * page));
    ERR(mlockall(0), EINVAL);
    ERR(mlockall(8), EINVAL);
    ERR(mlockall(MCL_ONFAULT), EINVAL);
    ERR(syscall(SYS_mlock2, p, page, 2), EINVAL);
    OK(syscall(SYS_mlock2, p, page, 1));
    OK(munlockall());
    CHILD(pid)
    {
        OK(setrlimit(RLIMIT_MEMLOCK, &limit));
        if (geteuid() == 0) {
            OK(mlock(p, 4 * page)); /* root is not counted */
            OK(mlock(p + 5 * page, 3 * page));
            OK(munlockall());
            OK(setuid(1000));
        }
        OK(mlock(p, 3 * page));
        OK(mlock(p, 3 * page)); /* it was locked */
        OK(mlock(p + 5 * page, page));
        ERR(mlock(p + 6 * page, page), ENOMEM);
        ERR((long)mmap(NULL, page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED, -1, 0),
            EAGAIN);
        ERR(mlockall(MCL_CURRENT), ENOMEM);
        OK(munlock(p, page));
        OK(mlock(p + 6 * page, page));
        OK(munlockall());
        OK(mlockall(MCL_FUTURE));
        CHECK(mmap(NULL, 4 * page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
        ERR((long)mmap(NULL, page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), EAGAIN);
        OK(munlockall());
        OK(setrlimit(RLIMIT_MEMLOCK, &none));
        ERR(mlock(p, page), EPERM);
    }
    wait_ok(pid);
}

/* ---- fences ---- */

enum { ROUNDS = 100 };
static int a, b, r1, r2;

static void barriers(void)
{
    long have = OK(syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0));
    pid_t pid;

    CHECK(have & MEMBARRIER_CMD_PRIVATE_EXPEDITED);
    CHECK(have & MEMBARRIER_CMD_GLOBAL);
    ERR(syscall(SYS_membarrier, 1 << 20, 0), EINVAL);
    ERR(syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 1), EINVAL);
    CHILD(pid)
    {
        ERR(syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0), EPERM);
        OK(syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0));
        OK(syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0));
        OK(syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL_EXPEDITED, 0));
        OK(syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED, 0));
        OK(syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL_EXPEDITED, 0));
        OK(syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0));
    }
    wait_ok(pid);
}

/* Dekker's: one side orders itself by the compiler only, the other by the call. */
static pthread_barrier_t meet;

static void *fast_side(void *arg)
{
    (void)arg;
    for (int i = 0; i < ROUNDS; i++) {
        pthread_barrier_wait(&meet);
        __atomic_store_n(&a, 1, __ATOMIC_RELAXED);
        __asm__ volatile("" ::: "memory");
        r1 = __atomic_load_n(&b, __ATOMIC_RELAXED);
        pthread_barrier_wait(&meet);
    }
    return NULL;
}

static void barrier_orders(void)
{
    pthread_t t;

    OK(syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0));
    pthread_barrier_init(&meet, NULL, 2);
    EQ(pthread_create(&t, NULL, fast_side, NULL), 0);
    for (int i = 0; i < ROUNDS; i++) {
        a = b = 0;
        pthread_barrier_wait(&meet);
        __atomic_store_n(&b, 1, __ATOMIC_RELAXED);
        OK(syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0));
        r2 = __atomic_load_n(&a, __ATOMIC_RELAXED);
        pthread_barrier_wait(&meet);
        CHECK(r1 || r2);
    }
    EQ(pthread_join(t, NULL), 0);
}

/* ---- timers ---- */

static void cpu_timers(void)
{
    static const int clocks[] = {CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID};
    struct itimerspec its = {{0, 5000000}, {0, 10000000}}, now;

    handle(SIGUSR1, count_signal, 0, 0);
    for (int i = 0; i < 2; i++) {
        struct sigevent e = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
        struct timespec start, t;
        int id;

        OK(clock_gettime(clocks[i], &start));
        OK(syscall(SYS_timer_create, clocks[i], &e, &id));
        caught = 0;
        OK(syscall(SYS_timer_settime, id, 0, &its, NULL));
        OK(syscall(SYS_timer_gettime, id, &now));
        CHECK(now.it_value.tv_sec == 0 && now.it_value.tv_nsec > 0);
        while (caught < 3) {
        }
        OK(clock_gettime(clocks[i], &t));
        CHECK((t.tv_sec - start.tv_sec) * 1000000000 + t.tv_nsec - start.tv_nsec >= 20000000);
        OK(syscall(SYS_timer_delete, id));
    }
}

static void short_intervals(void)
{
    struct sigevent e = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN};
    struct itimerspec its = {{0, 1}, {0, 1}}, off = {0};
    siginfo_t info;
    sigset_t set;
    int id, other;

    sig_block(SIGRTMIN);
    OK(syscall(SYS_timer_create, CLOCK_MONOTONIC, &e, &id));
    OK(syscall(SYS_timer_create, CLOCK_REALTIME, &e, &other));
    OK(syscall(SYS_timer_settime, id, 0, &its, NULL));
    sleep_ms(20);
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN);
    EQ(sigwaitinfo(&set, &info), SIGRTMIN);
    EQ(info.si_code, SI_TIMER);
    EQ(info.si_timerid, id);
    CHECK(info.si_overrun > 1000000);
    OK(syscall(SYS_timer_settime, id, 0, &off, NULL));
    its.it_interval.tv_nsec = 0;
    while (sigtimedwait(&set, &info, &(struct timespec){0, 0}) > 0) {
    }
    OK(syscall(SYS_timer_settime, id, 0, &its, NULL)); /* both are told of, with one signal */
    OK(syscall(SYS_timer_settime, other, 0, &its, NULL));
    int got = 0;
    for (int i = 0; i < 2000 && got != 11; i++) {
        sleep_ms(5);
        while (sigtimedwait(&set, &info, &(struct timespec){0, 0}) > 0) {
            got += info.si_timerid == id ? 1 : 10;
            EQ(info.si_overrun, 0);
        }
    }
    EQ(got, 11);
    ERR(syscall(SYS_timer_create, CLOCK_MONOTONIC_COARSE, &e, &id), EOPNOTSUPP);
    ERR(syscall(SYS_timer_create, 99, &e, &id), EINVAL);
}

static void clock_discipline(void)
{
    struct timex t;
    pid_t pid;

    memset(&t, 0, sizeof t);
    long state = OK(syscall(SYS_adjtimex, &t));
    CHECK(state >= 0 && state <= 5);
    EQ(t.tick, 10000);
    CHECK(t.time.tv_sec > 0);
    memset(&t, 0, sizeof t);
    EQ(syscall(SYS_clock_adjtime, CLOCK_REALTIME, &t), state);
    ERR(syscall(SYS_clock_adjtime, CLOCK_MONOTONIC, &t), EOPNOTSUPP);
    ERR(syscall(SYS_clock_adjtime, 99, &t), EINVAL);
    ERR(syscall(SYS_adjtimex, 16), EFAULT);
    CHILD(pid)
    {
        if (geteuid() == 0) {
            OK(setuid(1000));
        }
        t.modes = ADJ_STATUS;
        ERR(syscall(SYS_adjtimex, &t), EPERM);
        struct timespec now;
        OK(clock_gettime(CLOCK_REALTIME, &now));
        ERR(clock_settime(CLOCK_REALTIME, &now), EPERM);
        ERR(clock_settime(CLOCK_MONOTONIC, &now), EINVAL);
    }
    wait_ok(pid);
    if (geteuid() == 0) {
        memset(&t, 0, sizeof t);
        t.modes = ADJ_SETOFFSET | ADJ_NANO;
        t.time.tv_sec = 5;
        struct timespec before, after;
        OK(clock_gettime(CLOCK_REALTIME, &before));
        OK(syscall(SYS_adjtimex, &t));
        OK(clock_gettime(CLOCK_REALTIME, &after));
        CHECK(after.tv_sec - before.tv_sec >= 5);
        memset(&t, 0, sizeof t);
        t.modes = ADJ_SETOFFSET | ADJ_NANO;
        t.time.tv_sec = -5;
        OK(syscall(SYS_adjtimex, &t));
        memset(&t, 0, sizeof t);
        t.modes = ADJ_MICRO;
        OK(syscall(SYS_adjtimex, &t));
    }
}

const struct test sched_tests[] = {
    {"attributes", attributes},
    {"reset_on_fork", reset_on_fork},
    {"realtime", realtime},
    {"io_priority", io_priority},
    {"locking", locking},
    {"barriers", barriers},
    {"barrier_orders", barrier_orders},
    {"cpu_timers", cpu_timers},
    {"short_intervals", short_intervals},
    {"clock_discipline", clock_discipline},
    {0},
};
