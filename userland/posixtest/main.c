/*
 * posixtest: does this system do what Linux does? See test.h for how tests are written.
 *
 *      posixtest [-v] [NAME...]     runs the tests of these names, or whole groups, or all
 *      posixtest -l [NAME...]       lists them
 *
 * A line for each test: `ok name`, `ok name # SKIP why` or `not ok name: why`. Exits with 1 when
 * one failed. TMPDIR says where tests make their folders (default /tmp).
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <dirent.h>
#include <termios.h>
#include <unistd.h>

#include "test.h"

#define TIME_LIMIT 60 /* seconds a test may take */
#define REPORT_FD 200 /* where tests write why they failed; out of the way of fd numbers they use */

enum { EXIT_FAILED = 99, EXIT_SKIPPED = 98 };

struct group {
    const char *name;
    const struct test *tests;
};

static const struct group groups[] = {
#define GROUP(name) {#name, name##_tests},
#include "groups.def"
#undef GROUP
};

const char *self_path;
static volatile sig_atomic_t timed_out;
static bool verbose;

/* ---- in the test --------------------------------------------------------------------------- */

void test_fail(const char *file, int line, const char *format, ...)
{
    char why[400];
    const char *base = strrchr(file, '/');
    va_list ap;
    int n = snprintf(why, sizeof why, "%s:%d: ", base ? base + 1 : file, line);

    va_start(ap, format);
    vsnprintf(why + n, sizeof why - (size_t)n, format, ap);
    va_end(ap);
    if (write(REPORT_FD, why, strlen(why)) < 0) {
        _exit(EXIT_FAILED); /* a helper: its status has to say it */
    }
    _exit(EXIT_FAILED);
}

void test_skip(const char *why)
{
    if (write(REPORT_FD, why, strlen(why)) < 0) {
        _exit(EXIT_SKIPPED);
    }
    _exit(EXIT_SKIPPED);
}

/* ---- the runner ---------------------------------------------------------------------------- */

static void on_alarm(int signo)
{
    (void)signo;
    timed_out = 1;
}

static void on_child(int signo)
{
    (void)signo;
}

static void remove_tree(const char *path)
{
    DIR *dir;
    struct dirent *e;

    if (unlink(path) == 0) {
        return;
    }
    chmod(path, 0700);
    dir = opendir(path);
    while (dir && (e = readdir(dir))) {
        char name[4096];

        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0) {
            snprintf(name, sizeof name, "%s/%s", path, e->d_name);
            remove_tree(name);
        }
    }
    if (dir) {
        closedir(dir);
    }
    rmdir(path);
}

/* Waits for the test, or for its time to be up. */
static int wait_test(pid_t pid)
{
    sigset_t block, old;
    int status;

    sigemptyset(&block);
    sigaddset(&block, SIGCHLD);
    sigaddset(&block, SIGALRM);
    sigprocmask(SIG_BLOCK, &block, &old);
    timed_out = 0;
    alarm(TIME_LIMIT);
    while (waitpid(pid, &status, WNOHANG) == 0) {
        if (timed_out) {
            kill(-pid, SIGKILL);
            kill(pid, SIGKILL);
            waitpid(pid, &status, 0);
            break;
        }
        sigsuspend(&old);
    }
    alarm(0);
    kill(-pid, SIGKILL); /* what it left behind */
    sigprocmask(SIG_SETMASK, &old, NULL);
    return status;
}

static _Noreturn void run_child(const struct test *t, int report)
{
    setpgid(0, 0);
    if (dup2(report, REPORT_FD) < 0 || fcntl(REPORT_FD, F_SETFD, FD_CLOEXEC) < 0) {
        _exit(1);
    }
    close(report);
    handle(SIGALRM, SIG_DFL, 0, 0);
    handle(SIGCHLD, SIG_DFL, 0, 0);
    t->run();
    exit(0);
}

/* Returns 1 when it failed. */
static int run_test(const struct group *g, const struct test *t)
{
    const char *tmp = getenv("TMPDIR");
    char folder[256], why[512];
    int report[2], status;
    ssize_t n;
    pid_t pid;

    snprintf(folder, sizeof folder, "%s/posixtest-XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(folder) || chdir(folder) < 0 || pipe2(report, O_CLOEXEC | O_NONBLOCK) < 0) {
        printf("not ok %s.%s: cannot start: %s\n", g->name, t->name, strerror(errno));
        return 1;
    }
    chmod(folder, 0755);
    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        close(report[0]);
        run_child(t, report[1]);
    }
    close(report[1]);
    status = pid > 0 ? wait_test(pid) : 0;
    n = read(report[0], why, sizeof why - 1);
    why[n > 0 ? n : 0] = 0;
    close(report[0]);
    if (chdir("/") == 0) {
        remove_tree(folder);
    }
    if (pid < 0) {
        snprintf(why, sizeof why, "fork: %s", strerror(errno));
    } else if (timed_out) {
        snprintf(why, sizeof why, "no end after %d s", TIME_LIMIT);
    } else if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SKIPPED) {
        printf("ok %s.%s # SKIP %s\n", g->name, t->name, why);
        return 0;
    } else if (status == 0 && !why[0]) {
        printf("ok %s.%s\n", g->name, t->name);
        return 0;
    } else if (!why[0]) {
        snprintf(why, sizeof why, "ended with status 0x%x", status);
    }
    printf("not ok %s.%s: %s\n", g->name, t->name, why);
    return 1;
}

static bool wanted(const struct group *g, const struct test *t, int n, char **names)
{
    char full[64];

    snprintf(full, sizeof full, "%s.%s", g->name, t->name);
    for (int i = 0; i < n; i++) {
        if (strcmp(names[i], g->name) == 0 || strcmp(names[i], full) == 0) {
            return true;
        }
    }
    return n == 0;
}

int main(int argc, char **argv)
{
    static char own[512];
    bool list = false;
    int failed = 0, ran = 0, c;
    ssize_t n = readlink("/proc/self/exe", own, sizeof own - 1);

    self_path = n > 0 ? own : argv[0];
    if (argc > 2 && strncmp(argv[1], "--helper", 8) == 0) {
        return helper_main(argc - 2, argv + 2);
    }
    /* Whoever started us may ignore some (BusyBox sh does with SIGQUIT for `sh -c posixtest`). */
    for (int sig = 1; sig < NSIG; sig++) {
        signal(sig, SIG_DFL);
    }
    while ((c = getopt(argc, argv, "lv")) != -1) {
        if (c == '?') {
            fputs("Usage: posixtest [-l] [-v] [NAME...]\n", stderr);
            return 2;
        }
        list |= c == 'l';
        verbose |= c == 'v';
    }
    handle(SIGALRM, on_alarm, 0, 0);
    handle(SIGCHLD, on_child, 0, 0);
    for (size_t g = 0; g < sizeof groups / sizeof groups[0]; g++) {
        for (const struct test *t = groups[g].tests; t->name; t++) {
            if (!wanted(&groups[g], t, argc - optind, argv + optind)) {
                continue;
            }
            ran++;
            if (list) {
                printf("%s.%s\n", groups[g].name, t->name);
                continue;
            }
            if (verbose) {
                printf("# %s.%s\n", groups[g].name, t->name);
            }
            failed += run_test(&groups[g], t);
        }
    }
    if (ran == 0) {
        fputs("posixtest: no such test\n", stderr);
        return 2;
    }
    if (!list) {
        printf("# %d tests, %d failed\n", ran, failed);
    }
    return failed != 0;
}
