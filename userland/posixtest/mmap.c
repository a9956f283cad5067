/*
 * Memory maps: protection, sharing, copying, moving, the program break.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

#define RW (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

#define P page_size()

static char *map(size_t pages, int prot, int flags)
{
    char *p = mmap(NULL, pages * P, prot, flags, -1, 0);

    CHECK(p != MAP_FAILED);
    return p;
}

static char *map_file(int fd, size_t pages, int prot, int flags)
{
    char *p = mmap(NULL, pages * P, prot, flags, fd, 0);

    CHECK(p != MAP_FAILED);
    return p;
}

struct fault {
    int signo, code;
    void *addr;
};

static int tell_fd;

static void tell(int signo, siginfo_t *si, void *context)
{
    struct fault got = {signo, si->si_code, si->si_addr};

    (void)context;
    EQ(write(tell_fd, &got, sizeof got), sizeof got);
    _exit(0);
}

/* The signal and its code that touching p causes, 0 when it does not. */
static int touch(volatile char *p, bool write, int *code)
{
    struct fault got = {0};
    int fd[2];
    pid_t pid;

    OK(pipe(fd));
    CHILD(pid)
    {
        tell_fd = fd[1];
        handle(SIGSEGV, tell, SA_SIGINFO, 0);
        handle(SIGBUS, tell, SA_SIGINFO, 0);
        if (write) {
            *p = 1;
        } else {
            (void)*p;
        }
    }
    OK(close(fd[1]));
    if (read(fd[0], &got, sizeof got) == sizeof got) {
        CHECK(got.addr == (void *)p);
        if (code) {
            *code = got.code;
        }
    }
    OK(close(fd[0]));
    wait_ok(pid);
    return got.signo;
}

static void anonymous(void)
{
    char *p = map(3, RW, ANON);

    for (size_t i = 0; i < 3 * P; i++) {
        EQ(p[i], 0);
    }
    memset(p, 'x', 3 * P);
    OK(munmap(p + P, P)); /* a hole in the middle */
    EQ(p[0], 'x');
    EQ(p[2 * P], 'x');
    EQ(touch(p + P, false, NULL), SIGSEGV);
    OK(munmap(p, 3 * P)); /* over the hole */
    EQ(touch(p, false, NULL), SIGSEGV);
    OK(munmap(p, 3 * P)); /* what is not mapped can be unmapped */
}

static void fault_codes(void)
{
    char *p = map(4, RW, ANON);
    int code = 0;

    OK(munmap(p + P, P));
    EQ(touch(p + P, false, &code), SIGSEGV);
    EQ(code, SEGV_MAPERR);
    EQ(touch(p + P + 123, true, &code), SIGSEGV);
    EQ(code, SEGV_MAPERR);
    OK(mprotect(p, P, PROT_READ));
    EQ(touch(p, false, NULL), 0);
    EQ(touch(p, true, &code), SIGSEGV);
    EQ(code, SEGV_ACCERR);
    OK(mprotect(p + 2 * P, P, PROT_NONE));
    EQ(touch(p + 2 * P + 7, false, &code), SIGSEGV);
    EQ(code, SEGV_ACCERR);
    EQ(touch(NULL, false, &code), SIGSEGV);
    EQ(code, SEGV_MAPERR);
    EQ(touch(p + 3 * P, true, NULL), 0);
}

static void beyond_the_file(void)
{
    int fd = OK(open("f", O_RDWR | O_CREAT, 0600)), code = 0;
    char *p;

    OK(ftruncate(fd, 100));
    p = map_file(fd, 3, RW, MAP_SHARED);
    EQ(p[99], 0);
    EQ(p[P - 1], 0); /* the rest of the page is zero */
    EQ(touch(p + P, false, &code), SIGBUS);
    EQ(code, BUS_ADRERR);
    OK(ftruncate(fd, (off_t)(2 * P)));
    EQ(touch(p + P, true, NULL), 0);
    EQ(touch(p + 2 * P, false, NULL), SIGBUS);
    p[P] = 'x';
    OK(ftruncate(fd, 1)); /* takes the page away from under the map */
    EQ(touch(p + P, false, NULL), SIGBUS);
}

