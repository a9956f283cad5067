/*
 * virtio_input.c - the input driver against a model of the device.
 *
 * test-sources: drivers/virtio_input/input.c drivers/lib/virtio.c drivers/lib/virtq.c drivers/lib/reach.c
 * test-sources: native/lib/map.c native/lib/wait.c native/lib/channel.c native/lib/client.c native/lib/server.c
 */
#include "drivers/virtio_model.h"

#include "../../../drivers/virtio_input/input.h"

/* ---- the device ---- */

static struct chain held[64];
static unsigned held_n, resets_seen;
static struct nexus_input_event lamps[256];
static unsigned lamp_n;

static int64_t input_request(unsigned queue, struct chain *c)
{
    if (resets_seen != dev.resets) {
        resets_seen = dev.resets;
        held_n = 0;
    }
    if (queue == 0) {
        held[held_n++ % 64] = *c;
        return -1;
    }
    if (c->n == 1 && c->seg[0].len == 8) {
        memcpy(&lamps[lamp_n++ % 256], c->seg[0].at, 8);
    }
    return 0;
}

/* Something happens to the device: false when the driver has no buffer there. */
static bool happen(uint16_t type, uint16_t code, uint32_t value)
{
    const struct nexus_input_event event = {type, code, value};
    if (held_n == 0 || resets_seen != dev.resets) {
        return false;
    }
    const struct chain c = held[0];
    memmove(held, held + 1, --held_n * sizeof(held[0]));
    if (c.n == 1 && c.seg[0].len == 8) {
        memcpy(c.seg[0].at, &event, 8);
    }
    model_complete(0, &c, 8);
    return true;
}

static void config_write(uint32_t offset, uint32_t v)
{
    static const uint8_t ids[8] = {6, 0, 0x27, 6, 1, 0, 2, 0};
    if (offset > 1) {
        return;
    }
    dev.config[offset] = (uint8_t)v;
    memset(dev.config + 2, 0, 150);
    if (dev.config[0] == 1 && dev.config[1] == 0) {
        memcpy(dev.config + 8, "A keyboard", 10);
        dev.config[2] = 10;
    } else if (dev.config[0] == 3 && dev.config[1] == 0) {
        memcpy(dev.config + 8, ids, 8);
        dev.config[2] = 8;
    } else if (dev.config[0] == 0x11 && dev.config[1] == 1) {
        memset(dev.config + 8, 0xff, 128);
        dev.config[2] = 128;
    }
}

static struct input input;
static uint64_t kind;

static void device(void)
{
    dev = (struct model){.id = 18, .num_max = 64, .features = kind, .request = input_request};
    dev.config_write = config_write;
    held_n = resets_seen = 0;
}

static int start(void)
{
    return input_start(&input, &driver);
}

/* ---- the client ---- */

static struct nexus_input_event got[1u << 16];
static unsigned got_n;
static struct nexus_input_hello told;

static void on_event(struct nexus_client *c, const struct nx_slot *slot)
{
    assert_int_equal(slot->type, NEXUS_INPUT_EVENTS);
    assert_true(slot->buf_len % 8 == 0 && slot->buf_len > 0 && slot->buf_len <= 48);
    memcpy(got + got_n, slot->payload, slot->buf_len);
    got_n = (got_n + slot->buf_len / 8) % 65000;
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
    model_setup(1, INPUT_STATUSES, 16);
    got_n = lamp_n = 0;
    assert_int_equal(start(), 0);
    return 0;
}

static void settle(void)
{
    assert_int_equal(model_settle(input_service, &input), 0);
}

/* ---- tests ---- */

static void the_device_is_described(void **state)
{
    struct job j = {0};
    settle();
    assert_int_equal(told.bus, 6);
    assert_int_equal(told.vendor, 0x627);
    assert_int_equal(told.version, 2);
    assert_string_equal(told.name, "A keyboard");
    j.r.slot.word32[0] = 0x11;
    j.r.slot.word32[1] = 1;
    job_submit(&j, 0, NEXUS_INPUT_CONFIG, 64, 200);
    settle();
    assert_int_equal(j.result, 0);
    assert_int_equal(j.word1, 128);
    assert_int_equal(model_pool[0][64 + 127], 0xff);
    assert_int_equal(model_pool[0][64 + 128], 0);
    job_submit(&j, 0, NEXUS_INPUT_CONFIG, 1000, 10); /* less room than there is to say */
    settle();
    assert_int_equal(j.word1, 10);
    assert_int_equal(model_pool[0][1010], 0);
    j.r.slot.word32[1] = 2;
    job_submit(&j, 0, NEXUS_INPUT_CONFIG, 0, 10);
    settle();
    assert_int_equal(j.word1, 0);
}

static void bad_requests_are_refused(void **state)
{
    struct job j = {0};
    job_submit(&j, 0, NEXUS_INPUT_CONFIG, MODEL_POOL - 1, 2);
    settle();
    assert_int_equal(j.result, -NX_EINVAL);
    j.r.slot.word32[0] = 256;
    job_submit(&j, 0, NEXUS_INPUT_CONFIG, 0, 2);
    settle();
    assert_int_equal(j.result, -NX_EINVAL);
    job_submit(&j, 0, 42, 0, 2);
    settle();
    assert_int_equal(j.result, -NX_ENOSYS);
}

