/*
 * Threads, through the C library: what they share, how they end, how they wait for one another.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "test.h"

static pthread_t start(void *(*run)(void *), void *arg)
{
    pthread_t t;

    EQ(pthread_create(&t, NULL, run, arg), 0);
    return t;
}

static void *join(pthread_t t)
{
    void *result;

    EQ(pthread_join(t, &result), 0);
    return result;
}

static void *give_back(void *arg)
{
    return (char *)arg + 1;
}

static void create_join(void)
{
    pthread_t t[20];

    for (long i = 0; i < 20; i++) {
        t[i] = start(give_back, (void *)i);
    }
    for (long i = 0; i < 20; i++) {
        EQ(join(t[i]), i + 1);
    }
    for (long i = 0; i < 300; i++) {
        EQ(join(start(give_back, (void *)i)), i + 1);
    }
}

struct ids {
    pid_t pid, ppid, tid, pgrp;
};

static void *tell_ids(void *arg)
{
    struct ids *ids = arg;

    *ids = (struct ids){getpid(), getppid(), (pid_t)syscall(SYS_gettid), getpgrp()};
    return NULL;
}

static void identities(void)
{
    struct ids ids;

    join(start(tell_ids, &ids));
    EQ(ids.pid, getpid());
    EQ(ids.ppid, getppid());
    EQ(ids.pgrp, getpgrp());
    CHECK(ids.tid != getpid() && ids.tid > 0);
    /* It is gone, or will be in a moment: what join waits for is not quite its end. */
    for (int i = 0; i < 200 && syscall(SYS_tgkill, getpid(), ids.tid, 0) == 0; i++) {
        sleep_ms(5);
    }
    ERR(syscall(SYS_tgkill, getpid(), ids.tid, 0), ESRCH);
}

static void *use_process(void *arg)
{
    int *fd = arg;

    *fd = OK(open("f", O_RDWR | O_CREAT, 0600));
    OK(mkdirat(AT_FDCWD, "d", 0700));
    OK(chdir("d"));
    return NULL;
}

