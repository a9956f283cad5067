/*
 * virtio_net.c - the network driver against a model of the device.
 *
 * test-sources: drivers/virtio_net/net.c drivers/lib/virtio.c drivers/lib/virtq.c drivers/lib/reach.c
 * test-sources: native/lib/map.c native/lib/wait.c native/lib/channel.c native/lib/client.c native/lib/server.c
 */
#include "drivers/virtio_model.h"

#include "../../../drivers/virtio_net/net.h"

#define F_MTU (1ul << 3)
#define F_MAC (1ul << 5)
#define F_STATUS (1ul << 16)

/* ---- the device: buffers wait in `held` until the test sends a frame ---- */

static struct chain held[256];
static unsigned held_n, resets_seen;
static uint32_t sent[1u << 16]; /* the first word of every frame's payload */
static unsigned sent_n;

static void forget_after_reset(void)
{
    if (resets_seen != dev.resets) {
        resets_seen = dev.resets;
        held_n = 0;
    }
}

static int64_t net_request(unsigned queue, struct chain *c)
{
    forget_after_reset();
    if (queue == 0) {
        if (dev.lies == 0) {
            assert_int_equal(c->n, 2);
            assert_true(c->seg[0].write && c->seg[1].write);
        }
        held[held_n++ % 256] = *c;
        return -1;
    }
    static const uint8_t header[12];
    if (dev.lies == 0) {
        assert_int_equal(c->n, 2);
        assert_int_equal(c->seg[0].len, 12);
        assert_memory_equal(c->seg[0].at, header, 12);
    }
    if (c->n == 2 && c->seg[1].len >= 18) {
        memcpy(&sent[sent_n++ % 65536], c->seg[1].at + 14, 4);
    }
    return 0;
}

/* A frame comes from the wire: false when nobody has room for it. */
static bool arrive(uint32_t len, uint8_t fill)
{
    forget_after_reset();
    if (held_n == 0) {
        return false;
    }
    const struct chain c = held[0];
    memmove(held, held + 1, --held_n * sizeof(held[0]));
    if (c.n == 2 && len <= c.seg[1].len) {
        memset(c.seg[0].at, 0x11, c.seg[0].len);
        memset(c.seg[1].at, fill, len);
    }
    model_complete(0, &c, len + 12);
    return true;
}

static struct net net;
static uint64_t kind;

static void device(void)
{
    static const uint8_t config[12] = {2, 0, 0, 0, 0, 7, 1, 0, 0, 0, 0xdc, 5};
    dev = (struct model){.id = 1, .num_max = 256, .request = net_request};
    dev.features = kind | F_MAC | F_STATUS | F_MTU;
    memcpy(dev.config, config, sizeof(config));
    held_n = resets_seen = 0;
}

static int start(void)
{
    return net_start(&net, &driver);
}

static unsigned links;
static uint32_t link_now;
static struct nexus_frame_hello told;

static void on_event(struct nexus_client *c, const struct nx_slot *slot)
{
    assert_int_equal(slot->type, NEXUS_FRAME_LINK);
    links++;
    link_now = slot->word32[0];
}

static void on_hello(struct nexus_client *c, const struct nx_slot *hello)
{
    memcpy(&told, hello->payload, sizeof(told));
}

static int setup(void **state)
{
    kind = *(const uint64_t *)*state;
    clients[0] = (struct nexus_client){.hello = on_hello, .event = on_event};
    device();
    model_setup(1, 2 * NET_DEPTH, 256);
    links = sent_n = 0;
    assert_int_equal(start(), 0);
    return 0;
}

static void settle(void)
{
    assert_int_equal(model_settle(net_service, &net), 0);
}

static void send_number(struct job *j, uint32_t off, uint32_t number)
{
    memset(j, 0, sizeof(*j));
    memcpy(model_pool[0] + off + 14, &number, 4);
    job_submit(j, 0, NEXUS_FRAME_SEND, off, 60);
}

/* ---- tests ---- */

static void the_configuration_is_told(void **state)
{
    settle();
    assert_int_equal(told.mac[0], 2);
    assert_int_equal(told.mac[5], 7);
    assert_int_equal(told.mtu, 1500);
    assert_int_equal(told.link, 1);
    assert_int_equal(told.depth, NET_DEPTH);
}

static void frames_pass_both_ways(void **state)
{
    struct job out, in[2] = {0};
    send_number(&out, 0, 77);
    job_submit(&in[0], 0, NEXUS_FRAME_RECEIVE, 4096, 2048);
    job_submit(&in[1], 0, NEXUS_FRAME_RECEIVE, 8192, 1514);
    settle();
    assert_int_equal(out.done, 1);
    assert_int_equal(sent_n, 1);
    assert_int_equal(sent[0], 77);
    assert_int_equal(in[0].done, 0);
    assert_true(arrive(1514, 0xaa));
    assert_true(arrive(60, 0xbb));
    assert_false(arrive(60, 0xcc));
    settle();
    assert_int_equal(in[0].word1, 1514);
    assert_int_equal(model_pool[0][4096 + 1513], 0xaa);
    assert_int_equal(model_pool[0][4096 + 1514], 0);
    assert_int_equal(in[1].word1, 60);
    assert_int_equal(model_pool[0][8192], 0xbb);
}

