/*
 * Moving data: splice, tee, vmsplice, sendfile, copy_file_range, preadv2; hints and syncing.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/falloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "test.h"

#define SIZE 200000

static char *pattern(void)
{
    char *p = malloc(SIZE);

    CHECK(p);
    for (int i = 0; i < SIZE; i++) {
        p[i] = (char)(i * 7 + i / 251);
    }
    return p;
}

static int big_file(const char *name)
{
    char *p = pattern();
    int fd = OK(open(name, O_RDWR | O_CREAT | O_TRUNC, 0600));

    EQ(write(fd, p, SIZE), SIZE);
    free(p);
    EQ(lseek(fd, 0, SEEK_SET), 0);
    return fd;
}

static void same(const char *name)
{
    char *p = pattern(), *q = malloc(SIZE + 1);
    int fd = OK(open(name, O_RDONLY));

    EQ(read(fd, q, SIZE + 1), SIZE);
    EQ(memcmp(p, q, SIZE), 0);
    free(p);
    free(q);
    OK(close(fd));
}

static void through_a_pipe(void)
{
    int in = big_file("in"), out = OK(open("out", O_RDWR | O_CREAT, 0600)), p[2];
    long n, sum = 0;

    OK(pipe(p));
    while ((n = OK(splice(in, NULL, p[1], NULL, SIZE, 0))) > 0) {
        CHECK(n <= 65536);
        for (long done = 0; done < n;) {
            done += OK(splice(p[0], NULL, out, NULL, (size_t)(n - done), SPLICE_F_MOVE));
        }
        sum += n;
    }
    EQ(sum, SIZE);
    EQ(lseek(in, 0, SEEK_CUR), SIZE);
    EQ(lseek(out, 0, SEEK_CUR), SIZE);
    same("out");
}

static void offsets(void)
{
    int fd, p[2];
    loff_t off = 3;
    char buf[16];

    write_file("f", "0123456789");
    fd = OK(open("f", O_RDWR));
    OK(pipe(p));
    EQ(splice(fd, &off, p[1], NULL, 4, 0), 4);
    EQ(off, 7);
    EQ(lseek(fd, 0, SEEK_CUR), 0);
    off = 20;
    EQ(splice(fd, &off, p[1], NULL, 4, SPLICE_F_NONBLOCK), 0);
    off = 1;
    EQ(splice(p[0], NULL, fd, &off, 100, 0), 4);
    EQ(off, 5);
    expect_file("f", "0345656789");
    ERR(splice(p[0], &off, fd, NULL, 1, 0), ESPIPE);
    ERR(splice(fd, NULL, p[1], &off, 1, 0), ESPIPE);
    ERR(splice(fd, NULL, fd, NULL, 1, 0), EINVAL);
    ERR(splice(p[0], NULL, p[1], NULL, 1, 0), EINVAL); /* the same pipe */
    ERR(splice(p[0], NULL, fd, NULL, 1, 16), EINVAL);
    ERR(splice(p[0], NULL, 199, NULL, 1, 0), EBADF);
    ERR(splice(p[1], NULL, fd, NULL, 1, 0), EBADF);
    ERR(splice(fd, NULL, p[0], NULL, 1, 0), EBADF);
    EQ(splice(p[0], NULL, 199, NULL, 0, 0), 0);
    ERR(splice(p[0], NULL, fd, NULL, 1, SPLICE_F_NONBLOCK), EAGAIN);
    OK(fcntl(fd, F_SETFL, O_APPEND));
    EQ(write(p[1], "x", 1), 1);
    ERR(splice(p[0], NULL, fd, NULL, 1, 0), EINVAL);
    OK(close(p[1]));
    EQ(read(p[0], buf, 1), 1);
    OK(fcntl(fd, F_SETFL, 0));
    EQ(splice(p[0], NULL, fd, NULL, 1, 0), 0); /* the end */
}