static void bad_arguments(void)
{
    int fd = OK(open("f", O_RDWR | O_CREAT, 0600)), ro, wo, p[2];
    char *a = map(2, RW, ANON);

    OK(ftruncate(fd, 4096));
    ERR(mmap(NULL, 0, RW, ANON, -1, 0), EINVAL);
    ERR(mmap(NULL, P, RW, MAP_ANONYMOUS, -1, 0), EINVAL); /* neither shared nor private */
    ERR(mmap(NULL, P, RW, MAP_PRIVATE, -1, 0), EBADF);
    ERR(syscall(SYS_mmap, NULL, P, RW, MAP_PRIVATE, fd, 1), EINVAL);
    ERR(mmap((void *)(a + 1), P, RW, ANON | MAP_FIXED, -1, 0), EINVAL);
    ERR(mmap(NULL, (size_t)1 << 62, RW, ANON, -1, 0), ENOMEM);
    ro = OK(open("f", O_RDONLY));
    wo = OK(open("f", O_WRONLY));
    ERR(mmap(NULL, P, RW, MAP_SHARED, ro, 0), EACCES);
    CHECK(mmap(NULL, P, RW, MAP_PRIVATE, ro, 0) != MAP_FAILED);
    ERR(mmap(NULL, P, PROT_READ, MAP_PRIVATE, wo, 0), EACCES);
    OK(pipe(p));
    ERR(mmap(NULL, P, PROT_READ, MAP_PRIVATE, p[0], 0), ENODEV);
    ERR(mmap(NULL, P, PROT_READ, MAP_PRIVATE, OK(open(".", O_RDONLY)), 0), ENODEV);
    ERR(munmap(a + 1, P), EINVAL);
    ERR(munmap(a, 0), EINVAL);
    ERR(syscall(SYS_mprotect, a + 1, P, RW), EINVAL); /* musl would align it */
    ERR(syscall(SYS_mprotect, a, P, 0x40), EINVAL);
    OK(mprotect(a, 0, RW));
    OK(munmap(a + P, P));
    ERR(mprotect(a, 2 * P, PROT_READ), ENOMEM);
    char *shared = mmap(NULL, P, PROT_READ, MAP_SHARED, ro, 0);
    CHECK(shared != MAP_FAILED);
    ERR(mprotect(shared, P, RW), EACCES);
}

static void fixed(void)
{
    char *p = map(4, RW, ANON);

    memset(p, 'x', 4 * P);
    CHECK(mmap(p + P, P, RW, ANON | MAP_FIXED, -1, 0) == p + P); /* replaces */
    EQ(p[P], 0);
    EQ(p[0], 'x');
    EQ(p[2 * P], 'x');
    ERR(mmap(p + P, P, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0), EEXIST);
    OK(munmap(p + P, P));
    CHECK(mmap(p + P, P, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0) == p + P);
    OK(munmap(p, 4 * P));
    CHECK(mmap(p, P, RW, ANON, -1, 0) == p); /* a hint that can be followed is */
}

static void private_file(void)
{
    int fd;
    char *p;

    write_file("f", "original");
    fd = OK(open("f", O_RDWR));
    p = map_file(fd, 1, RW, MAP_PRIVATE);
    CHECK(memcmp(p, "original", 8) == 0);
    p[0] = 'X';
    expect_file("f", "original");
    OK(close(fd)); /* the map stays */
    EQ(p[0], 'X');
    EQ(p[1], 'r');
}

