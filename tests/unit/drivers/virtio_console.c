/*
 * virtio_console.c - the console driver against a model of the device.
 *
 * test-sources: drivers/virtio_console/hvc.c drivers/lib/virtio.c drivers/lib/virtq.c drivers/lib/reach.c
 * test-sources: native/lib/map.c native/lib/wait.c native/lib/channel.c native/lib/client.c native/lib/server.c
 */
#include "drivers/virtio_model.h"

#include "../../../drivers/virtio_console/hvc.h"

#include <nexus/console.h>

/* ---- the device ---- */

static uint8_t out[1u << 20];
static unsigned out_n, held_n, resets_seen;
static struct chain held[64];

static int64_t console_request(unsigned queue, struct chain *c)
{
    if (resets_seen != dev.resets) {
        resets_seen = dev.resets;
        held_n = 0;
    }
    if (queue == 0) {
        held[held_n++ % 64] = *c;
        return -1;
    }
    for (unsigned i = 0; i < c->n; i++) {
        if (dev.lies == 0) {
            memcpy(out + out_n, c->seg[i].at, c->seg[i].len);
            out_n += c->seg[i].len;
        }
    }
    return 0;
}

/* Somebody types: how many bytes there was room for. */
static unsigned type(const char *text, unsigned len)
{
    unsigned n = 0;
    while (n < len && held_n > 0 && resets_seen == dev.resets) {
        const struct chain c = held[0];
        memmove(held, held + 1, --held_n * sizeof(held[0]));
        const unsigned part = NX_MIN(len - n, c.seg[0].len);
        memcpy(c.seg[0].at, text + n, part);
        model_complete(0, &c, part);
        n += part;
    }
    return n;
}

/* ---- the client ---- */

#define SLOTS 32u

static _Alignas(4096) uint8_t from_mem[8192], to_mem[8192];
static struct nx_ring from, to, client_out, client_in;
static struct hvc hvc;
static uint64_t kind;

static void device(void)
{
    dev = (struct model){.id = 3, .num_max = 64, .features = kind, .request = console_request};
    held_n = resets_seen = 0;
}

static int start(void)
{
    assert_int_equal(nx_ring_attach(&from, NX_RING_CONSUMER, from_mem, sizeof(from_mem)), 0);
    assert_int_equal(nx_ring_attach(&to, NX_RING_PRODUCER, to_mem, sizeof(to_mem)), 0);
    return hvc_start(&hvc, &driver, &from, &to);
}

static int setup(void **state)
{
    kind = *(const uint64_t *)*state;
    device();
    model_setup(0, 0, 0);
    memset(from_mem, 0, sizeof(from_mem));
    memset(to_mem, 0, sizeof(to_mem));
    nx_ring_format(from_mem, SLOTS, 0);
    nx_ring_format(to_mem, SLOTS, 0);
    assert_int_equal(nx_ring_attach(&client_out, NX_RING_PRODUCER, from_mem, sizeof(from_mem)), 0);
    assert_int_equal(nx_ring_attach(&client_in, NX_RING_CONSUMER, to_mem, sizeof(to_mem)), 0);
    out_n = 0;
    assert_int_equal(start(), 0);
    return 0;
}

static bool client_write(const void *bytes, unsigned n)
{
    struct nx_slot slot = {.type = NEXUS_CONSOLE_OUTPUT, .flags = NX_SLOT_INLINE, .buf_len = n};
    memcpy(slot.payload, bytes, n);
    return nx_ring_push(&client_out, &slot) == 0;
}

static unsigned client_read(uint8_t *to_here)
{
    struct nx_slot slot;
    unsigned n = 0;
    while (nx_ring_pop(&client_in, &slot) == 0) {
        assert_int_equal(slot.type, NEXUS_CONSOLE_INPUT);
        assert_in_range(slot.buf_len, 1, NX_RING_PAYLOAD);
        memcpy(to_here + n, slot.payload, slot.buf_len);
        n += slot.buf_len;
    }
    return n;
}

static void settle(void)
{
    assert_int_equal(model_settle(hvc_service, &hvc), 0);
}

/* ---- tests ---- */

static void output_is_released_when_out(void **state)
{
    char text[49] = "0123456789abcdefghijklmnopqrstuvwxyz0123456789ab";
    for (unsigned i = 0; i < SLOTS; i++) {
        assert_true(client_write(text, 48));
    }
    assert_false(client_write(text, 48));
    assert_true(hvc_service(&hvc, false) >= 0);
    assert_false(client_write(text, 48)); /* at the device, and not out */
    settle();
    assert_int_equal(out_n, SLOTS * 48);
    assert_int_equal(nx_ring_pending(&from, 1), 0);
    for (unsigned i = 0; i < SLOTS; i++) {
        assert_memory_equal(out + i * 48, text, 48);
    }
    assert_int_equal(dev.wild, 0);
}

