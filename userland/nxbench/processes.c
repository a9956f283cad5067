/*
 * Rows that make processes and threads.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "nxbench.h"

static void *nothing(void *arg)
{
    return arg;
}

static void run_pthread(unsigned ops)
{
    while (ops-- > 0) {
        pthread_t t;

        errno = pthread_create(&t, NULL, nothing, NULL);
        if (errno) {
            fail("pthread_create");
        }
        pthread_join(t, NULL);
    }
}

static void wait_well(pid_t pid)
{
    int status;

    if (pid < 0) {
        fail("fork");
    }
    if (waitpid(pid, &status, 0) != pid || status != 0) {
        fail("child");
    }
}

static void run_fork_exit(unsigned ops)
{
    while (ops-- > 0) {
        pid_t pid = fork();

        if (pid == 0) {
            _exit(0);
        }
        wait_well(pid);
    }
}

/* The static binary is this program again: some 64 KiB, as in the baseline. */
static void run_fork_exec(unsigned ops)
{
    while (ops-- > 0) {
        pid_t pid = fork();

        if (pid == 0) {
            execl(own_path(), "nxbench", "--nothing", NULL);
            _exit(127);
        }
        wait_well(pid);
    }
}

static void run_system(unsigned ops)
{
    while (ops-- > 0) {
        if (system("true") != 0) {
            fail("system");
        }
    }
}

const struct row process_rows[] = {
    {"pthread", "pthread create + join", 30, 3, 3, NULL, run_pthread, NULL},
    {"fork-exit", "fork + exit + wait", 20, 2, 3, NULL, run_fork_exit, NULL},
    {"fork-exec", "fork + exec (64 KiB static binary) + wait", 10, 2, 3, NULL, run_fork_exec, NULL},
    {"system", "system(\"true\") with BusyBox sh", 5, 1, 3, NULL, run_system, NULL},
    {0},
};
