/*
 * Every floating point register across signals, wherever on a signal's way there and back its process is switched.
 */
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include "test.h"

#ifdef __riscv
#define EACH_REG \
    ".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n"

/* The compiler is not told: it is for the system to bring all of them back. */
static void clear_all(int signo)
{
    count_signal(signo);
    __asm__ volatile(EACH_REG "fmv.d.x f\\n, zero\n"
                              ".endr\n"
                              "fscsr zero\n");
}

/*
 * Fills the registers with seed, seed + 1... and fcsr with flags and a rounding mode, sends the process a signal, and
 * compares.  Returns how many changed.
 */
static long signal_with_fp(long seed)
{
    register long a0 __asm__("a0") = getpid();
    register long a1 __asm__("a1") = SIGUSR1;
    register long a7 __asm__("a7") = SYS_kill;
    long wrong = 0, fcsr = 0x20 | (seed & 0x1f);

    __asm__ volatile(EACH_REG "addi t0, %4, \\n\n"
                              "fmv.d.x f\\n, t0\n"
                              ".endr\n"
                              "fscsr %5\n"
                              "ecall\n" EACH_REG "addi t0, %4, \\n\n"
                              "fmv.x.d t1, f\\n\n"
                              "sub t1, t1, t0\n"
                              "snez t1, t1\n"
                              "add %1, %1, t1\n"
                              ".endr\n"
                              "frcsr t1\n"
                              "sub t1, t1, %5\n"
                              "snez t1, t1\n"
                              "add %1, %1, t1\n"
                              "fscsr zero\n"
                     : "+r"(a0), "+r"(wrong)
                     : "r"(a1), "r"(a7), "r"(seed), "r"(fcsr)
                     : "memory", "t0", "t1", "f0", "f1", "f2", "f3", "f4", "f5", "f6", "f7", "f8",
                       "f9", "f10", "f11", "f12", "f13", "f14", "f15", "f16", "f17", "f18", "f19",
                       "f20", "f21", "f22", "f23", "f24", "f25", "f26", "f27", "f28", "f29", "f30",
                       "f31");
    EQ(a0, 0);
    return wrong;
}
#endif

/* More processes than harts, so that they are switched anywhere; new ones again and again, as those that compute for
 * long may be switched less often. */
static void across_switches(void)
{
#ifdef __riscv
    enum { MOST = 16, PROCESSES = 16, TIMES = 2000 };
    const struct itimerval often = {{0, 1000}, {0, 1000}};
    const long online = OK(sysconf(_SC_NPROCESSORS_ONLN));
    const int n = online < MOST / 2 ? (int)online * 2 : MOST;
    pid_t pid[MOST];

    handle(SIGUSR1, clear_all, 0, 0);
    handle(SIGALRM, clear_all, SA_RESTART, 0);
    for (int done = 0; done < PROCESSES; done += n) {
        for (int i = 0; i < n; i++) {
            CHILD(pid[i])
            {
                OK(setitimer(ITIMER_REAL, &often, NULL));
                for (int k = 1; k <= TIMES; k++) {
                    EQ(signal_with_fp(i * TIMES + k), 0);
                }
                CHECK(caught >= TIMES);
            }
        }
        for (int i = 0; i < n; i++) {
            wait_ok(pid[i]);
        }
    }
#else
    SKIP("for riscv");
#endif
}

const struct test sigfp_tests[] = {
    {"across_switches", across_switches},
    {0},
};