static void malformed_messages_are_skipped(void **state)
{
    struct nx_slot bad = {.type = 77, .buf_len = 3};
    nx_ring_push(&client_out, &bad);
    bad = (struct nx_slot){.type = NEXUS_CONSOLE_OUTPUT, .buf_len = 49};
    nx_ring_push(&client_out, &bad);
    bad.buf_len = 0;
    nx_ring_push(&client_out, &bad);
    client_write("ok", 2);
    settle();
    assert_int_equal(hvc.skipped, 3);
    assert_int_equal(out_n, 2);
    assert_int_equal(nx_ring_pending(&from, 1), 0);
}

static void input_is_passed_on_and_held_back(void **state)
{
    static char text[20000];
    static uint8_t got[20000];
    unsigned typed = 0, n = 0;
    for (unsigned i = 0; i < sizeof(text); i++) {
        text[i] = (char)(i % 251);
    }
    settle();
    for (unsigned i = 0; i < 20; i++) { /* nobody reads: the host is held back */
        typed += type(text + typed, 500);
        settle();
    }
    assert_true(typed < 8000);
    assert_int_equal(type("x", 1), 0);
    assert_true(hvc_input_waits(&hvc));
    while (n < sizeof(got)) {
        n += client_read(got + n);
        settle();
        typed += type(text + typed, (unsigned)NX_MIN(sizeof(text) - typed, 700ul));
        settle();
    }
    assert_memory_equal(got, text, sizeof(text));
    assert_false(hvc_input_waits(&hvc));
}

static void an_impossible_index_is_the_clients_fault(void **state)
{
    client_out.own_end->index += 1000;
    assert_int_equal(hvc_service(&hvc, false), -NX_EPEER);
}

/* Every message once, in order, whatever dies when; `at_once`: the device has it out before anything can
 * die, as an emulated one does, and then nothing at all is lost. */
static void crashes(bool at_once)
{
    uint32_t next = 0, written = 0;
    out_n = 0;
    for (unsigned round = 0; round < 8000; round++) {
        if (chance(2) == 0 && client_write(&next, sizeof(next))) {
            next++;
        }
        assert_true(hvc_service(&hvc, false) >= 0);
        if (at_once || chance(2) == 0) {
            model_work(at_once ? 1000 : chance(5));
        }
        if (chance(9) == 0) {
            model_new_life();
            assert_int_equal(start(), 0);
            model_work(hvc.rx.depth); /* the buffers for input */
        }
    }
    settle();
    uint32_t last = 0;
    for (unsigned i = 0; i < out_n; i += 4) {
        memcpy(&written, out + i, 4);
        assert_true(i == 0 || written > last);
        last = written;
    }
    if (at_once) {
        assert_int_equal(out_n, next * 4);
    }
    assert_true(out_n / 4 > next / 2);
}

static void crashes_double_nothing(void **state)
{
    crashes(true);
    crashes(false);
}

static void a_forged_note_does_no_harm(void **state)
{
    for (unsigned i = 0; i < 2000; i++) {
        client_write("0123456789", 10);
        from.own_end->reserved[0] = (i & 1) != 0 ? chance(1u << 24) * 255 : from.own + chance(4);
        model_new_life();
        assert_int_equal(start(), 0);
        settle();
        assert_int_equal(nx_ring_pending(&from, 1), 0);
        out_n = 0;
    }
}

static void play(void)
{
    uint8_t got[SLOTS * 48];
    client_write("0123456789", 10);
    type("abcdefghijk", 1 + chance(11));
    if (chance(3) == 0) {
        client_read(got);
    }
}

static void a_lying_device_is_a_fault(void **state)
{
    const struct model_driver d = {device, start, hvc_service, &hvc, play};
    model_lies(&d, 30, 0, 2000);
    model_lies(&d, 100, 3, 2000);
    assert_int_equal(nx_ring_pending(&from, 1), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(output_is_released_when_out),      EACH(malformed_messages_are_skipped),
        EACH(input_is_passed_on_and_held_back), EACH(an_impossible_index_is_the_clients_fault),
        EACH(crashes_double_nothing),           EACH(a_forged_note_does_no_harm),
        EACH(a_lying_device_is_a_fault),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