static void shared_file(void)
{
    int fd;
    char *p, *q, c;
    pid_t pid;

    write_file("f", "0123456789");
    fd = OK(open("f", O_RDWR));
    p = map_file(fd, 1, RW, MAP_SHARED);
    q = map_file(fd, 1, PROT_READ, MAP_SHARED);
    p[0] = 'A';
    EQ(q[0], 'A');
    EQ(pread(fd, &c, 1, 0), 1);
    EQ(c, 'A'); /* read sees what was stored */
    EQ(pwrite(fd, "B", 1, 1), 1);
    EQ(p[1], 'B'); /* and the other way round */
    CHILD(pid)
    {
        p[2] = 'C';
    }
    wait_ok(pid);
    EQ(q[2], 'C');
    p[10] = 'Z'; /* behind the end: not part of the file */
    OK(munmap(p, P));
    expect_file("f", "ABC3456789");
    OK(unlink("f"));
    EQ(q[0], 'A');
}

static void file_offset(void)
{
    int fd = OK(open("f", O_RDWR | O_CREAT, 0600));
    char *p;

    EQ(pwrite(fd, "second", 6, (off_t)P), 6);
    p = mmap(NULL, P, PROT_READ, MAP_PRIVATE, fd, (off_t)P);
    CHECK(p != MAP_FAILED && memcmp(p, "second", 6) == 0);
}

static void shared_by_fork(void)
{
    volatile int *shared = (void *)map(1, RW, MAP_SHARED | MAP_ANONYMOUS);
    volatile int *private = (void *)map(1, RW, ANON);
    pid_t pid;

    *shared = *private = 1;
    CHILD(pid)
    {
        CHECK(*shared == 1 && *private == 1);
        *shared = *private = 2;
    }
    wait_ok(pid);
    EQ(*shared, 2);
    EQ(*private, 1);
}

/* Copies of copies, written to in every order. */
static void copy_on_write(void)
{
    enum { PAGES = 64 };
    volatile char *p = map(PAGES, RW, ANON);
    pid_t child, grandchild;

    for (int i = 0; i < PAGES; i++) {
        p[(size_t)i * P] = (char)i;
    }
    CHILD(child)
    {
        for (int i = 0; i < PAGES; i += 2) {
            p[(size_t)i * P] = 100;
        }
        CHILD(grandchild)
        {
            for (int i = 0; i < PAGES; i++) {
                EQ(p[(size_t)i * P], i % 2 ? i : 100);
                p[(size_t)i * P] = 77;
            }
        }
        wait_ok(grandchild);
        for (int i = 0; i < PAGES; i++) {
            EQ(p[(size_t)i * P], i % 2 ? i : 100);
        }
    }
    for (int i = 1; i < PAGES; i += 2) {
        EQ(p[(size_t)i * P], i);
        p[(size_t)i * P] = 50;
    }
    wait_ok(child);
    for (int i = 0; i < PAGES; i++) {
        EQ(p[(size_t)i * P], i % 2 ? 50 : i);
    }
}

/* The kernel's own writes copy as well. */
static void copy_on_write_by_call(void)
{
    char *p = map(1, RW, ANON);
    int fd = OK(open("/dev/zero", O_RDONLY));
    pid_t pid;

    memset(p, 'x', P);
    CHILD(pid)
    {
        EQ(read(fd, p, P), P);
        EQ(p[0], 0);
    }
    wait_ok(pid);
    EQ(p[0], 'x');
    EQ(p[P - 1], 'x');
}

static void protect(void)
{
    char *p = map(3, RW, ANON);

    p[P] = 'x';
    OK(mprotect(p, 3 * P, PROT_READ));
    EQ(touch(p + P, true, NULL), SIGSEGV);
    EQ(p[P], 'x');
    OK(mprotect(p + P, P, PROT_NONE));
    EQ(touch(p + P, false, NULL), SIGSEGV);
    EQ(touch(p, false, NULL), 0);
    OK(mprotect(p, 3 * P, RW));
    EQ(p[P], 'x');
    p[P] = 'y';
    /* Write-protected and copied pages keep apart. */
    OK(mprotect(p, P, PROT_READ));
    pid_t pid;
    CHILD(pid)
    {
        OK(mprotect(p, P, RW));
        p[0] = 'c';
    }
    wait_ok(pid);
    EQ(p[0], 0);
}