static void share_process(void)
{
    int fd = -1;

    join(start(use_process, &fd));
    EQ(write(fd, "x", 1), 1);
    write_file("inside", "y");
    OK(chdir(".."));
    expect_file("d/inside", "y");
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static long counter;
static int turn;

static void *count_up(void *arg)
{
    for (long i = 0; i < (long)arg; i++) {
        pthread_mutex_lock(&lock);
        counter++;
        pthread_mutex_unlock(&lock);
    }
    return NULL;
}

static void mutex(void)
{
    pthread_t t[4];

    for (int i = 0; i < 4; i++) {
        t[i] = start(count_up, (void *)5000);
    }
    for (int i = 0; i < 4; i++) {
        join(t[i]);
    }
    EQ(counter, 20000);
}

static void *alternate(void *arg)
{
    int me = (int)(long)arg;

    pthread_mutex_lock(&lock);
    for (int i = 0; i < 200; i++) {
        while (turn != me) {
            pthread_cond_wait(&cond, &lock);
        }
        turn = (me + 1) % 3;
        pthread_cond_broadcast(&cond);
    }
    pthread_mutex_unlock(&lock);
    return NULL;
}

static void condition(void)
{
    pthread_t t[3];

    for (long i = 0; i < 3; i++) {
        t[i] = start(alternate, (void *)i);
    }
    for (int i = 0; i < 3; i++) {
        join(t[i]);
    }
    EQ(turn, 0);
}

static void condition_timeout(void)
{
    struct timespec t;
    int64_t begin = now_ms();

    OK(clock_gettime(CLOCK_REALTIME, &t));
    t.tv_nsec += 60000000;
    if (t.tv_nsec >= 1000000000) {
        t.tv_nsec -= 1000000000;
        t.tv_sec++;
    }
    pthread_mutex_lock(&lock);
    EQ(pthread_cond_timedwait(&cond, &lock, &t), ETIMEDOUT);
    pthread_mutex_unlock(&lock);
    CHECK(now_ms() - begin >= 55);
}

static sem_t sem;

static void *post(void *arg)
{
    for (int i = 0; i < 100; i++) {
        sem_post(&sem);
    }
    return arg;
}

static void semaphores(void)
{
    pthread_t t;

    OK(sem_init(&sem, 0, 0));
    t = start(post, NULL);
    for (int i = 0; i < 100; i++) {
        OK(sem_wait(&sem));
    }
    join(t);
    ERR(sem_trywait(&sem), EAGAIN);
}

static _Thread_local int local = 7;
static _Thread_local char local_array[5000] = "init";

static void *use_local(void *arg)
{
    if (local != 7 || strcmp(local_array, "init") != 0) {
        return (void *)1;
    }
    local = (int)(long)arg;
    local_array[0] = 'x';
    sleep_ms(5);
    return (void *)(long)(local != (int)(long)arg);
}

static void thread_local_data(void)
{
    pthread_t t[5];

    local = 100;
    for (long i = 0; i < 5; i++) {
        t[i] = start(use_local, (void *)i);
    }
    for (int i = 0; i < 5; i++) {
        EQ(join(t[i]), 0);
    }
    EQ(local, 100);
    EQ(local_array[0], 'i');
}

static pthread_key_t key;
static int destroyed;

static void destroy(void *value)
{
    destroyed += (int)(long)value;
}

static void *set_key(void *arg)
{
    pthread_setspecific(key, arg);
    return NULL;
}

static void specific_data(void)
{
    EQ(pthread_key_create(&key, destroy), 0);
    join(start(set_key, (void *)3));
    join(start(set_key, (void *)4));
    EQ(destroyed, 7);
    CHECK(pthread_getspecific(key) == NULL);
}

static int cleaned;

static void clean(void *arg)
{
    cleaned += (int)(long)arg;
}

static void *wait_for_ever(void *arg)
{
    int *p = arg;
    char c;

    pthread_cleanup_push(clean, (void *)1);
    EQ(read(p[0], &c, 1), 1); /* a cancellation point */
    pthread_cleanup_pop(0);
    return NULL;
}

static void *spin_for_ever(void *arg)
{
    pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
    for (;;) {
        __asm__ volatile("");
    }
    return arg;
}

static void *refuse(void *arg)
{
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
    sleep_ms(60);
    return arg;
}

static void cancel(void)
{
    int p[2];
    pthread_t t;

    OK(pipe(p));
    t = start(wait_for_ever, p);
    sleep_ms(20);
    EQ(pthread_cancel(t), 0);
    CHECK(join(t) == PTHREAD_CANCELED);
    EQ(cleaned, 1);
    t = start(spin_for_ever, NULL);
    sleep_ms(20);
    EQ(pthread_cancel(t), 0);
    CHECK(join(t) == PTHREAD_CANCELED);
    t = start(refuse, (void *)5);
    sleep_ms(20);
    EQ(pthread_cancel(t), 0);
    EQ(join(t), 5);
}

static void *sleep_long(void *arg)
{
    sleep_ms(20000);
    return arg;
}

static void exit_ends_all(void)
{
    pid_t pid;
    int64_t begin = now_ms();

    CHILD(pid)
    {
        for (int i = 0; i < 3; i++) {
            start(sleep_long, NULL);
        }
        start(spin_for_ever, NULL);
        sleep_ms(20);
        _exit(3);
    }
    wait_exit(pid, 3);
    CHECK(now_ms() - begin < 10000);
}

static void *exit_process(void *arg)
{
    _exit((int)(long)arg);
}

static void *crash(void *arg)
{
    volatile int *p = (volatile int *)8;

    __asm__("" : "+r"(p));
    *p = 1;
    return arg;
}

static void any_thread_ends_all(void)
{
    pid_t pid;

    CHILD(pid)
    {
        start(exit_process, (void *)6);
        sleep_ms(20000);
    }
    wait_exit(pid, 6);
    CHILD(pid)
    {
        start(crash, NULL);
        sleep_ms(20000);
    }
    wait_killed(pid, SIGSEGV);
    CHILD(pid)
    {
        start(sleep_long, NULL);
        sleep_ms(20);
        OK(kill(getpid(), SIGKILL));
    }
    wait_killed(pid, SIGKILL);
}

static void *late(void *arg)
{
    sleep_ms(50);
    EQ(write((int)(long)arg, "x", 1), 1);
    return NULL;
}

static void leader_may_end_first(void)
{
    int p[2];
    char c;
    pid_t pid;

    OK(pipe(p));
    CHILD(pid)
    {
        start(late, (void *)(long)p[1]);
        syscall(SYS_exit, 0); /* this thread only */
    }
    OK(close(p[1]));
    EQ(read(p[0], &c, 1), 1); /* the other one lived on */
    wait_ok(pid);
}

static void *execute(void *arg)
{
    execl(self_path, "posixtest", "--helper", "pid-is", (char *)arg, NULL);
    _exit(127);
}

static void exec_ends_others(void)
{
    char text[16];
    pid_t pid;
    int status;

    CHILD(pid)
    {
        snprintf(text, sizeof text, "%d", getpid());
        start(sleep_long, NULL);
        start(spin_for_ever, NULL);
        start(execute, text); /* not the leader: the new program has the process' number */
        sleep_ms(20000);
    }
    status = wait_status(pid);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127) {
        SKIP("cannot execute itself");
    }
    EQ(status, 1 << 8);
}

static volatile pid_t handler_thread;

static void note_thread(int signo)
{
    count_signal(signo);
    handler_thread = (pid_t)syscall(SYS_gettid);
}

static void *wait_for_signal(void *arg)
{
    pid_t *tid = arg;

    sig_unblock(SIGUSR1);
    *tid = (pid_t)syscall(SYS_gettid);
    while (!caught) {
        sleep_ms(2);
    }
    return NULL;
}

/* A signal to the process goes to a thread that does not block it. */
static void signal_to_process(void)
{
    volatile pid_t tid = 0;
    pthread_t t;

    handle(SIGUSR1, note_thread, 0, 0);
    sig_block(SIGUSR1);
    t = start(wait_for_signal, (void *)&tid);
    while (!tid) {
        sleep_ms(1);
    }
    OK(kill(getpid(), SIGUSR1));
    join(t);
    EQ(caught, 1);
    EQ(handler_thread, tid);
}

