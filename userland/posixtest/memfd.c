/*
 * memfd_create and seals.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "test.h"

#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

static void making(void)
{
    char link[64], text[300], name[300];
    struct stat st;
    int fd = OK(memfd_create("some name", MFD_CLOEXEC)), again;
    ssize_t n;

    EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
    EQ(write(fd, "hello", 5), 5);
    OK(fstat(fd, &st));
    CHECK(S_ISREG(st.st_mode));
    EQ(st.st_size, 5);
    EQ(st.st_nlink, 0);
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    n = OK(readlink(link, text, sizeof text - 1));
    text[n] = 0;
    CHECK(strcmp(text, "/memfd:some name (deleted)") == 0);
    again = OK(open(link, O_RDONLY));
    EQ(read(again, text, 10), 5);
    EQ(fcntl(fd, F_GET_SEALS), F_SEAL_SEAL);
    ERR(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW), EPERM);
    ERR(memfd_create("x", 0x40), EINVAL);
    ERR(memfd_create((char *)16, 0), EFAULT);
    memset(name, 'n', sizeof name);
    name[250] = 0;
    ERR(memfd_create(name, 0), EINVAL);
    name[249] = 0;
    OK(memfd_create(name, 0));
}

static void sealing(void)
{
    char *p;
    int fd = OK(memfd_create("", MFD_ALLOW_SEALING)), pp[2], ro;
    char link[64];

    OK(ftruncate(fd, 8192));
    EQ(fcntl(fd, F_GET_SEALS), 0);
    ERR(fcntl(fd, F_ADD_SEALS, 0x100), EINVAL);
    OK(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK));
    ERR(ftruncate(fd, 100), EPERM);
    OK(ftruncate(fd, 10000));
    OK(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW));
    ERR(ftruncate(fd, 10001), EPERM);
    ERR(fallocate(fd, 0, 0, 20000), EPERM);
    ERR(pwrite(fd, "x", 1, 10000), EPERM);
    EQ(pwrite(fd, "xyz", 3, 1), 3);
    p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(p != MAP_FAILED);
    ERR(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), EBUSY);
    OK(munmap(p, 4096));
    OK(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
    ERR(pwrite(fd, "x", 1, 0), EPERM);
    ERR(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096), EPERM);
    CHECK(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED);
    EQ(errno, EPERM);
    p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    CHECK(p != MAP_FAILED);
    EQ(p[1], 'x');
    p[1] = 'q';
    OK(fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL));
    ERR(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK), EPERM);
    EQ(fcntl(fd, F_GET_SEALS), SEALS);
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ro = OK(open(link, O_RDONLY));
    ERR(fcntl(ro, F_ADD_SEALS, F_SEAL_SHRINK), EPERM);
    OK(pipe(pp));
    ERR(fcntl(pp[0], F_GET_SEALS), EINVAL);
}

static void future_write(void)
{
    int fd = OK(memfd_create("", MFD_ALLOW_SEALING));
    char *p, c = 0;

    OK(ftruncate(fd, 4096));
    p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(p != MAP_FAILED);
    OK(fcntl(fd, F_ADD_SEALS, 0x10)); /* F_SEAL_FUTURE_WRITE: who maps it already goes on */
    p[0] = 'x';
    ERR(write(fd, "y", 1), EPERM);
    EQ(pread(fd, &c, 1, 0), 1);
    EQ(c, 'x');
    CHECK(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED);
    EQ(errno, EPERM);
    p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
    CHECK(p != MAP_FAILED);
    ERR(mprotect(p, 4096, PROT_READ | PROT_WRITE), EACCES);
}

static void executing(void)
{
    char *argv[] = {"posixtest", "-l", "memfd.executing", NULL}, *envp[] = {NULL};
    int from = OK(open(self_path, O_RDONLY)), fd = OK(memfd_create("program", 0));
    struct stat st;
    pid_t pid;

    OK(fstat(from, &st));
    for (off_t n = 0; n < st.st_size;) {
        char buf[4096];
        ssize_t got = OK(read(from, buf, sizeof buf));
        EQ(write(fd, buf, (size_t)got), got);
        n += got;
    }
    CHILD(pid)
    {
        char link[64];
        int out = OK(open("/dev/null", O_WRONLY));

        OK(dup2(out, 1));
        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        int ro = OK(open(link, O_RDONLY));
        OK(close(fd));
        OK(syscall(SYS_execveat, ro, "", argv, envp, 0x1000));
    }
    OK(close(fd));
    wait_ok(pid);
}

const struct test memfd_tests[] = {
    {"making", making},
    {"sealing", sealing},
    {"future_write", future_write},
    {"executing", executing},
    {0},
};
