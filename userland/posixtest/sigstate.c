/*
 * What a signal must leave as it was: registers, floating point, the stack; and alternate stacks.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>

#include "test.h"

static volatile double sink;

/* A handler that uses the floating-point unit as a program would. */
static void use_fp(int signo)
{
    double x = 1.5;

    count_signal(signo);
    for (int i = 0; i < 50; i++) {
        x = x * 1.25 - 0.75 / x;
    }
    sink = x;
}

static void start_timer(int us)
{
    struct itimerval t = {{0, us}, {0, us}};

    OK(setitimer(ITIMER_REAL, &t, NULL));
}

static void fp_across_signals(void)
{
    double a = 1, b = 2, c = 3, d = 4;

    handle(SIGALRM, use_fp, SA_RESTART, 0);
    start_timer(1000);
    while (caught < 30) {
        for (int i = 0; i < 1000; i++) {
            a += 1;
            b += a;
            c -= 0.5;
            d *= 1.0;
            __asm__ volatile("" ::: "memory");
        }
        CHECK(d == 4 && c < 3 && b > a);
    }
    /* The same sums without interruptions. */
    double n = a - 1, e = 3 - n * 0.5;
    CHECK(c == e);
}

static void fp_across_fork(void)
{
    volatile double before = 0.1;
    double x = before * 3, y = before * 7;
    pid_t pid;

    CHILD(pid)
    {
        CHECK(x == before * 3 && y == before * 7);
        sink = x * y;
    }
    CHECK(x == before * 3 && y == before * 7);
    wait_ok(pid);
}

static void fp_of_processes(void)
{
    enum { N = 4 };
    pid_t pid[N];

    for (int i = 0; i < N; i++) {
        CHILD(pid[i])
        {
            double x = i + 1, sum = 0;

            for (int k = 0; k < 3000000; k++) {
                sum += x;
            }
            CHECK(sum == x * 3000000);
        }
    }
    for (int i = 0; i < N; i++) {
        wait_ok(pid[i]);
    }
}

#ifdef __riscv
/*
 * Fills all registers but a few with known values, spins until a signal has come, and compares.
 * Returns the number of registers that changed.
 */
#define SET(reg, value) "li " #reg ", " #value "\n"
#define SET_F(reg, from) "fmv.d.x " #reg ", " #from "\n"
#define COUNT(value) "li t0, " #value "\n sub t1, t1, t0\n snez t1, t1\n add %0, %0, t1\n"
#define SAME(reg, value) "mv t1, " #reg "\n" COUNT(value)
#define SAME_F(reg, value) "fmv.x.d t1, " #reg "\n" COUNT(value)

static long spin_with_registers(volatile sig_atomic_t *flag)
{
    long wrong = 0;

    __asm__ volatile(
        SET(s2, 0x102) SET(s3, 0x103) SET(s4, 0x104) SET(s5, 0x105) SET(s6, 0x106) SET(s7, 0x107)
            SET(s8, 0x108) SET(s9, 0x109) SET(s10, 0x10a) SET(s11, 0x10b) SET(a2, 0x10c)
                SET(a3, 0x10d) SET(a4, 0x10e) SET(a5, 0x10f) SET(a6, 0x110) SET(a7, 0x111) SET(
                    t2, 0x112) SET(t3, 0x113) SET(t4, 0x114) SET(t5, 0x115) SET_F(f0, s2)
                    SET_F(f7, s3) SET_F(f8, s4) SET_F(f15, s5) SET_F(f18, s6) SET_F(
                        f31, s7) "li t0, 3\n fsrm t0\n"
                                 "1: lw t0, 0(%1)\n beqz t0, 1b\n" SAME(s2, 0x102) SAME(s3, 0x103)
                                     SAME(s4, 0x104) SAME(s5, 0x105) SAME(s6, 0x106) SAME(s7, 0x107)
                                         SAME(s8, 0x108) SAME(s9, 0x109) SAME(s10, 0x10a)
                                             SAME(s11, 0x10b) SAME(a2, 0x10c) SAME(a3, 0x10d)
                                                 SAME(a4, 0x10e) SAME(a5, 0x10f) SAME(a6, 0x110)
                                                     SAME(a7, 0x111) SAME(t2, 0x112) SAME(
                                                         t3, 0x113) SAME(t4, 0x114) SAME(t5, 0x115)
                                                         SAME_F(f0, 0x102) SAME_F(f7, 0x103) SAME_F(
                                                             f8, 0x104) SAME_F(f15,
                                                                               0x105) SAME_F(f18,
                                                                                             0x106)
                                                             SAME_F(f31, 0x107) "frrm t1\n" COUNT(
                                                                 3) "fsrm zero\n"
        : "+&r"(wrong)
        : "r"(flag)
        : "memory", "t0", "t1", "t2", "t3", "t4", "t5", "s2", "s3", "s4", "s5", "s6", "s7", "s8",
          "s9", "s10", "s11", "a2", "a3", "a4", "a5", "a6", "a7", "f0", "f7", "f8", "f15", "f18",
          "f31");
    return wrong;
}

static void disturb(int signo)
{
    __asm__ volatile("fsrm zero" ::: "memory");
    use_fp(signo);
    sink = (double)random();
}
#endif

static void all_registers(void)
{
#ifdef __riscv
    handle(SIGALRM, disturb, 0, 0);
    for (int i = 0; i < 20; i++) {
        struct itimerval t = {{0, 0}, {0, 2000}};

        caught = 0;
        OK(setitimer(ITIMER_REAL, &t, NULL));
        EQ(spin_with_registers(&caught), 0);
    }
#else
    SKIP("for riscv");
#endif
}

