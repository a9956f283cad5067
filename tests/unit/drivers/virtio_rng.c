/*
 * virtio_rng.c - the entropy driver against a model of the device.
 *
 * test-sources: drivers/virtio_rng/rng.c drivers/lib/virtio.c drivers/lib/virtq.c drivers/lib/reach.c
 * test-sources: native/lib/map.c native/lib/wait.c native/lib/channel.c native/lib/client.c native/lib/server.c
 */
#include "drivers/virtio_model.h"

#include "../../../drivers/virtio_rng/rng.h"

/* ---- the device ---- */

static bool silent; /* gives nothing, and says it is done */

static int64_t rng_request(unsigned queue, struct chain *c)
{
    assert_true(queue == 0 && c->n == 1 && c->seg[0].write && c->seg[0].len != 0);
    uint32_t n = silent ? 0 : 1 + chance(c->seg[0].len);
    memset(c->seg[0].at, 0xa5, n);
    return n;
}

static struct rng rng;
static uint64_t kind;

static void device(void)
{
    dev = (struct model){.id = 4, .num_max = 64, .features = kind, .request = rng_request};
}

static int start(void)
{
    return rng_start(&rng, &driver);
}

static int setup(void **state)
{
    kind = *(const uint64_t *)*state;
    silent = false;
    device();
    model_setup(RNG_CLIENTS, RNG_DEPTH, 8);
    assert_int_equal(start(), 0);
    return 0;
}

/* ---- tests ---- */

static void both_clients_get_bytes(void **state)
{
    struct job jobs[2] = {0};
    for (unsigned i = 0; i < 2; i++) {
        job_submit(&jobs[i], i, NEXUS_ENTROPY_READ, 100, 64);
    }
    assert_int_equal(model_settle(rng_service, &rng), 0);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(jobs[i].done, 1);
        assert_int_equal(jobs[i].result, 0);
        assert_in_range(jobs[i].word1, 1, 64);
        assert_int_equal(model_pool[i][99], 0);
        assert_int_equal(model_pool[i][100], 0xa5);
        assert_int_equal(model_pool[i][99 + jobs[i].word1], 0xa5);
        assert_int_equal(model_pool[i][100 + jobs[i].word1], 0);
    }
}

static void bad_requests_are_refused(void **state)
{
    static const struct {
        uint16_t type;
        uint32_t off, len;
        int result;
    } bad[] = {
        {NEXUS_ENTROPY_READ, 0, 0, -NX_EINVAL},
        {NEXUS_ENTROPY_READ, MODEL_POOL, 1, -NX_EINVAL},
        {NEXUS_ENTROPY_READ, 1, MODEL_POOL, -NX_EINVAL},
        {NEXUS_ENTROPY_READ, UINT32_MAX, 2, -NX_EINVAL},
        {9, 0, 1, -NX_ENOSYS},
    };
    for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
        struct job j = {0};
        job_submit(&j, 0, bad[i].type, bad[i].off, bad[i].len);
        assert_int_equal(model_settle(rng_service, &rng), 0);
        assert_int_equal(j.result, bad[i].result);
    }
    assert_int_equal(dev.queue[0].seen, 0);
}

static void a_greedy_client_does_not_starve_the_other(void **state)
{
    static struct job greedy[100];
    struct job modest = {0};
    memset(greedy, 0, sizeof(greedy));
    for (unsigned i = 0; i < 100; i++) {
        job_submit(&greedy[i], 0, NEXUS_ENTROPY_READ, 0, 16);
    }
    assert_true(rng_service(&rng, false) >= 0);
    model_exchange();
    job_submit(&modest, 1, NEXUS_ENTROPY_READ, 0, 16);
    unsigned rounds = 0;
    for (; modest.done == 0; rounds++) {
        assert_true(rng_service(&rng, false) >= 0);
        model_exchange();
        model_work(2);
    }
    assert_true(rounds < 10);
}

static void a_source_that_gives_nothing_is_a_fault(void **state)
{
    struct job j = {0};
    silent = true;
    job_submit(&j, 0, NEXUS_ENTROPY_READ, 0, 16);
    assert_int_equal(model_settle(rng_service, &rng), -NX_EIO);
    assert_int_equal(j.done, 0);
    silent = false; /* and the successor serves what was asked */
    model_new_life();
    assert_int_equal(start(), 0);
    assert_int_equal(model_settle(rng_service, &rng), 0);
    assert_int_equal(j.done, 1);
}

#define JOBS 8u
static struct job jobs[RNG_CLIENTS][JOBS];

static void play(void)
{
    for (unsigned i = 0; i < RNG_CLIENTS; i++) {
        if (clients[i].outstanding == 0) {
            memset(jobs[i], 0, sizeof(jobs[i]));
        }
        struct job *j = &jobs[i][chance(JOBS)];
        if (j->r.done == NULL || j->done != 0) {
            job_submit(j, i, NEXUS_ENTROPY_READ, chance(64), 1 + chance(64));
        }
    }
}

static void restarts_lose_nothing(void **state)
{
    for (unsigned i = 0; i < 5000; i++) {
        play();
        model_work(chance(4));
        assert_true(rng_service(&rng, false) >= 0);
        model_exchange();
        if (chance(10) == 0) {
            model_new_life();
            assert_int_equal(start(), 0);
        }
    }
    assert_int_equal(model_settle(rng_service, &rng), 0);
    for (unsigned i = 0; i < RNG_CLIENTS; i++) {
        assert_int_equal(clients[i].outstanding + clients[i].strays, 0);
    }
    assert_int_equal(dev.wild, 0);
}

static void a_lying_device_is_a_fault(void **state)
{
    const struct model_driver d = {device, start, rng_service, &rng, play};
    model_lies(&d, 20, 0, 2000);
    model_lies(&d, 100, 3, 2000);
    assert_int_equal(clients[0].outstanding + clients[1].outstanding, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(both_clients_get_bytes),
        EACH(bad_requests_are_refused),
        EACH(a_greedy_client_does_not_starve_the_other),
        EACH(a_source_that_gives_nothing_is_a_fault),
        EACH(restarts_lose_nothing),
        EACH(a_lying_device_is_a_fault),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
