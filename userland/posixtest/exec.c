/*
 * execve: what it passes on, what it resets, what it refuses. The program executed is posixtest
 * itself with --helper (helper.c).
 */
#define _GNU_SOURCE
#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

extern char **environ;

/* Executes this program in a child; its exit code. */
static int run(const char *what, const char *arg)
{
    char *argv[] = {"posixtest", "--helper", (char *)what, (char *)arg, NULL};
    pid_t pid;
    int status;

    CHILD(pid)
    {
        execve(self_path, argv, environ);
        _exit(127);
    }
    status = wait_status(pid);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127) {
        SKIP("cannot execute itself");
    }
    if (!WIFEXITED(status)) {
        FAIL("helper %s: status 0x%x", what, status);
    }
    return WEXITSTATUS(status);
}

static void simple(void)
{
    EQ(run("exit", "0"), 0);
    EQ(run("exit", "7"), 7);
}

static void arguments(void)
{
    char *argv[] = {"", "--helper", "arguments", "", "two words", "\xff\n", NULL};
    char *envp[] = {"A=1", "NO_EQUALS", "B=", NULL};
    pid_t pid;

    EQ(run("exit", "0"), 0);
    CHILD(pid)
    {
        execve(self_path, argv, envp);
    }
    wait_ok(pid);
}

static void no_environment(void)
{
    char *argv[] = {"posixtest", "--helper", "environment", "0", NULL};
    pid_t pid;

    EQ(run("exit", "0"), 0);
    CHILD(pid)
    {
        execve(self_path, argv, NULL); /* Linux takes NULL for an empty list */
    }
    wait_ok(pid);
}

static void descriptors(void)
{
    char text[16];
    int kept = OK(open("/", O_RDONLY)), closed = OK(open("/", O_RDONLY | O_CLOEXEC));

    snprintf(text, sizeof text, "%d", kept);
    EQ(run("is-open", text), 1);
    snprintf(text, sizeof text, "%d", closed);
    EQ(run("is-open", text), 0);
    OK(fcntl(closed, F_GETFD)); /* still open here */
    OK(fcntl(kept, F_SETFD, FD_CLOEXEC));
    snprintf(text, sizeof text, "%d", kept);
    EQ(run("is-open", text), 0);
}

static void offsets(void)
{
    char text[16];
    int fd = OK(open("f", O_RDWR | O_CREAT, 0600));

    EQ(write(fd, "12345", 5), 5);
    snprintf(text, sizeof text, "%d", fd);
    EQ(run("offset", text), 5);
}

static void signals(void)
{
    sig_block(SIGUSR1);
    EQ(run("is-blocked", "10"), 1); /* SIGUSR1: the mask is kept */
    EQ(run("is-blocked", "12"), 0);
    handle(SIGUSR2, SIG_IGN, 0, 0);
    EQ(run("is-ignored", "12"), 1);
    handle(SIGUSR2, count_signal, 0, 0);
    EQ(run("is-ignored", "12"), 0);
    EQ(run("is-default", "12"), 1); /* a handler is gone with its program */
}

static void pending_signals(void)
{
    pid_t pid;

    EQ(run("exit", "0"), 0);
    CHILD(pid)
    {
        sig_block(SIGUSR1);
        OK(kill(getpid(), SIGUSR1));
        execl(self_path, "posixtest", "--helper", "unblock", "10", NULL);
    }
    wait_killed(pid, SIGUSR1);
}

static void identity(void)
{
    char text[16];
    pid_t pid;

    EQ(run("exit", "0"), 0);
    snprintf(text, sizeof text, "%d", getpid());
    EQ(run("parent-is", text), 1);
    CHILD(pid)
    {
        snprintf(text, sizeof text, "%d", getpid());
        execl(self_path, "posixtest", "--helper", "pid-is", text, NULL);
    }
    wait_exit(pid, 1);
    OK(chdir("/"));
    umask(0123);
    EQ(run("cwd-and-umask", "/"), 0);
}

