/*
 * Bad pointers where a table (matrix.h) does not reach: elements of vectors, buffers of which half is there, what
 * has happened by the time the pointer is looked at. And a signal frame that is none.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "matrix.h"

enum {
    NO_ACCESS = 8,
    READ_ONLY = BAD_ADDRESSES - 1
}; /* of bad_addresses(): the latter comes last */

/* A read that fails takes nothing, a write leaves nothing. */
static void nothing_happens(void)
{
    const struct bad *bad = bad_addresses();
    int fd = OK(open("f", O_RDWR | O_CREAT, 0600)), p[2], n = 0;
    struct stat st;

    OK(pipe(p));
    EQ(write(p[1], "0123456789abcdef", 16), 16);
    for (size_t i = 0; i < BAD_ADDRESSES; i++) {
        ERR(syscall(SYS_read, p[0], bad[i].address, 16), EFAULT);
        if (i != READ_ONLY) {
            ERR(syscall(SYS_write, p[1], bad[i].address, 16), EFAULT);
            ERR(syscall(SYS_write, fd, bad[i].address, 16), EFAULT);
        }
    }
    OK(ioctl(p[0], FIONREAD, &n));
    EQ(n, 16);
    EQ(lseek(fd, 0, SEEK_CUR), 0);
    OK(fstat(fd, &st));
    EQ(st.st_size, 0);
}

/* What no program can have is refused whatever there is to move: at the end of a file, where all is thrown away. */
static void ranges(void)
{
    static const uint64_t nowhere[] = {1ul << 56, ~0ul - 4095, 1ul << 63};
    int fd = OK(open("f", O_RDWR | O_CREAT, 0600)), null = OK(open("/dev/null", O_RDWR));
    char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct iovec iov[2] = {{page, 8}, {page, 8}};

    CHECK(page != MAP_FAILED);
    for (size_t i = 0; i < sizeof(nowhere) / sizeof(nowhere[0]); i++) {
        ERR(syscall(SYS_read, fd, nowhere[i], 16), EFAULT);
        ERR(syscall(SYS_read, null, nowhere[i], 16), EFAULT);
        ERR(syscall(SYS_write, null, nowhere[i], 16), EFAULT);
        ERR(syscall(SYS_pread64, fd, nowhere[i], 16, 0), EFAULT);
        ERR(syscall(SYS_pwrite64, fd, nowhere[i], 16, 0), EFAULT);
        iov[1].iov_base = (void *)nowhere[i];
        ERR(writev(fd, iov, 2), EFAULT);
        ERR(readv(null, iov, 2), EFAULT);
    }
    ERR(syscall(SYS_read, fd, page, -16l), EFAULT);
    ERR(syscall(SYS_write, fd, page, -16l), EFAULT);
    ERR(syscall(SYS_pwrite64, fd, page, 1ul << 57, 0), EFAULT);
    EQ(write(null, page, 1ul << 20), 1l << 20); /* but a hole there may be */
    OK(munmap(page, 4096));
}

static void vector_elements(void)
{
    struct iovec iov[3];
    char a[8], b[8];
    int fd = OK(open("f", O_RDWR | O_CREAT, 0600));
    const struct bad *bad = bad_addresses();

    for (size_t i = 1; i < BAD_ADDRESSES; i++) {
        iov[0] = (struct iovec){(void *)bad[i].address, 8};
        if (i != READ_ONLY) {
            ERR(writev(fd, iov, 1), EFAULT);
        }
        EQ(pwrite(fd, "0123456789", 10, 0), 10);
        ERR(readv(fd, iov, 1), EFAULT);
        EQ(lseek(fd, 0, SEEK_CUR), 0);
    }
    /* What comes before the bad element is done. */
    iov[0] = (struct iovec){a, 4};
    iov[1] = (struct iovec){(void *)bad[NO_ACCESS].address, 4};
    iov[2] = (struct iovec){b, 4};
    EQ(readv(fd, iov, 3), 4);
    EQ(lseek(fd, 0, SEEK_CUR), 4);
}

/* A buffer that begins well and runs into a hole. */
static void half_good_buffers(void)
{
    /* A multiple of 64: Linux 6.1 for riscv64 makes no progress when a word is half readable, and
     * a write to a file then tries for ever. */
    enum { GOOD = 128 };
    char *p = page_before_hole() + page_size() - GOOD;
    int fd = OK(open("f", O_RDWR | O_CREAT, 0600)), pair[2];
    struct stat st;
    long n;

    OK(ftruncate(fd, 1000));
    n = pread(fd, p, 1000, 0);
    CHECK(n == GOOD || (n == -1 && errno == EFAULT));
    n = pwrite(fd, p, 1000, 0);
    CHECK(n == GOOD || (n == -1 && errno == EFAULT));
    OK(pipe2(pair, O_NONBLOCK));
    n = write(pair[1], p, 1000);
    CHECK(n == GOOD || (n == -1 && errno == EFAULT));
    ERR(syscall(SYS_fstat, fd, p + 64), EFAULT);
    memset(p, 'x', GOOD);
    ERR(stat(p, &st), EFAULT); /* a path without an end */
    memset(p, 0, GOOD);
    strcpy(p + GOOD - 2, "f");
    OK(stat(p + GOOD - 2, &st)); /* a path that ends with the page */
}

