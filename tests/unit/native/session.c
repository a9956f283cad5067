/*
 * session.c - both halves of a session, over real rings: restarts at every point, hostile peers.
 *
 * test-sources: native/lib/map.c native/lib/wait.c native/lib/channel.c native/lib/client.c native/lib/server.c
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <nexus/cell.h>
#include <nexus/session.h>
#include <sys/mman.h>
#include <unistd.h>

#include "panic.h"

/* ---- the nucleus: slot 1 is the ring to the server, 2 the one from it, 3 the pool ---- */

#define WINDOW (1ul << 30)
#define FIRST 1u
#define POOL 8192
#define PHYS 0x80400000ul
#define SLOTS 8u /* of a ring */
#define DEPTH 4u /* of the server */

uintptr_t cell_host_window;
static int file[4];
static unsigned bells[4];

static long call_map(uint64_t op, uint64_t space, uint64_t va, uint64_t len, uint64_t slot_prot,
                     uint64_t off)
{
    void *at = mmap((void *)va, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
                    file[slot_prot & 0xff], 0);
    return at == (void *)va ? 0 : -NX_ENOMEM;
}

static long call_meta(uint64_t op, uint64_t slot, uint64_t a2, uint64_t a3, uint64_t a4,
                      uint64_t a5)
{
    if (op == NX_META_SIZE) {
        return slot == 1 || slot == 2 ? 4096 : slot == 3 ? POOL : -NX_EBADF;
    }
    assert_int_equal(op, NX_META_PHYS);
    return slot == 3 ? (long)PHYS : -NX_EPERM;
}

static long call_send(uint64_t op, uint64_t slot, uint64_t a2, uint64_t a3, uint64_t a4,
                      uint64_t a5)
{
    bells[slot]++;
    return 0;
}

static const struct nx_systable table = {
    .call = {[NX_CALL_MAP] = call_map, [NX_CALL_META] = call_meta, [NX_CALL_SEND] = call_send},
};
const struct nx_systable *nx_host_table = &table;

/* ---- the two sides ---- */

#define AGAIN (1 | NX_TYPE_REPEATABLE)
#define ONCE 2

static struct nexus_client client;
static struct nexus_server server;
static struct nx_slot backlog[DEPTH];
static unsigned hellos, events;
static uint64_t config_seen;

static void on_hello(struct nexus_client *c, const struct nx_slot *hello)
{
    hellos++;
    config_seen = hello->word[1];
}

static void on_event(struct nexus_client *c, const struct nx_slot *slot)
{
    events++;
}

static void server_start(void)
{
    const struct nx_slot config = {.word[1] = 77};
    memset(backlog, 0xee, sizeof(backlog));
    assert_int_equal(server_open(&server, FIRST, 0, backlog, DEPTH), 0);
    assert_int_equal(server_hello(&server, &config), 0);
}

static void client_start(void)
{
    client.hello = on_hello;
    client.event = on_event;
    client.doubt = NULL;
    assert_int_equal(client_open(&client, FIRST), 0);
}

static int setup(void **state)
{
    if (cell_host_window == 0) {
        cell_host_window = (uintptr_t)mmap(NULL, WINDOW, PROT_NONE,
                                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    }
    for (unsigned i = 1; i < 4; i++) {
        file[i] = memfd_create("memory", 0);
        assert_int_equal(ftruncate(file[i], POOL), 0);
        if (i < 3) {
            void *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file[i], 0);
            nx_ring_format(at, SLOTS, 0);
            munmap(at, 4096);
        }
    }
    memset(bells, 0, sizeof(bells));
    hellos = events = 0;
    server_start();
    client_start();
    return 0;
}

static int teardown(void **state)
{
    for (unsigned i = 1; i < 4; i++) {
        close(file[i]);
    }
    return 0;
}

/* A request that counts its ends. */
struct job {
    struct nexus_request r;
    unsigned done;
    int result;
    uint32_t answer;
    bool resubmit;
};

