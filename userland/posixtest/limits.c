/*
 * Running out: descriptors, processes, memory, file size; and that all is well afterwards.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

static void set_limit(int what, rlim_t cur)
{
    struct rlimit r;

    OK(getrlimit(what, &r));
    r.rlim_cur = cur;
    OK(setrlimit(what, &r));
}

static void get_and_set(void)
{
    struct rlimit r, old;
    struct {
        uint64_t cur, max;
    } r64;
    pid_t pid;

    OK(getrlimit(RLIMIT_NOFILE, &old));
    CHECK(old.rlim_cur >= 1024 && old.rlim_cur <= old.rlim_max);
    r = (struct rlimit){300, old.rlim_max};
    OK(setrlimit(RLIMIT_NOFILE, &r));
    CHILD(pid)
    {
        OK(getrlimit(RLIMIT_NOFILE, &r)); /* inherited */
        EQ(r.rlim_cur, 300);
    }
    wait_ok(pid);
    OK(syscall(SYS_prlimit64, getpid(), RLIMIT_NOFILE, NULL, &r64));
    EQ(r64.cur, 300);
    r = (struct rlimit){400, 300};
    ERR(setrlimit(RLIMIT_NOFILE, &r), EINVAL);
    ERR(getrlimit(99, &r), EINVAL);
    ERR(syscall(SYS_prlimit64, 0x3fffffff, RLIMIT_NOFILE, NULL, &r64), ESRCH);
    CHILD(pid)
    {
        if (geteuid() == 0) {
            OK(setgid(1000));
            OK(setuid(1000));
        }
        r = (struct rlimit){300, 300};
        OK(setrlimit(RLIMIT_NOFILE, &r));
        r.rlim_max = 301;
        ERR(setrlimit(RLIMIT_NOFILE, &r), EPERM);
    }
    wait_ok(pid);
    OK(getrlimit(RLIMIT_STACK, &r));
    OK(getrlimit(RLIMIT_AS, &r));
    OK(getrlimit(RLIMIT_CORE, &r));
    OK(getrlimit(RLIMIT_NPROC, &r));
}

static void descriptors(void)
{
    int n = 0, p[2];

    set_limit(RLIMIT_NOFILE, 256);
    while (open("/", O_RDONLY) >= 0) {
        n++;
    }
    EQ(errno, EMFILE);
    CHECK(n > 200 && n < 256);
    ERR(dup(0), EMFILE);
    ERR(pipe(p), EMFILE);
    ERR(fcntl(0, F_DUPFD, 0), EMFILE);
    OK(close(100));
    ERR(pipe(p), EMFILE); /* one free, two needed: none is lost */
    EQ(open("/", O_RDONLY), 100);
}

static void ten_thousand_files(void)
{
    enum { N = 10000 };
    static int fd[N];
    struct rlimit r;
    int n = 0;

    OK(getrlimit(RLIMIT_NOFILE, &r));
    if (r.rlim_max < N + 100 && geteuid() == 0) {
        r.rlim_max = N + 100;
    }
    r.rlim_cur = r.rlim_max < N + 100 ? r.rlim_max : N + 100;
    OK(setrlimit(RLIMIT_NOFILE, &r));
    write_file("f", "0123456789");
    for (; n < N; n++) {
        fd[n] = open("f", O_RDONLY);
        if (fd[n] < 0) {
            break;
        }
    }
    if (n < N) {
        CHECK(errno == EMFILE || errno == ENFILE || errno == ENOMEM);
        CHECK(n > 200);
    }
    for (int i = 0; i < n; i += 97) {
        char c;

        EQ(lseek(fd[i], i % 10, SEEK_SET), i % 10);
        EQ(read(fd[i], &c, 1), 1);
        EQ(c, '0' + i % 10);
    }
    /* A child gets all of them, too. */
    pid_t pid;
    CHILD(pid)
    {
        CHECK(fcntl(fd[n - 1], F_GETFD) >= 0);
    }
    wait_ok(pid);
    for (int i = 0; i < n; i++) {
        OK(close(fd[i]));
    }
    OK(close(OK(open("f", O_RDONLY))));
}

