/*
 * POSIX message queues.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <mqueue.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "test.h"

#define NAME "/posixtest"

static mqd_t q;

static void make(long msgs, long size)
{
    struct mq_attr a = {.mq_maxmsg = msgs, .mq_msgsize = size};

    mq_unlink(NAME);
    q = OK(mq_open(NAME, O_CREAT | O_EXCL | O_RDWR | O_NONBLOCK, 0600, &a));
}

static void names(void)
{
    struct mq_attr a = {.mq_maxmsg = 0, .mq_msgsize = 8};
    struct stat st;

    mq_unlink(NAME);
    ERR(mq_open(NAME, O_RDWR), ENOENT);
    ERR(mq_open(NAME, O_CREAT | O_RDWR, 0600, &a), EINVAL);
    a.mq_maxmsg = 1 << 20;
    ERR(mq_open(NAME, O_CREAT | O_RDWR, 0600, &a), EINVAL);
    ERR(syscall(SYS_mq_open, "a/b", O_CREAT | O_RDWR, 0600, NULL), EACCES);
    ERR(syscall(SYS_mq_open, "", O_CREAT | O_RDWR, 0600, NULL), ENOENT);
    ERR(syscall(SYS_mq_open, NULL, O_RDWR, 0, NULL), EFAULT);
    make(4, 16);
    ERR(mq_open(NAME, O_CREAT | O_EXCL | O_RDWR, 0600, NULL), EEXIST);
    OK(fstat(q, &st));
    EQ(st.st_mode, S_IFREG | 0600);
    OK(mq_unlink(NAME));
    ERR(mq_unlink(NAME), ENOENT);
    OK(mq_send(q, "x", 1, 0)); /* still there */
}

static void order(void)
{
    struct mq_attr a;
    char buf[16];
    unsigned priority;

    make(4, 16);
    OK(mq_send(q, "low", 3, 1));
    OK(mq_send(q, "high", 4, 9));
    OK(mq_send(q, "low2", 4, 1));
    OK(mq_send(q, "", 0, 0));
    ERR(mq_send(q, "full", 4, 1), EAGAIN);
    OK(mq_getattr(q, &a));
    EQ(a.mq_curmsgs, 4);
    EQ(a.mq_maxmsg, 4);
    EQ(a.mq_flags, O_NONBLOCK);
    EQ(mq_receive(q, buf, sizeof buf, &priority), 4);
    EQ(priority, 9);
    EQ(mq_receive(q, buf, sizeof buf, NULL), 3);
    EQ(mq_receive(q, buf, sizeof buf, NULL), 4);
    EQ(mq_receive(q, buf, sizeof buf, NULL), 0);
    ERR(mq_receive(q, buf, sizeof buf, NULL), EAGAIN);
    ERR(mq_receive(q, buf, 15, NULL), EMSGSIZE);
    ERR(mq_send(q, buf, 17, 0), EMSGSIZE);
    ERR(mq_send(q, buf, 1, 32768), EINVAL);
    ERR(mq_send(0, buf, 1, 0), EBADF);
    mq_unlink(NAME);
}

static void blocking(void)
{
    struct timespec past = {1, 0}, bad = {1, -1};
    struct mq_attr a = {0};
    char buf[16];
    pid_t pid;
    struct pollfd p;

    make(1, 16);
    OK(mq_setattr(q, &a, NULL)); /* no O_NONBLOCK any more */
    ERR(mq_timedreceive(q, buf, sizeof buf, NULL, &past), ETIMEDOUT);
    ERR(mq_timedreceive(q, buf, sizeof buf, NULL, &bad), EINVAL);
    a.mq_flags = O_APPEND;
    ERR(mq_setattr(q, &a, NULL), EINVAL);
    p = (struct pollfd){.fd = q, .events = POLLIN | POLLOUT};
    EQ(poll(&p, 1, 0), 1);
    EQ(p.revents, POLLOUT);
    CHILD(pid)
    {
        EQ(mq_receive(q, buf, sizeof buf, NULL), 1);
        EQ(mq_receive(q, buf, sizeof buf, NULL), 2);
    }
    wait_state(pid, 'S');
    OK(mq_send(q, "1", 1, 0));
    OK(mq_send(q, "22", 2, 0)); /* waits for the other */
    wait_ok(pid);
    OK(mq_send(q, "3", 1, 0));
    EQ(poll(&p, 1, 0), 1);
    EQ(p.revents, POLLIN);
    ERR(mq_timedsend(q, "4", 1, 0, &past), ETIMEDOUT);
    mq_unlink(NAME);
}

