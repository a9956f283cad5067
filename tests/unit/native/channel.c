/*
 * channel.c - mapping and channels of native cells, over calls this file answers.
 *
 * test-sources: native/lib/map.c native/lib/wait.c native/lib/channel.c native/lib/log.c
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
#include <nexus/channel.h>
#include <sys/mman.h>
#include <unistd.h>

/* ---- the nucleus: slots 1 and 2 are rings, calls of log and send are noted ---- */

uintptr_t cell_host_window;

static int ring_file[3];
static char logged[4096];
static unsigned bells[3], sleeps;
static void (*peer)(void); /* what happens while the cell sleeps */

static long call_map(uint64_t op, uint64_t space, uint64_t va, uint64_t len, uint64_t slot_prot,
                     uint64_t off)
{
    unsigned slot = slot_prot & 0xff;
    assert_int_equal(op, NX_MAP_MEM);
    void *at =
        mmap((void *)va, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, ring_file[slot], 0);
    return at == (void *)va ? 0 : -NX_ENOMEM;
}

static long call_meta(uint64_t op, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5)
{
    if (op == NX_META_SIZE) {
        return a1 == 1 || a1 == 2 ? 4096 : -NX_EBADF;
    }
    assert_int_equal(op, NX_META_LOG);
    assert_true(a2 <= 256);
    size_t n = strlen(logged);
    snprintf(logged + n, sizeof(logged) - n, "%.*s|", (int)a2, (const char *)a1);
    return 0;
}

static long call_send(uint64_t op, uint64_t slot, uint64_t a2, uint64_t a3, uint64_t a4,
                      uint64_t a5)
{
    assert_int_equal(op, NX_SEND_BELL);
    bells[slot]++;
    return 0;
}

static long call_recv(uint64_t op, uint64_t mask, uint64_t deadline, uint64_t a3, uint64_t a4,
                      uint64_t a5)
{
    sleeps++;
    if (peer == NULL) {
        return -NX_ETIME;
    }
    peer();
    return mask == 2 ? 1 : 2;
}

static const struct nx_systable table = {
    .call = {[NX_CALL_MAP] = call_map,
             [NX_CALL_META] = call_meta,
             [NX_CALL_SEND] = call_send,
             [NX_CALL_RECV] = call_recv},
};
const struct nx_systable *nx_host_table = &table;

static struct channel client, server;

static int setup(void **state)
{
    if (cell_host_window == 0) {
        cell_host_window = (uintptr_t)mmap(NULL, 1ul << 24, PROT_NONE,
                                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    }
    for (unsigned i = 1; i < 3; i++) {
        ring_file[i] = memfd_create("ring", 0);
        assert_int_equal(ftruncate(ring_file[i], 4096), 0);
        void *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, ring_file[i], 0);
        nx_ring_format(at, 4, 0);
        munmap(at, 4096);
    }
    assert_int_equal(channel_open(&client, 2, 1), 0);
    assert_int_equal(channel_open(&server, 1, 2), 0);
    memset(bells, 0, sizeof(bells));
    sleeps = 0;
    peer = NULL;
    logged[0] = 0;
    return 0;
}

static int teardown(void **state)
{
    close(ring_file[1]);
    close(ring_file[2]);
    return 0;
}

static void peer_sends(void)
{
    struct nx_slot slot = {.type = 5};
    assert_int_equal(channel_send(&client, &slot, 0), 0);
}

static void peer_takes(void)
{
    struct nx_slot slot;
    assert_int_equal(channel_receive(&server, &slot, 0), 0);
}

static void messages_pass_without_calls(void **state)
{
    struct nx_slot slot = {.type = 3, .cookie = 9}, got;
    assert_int_equal(channel_send(&client, &slot, 0), 0);
    assert_int_equal(channel_receive(&server, &got, 0), 0);
    assert_int_equal(got.cookie, 9);
    assert_int_equal(channel_send(&server, &slot, 0), 0);
    assert_int_equal(channel_receive(&client, &got, 0), 0);
    assert_int_equal(sleeps + bells[1] + bells[2], 0);
}

static void an_empty_ring_sleeps_until_the_bell(void **state)
{
    struct nx_slot got;
    peer = peer_sends;
    assert_int_equal(channel_receive(&server, &got, NX_NEVER), 0);
    assert_int_equal(got.type, 5);
    assert_int_equal(sleeps, 1);
    assert_int_equal(bells[1], 1);
    peer = NULL;
    assert_int_equal(channel_receive(&server, &got, 1), -NX_ETIME);
}

static void a_full_ring_sleeps_until_there_is_room(void **state)
{
    struct nx_slot slot = {.type = 1};
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(channel_send(&client, &slot, 0), 0);
    }
    assert_int_equal(channel_send(&client, &slot, 1), -NX_ETIME);
    peer = peer_takes;
    assert_int_equal(channel_send(&client, &slot, NX_NEVER), 0);
    assert_int_equal(bells[1], 1);
}

static void a_broken_peer_is_an_error(void **state)
{
    struct nx_slot slot;
    client.out.own_end->index = 99;
    assert_int_equal(channel_receive(&server, &slot, NX_NEVER), -NX_EPEER);
    assert_int_equal(sleeps, 0);
}

/* The predecessor published and died before it rang: the successor does it. */
static void a_successor_rings_for_its_predecessor(void **state)
{
    struct nx_slot slot = {.type = 1};
    assert_int_equal(nx_ring_sleep_prepare(&server.in), 0);
    assert_int_equal(nx_ring_push(&client.out, &slot), 0);
    assert_int_equal(channel_open(&client, 2, 1), 0);
    assert_int_equal(bells[1], 1);
}

static void a_slot_without_a_ring_cannot_be_opened(void **state)
{
    struct channel ch;
    assert_int_equal(channel_open(&ch, 7, 1), -NX_EBADF);
}

static void log_lines_are_split(void **state)
{
    cell_log("one\ntwo %d", 2);
    assert_string_equal(logged, "one|two 2|");
    logged[0] = 0;
    cell_log("%s", "");
    assert_string_equal(logged, "|");
    logged[0] = 0;
    char text[301];
    memset(text, 'x', 300);
    text[300] = 0;
    cell_log("%s\n", text);
    assert_int_equal(strlen(logged), 302);
    assert_int_equal(logged[256], '|');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(messages_pass_without_calls, setup, teardown),
        cmocka_unit_test_setup_teardown(an_empty_ring_sleeps_until_the_bell, setup, teardown),
        cmocka_unit_test_setup_teardown(a_full_ring_sleeps_until_there_is_room, setup, teardown),
        cmocka_unit_test_setup_teardown(a_broken_peer_is_an_error, setup, teardown),
        cmocka_unit_test_setup_teardown(a_successor_rings_for_its_predecessor, setup, teardown),
        cmocka_unit_test_setup_teardown(a_slot_without_a_ring_cannot_be_opened, setup, teardown),
        cmocka_unit_test_setup_teardown(log_lines_are_split, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
