/*
 * Opening, reading, writing, seeking.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "test.h"

static void open_missing(void)
{
    ERR(open("none", O_RDONLY), ENOENT);
    ERR(open("none/x", O_RDONLY | O_CREAT, 0600), ENOENT);
    ERR(open("", O_RDONLY), ENOENT);
}

static void open_create(void)
{
    struct stat st;

    umask(022);
    OK(close(OK(open("f", O_WRONLY | O_CREAT, 0666))));
    OK(stat("f", &st));
    EQ(st.st_mode, S_IFREG | 0644);
    EQ(st.st_size, 0);
    EQ(st.st_nlink, 1);
    umask(077);
    OK(close(OK(open("g", O_WRONLY | O_CREAT, 0777))));
    OK(stat("g", &st));
    EQ(st.st_mode & 07777, 0700);
    /* The mode of a file that exists is left alone. */
    OK(close(OK(open("f", O_WRONLY | O_CREAT, 0600))));
    OK(stat("f", &st));
    EQ(st.st_mode & 07777, 0644);
}

static void open_create_readonly_mode(void)
{
    /* The mode is for later opens: this descriptor may write. */
    int fd = OK(open("f", O_RDWR | O_CREAT, 0400));

    EQ(write(fd, "x", 1), 1);
}

static void open_exclusive(void)
{
    OK(close(OK(open("f", O_WRONLY | O_CREAT | O_EXCL, 0600))));
    ERR(open("f", O_WRONLY | O_CREAT | O_EXCL, 0600), EEXIST);
    OK(symlink("nowhere", "s"));
    ERR(open("s", O_WRONLY | O_CREAT | O_EXCL, 0600), EEXIST);
    OK(mkdir("d", 0700));
    ERR(open("d", O_WRONLY | O_CREAT | O_EXCL, 0600), EEXIST);
}

static void open_truncate(void)
{
    write_file("f", "hello");
    OK(close(OK(open("f", O_WRONLY))));
    expect_file("f", "hello");
    OK(close(OK(open("f", O_WRONLY | O_TRUNC))));
    expect_file("f", "");
}

static void open_dir(void)
{
    char c;
    int fd;

    OK(mkdir("d", 0700));
    write_file("f", "");
    ERR(open("d", O_WRONLY), EISDIR);
    ERR(open("d", O_RDWR), EISDIR);
    ERR(open("d", O_RDONLY | O_CREAT, 0600), EISDIR);
    ERR(open("f", O_RDONLY | O_DIRECTORY), ENOTDIR);
    ERR(open("f/", O_RDONLY), ENOTDIR);
    ERR(open("new/", O_WRONLY | O_CREAT, 0600), EISDIR);
    ERR(open("f/x", O_RDONLY), ENOTDIR);
    fd = OK(open("d", O_RDONLY | O_DIRECTORY));
    ERR(read(fd, &c, 1), EISDIR);
    ERR(write(fd, &c, 1), EBADF);
    ERR(ftruncate(fd, 0), EINVAL);
}

static void open_symlink(void)
{
    struct stat st;

    OK(symlink("target", "s"));
    ERR(open("s", O_RDONLY), ENOENT);
    ERR(open("s", O_RDONLY | O_NOFOLLOW), ELOOP);
    OK(close(OK(open("s", O_WRONLY | O_CREAT, 0600)))); /* makes what the link points to */
    OK(lstat("target", &st));
    CHECK(S_ISREG(st.st_mode));
    OK(lstat("s", &st));
    CHECK(S_ISLNK(st.st_mode));
}

static void open_path_only(void)
{
    struct stat st;
    char c;
    int fd;

    write_file("f", "x");
    fd = OK(open("f", O_PATH));
    ERR(read(fd, &c, 1), EBADF);
    OK(fstat(fd, &st));
    EQ(st.st_size, 1);
    OK(symlink("f", "s"));
    fd = OK(open("s", O_PATH | O_NOFOLLOW));
    OK(fstat(fd, &st));
    CHECK(S_ISLNK(st.st_mode));
}