static int *volatile stack_spot;

static void on_which_stack(int signo)
{
    int here = signo;

    stack_spot = &here;
    __asm__ volatile("" ::"r"(stack_spot) : "memory");
    count_signal(signo);
}

static volatile int inside_flags;

static void look_at_altstack(int signo)
{
    stack_t other = {.ss_flags = SS_DISABLE}, now;

    on_which_stack(signo);
    OK(sigaltstack(NULL, &now));
    inside_flags = now.ss_flags;
    ERR(sigaltstack(&other, NULL), EPERM); /* not while standing on it */
}

static void alternate_stack(void)
{
    stack_t st = {.ss_sp = malloc(65536), .ss_size = 65536}, old;

    CHECK(st.ss_sp);
    OK(sigaltstack(NULL, &old));
    EQ(old.ss_flags, SS_DISABLE);
    OK(sigaltstack(&st, NULL));
    handle(SIGUSR1, on_which_stack, 0, 0);
    OK(kill(getpid(), SIGUSR1));
    CHECK((char *)stack_spot < (char *)st.ss_sp || (char *)stack_spot >= (char *)st.ss_sp + 65536);
    handle(SIGUSR1, look_at_altstack, SA_ONSTACK, 0);
    OK(kill(getpid(), SIGUSR1));
    CHECK((char *)stack_spot >= (char *)st.ss_sp && (char *)stack_spot < (char *)st.ss_sp + 65536);
    EQ(inside_flags, SS_ONSTACK);
    OK(sigaltstack(NULL, &old));
    EQ(old.ss_flags, 0);
    CHECK(old.ss_sp == st.ss_sp);
    EQ(old.ss_size, 65536);
    st.ss_size = 100;
    ERR(sigaltstack(&st, NULL), ENOMEM);
    st.ss_flags = 0x40;
    st.ss_size = 65536;
    ERR(sigaltstack(&st, NULL), EINVAL);
    st.ss_flags = SS_DISABLE;
    OK(sigaltstack(&st, NULL));
    OK(sigaltstack(NULL, &old));
    EQ(old.ss_flags, SS_DISABLE);
}

static sigjmp_buf jump;

static void escape(int signo)
{
    (void)signo;
    siglongjmp(jump, 1);
}

static char *volatile runaway;

static int __attribute__((noinline)) recurse(int n)
{
    char block[4096];

    memset(block, n, sizeof block);
    runaway = block;
    __asm__ volatile("" ::"r"(block) : "memory");
    return n < 0 ? 0 : recurse(n + 1) + block[n % 4096]; /* never ends */
}

/* A handler for a stack overflow needs a stack of its own. */
static void stack_overflow(void)
{
    stack_t st = {.ss_sp = malloc(65536), .ss_size = 65536};

    OK(sigaltstack(&st, NULL));
    handle(SIGSEGV, escape, SA_ONSTACK, 0);
    for (int i = 0; i < 2; i++) {
        if (sigsetjmp(jump, 1) == 0) {
            EQ(recurse(0), -1);
        }
    }
}

static void stack_overflow_kills(void)
{
    pid_t pid;

    CHILD(pid)
    {
        handle(SIGSEGV, count_signal, 0, 0); /* there is no stack to run it on */
        EQ(recurse(0), -1);
    }
    wait_killed(pid, SIGSEGV);
}

static void altstack_over_fork(void)
{
    stack_t st = {.ss_sp = malloc(65536), .ss_size = 65536}, old;
    pid_t pid;

    OK(sigaltstack(&st, NULL));
    CHILD(pid)
    {
        OK(sigaltstack(NULL, &old));
        CHECK(old.ss_sp == st.ss_sp);
    }
    wait_ok(pid);
}

/* A handler may change where and how the program goes on. */
static void edit_context(int signo, siginfo_t *si, void *context)
{
    ucontext_t *uc = context;
    uint64_t add = SIGBIT(SIGUSR2);

    (void)si;
    count_signal(signo);
    memcpy(&uc->uc_sigmask, &add, sizeof add);
}

static void context_mask(void)
{
    handle(SIGUSR1, edit_context, SA_SIGINFO, 0);
    OK(kill(getpid(), SIGUSR1));
    EQ(sig_mask(), SIGBIT(SIGUSR2));
}

static void skip_instruction(int signo, siginfo_t *si, void *context)
{
    ucontext_t *uc = context;

    (void)si;
    count_signal(signo);
#if defined __riscv
    uc->uc_mcontext.__gregs[0] += 4;
#elif defined __x86_64__
    uc->uc_mcontext.gregs[16] += 2; /* REG_RIP, over ud2 */
#endif
}

static void context_pc(void)
{
    handle(SIGILL, skip_instruction, SA_SIGINFO, 0);
#if defined __riscv
    __asm__ volatile(".option push\n.option norvc\n.word 0x0000000b\n.option pop" ::: "memory");
#elif defined __x86_64__
    __asm__ volatile("ud2" ::: "memory");
#else
    SKIP("unknown machine");
#endif
    EQ(caught, 1);
}

const struct test sigstate_tests[] = {
    {"fp_across_signals", fp_across_signals},
    {"fp_across_fork", fp_across_fork},
    {"fp_of_processes", fp_of_processes},
    {"all_registers", all_registers},
    {"alternate_stack", alternate_stack},
    {"stack_overflow", stack_overflow},
    {"stack_overflow_kills", stack_overflow_kills},
    {"altstack_over_fork", altstack_over_fork},
    {"context_mask", context_mask},
    {"context_pc", context_pc},
    {0},
};
