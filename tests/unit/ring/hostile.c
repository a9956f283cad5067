/*
 * hostile.c - rings whose other side writes whatever it likes wherever it can: impossible indices,
 * false constants, random bytes at random times. Nothing but an error may come of it.
 *
 * test-sources: lib/mem.c
 */
#include "ring_test.h"

enum { SLOTS = 8 };

static void impossible_head_is_the_peers_fault(void **state)
{
    static const uint32_t heads[] = {SLOTS + 1, SLOTS + 100, 0x80000000, UINT32_MAX};
    for (size_t i = 0; i < 4; i++) {
        struct ring_pair p;
        struct nx_slot s;
        ring_open(&p, SLOTS, 0);
        p.region->end[NX_RING_PRODUCER].index = heads[i];
        assert_int_equal(nx_ring_pop(&p.consumer, &s), -NX_EPEER);
        p.region->end[NX_RING_PRODUCER].index = 1; /* sticky: no way back */
        assert_int_equal(nx_ring_pop(&p.consumer, &s), -NX_EPEER);
        p.region->end[NX_RING_PRODUCER].index = 0;
        assert_int_equal(nx_ring_pop(&p.consumer, &s), -NX_EPEER);
        assert_int_equal(nx_ring_pending(&p.consumer, 1), -NX_EPEER);
        assert_int_equal(nx_ring_sleep_prepare(&p.consumer), -NX_EPEER);
        ring_close(&p);
    }
}

static void impossible_tail_is_the_peers_fault(void **state)
{
    static const uint32_t tails[] = {1, SLOTS, 0x80000000, UINT32_MAX - SLOTS};
    for (size_t i = 0; i < 4; i++) {
        struct ring_pair p;
        struct nx_slot s = slot_make(0);
        ring_open(&p, SLOTS, 0);
        p.region->end[NX_RING_CONSUMER].index = tails[i];
        for (int k = 0; k < SLOTS; k++) {
            assert_int_equal(nx_ring_push(&p.producer, &s), 0); /* space known before */
        }
        p.region->end[NX_RING_CONSUMER].index = tails[i] + SLOTS;
        assert_int_equal(nx_ring_push(&p.producer, &s), -NX_EPEER);
        p.region->end[NX_RING_CONSUMER].index = SLOTS;
        assert_int_equal(nx_ring_push(&p.producer, &s), -NX_EPEER);
        assert_int_equal(nx_ring_space(&p.producer, 1), -NX_EPEER);
        assert_int_equal(nx_ring_sleep_prepare(&p.producer), -NX_EPEER);
        ring_close(&p);
    }
}

static void sleep_prepare_finds_the_fault(void **state)
{
    struct ring_pair p;
    ring_open(&p, SLOTS, 0);
    p.region->end[NX_RING_PRODUCER].index = SLOTS + 1;
    assert_int_equal(nx_ring_sleep_prepare(&p.consumer), -NX_EPEER);
    assert_int_equal(p.region->end[NX_RING_CONSUMER].sleep & 1, 0);
    ring_close(&p);
}

/* Our own index and the constants in shared memory are the peer's to spoil after attach, in vain. */
static void own_side_is_not_read_back(void **state)
{
    struct ring_pair p;
    struct nx_slot s = slot_make(5);
    ring_open(&p, SLOTS, 64);
    memset(&p.region->constant, 0xff, sizeof(p.region->constant));
    p.region->end[NX_RING_PRODUCER].index = 77;
    p.region->end[NX_RING_PRODUCER].sleep = 77;
    assert_int_equal(nx_ring_push(&p.producer, &s), 0);
    assert_int_equal(p.region->end[NX_RING_PRODUCER].index, 1);
    assert_null(nx_ring_buf(&p.producer, 0, 65));
    assert_int_equal(nx_ring_pop(&p.consumer, &s), 0);
    assert_true(slot_is(&s, 5));
    ring_close(&p);
}

