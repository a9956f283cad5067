/*
 * basic.c - rings between two sides that behave: order, full and empty, batches, wrap of the
 * indices, sleep words, restart of either side.
 *
 * test-sources: lib/mem.c
 */
#include "ring_test.h"

static void empty_then_full_then_empty(void **state)
{
    for (uint32_t slots = NX_RING_SLOTS_MIN; slots <= NX_RING_SLOTS_MAX; slots *= 2) {
        struct ring_pair p;
        struct nx_slot s;
        ring_open(&p, slots, 0);
        assert_int_equal(nx_ring_pop(&p.consumer, &s), -NX_EEMPTY);
        for (uint32_t round = 0; round < 3; round++) {
            for (uint32_t i = 0; i < slots; i++) {
                s = slot_make(i + round);
                assert_int_equal(nx_ring_push(&p.producer, &s), 0);
            }
            assert_int_equal(nx_ring_push(&p.producer, &s), -NX_EFULL);
            for (uint32_t i = 0; i < slots; i++) {
                assert_int_equal(nx_ring_pop(&p.consumer, &s), 0);
                assert_true(slot_is(&s, i + round));
            }
            assert_int_equal(nx_ring_pop(&p.consumer, &s), -NX_EEMPTY);
        }
        ring_close(&p);
    }
}

static void indices_wrap(void **state)
{
    struct ring_pair p;
    struct nx_slot s;
    ring_open_at(&p, 8, UINT32_MAX - 20);
    uint32_t in = 0, out = 0;
    for (int i = 0; i < 64; i++) {
        for (int k = 0; k < 1 + i % 8; k++) {
            s = slot_make(in);
            in += nx_ring_push(&p.producer, &s) == 0;
        }
        while (nx_ring_pop(&p.consumer, &s) == 0) {
            assert_true(slot_is(&s, out++));
        }
        assert_int_equal(in, out);
    }
    assert_in_range(p.region->end[0].index, 0, 1000);
    ring_close(&p);
}

static void batches(void **state)
{
    struct ring_pair p;
    struct nx_slot s;
    ring_open(&p, 16, 0);
    uint32_t in = 0, out = 0;
    for (uint32_t n = 1; n <= 16; n++) {
        assert_in_range(nx_ring_space(&p.producer, n), n, 16);
        for (uint32_t i = 0; i < n; i++) {
            s = slot_make(in + i);
            nx_ring_write(&p.producer, i, &s);
        }
        assert_int_equal(nx_ring_pending(&p.consumer, 1), 0); /* written is not published */
        nx_ring_commit(&p.producer, n);
        in += n;
        assert_int_equal(nx_ring_pending(&p.consumer, n), n);
        for (uint32_t i = 0; i < n; i++) {
            nx_ring_read(&p.consumer, i, &s);
            assert_true(slot_is(&s, out + i));
        }
        assert_int_equal(nx_ring_space(&p.producer, 16), 16 - n); /* read is not released */
        nx_ring_release(&p.consumer, n);
        out += n;
    }
    ring_close(&p);
}

static void slots_in_place(void **state)
{
    struct ring_pair p;
    ring_open(&p, 4, 0);
    assert_true(nx_ring_space(&p.producer, 2) >= 2);
    nx_ring_slot(&p.producer, 0)->type = 11;
    nx_ring_slot(&p.producer, 1)->type = 12;
    nx_ring_slot(&p.producer, 1)->word[5] = 99;
    nx_ring_commit(&p.producer, 2);
    assert_int_equal(nx_ring_pending(&p.consumer, 2), 2);
    assert_int_equal(nx_ring_slot(&p.consumer, 0)->type, 11);
    assert_int_equal(nx_ring_slot(&p.consumer, 1)->type, 12);
    assert_int_equal(nx_ring_slot(&p.consumer, 1)->word[5], 99);
    ring_close(&p);
}

static void no_bell_for_the_awake(void **state)
{
    struct ring_pair p;
    struct nx_slot s = slot_make(0);
    ring_open(&p, 4, 0);
    nx_ring_push(&p.producer, &s);
    assert_false(nx_ring_needs_bell(&p.producer));
    nx_ring_pop(&p.consumer, &s);
    assert_false(nx_ring_needs_bell(&p.consumer));
    ring_close(&p);
}