static void job_done(struct nexus_request *r, int result, const struct nx_slot *reply)
{
    struct job *j = (struct job *)r;
    assert_true(reply != NULL || result == -NX_EPEER);
    j->done++;
    j->result = result;
    j->answer = reply != NULL ? reply->word32[1] : 0;
    if (j->resubmit) {
        j->resubmit = false;
        assert_int_equal(client_submit(&client, r), 0);
    }
}

static void submit(struct job *j, uint16_t type, uint32_t number)
{
    *j = (struct job){.r = {.slot = {.type = type}, .done = job_done}};
    j->r.slot.word32[0] = number;
    assert_int_equal(client_submit(&client, &j->r), 0);
}

static void answer(const struct nx_slot *request)
{
    const struct nx_slot reply = {.word32[1] = request->word32[0] * 10};
    assert_int_equal(server_reply(&server, request, 0, &reply), 0);
}

/* Serve all that is there; the client polls until nothing more comes. */
static void settle(void)
{
    struct nx_slot request;
    for (unsigned quiet = 0; quiet < 3; quiet++) {
        while (server_take(&server, &request) == 1) {
            answer(&request);
            quiet = 0;
        }
        assert_int_equal(server_flush(&server), 0);
        assert_int_equal(client_poll(&client), 0);
    }
    assert_int_equal(client.strays, 0);
}

/* ---- tests ---- */

static void a_request_is_answered(void **state)
{
    struct job j;
    submit(&j, AGAIN, 5);
    settle();
    assert_int_equal(j.done, 1);
    assert_int_equal(j.result, 0);
    assert_int_equal(j.answer, 50);
    assert_int_equal(config_seen, 77);
    assert_int_equal(hellos, 1);
    assert_int_equal(client.outstanding, 0);
    assert_int_equal(client.pool_size, POOL);
    assert_true(server.dma);
    assert_int_equal(server.pool_phys, PHYS);
    assert_true(server_in_pool(&server, POOL - 4, 4));
    assert_false(server_in_pool(&server, POOL - 4, 5));
    assert_false(server_in_pool(&server, UINT32_MAX, 2));
}

/* A driver's device would write into other cells' memory. */
static void a_damaged_address_ends_the_server(void **state)
{
    assert_int_equal(server_phys(&server, 4096), PHYS + 4096);
    for (unsigned bit = 0; bit < 64; bit++) {
        server.pool_phys ^= 1ul << bit;
        assert_true(PANICS(server_phys(&server, 0)));
        server.pool_phys ^= 1ul << bit;
        server.pool_phys_not ^= 1ul << bit;
        assert_true(PANICS(server_phys(&server, 0)));
        server.pool_phys_not ^= 1ul << bit;
    }
    assert_int_equal(server_phys(&server, 0), PHYS);
}

static void a_device_is_told_of_the_pool_only(void **state)
{
    assert_true(server_reaches(&server, PHYS, POOL));
    assert_true(server_reaches(&server, PHYS + POOL - 1, 1));
    assert_false(server_reaches(&server, PHYS - 1, 2));
    assert_false(server_reaches(&server, PHYS + 1, POOL));
    assert_false(server_reaches(&server, PHYS + 1, UINT64_MAX));
    server.dma = false;
    assert_false(server_reaches(&server, PHYS, 1));
    server.dma = true;
}

static void a_request_may_be_submitted_from_its_end(void **state)
{
    struct job j;
    submit(&j, AGAIN, 5);
    j.resubmit = true;
    settle();
    assert_int_equal(j.done, 2);
}

