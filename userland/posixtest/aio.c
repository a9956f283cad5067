/*
 * Linux's asynchronous I/O: io_setup and its kin.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "test.h"

static aio_context_t ctx;
static struct io_event got[300];

static aio_context_t setup(unsigned n)
{
    aio_context_t made = 0;
    OK(syscall(SYS_io_setup, n, &made));
    CHECK(made != 0);
    return made;
}

static long submit(struct iocb *io)
{
    return syscall(SYS_io_submit, ctx, 1, &io);
}

static long events(long least, long most)
{
    struct timespec none = {0, 0};
    return syscall(SYS_io_getevents, ctx, least, most, got, &none);
}

static struct iocb request(int op, int fd, const void *buf, size_t n, off_t at)
{
    return (struct iocb){.aio_lio_opcode = (uint16_t)op,
                         .aio_fildes = (uint32_t)fd,
                         .aio_buf = (uintptr_t)buf,
                         .aio_nbytes = n,
                         .aio_offset = at,
                         .aio_data = 0x1234567890};
}

/* Submitted, and what came of it. */
static int64_t result(struct iocb io)
{
    EQ(OK(submit(&io)), 1);
    EQ(OK(syscall(SYS_io_getevents, ctx, 1, 10, got, NULL)), 1);
    EQ(got[0].obj, (uintptr_t)&io);
    EQ(got[0].data, 0x1234567890);
    EQ(got[0].res2, 0);
    return got[0].res;
}

static void rejected(struct iocb io, int error)
{
    ERR(submit(&io), error);
    EQ(OK(events(0, 10)), 0);
}

static void transfers(void)
{
    char buf[16] = "", more[16] = "";
    struct iovec in[2] = {{buf, 3}, {more, 4}}, out[2] = {{"ab", 2}, {"cdefg", 5}};
    int fd = OK(open("f", O_RDWR | O_CREAT, 0644));
    ctx = setup(10);
    EQ(result(request(IOCB_CMD_PWRITE, fd, "0123456789", 10, 0)), 10);
    EQ(result(request(IOCB_CMD_PREAD, fd, buf, 4, 3)), 4);
    EQ(memcmp(buf, "3456", 5), 0);
    EQ(result(request(IOCB_CMD_PREAD, fd, buf, 16, 8)), 2);
    EQ(result(request(IOCB_CMD_PREAD, fd, buf, 16, 100)), 0);
    EQ(result(request(IOCB_CMD_PWRITEV, fd, out, 2, 5)), 7);
    EQ(result(request(IOCB_CMD_PREADV, fd, in, 2, 4)), 7);
    EQ(memcmp(buf, "4ab", 3), 0);
    EQ(memcmp(more, "cdef", 4), 0);
    EQ(result(request(IOCB_CMD_FSYNC, fd, NULL, 0, 0)), 0);
    EQ(result(request(IOCB_CMD_FDSYNC, fd, NULL, 0, 0)), 0);
    EQ(lseek(fd, 0, SEEK_CUR), 0); /* the place in the file is another matter */
    EQ(result(request(IOCB_CMD_PREAD, fd, NULL, 4, 0)), -EFAULT);
    EQ(result(request(IOCB_CMD_PREAD, fd, NULL, 0, 0)), 0);
    OK(fcntl(fd, F_SETFL, O_APPEND));
    EQ(result(request(IOCB_CMD_PWRITE, fd, "end", 3, 0)), 3);
    EQ(lseek(fd, 0, SEEK_END), 15);
    OK(syscall(SYS_io_destroy, ctx));
}