static void attach_refuses(struct ring_pair *p)
{
    struct nx_ring r;
    struct nx_slot s = {0};
    for (int side = 0; side < 2; side++) {
        assert_int_equal(nx_ring_attach(&r, side, p->base, p->size), -NX_EINVAL);
        /* A handle that is attached to nothing answers, and touches nothing. */
        assert_int_equal(nx_ring_push(&r, &s), -NX_EINVAL);
        assert_int_equal(nx_ring_pop(&r, &s), -NX_EINVAL);
        assert_int_equal(nx_ring_pending(&r, 1), -NX_EINVAL);
        assert_int_equal(nx_ring_sleep_prepare(&r), -NX_EINVAL);
        assert_false(nx_ring_needs_bell(&r));
        assert_false(nx_ring_peer_changed(&r));
        assert_null(nx_ring_buf(&r, 0, 1));
        nx_ring_sleep_cancel(&r);
    }
}

static void attach_checks_the_constants(void **state)
{
    static const struct {
        size_t field;
        uint32_t value;
    } bad[] = {
        {offsetof(struct nx_ring_const, magic), 0},
        {offsetof(struct nx_ring_const, version), NX_RING_VERSION + 1},
        {offsetof(struct nx_ring_const, slots), 0},
        {offsetof(struct nx_ring_const, slots), 1},
        {offsetof(struct nx_ring_const, slots), 3},
        {offsetof(struct nx_ring_const, slots), 64}, /* more than fit the page */
        {offsetof(struct nx_ring_const, slots), 512},
        {offsetof(struct nx_ring_const, slots), 0x80000000},
        {offsetof(struct nx_ring_const, slots), UINT32_MAX},
        {offsetof(struct nx_ring_const, buf_off), 0},
        {offsetof(struct nx_ring_const, buf_off), 256 + SLOTS * 64 - 64}, /* over the last slot */
        {offsetof(struct nx_ring_const, buf_off), 256 + SLOTS * 64 + 1},
        {offsetof(struct nx_ring_const, buf_off), 8192},
        {offsetof(struct nx_ring_const, buf_off), UINT32_MAX & ~63u},
        {offsetof(struct nx_ring_const, buf_size), 4096},
        {offsetof(struct nx_ring_const, buf_size), UINT32_MAX},
        {offsetof(struct nx_ring_const, buf_size), UINT32_MAX - 256 - SLOTS * 64 + 1},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct ring_pair p;
        ring_make(&p, SLOTS, 512);
        memcpy((char *)&p.region->constant + bad[i].field, &bad[i].value, 4);
        attach_refuses(&p);
        ring_close(&p);
    }
}

static void attach_checks_what_the_caller_says(void **state)
{
    struct ring_pair p;
    struct nx_ring r;
    ring_make(&p, SLOTS, 512);
    assert_int_equal(nx_ring_attach(&r, NX_RING_CONSUMER, NULL, p.size), -NX_EINVAL);
    assert_int_equal(nx_ring_attach(&r, NX_RING_CONSUMER, (char *)p.base + 64, p.size), -NX_EINVAL);
    assert_int_equal(nx_ring_attach(&r, NX_RING_CONSUMER, p.base, 0), -NX_EINVAL);
    assert_int_equal(nx_ring_attach(&r, NX_RING_CONSUMER, p.base, 4095), -NX_EINVAL);
    assert_int_equal(nx_ring_attach(&r, NX_RING_CONSUMER, p.base, 1ul << 32), -NX_EINVAL);
    ring_close(&p);
}

static void attach_finds_impossible_indices(void **state)
{
    for (int side = 0; side < 2; side++) {
        struct ring_pair p;
        struct nx_ring r;
        ring_make(&p, SLOTS, 0);
        p.region->end[NX_RING_PRODUCER].index = 5;
        p.region->end[NX_RING_CONSUMER].index = 6;
        assert_int_equal(nx_ring_attach(&r, side, p.base, p.size), -NX_EPEER);
        p.region->end[NX_RING_CONSUMER].index = 5u - SLOTS - 1;
        assert_int_equal(nx_ring_attach(&r, side, p.base, p.size), -NX_EPEER);
        p.region->end[NX_RING_CONSUMER].index = 5u - SLOTS;
        assert_int_equal(nx_ring_attach(&r, side, p.base, p.size), 0);
        ring_close(&p);
    }
}

/* ---------------------------------------------------------------------------------------- fuzzing */

static uint64_t seed = 88172645463325252u;

static uint32_t random32(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)(seed >> 16);
}