/* Both asleep, woken for nothing: neither wakes the other, who would do the same to it for ever. */
static void bells_are_for_news(void **state)
{
    struct job j;
    settle();
    memset(bells, 0, sizeof(bells));
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(server_sleep_prepare(&server), 0);
        assert_int_equal(client_sleep_prepare(&client), 0);
        client_awake(&client);
        assert_int_equal(client_poll(&client), 0);
        assert_int_equal(client_sleep_prepare(&client), 0);
        server_awake(&server);
        assert_int_equal(server_flush(&server), 0);
        client_awake(&client);
    }
    assert_int_equal(bells[1] + bells[2], 0);
    assert_int_equal(server_sleep_prepare(&server), 0);
    submit(&j, AGAIN, 1);
    assert_int_equal(bells[1], 1);
    server_awake(&server);
    assert_int_equal(client_sleep_prepare(&client), 0);
    struct nx_slot request;
    assert_int_equal(server_take(&server, &request), 1);
    answer(&request);
    assert_int_equal(server_flush(&server), 0);
    assert_int_equal(bells[2], 1);
    client_awake(&client);
    settle();
    assert_int_equal(j.done, 1);
}

static void full_rings_lose_nothing(void **state)
{
    static struct job jobs[NEXUS_SESSION_REQUESTS];
    struct job more = {.r = {.done = job_done}};
    settle();
    for (unsigned i = 0; i < NEXUS_SESSION_REQUESTS; i++) {
        submit(&jobs[i], i % 2 == 0 ? AGAIN : ONCE, i);
    }
    assert_int_equal(client_submit(&client, &more.r), -NX_EFULL);
    /* The reply ring fills, too: the server stops taking, and goes on when there is room. */
    struct nx_slot request;
    unsigned taken = 0;
    while (server_take(&server, &request) == 1) {
        answer(&request);
        assert_int_equal(server_flush(&server), 0);
        taken++;
    }
    assert_int_equal(taken, SLOTS); /* the client has not refilled the ring */
    for (unsigned i = 0; i < 100; i++) {
        settle();
    }
    for (unsigned i = 0; i < NEXUS_SESSION_REQUESTS; i++) {
        assert_int_equal(jobs[i].done, 1);
        assert_int_equal(jobs[i].answer, i * 10);
    }
}

/* What was not taken, taken, answered, or answered only in the dead server's memory. */
static void a_server_dies_at_every_point(void **state)
{
    for (unsigned take = 0; take <= DEPTH; take++) {
        for (unsigned replies = 0; replies <= take; replies++) {
            for (unsigned polled = 0; polled < 2; polled++) {
                struct job jobs[DEPTH];
                struct nx_slot request[DEPTH];
                settle();
                for (unsigned i = 0; i < DEPTH; i++) {
                    submit(&jobs[i], i == 1 ? ONCE : AGAIN, i);
                }
                for (unsigned i = 0; i < take; i++) {
                    assert_int_equal(server_take(&server, &request[i]), 1);
                }
                for (unsigned i = 0; i < replies; i++) {
                    answer(&request[i]);
                }
                if (polled != 0) {
                    assert_int_equal(client_poll(&client), 0);
                }
                server_start();
                settle();
                for (unsigned i = 0; i < DEPTH; i++) {
                    assert_int_equal(jobs[i].done, 1);
                    /* Before the HELLO all four stood in the ring: the one that must not be
                     * repeated ends unless it was answered. */
                    assert_int_equal(jobs[i].result, i == 1 && replies < 2 ? -NX_EPEER : 0);
                }
            }
        }
    }
}

static void what_is_sent_again_keeps_its_order(void **state)
{
    struct job jobs[2 * SLOTS];
    struct nx_slot request;
    settle();
    for (unsigned i = 0; i < 2 * SLOTS; i++) {
        submit(&jobs[i], AGAIN, i); /* half of them wait for room */
    }
    for (unsigned life = 0; life < 3; life++) {
        assert_int_equal(server_take(&server, &request), 1);
        server_start();
        assert_int_equal(client_poll(&client), 0);
    }
    for (unsigned i = 0; i < 2 * SLOTS; i++) {
        assert_int_equal(server_take(&server, &request), 1);
        assert_int_equal(request.word32[0], i);
        answer(&request);
        assert_int_equal(client_poll(&client), 0);
    }
    assert_int_equal(client.outstanding, 0);
}

