/*
 * Restartable sequences: registration, what aborts one, where it goes on.
 */
#define _GNU_SOURCE
#include <linux/rseq.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

#define SIGNATURE 0x53053053u
#define MISMATCH 0x11111111u
#define LEN 32

static __thread struct rseq area __attribute__((aligned(32)));

static long rseq(void *at, uint32_t len, int flags, uint32_t sig)
{
    return syscall(SYS_rseq, at, len, flags, sig);
}

static void begin(void)
{
    area.cpu_id = RSEQ_CPU_ID_UNINITIALIZED;
    OK(rseq(&area, LEN, 0, SIGNATURE));
}

static uint64_t *pointer(void)
{
    return (uint64_t *)((char *)&area + 8);
}

static void registration(void)
{
    int harts = (int)sysconf(_SC_NPROCESSORS_CONF);
    ERR(rseq(&area, LEN, 2, SIGNATURE), EINVAL);
    ERR(rseq(&area, LEN, RSEQ_FLAG_UNREGISTER, SIGNATURE), EINVAL);
    ERR(rseq(&area, LEN - 1, 0, SIGNATURE), EINVAL);
    ERR(rseq((char *)&area + 8, LEN, 0, SIGNATURE), EINVAL);
    ERR(rseq((void *)~31ul, LEN, 0, SIGNATURE), EFAULT);
    begin();
    CHECK(area.cpu_id_start < (uint32_t)harts);
    EQ(area.cpu_id, area.cpu_id_start);
    ERR(rseq(&area, LEN, 0, SIGNATURE), EBUSY);
    ERR(rseq(&area, LEN, 0, MISMATCH), EPERM);
    ERR(rseq(&area, LEN * 2, 0, SIGNATURE), EINVAL);
    ERR(rseq(&area + 1, LEN, 0, SIGNATURE), EINVAL);
    ERR(rseq(&area, LEN, RSEQ_FLAG_UNREGISTER, MISMATCH), EPERM);
    ERR(rseq(&area + 1, LEN, RSEQ_FLAG_UNREGISTER, SIGNATURE), EINVAL);
    ERR(rseq(&area, LEN - 1, RSEQ_FLAG_UNREGISTER, SIGNATURE), EINVAL);
    ERR(rseq(&area, LEN, RSEQ_FLAG_UNREGISTER | 2, SIGNATURE), EINVAL);
    OK(rseq(&area, LEN, RSEQ_FLAG_UNREGISTER, SIGNATURE));
    EQ((int32_t)area.cpu_id, RSEQ_CPU_ID_UNINITIALIZED);
    EQ(area.cpu_id_start, 0);
    begin();
}