static void *raise_in_thread(void *arg)
{
    OK(syscall(SYS_tkill, (int)syscall(SYS_gettid), SIGUSR1));
    return (void *)(long)(handler_thread == (pid_t)syscall(SYS_gettid) ? 0 : 1);
}

static void signal_to_thread(void)
{
    handle(SIGUSR1, note_thread, 0, 0);
    EQ(join(start(raise_in_thread, NULL)), 0);
    EQ(caught, 1);
}

static void *own_mask(void *arg)
{
    sig_block(SIGUSR2);
    return arg;
}

static void masks_are_per_thread(void)
{
    join(start(own_mask, NULL));
    CHECK(!(sig_mask() & SIGBIT(SIGUSR2)));
}

static void *fork_here(void *arg)
{
    pid_t pid;

    CHILD(pid)
    {
        EQ(getpid(), (pid_t)syscall(SYS_gettid)); /* the only thread of the child */
    }
    wait_ok(pid);
    return arg;
}

static void fork_in_thread(void)
{
    join(start(fork_here, NULL));
}

static pid_t made;

static void *make_child(void *arg)
{
    CHILD(made)
    {
        _exit(9);
    }
    return arg;
}

static void wait_for_others_child(void)
{
    join(start(make_child, NULL));
    wait_exit(made, 9);
}

static void *write_late(void *arg)
{
    int *p = arg;

    sleep_ms(30);
    EQ(write(p[1], "x", 1), 1);
    return NULL;
}

static void blocking_call_blocks_one(void)
{
    int p[2];
    char c;
    pthread_t t;

    OK(pipe(p));
    t = start(write_late, p);
    EQ(read(p[0], &c, 1), 1);
    join(t);
}

static void detached(void)
{
    pthread_attr_t attr;
    pthread_t t;

    EQ(pthread_attr_init(&attr), 0);
    EQ(pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED), 0);
    for (int i = 0; i < 100; i++) {
        EQ(pthread_create(&t, &attr, give_back, NULL), 0);
    }
    sleep_ms(50);
}

static void *robust_owner(void *arg)
{
    pthread_mutex_lock(arg);
    return NULL; /* ends with the mutex locked */
}

static void robust_mutex(void)
{
    pthread_mutexattr_t attr;
    pthread_mutex_t m;

    EQ(pthread_mutexattr_init(&attr), 0);
    EQ(pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST), 0);
    EQ(pthread_mutex_init(&m, &attr), 0);
    join(start(robust_owner, &m));
    EQ(pthread_mutex_lock(&m), EOWNERDEAD);
    EQ(pthread_mutex_consistent(&m), 0);
    EQ(pthread_mutex_unlock(&m), 0);
    EQ(pthread_mutex_lock(&m), 0);
}

static pthread_barrier_t barrier;

static void *meet(void *arg)
{
    for (int i = 0; i < 50; i++) {
        pthread_barrier_wait(&barrier);
    }
    return arg;
}

static void barriers(void)
{
    pthread_t t[4];

    EQ(pthread_barrier_init(&barrier, NULL, 4), 0);
    for (int i = 0; i < 4; i++) {
        t[i] = start(meet, NULL);
    }
    for (int i = 0; i < 4; i++) {
        join(t[i]);
    }
}

static void yield_and_affinity(void)
{
    unsigned long set[16] = {0};
    long n;

    OK(sched_yield());
    n = OK(syscall(SYS_sched_getaffinity, 0, sizeof set, set));
    CHECK(n >= 8 && n % 8 == 0 && set[0] != 0);
    ERR(syscall(SYS_sched_getaffinity, 0, 1, set), EINVAL);
    ERR(syscall(SYS_sched_getaffinity, 0x3fffffff, sizeof set, set), ESRCH);
}

const struct test thread_tests[] = {
    {"create_join", create_join},
    {"identities", identities},
    {"share_process", share_process},
    {"mutex", mutex},
    {"condition", condition},
    {"condition_timeout", condition_timeout},
    {"semaphores", semaphores},
    {"thread_local_data", thread_local_data},
    {"specific_data", specific_data},
    {"cancel", cancel},
    {"exit_ends_all", exit_ends_all},
    {"any_thread_ends_all", any_thread_ends_all},
    {"leader_may_end_first", leader_may_end_first},
    {"exec_ends_others", exec_ends_others},
    {"signal_to_process", signal_to_process},
    {"signal_to_thread", signal_to_thread},
    {"masks_are_per_thread", masks_are_per_thread},
    {"fork_in_thread", fork_in_thread},
    {"wait_for_others_child", wait_for_others_child},
    {"blocking_call_blocks_one", blocking_call_blocks_one},
    {"detached", detached},
    {"robust_mutex", robust_mutex},
    {"barriers", barriers},
    {"yield_and_affinity", yield_and_affinity},
    {0},
};