/* The dead one's replies fill the ring: the HELLO waits, and new requests are served behind it. */
static void a_server_starts_with_a_full_reply_ring(void **state)
{
    struct job jobs[SLOTS], late;
    struct nx_slot request;
    settle();
    for (unsigned i = 0; i < SLOTS; i++) {
        submit(&jobs[i], ONCE, i);
        assert_int_equal(server_take(&server, &request), 1);
        answer(&request);
    }
    server_start();
    assert_true(server.hello_due);
    submit(&late, ONCE, 99); /* behind the HELLO's index */
    assert_int_equal(server_take(&server, &request), 1);
    answer(&request);
    assert_int_equal(server_sleep_prepare(&server), 0);
    server_start(); /* and once more: the late one is lost, its answer never left */
    settle();
    for (unsigned i = 0; i < SLOTS; i++) {
        assert_int_equal(jobs[i].result, 0);
        assert_int_equal(jobs[i].done, 1);
    }
    assert_int_equal(late.done, 1);
    assert_int_equal(late.result, -NX_EPEER);
}

/* Both sides asleep, and then a look at the rings without news: nobody is woken. */
static void a_look_wakes_nobody(void **state)
{
    struct job j;
    settle();
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(server_sleep_prepare(&server), 0);
        assert_int_equal(client_sleep_prepare(&client), 0);
        memset(bells, 0, sizeof(bells));
        client_awake(&client);
        assert_int_equal(client_poll(&client), 0);
        assert_int_equal(bells[1] + bells[2], 0);
        assert_int_equal(client_sleep_prepare(&client), 0);
        server_awake(&server);
        assert_int_equal(server_flush(&server), 0);
        assert_int_equal(bells[1] + bells[2], 0);
        assert_int_equal(server_sleep_prepare(&server), 0);
        submit(&j, AGAIN, 1); /* but news do */
        assert_int_equal(bells[1], 1);
        server_awake(&server);
        struct nx_slot request;
        assert_int_equal(server_take(&server, &request), 1);
        answer(&request);
        assert_int_equal(server_flush(&server), 0);
        assert_int_equal(bells[2], 1);
        client_awake(&client);
        settle();
    }
}

/* ---- a new client ---- */

static void a_new_client_waits_for_what_the_server_holds(void **state)
{
    struct job old[3], fresh;
    struct nx_slot request[3];
    settle();
    for (unsigned i = 0; i < 3; i++) {
        submit(&old[i], AGAIN, i);
        assert_int_equal(server_take(&server, &request[i]), 1);
    }
    answer(&request[0]);
    client_start();
    submit(&fresh, AGAIN, 7);
    assert_int_equal(client_poll(&client), 0);
    assert_int_equal(client.generation, 0);
    struct nx_slot none;
    assert_int_equal(server_take(&server, &none), 0);
    assert_true(server_renewing(&server));
    answer(&request[1]);
    assert_int_equal(server_event(&server, &none), -NX_EFULL);
    assert_int_equal(client_poll(&client), 0);
    assert_int_equal(client.generation, 0);
    answer(&request[2]);
    assert_false(server_renewing(&server));
    settle();
    assert_int_equal(client.generation, 1);
    assert_int_equal(fresh.done, 1);
    assert_int_equal(fresh.answer, 70);
    assert_int_equal(old[0].done + old[1].done + old[2].done, 0);
}

static void a_new_client_finds_a_full_ring(void **state)
{
    struct job old[SLOTS], fresh;
    settle();
    for (unsigned i = 0; i < SLOTS; i++) {
        submit(&old[i], AGAIN, i);
    }
    client_start();
    assert_false(client.hello_sent);
    submit(&fresh, AGAIN, 7);
    assert_int_equal(client_sleep_prepare(&client), 0);
    client_awake(&client);
    settle();
    assert_int_equal(fresh.answer, 70);
}

