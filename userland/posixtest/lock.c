/*
 * File locks: flock, record locks of fcntl, and those of open file descriptions.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "test.h"

#ifndef F_OFD_GETLK
#define F_OFD_GETLK 36
#define F_OFD_SETLK 37
#define F_OFD_SETLKW 38
#endif

static int file(void)
{
    return OK(open("f", O_RDWR | O_CREAT, 0644));
}

static int lock(int fd, int how, short type, off_t start, off_t len)
{
    struct flock l = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = len};

    return fcntl(fd, how, &l);
}

/* What would stand in the way, seen from another process: its type; the rest in *l. */
static short asked(int fd, short type, off_t start, off_t len, struct flock *l)
{
    *l = (struct flock){.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = len};
    OK(fcntl(fd, F_GETLK, l));
    return l->l_type;
}

/* The child is about to wait for a lock, and then it does. */
static void wait_asleep(struct gate *ready, pid_t pid)
{
    gate_wait(ready);
    wait_state(pid, 'S');
}

static void flock_rules(void)
{
    int a = file(), b = file(), c = OK(dup(a));

    OK(flock(a, LOCK_SH));
    OK(flock(b, LOCK_SH | LOCK_NB));
    ERR(flock(b, LOCK_EX | LOCK_NB), EWOULDBLOCK);
    OK(flock(b, LOCK_SH | LOCK_NB)); /* a conversion that fails has lost the lock */
    OK(flock(b, LOCK_UN));
    OK(flock(c, LOCK_EX | LOCK_NB)); /* the same open file: a conversion */
    ERR(flock(b, LOCK_SH | LOCK_NB), EWOULDBLOCK);
    OK(close(a));
    ERR(flock(b, LOCK_SH | LOCK_NB), EWOULDBLOCK); /* c still has it */
    OK(close(c));
    OK(flock(b, LOCK_EX | LOCK_NB));
    ERR(flock(b, 16), EINVAL);
    ERR(flock(b, LOCK_SH | LOCK_EX), EINVAL);
    ERR(flock(99, LOCK_SH), EBADF);
    /* They do not meet record locks. */
    OK(lock(b, F_SETLK, F_WRLCK, 0, 0));
}

static void flock_waits(void)
{
    struct gate ready;
    pid_t pid;
    int a = file();

    gate_init(&ready);
    OK(flock(a, LOCK_EX));
    CHILD(pid)
    {
        int b = file();
        gate_open(&ready);
        OK(flock(b, LOCK_EX));
    }
    wait_asleep(&ready, pid);
    OK(flock(a, LOCK_UN));
    wait_ok(pid);
}

static void record_conflicts(void)
{
    struct flock l;
    pid_t pid;
    int fd = file();

    OK(lock(fd, F_SETLK, F_WRLCK, 10, 10));
    OK(lock(fd, F_SETLK, F_RDLCK, 30, 0));     /* to the end, wherever that is */
    EQ(asked(fd, F_WRLCK, 0, 0, &l), F_UNLCK); /* one's own are not in the way */
    CHILD(pid)
    {
        int mine = file();
        ERR(lock(mine, F_SETLK, F_RDLCK, 15, 1), EAGAIN);
        ERR(lock(mine, F_SETLK, F_WRLCK, 1000000, 1), EAGAIN);
        OK(lock(mine, F_SETLK, F_RDLCK, 1000000, 1));
        OK(lock(mine, F_SETLK, F_WRLCK, 0, 10));
        OK(lock(mine, F_SETLK, F_WRLCK, 20, 10));
        EQ(asked(mine, F_RDLCK, 0, 25, &l), F_WRLCK);
        EQ(l.l_start, 10);
        EQ(l.l_len, 10);
        EQ(l.l_pid, getppid());
        EQ(asked(mine, F_WRLCK, 40, 5, &l), F_RDLCK);
        EQ(l.l_start, 30);
        EQ(l.l_len, 0);
    }
    wait_ok(pid);
}