static void lowest_number(void)
{
    int a = OK(open("/", O_RDONLY)), b = OK(open("/", O_RDONLY)), c = OK(open("/", O_RDONLY));

    CHECK(a < b && b < c);
    OK(close(b));
    EQ(open("/", O_RDONLY), b);
    OK(close(a));
    OK(close(b));
    EQ(dup(c), a);
}

static void access_mode(void)
{
    char c = 'x';
    int fd;

    write_file("f", "abc");
    fd = OK(open("f", O_RDONLY));
    ERR(write(fd, &c, 1), EBADF);
    ERR(ftruncate(fd, 0), EINVAL);
    fd = OK(open("f", O_WRONLY));
    ERR(read(fd, &c, 1), EBADF);
    ERR(pread(fd, &c, 1, 0), EBADF);
}

static void bad_descriptors(void)
{
    struct stat st;
    char c = 0;
    int fd = OK(open("/", O_RDONLY));

    OK(close(fd));
    ERR(close(fd), EBADF);
    ERR(close(-1), EBADF);
    ERR(read(fd, &c, 1), EBADF);
    ERR(read(-1, &c, 1), EBADF);
    ERR(read(1 << 30, &c, 1), EBADF);
    ERR(write(fd, &c, 1), EBADF);
    ERR(write(fd, &c, 0), EBADF);
    ERR(lseek(fd, 0, SEEK_SET), EBADF);
    ERR(fstat(fd, &st), EBADF);
    ERR(ftruncate(fd, 0), EBADF);
    ERR(fchmod(fd, 0), EBADF);
    ERR(fchdir(fd), EBADF);
    ERR(dup(fd), EBADF);
}

static void read_write(void)
{
    char buf[16];
    int fd = OK(open("f", O_RDWR | O_CREAT, 0600));

    EQ(write(fd, "hello", 5), 5);
    EQ(read(fd, buf, sizeof buf), 0);
    EQ(lseek(fd, 1, SEEK_SET), 1);
    EQ(read(fd, buf, 3), 3);
    CHECK(memcmp(buf, "ell", 3) == 0);
    EQ(read(fd, buf, sizeof buf), 1);
    EQ(read(fd, buf, sizeof buf), 0);
    EQ(write(fd, "!", 1), 1);
    EQ(write(fd, "", 0), 0);
    EQ(lseek(fd, 0, SEEK_CUR), 6);
    expect_file("f", "hello!");
}

static void seek(void)
{
    int p[2], fd = OK(open("f", O_RDWR | O_CREAT, 0600));

    EQ(write(fd, "0123456789", 10), 10);
    EQ(lseek(fd, -3, SEEK_END), 7);
    EQ(lseek(fd, -2, SEEK_CUR), 5);
    ERR(lseek(fd, -1, SEEK_SET), EINVAL);
    ERR(lseek(fd, -6, SEEK_CUR), EINVAL);
    ERR(lseek(fd, 0, 99), EINVAL);
    EQ(lseek(fd, 0, SEEK_CUR), 5); /* failed calls do not move */
    EQ(lseek(fd, 100, SEEK_END), 110);
    OK(pipe(p));
    ERR(lseek(p[0], 0, SEEK_CUR), ESPIPE);
}

static void holes(void)
{
    char buf[64];
    struct stat st;
    int fd = OK(open("f", O_RDWR | O_CREAT, 0600));

    EQ(write(fd, "a", 1), 1);
    EQ(lseek(fd, 20000, SEEK_SET), 20000);
    OK(fstat(fd, &st));
    EQ(st.st_size, 1); /* seeking alone changes nothing */
    EQ(write(fd, "b", 1), 1);
    OK(fstat(fd, &st));
    EQ(st.st_size, 20001);
    memset(buf, 'x', sizeof buf);
    EQ(pread(fd, buf, sizeof buf, 8000), sizeof buf);
    for (size_t i = 0; i < sizeof buf; i++) {
        EQ(buf[i], 0);
    }
    EQ(pread(fd, buf, sizeof buf, 19999), 2);
    EQ(buf[0], 0);
    EQ(buf[1], 'b');
}

