/*
 * The futex call itself; what is built of it is in thread.c.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "test.h"

static uint32_t *word, *other; /* shared with children */

static void setup(void)
{
    word = mmap(NULL, page_size(), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(word != MAP_FAILED);
    other = word + 64;
}

static long futex(uint32_t *uaddr, int op, uint32_t val, const void *timeout, uint32_t *uaddr2,
                  uint32_t val3)
{
    return syscall(SYS_futex, uaddr, op, val, timeout, uaddr2, val3);
}

static long wake(uint32_t *uaddr, int n)
{
    return futex(uaddr, FUTEX_WAKE, (uint32_t)n, NULL, NULL, 0);
}

static void value_differs(void)
{
    setup();
    *word = 5;
    ERR(futex(word, FUTEX_WAIT, 4, NULL, NULL, 0), EAGAIN);
    EQ(wake(word, 10), 0);
}

static void times_out(void)
{
    struct timespec t = {0, 50000000}, zero = {0, 0}, bad = {0, 1000000000};
    int64_t start = now_ms();

    setup();
    ERR(futex(word, FUTEX_WAIT, 0, &t, NULL, 0), ETIMEDOUT);
    CHECK(now_ms() - start >= 50);
    ERR(futex(word, FUTEX_WAIT, 0, &zero, NULL, 0), ETIMEDOUT);
    ERR(futex(word, FUTEX_WAIT, 0, &bad, NULL, 0), EINVAL);
    ERR(futex(word, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 0, &t, NULL, 0), ETIMEDOUT);
    /* FUTEX_WAIT_BITSET takes an absolute time. */
    start = now_ms();
    OK(clock_gettime(CLOCK_MONOTONIC, &t));
    ERR(futex(word, FUTEX_WAIT_BITSET, 0, &t, NULL, ~0u), ETIMEDOUT);
    t.tv_nsec += 50000000;
    if (t.tv_nsec >= 1000000000) {
        t.tv_nsec -= 1000000000;
        t.tv_sec++;
    }
    ERR(futex(word, FUTEX_WAIT_BITSET, 0, &t, NULL, ~0u), ETIMEDOUT);
    CHECK(now_ms() - start >= 50);
    OK(clock_gettime(CLOCK_REALTIME, &t));
    ERR(futex(word, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 0, &t, NULL, ~0u), ETIMEDOUT);
}

static void bad_arguments(void)
{
    struct timespec t = {0, 0};

    setup();
    ERR(futex((uint32_t *)((char *)word + 1), FUTEX_WAIT, 0, NULL, NULL, 0), EINVAL);
    ERR(futex((uint32_t *)((char *)word + 2), FUTEX_WAKE, 1, NULL, NULL, 0), EINVAL);
    ERR(futex(word, 99, 0, NULL, NULL, 0), ENOSYS);
    ERR(futex(word, FUTEX_WAIT_BITSET, 0, &t, NULL, 0), EINVAL); /* an empty set of bits */
    ERR(futex(word, FUTEX_WAKE_BITSET, 0, NULL, NULL, 0), EINVAL);
    ERR(futex((uint32_t *)page_before_hole() + page_size() / 4, FUTEX_WAIT, 0, NULL, NULL, 0),
        EFAULT);
}

/* Children that wait on *word and exit with 0 when woken. */
static void start_waiters(pid_t *pid, int n)
{
    for (int i = 0; i < n; i++) {
        CHILD(pid[i])
        {
            OK(futex(word, FUTEX_WAIT, 0, NULL, NULL, 0));
        }
    }
    for (int i = 0; i < n; i++) {
        wait_state(pid[i], 'S');
    }
}

static void wakes_as_many_as_asked(void)
{
    pid_t pid[5];
    int woken = 0;

    setup();
    start_waiters(pid, 5);
    EQ(wake(other, 5), 0); /* somebody else's word */
    EQ(wake(word, 2), 2);
    while (woken < 2) {
        CHECK(waitpid(-1, NULL, 0) > 0);
        woken++;
    }
    sleep_ms(20);
    EQ(waitpid(-1, NULL, WNOHANG), 0);
    EQ(wake(word, INT_MAX), 3);
    EQ(wake(word, INT_MAX), 0);
    for (; woken < 5; woken++) {
        CHECK(waitpid(-1, NULL, 0) > 0);
    }
}

/* The same memory at different addresses is the same futex. */
static void shared_memory(void)
{
    int fd = OK(open("f", O_RDWR | O_CREAT, 0600));
    uint32_t *a, *b;
    pid_t pid;

    setup();
    OK(ftruncate(fd, 8192));
    a = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    b = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(a != MAP_FAILED && b != MAP_FAILED);
    CHILD(pid)
    {
        OK(futex(a + 1100, FUTEX_WAIT, 0, NULL, NULL, 0));
    }
    wait_state(pid, 'S');
    EQ(wake(b + 1101, 1), 0);
    EQ(wake(b + 1100, 1), 1);
    wait_ok(pid);
}

/* Private memory after fork is not shared, so neither is the futex. */
static void private_memory(void)
{
    static uint32_t mine;
    pid_t pid;

    CHILD(pid)
    {
        struct timespec t = {0, 100000000};

        ERR(futex(&mine, FUTEX_WAIT, 0, &t, NULL, 0), ETIMEDOUT);
    }
    wait_state(pid, 'S');
    EQ(wake(&mine, 1), 0);
    wait_ok(pid);
}

static void requeue(void)
{
    pid_t pid[4];

    setup();
    start_waiters(pid, 4);
    ERR(futex(word, FUTEX_CMP_REQUEUE, 1, (void *)1, other, 99), EAGAIN);
    EQ(futex(word, FUTEX_CMP_REQUEUE, 1, (void *)2, other, 0), 3); /* 1 woken, 2 moved */
    EQ(wake(word, INT_MAX), 1);
    EQ(wake(other, INT_MAX), 2);
    for (int i = 0; i < 4; i++) {
        wait_ok(pid[i]);
    }
    start_waiters(pid, 2);
    EQ(futex(word, FUTEX_REQUEUE, 0, (void *)INT_MAX, other, 0), 2);
    EQ(wake(other, INT_MAX), 2);
    wait_ok(pid[0]);
    wait_ok(pid[1]);
}

static void bitsets(void)
{
    pid_t a, b;

    setup();
    CHILD(a)
    {
        OK(futex(word, FUTEX_WAIT_BITSET, 0, NULL, NULL, 1));
    }
    CHILD(b)
    {
        OK(futex(word, FUTEX_WAIT_BITSET, 0, NULL, NULL, 2));
    }
    wait_state(a, 'S');
    wait_state(b, 'S');
    EQ(futex(word, FUTEX_WAKE_BITSET, 10, NULL, NULL, 4), 0);
    EQ(futex(word, FUTEX_WAKE_BITSET, 10, NULL, NULL, 2), 1);
    wait_ok(b);
    EQ(wake(word, 10), 1); /* a plain wake matches every set */
    wait_ok(a);
}

static void interrupted(void)
{
    pid_t pid;

    setup();
    CHILD(pid)
    {
        handle(SIGUSR1, count_signal, 0, 0);
        ERR(futex(word, FUTEX_WAIT, 0, NULL, NULL, 0), EINTR);
        EQ(caught, 1);
        EQ(wake(word, 1), 0); /* and is no longer in the queue */
    }
    wait_state(pid, 'S');
    OK(kill(pid, SIGUSR1));
    wait_ok(pid);
}

/* A locked word in the robust list of a thread that dies is marked and its waiter woken. */
static void robust_list(void)
{
    static struct {
        struct robust_list_head head;
        struct robust_list entry;
    } * r;
    pid_t owner, waiter;

    setup();
    r = (void *)(word + 128);
    r->head.list.next = &r->entry;
    r->entry.next = &r->head.list;
    r->head.futex_offset = (long)((char *)word - (char *)&r->entry);
    ERR(syscall(SYS_set_robust_list, &r->head, 8), EINVAL);
    CHILD(owner)
    {
        OK(syscall(SYS_set_robust_list, &r->head, sizeof r->head));
        *word = (uint32_t)getpid() | FUTEX_WAITERS;
        wait_state(getppid(), 'S');
        sleep_ms(50);
    }
    CHILD(waiter)
    {
        while (*word == 0) {
            sleep_ms(1);
        }
        long got = futex(word, FUTEX_WAIT, *word, NULL, NULL, 0);
        CHECK(got == 0 || errno == EAGAIN);
        EQ(*word & FUTEX_OWNER_DIED, FUTEX_OWNER_DIED);
        EQ(*word & FUTEX_TID_MASK, 0);
    }
    wait_ok(owner);
    wait_ok(waiter);
}

/* A list that leads nowhere or runs in a circle must not hurt anybody. */
static void bad_robust_list(void)
{
    static struct robust_list_head circle, wild;
    static struct robust_list a, b;
    pid_t pid;

    a.next = &b;
    b.next = &a;
    circle.list.next = &a;
    wild.list.next = (void *)0xffffffff80000000;
    CHILD(pid)
    {
        OK(syscall(SYS_set_robust_list, &circle, sizeof circle));
    }
    wait_ok(pid);
    CHILD(pid)
    {
        OK(syscall(SYS_set_robust_list, &wild, sizeof wild));
    }
    wait_ok(pid);
    CHILD(pid)
    {
        OK(syscall(SYS_set_robust_list, (void *)8, sizeof wild));
    }
    wait_ok(pid);
}

/* ---- PI futexes ---- */

static pid_t own_tid(void)
{
    return (pid_t)syscall(SYS_gettid);
}

static void pi_lock(void)
{
    struct timespec past = {1, 0}, bad = {0, -1};
    struct gate held, go;
    pid_t pid, waiter;

    setup();
    gate_init(&held);
    gate_init(&go);
    OK(futex(word, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
    EQ(*word, own_tid());
    ERR(futex(word, FUTEX_LOCK_PI, 0, NULL, NULL, 0), EDEADLK);
    ERR(futex(word, FUTEX_LOCK_PI, 0, &bad, NULL, 0), EINVAL);
    CHILD(pid)
    {
        ERR(futex(word, FUTEX_TRYLOCK_PI, 0, NULL, NULL, 0), EAGAIN);
        ERR(futex(word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0), EPERM);
        ERR(futex(word, FUTEX_LOCK_PI, 0, &past, NULL, 0), ETIMEDOUT);
    }
    wait_ok(pid);
    OK(futex(word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0));
    EQ(*word, 0);
    OK(futex(word, FUTEX_TRYLOCK_PI, 0, NULL, NULL, 0));
    CHILD(waiter)
    {
        OK(futex(word, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
        EQ(*word & FUTEX_TID_MASK, own_tid());
        gate_open(&held);
        gate_wait(&go);
        OK(futex(word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0));
    }
    while (!(*(volatile uint32_t *)word & FUTEX_WAITERS)) {
        sleep_ms(1);
    }
    wait_state(waiter, 'S');
    ERR(wake(word, 1), EINVAL); /* not by this call */
    OK(futex(word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0));
    EQ(*word & FUTEX_TID_MASK, waiter); /* it has it at once */
    gate_wait(&held);
    gate_open(&go);
    wait_ok(waiter);
    EQ(*word, 0);
    *word = 0x3ffffff0; /* nobody of that number */
    ERR(futex(word, FUTEX_LOCK_PI, 0, NULL, NULL, 0), ESRCH);
}

static void pi_owner_dies(void)
{
    struct gate held;
    pid_t owner, waiter;

    setup();
    gate_init(&held);
    CHILD(owner)
    {
        OK(futex(word, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
        gate_open(&held);
        for (;;) {
            pause();
        }
    }
    gate_wait(&held);
    CHILD(waiter)
    {
        OK(futex(word, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
        EQ(*word & FUTEX_TID_MASK, own_tid());
        CHECK(*word & FUTEX_OWNER_DIED);
    }
    while (!(*(volatile uint32_t *)word & FUTEX_WAITERS)) {
        sleep_ms(1);
    }
    wait_state(waiter, 'S');
    OK(kill(owner, SIGKILL));
    wait_killed(owner, SIGKILL);
    wait_ok(waiter);
}

static void pi_deadlock(void)
{
    struct gate held;
    pid_t pid;

    setup();
    gate_init(&held);
    OK(futex(word, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
    CHILD(pid)
    {
        OK(futex(other, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
        gate_open(&held);
        OK(futex(word, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
    }
    gate_wait(&held);
    while (!(*(volatile uint32_t *)word & FUTEX_WAITERS)) {
        sleep_ms(1);
    }
    wait_state(pid, 'S');
    ERR(futex(other, FUTEX_LOCK_PI, 0, NULL, NULL, 0), EDEADLK);
    OK(futex(word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0));
    wait_ok(pid);
}

static void pi_requeue(void)
{
    pid_t pid[2];

    setup();
    OK(futex(other, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
    ERR(futex(word, FUTEX_CMP_REQUEUE_PI, 2, NULL, other, 0), EINVAL);
    ERR(futex(word, FUTEX_CMP_REQUEUE_PI, 1, NULL, word, 0), EINVAL);
    ERR(futex(word, FUTEX_CMP_REQUEUE_PI, 1, NULL, other, 1), EAGAIN);
    ERR(futex(word, FUTEX_WAIT_REQUEUE_PI, 1, NULL, other, ~0u), EAGAIN);
    ERR(futex(word, FUTEX_WAIT_REQUEUE_PI, 0, NULL, word, ~0u), EINVAL);
    for (int i = 0; i < 2; i++) {
        CHILD(pid[i])
        {
            OK(futex(word, FUTEX_WAIT_REQUEUE_PI, 0, NULL, other, ~0u));
            EQ(*other & FUTEX_TID_MASK, own_tid());
            OK(futex(other, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0));
        }
        wait_state(pid[i], 'S');
    }
    EQ(futex(word, FUTEX_CMP_REQUEUE_PI, 1, (void *)5, other, 0), 2);
    CHECK(*other & FUTEX_WAITERS);
    OK(futex(other, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0));
    wait_ok(pid[0]);
    wait_ok(pid[1]);
    CHILD(pid[0]) /* the lock is free: the waiter gets it */
    {
        OK(futex(word, FUTEX_WAIT_REQUEUE_PI, 0, NULL, other, ~0u));
        OK(futex(other, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0));
    }
    wait_state(pid[0], 'S');
    EQ(futex(word, FUTEX_CMP_REQUEUE_PI, 1, NULL, other, 0), 1);
    wait_ok(pid[0]);
}

const struct test futex_tests[] = {
    {"value_differs", value_differs},
    {"times_out", times_out},
    {"bad_arguments", bad_arguments},
    {"wakes_as_many_as_asked", wakes_as_many_as_asked},
    {"shared_memory", shared_memory},
    {"private_memory", private_memory},
    {"requeue", requeue},
    {"bitsets", bitsets},
    {"interrupted", interrupted},
    {"robust_list", robust_list},
    {"bad_robust_list", bad_robust_list},
    {"pi_lock", pi_lock},
    {"pi_owner_dies", pi_owner_dies},
    {"pi_deadlock", pi_deadlock},
    {"pi_requeue", pi_requeue},
    {0},
};