static void pipe_to_pipe(void)
{
    static char block[65536];
    char buf[32];
    int a[2], b[2];

    OK(pipe2(a, O_NONBLOCK));
    OK(pipe2(b, O_NONBLOCK));
    EQ(write(a[1], "hello world", 11), 11);
    EQ(tee(a[0], b[1], 5, 0), 5);
    EQ(splice(a[0], NULL, b[1], NULL, 100, 0), 11);
    EQ(read(b[0], buf, sizeof buf), 16);
    CHECK(memcmp(buf, "hellohello world", 16) == 0);
    ERR(tee(a[0], b[1], 5, 0), EAGAIN);
    ERR(tee(a[0], a[1], 5, 0), EINVAL);
    ERR(tee(a[0], 199, 5, 0), EBADF);
    ERR(tee(a[0], b[0], 5, 0), EBADF);
    ERR(tee(a[0], b[1], 5, 16), EINVAL);
    EQ(write(b[1], block, sizeof block), sizeof block);
    EQ(write(a[1], "x", 1), 1);
    ERR(splice(a[0], NULL, b[1], NULL, 1, 0), EAGAIN);
    OK(close(b[0]));
    handle(SIGPIPE, count_signal, 0, 0);
    ERR(splice(a[0], NULL, b[1], NULL, 1, 0), EPIPE);
    EQ(caught, 1);
    EQ(read(a[0], buf, 1), 1);
    OK(close(a[1]));
    OK(pipe(b));
    EQ(tee(a[0], b[1], 1, 0), 0);
    EQ(splice(a[0], NULL, b[1], NULL, 1, 0), 0);
}

static void splice_blocks(void)
{
    int p[2], fd = OK(open("f", O_RDWR | O_CREAT, 0600));
    pid_t pid;

    OK(pipe(p));
    CHILD(pid)
    {
        OK(close(p[1]));
        EQ(splice(p[0], NULL, fd, NULL, 100, 0), 5);
        EQ(splice(p[0], NULL, fd, NULL, 100, 0), 0);
    }
    wait_state(pid, 'S');
    EQ(write(p[1], "later", 5), 5);
    sleep_ms(20);
    OK(close(p[1]));
    wait_ok(pid);
    expect_file("f", "later");
}

static void memory(void)
{
    struct iovec iov[2] = {{"abc", 3}, {"defg", 4}}, none = {NULL, 0};
    char buf[16] = "", more[16] = "";
    struct iovec to[2] = {{buf, 2}, {more, 16}};
    int p[2], fd;

    OK(pipe(p));
    write_file("f", "");
    fd = OK(open("f", O_RDWR));
    EQ(vmsplice(p[1], iov, 2, 0), 7);
    EQ(vmsplice(p[0], to, 2, 0), 7);
    CHECK(memcmp(buf, "ab", 2) == 0 && memcmp(more, "cdefg", 5) == 0);
    EQ(vmsplice(p[1], &none, 1, 0), 0);
    ERR(vmsplice(p[0], to, 2, SPLICE_F_NONBLOCK), EAGAIN);
    ERR(vmsplice(fd, iov, 2, 0), EBADF);
    ERR(vmsplice(199, iov, 2, 0), EBADF);
    ERR(vmsplice(p[1], iov, 2, 16), EINVAL);
    ERR(vmsplice(p[1], iov, 1025, 0), EINVAL);
}

static void send_file(void)
{
    int in = big_file("in"), out = OK(open("out", O_RDWR | O_CREAT, 0600)), p[2];
    off_t off = 5;
    char buf[8];

    for (long n = 0; n < SIZE;) {
        n += OK(sendfile(out, in, NULL, SIZE));
    }
    EQ(sendfile(out, in, NULL, SIZE), 0);
    same("out");
    OK(pipe(p));
    EQ(sendfile(p[1], in, &off, 3), 3);
    EQ(off, 8);
    EQ(read(p[0], buf, 8), 3);
    ERR(sendfile(out, p[0], NULL, 1), EINVAL);
    ERR(sendfile(out, p[0], &off, 1), ESPIPE);
    off = -1;
    ERR(sendfile(out, in, &off, 1), EINVAL);
    ERR(sendfile(199, in, NULL, 1), EBADF);
    ERR(sendfile(p[0], in, NULL, 1), EBADF);
    OK(fcntl(out, F_SETFL, O_APPEND));
    ERR(sendfile(out, in, NULL, 1), EINVAL);
}

