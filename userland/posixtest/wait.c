/*
 * fork, exit and the many ways to wait.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

static void exit_codes(void)
{
    static const int codes[] = {0, 1, 42, 127, 128, 255, 256, 257, -1};
    pid_t pid;
    int status;

    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        CHILD(pid)
        {
            _exit(codes[i]);
        }
        EQ(waitpid(pid, &status, 0), pid);
        EQ(status, (codes[i] & 255) << 8);
    }
}

static void errors(void)
{
    siginfo_t si;
    int status;
    pid_t pid;

    ERR(waitpid(-1, &status, 0), ECHILD);
    ERR(waitpid(1, &status, 0), ECHILD);
    ERR(waitpid(getpid(), &status, 0), ECHILD);
    ERR(waitpid(-0x3fffffff, &status, 0), ECHILD);
    ERR(waitid(P_ALL, 0, &si, WEXITED), ECHILD);
    ERR(waitid(P_ALL, 0, &si, WEXITED | WNOHANG), ECHILD);
    CHILD(pid)
    {
    }
    ERR(waitpid(pid, &status, 0x1000), EINVAL);
    ERR(waitid(P_ALL, 0, &si, 0), EINVAL);
    ERR(waitid(P_ALL, 0, &si, WNOHANG), EINVAL);
    ERR(waitid(99, 0, &si, WEXITED), EINVAL);
    ERR(waitid(P_PID, 0, &si, WEXITED), EINVAL);
    /* What it has to say is written whatever it is, so an address that is none counts more than the error. */
    si.si_signo = si.si_code = 7;
    ERR(syscall(SYS_waitid, P_ALL, 0, &si, 0, NULL), EINVAL);
    EQ(si.si_signo, 0);
    EQ(si.si_code, 0);
    ERR(syscall(SYS_waitid, P_ALL, 0, 8, 0, NULL), EFAULT);
    ERR(syscall(SYS_waitid, 99, 0, 8, WEXITED, NULL), EFAULT);
    ERR(syscall(SYS_waitid, P_PID, getpid(), 8, WEXITED, NULL), EFAULT);
    ERR(syscall(SYS_waitid, P_ALL, 0, NULL, 0, NULL), EINVAL);
    ERR(syscall(SYS_waitid, P_PID, getpid(), NULL, WEXITED, 8), ECHILD); /* that is not */
    wait_ok(pid);
    ERR(waitpid(pid, &status, 0), ECHILD);
}

static void no_hang(void)
{
    struct gate end;
    siginfo_t si;
    int status = 77;
    pid_t pid;

    gate_init(&end);
    CHILD(pid)
    {
        gate_wait(&end);
        _exit(3);
    }
    EQ(waitpid(pid, &status, WNOHANG), 0);
    EQ(status, 77);
    memset(&si, 0xff, sizeof si);
    OK(waitid(P_PID, (id_t)pid, &si, WEXITED | WNOHANG));
    EQ(si.si_pid, 0);
    EQ(si.si_signo, 0);
    gate_open(&end);
    wait_state(pid, 'Z');
    EQ(waitpid(-1, &status, WNOHANG), pid);
    EQ(WEXITSTATUS(status), 3);
}

static void info(void)
{
    siginfo_t si;
    pid_t pid;

    CHILD(pid)
    {
        _exit(5);
    }
    OK(waitid(P_PID, (id_t)pid, &si, WEXITED | WNOWAIT));
    EQ(si.si_signo, SIGCHLD);
    EQ(si.si_code, CLD_EXITED);
    EQ(si.si_pid, pid);
    EQ(si.si_uid, getuid());
    EQ(si.si_status, 5);
    OK(waitid(P_ALL, 0, &si, WEXITED | WNOWAIT)); /* still there */
    EQ(si.si_pid, pid);
    OK(waitid(P_PID, (id_t)pid, &si, WEXITED));
    ERR(waitid(P_PID, (id_t)pid, &si, WEXITED), ECHILD);
    CHILD(pid)
    {
        kill(getpid(), SIGTERM);
    }
    OK(waitid(P_PID, (id_t)pid, &si, WEXITED));
    EQ(si.si_code, CLD_KILLED);
    EQ(si.si_status, SIGTERM);
    CHILD(pid)
    {
    }
    OK(waitid(P_PID, (id_t)pid, NULL, WEXITED));
}