static void a_server_restart_answers_a_new_client(void **state)
{
    struct job old, fresh;
    struct nx_slot request;
    settle();
    submit(&old, AGAIN, 1);
    assert_int_equal(server_take(&server, &request), 1);
    client_start();
    submit(&fresh, AGAIN, 7);
    server_start();
    assert_int_equal(client_poll(&client), 0);
    assert_int_equal(client.generation, 1);
    settle();
    assert_int_equal(fresh.answer, 70);
    assert_int_equal(client.generation, 1);
}

/* ---- hostile servers ---- */

static struct nx_ring *to_client(void)
{
    return &server.ch.out;
}

static void replies_to_nothing_are_strays(void **state)
{
    struct job j;
    struct nx_slot request;
    settle();
    submit(&j, AGAIN, 3);
    assert_int_equal(server_take(&server, &request), 1);
    struct nx_slot lie = request;
    lie.flags = NX_SLOT_REPLY;
    lie.cookie ^= 0x100;
    assert_int_equal(nx_ring_push(to_client(), &lie), 0);
    lie.cookie = request.cookie + 1;
    assert_int_equal(nx_ring_push(to_client(), &lie), 0);
    lie.cookie = request.cookie;
    lie.type = ONCE;
    assert_int_equal(nx_ring_push(to_client(), &lie), 0);
    assert_int_equal(client_poll(&client), 0);
    assert_int_equal(j.done, 0);
    assert_int_equal(client.strays, 3);
    lie.type = AGAIN;
    assert_int_equal(nx_ring_push(to_client(), &lie), 0);
    assert_int_equal(nx_ring_push(to_client(), &lie), 0); /* twice */
    assert_int_equal(client_poll(&client), 0);
    assert_int_equal(j.done, 1);
    assert_int_equal(client.strays, 4);
}

static void a_reply_before_the_request_is_a_stray(void **state)
{
    struct job jobs[SLOTS + 1];
    settle();
    for (unsigned i = 0; i < SLOTS + 1; i++) {
        submit(&jobs[i], AGAIN, i);
    }
    assert_false(jobs[SLOTS].r.sent);
    for (unsigned i = 0; i < 256; i++) {
        struct nx_slot lie = {.type = AGAIN, .flags = NX_SLOT_REPLY};
        lie.cookie = (client.ch.out.own << 8) + i;
        assert_int_equal(nx_ring_push(to_client(), &lie), 0);
        assert_int_equal(client_poll(&client), 0);
    }
    assert_int_equal(client.strays, 256);
    assert_int_equal(jobs[SLOTS].done, 0);
}

/* ---- errors that are doubted ---- */

static unsigned doubts, doubts_max;

static bool on_doubt(struct nexus_client *c, const struct nexus_request *r,
                     const struct nx_slot *reply)
{
    return reply->word32[0] != 0 && doubts < doubts_max && ++doubts != 0;
}

static void answer_badly(struct nx_slot *request)
{
    assert_int_equal(server_take(&server, request), 1);
    assert_int_equal(server_reply(&server, request, -NX_EIO, NULL), 0);
    assert_int_equal(server_flush(&server), 0);
    assert_int_equal(client_poll(&client), 0);
}

static void an_error_is_doubted_until_the_next_life(void **state)
{
    struct job good, bad;
    struct nx_slot request;
    doubts = 0;
    doubts_max = 1;
    client.doubt = on_doubt;
    settle();
    submit(&bad, AGAIN, 3);
    answer_badly(&request);
    assert_int_equal(doubts, 1);
    assert_int_equal(bad.done, 0);
    submit(&good, AGAIN, 4); /* others are served meanwhile */
    settle();
    assert_int_equal(good.answer, 40);
    assert_int_equal(bad.done, 0);
    const struct nx_slot lie = {
        .type = AGAIN, .flags = NX_SLOT_REPLY, .cookie = request.cookie}; /* it thinks twice */
    assert_int_equal(nx_ring_push(to_client(), &lie), 0);
    assert_int_equal(client_poll(&client), 0);
    assert_int_equal(client.strays, 1);
    client.strays = 0;
    server_start();
    settle();
    assert_int_equal(bad.done, 1);
    assert_int_equal(bad.answer, 30);
    assert_int_equal(good.done, 1);
}