static void copy_range(void)
{
    int in = big_file("in"), out = OK(open("out", O_RDWR | O_CREAT, 0600)), p[2];
    int dir = OK(open(".", O_RDONLY)), wr = OK(open("wr", O_WRONLY | O_CREAT, 0600));
    loff_t a = 0, b = 0;
    struct stat st;

    for (long n = 0; n < SIZE;) {
        n += OK(copy_file_range(in, NULL, out, NULL, SIZE, 0));
    }
    EQ(copy_file_range(in, NULL, out, NULL, SIZE, 0), 0);
    same("out");
    a = 10;
    b = SIZE;
    EQ(copy_file_range(in, &a, out, &b, 20, 0), 20);
    EQ(a, 30);
    EQ(b, SIZE + 20);
    OK(fstat(out, &st));
    EQ(st.st_size, SIZE + 20);
    a = 0;
    b = 5;
    ERR(copy_file_range(in, &a, in, &b, 10, 0), EINVAL); /* they overlap */
    b = 10;
    EQ(copy_file_range(in, &a, in, &b, 10, 0), 10);
    ERR(copy_file_range(in, &a, out, &b, 10, 1), EINVAL);
    ERR(copy_file_range(wr, &a, out, &b, 10, 0), EBADF);
    ERR(copy_file_range(in, &a, 199, &b, 10, 0), EBADF);
    ERR(copy_file_range(dir, NULL, out, NULL, 10, 0), EISDIR);
    OK(pipe(p));
    ERR(copy_file_range(p[0], NULL, out, NULL, 10, 0), EINVAL);
    OK(fcntl(out, F_SETFL, O_APPEND));
    ERR(copy_file_range(in, &a, out, &b, 10, 0), EBADF);
}

static long prw(long nr, int fd, char *buf, size_t n, long pos, int flags)
{
    struct iovec iov = {buf, n};

    return syscall(nr, fd, &iov, 1, pos, 0, flags);
}

static void with_flags(void)
{
    char buf[16] = "";
    int fd, p[2];

    write_file("f", "0123456789");
    fd = OK(open("f", O_RDWR));
    EQ(prw(SYS_preadv2, fd, buf, 3, 4, 0), 3);
    CHECK(memcmp(buf, "456", 3) == 0);
    EQ(lseek(fd, 0, SEEK_CUR), 0);
    EQ(prw(SYS_preadv2, fd, buf, 3, -1, 1), 3); /* HIPRI: as fast as it goes */
    EQ(lseek(fd, 0, SEEK_CUR), 3);
    EQ(prw(SYS_pwritev2, fd, "ab", 2, -1, 2), 2); /* DSYNC */
    EQ(prw(SYS_pwritev2, fd, "cd", 2, 8, 4), 2);  /* SYNC */
    expect_file("f", "012ab567cd");
    EQ(prw(SYS_pwritev2, fd, "E", 1, 0, 0x10), 1); /* APPEND */
    expect_file("f", "012ab567cdE");
    EQ(lseek(fd, 0, SEEK_CUR), 5);
    ERR(prw(SYS_preadv2, fd, buf, 1, 0, 1 << 20), EOPNOTSUPP);
    ERR(prw(SYS_preadv2, fd, buf, 1, -2, 0), EINVAL);
    ERR(prw(SYS_preadv2, 199, buf, 1, 0, 0), EBADF);
    OK(pipe(p));
    EQ(prw(SYS_pwritev2, p[1], "x", 1, -1, 0), 1);
    EQ(prw(SYS_preadv2, p[0], buf, 1, -1, 0), 1);
    ERR(prw(SYS_preadv2, p[0], buf, 1, 0, 0), ESPIPE);
}