static void told(void)
{
    struct sigevent e = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    struct timespec t = {10, 0};
    siginfo_t info;
    sigset_t set;
    char buf[16];
    pid_t pid;

    make(4, 16);
    sig_block(SIGUSR1);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    e.sigev_value.sival_int = 4711;
    OK(mq_notify(q, &e));
    CHILD(pid)
    {
        ERR(mq_notify(q, &e), EBUSY);
        OK(mq_send(q, "a", 1, 0));
    }
    wait_ok(pid);
    EQ(sigtimedwait(&set, &info, &t), SIGUSR1);
    EQ(info.si_code, SI_MESGQ);
    EQ(info.si_value.sival_int, 4711);
    EQ(info.si_pid, pid);
    EQ(mq_receive(q, buf, sizeof buf, NULL), 1);
    t.tv_sec = 0;
    OK(mq_send(q, "b", 1, 0)); /* told once */
    ERR(sigtimedwait(&set, &info, &t), EAGAIN);
    OK(mq_notify(q, &e));
    OK(mq_send(q, "c", 1, 0)); /* it was not empty */
    ERR(sigtimedwait(&set, &info, &t), EAGAIN);
    OK(mq_notify(q, NULL));
    OK(mq_notify(q, &e));
    e.sigev_signo = 1000;
    ERR(mq_notify(q, &e), EINVAL);
    mq_unlink(NAME);
}

/* What C libraries make SIGEV_THREAD of: a cookie comes by a netlink socket, its last byte says why. */
static void told_by_cookie(void)
{
    int s = OK(socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK, 0));
    char cookie[32] = "biscuit", got[64];
    struct {
        void *value;
        int signo, how, pad[12];
    } e = {cookie, s, SIGEV_THREAD, {0}};

    make(2, 16);
    OK(syscall(SYS_mq_notify, q, &e));
    ERR(syscall(SYS_mq_notify, q, &e), EBUSY);
    OK(syscall(SYS_mq_notify, q, NULL));
    EQ(recv(s, got, sizeof got, 0), 32);
    CHECK(memcmp(got, cookie, 31) == 0);
    EQ(got[31], 2); /* NOTIFY_REMOVED */
    OK(syscall(SYS_mq_notify, q, &e));
    ERR(recv(s, got, sizeof got, 0), EAGAIN);
    OK(mq_send(q, "a", 1, 0));
    EQ(recv(s, got, sizeof got, 0), 32);
    EQ(got[31], 1); /* NOTIFY_WOKENUP */
    e.signo = 0;
    ERR(syscall(SYS_mq_notify, q, &e), ENOTSOCK);
    e.signo = OK(socket(AF_UNIX, SOCK_DGRAM, 0));
    ERR(syscall(SYS_mq_notify, q, &e), EINVAL);
    e.signo = 99;
    ERR(syscall(SYS_mq_notify, q, &e), EBADF);
    e.value = (void *)8;
    ERR(syscall(SYS_mq_notify, q, &e), EFAULT);
    mq_unlink(NAME);
}

static void rights(void)
{
    pid_t pid;
    mqd_t other;

    make(1, 16);
    if (geteuid() != 0) {
        SKIP("only root can become somebody else");
    }
    OK(fchmod(q, 0604));
    CHILD(pid)
    {
        OK(setgid(1234));
        OK(setuid(1234));
        ERR(mq_open(NAME, O_RDWR), EACCES);
        other = OK(mq_open(NAME, O_RDONLY));
        ERR(mq_send(other, "x", 1, 0), EBADF);
        ERR(mq_unlink(NAME), EACCES); /* so says musl for EPERM */
    }
    wait_ok(pid);
    mq_unlink(NAME);
}

const struct test mqueue_tests[] = {
    {"names", names},
    {"order", order},
    {"blocking", blocking},
    {"told", told},
    {"told_by_cookie", told_by_cookie},
    {"rights", rights},
    {NULL, NULL},
};