static void one_bell_per_announcement(void **state)
{
    struct ring_pair p;
    struct nx_slot s = slot_make(0);
    ring_open(&p, 4, 0);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(nx_ring_sleep_prepare(&p.consumer), 0);
        assert_int_equal(p.region->end[NX_RING_CONSUMER].sleep & 1, 1);
        nx_ring_push(&p.producer, &s);
        assert_true(nx_ring_needs_bell(&p.producer));
        nx_ring_push(&p.producer, &s);
        assert_false(nx_ring_needs_bell(&p.producer));
        nx_ring_sleep_cancel(&p.consumer);
        assert_int_equal(p.region->end[NX_RING_CONSUMER].sleep & 1, 0);
        assert_false(nx_ring_needs_bell(&p.producer));
        while (nx_ring_pop(&p.consumer, &s) == 0) {
        }
    }
    ring_close(&p);
}

static void prepare_sees_what_came_meanwhile(void **state)
{
    struct ring_pair p;
    struct nx_slot s = slot_make(0);
    ring_open(&p, 4, 0);
    assert_int_equal(nx_ring_pop(&p.consumer, &s), -NX_EEMPTY);
    nx_ring_push(&p.producer, &s);
    assert_int_equal(nx_ring_sleep_prepare(&p.consumer), 1);
    assert_false(nx_ring_needs_bell(&p.producer)); /* the announcement is taken back */
    ring_close(&p);
}

static void producer_waits_for_space(void **state)
{
    struct ring_pair p;
    struct nx_slot s = slot_make(0);
    ring_open(&p, 2, 0);
    nx_ring_push(&p.producer, &s);
    nx_ring_push(&p.producer, &s);
    assert_int_equal(nx_ring_sleep_prepare(&p.producer), 0);
    nx_ring_pop(&p.consumer, &s);
    assert_true(nx_ring_needs_bell(&p.consumer));
    nx_ring_sleep_cancel(&p.producer);
    assert_int_equal(nx_ring_push(&p.producer, &s), 0);
    assert_int_equal(nx_ring_push(&p.producer, &s), -NX_EFULL);
    ring_close(&p);
}

static void consumer_restarts_asleep(void **state)
{
    struct ring_pair p;
    struct nx_slot s = slot_make(7);
    ring_open(&p, 4, 0);
    assert_int_equal(nx_ring_sleep_prepare(&p.consumer), 0);
    nx_ring_push(&p.producer, &s);
    assert_true(nx_ring_needs_bell(&p.producer));

    struct nx_ring next;
    nx_ring_set_generation(p.base, NX_RING_CONSUMER, 2);
    assert_int_equal(nx_ring_attach(&next, NX_RING_CONSUMER, p.base, p.size), 0);
    assert_false(nx_ring_needs_bell(&p.producer));
    assert_int_equal(nx_ring_pop(&next, &s), 0);
    assert_true(slot_is(&s, 7));
    /* The successor's first announcement is not one the producer has rung for. */
    assert_int_equal(nx_ring_sleep_prepare(&next), 0);
    nx_ring_push(&p.producer, &s);
    assert_true(nx_ring_needs_bell(&p.producer));
    assert_true(nx_ring_peer_changed(&p.producer));
    assert_false(nx_ring_peer_changed(&p.producer));
    ring_close(&p);
}

static void producer_restarts(void **state)
{
    struct ring_pair p;
    struct nx_slot s;
    ring_open(&p, 8, 0);
    for (uint32_t i = 0; i < 5; i++) {
        s = slot_make(i);
        nx_ring_push(&p.producer, &s);
    }
    s = slot_make(99);
    nx_ring_write(&p.producer, 0, &s); /* dies before it commits */
    nx_ring_pop(&p.consumer, &s);

    struct nx_ring next;
    nx_ring_set_generation(p.base, NX_RING_PRODUCER, 2);
    assert_int_equal(nx_ring_attach(&next, NX_RING_PRODUCER, p.base, p.size), 0);
    assert_int_equal(nx_ring_space(&next, 8), 4);
    for (uint32_t i = 5; i < 9; i++) {
        s = slot_make(i);
        assert_int_equal(nx_ring_push(&next, &s), 0);
    }
    assert_int_equal(nx_ring_push(&next, &s), -NX_EFULL);
    for (uint32_t i = 1; i < 9; i++) {
        assert_int_equal(nx_ring_pop(&p.consumer, &s), 0);
        assert_true(slot_is(&s, i));
    }
    assert_true(nx_ring_peer_changed(&p.consumer));
    assert_false(nx_ring_peer_changed(&next));
    ring_close(&p);
}

