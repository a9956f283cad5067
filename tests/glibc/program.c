/* A program of glibc's, linked dynamically, for tests/system/glibc.py: what such a C library asks of a system beyond what
 * musl does - its own loader, the vDSO, locales, name services, dlopen, its threads. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <gnu/libc-version.h>
#include <locale.h>
#include <netdb.h>
#include <pthread.h>
#include <pwd.h>
#include <sched.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CHECK(what)                                            \
    do {                                                       \
        if (!(what)) {                                         \
            printf("not so: %s (line %d)\n", #what, __LINE__); \
            exit(1);                                           \
        }                                                      \
    } while (0)

extern char **environ;

/* ---- threads ---- */

#define THREADS 4
#define TURNS 2000

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t barrier;
static __thread long mine = 7;
static long sum;

static void *adds(void *arg)
{
    pthread_barrier_wait(&barrier);
    for (int i = 0; i < TURNS; i++) {
        pthread_mutex_lock(&mutex);
        sum += mine;
        pthread_mutex_unlock(&mutex);
    }
    mine = (long)arg;
    return (void *)mine;
}

static void threads(void)
{
    pthread_t t[THREADS];
    void *result;
    pthread_barrier_init(&barrier, NULL, THREADS);
    for (long i = 0; i < THREADS; i++) {
        CHECK(pthread_create(&t[i], NULL, adds, (void *)i) == 0);
    }
    for (long i = 0; i < THREADS; i++) {
        CHECK(pthread_join(t[i], &result) == 0 && (long)result == i);
    }
    CHECK(sum == 7L * THREADS * TURNS);
    CHECK(sched_getcpu() >= 0 && sched_getcpu() < sysconf(_SC_NPROCESSORS_CONF));
}

static void *sleeps(void *arg)
{
    sem_t *started = arg;
    sem_post(started);
    while (pause() != 0) {
    }
    return NULL;
}

static void cancellation(void)
{
    pthread_t t;
    sem_t started;
    void *result;
    CHECK(sem_init(&started, 0, 0) == 0 && pthread_create(&t, NULL, sleeps, &started) == 0);
    CHECK(sem_wait(&started) == 0 && pthread_cancel(t) == 0);
    CHECK(pthread_join(t, &result) == 0 && result == PTHREAD_CANCELED);
}

/* ---- signals ---- */

static sigjmp_buf back;

static void jumps(int signo, siginfo_t *info, void *context)
{
    siglongjmp(back, info->si_addr == (void *)8 ? 1 : 2);
}

static void signals(void)
{
    struct sigaction sa = {.sa_sigaction = jumps, .sa_flags = SA_SIGINFO};
    sigaction(SIGSEGV, &sa, NULL);
    volatile uintptr_t nowhere = 8;
    const int how = sigsetjmp(back, 1);
    if (how == 0) {
        *(volatile int *)nowhere = 1;
    }
    CHECK(how == 1);
}

/* ---- libraries ---- */

static void libraries(void)
{
    void *math = dlopen("libm.so.6", RTLD_NOW);
    CHECK(math != NULL);
    double (*cbrt)(double) = (double (*)(double))dlsym(math, "cbrt");
    CHECK(cbrt != NULL && (int)(cbrt(27.0) + 0.5) == 3);
    CHECK(dlsym(math, "no such thing") == NULL && dlerror() != NULL && dlclose(math) == 0);
}

/* ---- processes ---- */

static void processes(void)
{
    char line[32] = "";
    char *argv[] = {"sh", "-c", "exit $GIVEN", NULL};
    pid_t pid;
    int status;
    setenv("GIVEN", "5", 1);
    CHECK(posix_spawnp(&pid, "sh", NULL, NULL, argv, environ) == 0);
    CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 5);
    FILE *p = popen("echo piped", "r");
    CHECK(p != NULL && fgets(line, sizeof(line), p) != NULL && strcmp(line, "piped\n") == 0);
    CHECK(pclose(p) == 0);
    CHECK(system("exit 3") == 3 << 8);
}

/* ---- the rest ---- */

static void the_rest(void)
{
    char text[64], *wide = malloc(64 << 20);
    CHECK(wide != NULL);
    memset(wide, 1, 1 << 20);
    char *wider = realloc(wide, 128 << 20);
    CHECK(wider != NULL && wider[(1 << 20) - 1] == 1);
    free(wider);
    CHECK(setlocale(LC_ALL, "C.UTF-8") != NULL || setlocale(LC_ALL, "C") != NULL);
    const struct passwd *root = getpwuid(0);
    CHECK(root != NULL && strcmp(root->pw_name, "root") == 0);
    const time_t day = 86400 * 366;
    CHECK(strftime(text, sizeof(text), "%F", gmtime(&day)) == 10 &&
          strcmp(text, "1971-01-02") == 0);
    CHECK(getauxval(AT_SYSINFO_EHDR) != 0);
    snprintf(text, sizeof(text), "%.3f %a %'d", 2.5, 0.5, 1234);
    CHECK(strcmp(text, "2.500 0x1p-1 1234") == 0);
}

/* So many looks at the clock, each later than the one before. */
static void clocks(long n)
{
    struct timespec t, last = {0};
    while (n-- > 0) {
        CHECK(clock_gettime(CLOCK_MONOTONIC, &t) == 0);
        CHECK(t.tv_sec > last.tv_sec || (t.tv_sec == last.tv_sec && t.tv_nsec >= last.tv_nsec));
        last = t;
    }
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "clocks") == 0) {
        clocks(atol(argv[2]));
        return 0;
    }
    threads();
    cancellation();
    signals();
    libraries();
    processes();
    the_rest();
    printf("all is well with glibc %s\n", gnu_get_libc_version());
    return 0;
}