static void streams(void)
{
    char buf[8];
    int p[2];
    OK(pipe(p));
    ctx = setup(1);
    EQ(result(request(IOCB_CMD_PWRITE, p[1], "abc", 3, 0)), 3);
    EQ(result(request(IOCB_CMD_PREAD, p[0], buf, 8, 77)), 3); /* they have no place */
    OK(fcntl(p[0], F_SETFL, O_NONBLOCK));
    EQ(result(request(IOCB_CMD_PREAD, p[0], buf, 8, 0)), -EAGAIN);
    rejected(request(IOCB_CMD_FSYNC, p[0], NULL, 0, 0), EINVAL);
    OK(close(p[0]));
    handle(SIGPIPE, count_signal, 0, 0);
    EQ(result(request(IOCB_CMD_PWRITE, p[1], "abc", 3, 0)), -EPIPE);
    EQ(caught, 1);
}

static void requests_checked(void)
{
    char buf[8];
    struct iovec far = {buf, (size_t)-1};
    int fd = OK(open("f", O_RDWR | O_CREAT, 0644)), rd = OK(open("f", O_RDONLY));
    int wr = OK(open("f", O_WRONLY)), dir = OK(open(".", O_RDONLY)), path = OK(open("f", O_PATH));
    struct iocb io;
    ctx = setup(4);
    rejected(request(IOCB_CMD_PREAD, -1, buf, 8, 0), EBADF);
    rejected(request(IOCB_CMD_PREAD, path, buf, 8, 0), EBADF);
    rejected(request(IOCB_CMD_PREAD, wr, buf, 8, 0), EBADF);
    rejected(request(IOCB_CMD_PWRITE, rd, buf, 8, 0), EBADF);
    rejected(request(IOCB_CMD_PREAD, dir, buf, 8, 0), EINVAL);
    rejected(request(IOCB_CMD_PREAD, fd, buf, 8, -1), EINVAL);
    rejected(request(IOCB_CMD_PREAD, fd, buf, (size_t)-1, 0), EINVAL);
    rejected(request(IOCB_CMD_PREAD, fd, (void *)(~0ul << 12), 8, 0), EFAULT);
    rejected(request(IOCB_CMD_PREADV, fd, (void *)8, 1, 0), EFAULT);
    rejected(request(IOCB_CMD_PREADV, fd, &far, 1, 0), EINVAL);
    rejected(request(IOCB_CMD_PREADV, fd, &far, 1025, 0), EINVAL);
    rejected(request(IOCB_CMD_FSYNC, fd, buf, 0, 0), EINVAL);
    rejected(request(IOCB_CMD_FSYNC, fd, NULL, 1, 0), EINVAL);
    rejected(request(IOCB_CMD_FSYNC, fd, NULL, 0, 1), EINVAL);
    rejected(request(4, fd, buf, 8, 0), EINVAL);
    rejected(request(IOCB_CMD_NOOP, fd, buf, 8, 0), EINVAL);
    rejected(request(99, fd, buf, 8, 0), EINVAL);
    io = request(IOCB_CMD_PREAD, fd, buf, 8, 0);
    io.aio_reserved2 = 1;
    rejected(io, EINVAL);
    io.aio_reserved2 = 0;
    io.aio_rw_flags = 1 << 20;
    rejected(io, EOPNOTSUPP);
    io.aio_fildes = (uint32_t)wr;
    rejected(io, EOPNOTSUPP); /* before it may be read */
    io.aio_fildes = (uint32_t)fd;
    io.aio_rw_flags = 0;
    io.aio_flags = IOCB_FLAG_IOPRIO;
    io.aio_reqprio = (int16_t)(7 << 13);
    rejected(io, EINVAL);
    io.aio_reqprio = 2 << 13 | 4;
    EQ(result(io), 0);
    io.aio_flags = IOCB_FLAG_RESFD;
    io.aio_resfd = 99;
    rejected(io, EBADF);
    io.aio_resfd = (uint32_t)fd;
    rejected(io, EINVAL);
    io.aio_flags = 1 << 7; /* nobody looks */
    io.aio_key = 5;
    EQ(OK(submit(&io)), 1);
    EQ(io.aio_key, 0);
    EQ(OK(events(1, 1)), 1);
}