/* Died after publishing, before ringing: the successor owes the bell. */
static void successor_rings_for_the_dead(void **state)
{
    struct ring_pair p;
    struct nx_slot s = slot_make(3);
    ring_open(&p, 4, 0);
    assert_int_equal(nx_ring_sleep_prepare(&p.consumer), 0);
    nx_ring_push(&p.producer, &s);
    struct nx_ring next;
    assert_int_equal(nx_ring_attach(&next, NX_RING_PRODUCER, p.base, p.size), 0);
    assert_true(nx_ring_needs_bell(&next));
    assert_false(nx_ring_needs_bell(&next));
    ring_close(&p);
}

static void unreleased_is_seen_again(void **state)
{
    struct ring_pair p;
    struct nx_slot s = slot_make(1);
    ring_open(&p, 4, 0);
    nx_ring_push(&p.producer, &s);
    assert_int_equal(nx_ring_pending(&p.consumer, 1), 1);
    nx_ring_read(&p.consumer, 0, &s); /* dies before it releases */
    struct nx_ring next;
    nx_ring_attach(&next, NX_RING_CONSUMER, p.base, p.size);
    assert_int_equal(nx_ring_pop(&next, &s), 0);
    assert_true(slot_is(&s, 1));
    ring_close(&p);
}

static void buffer(void **state)
{
    struct ring_pair p;
    ring_open(&p, 2, 1000);
    struct nx_ring *r = &p.producer;
    char *start = nx_ring_buf(r, 0, 1000);
    assert_ptr_equal(start, (char *)p.base + NX_RING_SLOTS_OFF + 2 * 64);
    memset(start, 1, 1000);
    assert_ptr_equal(nx_ring_buf(r, 1000, 0), start + 1000);
    assert_ptr_equal(nx_ring_buf(r, 999, 1), start + 999);
    assert_null(nx_ring_buf(r, 1000, 1));
    assert_null(nx_ring_buf(r, 0, 1001));
    assert_null(nx_ring_buf(r, 1, UINT32_MAX));
    assert_null(nx_ring_buf(r, UINT32_MAX, 1));
    assert_null(nx_ring_buf(r, UINT32_MAX, UINT32_MAX));
    ring_close(&p);
}

static void geometry(void **state)
{
    assert_int_equal(nx_ring_region_size(2, 0), 256 + 128);
    assert_int_equal(nx_ring_region_size(256, 4096), 256 + 256 * 64 + 4096);
    assert_int_equal(nx_ring_region_size(0, 0), 0);
    assert_int_equal(nx_ring_region_size(1, 0), 0);
    assert_int_equal(nx_ring_region_size(3, 0), 0);
    assert_int_equal(nx_ring_region_size(512, 0), 0);
    assert_int_equal(nx_ring_region_size(2, UINT32_MAX), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(empty_then_full_then_empty),
        cmocka_unit_test(indices_wrap),
        cmocka_unit_test(batches),
        cmocka_unit_test(slots_in_place),
        cmocka_unit_test(no_bell_for_the_awake),
        cmocka_unit_test(one_bell_per_announcement),
        cmocka_unit_test(prepare_sees_what_came_meanwhile),
        cmocka_unit_test(producer_waits_for_space),
        cmocka_unit_test(consumer_restarts_asleep),
        cmocka_unit_test(producer_restarts),
        cmocka_unit_test(successor_rings_for_the_dead),
        cmocka_unit_test(unreleased_is_seen_again),
        cmocka_unit_test(buffer),
        cmocka_unit_test(geometry),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