/* Who writes where nothing is is told so when its program goes on. */
static void no_memory_there(void)
{
    pid_t pid;
    CHILD(pid)
    {
        void *at = mmap(NULL, page_size(), PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        rseq(at, LEN, 0, SIGNATURE);
    }
    wait_killed(pid, SIGSEGV);
}

static void *register_again(void *arg)
{
    ERR(rseq(&area, LEN, RSEQ_FLAG_UNREGISTER, SIGNATURE), EINVAL);
    begin();
    OK(rseq(&area, LEN, RSEQ_FLAG_UNREGISTER, SIGNATURE));
    return NULL;
}

/* A thread has none, a fork keeps it, another program forgets it. */
static void heirs(void)
{
    pthread_t t;
    pid_t pid;
    begin();
    EQ(pthread_create(&t, NULL, register_again, NULL), 0);
    EQ(pthread_join(t, NULL), 0);
    CHILD(pid)
    {
        area.cpu_id = 12345;
        sched_yield();
        ERR(rseq(&area, LEN, 0, SIGNATURE), EBUSY);
        OK(rseq(&area, LEN, RSEQ_FLAG_UNREGISTER, SIGNATURE));
    }
    wait_ok(pid);
    CHILD(pid)
    {
        execl(self_path, "posixtest", "--helper", "rseq", NULL);
    }
    wait_ok(pid);
}

/* Behind a sequence from 1 to 2: where it goes on when it was aborted, its description, 3, and the end of both. */
#define BEHIND_SEQUENCE       \
    ".word 0x53053053\n"      \
    "4: j 5f\n"               \
    ".pushsection .data\n"    \
    ".balign 32\n"            \
    "3: .word 0, 0\n"         \
    ".quad 1b, 2b - 1b, 4b\n" \
    ".popsection\n"           \
    "5:\n"

/* An endless sequence, which ends when something aborts it. */
static void spin(struct rseq *r)
{
    __asm__ volatile("la t0, 3f\n"
                     "sd t0, 8(%0)\n"
                     "1: addi t1, t1, 1\n"
                     "j 1b\n"
                     "2:\n" BEHIND_SEQUENCE
                     :
                     : "r"(r)
                     : "t0", "t1", "memory");
}

static volatile uint64_t seen_pointer;
static void note_pointer(int signo)
{
    seen_pointer = *pointer();
    caught++;
}

static void a_signal_aborts(void)
{
    struct itimerval soon = {{0, 0}, {0, 20000}};
    begin();
    handle(SIGALRM, note_pointer, 0, 0);
    for (int i = 1; i <= 5; i++) {
        OK(setitimer(ITIMER_REAL, &soon, NULL));
        spin(&area); /* ends when the handler has run, or before */
        EQ(*pointer(), 0);
        while (caught < i) {
            sched_yield();
        }
        EQ(seen_pointer, 0);
    }
}

/* Others want the hart, too; should they all be content with the other harts, a signal ends it. */
static void preemption_aborts(void)
{
    struct itimerval later = {{2, 0}, {2, 0}};
    long harts = sysconf(_SC_NPROCESSORS_ONLN);
    pid_t pid[16];
    for (long i = 0; i < 2 * harts && i < 16; i++) {
        CHILD(pid[i])
        {
            for (;;) {
                __asm__ volatile("");
            }
        }
    }
    begin();
    handle(SIGALRM, count_signal, 0, 0);
    OK(setitimer(ITIMER_REAL, &later, NULL));
    for (int i = 0; i < 5; i++) {
        spin(&area);
        EQ(*pointer(), 0);
    }
    for (long i = 0; i < 2 * harts && i < 16; i++) {
        OK(kill(pid[i], SIGKILL));
        wait_killed(pid[i], SIGKILL);
    }
}

static struct rseq_cs elsewhere __attribute__((aligned(32)));
static uint32_t landing[2] = {0, SIGNATURE};

/* A description of some other place is only forgotten; a wrong one ends the program. */
static void descriptions(void)
{
    struct {
        uint64_t start, length, abort;
        uint32_t version, flags;
        bool good;
    } all[] = {
        {0x1000, 8, (uintptr_t)&landing[2], 0, 0, true},
        {0x1000, 8, (uintptr_t)&landing[2], 0, 1, true},  /* flags count inside only */
        {0x1000, 8, (uintptr_t)&landing[1], 0, 0, false}, /* no signature */
        {0x1000, 8, (uintptr_t)&landing[2], 1, 0, false},
        {(uintptr_t)landing, 16, (uintptr_t)&landing[2], 0, 0, false}, /* aborts into itself */
        {~0ul << 12, 8, (uintptr_t)&landing[2], 0, 0, false},
        {0x1000, ~0ul - 0x800, (uintptr_t)&landing[2], 0, 0, false},
        {0x1000, 8, ~0ul << 12, 0, 0, false},
        {0x1000, 8, 16, 0, 0, false},
    };
    handle(SIGUSR1, count_signal, 0, 0);
    begin();
    for (unsigned i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        pid_t pid;
        CHILD(pid)
        {
            elsewhere = (struct rseq_cs){.version = all[i].version,
                                         .flags = all[i].flags,
                                         .start_ip = all[i].start,
                                         .post_commit_offset = all[i].length,
                                         .abort_ip = all[i].abort};
            *pointer() = (uintptr_t)&elsewhere;
            raise(SIGUSR1);
            EQ(*pointer(), 0);
        }
        if (all[i].good) {
            wait_ok(pid);
        } else {
            wait_killed(pid, SIGSEGV);
        }
    }
    pid_t pid;
    for (unsigned i = 0; i < 2; i++) { /* where there is none */
        CHILD(pid)
        {
            *pointer() = i == 0 ? ~0ul << 12 : 16;
            raise(SIGUSR1);
        }
        wait_killed(pid, SIGSEGV);
    }
    CHILD(pid)
    { /* inside, and not to be aborted: that is no more */
        struct itimerval soon = {{0, 0}, {0, 1000}};
        handle(SIGALRM, count_signal, 0, 0);
        area.flags = RSEQ_CS_FLAG_NO_RESTART_ON_SIGNAL;
        OK(setitimer(ITIMER_REAL, &soon, NULL));
        spin(&area);
    }
    wait_killed(pid, SIGSEGV);
}

#define COUNTERS 64
#define TURNS 20000
static struct {
    volatile uint64_t n;
    char pad[56];
} counters[COUNTERS];
static volatile int aborted;

/* One more in the counter of the hart we are on: false when aborted. */
static bool count_one(struct rseq *r)
{
    long done;
    uint64_t cpu = *(volatile uint32_t *)&r->cpu_id_start;
    volatile uint64_t *counter = &counters[cpu].n;
    __asm__ volatile("la t0, 3f\n"
                     "li %0, 0\n"
                     "sd t0, 8(%1)\n"
                     "1: lw t0, 4(%1)\n"
                     "bne t0, %2, 5f\n"
                     "ld t1, 0(%3)\n"
                     "addi t1, t1, 1\n"
                     "sd t1, 0(%3)\n"
                     "2: li %0, 1\n"
                     "j 5f\n" BEHIND_SEQUENCE
                     : "=&r"(done)
                     : "r"(r), "r"(cpu), "r"(counter)
                     : "t0", "t1", "memory");
    return done;
}

static void *count_many(void *arg)
{
    begin();
    for (int i = 0; i < TURNS;) {
        if (count_one(&area)) {
            i++;
        } else {
            __atomic_fetch_add(&aborted, 1, __ATOMIC_RELAXED);
        }
        if (i % 1000 == 0) {
            sched_yield();
        }
    }
    OK(rseq(&area, LEN, RSEQ_FLAG_UNREGISTER, SIGNATURE));
    return NULL;
}

/* Without a lock and without an atomic instruction, and yet nothing is lost. */
static void counters_of_harts(void)
{
    pthread_t t[8];
    uint64_t sum = 0;
    for (int i = 0; i < 8; i++) {
        EQ(pthread_create(&t[i], NULL, count_many, NULL), 0);
    }
    for (int i = 0; i < 8; i++) {
        EQ(pthread_join(t[i], NULL), 0);
    }
    for (int i = 0; i < COUNTERS; i++) {
        sum += counters[i].n;
    }
    EQ(sum, 8 * TURNS);
}

const struct test rseq_tests[] = {
    {"registration", registration},
    {"no_memory_there", no_memory_there},
    {"heirs", heirs},
    {"a_signal_aborts", a_signal_aborts},
    {"preemption_aborts", preemption_aborts},
    {"descriptions", descriptions},
    {"counters_of_harts", counters_of_harts},
    {0},
};