static void record_ranges(void)
{
    struct flock l;
    pid_t pid;
    int fd = file();

    OK(lock(fd, F_SETLK, F_WRLCK, 0, 100));
    OK(lock(fd, F_SETLK, F_UNLCK, 40, 20)); /* two are left */
    OK(lock(fd, F_SETLK, F_RDLCK, 90, 20)); /* the end of one becomes something else */
    CHILD(pid)
    {
        OK(lock(fd, F_SETLK, F_WRLCK, 40, 20));
        EQ(asked(fd, F_WRLCK, 0, 40, &l), F_WRLCK);
        EQ(l.l_len, 40);
        EQ(asked(fd, F_WRLCK, 60, 1, &l), F_WRLCK);
        EQ(l.l_start, 60);
        EQ(l.l_len, 30);
        EQ(asked(fd, F_RDLCK, 90, 30, &l), F_UNLCK);
        EQ(asked(fd, F_WRLCK, 90, 30, &l), F_RDLCK);
        EQ(l.l_len, 20);
        OK(lock(fd, F_SETLK, F_UNLCK, 0, 0)); /* only its own */
        EQ(asked(fd, F_WRLCK, 0, 1, &l), F_WRLCK);
    }
    wait_ok(pid);
    OK(lseek(fd, 50, SEEK_SET));
    l = (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_CUR, .l_start = 0, .l_len = -10};
    OK(fcntl(fd, F_SETLK, &l)); /* 40..49: joins with 0..39 */
    CHILD(pid)
    {
        EQ(asked(fd, F_WRLCK, 0, 1, &l), F_WRLCK);
        EQ(l.l_len, 50);
    }
    wait_ok(pid);
}

static void record_release(void)
{
    struct flock l;
    pid_t pid;
    struct gate held, go;
    int fd = file(), other = file();

    gate_init(&held);
    gate_init(&go);
    OK(lock(fd, F_SETLK, F_WRLCK, 0, 0));
    OK(close(other)); /* any descriptor of the file gives them all up */
    CHILD(pid)
    {
        OK(lock(fd, F_SETLK, F_WRLCK, 0, 0));
        gate_open(&held);
        gate_wait(&go);
    }
    gate_wait(&held);
    ERR(lock(fd, F_SETLK, F_WRLCK, 0, 0), EAGAIN);
    EQ(asked(fd, F_WRLCK, 0, 0, &l), F_WRLCK);
    EQ(l.l_pid, pid);
    gate_open(&go);
    wait_ok(pid); /* and so does the end */
    OK(lock(fd, F_SETLK, F_WRLCK, 0, 0));
    CHILD(pid)
    { /* they are not inherited */
        ERR(lock(fd, F_SETLK, F_WRLCK, 0, 0), EAGAIN);
    }
    wait_ok(pid);
}

static void record_waits(void)
{
    struct gate ready;
    pid_t pid;
    int fd = file();

    gate_init(&ready);
    OK(lock(fd, F_SETLK, F_WRLCK, 0, 1));
    CHILD(pid)
    {
        gate_open(&ready);
        OK(lock(fd, F_SETLKW, F_RDLCK, 0, 1));
    }
    wait_asleep(&ready, pid);
    OK(lock(fd, F_SETLK, F_RDLCK, 0, 1)); /* enough */
    wait_ok(pid);
    OK(lock(fd, F_SETLK, F_WRLCK, 0, 1));
    CHILD(pid)
    {
        handle(SIGUSR1, count_signal, 0, 0);
        gate_open(&ready);
        ERR(lock(fd, F_SETLKW, F_WRLCK, 0, 1), EINTR);
        EQ(caught, 1);
    }
    wait_asleep(&ready, pid);
    OK(kill(pid, SIGUSR1));
    wait_ok(pid);
}

static void record_deadlock(void)
{
    struct gate ready;
    pid_t pid;
    int fd = file();

    gate_init(&ready);
    OK(lock(fd, F_SETLK, F_WRLCK, 0, 1));
    CHILD(pid)
    {
        OK(lock(fd, F_SETLK, F_WRLCK, 1, 1));
        gate_open(&ready);
        OK(lock(fd, F_SETLKW, F_WRLCK, 0, 1));
    }
    wait_asleep(&ready, pid);
    ERR(lock(fd, F_SETLKW, F_WRLCK, 1, 1), EDEADLK);
    OK(lock(fd, F_SETLK, F_UNLCK, 0, 1));
    wait_ok(pid);
}

