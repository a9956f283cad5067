/*
 * dup, dup2, dup3, fcntl and the close-on-exec flag.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "test.h"

static int limit(void)
{
    struct rlimit r;

    OK(getrlimit(RLIMIT_NOFILE, &r));
    return (int)r.rlim_cur;
}

static void dup_shares_offset(void)
{
    int a = OK(open("f", O_RDWR | O_CREAT, 0600)), b = OK(dup(a));

    CHECK(a != b);
    EQ(write(a, "abc", 3), 3);
    EQ(lseek(b, 0, SEEK_CUR), 3);
    OK(close(a));
    EQ(write(b, "d", 1), 1);
    expect_file("f", "abcd");
}

static void dup2_rules(void)
{
    int a = OK(open("/", O_RDONLY)), b = OK(open("f", O_RDWR | O_CREAT, 0600));

    EQ(dup2(a, a), a);
    EQ(dup2(b, 150), 150);
    EQ(write(150, "x", 1), 1);
    EQ(dup2(a, b), b); /* closes b first */
    ERR(write(b, "x", 1), EBADF);
    EQ(write(150, "y", 1), 1);
    ERR(dup2(-1, 5), EBADF);
    ERR(dup2(199, 5), EBADF);
    ERR(dup2(199, 199), EBADF);
    ERR(dup2(a, -1), EBADF);
    ERR(dup2(a, limit()), EBADF);
}

static void dup3_rules(void)
{
    int a = OK(open("/", O_RDONLY));

    ERR(syscall(SYS_dup3, a, a, 0), EINVAL);
    ERR(syscall(SYS_dup3, a, 150, O_APPEND), EINVAL);
    EQ(syscall(SYS_dup3, a, 150, O_CLOEXEC), 150);
    EQ(fcntl(150, F_GETFD), FD_CLOEXEC);
    EQ(syscall(SYS_dup3, a, 150, 0), 150);
    EQ(fcntl(150, F_GETFD), 0);
    ERR(syscall(SYS_dup3, a, limit(), 0), EBADF);
}

static void dupfd(void)
{
    int a = OK(open("/", O_RDONLY));

    EQ(fcntl(a, F_DUPFD, 120), 120);
    EQ(fcntl(a, F_DUPFD, 120), 121);
    EQ(fcntl(120, F_GETFD), 0);
    EQ(fcntl(a, F_DUPFD_CLOEXEC, 120), 122);
    EQ(fcntl(122, F_GETFD), FD_CLOEXEC);
    ERR(fcntl(a, F_DUPFD, -1), EINVAL);
    ERR(fcntl(a, F_DUPFD, limit()), EINVAL);
    ERR(fcntl(199, F_DUPFD, 0), EBADF);
}

static void cloexec_is_per_descriptor(void)
{
    int a = OK(open("/", O_RDONLY | O_CLOEXEC)), b = OK(dup(a));

    EQ(fcntl(a, F_GETFD), FD_CLOEXEC);
    EQ(fcntl(b, F_GETFD), 0);
    OK(fcntl(a, F_SETFD, 0));
    OK(fcntl(b, F_SETFD, FD_CLOEXEC));
    EQ(fcntl(a, F_GETFD), 0);
    EQ(fcntl(b, F_GETFD), FD_CLOEXEC);
    ERR(fcntl(199, F_GETFD), EBADF);
}

static void status_flags(void)
{
    int a = OK(open("f", O_RDWR | O_CREAT | O_TRUNC | O_EXCL, 0600)), b = OK(dup(a));

    EQ(fcntl(a, F_GETFL) & (O_ACCMODE | O_APPEND | O_NONBLOCK | O_CREAT | O_EXCL | O_TRUNC),
       O_RDWR);
    OK(fcntl(a, F_SETFL, O_APPEND | O_NONBLOCK | O_WRONLY | O_CREAT));
    EQ(fcntl(b, F_GETFL) & (O_ACCMODE | O_APPEND | O_NONBLOCK | O_CREAT),
       O_RDWR | O_APPEND | O_NONBLOCK); /* shared; access mode and creation flags are fixed */
    EQ(write(b, "ab", 2), 2);
    EQ(lseek(b, 0, SEEK_SET), 0);
    EQ(write(a, "c", 1), 1);
    OK(fcntl(b, F_SETFL, 0));
    EQ(lseek(b, 0, SEEK_SET), 0);
    EQ(write(a, "d", 1), 1);
    expect_file("f", "dbc");
}

static void unknown_command(void)
{
    int a = OK(open("/", O_RDONLY));

    ERR(fcntl(a, 9999), EINVAL);
    ERR(fcntl(199, 9999), EBADF);
}

static void pipe_flags(void)
{
    int p[2];

    OK(pipe(p));
    EQ(fcntl(p[0], F_GETFL) & O_ACCMODE, O_RDONLY);
    EQ(fcntl(p[1], F_GETFL) & O_ACCMODE, O_WRONLY);
    EQ(fcntl(p[0], F_GETFD), 0);
    OK(pipe2(p, O_CLOEXEC | O_NONBLOCK));
    EQ(fcntl(p[0], F_GETFD), FD_CLOEXEC);
    EQ(fcntl(p[1], F_GETFD), FD_CLOEXEC);
    EQ(fcntl(p[0], F_GETFL) & O_NONBLOCK, O_NONBLOCK);
    ERR(pipe2(p, O_TRUNC), EINVAL);
}

const struct test dup_tests[] = {
    {"shares_offset", dup_shares_offset},
    {"dup2", dup2_rules},
    {"dup3", dup3_rules},
    {"dupfd", dupfd},
    {"cloexec_is_per_descriptor", cloexec_is_per_descriptor},
    {"status_flags", status_flags},
    {"unknown_command", unknown_command},
    {"pipe_flags", pipe_flags},
    {0},
};