static void an_error_may_be_believed(void **state)
{
    struct job j;
    struct nx_slot request;
    doubts = 0;
    doubts_max = 1;
    client.doubt = on_doubt;
    settle();
    submit(&j, ONCE, 3); /* cannot be asked again */
    answer_badly(&request);
    assert_int_equal(j.result, -NX_EIO);
    assert_int_equal(doubts, 0);
    submit(&j, AGAIN, 3);
    answer_badly(&request);
    assert_int_equal(j.done, 0);
    assert_true(j.r.doubted);
    server_start();
    assert_int_equal(client_poll(&client), 0);
    answer_badly(&request); /* the second life says the same */
    assert_int_equal(j.done, 1);
    assert_int_equal(j.result, -NX_EIO);
    submit(&j, AGAIN, 3);
    assert_false(j.r.doubted);
    settle();
    assert_int_equal(j.answer, 30);
}

static void a_flood_of_hellos_is_bounded_work(void **state)
{
    struct job jobs[32];
    settle();
    for (unsigned i = 0; i < 32; i++) {
        submit(&jobs[i], i % 2 == 0 ? AGAIN : ONCE, i);
    }
    for (unsigned i = 0; i < 1000; i++) {
        struct nx_slot lie = {.type = NEXUS_HELLO, .cookie = client.ch.out.own};
        while (nx_ring_push(to_client(), &lie) == 0) {
        }
        assert_int_equal(client_poll(&client), 0);
        while (nx_ring_pop(&server.ch.in, &lie) == 0) {
        }
    }
    unsigned left = 0;
    for (unsigned i = 0; i < 32; i++) {
        assert_true(jobs[i].done <= (i % 2 == 0 ? 0 : 1));
        left += jobs[i].done == 0;
    }
    assert_int_equal(client.outstanding, left);
    server_start();
    settle();
    assert_int_equal(client.outstanding, 0);
}

/* The server's next life answers all there is, but what must not be asked again. */
static void next_life_answers(struct job *jobs, unsigned n, int lost)
{
    server_start();
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(client_poll(&client), 0);
    }
    client.strays = 0; /* slots of before may have been seen again */
    settle();
    for (unsigned i = 0; i < n; i++) {
        assert_int_equal(jobs[i].done, 1);
        assert_true(jobs[i].result == 0 || jobs[i].result == lost);
    }
    assert_int_equal(client.outstanding, 0);
}

/* It looks again a few times and then sleeps. */
static void client_gives_in(void)
{
    unsigned n = 0;
    assert_int_equal(client_poll(&client), 0);
    while (client_sleep_prepare(&client) != 0) {
        assert_int_equal(client_poll(&client), 0);
        assert_true(++n < 200);
    }
    client_awake(&client);
}

static void a_hello_from_the_future_is_a_stray(void **state)
{
    struct job jobs[20];
    settle();
    for (unsigned i = 0; i < 20; i++) {
        submit(&jobs[i], AGAIN, i);
    }
    struct nx_slot lie = {.type = NEXUS_HELLO, .cookie = client.ch.out.own + 1};
    assert_int_equal(nx_ring_push(to_client(), &lie), 0);
    assert_int_equal(client_poll(&client), 0);
    assert_int_equal(client.strays, 1);
    assert_int_equal(client.outstanding, 20);
    next_life_answers(jobs, 20, 0);
}

static void an_impossible_index_is_mended(void **state)
{
    struct job jobs[20];
    settle();
    for (unsigned i = 0; i < 20; i++) {
        submit(&jobs[i], ONCE, i);
    }
    to_client()->own_end->index += 100;
    client_gives_in();
    assert_int_equal(client.outstanding, 20);
    next_life_answers(jobs, 20, -NX_EPEER);
}

