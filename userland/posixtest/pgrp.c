/*
 * Process groups and sessions.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

static void groups(void)
{
    pid_t pid;
    struct gate ready, end;

    gate_init(&ready);
    gate_init(&end);
    EQ(getpgrp(), getpid()); /* the runner made it so */
    EQ(getpgid(0), getpid());
    EQ(getpgid(getpid()), getpid());
    CHILD(pid)
    {
        EQ(getpgrp(), getppid()); /* inherited */
        gate_open(&ready);
        gate_wait(&end);
        EQ(getpgrp(), getpid());
    }
    gate_wait(&ready);
    OK(setpgid(pid, pid));
    EQ(getpgid(pid), pid);
    OK(setpgid(pid, getpgrp()));
    EQ(getpgid(pid), getpgrp());
    OK(setpgid(pid, 0));
    EQ(getpgid(pid), pid);
    gate_open(&end);
    wait_ok(pid);
}

static void errors(void)
{
    pid_t pid, grandchild;
    int p[2];
    struct gate end;

    gate_init(&end);
    ERR(getpgid(0x3fffffff), ESRCH);
    ERR(getpgid(-1), ESRCH);
    ERR(setpgid(0, -1), EINVAL);
    ERR(setpgid(0x3fffffff, 0), ESRCH);
    ERR(setpgid(getppid(), 0), ESRCH);  /* not a child */
    ERR(setpgid(0, 0x3fffffff), EPERM); /* no such group in the session */
    OK(pipe(p));
    CHILD(pid)
    {
        grandchild = fork();
        if (grandchild == 0) {
            gate_wait(&end);
            _exit(0);
        }
        EQ(write(p[1], &grandchild, sizeof grandchild), sizeof grandchild);
        wait_ok(grandchild);
    }
    EQ(read(p[0], &grandchild, sizeof grandchild), sizeof grandchild);
    ERR(setpgid(grandchild, 0), ESRCH);
    gate_open(&end);
    wait_ok(pid);
    ERR(setpgid(pid, 0), ESRCH);
}

static void after_exec(void)
{
    pid_t pid;
    int p[2];
    char c;

    OK(pipe2(p, O_CLOEXEC));
    CHILD(pid)
    {
        execl(self_path, "posixtest", "--helper", "sleep", "5000", NULL);
        _exit(127);
    }
    OK(close(p[1]));
    EQ(read(p[0], &c, 1), 0); /* closed by exec */
    if (setpgid(pid, pid) == 0) {
        SKIP("cannot execute itself");
    }
    EQ(errno, EACCES);
    OK(kill(pid, SIGKILL));
    wait_killed(pid, SIGKILL);
}

static void sessions(void)
{
    pid_t pid, other;
    struct gate ready, end;

    gate_init(&ready);
    gate_init(&end);
    ERR(setsid(), EPERM); /* the test leads a group */
    EQ(getsid(0), getsid(getppid()));
    ERR(getsid(0x3fffffff), ESRCH);
    CHILD(pid)
    {
        EQ(setsid(), getpid());
        EQ(getsid(0), getpid());
        EQ(getpgrp(), getpid());
        ERR(setsid(), EPERM);
        ERR(setpgid(0, 0), EPERM); /* not for a session leader */
        gate_open(&ready);
        gate_wait(&end);
    }
    gate_wait(&ready);
    EQ(getsid(pid), pid);
    ERR(setpgid(pid, pid), EPERM);
    CHILD(other)
    {
        ERR(setpgid(0, pid), EPERM); /* a group of another session */
    }
    wait_ok(other);
    gate_open(&end);
    wait_ok(pid);
}

static void group_outlives_leader(void)
{
    pid_t leader, member;
    struct gate joined, end;
    int p[2], got;

    gate_init(&joined);
    gate_init(&end);
    OK(pipe(p));
    CHILD(leader)
    {
        gate_wait(&end);
    }
    OK(setpgid(leader, leader));
    CHILD(member)
    {
        OK(setpgid(0, leader));
        gate_open(&joined);
        while (getpgrp() == leader && kill(leader, 0) == 0) {
            sleep_ms(2);
        }
        got = getpgrp();
        EQ(write(p[1], &got, sizeof got), sizeof got);
        for (;;) {
            sleep_ms(100);
        }
    }
    gate_wait(&joined);
    gate_open(&end);
    wait_ok(leader);
    EQ(read(p[0], &got, sizeof got), sizeof got);
    EQ(got, leader);
    OK(kill(-leader, SIGTERM)); /* the group is still there */
    wait_killed(member, SIGTERM);
    ERR(kill(-leader, 0), ESRCH);
}

/* A stopped group whose last tie to a parent in the session goes gets SIGHUP and SIGCONT. */
static void orphaned_group(void)
{
    pid_t leader, stopped;
    int p[2];
    struct gate ready;
    char signals[2] = {0};

    gate_init(&ready);
    OK(pipe(p));
    CHILD(leader)
    {
        CHILD(stopped)
        {
            OK(setpgid(0, 0));
            OK(close(p[0]));
            handle(SIGHUP, count_signal, 0, 0);
            gate_open(&ready);
            OK(kill(getpid(), SIGSTOP));
            signals[0] = (char)caught_signo; /* SIGCONT let it go on, SIGHUP was handled */
            EQ(write(p[1], signals, 1), 1);
        }
        gate_wait(&ready);
        wait_state(stopped, 'T');
    }
    OK(close(p[1]));
    wait_ok(leader);
    EQ(read(p[0], signals, 1), 1);
    EQ(signals[0], SIGHUP);
}

/* No stopping by terminal signals where nobody is left to continue it. */
static void orphans_do_not_stop(void)
{
    pid_t middle;
    int p[2];
    char c;

    OK(pipe(p));
    CHILD(middle)
    {
        pid_t old = getpid();

        if (fork() == 0) {
            OK(close(p[0]));
            OK(setpgid(0, 0));
            while (getppid() == old) {
                sleep_ms(2);
            }
            OK(kill(getpid(), SIGTSTP)); /* is ignored */
            OK(kill(getpid(), SIGTTIN));
            EQ(write(p[1], "x", 1), 1);
            _exit(0);
        }
    }
    wait_ok(middle);
    OK(close(p[1]));
    EQ(read(p[0], &c, 1), 1);
}

const struct test pgrp_tests[] = {
    {"groups", groups},
    {"errors", errors},
    {"after_exec", after_exec},
    {"sessions", sessions},
    {"group_outlives_leader", group_outlives_leader},
    {"orphaned_group", orphaned_group},
    {"orphans_do_not_stop", orphans_do_not_stop},
    {0},
};