static void execute(void)
{
#if defined __riscv
    static const uint32_t code[] = {0x02a00513, 0x00008067}; /* li a0, 42; ret */
#elif defined __x86_64__
    static const unsigned char code[] = {0xb8, 42, 0, 0, 0, 0xc3};
#else
    static const char code[1];
    SKIP("unknown machine");
#endif
    char *p = map(1, RW, ANON);
    int (*f)(void) = (int (*)(void))(void *)p;
    pid_t pid;

    memcpy(p, code, sizeof code);
    CHILD(pid)
    {
        f(); /* not executable yet */
    }
    wait_killed(pid, SIGSEGV);
    OK(mprotect(p, P, PROT_READ | PROT_EXEC));
    __builtin___clear_cache(p, p + sizeof code);
    EQ(f(), 42);
}

static void remap(void)
{
    char *p = map(4, RW, ANON), *q;

    memset(p, 'a', P);
    p[3 * P] = 'd';
    CHECK(mremap(p, 4 * P, 2 * P, 0) == p); /* shrinks in place */
    EQ(touch(p + 2 * P, false, NULL), SIGSEGV);
    EQ(p[0], 'a');
    OK(munmap(p, 2 * P));
    p = map(3, RW, ANON);
    memset(p, 'a', P);
    OK(munmap(p + 2 * P, P));
    CHECK(mmap(p + 2 * P, P, RW, ANON | MAP_FIXED, -1, 0) == p + 2 * P);
    OK(mprotect(p + 2 * P, P, PROT_NONE)); /* something is in the way */
    ERR(mremap(p, 2 * P, 8 * P, 0), ENOMEM);
    q = mremap(p, 2 * P, 8 * P, MREMAP_MAYMOVE);
    CHECK(q != MAP_FAILED && q != p);
    EQ(q[P - 1], 'a');
    EQ(q[8 * P - 1], 0);
    EQ(touch(p, false, NULL), SIGSEGV);
    p = map(8, PROT_NONE, ANON);
    CHECK(mremap(q, 8 * P, 8 * P, MREMAP_MAYMOVE | MREMAP_FIXED, p) == p);
    EQ(p[0], 'a');
    EQ(touch(q, false, NULL), SIGSEGV);
    ERR(mremap(p + 1, P, P, 0), EINVAL);
    ERR(mremap(p, P, 0, 0), EINVAL);
    ERR(mremap(p, P, P, 0x80), EINVAL);
    ERR(mremap(q, P, 2 * P, MREMAP_MAYMOVE), EFAULT);
    ERR(mremap(p, 8 * P, 8 * P, MREMAP_MAYMOVE | MREMAP_FIXED, p + P), EINVAL); /* overlap */
}

static void remap_shared(void)
{
    int fd = OK(open("f", O_RDWR | O_CREAT, 0600));
    char *p, *q;

    OK(ftruncate(fd, (off_t)(4 * P)));
    EQ(pwrite(fd, "3", 1, (off_t)(3 * P)), 1);
    p = map_file(fd, 1, RW, MAP_SHARED);
    q = mremap(p, P, 4 * P, MREMAP_MAYMOVE);
    CHECK(q != MAP_FAILED);
    EQ(q[3 * P], '3');
    q[0] = 'x';
    char c;
    EQ(pread(fd, &c, 1, 0), 1);
    EQ(c, 'x');
}

static void dont_need(void)
{
    char *p = map(4, RW, ANON);
    int fd;

    memset(p, 'x', 4 * P);
    OK(madvise(p + P, 2 * P, MADV_DONTNEED));
    EQ(p[0], 'x');
    EQ(p[P], 0);
    EQ(p[3 * P - 1], 0);
    EQ(p[3 * P], 'x');
    ERR(madvise(p + 1, P, MADV_DONTNEED), EINVAL);
    ERR(madvise(p, P, 12345), EINVAL);
    OK(madvise(p, 0, MADV_DONTNEED));
    OK(munmap(p + P, P));
    ERR(madvise(p, 4 * P, MADV_DONTNEED), ENOMEM);
    EQ(p[0], 0); /* done all the same where something is mapped */
    write_file("f", "file");
    fd = OK(open("f", O_RDWR));
    p = map_file(fd, 1, RW, MAP_PRIVATE);
    p[0] = 'X';
    OK(madvise(p, P, MADV_DONTNEED));
    EQ(p[0], 'f'); /* the private copy is dropped */
}