static void contexts(void)
{
    aio_context_t id = 1;
    struct iocb io = request(IOCB_CMD_FSYNC, 0, NULL, 0, 0), *list[3] = {&io, NULL, &io};
    pid_t pid;
    io.aio_fildes = (uint32_t)OK(open("f", O_RDWR | O_CREAT, 0644));
    ERR(syscall(SYS_io_setup, 1, &id), EINVAL); /* must be 0 */
    id = 0;
    ERR(syscall(SYS_io_setup, 0, &id), EINVAL);
    ERR(syscall(SYS_io_setup, 1, 8), EFAULT);
    ERR(syscall(SYS_io_setup, 0x7fffffff, &id), EINVAL);
    ERR(syscall(SYS_io_setup, 1000000, &id), EAGAIN);
    ctx = setup(1);
    CHECK(*(volatile uint32_t *)ctx + 1u > 0); /* libraries look there */
    ERR(syscall(SYS_io_submit, ctx, -1, list), EINVAL);
    ERR(syscall(SYS_io_submit, ctx + 8, 1, list), EINVAL);
    ERR(syscall(SYS_io_submit, 0, 1, list), EINVAL);
    EQ(syscall(SYS_io_submit, ctx, 0, list), 0);
    ERR(syscall(SYS_io_submit, ctx, 1, 8), EFAULT);
    EQ(syscall(SYS_io_submit, ctx, 3, list), 1); /* the second is none */
    ERR(syscall(SYS_io_submit, ctx, 2, list + 1), EFAULT);
    ERR(events(2, 1), EINVAL);
    ERR(events(-1, 1), EINVAL);
    ERR(syscall(SYS_io_getevents, ctx, 1, 1, 8, NULL), EFAULT);
    ERR(syscall(SYS_io_getevents, ctx, 1, 1, got, 8), EFAULT);
    ERR(syscall(SYS_io_getevents, 0, 1, 1, got, NULL), EINVAL);
    EQ(events(0, 0), 0);
    EQ(events(1, 1), 1); /* it has not gone with an address that was none */
    EQ(events(0, 1), 0);
    EQ(events(1, 1), 0);
    ERR(syscall(SYS_io_cancel, ctx, &io, got), EINVAL); /* is done */
    ERR(syscall(SYS_io_cancel, ctx, 8, got), EFAULT);
    CHILD(pid)
    { /* it is not the child's */
        ERR(submit(&io), EINVAL);
        ERR(syscall(SYS_io_destroy, ctx), EINVAL);
        EQ(result(((ctx = setup(1)), io)), 0);
    }
    wait_ok(pid);
    OK(syscall(SYS_io_destroy, ctx));
    ERR(syscall(SYS_io_destroy, ctx), EINVAL);
    ERR(submit(&io), EINVAL);
    ERR(events(0, 1), EINVAL);
    for (int i = 0; i < 200;
         i++) { /* nothing is kept of one that went; all together are more than may be */
        OK(syscall(SYS_io_destroy, setup(1000)));
    }
}

/* What is not taken fills a context up; one gets at least what one asked for. */
static void room(void)
{
    enum { N = 130 };
    struct iocb io = request(IOCB_CMD_FSYNC, 0, NULL, 0, 0), *list[N];
    int n = 0, fd = OK(open("f", O_RDWR | O_CREAT, 0644));
    long r;
    io.aio_fildes = (uint32_t)fd;
    for (int i = 0; i < N; i++) {
        list[i] = &io;
    }
    ctx = setup(N);
    EQ(syscall(SYS_io_submit, ctx, N, list), N);
    for (n = N; n < 100000 && submit(&io) == 1; n++) {
    }
    ERR(submit(&io), EAGAIN);
    CHECK(n >= N && n < 100000);
    for (int left = n; left > 0; left -= (int)r) {
        r = OK(events(1, 100));
        EQ(r, left < 100 ? left : 100);
    }
    EQ(submit(&io), 1);
}

