/*
 * What `posixtest --helper WHAT` does: the program that the tests of exec.c, and others, execute.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

extern char **environ;

static int helper_arguments(int argc, char **argv)
{
    return !(argc == 4 && strcmp(argv[1], "") == 0 && strcmp(argv[2], "two words") == 0 &&
             strcmp(argv[3], "\xff\n") == 0 && environ[0] && strcmp(environ[0], "A=1") == 0 &&
             strcmp(environ[1], "NO_EQUALS") == 0 && strcmp(environ[2], "B=") == 0 && !environ[3]);
}

static int helper_signal_action(int signo, void *want)
{
    struct {
        void *handler;
        unsigned long rest[8];
    } k = {0};

    OK(syscall(SYS_rt_sigaction, signo, NULL, &k, 8));
    return k.handler == want;
}

static int helper_auxv(void)
{
    const unsigned char *random = (void *)getauxval(AT_RANDOM);
    const Elf64_Phdr *ph = (void *)getauxval(AT_PHDR);

    if (getauxval(AT_PAGESZ) != page_size() || !random || !ph ||
        getauxval(AT_PHENT) != sizeof *ph || getauxval(AT_PHNUM) == 0 ||
        getauxval(AT_UID) != getuid() || getauxval(AT_EGID) != getegid() ||
        getauxval(AT_SECURE) != 0 || getauxval(AT_ENTRY) == 0 || getauxval(AT_CLKTCK) != 100) {
        return 1;
    }
    /* 16 bytes that are not all the same. */
    return memcmp(random, random + 1, 15) == 0;
}

static int helper_large(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strlen(argv[i]) != 999 || argv[i][998] != 'y') {
            return 1;
        }
    }
    return argc != 1001;
}

static int helper_cwd(const char *want)
{
    char cwd[PATH_MAX];

    return !(getcwd(cwd, sizeof cwd) && strcmp(cwd, want) == 0 && umask(0) == 0123);
}

static int helper_altstack(void)
{
    stack_t st;

    OK(sigaltstack(NULL, &st));
    return st.ss_flags != SS_DISABLE;
}

static int helper_is_mapped(void *p)
{
    return madvise(p, 1 << 20, MADV_NORMAL) == 0;
}

/* Where its stack and a mapping are. */
static int helper_layout(int fd)
{
    uintptr_t where[2] = {
        (uintptr_t)&fd, (uintptr_t)mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)};
    return write(fd, where, sizeof(where)) != sizeof(where);
}

/* Uses so many bytes of stack, from the top down as a program would. */
static int helper_stack(size_t size)
{
    volatile char *p = __builtin_alloca(size);

    for (size_t i = size; i > 0; i -= i < 512 ? i : 512) {
        p[i - 1] = 1;
    }
    return 0;
}

/* Forks as fast as it can in every process it makes, until a second after the first fork failed, or
 * for so many milliseconds; says how many there were and why it failed. All end by themselves. */
static int helper_bomb(int ms)
{
    struct {
        int error, forks, ms;
    } volatile *all;
    int64_t start = now_ms();
    pid_t first = getpid();

    all = mmap(NULL, page_size(), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(all != MAP_FAILED);
    all->ms = ms;
    while (now_ms() < start + all->ms) {
        pid_t pid = fork();

        if (pid == 0) {
            __atomic_fetch_add(&all->forks, 1, __ATOMIC_RELAXED);
        } else if (pid < 0) {
            if (!all->error) {
                all->ms = (int)(now_ms() - start) + 1000;
            }
            all->error = errno;
            sleep_ms(20);
        }
    }
    if (getpid() != first) {
        _exit(0);
    }
    while (waitpid(-1, NULL, 0) > 0) {
    }
    printf("%d %s\n", all->forks, all->error ? test_errno_name(all->error) : "no refusal");
    return 0;
}

/* Real and effective user, effective group, AT_SECURE and permitted capabilities: all as expected? */
static int helper_ids(char **argv)
{
    struct __user_cap_header_struct h = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct d[2];

    OK(syscall(SYS_capget, &h, d));
    EQ(getuid(), strtoul(argv[1], NULL, 10));
    EQ(geteuid(), strtoul(argv[2], NULL, 10));
    EQ(getegid(), strtoul(argv[3], NULL, 10));
    EQ(getauxval(AT_SECURE), strtoul(argv[4], NULL, 10));
    EQ(getauxval(AT_EUID), geteuid());
    EQ(d[0].permitted | (uint64_t)d[1].permitted << 32, strtoul(argv[5], NULL, 16));
    EQ(d[0].effective, d[0].permitted);
    return 0;
}

int helper_main(int argc, char **argv)
{
    const char *what = argv[0], *arg = argc > 1 ? argv[1] : "";
    long n = strtol(arg, NULL, 0);

    if (strcmp(what, "exit") == 0) {
        return (int)n;
    }
    if (strcmp(what, "sleep") == 0) {
        sleep_ms((int)n);
        return 0;
    }
    if (strcmp(what, "arguments") == 0) {
        return helper_arguments(argc, argv);
    }
    if (strcmp(what, "environment") == 0) {
        return environ[0] != NULL;
    }
    if (strcmp(what, "is-open") == 0) {
        return fcntl((int)n, F_GETFD) >= 0;
    }
    if (strcmp(what, "offset") == 0) {
        return (int)lseek((int)n, 0, SEEK_CUR);
    }
    if (strcmp(what, "is-blocked") == 0) {
        return (sig_mask() & SIGBIT(n)) != 0;
    }
    if (strcmp(what, "is-ignored") == 0) {
        return helper_signal_action((int)n, SIG_IGN);
    }
    if (strcmp(what, "is-default") == 0) {
        return helper_signal_action((int)n, SIG_DFL);
    }
    if (strcmp(what, "unblock") == 0) {
        sig_unblock((int)n);
        return 0;
    }
    if (strcmp(what, "rseq") == 0) {
        static char area[32] __attribute__((aligned(32)));
        return syscall(SYS_rseq, area, sizeof(area), 0, 1) != 0;
    }
    if (strcmp(what, "parent-is") == 0) {
        return getppid() == n;
    }
    if (strcmp(what, "pid-is") == 0) {
        return getpid() == n;
    }
    if (strcmp(what, "cwd-and-umask") == 0) {
        return helper_cwd(arg);
    }
    if (strcmp(what, "auxv") == 0) {
        return helper_auxv();
    }
    if (strcmp(what, "altstack") == 0) {
        return helper_altstack();
    }
    if (strcmp(what, "layout") == 0) {
        return helper_layout((int)n);
    }
    if (strcmp(what, "is-mapped") == 0) {
        return helper_is_mapped((void *)strtoul(arg, NULL, 0));
    }
    if (strcmp(what, "large") == 0) {
        return helper_large(argc, argv);
    }
    if (strcmp(what, "stack") == 0) {
        return helper_stack((size_t)n);
    }
    if (strcmp(what, "ids") == 0 && argc == 6) {
        return helper_ids(argv);
    }
    if (strcmp(what, "bomb") == 0) {
        return helper_bomb((int)n);
    }
    /* From a #! line: what is the path of the script as it was executed. */
    if (strcmp(what, "./t") == 0) {
        return strcmp(arg, "arg1") == 0 && argc == 2 ? 9 : 1;
    }
    if (strcmp(what, "w") == 0) {
        return strcmp(argv[-1], "--helper two words") == 0 ? 10 : 1;
    }
    return 17;
}