static void by_group(void)
{
    struct gate ready, end;
    pid_t ours, other;
    siginfo_t si;
    int status;

    gate_init(&ready);
    gate_init(&end);
    CHILD(other)
    {
        OK(setpgid(0, 0));
        gate_open(&ready);
        gate_wait(&end);
        _exit(2);
    }
    gate_wait(&ready);
    CHILD(ours)
    {
        _exit(1);
    }
    EQ(waitpid(0, &status, 0), ours);
    ERR(waitpid(0, &status, 0), ECHILD); /* only the other group is left */
    EQ(waitpid(-other, &status, WNOHANG), 0);
    OK(waitid(P_PGID, (id_t)other, &si, WEXITED | WNOHANG));
    EQ(si.si_pid, 0);
    gate_open(&end);
    EQ(waitpid(-other, &status, 0), other);
    EQ(WEXITSTATUS(status), 2);
}

static void any_order(void)
{
    enum { N = 30 };
    pid_t pid[N], got;
    int seen = 0, status;

    for (int i = 0; i < N; i++) {
        CHILD(pid[i])
        {
            sleep_ms((N - i) % 7);
            _exit(i);
        }
    }
    while ((got = waitpid(-1, &status, 0)) > 0) {
        EQ(pid[WEXITSTATUS(status)], got);
        seen++;
    }
    EQ(errno, ECHILD);
    EQ(seen, N);
}

static void memory_is_copied(void)
{
    static volatile int data = 1;
    volatile int *heap = malloc(sizeof *heap);
    volatile int stack = 3;
    pid_t pid;

    *heap = 2;
    CHILD(pid)
    {
        CHECK(data == 1 && *heap == 2 && stack == 3);
        data = *heap = stack = 10;
        CHECK(data == 10 && *heap == 10 && stack == 10);
    }
    data++;
    wait_ok(pid);
    CHECK(data == 2 && *heap == 2 && stack == 3);
}

static void identities(void)
{
    pid_t parent = getpid(), pid;
    int p[2], told[2];

    OK(pipe(p));
    CHILD(pid)
    {
        told[0] = getpid();
        told[1] = getppid();
        EQ(write(p[1], told, sizeof told), sizeof told);
        EQ(syscall(SYS_gettid), getpid());
        CHECK(getpid() != parent);
    }
    EQ(read(p[0], told, sizeof told), sizeof told);
    EQ(told[0], pid);
    EQ(told[1], parent);
    wait_ok(pid);
}

static void orphan(void)
{
    pid_t self = getpid(), middle;
    int p[2], parent;

    OK(pipe(p));
    CHILD(middle)
    {
        pid_t old = getpid();

        if (fork() == 0) {
            while (getppid() == old) {
                sleep_ms(2);
            }
            parent = getppid();
            EQ(write(p[1], &parent, sizeof parent), sizeof parent);
            _exit(0);
        }
        _exit(0);
    }
    wait_ok(middle);
    EQ(read(p[0], &parent, sizeof parent), sizeof parent);
    CHECK(parent != self && parent != middle); /* 1, where nobody else collects orphans */
    ERR(waitpid(-1, NULL, 0), ECHILD);
}

static void zombies_children(void)
{
    pid_t pid;
    int p[2];
    char c;

    OK(pipe(p));
    CHILD(pid)
    {
        OK(close(p[0]));
        if (fork() == 0) {
            sleep_ms(50);
            EQ(write(p[1], "x", 1), 1);
            _exit(0);
        }
    }
    OK(close(p[1]));
    wait_state(pid, 'Z'); /* its own child lives on */
    EQ(read(p[0], &c, 1), 1);
    EQ(read(p[0], &c, 1), 0);
    wait_ok(pid);
}