static void tell_eventfd(void)
{
    struct iocb io = request(IOCB_CMD_FSYNC, 0, NULL, 0, 0), *list[3] = {&io, &io, &io};
    int e = OK(eventfd(5, 0)), other;
    eventfd_t value;
    io.aio_fildes = (uint32_t)OK(open("f", O_RDWR | O_CREAT, 0644));
    io.aio_flags = IOCB_FLAG_RESFD;
    io.aio_resfd = (uint32_t)e;
    ctx = setup(8);
    EQ(syscall(SYS_io_submit, ctx, 3, list), 3);
    OK(eventfd_read(e, &value));
    EQ(value, 8);
    io.aio_fildes = 99;
    ERR(submit(&io), EBADF);
    OK(fcntl(e, F_SETFL, O_NONBLOCK));
    ERR(eventfd_read(e, &value), EAGAIN); /* of what was not taken nobody is told */
    io.aio_fildes = (uint32_t)OK(open("f", O_RDWR));
    OK(eventfd_write(e, UINT64_MAX - 1));
    EQ(submit(&io), 1); /* full, and does not wait */
    EQ(submit(&io), 1);
    ERR(eventfd_write(e, 1), EAGAIN);
    OK(eventfd_read(e, &value));
    EQ(value, UINT64_MAX);
    OK(close(e));
    other = OK(eventfd(0, 0));
    EQ(events(5, 5), 5);
    OK(close(other));
}

static volatile long tid_waiting;

/* How many events came, or the error. */
static void *note_and_wait(void *arg)
{
    tid_waiting = syscall(SYS_gettid);
    long n = syscall(SYS_io_getevents, ctx, 1, 1, arg, NULL);
    return (void *)(n < 0 ? -errno : n);
}

static void wait_thread(void)
{
    while (tid_waiting == 0) {
        sched_yield();
    }
    wait_state((pid_t)tid_waiting, 'S');
    tid_waiting = 0;
}

static void waiting(void)
{
    struct iocb io = request(IOCB_CMD_FSYNC, 0, NULL, 0, 0);
    struct io_event event;
    struct timespec t = {0, 20000000}, before = {-5, 0};
    struct itimerval soon = {{0, 0}, {0, 50000}};
    int64_t start;
    pthread_t thread;
    void *r;
    io.aio_fildes = (uint32_t)OK(open("f", O_RDWR | O_CREAT, 0644));
    ctx = setup(8);
    start = now_ms();
    EQ(syscall(SYS_io_getevents, ctx, 1, 1, got, &t), 0);
    CHECK(now_ms() - start >= 20);
    handle(SIGALRM, count_signal, 0, 0);
    OK(setitimer(ITIMER_REAL, &soon, NULL));
    ERR(syscall(SYS_io_getevents, ctx, 1, 1, got, &before), EINTR); /* never comes */
    EQ(submit(&io), 1);
    EQ(syscall(SYS_io_getevents, ctx, 2, 5, got, &t), 1); /* fewer when time is up */
    EQ(pthread_create(&thread, NULL, note_and_wait, &event), 0);
    wait_thread();
    EQ(submit(&io), 1);
    EQ(pthread_join(thread, &r), 0);
    EQ((long)r, 1);
    EQ(event.obj, (uintptr_t)&io);
    EQ(pthread_create(&thread, NULL, note_and_wait, &event), 0);
    wait_thread();
    OK(syscall(SYS_io_destroy, ctx)); /* under the one who waits */
    EQ(pthread_join(thread, &r), 0);
    EQ((long)r, -EINVAL);
}

