/*
 * pidfds: opening, polling, waiting, signals, taking descriptors; CLONE_PIDFD.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

#define P_PIDFD_ 3

static int pidfd_open(pid_t pid, unsigned flags)
{
    return (int)syscall(SYS_pidfd_open, pid, flags);
}

static long send(int fd, int sig, siginfo_t *info, unsigned flags)
{
    return syscall(SYS_pidfd_send_signal, fd, sig, info, flags);
}

static short ready(int fd, int timeout)
{
    struct pollfd p = {fd, POLLIN, 0};

    OK(poll(&p, 1, timeout));
    return p.revents;
}

static void opening(void)
{
    pid_t pid;
    int fd = OK(pidfd_open(getpid(), 0));

    EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
    EQ(ready(fd, 0), 0);
    ERR(pidfd_open(0, 0), EINVAL);
    ERR(pidfd_open(-1, 0), EINVAL);
    ERR(pidfd_open(getpid(), 1), EINVAL);
    CHILD(pid)
    {
    }
    wait_ok(pid);
    ERR(pidfd_open(pid, 0), ESRCH);
    ERR(read(fd, &pid, 4), EINVAL);
    ERR(send(0, 0, NULL, 0), EBADF);
    ERR(send(199, 0, NULL, 0), EBADF);
    OK(send(fd, 0, NULL, 0));
    ERR(send(fd, 0, NULL, 1), EINVAL);
    ERR(send(fd, 99, NULL, 0), EINVAL);
}

static void ends(void)
{
    struct epoll_event e = {.events = EPOLLIN};
    struct gate g;
    int fd, ep = OK(epoll_create1(0));
    siginfo_t info;
    pid_t pid;

    gate_init(&g);
    CHILD(pid)
    {
        gate_wait(&g);
        _exit(5);
    }
    fd = OK(pidfd_open(pid, O_NONBLOCK));
    OK(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e));
    EQ(epoll_wait(ep, &e, 1, 0), 0);
    ERR(waitid(P_PIDFD_, fd, &info, WEXITED), EAGAIN);
    gate_open(&g);
    EQ(epoll_wait(ep, &e, 1, -1), 1);
    EQ(ready(fd, -1), POLLIN);
    OK(send(fd, SIGTERM, NULL, 0)); /* a zombie does not mind */
    memset(&info, 0, sizeof info);
    OK(waitid(P_PIDFD_, fd, &info, WEXITED));
    EQ(info.si_pid, pid);
    EQ(info.si_status, 5);
    EQ(ready(fd, 0), POLLIN);
    ERR(send(fd, 0, NULL, 0), ESRCH);
    ERR(waitid(P_PIDFD_, fd, &info, WEXITED), ECHILD);
    ERR(waitid(P_PIDFD_, 0, &info, WEXITED), EBADF);
    ERR(waitid(P_PIDFD_, -1, &info, WEXITED), EINVAL);
}

static void waits(void)
{
    siginfo_t info;
    pid_t pid;
    int fd;

    CHILD(pid)
    {
        sleep_ms(30);
    }
    fd = OK(pidfd_open(pid, 0));
    OK(waitid(P_PIDFD_, fd, &info, WEXITED | WNOWAIT));
    EQ(info.si_pid, pid);
    wait_ok(pid);
}

static void signals(void)
{
    siginfo_t info;
    pid_t pid;
    int fd;

    CHILD(pid)
    {
        pause();
    }
    fd = OK(pidfd_open(pid, 0));
    memset(&info, 0, sizeof info);
    info.si_signo = SIGTERM;
    info.si_code = SI_USER;
    ERR(send(fd, SIGTERM, &info, 0), EPERM); /* that would be a lie */
    ERR(send(fd, SIGUSR1, &info, 0), EINVAL);
    ERR(send(fd, SIGUSR1, (void *)16, 0), EFAULT);
    OK(send(fd, SIGTERM, NULL, 0));
    wait_killed(pid, SIGTERM);
}

static void taking(void)
{
    int p[2], fd, mine;
    struct gate g;
    pid_t pid;
    char c = 0;

    gate_init(&g);
    OK(pipe(p));
    CHILD(pid)
    {
        int other[2];
        OK(pipe(other));
        EQ(dup2(other[0], 150), 150);
        EQ(write(other[1], "q", 1), 1);
        EQ(write(p[1], "x", 1), 1);
        gate_wait(&g);
    }
    EQ(read(p[0], &c, 1), 1);
    fd = OK(pidfd_open(pid, 0));
    mine = (int)OK(syscall(SYS_pidfd_getfd, fd, 150, 0));
    EQ(fcntl(mine, F_GETFD), FD_CLOEXEC);
    EQ(read(mine, &c, 1), 1);
    EQ(c, 'q');
    ERR(syscall(SYS_pidfd_getfd, fd, 151, 0), EBADF);
    ERR(syscall(SYS_pidfd_getfd, fd, 150, 1), EINVAL);
    ERR(syscall(SYS_pidfd_getfd, 0, 150, 0), EBADF);
    gate_open(&g);
    wait_ok(pid);
    ERR(syscall(SYS_pidfd_getfd, fd, 150, 0), ESRCH);
}

static void cloning(void)
{
    int fd = -1, status;
    struct clone_args args = {.flags = CLONE_PIDFD, .exit_signal = SIGCHLD};
    long pid = OK(syscall(SYS_clone, CLONE_PIDFD | SIGCHLD, NULL, &fd, NULL, NULL));

    if (pid == 0) {
        _exit(fd == -1 ? 3 : 4); /* ours has no such descriptor */
    }
    EQ(ready(fd, -1), POLLIN);
    EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
    EQ(waitpid((pid_t)pid, &status, 0), pid);
    EQ(WEXITSTATUS(status), 3);
    fd = -1;
    args.pidfd = (uint64_t)(uintptr_t)&fd;
    pid = OK(syscall(SYS_clone3, &args, sizeof args));
    if (pid == 0) {
        _exit(6);
    }
    EQ(ready(fd, -1), POLLIN);
    wait_exit((pid_t)pid, 6);
    ERR(syscall(SYS_clone, CLONE_PIDFD | CLONE_PARENT_SETTID | SIGCHLD, NULL, &fd, NULL, NULL),
        EINVAL);
    ERR(syscall(SYS_clone, CLONE_PIDFD | SIGCHLD, NULL, 16, NULL, NULL), EFAULT);
    ERR(waitpid(-1, &status, WNOHANG), ECHILD); /* nobody was made */
}

const struct test pidfd_tests[] = {
    {"opening", opening},
    {"ends", ends},
    {"waits", waits},
    {"signals", signals},
    {"taking", taking},
    {"cloning", cloning},
    {0},
};
