/*
 * Rows of threads that compute and call nothing: what several harts are worth. Each thread has the
 * same work, so with as many harts as threads a row takes what compute-1 takes. They are measured
 * only when asked for by name.
 */
#include <errno.h>
#include <pthread.h>
#include <stdint.h>

#include "nxbench.h"

#define MAX_THREADS 4
#define TURNS 50000000u

static void *compute(void *arg)
{
    uint64_t x = (uintptr_t)arg;

    for (unsigned i = 0; i < TURNS; i++) {
        x = x * 6364136223846793005u + 1442695040888963407u;
        __asm__ volatile("" : "+r"(x));
    }
    return NULL;
}

static void run_threads(unsigned ops, unsigned threads)
{
    pthread_t t[MAX_THREADS];

    while (ops-- > 0) {
        for (unsigned i = 1; i < threads; i++) {
            errno = pthread_create(&t[i], NULL, compute, NULL);
            if (errno) {
                fail("pthread_create");
            }
        }
        compute(NULL);
        for (unsigned i = 1; i < threads; i++) {
            pthread_join(t[i], NULL);
        }
    }
}

static void run_1(unsigned ops)
{
    run_threads(ops, 1);
}

static void run_2(unsigned ops)
{
    run_threads(ops, 2);
}

static void run_3(unsigned ops)
{
    run_threads(ops, 3);
}

static void run_4(unsigned ops)
{
    run_threads(ops, 4);
}

const struct row compute_rows[] = {
    {"compute-1", "one thread computes", 1, 1, 5, NULL, run_1, NULL},
    {"compute-2", "two threads compute", 1, 1, 5, NULL, run_2, NULL},
    {"compute-3", "three threads compute", 1, 1, 5, NULL, run_3, NULL},
    {"compute-4", "four threads compute", 1, 1, 5, NULL, run_4, NULL},
    {0},
};
