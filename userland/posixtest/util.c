/*
 * Helpers of the tests; test.h says what each is for.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "test.h"

volatile sig_atomic_t caught, caught_signo;

const char *test_errno_name(int error)
{
    static const struct {
        int error;
        const char *name;
    } names[] = {
        {EPERM, "EPERM"},
        {ENOENT, "ENOENT"},
        {ESRCH, "ESRCH"},
        {EINTR, "EINTR"},
        {EIO, "EIO"},
        {ENXIO, "ENXIO"},
        {E2BIG, "E2BIG"},
        {ENOEXEC, "ENOEXEC"},
        {EBADF, "EBADF"},
        {ECHILD, "ECHILD"},
        {EAGAIN, "EAGAIN"},
        {ENOMEM, "ENOMEM"},
        {EACCES, "EACCES"},
        {EFAULT, "EFAULT"},
        {EBUSY, "EBUSY"},
        {EEXIST, "EEXIST"},
        {EXDEV, "EXDEV"},
        {ENODEV, "ENODEV"},
        {ENOTDIR, "ENOTDIR"},
        {EISDIR, "EISDIR"},
        {EINVAL, "EINVAL"},
        {ENFILE, "ENFILE"},
        {EMFILE, "EMFILE"},
        {ENOTTY, "ENOTTY"},
        {ETXTBSY, "ETXTBSY"},
        {EFBIG, "EFBIG"},
        {ENOSPC, "ENOSPC"},
        {ESPIPE, "ESPIPE"},
        {EROFS, "EROFS"},
        {EMLINK, "EMLINK"},
        {EPIPE, "EPIPE"},
        {EDOM, "EDOM"},
        {ERANGE, "ERANGE"},
        {EDEADLK, "EDEADLK"},
        {ENAMETOOLONG, "ENAMETOOLONG"},
        {ENOSYS, "ENOSYS"},
        {ENOTEMPTY, "ENOTEMPTY"},
        {ELOOP, "ELOOP"},
        {EOVERFLOW, "EOVERFLOW"},
        {EOPNOTSUPP, "EOPNOTSUPP"},
        {ETIMEDOUT, "ETIMEDOUT"},
    };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (names[i].error == error) {
            return names[i].name;
        }
    }
    return strerror(error);
}

/* ---- processes ----------------------------------------------------------------------------- */

int wait_status(pid_t pid)
{
    int status;

    for (;;) {
        pid_t got = waitpid(pid, &status, 0);

        if (got == pid) {
            return status;
        }
        if (got >= 0 || errno != EINTR) {
            FAIL("waitpid: %ld, %s", (long)got, test_errno_name(errno));
        }
    }
}

void wait_exit(pid_t pid, int code)
{
    int status = wait_status(pid);

    if (WIFEXITED(status) && WEXITSTATUS(status) == 99 && code != 99) {
        _exit(99); /* it has said why */
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) != code) {
        FAIL("child's status is 0x%x, not exit code %d", status, code);
    }
}

void wait_ok(pid_t pid)
{
    wait_exit(pid, 0);
}

void wait_killed(pid_t pid, int signo)
{
    int status = wait_status(pid);

    if (WIFEXITED(status) && WEXITSTATUS(status) == 99) {
        _exit(99);
    }
    if (!WIFSIGNALED(status) || WTERMSIG(status) != signo) {
        FAIL("child's status is 0x%x, not signal %d", status, signo);
    }
}

void gate_init(struct gate *g)
{
    OK(pipe2(g->fd, O_CLOEXEC));
}

void gate_open(struct gate *g)
{
    EQ(write(g->fd[1], "", 1), 1);
}

void gate_wait(struct gate *g)
{
    char c;
    ssize_t n;

    while ((n = read(g->fd[0], &c, 1)) < 0 && errno == EINTR) {
    }
    EQ(n, 1);
}

static char process_state(pid_t pid)
{
    char path[64], text[512];
    const char *name_end;
    int fd;
    ssize_t n;

    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return 0;
    }
    n = read(fd, text, sizeof text - 1);
    close(fd);
    text[n > 0 ? n : 0] = 0;
    name_end = strrchr(text, ')');
    return name_end && name_end[1] ? name_end[2] : 0;
}

void wait_state(pid_t pid, char state)
{
    char now = 0;

    for (int64_t start = now_ms(); now_ms() - start < 5000;) {
        now = process_state(pid);
        if (now == state) {
            return;
        }
        sleep_ms(2);
    }
    FAIL("state of the child is %c, not %c", now ? now : '?', state);
}

/* ---- signals ------------------------------------------------------------------------------- */

void handle(int signo, void *handler, int flags, uint64_t mask)
{
#ifdef __riscv
    struct {
        void *handler;
        unsigned long flags;
        uint64_t mask;
    } k = {handler, flags, mask};

    OK(syscall(SYS_rt_sigaction, signo, &k, NULL, 8));
#else
    struct sigaction sa = {.sa_flags = flags};

    memcpy(&sa.sa_handler, &handler, sizeof handler);
    memcpy(&sa.sa_mask, &mask, sizeof mask);
    OK(sigaction(signo, &sa, NULL));
#endif
}

static void sig_change(int how, int signo)
{
    uint64_t bit = SIGBIT(signo);

    OK(syscall(SYS_rt_sigprocmask, how, &bit, NULL, 8));
}

void sig_block(int signo)
{
    sig_change(SIG_BLOCK, signo);
}

void sig_unblock(int signo)
{
    sig_change(SIG_UNBLOCK, signo);
}

uint64_t sig_mask(void)
{
    uint64_t mask = 0;

    OK(syscall(SYS_rt_sigprocmask, SIG_SETMASK, NULL, &mask, 8));
    return mask;
}

void count_signal(int signo)
{
    caught++;
    caught_signo = signo;
}

/* ---- the rest ------------------------------------------------------------------------------ */

void write_file(const char *path, const char *text)
{
    int fd = OK(open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644));

    EQ(write(fd, text, strlen(text)), strlen(text));
    OK(close(fd));
}

void expect_file(const char *path, const char *text)
{
    char buf[1024];
    int fd = OK(open(path, O_RDONLY));
    ssize_t n = OK(read(fd, buf, sizeof buf - 1));

    buf[n] = 0;
    if (strcmp(buf, text) != 0) {
        FAIL("%s contains '%s', not '%s'", path, buf, text);
    }
    OK(close(fd));
}

void sleep_ms(int ms)
{
    struct timespec t = {ms / 1000, ms % 1000 * 1000000L};

    while (nanosleep(&t, &t) < 0 && errno == EINTR) {
    }
}

int64_t now_ms(void)
{
    struct timespec t;

    OK(clock_gettime(CLOCK_MONOTONIC, &t));
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

size_t page_size(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

char *page_before_hole(void)
{
    char *p =
        mmap(NULL, 2 * page_size(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    CHECK(p != MAP_FAILED);
    OK(mprotect(p + page_size(), page_size(), PROT_NONE)); /* so that nothing moves in there */
    return p;
}
