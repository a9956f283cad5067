/*
 * What rt_sigqueueinfo and its kin take: codes, sizes, and in which order they look.
 */
#define _GNU_SOURCE
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

#define NOBODY 0x3fffffff
#define KEPT 48 /* bytes of a siginfo that a signal keeps */

static union {
    siginfo_t info;
    char byte[128];
} sent;

static long queue(int signo)
{
    return syscall(SYS_rt_sigqueueinfo, getpid(), signo, &sent);
}

/* The code as given, with nothing else, with the last byte that is kept, and with one more. */
static void code(int signo, int code, bool known)
{
    siginfo_t got;
    sigset_t set;
    for (int at = 0; at <= 127; at += at == 0 ? KEPT - 1 : at < KEPT ? 1 : 127 - KEPT) {
        memset(&sent, 0, sizeof sent);
        sent.byte[at] = at > 0 ? 7 : 0;
        sent.info.si_code = code;
        if (at >= KEPT && !known) {
            ERR(queue(signo), E2BIG);
            ERR(syscall(SYS_rt_tgsigqueueinfo, getpid(), getpid(), signo, &sent), E2BIG);
            continue;
        }
        OK(queue(signo));
        sigemptyset(&set);
        sigaddset(&set, signo);
        EQ(sigtimedwait(&set, &got, &(struct timespec){5, 0}), signo);
        EQ(got.si_signo, signo);
        EQ(got.si_code, code);
        if (at == KEPT - 1) {
            EQ(((char *)&got)[at], 7);
        }
    }
}

static void codes(void)
{
    sigset_t all;
    sigfillset(&all);
    OK(sigprocmask(SIG_BLOCK, &all, NULL));
    for (int c = -7; c <= 6; c++) {
        code(SIGUSR1, c, true);
    }
    code(SIGUSR1, 128, true); /* SI_KERNEL */
    code(SIGUSR1, -60, true); /* SI_ASYNCNL */
    code(SIGUSR1, -8, false);
    code(SIGUSR1, -59, false);
    code(SIGUSR1, -61, false);
    code(SIGUSR1, 7, false);
    code(SIGUSR1, 127, false);
    code(SIGUSR1, 129, false);
    code(SIGRTMIN, 7, false);
    code(SIGFPE, 15, true);
    code(SIGFPE, 16, false);
    code(SIGILL, 11, true);
    code(SIGILL, 12, false);
    code(SIGSEGV, 9, true);
    code(SIGSEGV, 10, false);
    code(SIGBUS, 5, true);
    code(SIGBUS, 6, false);
    code(SIGTRAP, 6, true);
    code(SIGTRAP, 7, false);
    code(SIGCHLD, 6, true);
    code(SIGCHLD, 7, false);
    code(SIGSYS, 2, true);
    code(SIGSYS, 3, false);
}

/* Half of it before memory that is not there: only looked at when the code is not known. */
static void half_there(void)
{
    char *at = page_before_hole() + page_size() - KEPT;
    handle(SIGUSR1, count_signal, 0, 0);
    memset(at, 0, KEPT);
    OK(syscall(SYS_rt_sigqueueinfo, getpid(), SIGUSR1, at));
    EQ(caught, 1);
    ((siginfo_t *)at)->si_code = -100;
    ERR(syscall(SYS_rt_sigqueueinfo, getpid(), SIGUSR1, at), EFAULT);
    EQ(caught, 1);
}

static void order(void)
{
    int fd;
    memset(&sent, 0, sizeof sent);
    sent.info.si_code = -100;
    sent.byte[127] = 1;
    /* Size, then the numbers, then whether it may, who, and last of all the signal. */
    ERR(syscall(SYS_rt_sigqueueinfo, NOBODY, 99, &sent), E2BIG);
    ERR(syscall(SYS_rt_tgsigqueueinfo, 0, 0, 99, &sent), E2BIG);
    sent.byte[127] = 0;
    ERR(syscall(SYS_rt_sigqueueinfo, NOBODY, 99, &sent), ESRCH);
    ERR(syscall(SYS_rt_sigqueueinfo, getpid(), 99, &sent), EINVAL);
    ERR(syscall(SYS_rt_tgsigqueueinfo, NOBODY, NOBODY, 99, &sent), ESRCH);
    ERR(syscall(SYS_rt_tgsigqueueinfo, getpid(), getpid(), 99, &sent), EINVAL);
    OK(syscall(SYS_rt_sigqueueinfo, getpid(), 0, &sent));
    sent.info.si_code = SI_TKILL;
    ERR(syscall(SYS_rt_tgsigqueueinfo, 0, NOBODY, 99, &sent), EINVAL);
    ERR(syscall(SYS_rt_sigqueueinfo, NOBODY, 99, &sent), EPERM);
    ERR(syscall(SYS_rt_tgsigqueueinfo, NOBODY, NOBODY, 99, &sent), EPERM);
    ERR(kill(NOBODY, 99), ESRCH);
    ERR(kill(getpid(), 99), EINVAL);
    ERR(kill(0, 99), EINVAL);
    ERR(kill(-NOBODY, 99), ESRCH);
    ERR(syscall(SYS_tgkill, NOBODY, NOBODY, 99), ESRCH);
    ERR(syscall(SYS_tgkill, getpid(), getpid(), 99), EINVAL);
    ERR(syscall(SYS_tkill, NOBODY, 99), ESRCH);
    ERR(syscall(SYS_tkill, 0, 99), EINVAL);

    fd = (int)OK(syscall(SYS_pidfd_open, getpid(), 0));
    sent.info.si_code = -100;
    sent.byte[127] = 1;
    ERR(syscall(SYS_pidfd_send_signal, fd, 99, &sent, 0), E2BIG);
    sent.byte[127] = 0;
    ERR(syscall(SYS_pidfd_send_signal, fd, 99, &sent, 0), EINVAL); /* another signal in it */
    sent.info.si_signo = 99;
    ERR(syscall(SYS_pidfd_send_signal, fd, 99, &sent, 0), EINVAL);
    OK(close(fd));
}

static void by_tracer(void)
{
    pid_t pid;
    int status;
    CHILD(pid)
    {
        OK(ptrace(PTRACE_TRACEME, 0, 0, 0));
        raise(SIGUSR2);
    }
    EQ(OK(waitpid(pid, &status, 0)), pid);
    CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGUSR2);
    OK(ptrace(PTRACE_GETSIGINFO, pid, 0, &sent));
    sent.byte[127] = 1;
    OK(ptrace(PTRACE_SETSIGINFO, pid, 0, &sent)); /* the code is known */
    sent.info.si_code = -100;
    ERR(ptrace(PTRACE_SETSIGINFO, pid, 0, &sent), E2BIG);
    OK(ptrace(PTRACE_GETSIGINFO, pid, 0, &sent));
    EQ(sent.info.si_code, SI_TKILL);
    OK(ptrace(PTRACE_CONT, pid, 0, 0));
    wait_ok(pid);
}

const struct test siginfo_tests[] = {
    {"codes", codes}, {"half_there", half_there}, {"order", order}, {"by_tracer", by_tracer}, {0},
};