static void hints(void)
{
    int fd = big_file("f"), p[2], wr = OK(open("wr", O_WRONLY | O_CREAT, 0600));

    OK(pipe(p));
    EQ(posix_fadvise(fd, 0, 0, POSIX_FADV_WILLNEED), 0);
    EQ(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED), 0);
    EQ(posix_fadvise(fd, 0, 0, 77), EINVAL);
    EQ(posix_fadvise(fd, 0, -1, POSIX_FADV_NORMAL), EINVAL);
    EQ(posix_fadvise(p[0], 0, 0, POSIX_FADV_NORMAL), ESPIPE);
    EQ(posix_fadvise(199, 0, 0, POSIX_FADV_NORMAL), EBADF);
    OK(readahead(fd, 0, 4096));
    ERR(readahead(wr, 0, 4096), EBADF);
    ERR(readahead(p[0], 0, 4096), EINVAL);
    OK(sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE));
    ERR(sync_file_range(fd, 0, 0, 8), EINVAL);
    ERR(sync_file_range(fd, -1, 0, 0), EINVAL);
    ERR(sync_file_range(p[0], 0, 0, 0), ESPIPE);
    ERR(sync_file_range(199, 0, 0, 0), EBADF);
    OK(syncfs(fd));
    ERR(syncfs(199), EBADF);
    OK(fsync(fd));
    OK(fdatasync(fd));
    ERR(fsync(p[0]), EINVAL);
}

static void allocating(void)
{
    struct stat st;
    char c = 1;
    int fd = OK(open("f", O_RDWR | O_CREAT, 0600)), p[2];

    OK(fallocate(fd, 0, 0, 10000));
    OK(fstat(fd, &st));
    EQ(st.st_size, 10000);
    CHECK(st.st_blocks >= 20);
    OK(fallocate(fd, FALLOC_FL_KEEP_SIZE, 20000, 10000));
    OK(fstat(fd, &st));
    EQ(st.st_size, 10000);
    EQ(pwrite(fd, "x", 1, 5000), 1);
    OK(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 4096, 4096));
    EQ(pread(fd, &c, 1, 5000), 1);
    EQ(c, 0);
    ERR(fallocate(fd, FALLOC_FL_PUNCH_HOLE, 0, 1), EOPNOTSUPP);
    ERR(fallocate(fd, 0x80, 0, 1), EOPNOTSUPP);
    ERR(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE | FALLOC_FL_ZERO_RANGE, 0, 1),
        EOPNOTSUPP);
    ERR(fallocate(fd, FALLOC_FL_COLLAPSE_RANGE | FALLOC_FL_KEEP_SIZE, 0, 1), EINVAL);
    ERR(fallocate(fd, FALLOC_FL_INSERT_RANGE | FALLOC_FL_KEEP_SIZE, 0, 1), EINVAL);
    ERR(fallocate(fd, 0, -1, 1), EINVAL);
    ERR(fallocate(fd, 0, 0, 0), EINVAL);
    ERR(fallocate(OK(open("f", O_RDONLY)), 0, 0, 1), EBADF);
    OK(pipe(p));
    ERR(fallocate(p[1], 0, 0, 1), ESPIPE);
}

const struct test splice_tests[] = {
    {"through_a_pipe", through_a_pipe},
    {"offsets", offsets},
    {"pipe_to_pipe", pipe_to_pipe},
    {"blocks", splice_blocks},
    {"memory", memory},
    {"sendfile", send_file},
    {"copy_file_range", copy_range},
    {"flags", with_flags},
    {"hints", hints},
    {"fallocate", allocating},
    {0},
};