static void usage(void)
{
    struct rusage ru;
    int status;
    pid_t pid;

    CHILD(pid)
    {
        int64_t start = now_ms();

        while (now_ms() - start < 100) {
        }
    }
    memset(&ru, 0xff, sizeof ru);
    EQ(wait4(pid, &status, 0, &ru), pid);
    CHECK(ru.ru_utime.tv_sec * 1000000 + ru.ru_utime.tv_usec + ru.ru_stime.tv_sec * 1000000 +
              ru.ru_stime.tv_usec >
          20000);
    OK(getrusage(RUSAGE_CHILDREN, &ru));
    CHECK(ru.ru_utime.tv_usec + ru.ru_stime.tv_usec > 20000);
    OK(getrusage(RUSAGE_SELF, &ru));
    ERR(getrusage(99, &ru), EINVAL);
}

static volatile int shared;

static int set_shared(void *arg)
{
    (void)arg;
    sleep_ms(50);
    shared = 1; /* the parent's own memory */
    return 4;
}

/* Not by vfork(): that is fork() in some C libraries. */
static void vfork_waits(void)
{
    char *stack = malloc(65536);
    pid_t pid = OK(clone(set_shared, stack + 65536, CLONE_VM | CLONE_VFORK | SIGCHLD, NULL));

    EQ(shared, 1);
    wait_exit(pid, 4);
}

static void vfork_until_exec(void)
{
    struct gate g;
    pid_t pid;

    gate_init(&g);
    pid = vfork();
    if (pid == 0) {
        execl(self_path, "posixtest", "--helper", "sleep", "300", NULL);
        _exit(127);
    }
    CHECK(pid > 0);
    int64_t start = now_ms();
    int status = wait_status(pid);

    if (WIFEXITED(status) && WEXITSTATUS(status) == 127) {
        SKIP("cannot execute itself");
    }
    EQ(status, 0);
    CHECK(now_ms() - start > 100); /* it ran beside us after exec */
}

static void closed_at_exit(void)
{
    int p[2];
    char c;
    pid_t pid;

    OK(pipe(p));
    CHILD(pid)
    {
        kill(getpid(), SIGKILL);
    }
    OK(close(p[1]));
    EQ(read(p[0], &c, 1), 0);
    wait_killed(pid, SIGKILL);
}

static void fork_of_forks(void)
{
    pid_t pid;

    for (int depth = 0; depth < 20; depth++) {
        pid = OK(fork());
        if (pid > 0) {
            wait_exit(pid, depth + 1);
            if (depth == 0) {
                return;
            }
            _exit(depth);
        }
    }
    _exit(20);
}

static void many_generations(void)
{
    pid_t pid, last = 0;

    for (int i = 0; i < 300; i++) {
        CHILD(pid)
        {
        }
        CHECK(pid != last);
        last = pid;
        wait_ok(pid);
    }
}

static void clear_child_tid(void)
{
    int *word = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t pid;

    CHECK(word != MAP_FAILED);
    *word = 1234;
    CHILD(pid)
    {
        EQ(syscall(SYS_set_tid_address, word), getpid());
    }
    wait_ok(pid);
    EQ(*word, 1234); /* only cleared for others who share the memory map */
}

const struct test wait_tests[] = {
    {"exit_codes", exit_codes},
    {"errors", errors},
    {"no_hang", no_hang},
    {"info", info},
    {"by_group", by_group},
    {"any_order", any_order},
    {"memory_is_copied", memory_is_copied},
    {"identities", identities},
    {"orphan", orphan},
    {"zombies_children", zombies_children},
    {"usage", usage},
    {"vfork_waits", vfork_waits},
    {"vfork_until_exec", vfork_until_exec},
    {"closed_at_exit", closed_at_exit},
    {"fork_of_forks", fork_of_forks},
    {"many_generations", many_generations},
    {"clear_child_tid", clear_child_tid},
    {0},
};