static void bad_requests_are_refused(void **state)
{
    static const struct {
        uint16_t type;
        uint32_t off, len;
        int result;
    } bad[] = {
        {NEXUS_FRAME_SEND, 0, 13, -NX_EINVAL},
        {NEXUS_FRAME_SEND, 0, 1515, -NX_EINVAL},
        {NEXUS_FRAME_SEND, MODEL_POOL - 59, 60, -NX_EINVAL},
        {NEXUS_FRAME_RECEIVE, 0, 1513, -NX_EINVAL},
        {NEXUS_FRAME_RECEIVE, UINT32_MAX - 100, 2048, -NX_EINVAL},
        {99, 0, 60, -NX_ENOSYS},
    };
    for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
        struct job j = {0};
        job_submit(&j, 0, bad[i].type, bad[i].off, bad[i].len);
        settle();
        assert_int_equal(j.result, bad[i].result);
    }
    assert_int_equal(dev.queue[0].seen + dev.queue[1].seen, 0);
}

static void more_than_depth_is_refused(void **state)
{
    static struct job in[NET_DEPTH + 1];
    memset(in, 0, sizeof(in));
    for (unsigned i = 0; i <= NET_DEPTH; i++) {
        job_submit(&in[i], 0, NEXUS_FRAME_RECEIVE, 0, 2048);
    }
    settle();
    assert_int_equal(in[NET_DEPTH].result, -NX_EBUSY);
    assert_int_equal(in[0].done, 0);
}

static void runts_are_nobodys_fault(void **state)
{
    struct job in = {0};
    job_submit(&in, 0, NEXUS_FRAME_RECEIVE, 0, 2048);
    settle();
    for (unsigned i = 0; i < 14; i++) {
        assert_true(arrive(i, 1));
        settle();
        assert_int_equal(in.done, 0);
    }
    assert_true(arrive(14, 1));
    settle();
    assert_int_equal(in.word1, 14);
}

static void the_link_is_told_of(void **state)
{
    settle();
    dev.config[6] = 0;
    dev.isr = 2;
    settle();
    assert_int_equal(links, 1);
    assert_int_equal(link_now, 0);
    dev.isr = 2;
    settle();
    assert_int_equal(links, 1);
    clients[0].generation = 0; /* as a new client */
    assert_int_equal(client_open(&clients[0], MODEL_FIRST), 0);
    settle();
    assert_int_equal(told.link, 0);
}

/* What the dead client gave to receive into is not written to after the HELLO. */
static void a_new_client_gets_its_pool_to_itself(void **state)
{
    struct job in[3] = {0};
    for (unsigned i = 0; i < 3; i++) {
        job_submit(&in[i], 0, NEXUS_FRAME_RECEIVE, i * 2048, 2048);
    }
    settle();
    assert_int_equal(held_n, 3);
    assert_int_equal(client_open(&clients[0], MODEL_FIRST), 0);
    model_pool[0] = clients[0].pool;
    settle();
    assert_int_equal(clients[0].generation, 1);
    assert_false(arrive(60, 0xee));
    struct job fresh = {0};
    job_submit(&fresh, 0, NEXUS_FRAME_RECEIVE, 0, 2048);
    settle();
    assert_true(arrive(60, 0xee));
    settle();
    assert_int_equal(fresh.done, 1);
    assert_int_equal(in[0].done + in[1].done + in[2].done, 0);
}

#define JOBS 16u
static struct job jobs[JOBS];
static uint32_t number;

static void play(void)
{
    if (clients[0].outstanding == 0) {
        memset(jobs, 0, sizeof(jobs));
    }
    const unsigned i = chance(JOBS);
    struct job *j = &jobs[i];
    if (j->r.done == NULL || j->done != 0) {
        if (i % 2 == 0) {
            send_number(j, i * 2048, ++number);
        } else {
            memset(j, 0, sizeof(*j));
            job_submit(j, 0, NEXUS_FRAME_RECEIVE, i * 2048, 2048);
        }
    }
    if (chance(4) == 0) {
        arrive(60 + chance(100), 1);
    }
}

/* No frame is sent twice; one that was said to be sent was. */
static void restarts_double_nothing(void **state)
{
    for (unsigned i = 0; i < 8000; i++) {
        play();
        model_work(chance(4));
        assert_true(net_service(&net, false) >= 0);
        model_exchange();
        if (chance(15) == 0) {
            model_new_life();
            assert_int_equal(start(), 0);
        }
        for (unsigned k = 0; k < JOBS; k++) {
            assert_true(jobs[k].done <= 1);
            assert_true(jobs[k].done == 0 || jobs[k].result == 0 ||
                        (k % 2 == 0 && jobs[k].result == -NX_EPEER));
        }
    }
    for (unsigned i = 0; i < sent_n; i++) {
        for (unsigned k = i + 1; k < sent_n && k < i + 64; k++) {
            assert_int_not_equal(sent[i], sent[k]);
        }
    }
    assert_true(sent_n > 500);
    for (unsigned i = 0; i < JOBS; i++) {
        arrive(60, 1);
        settle();
    }
    assert_int_equal(clients[0].outstanding + clients[0].strays, 0);
    assert_int_equal(dev.wild, 0);
}

static void a_lying_device_is_a_fault(void **state)
{
    const struct model_driver d = {device, start, net_service, &net, play};
    model_lies(&d, 30, 0, 3000);
    model_lies(&d, 100, 3, 3000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(the_configuration_is_told),
        EACH(frames_pass_both_ways),
        EACH(bad_requests_are_refused),
        EACH(more_than_depth_is_refused),
        EACH(runts_are_nobodys_fault),
        EACH(the_link_is_told_of),
        EACH(a_new_client_gets_its_pool_to_itself),
        EACH(restarts_double_nothing),
        EACH(a_lying_device_is_a_fault),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
