/*
 * Rows of single calls that move no data to speak of, and the control.
 */
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "nxbench.h"

static int fd, pair[2];
static struct pollfd polled[16];
static volatile unsigned long accumulator;

static void run_getppid(unsigned ops)
{
    while (ops-- > 0) {
        syscall(SYS_getppid);
    }
}

static void run_clock_gettime(unsigned ops)
{
    struct timespec t;

    while (ops-- > 0) {
        clock_gettime(CLOCK_MONOTONIC, &t);
    }
}

static void open_or_fail(const char *path, int flags)
{
    fd = open(path, flags | O_CLOEXEC);
    if (fd < 0) {
        fail(path);
    }
}

static void setup_zero(void)
{
    open_or_fail("/dev/zero", O_RDONLY);
}

static void setup_null(void)
{
    open_or_fail("/dev/null", O_WRONLY);
}

static void done_fd(void)
{
    close(fd);
}

static void run_read_zero(unsigned ops)
{
    char c;

    while (ops-- > 0) {
        if (read(fd, &c, 1) != 1) {
            fail("/dev/zero");
        }
    }
}

static void run_write_null(unsigned ops)
{
    while (ops-- > 0) {
        if (write(fd, "", 1) != 1) {
            fail("/dev/null");
        }
    }
}

static void on_signal(int signo)
{
    (void)signo;
    accumulator++;
}

static void setup_kill(void)
{
    struct sigaction sa = {.sa_handler = on_signal};

    if (sigaction(SIGUSR1, &sa, NULL) < 0) {
        fail("sigaction");
    }
}

static void run_kill(unsigned ops)
{
    pid_t self = getpid();

    accumulator = 0;
    for (unsigned i = 0; i < ops; i++) {
        kill(self, SIGUSR1);
    }
    if (accumulator != ops) {
        fail("lost signals");
    }
}

static void run_sched_yield(unsigned ops)
{
    while (ops-- > 0) {
        sched_yield();
    }
}

static void setup_poll(void)
{
    if (pipe(pair) < 0) {
        fail("pipe");
    }
    for (unsigned i = 0; i < 16; i++) {
        polled[i] = (struct pollfd){.fd = i ? dup(pair[0]) : pair[0], .events = POLLIN};
        if (polled[i].fd < 0) {
            fail("dup");
        }
    }
}

static void run_poll(unsigned ops)
{
    while (ops-- > 0) {
        if (poll(polled, 16, 0) != 0) {
            fail("poll");
        }
    }
}

static void done_poll(void)
{
    for (unsigned i = 0; i < 16; i++) {
        close(polled[i].fd);
    }
    close(pair[1]);
}

/* No call at all: shows what the clock makes of plain code. Six instructions a turn. */
static void run_muladd(unsigned ops)
{
    while (ops-- > 0) {
        for (unsigned i = 0; i < 1000000; i++) {
            accumulator = accumulator * 6364136223846793005u + 1442695040888963407u;
        }
    }
}

const struct row call_rows[] = {
    {"getppid", "getppid by syscall()", 2000, 200, 3, NULL, run_getppid, NULL},
    {"clock-gettime", "clock_gettime", 2000, 200, 3, NULL, run_clock_gettime, NULL},
    {"read-zero", "read 1 byte of /dev/zero", 2000, 200, 3, setup_zero, run_read_zero, done_fd},
    {"write-null", "write 1 byte to /dev/null", 2000, 200, 3, setup_null, run_write_null, done_fd},
    {"kill-self", "kill(self) with handler", 500, 50, 3, setup_kill, run_kill, NULL},
    {"sched-yield", "sched_yield", 1000, 100, 3, NULL, run_sched_yield, NULL},
    {"poll-16", "poll of 16 fds", 500, 50, 3, setup_poll, run_poll, done_poll},
    {"muladd", "one million multiply-adds (control)", 1, 0, 2, NULL, run_muladd, NULL},
    {0},
};