static void auxiliary_vector(void)
{
    EQ(run("auxv", ""), 0);
}

static void alternate_stack_is_gone(void)
{
    stack_t st = {.ss_sp = malloc(65536), .ss_size = 65536};

    OK(sigaltstack(&st, NULL));
    EQ(run("altstack", ""), 0);
}

static void errors(void)
{
    char *argv[] = {"x", NULL};
    static char name[300];

    ERR(execve("none", argv, environ), ENOENT);
    ERR(execve("", argv, environ), ENOENT);
    ERR(execve("/", argv, environ), EACCES);
    write_file("f", "hello");
    ERR(execve("f", argv, environ), EACCES);
    ERR(execve("f/x", argv, environ), ENOTDIR);
    OK(chmod("f", 0755));
    ERR(execve("f", argv, environ), ENOEXEC);
    write_file("empty", "");
    OK(chmod("empty", 0755));
    ERR(execve("empty", argv, environ), ENOEXEC);
    OK(symlink("loop", "loop"));
    ERR(execve("loop", argv, environ), ELOOP);
    memset(name, 'x', 299);
    ERR(execve(name, argv, environ), ENAMETOOLONG);
    ERR(execve("/dev/null", argv, environ), EACCES);
}

static void write_bytes(const char *name, const void *bytes, size_t n)
{
    int fd = OK(open(name, O_WRONLY | O_CREAT | O_TRUNC, 0755));

    EQ(write(fd, bytes, n), n);
    OK(close(fd));
}

/* Files that begin as a program and are none. */
static void bad_elf(void)
{
    Elf64_Ehdr h, good;
    Elf64_Phdr p;
    char *argv[] = {"x", NULL};
    struct {
        Elf64_Ehdr h;
        Elf64_Phdr p;
    } both;
    int fd = OK(open(self_path, O_RDONLY));

    EQ(read(fd, &good, sizeof good), sizeof good);
    if (good.e_ident[EI_CLASS] != ELFCLASS64) {
        SKIP("this program is not an ELF file");
    }
    write_bytes("e", &good, 4);
    ERR(execve("e", argv, environ), ENOEXEC);
    write_bytes("e", &good, sizeof good); /* no program headers where they should be */
    h = good;
    h.e_phnum = 0;
    write_bytes("e", &h, sizeof h);
    ERR(execve("e", argv, environ), ENOEXEC);
    h = good;
    h.e_machine = EM_68K;
    write_bytes("e", &h, sizeof h);
    ERR(execve("e", argv, environ), ENOEXEC);
    h = good;
    h.e_type = ET_REL;
    write_bytes("e", &h, sizeof h);
    ERR(execve("e", argv, environ), ENOEXEC);
    h = good;
    h.e_phentsize = 1;
    write_bytes("e", &h, sizeof h);
    ERR(execve("e", argv, environ), ENOEXEC);
    h = good;
    h.e_phnum = 65535;
    write_bytes("e", &h, sizeof h);
    ERR(execve("e", argv, environ), ENOEXEC);
    memset(&p, 0, sizeof p);
    p.p_type = PT_LOAD;
    p.p_filesz = 1;
    p.p_memsz = 1;
    p.p_vaddr = 0xffffffff80000000; /* where no program may be: dies or is refused, no more */
    p.p_align = 4096;
    both.h = good;
    both.h.e_type = ET_EXEC;
    both.h.e_phoff = sizeof good;
    both.h.e_phnum = 1;
    both.p = p;
    write_bytes("e", &both, sizeof both);
    pid_t pid;
    CHILD(pid)
    {
        execve("e", argv, environ);
        _exit(1);
    }
    CHECK(wait_status(pid) != 0);
}

static void write_script(const char *name, const char *text)
{
    write_file(name, text);
    OK(chmod(name, 0755));
}