static void far_offset(void)
{
    const off_t far = 5ll << 30;
    struct stat st;
    char c;
    int fd = OK(open("f", O_RDWR | O_CREAT, 0600));

    EQ(pwrite(fd, "z", 1, far), 1);
    OK(fstat(fd, &st));
    EQ(st.st_size, far + 1);
    CHECK(st.st_blocks < 1000);
    EQ(pread(fd, &c, 1, far), 1);
    EQ(c, 'z');
    EQ(pread(fd, &c, 1, far / 2), 1);
    EQ(c, 0);
    EQ(lseek(fd, 0, SEEK_END), far + 1);
    OK(ftruncate(fd, 0));
}

static void truncate_file(void)
{
    char buf[32];
    int fd = OK(open("f", O_RDWR | O_CREAT, 0600)), p[2];

    EQ(write(fd, "hello world", 11), 11);
    OK(ftruncate(fd, 5));
    EQ(lseek(fd, 0, SEEK_CUR), 11); /* the offset stays, beyond the end */
    EQ(read(fd, buf, sizeof buf), 0);
    OK(ftruncate(fd, 11));
    EQ(pread(fd, buf, sizeof buf, 0), 11);
    CHECK(memcmp(buf, "hello\0\0\0\0\0\0", 11) == 0); /* what was cut off is gone */
    ERR(ftruncate(fd, -1), EINVAL);
    OK(pipe(p));
    ERR(ftruncate(p[1], 0), EINVAL);
}

static void append(void)
{
    char buf[16];
    int a = OK(open("f", O_RDWR | O_CREAT | O_APPEND, 0600));
    int b = OK(open("f", O_WRONLY | O_APPEND));

    EQ(write(a, "one", 3), 3);
    EQ(write(b, "two", 3), 3);
    EQ(lseek(a, 0, SEEK_SET), 0);
    EQ(write(a, "three", 5), 5);
    EQ(lseek(a, 0, SEEK_CUR), 11);
    EQ(lseek(a, 0, SEEK_SET), 0);
    EQ(read(a, buf, 3), 3);
    expect_file("f", "onetwothree");
}

static void append_concurrent(void)
{
    enum { WRITERS = 4, LINES = 100 };
    pid_t pid[WRITERS];
    char line[8], buf[8] = "";
    int count[WRITERS] = {0}, fd;

    for (int i = 0; i < WRITERS; i++) {
        CHILD(pid[i])
        {
            int f = OK(open("f", O_WRONLY | O_CREAT | O_APPEND, 0600));

            memset(line, 'a' + i, sizeof line);
            for (int k = 0; k < LINES; k++) {
                EQ(write(f, line, sizeof line), sizeof line);
            }
        }
    }
    for (int i = 0; i < WRITERS; i++) {
        wait_ok(pid[i]);
    }
    fd = OK(open("f", O_RDONLY));
    while (OK(read(fd, buf, sizeof buf)) == sizeof buf) {
        for (size_t i = 0; i < sizeof buf; i++) {
            EQ(buf[i], buf[0]);
        }
        count[buf[0] - 'a']++;
    }
    for (int i = 0; i < WRITERS; i++) {
        EQ(count[i], LINES);
    }
}

static void positioned(void)
{
    char buf[8];
    int p[2], fd = OK(open("f", O_RDWR | O_CREAT, 0600));

    EQ(write(fd, "abcdef", 6), 6);
    EQ(lseek(fd, 2, SEEK_SET), 2);
    EQ(pread(fd, buf, 2, 4), 2);
    CHECK(memcmp(buf, "ef", 2) == 0);
    EQ(pwrite(fd, "XY", 2, 0), 2);
    EQ(lseek(fd, 0, SEEK_CUR), 2);
    EQ(pread(fd, buf, 8, 6), 0);
    ERR(pread(fd, buf, 1, -1), EINVAL);
    ERR(pwrite(fd, buf, 1, -1), EINVAL);
    OK(pipe(p));
    ERR(pread(p[0], buf, 1, 0), ESPIPE);
    ERR(pwrite(p[1], buf, 1, 0), ESPIPE);
    expect_file("f", "XYcdef");
}