/* Mostly values near the interesting ones, or nothing but the first check would be tested. */
static uint32_t random_word(void)
{
    static const uint32_t near[] = {
        0, 1, 2, 8, 64, 256, 4096, 0x7fffffff, 0x80000000, UINT32_MAX, NX_RING_MAGIC, 768};
    uint32_t pick = random32() % 16;
    return pick < 12 ? near[pick] + random32() % 3 - 1 : random32();
}

/* Any sequence of calls; every answer has to be one of those allowed. */
static void use(struct nx_ring *r)
{
    struct nx_slot s = {0};
    int n;
    switch (random32() % 8) {
    case 0:
        n = nx_ring_push(r, &s);
        break;
    case 1:
        n = nx_ring_pop(r, &s);
        break;
    case 2:
        n = nx_ring_sleep_prepare(r);
        break;
    case 3:
        nx_ring_sleep_cancel(r);
        return;
    case 4:
        n = nx_ring_needs_bell(r);
        break;
    case 5:
        n = nx_ring_peer_changed(r);
        break;
    case 6:
        n = nx_ring_pending(r, 1 + random32() % 4);
        for (int i = 0; i < n; i++) {
            nx_ring_read(r, (uint32_t)i, &s);
            uint8_t *bytes = nx_ring_buf(r, s.buf_off, s.buf_len);
            if (bytes != NULL && s.buf_len != 0) {
                bytes[0] ^= bytes[s.buf_len - 1];
            }
        }
        if (n > 0) {
            nx_ring_release(r, random32() % (uint32_t)n + 1);
        }
        break;
    default:
        n = nx_ring_space(r, 1 + random32() % 4);
        for (int i = 0; i < n; i++) {
            nx_ring_write(r, (uint32_t)i, &s);
        }
        if (n > 0) {
            nx_ring_commit(r, random32() % (uint32_t)n + 1);
        }
    }
    assert_true((n >= 0 && n <= (int)NX_RING_SLOTS_MAX) || n == -NX_EINVAL || n == -NX_EPEER ||
                n == -NX_EFULL || n == -NX_EEMPTY);
}

static void fuzz_constants_at_attach(void **state)
{
    struct ring_pair p;
    ring_make(&p, SLOTS, 512);
    const struct nx_ring_const good = p.region->constant;
    unsigned attached = 0;
    for (int i = 0; i < 100000; i++) {
        struct nx_ring r;
        p.region->constant = good;
        uint32_t *words = (uint32_t *)p.base;
        for (uint32_t k = random32() % 4; k > 0; k--) {
            words[random32() % 40] = random_word(); /* ends and constants */
        }
        words[0] = random32() % 2 ? words[0] : words[16]; /* or indices would hardly ever agree */
        if (nx_ring_attach(&r, random32() % 2, p.base, p.size) == 0) {
            attached++;
        }
        for (int k = 0; k < 20; k++) {
            use(&r);
        }
    }
    assert_in_range(attached, 1000, 99000); /* the fuzzing reaches both ways */
    ring_close(&p);
}

static void fuzz_everything_while_in_use(void **state)
{
    unsigned faults = 0;
    for (int i = 0; i < 3000; i++) {
        struct ring_pair p;
        ring_open(&p, SLOTS, 512);
        struct nx_ring *r = random32() % 2 ? &p.producer : &p.consumer;
        for (int k = 0; k < 200 && r->error == 0; k++) {
            uint32_t *words = p.base;
            size_t word = random32() % 3 ? random32() % 48 : random32() % (uint32_t)(p.size / 4);
            if (word == 0 || word == 16) { /* an index: near enough to be believed, often */
                words[word] = r->own + random32() % 12 - 1;
            } else {
                words[word] = random_word();
            }
            use(r);
        }
        faults += r->error == -NX_EPEER;
        ring_close(&p);
    }
    assert_in_range(faults, 100, 2999);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(impossible_head_is_the_peers_fault),
        cmocka_unit_test(impossible_tail_is_the_peers_fault),
        cmocka_unit_test(sleep_prepare_finds_the_fault),
        cmocka_unit_test(own_side_is_not_read_back),
        cmocka_unit_test(attach_checks_the_constants),
        cmocka_unit_test(attach_checks_what_the_caller_says),
        cmocka_unit_test(attach_finds_impossible_indices),
        cmocka_unit_test(fuzz_constants_at_attach),
        cmocka_unit_test(fuzz_everything_while_in_use),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