static int run_script(const char *path, char *const argv[])
{
    pid_t pid;

    CHILD(pid)
    {
        execve(path, argv, environ);
        _exit(120 + (errno == ENOENT) + 2 * (errno == ELOOP) + 3 * (errno == ENOEXEC) +
              4 * (errno == EACCES));
    }
    return wait_status(pid);
}

static void scripts(void)
{
    char text[600];
    char *argv[] = {"ignored", "arg1", NULL};

    EQ(run("exit", "0"), 0);
    /* The interpreter gets: its name, all else on the line as one argument, the script's path as it
     * was executed, the script's arguments. */
    snprintf(text, sizeof text, "#!  %s   --helper\t \n", self_path);
    write_script("t", text);
    EQ(run_script("./t", argv), 9 << 8);
    snprintf(text, sizeof text, "#!%s --helper two words\n", self_path);
    write_script("w", text);
    EQ(run_script("w", argv), 10 << 8);
    write_script("none", "#!/no/such/interpreter\n");
    EQ(run_script("none", argv), 121 << 8);
    write_script("blank", "#!\n");
    EQ(run_script("blank", argv), 123 << 8);
    write_script("blank2", "#!   \n");
    EQ(run_script("blank2", argv), 123 << 8);
    write_script("folder", "#!/\n");
    EQ(run_script("folder", argv), 124 << 8);
}

static void scripts_of_scripts(void)
{
    char text[600], cwd[PATH_MAX];
    char *argv[] = {"x", NULL};

    EQ(run("exit", "0"), 0);
    CHECK(getcwd(cwd, sizeof cwd));
    snprintf(text, sizeof text, "#!%s --helper\n", self_path);
    write_script("s0", text);
    for (int i = 1; i <= 6; i++) {
        char name[8];

        snprintf(name, sizeof name, "s%d", i);
        snprintf(text, sizeof text, "#!%.400s/s%d\n", cwd, i - 1);
        write_script(name, text);
    }
    EQ(run_script("s3", argv), 17 << 8);  /* what the helper says to a name it does not know */
    EQ(run_script("s6", argv), 122 << 8); /* too deep: ELOOP */
}

static void too_big(void)
{
    enum { N = 100 };
    static char big[131072 + 16], *argv[N + 1];
    struct rlimit r;

    memset(big, 'x', sizeof big - 1);
    argv[0] = big;
    ERR(execve(self_path, argv, environ), E2BIG); /* one string is longer than 32 pages */
    big[131071] = 0;
    for (int i = 0; i < N; i++) {
        argv[i] = big;
    }
    OK(getrlimit(RLIMIT_STACK, &r));
    r.rlim_cur = 8 << 20;
    OK(setrlimit(RLIMIT_STACK, &r));
    ERR(execve(self_path, argv, environ), E2BIG); /* together more than a quarter of the stack */
    ERR(execve(self_path, (char *[]){"x", NULL}, argv), E2BIG);
}

static void large_but_fine(void)
{
    enum { N = 1000 };
    static char word[1000], *argv[N + 4];
    pid_t pid;

    EQ(run("exit", "0"), 0);
    memset(word, 'y', sizeof word - 1);
    argv[0] = "posixtest";
    argv[1] = "--helper";
    argv[2] = "large";
    for (int i = 3; i < N + 3; i++) {
        argv[i] = word;
    }
    CHILD(pid)
    {
        execve(self_path, argv, environ);
    }
    wait_ok(pid);
}

static void busy_file(void)
{
    char *argv[] = {"x", NULL};
    static char copy[65536];
    int in = OK(open(self_path, O_RDONLY)), out;
    ssize_t n;

    out = OK(open("copy", O_RDWR | O_CREAT, 0755));
    while ((n = OK(read(in, copy, sizeof copy))) > 0) {
        EQ(write(out, copy, (size_t)n), n);
    }
    ERR(execve("copy", argv, environ), ETXTBSY); /* open for writing */
}