static void vectors(void)
{
    char a[4] = "", b[8] = "";
    struct iovec out[3] = {{"ab", 2}, {"", 0}, {"cde", 3}}, in[2] = {{a, 3}, {b, 8}};
    int fd = OK(open("f", O_RDWR | O_CREAT, 0600));

    EQ(writev(fd, out, 3), 5);
    EQ(lseek(fd, 0, SEEK_SET), 0);
    EQ(readv(fd, in, 2), 5);
    CHECK(memcmp(a, "abc", 3) == 0 && memcmp(b, "de", 2) == 0);
    EQ(readv(fd, in, 2), 0);
    EQ(writev(fd, out, 0), 0);
    EQ(writev(fd, NULL, 0), 0);
    ERR(syscall(SYS_writev, fd, out, -1), EINVAL);
    ERR(syscall(SYS_readv, fd, in, 1025), EINVAL);
    out[0].iov_len = (size_t)-1;
    ERR(writev(fd, out, 1), EINVAL);
    out[0].iov_len = out[2].iov_len = (size_t)1 << 62;
    ERR(writev(-1, out, 3), EBADF);
}

static void offset_shared_by_fork(void)
{
    int fd = OK(open("f", O_RDWR | O_CREAT, 0600));
    pid_t pid;

    CHILD(pid)
    {
        EQ(write(fd, "child", 5), 5);
        EQ(lseek(fd, 1, SEEK_CUR), 6);
    }
    wait_ok(pid);
    EQ(lseek(fd, 0, SEEK_CUR), 6);
    OK(close(fd));
    CHILD(pid)
    {
        ERR(close(fd), EBADF);
    }
    wait_ok(pid);
}

static void unlinked_but_open(void)
{
    struct stat st;
    char buf[8];
    int fd = OK(open("f", O_RDWR | O_CREAT, 0600));

    EQ(write(fd, "alive", 5), 5);
    OK(unlink("f"));
    ERR(open("f", O_RDONLY), ENOENT);
    OK(fstat(fd, &st));
    EQ(st.st_nlink, 0);
    EQ(pread(fd, buf, 8, 0), 5);
    EQ(write(fd, "!", 1), 1);
    OK(fstat(fd, &st));
    EQ(st.st_size, 6);
}

static void big_transfer(void)
{
    enum { SIZE = 300000 };
    static unsigned char out[SIZE], in[SIZE];
    int fd = OK(open("f", O_RDWR | O_CREAT, 0600));

    for (size_t i = 0; i < SIZE; i++) {
        out[i] = (unsigned char)(i * 7 + (i >> 8));
    }
    EQ(write(fd, out + 1, SIZE - 1), SIZE - 1);
    EQ(lseek(fd, 0, SEEK_SET), 0);
    EQ(read(fd, in + 1, SIZE - 1), SIZE - 1);
    EQ(read(fd, in, 1), 0);
    CHECK(memcmp(in, out + 0, 1) == 0 && memcmp(in + 1, out + 1, SIZE - 1) == 0);
    EQ(pread(fd, in, 10000, 4095), 10000);
    CHECK(memcmp(in, out + 4096, 10000) == 0);
}

const struct test fd_tests[] = {
    {"open_missing", open_missing},
    {"open_create", open_create},
    {"open_create_readonly_mode", open_create_readonly_mode},
    {"open_exclusive", open_exclusive},
    {"open_truncate", open_truncate},
    {"open_dir", open_dir},
    {"open_symlink", open_symlink},
    {"open_path_only", open_path_only},
    {"lowest_number", lowest_number},
    {"access_mode", access_mode},
    {"bad_descriptors", bad_descriptors},
    {"read_write", read_write},
    {"seek", seek},
    {"holes", holes},
    {"far_offset", far_offset},
    {"truncate", truncate_file},
    {"append", append},
    {"append_concurrent", append_concurrent},
    {"positioned", positioned},
    {"vectors", vectors},
    {"offset_shared_by_fork", offset_shared_by_fork},
    {"unlinked_but_open", unlinked_but_open},
    {"big_transfer", big_transfer},
    {0},
};