/* A server that only its shared word tells wrong of puts that right when it goes to sleep. */
static void a_healthy_server_is_not_given_up(void **state)
{
    struct job job;
    settle();
    to_client()->own_end->index += 100;
    assert_int_equal(client_poll(&client), 0);
    assert_int_equal(client.ch.faults, 1);
    (void)server_sleep_prepare(&server);
    (void)nx_ring_sleep_prepare(to_client());
    server_awake(&server);
    submit(&job, ONCE, 7);
    settle();
    assert_int_equal(job.done, 1);
    assert_int_equal(job.result, 0);
    assert_int_equal(client.ch.faults, 0);
}

static void a_wild_release_is_mended(void **state)
{
    struct job jobs[SLOTS + 1];
    settle();
    server.ch.in.own_end->index -= 3;
    for (unsigned i = 0; i < SLOTS + 1; i++) {
        submit(&jobs[i], ONCE, i);
    }
    client_gives_in();
    next_life_answers(jobs, SLOTS + 1, -NX_EPEER);
}

/* Any one bit of what is shared: the server's next life serves all the same. */
static void any_damage_is_mended(void **state)
{
    for (unsigned ring = 0; ring < 2; ring++) {
        for (unsigned bit = 0; bit < NX_RING_SLOTS_OFF * 8; bit++) {
            struct job jobs[3];
            settle();
            for (unsigned i = 0; i < 3; i++) {
                submit(&jobs[i], AGAIN, i);
            }
            volatile struct nx_ring_end *end =
                ring == 0 ? client.ch.in.own_end : client.ch.out.own_end;
            volatile uint8_t *base = (volatile uint8_t *)((uintptr_t)end & ~4095ul);
            base[bit / 8] ^= (uint8_t)(1u << bit % 8);
            client_gives_in();
            /* The dead server's end is told by the nucleus. */
            client.ch.in.peer_generation--;
            client_gives_in();
            next_life_answers(jobs, 3, 0);
        }
    }
}

static void events_pass(void **state)
{
    struct nx_slot event = {.type = 9, .flags = NX_SLOT_REPLY};
    settle();
    assert_int_equal(server_event(&server, &event), 0);
    assert_int_equal(client_poll(&client), 0);
    assert_int_equal(events, 1);
    for (unsigned i = 0; i < SLOTS; i++) {
        assert_int_equal(server_event(&server, &event), 0);
    }
    assert_int_equal(server_event(&server, &event), -NX_EFULL);
}

/* ---- hostile clients ---- */

static void a_client_that_says_hello_all_the_time_gets_one_answer_a_round(void **state)
{
    settle();
    for (unsigned i = 0; i < 100; i++) {
        struct nx_slot hello = {.type = NEXUS_HELLO}, request;
        while (nx_ring_push(&client.ch.out, &hello) == 0) {
        }
        assert_int_equal(server_take(&server, &request), 0);
        assert_int_equal(server_flush(&server), 0);
        assert_int_equal(server.taken, 0);
    }
}

static void a_client_that_never_reads_fills_only_its_own_rings(void **state)
{
    static const struct nx_slot sent = {.type = AGAIN};
    struct nx_slot request;
    unsigned taken = 0;
    settle();
    for (unsigned i = 0; i < 100; i++) {
        while (nx_ring_push(&client.ch.out, &sent) == 0) {
        }
        while (server_take(&server, &request) == 1) {
            answer(&request);
            taken++;
        }
        assert_int_equal(server_flush(&server), 0);
    }
    assert_int_equal(taken, SLOTS + DEPTH);
    assert_int_equal(server_sleep_prepare(&server), 0);
}

static void an_impossible_index_is_the_clients_fault(void **state)
{
    struct nx_slot request;
    client.ch.out.own_end->index += 1000;
    assert_int_equal(server_take(&server, &request), -NX_EPEER);
    assert_int_equal(server_sleep_prepare(&server), -NX_EPEER);
}

/* ---- chance ---- */

#define JOBS 24u

static unsigned seed;