static void by_descriptor_path(void)
{
    char text[64];
    pid_t pid;

    EQ(run("exit", "0"), 0);
    CHILD(pid)
    {
        int fd = OK(open(self_path, O_RDONLY));

        snprintf(text, sizeof text, "/proc/self/fd/%d", fd);
        execl(text, "posixtest", "--helper", "exit", "6", NULL);
    }
    wait_exit(pid, 6);
}

static void old_memory_is_gone(void)
{
    char text[32];
    void *p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    CHECK(p != MAP_FAILED);
    snprintf(text, sizeof text, "%lu", (unsigned long)p);
    EQ(run("is-mapped", text), 0);
}

/* ---- where things lie ------------------------------------------------------------------------- */

/* How many of some runs have their stack and mappings where the first one had them. */
static int same_layouts(int runs)
{
    uintptr_t first[2] = {0}, where[2];
    int fd = OK(open("layouts", O_RDWR | O_CREAT | O_TRUNC | O_APPEND, 0600)), same = 0;
    char arg[12];

    snprintf(arg, sizeof(arg), "%d", fd);
    for (int i = 0; i < runs; i++) {
        EQ(run("layout", arg), 0);
        EQ(pread(fd, where, sizeof(where), (off_t)(i * sizeof(where))), sizeof(where));
        if (i == 0) {
            memcpy(first, where, sizeof(where));
        }
        same += memcmp(first, where, sizeof(where)) == 0;
    }
    OK(close(fd));
    OK(unlink("layouts"));
    return same;
}

static void random_layout(void)
{
    EQ(personality(0xffffffff) & ADDR_NO_RANDOMIZE, 0);
    if (same_layouts(8) == 8) {
        FAIL("eight programs at the same place");
    }
    OK(personality(PER_LINUX | ADDR_NO_RANDOMIZE));
    EQ(same_layouts(4), 4);
    OK(personality(PER_LINUX));
}

static void set_randomize(const char *value)
{
    int fd = OK(open("/proc/sys/kernel/randomize_va_space", O_WRONLY));
    EQ(write(fd, value, 1), 1);
    OK(close(fd));
}

static void fixed_layout(void)
{
    set_randomize("0");
    int same = same_layouts(4);
    set_randomize("2");
    EQ(same, 4);
}

/* execveat relative to what is no descriptor, not even a number of one. */
static void no_descriptor(void)
{
    static const int numbers[] = {-1, -2, 90, 1 << 20, 1 << 30, INT32_MAX, INT32_MIN, -65536};
    char *argv[] = {"x", NULL};

    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        ERR(syscall(SYS_execveat, numbers[i], "x", argv, argv, 0), EBADF);
        ERR(syscall(SYS_execveat, numbers[i], "", argv, argv, AT_EMPTY_PATH), EBADF);
    }
    ERR(syscall(SYS_execveat, AT_FDCWD, "", argv, argv, 0), ENOENT);
}

const struct test exec_tests[] = {
    {"simple", simple},
    {"arguments", arguments},
    {"no_environment", no_environment},
    {"descriptors", descriptors},
    {"offsets", offsets},
    {"signals", signals},
    {"pending_signals", pending_signals},
    {"identity", identity},
    {"auxiliary_vector", auxiliary_vector},
    {"alternate_stack_is_gone", alternate_stack_is_gone},
    {"errors", errors},
    {"bad_elf", bad_elf},
    {"scripts", scripts},
    {"scripts_of_scripts", scripts_of_scripts},
    {"too_big", too_big},
    {"large_but_fine", large_but_fine},
    {"busy_file", busy_file},
    {"by_descriptor_path", by_descriptor_path},
    {"old_memory_is_gone", old_memory_is_gone},
    {"no_descriptor", no_descriptor},
    {"random_layout", random_layout},
    {"fixed_layout", fixed_layout},
    {0},
};