static void file_size(void)
{
    int fd = OK(open("f", O_RDWR | O_CREAT, 0600));
    char block[600] = {0};

    handle(SIGXFSZ, count_signal, 0, 0);
    set_limit(RLIMIT_FSIZE, 1000);
    EQ(write(fd, block, 600), 600);
    EQ(write(fd, block, 600), 400); /* as much as is allowed */
    ERR(write(fd, block, 1), EFBIG);
    EQ(caught, 1);
    ERR(ftruncate(fd, 2000), EFBIG);
    EQ(caught, 2);
    OK(ftruncate(fd, 10));
}

static void address_space(void)
{
    char *p;

    set_limit(RLIMIT_AS, 256 << 20);
    ERR(mmap(NULL, 512 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), ENOMEM);
    p = mmap(NULL, 4 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(p != MAP_FAILED);
    void *end = (void *)syscall(SYS_brk, 0);
    CHECK((void *)syscall(SYS_brk, (char *)end + (512 << 20)) == end);
}

static void processes(void)
{
    enum { LIMIT = 20 };
    pid_t tester;

    if (geteuid() != 0) {
        SKIP("needs root");
    }
    CHILD(tester)
    {
        pid_t pid;
        int n = 0;
        struct gate end;

        gate_init(&end);
        set_limit(RLIMIT_NPROC, LIMIT);
        OK(setgid(54321)); /* a user who runs nothing else */
        OK(setuid(54321));
        while ((pid = fork()) > 0) {
            n++;
        }
        if (pid == 0) {
            char c;

            OK(close(end.fd[1]));
            EQ(read(end.fd[0], &c, 1), 0);
            _exit(0);
        }
        EQ(errno, EAGAIN);
        EQ(n, LIMIT - 1);
        OK(close(end.fd[1]));
        for (; n > 0; n--) {
            CHECK(waitpid(-1, NULL, 0) > 0);
        }
        pid = OK(fork()); /* works again */
        if (pid == 0) {
            _exit(0);
        }
        wait_ok(pid);
    }
    wait_ok(tester);
}

/* Takes memory until there is none; only where the harness says that the machine is small. */
static void memory(void)
{
    const size_t piece = 1 << 20;
    pid_t pid;

    if (!getenv("POSIXTEST_HOG")) {
        SKIP("set POSIXTEST_HOG to let a test take all memory");
    }
    CHILD(pid)
    {
        for (;;) {
            char *p = mmap(NULL, piece, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

            if (p == MAP_FAILED) {
                EQ(errno, ENOMEM);
                _exit(0);
            }
            memset(p, 1, piece);
        }
    }
    int status = wait_status(pid);
    CHECK(status == 0 ||
          (WIFSIGNALED(status) && (WTERMSIG(status) == SIGKILL || WTERMSIG(status) == SIGBUS ||
                                   WTERMSIG(status) == SIGSEGV)));
    /* All of it is there again. */
    for (int i = 0; i < 3; i++) {
        CHILD(pid)
        {
            char *p = malloc(8 << 20);

            CHECK(p);
            memset(p, 1, 8 << 20);
        }
        wait_ok(pid);
    }
}

static void stack_limit(void)
{
    pid_t pid;

    CHILD(pid)
    {
        set_limit(RLIMIT_STACK, 512 << 10);
        execl(self_path, "posixtest", "--helper", "stack", "200000", NULL);
        _exit(127);
    }
    int status = wait_status(pid);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127) {
        SKIP("cannot execute itself");
    }
    EQ(status, 0);
    CHILD(pid)
    {
        set_limit(RLIMIT_STACK, 512 << 10);
        execl(self_path, "posixtest", "--helper", "stack", "2000000", NULL);
    }
    wait_killed(pid, SIGSEGV);
}

const struct test limits_tests[] = {
    {"get_and_set", get_and_set},
    {"descriptors", descriptors},
    {"ten_thousand_files", ten_thousand_files},
    {"file_size", file_size},
    {"address_space", address_space},
    {"processes", processes},
    {"memory", memory},
    {"stack", stack_limit},
    {0},
};