static unsigned chance(unsigned n)
{
    seed ^= seed << 13;
    seed ^= seed >> 17;
    seed ^= seed << 5;
    return seed % n;
}

static struct job jobs[JOBS];
static unsigned executed[1u << 20]; /* by number */
static bool once[1u << 20];
static uint32_t numbers;
static struct nx_slot held[DEPTH];
static unsigned held_n;

static void random_submit(void)
{
    struct job *j = &jobs[chance(JOBS)];
    if (numbers != 0 && j->done == 0 && j->r.done != NULL) {
        return; /* still out */
    }
    once[numbers] = chance(3) == 0;
    submit(j, once[numbers] ? ONCE : AGAIN, numbers);
    numbers++;
}

static void random_serve(void)
{
    if (chance(2) == 0 && held_n < DEPTH && server_take(&server, &held[held_n]) == 1) {
        executed[held[held_n].word32[0]]++;
        held_n++;
    }
    if (chance(2) == 0 && held_n > 0) {
        unsigned i = chance(held_n);
        answer(&held[i]);
        held[i] = held[--held_n];
    }
    if (chance(3) == 0) {
        assert_int_equal(server_flush(&server), 0);
    }
}

static void check_done(void)
{
    for (unsigned i = 0; i < JOBS; i++) {
        struct job *j = &jobs[i];
        if (j->done == 0 || j->r.done == NULL) {
            continue;
        }
        const uint32_t number = j->r.slot.word32[0];
        assert_int_equal(j->done, 1);
        if (j->result == 0) {
            assert_int_equal(j->answer, number * 10);
            assert_true(executed[number] >= 1);
        } else {
            assert_true(once[number]);
        }
        assert_true(!once[number] || executed[number] <= 1);
        j->r.done = NULL;
    }
}

static void restarts_lose_and_double_nothing(void **state)
{
    for (seed = 1; numbers < 20000;) {
        random_submit();
        random_serve();
        if (chance(3) == 0) {
            assert_int_equal(client_poll(&client), 0);
            check_done();
        }
        if (chance(40) == 0) {
            server_start();
            held_n = 0;
        }
        if (chance(200) == 0) {
            client_start();
            memset(jobs, 0, sizeof(jobs));
        }
    }
    for (unsigned i = 0; i < 10000 && client.outstanding != 0; i++) {
        random_serve();
        assert_int_equal(client_poll(&client), 0);
    }
    check_done();
    assert_int_equal(client.outstanding, 0);
    assert_int_equal(client.strays, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_request_is_answered),
        TEST(a_damaged_address_ends_the_server),
        TEST(a_device_is_told_of_the_pool_only),
        TEST(a_request_may_be_submitted_from_its_end),
        TEST(bells_are_for_news),
        TEST(full_rings_lose_nothing),
        TEST(a_server_dies_at_every_point),
        TEST(what_is_sent_again_keeps_its_order),
        TEST(a_server_starts_with_a_full_reply_ring),
        TEST(a_look_wakes_nobody),
        TEST(a_new_client_waits_for_what_the_server_holds),
        TEST(a_new_client_finds_a_full_ring),
        TEST(a_server_restart_answers_a_new_client),
        TEST(replies_to_nothing_are_strays),
        TEST(a_reply_before_the_request_is_a_stray),
        TEST(an_error_is_doubted_until_the_next_life),
        TEST(an_error_may_be_believed),
        TEST(a_flood_of_hellos_is_bounded_work),
        TEST(a_hello_from_the_future_is_a_stray),
        TEST(an_impossible_index_is_mended),
        TEST(a_healthy_server_is_not_given_up),
        TEST(any_damage_is_mended),
        TEST(a_wild_release_is_mended),
        TEST(events_pass),
        TEST(a_client_that_says_hello_all_the_time_gets_one_answer_a_round),
        TEST(a_client_that_never_reads_fills_only_its_own_rings),
        TEST(an_impossible_index_is_the_clients_fault),
        TEST(restarts_lose_and_double_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