static void record_errors(void)
{
    struct flock l = {.l_type = F_WRLCK, .l_whence = 7};
    int fd = file(), rd = OK(open("f", O_RDONLY)), wr = OK(open("f", O_WRONLY)), pipe_fd[2];

    ERR(lock(rd, F_SETLK, F_WRLCK, 0, 1), EBADF);
    ERR(lock(wr, F_SETLK, F_RDLCK, 0, 1), EBADF);
    ERR(fcntl(fd, F_SETLK, &l), EINVAL);
    ERR(lock(fd, F_SETLK, 9, 0, 1), EINVAL);
    ERR(lock(fd, F_SETLK, F_WRLCK, -1, 1), EINVAL);
    ERR(lock(fd, F_SETLK, F_WRLCK, 5, -6), EINVAL);
    ERR(lock(fd, F_SETLK, F_WRLCK, 2, INT64_MAX), EOVERFLOW);
    ERR(lock(fd, F_GETLK, F_UNLCK, 0, 1), EINVAL);
    ERR(fcntl(fd, F_SETLK, (void *)16), EFAULT);
    ERR(lock(99, F_SETLK, F_WRLCK, 0, 1), EBADF);
    OK(pipe(pipe_fd));
    OK(lock(pipe_fd[1], F_SETLK, F_WRLCK, 0, 1)); /* whatever that means */
}

static void descriptions(void)
{
    struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 10};
    pid_t pid;
    int a = file(), b = file();

    OK(lock(a, F_OFD_SETLK, F_WRLCK, 0, 10));
    ERR(lock(b, F_OFD_SETLK, F_WRLCK, 5, 1), EAGAIN); /* another opening, be it one's own */
    ERR(lock(b, F_SETLK, F_WRLCK, 5, 1), EAGAIN);     /* they meet the process' */
    OK(fcntl(b, F_OFD_GETLK, &l));
    EQ(l.l_type, F_WRLCK);
    EQ(l.l_pid, -1);
    l.l_pid = 1;
    ERR(fcntl(b, F_OFD_SETLK, &l), EINVAL);
    CHILD(pid)
    { /* the child has the same open file */
        OK(lock(a, F_OFD_SETLK, F_RDLCK, 0, 5));
    }
    wait_ok(pid);
    OK(lock(b, F_OFD_SETLK, F_RDLCK, 0, 5));
    ERR(lock(b, F_OFD_SETLK, F_RDLCK, 0, 6), EAGAIN);
    OK(close(OK(dup(a)))); /* not the last */
    ERR(lock(b, F_OFD_SETLK, F_RDLCK, 9, 1), EAGAIN);
    OK(close(a));
    OK(lock(b, F_OFD_SETLK, F_WRLCK, 0, 0));
}

static void descriptions_wait(void)
{
    struct gate ready;
    pid_t pid;
    int a = file();

    gate_init(&ready);
    OK(lock(a, F_OFD_SETLK, F_WRLCK, 0, 1));
    CHILD(pid)
    {
        int b = file();
        OK(close(a));
        gate_open(&ready);
        OK(lock(b, F_OFD_SETLKW, F_WRLCK, 0, 1));
    }
    wait_asleep(&ready, pid);
    OK(close(a));
    wait_ok(pid);
}

const struct test lock_tests[] = {
    {"flock", flock_rules},
    {"flock_waits", flock_waits},
    {"record_conflicts", record_conflicts},
    {"record_ranges", record_ranges},
    {"record_release", record_release},
    {"record_waits", record_waits},
    {"record_deadlock", record_deadlock},
    {"record_errors", record_errors},
    {"descriptions", descriptions},
    {"descriptions_wait", descriptions_wait},
    {NULL, NULL},
};
