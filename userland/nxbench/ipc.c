/*
 * Rows of two processes or threads that wait for each other.
 */
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "nxbench.h"

static int to[2], from[2]; /* to the partner and from it: [0] is read, [1] is written */
static pid_t partner;

static void read_all(int fd, size_t n)
{
    static char block[65536];

    while (n > 0) {
        ssize_t r = read(fd, block, n < sizeof block ? n : sizeof block);

        if (r <= 0) {
            fail("read");
        }
        n -= (size_t)r;
    }
}

/* The partner: sends every byte back until its input ends. */
static void echo(int in, int out)
{
    char c;

    while (read(in, &c, 1) == 1 && write(out, &c, 1) == 1) {
    }
    _exit(0);
}

static void run_round_trip(unsigned ops)
{
    while (ops-- > 0) {
        char c = 0;

        if (write(to[1], &c, 1) != 1 || read(from[0], &c, 1) != 1) {
            fail("round trip");
        }
    }
}

static void start_partner(void (*run)(int in, int out))
{
    partner = fork();
    if (partner < 0) {
        fail("fork");
    }
    if (partner == 0) {
        close(to[1]);
        close(from[0]);
        run(to[0], from[1]);
    }
    close(to[0]);
    close(from[1]);
}

static void done_partner(void)
{
    close(to[1]);
    close(from[0]);
    kill(partner, SIGKILL);
    waitpid(partner, NULL, 0);
}

static void make_pipes(void)
{
    if (pipe(to) < 0 || pipe(from) < 0) {
        fail("pipe");
    }
}

static void setup_pipe(void)
{
    make_pipes();
    start_partner(echo);
}

static void setup_unix(void)
{
    int s[2];

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, s) < 0) {
        fail("socketpair");
    }
    to[0] = s[1];
    to[1] = s[0];
    from[0] = dup(s[0]);
    from[1] = dup(s[1]);
    start_partner(echo);
}

/* The partner of the bandwidth row: writes for ever. */
static void pour(int in, int out)
{
    static char block[65536];

    (void)in;
    while (write(out, block, sizeof block) > 0) {
    }
    _exit(0);
}

static void setup_pour(void)
{
    make_pipes();
    start_partner(pour);
}

static void run_pour(unsigned ops)
{
    read_all(from[0], (size_t)ops * 1024);
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int turn; /* 0: the measuring thread's, 1: the other's, 2: the end */
static pthread_t other;

static void *take_turns(void *arg)
{
    bool going = true;

    while (going) {
        pthread_mutex_lock(&lock);
        while (turn == 0) {
            pthread_cond_wait(&changed, &lock);
        }
        going = turn == 1;
        turn = 0;
        pthread_cond_signal(&changed);
        pthread_mutex_unlock(&lock);
    }
    return arg;
}

static void setup_threads(void)
{
    turn = 0;
    if (pthread_create(&other, NULL, take_turns, NULL) != 0) {
        fail("pthread_create");
    }
}

static void run_turns(unsigned ops)
{
    while (ops-- > 0) {
        pthread_mutex_lock(&lock);
        turn = 1;
        pthread_cond_signal(&changed);
        while (turn != 0) {
            pthread_cond_wait(&changed, &lock);
        }
        pthread_mutex_unlock(&lock);
    }
}

static void done_threads(void)
{
    pthread_mutex_lock(&lock);
    turn = 2;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&lock);
    pthread_join(other, NULL);
}

const struct row ipc_rows[] = {
    {"pipe", "pipe round trip, two processes", 100, 20, 3, setup_pipe, run_round_trip,
     done_partner},
    {"unix", "AF_UNIX round trip, two processes", 100, 20, 3, setup_unix, run_round_trip,
     done_partner},
    {"condvar", "mutex + condition variable round trip, two threads", 100, 20, 3, setup_threads,
     run_turns, done_threads},
    {"pipe-kib", "pipe bandwidth, per KiB", 1024, 128, 3, setup_pour, run_pour, done_partner},
    {0},
};