static void program_break(void)
{
    char *start = (char *)syscall(SYS_brk, 0), *end;

    CHECK(start);
    end = start + 5 * P + 100;
    CHECK((char *)syscall(SYS_brk, end) == end);
    for (char *p = (char *)(((uintptr_t)start + P - 1) & ~(P - 1)); p < end; p += P) {
        EQ(*p, 0);
        *p = 'x';
    }
    CHECK((char *)syscall(SYS_brk, start) == start);
    CHECK((char *)syscall(SYS_brk, end) == end);
    EQ(*(start + 5 * P), 0); /* what was given back comes back zeroed */
    /* What cannot be: the break stays and is returned. */
    CHECK((char *)syscall(SYS_brk, 1) == end);
    CHECK((char *)syscall(SYS_brk, (uintptr_t)1 << 62) == end);
    CHECK((char *)syscall(SYS_brk, start) == start);
}

static void large_sparse(void)
{
    const size_t size = (size_t)4 << 30;
    char *p = mmap(NULL, size, RW, ANON | MAP_NORESERVE, -1, 0);

    CHECK(p != MAP_FAILED); /* address space is cheap */
    p[0] = 1;
    p[size / 2] = 2;
    p[size - 1] = 3;
    EQ(p[0] + p[size / 2] + p[size - 1], 6);
    EQ(p[size / 4], 0);
    OK(munmap(p, size));
}

static void many_maps(void)
{
    enum { N = 500 };
    char *p = map(2 * N, RW, ANON);

    for (size_t i = 0; i < N; i++) { /* every second page alone */
        p[2 * i * P] = (char)i;
        OK(mprotect(p + (2 * i + 1) * P, P, PROT_NONE));
    }
    for (size_t i = 0; i < N; i++) {
        EQ(p[2 * i * P], (char)i);
    }
    for (size_t i = 0; i < N; i++) {
        OK(munmap(p + (2 * i + 1) * P, P));
    }
    OK(munmap(p, 2 * N * P));
}

static void stack_grows(void)
{
    volatile char big[2 << 20];

    for (size_t i = sizeof big; i > 0; i -= 1024) {
        big[i - 1] = 'x';
    }
    EQ(big[1023], 'x');
}

/* A call may have a page made for it that was never touched. */
static void call_faults_pages_in(void)
{
    char *p = map(16, RW, ANON);
    int fd = OK(open("f", O_RDWR | O_CREAT, 0600));

    EQ(write(fd, p, 16 * P), 16 * P);
    EQ(lseek(fd, 0, SEEK_SET), 0);
    memset(p, 'x', P);
    EQ(read(fd, p, 16 * P), 16 * P);
    EQ(p[0], 0);
    OK(munmap(p, 16 * P));
    p = map_file(fd, 16, PROT_READ, MAP_PRIVATE);
    int other = OK(open("g", O_RDWR | O_CREAT, 0600));
    EQ(write(other, p, 16 * P), 16 * P);
}

const struct test mmap_tests[] = {
    {"anonymous", anonymous},
    {"fault_codes", fault_codes},
    {"beyond_the_file", beyond_the_file},
    {"bad_arguments", bad_arguments},
    {"fixed", fixed},
    {"private_file", private_file},
    {"shared_file", shared_file},
    {"file_offset", file_offset},
    {"shared_by_fork", shared_by_fork},
    {"copy_on_write", copy_on_write},
    {"copy_on_write_by_call", copy_on_write_by_call},
    {"protect", protect},
    {"execute", execute},
    {"remap", remap},
    {"remap_shared", remap_shared},
    {"dont_need", dont_need},
    {"program_break", program_break},
    {"large_sparse", large_sparse},
    {"many_maps", many_maps},
    {"stack_grows", stack_grows},
    {"call_faults_pages_in", call_faults_pages_in},
    {0},
};