static void exec_elements(void)
{
    char *good[] = {"x", NULL}, *one_bad[] = {"x", NULL, NULL};
    const struct bad *bad = bad_addresses();

    for (size_t i = 1; i < READ_ONLY; i++) {
        one_bad[1] = (char *)bad[i].address;
        ERR(execve(self_path, one_bad, good), EFAULT);
        ERR(execve(self_path, good, one_bad), EFAULT);
    }
    /* An array that runs into a hole. */
    char **edge = (char **)(void *)(page_before_hole() + page_size()) - 1;
    edge[0] = "x";
    ERR(execve(self_path, edge, good), EFAULT);
}

/* The child is gone even when there is nowhere to put its status. */
static void wait_calls(void)
{
    pid_t pid;
    const struct bad *bad = bad_addresses();

    for (size_t i = 1; i < BAD_ADDRESSES; i++) {
        CHILD(pid)
        {
        }
        ERR(syscall(SYS_wait4, pid, bad[i].address, 0, NULL), EFAULT);
        ERR(waitpid(pid, NULL, 0), ECHILD);
        CHILD(pid)
        {
        }
        ERR(syscall(SYS_wait4, pid, NULL, 0, bad[i].address), EFAULT);
        CHILD(pid)
        {
        }
        ERR(syscall(SYS_waitid, P_PID, pid, bad[i].address, WEXITED, NULL), EFAULT);
        waitpid(pid, NULL, 0);
    }
}

/* rt_sigreturn where there is no frame. */
static void bad_frame(void)
{
    pid_t pid;

    CHILD(pid)
    {
#if defined __riscv
        __asm__ volatile("li sp, 64\n li a7, 139\n ecall"); /* rt_sigreturn */
#elif defined __x86_64__
        __asm__ volatile("mov $64, %rsp\n mov $15, %eax\n syscall");
#endif
    }
    wait_killed(pid, SIGSEGV);
}

/* Of several things that are wrong, the one Linux tells of. */
static void first_error(void)
{
    struct iovec v = {"x", 1};
    struct timespec t = {0, 0};
    int p[2], far[2] = {2000, 0};
    pid_t pid;

    OK(pipe(p));
    ERR(syscall(SYS_preadv2, p[0], &v, 1, 5, 0, 0x80000000), ESPIPE); /* and no such flag */
    ERR(syscall(SYS_memfd_create, "x", 0x17317fa7), EINVAL);          /* and huge pages */
    ERR(syscall(SYS_clock_nanosleep, CLOCK_THREAD_CPUTIME_ID, 0, &t, NULL), EOPNOTSUPP);
    ERR(syscall(SYS_rt_tgsigqueueinfo, 0, 0, SIGUSR1, 8), EFAULT); /* and no such thread */
    ERR(syscall(SYS_setrlimit, 99, 8), EFAULT);                    /* and no such limit */
    ERR(syscall(SYS_prlimit64, INT32_MAX, 99, 8, NULL), EFAULT);
    if (geteuid() != 0) {
        return;
    }
    ERR(syscall(SYS_settimeofday, NULL, &far), EINVAL);
    ERR(syscall(SYS_clock_settime, CLOCK_REALTIME, &t), EINVAL); /* before the system was started */
    CHILD(pid)
    {
        OK(setuid(65534));
        ERR(syscall(SYS_umount2, "nowhere", 0), ENOENT);
        ERR(syscall(SYS_umount2, "/", 0), EPERM);
        ERR(syscall(SYS_syslog, 99, NULL, 0), EPERM); /* and no such action */
        ERR(syscall(SYS_mount, "none", 8, "tmpfs", 0, NULL), EFAULT);
        ERR(syscall(SYS_mount, "none", "nowhere", "tmpfs", 0, NULL), ENOENT);
        ERR(syscall(SYS_mount, "none", "/", "tmpfs", 0, NULL), EPERM);
    }
    wait_ok(pid);
}

const struct test badptr_tests[] = {
    {"nothing_happens", nothing_happens},
    {"ranges", ranges},
    {"vector_elements", vector_elements},
    {"half_good_buffers", half_good_buffers},
    {"exec_elements", exec_elements},
    {"wait_calls", wait_calls},
    {"bad_frame", bad_frame},
    {"first_error", first_error},
    {0},
};