static void interrupted(void)
{
    uint64_t mask = ~SIGBIT(SIGUSR1);
    struct {
        uint64_t *mask;
        size_t size;
    } sig = {&mask, 8};
    pid_t pid;
    CHILD(pid)
    {
        struct timespec none = {0, 0};
        handle(SIGUSR1, count_signal, SA_RESTART, 0);
        ctx = setup(8);
        ERR(syscall(SYS_io_getevents, ctx, 1, 1, got, NULL), EINTR);
        EQ(caught, 1);
        sig_block(SIGUSR1);
        raise(SIGUSR1);
        EQ(syscall(SYS_io_pgetevents, ctx, 1, 1, got, &none, NULL), 0);
        EQ(caught, 1);
        ERR(syscall(SYS_io_pgetevents, ctx, 1, 1, got, NULL, &sig), EINTR);
        EQ(caught, 2);
        CHECK(sig_mask() & SIGBIT(SIGUSR1));
        sig.size = 4;
        ERR(syscall(SYS_io_pgetevents, ctx, 1, 1, got, NULL, &sig), EINVAL);
        ERR(syscall(SYS_io_pgetevents, ctx, 1, 1, got, NULL, 8), EFAULT);
        sig.mask = NULL;
        ERR(syscall(SYS_io_pgetevents, ctx, 2, 1, got, NULL, &sig), EINVAL);
    }
    wait_state(pid, 'S');
    OK(kill(pid, SIGUSR1));
    wait_ok(pid);
}

/* Threads submit and take side by side: each event is taken once. */
enum { EACH = 500, THREADS = 4 };
static volatile int taken[EACH * THREADS];
static volatile int ended;
static int shared_fd;

static void *submit_many(void *arg)
{
    for (long i = (long)arg; i < (long)arg + EACH;) {
        struct iocb io = request(IOCB_CMD_FSYNC, shared_fd, NULL, 0, 0);
        io.aio_data = (uint64_t)i;
        if (submit(&io) == 1) {
            i++;
        } else {
            EQ(errno, EAGAIN);
            sched_yield();
        }
    }
    return NULL;
}

static void *take_many(void *arg)
{
    struct io_event mine[7];
    for (;;) {
        long n = OK(syscall(SYS_io_getevents, ctx, 1, 7, mine, NULL));
        for (long i = 0; i < n; i++) {
            if (mine[i].data == EACH * THREADS) {
                __atomic_fetch_add(&ended, 1, __ATOMIC_RELAXED);
                return NULL;
            }
            __atomic_fetch_add(&taken[mine[i].data], 1, __ATOMIC_RELAXED);
        }
    }
}

static void many(void)
{
    pthread_t in[THREADS], out[2];
    shared_fd = OK(open("f", O_RDWR | O_CREAT, 0644));
    ctx = setup(16);
    for (long i = 0; i < THREADS; i++) {
        EQ(pthread_create(&in[i], NULL, submit_many, (void *)(i * EACH)), 0);
    }
    for (int i = 0; i < 2; i++) {
        EQ(pthread_create(&out[i], NULL, take_many, NULL), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        EQ(pthread_join(in[i], NULL), 0);
    }
    for (int i = 0; i < 2; i++) {
        struct iocb io = request(IOCB_CMD_FSYNC, shared_fd, NULL, 0, 0);
        io.aio_data = EACH * THREADS;
        while (submit(&io) != 1) {
            sched_yield();
        }
        while (ended <= i) { /* whoever takes one would take both */
            sched_yield();
        }
    }
    for (int i = 0; i < 2; i++) {
        EQ(pthread_join(out[i], NULL), 0);
    }
    for (int i = 0; i < EACH * THREADS; i++) {
        EQ(taken[i], 1);
    }
}

static void told_in_proc(void)
{
    char text[64] = "";
    int fd;
    ctx = setup(100);
    fd = OK(open("/proc/sys/fs/aio-nr", O_RDONLY));
    CHECK(read(fd, text, sizeof text - 1) > 0);
    CHECK(atol(text) >= 100);
    fd = OK(open("/proc/sys/fs/aio-max-nr", O_RDONLY));
    CHECK(read(fd, text, sizeof text - 1) > 0);
    CHECK(atol(text) >= 1000);
}

const struct test aio_tests[] = {
    {"transfers", transfers},
    {"streams", streams},
    {"requests_checked", requests_checked},
    {"contexts", contexts},
    {"room", room},
    {"tell_eventfd", tell_eventfd},
    {"waiting", waiting},
    {"interrupted", interrupted},
    {"many", many},
    {"told_in_proc", told_in_proc},
    {0},
};