static void events_come_in_order(void **state)
{
    settle();
    for (unsigned i = 0; i < 1000; i++) {
        assert_true(happen(1, 30, i));
        assert_true(happen(0, 0, 0));
        settle();
    }
    assert_int_equal(got_n, 2000);
    for (unsigned i = 0; i < 1000; i++) {
        assert_int_equal(got[2 * i].value, i);
        assert_int_equal(got[2 * i + 1].type, 0);
    }
}

static void lamps_are_lit(void **state)
{
    struct job j = {0};
    j.r.slot.word32[0] = 17;
    j.r.slot.word32[1] = 1;
    j.r.slot.word32[2] = 1;
    job_submit(&j, 0, NEXUS_INPUT_STATUS, 0, 0);
    settle();
    assert_int_equal(j.done, 1);
    assert_int_equal(lamps[0].type, 17);
    assert_int_equal(lamps[0].code, 1);
    assert_int_equal(lamps[0].value, 1);
}

/* Nobody reads: whole reports are lost, that is told, and those that come are whole and in order. */
static void a_slow_client_loses_whole_reports(void **state)
{
    settle();
    for (unsigned i = 0; i < 2000; i++) {
        const unsigned n = 1 + i % 9;
        for (unsigned k = 0; k < n; k++) {
            assert_true(happen(3, (uint16_t)k, i));
        }
        assert_true(happen(0, 0, 0));
        assert_true(input_service(&input, false) >= 0);
        model_work(1000);
        if (i % 100 == 99) {
            assert_int_equal(client_poll(&clients[0]), 0);
        }
    }
    for (unsigned i = 0; i < 100; i++) {
        settle();
    }
    assert_true(happen(3, 0, 0)); /* what was dropped last is told with the next */
    assert_true(happen(0, 0, 0));
    settle();
    unsigned dropped = 0, in_report = 0;
    uint32_t last = 0, value = 0;
    for (unsigned i = 0; i < got_n; i++) {
        if (got[i].type == 0 && got[i].code == 3) {
            assert_int_equal(in_report, 0);
            dropped++;
        } else if (got[i].type == 0) {
            assert_true(value == 0 || in_report == 1 + value % 9);
            assert_true(i + 1 == got_n || value >= last);
            last = value;
            in_report = 0;
        } else {
            assert_int_equal(got[i].code, in_report);
            assert_true(in_report == 0 || got[i].value == value);
            value = got[i].value;
            in_report++;
        }
    }
    assert_true(dropped > 0);
    assert_true(got_n > 500);
}

static void an_endless_report_is_dropped(void **state)
{
    settle();
    for (unsigned i = 0; i < 1000; i++) {
        assert_true(happen(3, 0, i));
        settle();
    }
    assert_true(happen(0, 0, 0));
    settle();
    assert_int_equal(got_n, 0);
    assert_true(happen(1, 30, 1));
    assert_true(happen(0, 0, 0));
    settle();
    assert_int_equal(got_n, 3);
    assert_int_equal(got[0].code, 3);
}

#define JOBS 6u
static struct job jobs[JOBS];

static void play(void)
{
    if (clients[0].outstanding == 0) {
        memset(jobs, 0, sizeof(jobs));
    }
    struct job *j = &jobs[chance(JOBS)];
    if (j->r.done == NULL || j->done != 0) {
        j->r.slot.word32[0] = 0x11;
        j->r.slot.word32[1] = 1;
        job_submit(j, 0, chance(2) != 0 ? NEXUS_INPUT_CONFIG : NEXUS_INPUT_STATUS, chance(1000),
                   chance(200));
    }
    happen((uint16_t)chance(3), 0, chance(100));
    happen(0, 0, 0);
}

static void restarts_lose_nothing(void **state)
{
    for (unsigned i = 0; i < 5000; i++) {
        play();
        model_work(chance(6));
        assert_true(input_service(&input, false) >= 0);
        model_exchange();
        if (chance(20) == 0) {
            model_new_life();
            assert_int_equal(start(), 0);
        }
    }
    settle();
    assert_int_equal(clients[0].outstanding + clients[0].strays, 0);
    assert_int_equal(dev.wild, 0);
}

static void a_lying_device_is_a_fault(void **state)
{
    const struct model_driver d = {device, start, input_service, &input, play};
    model_lies(&d, 60, 0, 3000);
    model_lies(&d, 200, 3, 3000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(the_device_is_described),
        EACH(bad_requests_are_refused),
        EACH(events_come_in_order),
        EACH(lamps_are_lit),
        EACH(a_slow_client_loses_whole_reports),
        EACH(an_endless_report_is_dropped),
        EACH(restarts_lose_nothing),
        EACH(a_lying_device_is_a_fault),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
