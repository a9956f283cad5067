/*
 * stress.c - two threads on one ring, sleeping and ringing as cells do.
 *
 * The bell is a latch like that of the nucleus: a ring before the wait is not lost, several count as
 * one. A lost wake-up shows as a wait that times out. Failures in a thread abort the program, since
 * cmocka cannot unwind from there.
 *
 * test-sources: lib/mem.c
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

#include "ring_test.h"

#define CHECK(e)                                                    \
    do {                                                            \
        if (!(e)) {                                                 \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #e); \
            abort();                                                \
        }                                                           \
    } while (0)

struct bell {
    pthread_mutex_t lock;
    pthread_cond_t rung;
    bool latched;
    unsigned count;
};

#define BELL_INIT                                                     \
    {                                                                 \
        PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false, 0 \
    }

static void bell_ring(struct bell *b)
{
    pthread_mutex_lock(&b->lock);
    b->latched = true;
    b->count++;
    pthread_cond_signal(&b->rung);
    pthread_mutex_unlock(&b->lock);
}

/* `recv`: until it rings. Ten seconds of silence is a lost wake-up. */
static void bell_wait(struct bell *b)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 10;
    pthread_mutex_lock(&b->lock);
    while (!b->latched) {
        CHECK(pthread_cond_timedwait(&b->rung, &b->lock, &until) != ETIMEDOUT);
    }
    b->latched = false;
    pthread_mutex_unlock(&b->lock);
}

struct job {
    struct ring_pair ring;
    struct bell bell[2]; /* by the side that waits for it */
    uint32_t messages;
    uint32_t batch;
    uint32_t restart_every; /* 0: never */
    unsigned sleeps[2];
};

static void job_sleep(struct job *j, struct nx_ring *r, enum nx_ring_side side)
{
    int n = nx_ring_sleep_prepare(r);
    CHECK(n >= 0);
    if (n == 0) {
        j->sleeps[side]++;
        bell_wait(&j->bell[side]);
        nx_ring_sleep_cancel(r);
    }
}

/* Now and then the cell dies and its successor attaches. */
static void job_restart(struct job *j, struct nx_ring *r, enum nx_ring_side side, uint32_t done)
{
    static atomic_uint generation;
    if (j->restart_every != 0 && done % j->restart_every == 0) {
        nx_ring_set_generation(j->ring.base, side, atomic_fetch_add(&generation, 1));
        CHECK(nx_ring_attach(r, side, j->ring.base, j->ring.size) == 0);
        if (nx_ring_needs_bell(r)) {
            bell_ring(&j->bell[!side]);
        }
    }
}

static void *producer_main(void *arg)
{
    struct job *j = arg;
    struct nx_ring *r = &j->ring.producer;
    for (uint32_t sent = 0; sent < j->messages;) {
        job_restart(j, r, NX_RING_PRODUCER, sent);
        int n = nx_ring_space(r, j->batch);
        CHECK(n >= 0);
        if (n == 0) {
            job_sleep(j, r, NX_RING_PRODUCER);
            continue;
        }
        uint32_t left = j->messages - sent;
        uint32_t k = (uint32_t)n < j->batch ? (uint32_t)n : j->batch;
        k = k < left ? k : left;
        for (uint32_t i = 0; i < k; i++) {
            struct nx_slot s = slot_make(sent + i);
            if (j->batch == 1) {
                CHECK(nx_ring_push(r, &s) == 0);
            } else {
                nx_ring_write(r, i, &s);
            }
        }
        if (j->batch != 1) {
            nx_ring_commit(r, k);
        }
        sent += k;
        if (nx_ring_needs_bell(r)) {
            bell_ring(&j->bell[NX_RING_CONSUMER]);
        }
    }
    return NULL;
}

static void *consumer_main(void *arg)
{
    struct job *j = arg;
    struct nx_ring *r = &j->ring.consumer;
    for (uint32_t got = 0; got < j->messages;) {
        struct nx_slot s;
        job_restart(j, r, NX_RING_CONSUMER, got);
        int n = nx_ring_pop(r, &s);
        if (n == -NX_EEMPTY) {
            job_sleep(j, r, NX_RING_CONSUMER);
            continue;
        }
        CHECK(n == 0);
        CHECK(slot_is(&s, got));
        got++;
        if (nx_ring_needs_bell(r)) {
            bell_ring(&j->bell[NX_RING_PRODUCER]);
        }
    }
    return NULL;
}

static void job_run(uint32_t slots, uint32_t messages, uint32_t batch, uint32_t restart_every)
{
    struct job j = {
        .bell = {BELL_INIT, BELL_INIT},
        .messages = messages,
        .batch = batch,
        .restart_every = restart_every,
    };
    pthread_t producer, consumer;
    ring_open(&j.ring, slots, 0);
    assert_int_equal(pthread_create(&producer, NULL, producer_main, &j), 0);
    assert_int_equal(pthread_create(&consumer, NULL, consumer_main, &j), 0);
    pthread_join(producer, NULL);
    pthread_join(consumer, NULL);
    /* One bell per announcement; an announcement that was taken back may have got one, too. */
    print_message("%u slots, batch %u: sleeps %u + %u, bells %u + %u\n", slots, batch, j.sleeps[0],
                  j.sleeps[1], j.bell[0].count, j.bell[1].count);
    ring_close(&j.ring);
}

static void two_slots_sleep_all_the_time(void **state)
{
    job_run(2, 300000, 1, 0);
}

static void many_slots(void **state)
{
    job_run(256, 1000000, 1, 0);
}

static void batched(void **state)
{
    job_run(16, 1000000, 7, 0);
}

static void both_sides_restart(void **state)
{
    job_run(4, 300000, 1, 13);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_slots_sleep_all_the_time),
        cmocka_unit_test(many_slots),
        cmocka_unit_test(batched),
        cmocka_unit_test(both_sides_restart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
