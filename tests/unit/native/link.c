/*
 * link.c - channels and the lives of who serves them: what is damaged in a channel that has no client to
 * mend it does not meet the server's next life; what a client has in its rings stays.
 *
 * test-sources: native/supervisor/link.c
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../../../native/supervisor/link.h"
#include "../../../native/supervisor/store.h"

#include <nexus/cell.h>
#include <nexus/complaint.h>
#include <nx/callnr.h>
#include <nx/layout.h>
#include <nx/ring.h>

#define SLOTS 16u
#define PLACES 16u
#define SIZE (2 * NX_RING_PAGE)

/* ---- the store: a place is a ring of two pages ---- */

static _Alignas(NX_RING_PAGE) uint8_t page[PLACES][SIZE];
static unsigned places, renewed;
static int given[NX_SLOTS]; /* by slot: the place, of whom was given something last */

static void format(int place)
{
    memset(page[place], 0, sizeof(page[place]));
    nx_ring_format(page[place], SLOTS, NX_RING_PAGE);
    ((struct nx_ring_region *)page[place])->constant.buf_off = NX_RING_PAGE;
}

int store_ring(uint32_t slots)
{
    assert_int_equal(slots, SLOTS);
    assert_true(places < PLACES);
    format((int)places);
    return (int)places++;
}

int store_mem(uint64_t pages)
{
    return -NX_ENOMEM; /* no channel here has a pool */
}

void store_drop(int place)
{
}

long store_ring_anew(int place, uint32_t slots)
{
    assert_int_equal(slots, SLOTS);
    format(place);
    renewed++;
    return 0;
}

long store_give(unsigned cell, int place, uint64_t dst, uint32_t rights)
{
    given[dst] = place;
    return 0;
}

void *store_map(int place, unsigned prot, size_t *size)
{
    *size = SIZE;
    return page[place];
}

static long call_nothing(uint64_t op, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
                         uint64_t a5)
{
    return 0;
}

static const struct nx_systable table = {.call = {[NX_CALL_MAP] = call_nothing,
                                                  [NX_CALL_SEND] = call_nothing,
                                                  [NX_CALL_TICK] = call_nothing,
                                                  [NX_CALL_GRANT] = call_nothing}};
const struct nx_systable *nx_host_table = &table;

void cell_log(const char *fmt, ...)
{
}

uint64_t cell_now(void)
{
    return 0;
}

uint64_t cell_ticks_of_ms(uint64_t ms)
{
    return ms;
}

/* ---- a server with a client and a channel to spare ---- */

enum { AT = 4, CLIENTS = 2 };
static struct service server = {
    .manifest = {.name = "server",
                 .want = {{.kind = NX_WANT_SERVE,
                           .slot = AT,
                           .what = "log",
                           .rights = NX_R_READ | NX_R_WRITE | NX_R_SEND | NX_R_RECV,
                           .ring_slots = SLOTS,
                           .clients = CLIENTS}}},
    .slot = 9,
    .state = SERVICE_RUNNING};
static struct service client = {.manifest = {.name = "client",
                                             .want = {{.kind = NX_WANT_USE,
                                                       .slot = 1,
                                                       .what = "log",
                                                       .rights = NX_R_READ | NX_R_WRITE}}},
                                .slot = 10,
                                .state = SERVICE_RUNNING};
static const struct nx_slot word = {.type = 3};

static struct nx_ring_region *ring(unsigned number)
{
    return (struct nx_ring_region *)page[number];
}

/* It lives (again): does it get its channel? */
static void live(void)
{
    renewed = 0;
    link_give(&server, server.manifest.want);
    server.generation++;
}

static int attach(unsigned number)
{
    struct nx_ring in, out;
    int e = nx_ring_attach(&in, NX_RING_CONSUMER, page[given[AT + 3 * number]], SIZE);
    return e != 0 ? e
                  : nx_ring_attach(&out, NX_RING_PRODUCER, page[given[AT + 3 * number + 1]], SIZE);
}

static int setup(void **state)
{
    static bool made;
    if (!made) {
        made = link_serve(&server, server.manifest.want) && link_use(&client, client.manifest.want);
        assert_true(made);
    }
    for (unsigned i = 0; i < places; i++) {
        format((int)i);
    }
    server.generation = 0;
    client.state = SERVICE_RUNNING;
    return 0;
}

static void a_first_life_takes_what_was_made(void **state)
{
    live();
    assert_int_equal(renewed, 0);
    assert_int_equal(attach(0), 0);
    assert_int_equal(attach(1), 0);
}

/* Every bit of what both sides read when they begin. */
static void a_channel_nobody_uses_is_mended(void **state)
{
    live();
    for (unsigned which = 2; which < 4; which++) {
        for (unsigned bit = 0; bit < 8 * NX_RING_SLOTS_OFF; bit++) {
            page[which][bit / 8] ^= (uint8_t)(1u << bit % 8);
            live();
            assert_int_equal(renewed, 2);
            assert_int_equal(attach(1), 0);
        }
    }
}

static void what_a_client_has_in_it_stays(void **state)
{
    struct nx_ring out;
    live();
    assert_int_equal(nx_ring_attach(&out, NX_RING_PRODUCER, ring(0), SIZE), 0);
    assert_int_equal(nx_ring_push(&out, &word), 0);
    for (client.state = SERVICE_DOWN; client.state <= SERVICE_WAITING; client.state++) {
        live();
        assert_int_equal(ring(0)->end[NX_RING_PRODUCER].index, 1);
    }
}

static void a_client_that_is_left_dead_mends_nothing(void **state)
{
    live();
    ring(0)->constant.buf_size |= 0x4000;
    ring(1)->end[NX_RING_CONSUMER].index = 77;
    client.state = SERVICE_QUARANTINE;
    live();
    assert_int_equal(attach(0), 0);
}

/* A client of which only the constants tell that it cannot attach: its live server notices nothing. */
static void a_client_that_cannot_attach_is_helped(void **state)
{
    struct nx_ring in, out;
    for (unsigned bit = 8 * 128; bit < 8 * 148; bit++) {
        format(0);
        format(1);
        live();
        assert_int_equal(nx_ring_attach(&in, NX_RING_CONSUMER, page[0], SIZE), 0);
        page[0][bit / 8] ^= (uint8_t)(1u << bit % 8);
        link_mend(&client, 1);
        assert_int_equal(nx_ring_attach(&out, NX_RING_PRODUCER, page[0], SIZE), 0);
        assert_int_equal(nx_ring_push(&out, &word), 0);
        assert_int_equal(nx_ring_pending(&in, 1), 1);
    }
}

/* Who complains of a channel is right when nobody could attach to it. */
static void intact_is_what_can_be_attached_to(void **state)
{
    static const struct service *const self = &client;
    for (unsigned bit = 0; bit < 8 * NX_RING_SLOTS_OFF; bit++) {
        format(0);
        assert_true(link_intact(self, 1));
        page[0][bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (attach(0) != 0) {
            assert_false(link_intact(self, 1));
        }
    }
}

/* Every bit of the ends and constants, of either ring: the dead server's next life attaches, and the client,
 * who has noticed nothing, sends to it. */
static void what_a_dead_server_complains_of_is_mended(void **state)
{
    for (unsigned which = 0; which < 2; which++) {
        for (unsigned bit = 0; bit < 8 * NX_RING_SLOTS_OFF; bit++) {
            struct nx_ring out, in;
            struct nx_slot slot;
            format(0);
            format(1);
            live();
            assert_int_equal(nx_ring_attach(&out, NX_RING_PRODUCER, page[0], SIZE), 0);
            assert_int_equal(nx_ring_push(&out, &word), 0);
            page[which][bit / 8] ^= (uint8_t)(1u << bit % 8);
            if (attach(0) == 0) {
                continue;
            }
            link_mend(&server, AT);
            assert_int_equal(attach(0), 0);
            assert_true(link_intact(&server, AT));
            nx_ring_sleep_cancel(&out);
            (void)nx_ring_sleep_prepare(&out); /* it writes its own index, as any client does */
            nx_ring_sleep_cancel(&out);
            if (attach(0) != 0) { /* which was the damaged one: complained of once more */
                link_mend(&server, AT);
            }
            assert_int_equal(nx_ring_attach(&in, NX_RING_CONSUMER, page[0], SIZE), 0);
            nx_ring_mend(&out, false);
            assert_int_equal(nx_ring_push(&out, &word), 0);
            while (nx_ring_pop(&in, &slot) == 0) {
            }
            assert_int_equal(in.error, 0);
            assert_int_equal(in.own, out.own);
            assert_int_equal(slot.type, word.type);
        }
    }
}

static unsigned silent_words, error_words;
static bool busy;

static int told(const struct service *by, struct service *of, bool silent)
{
    if (busy) {
        return -NX_EBUSY;
    }
    assert_ptr_equal(by, &client);
    assert_ptr_equal(of, &server);
    silent_words += silent;
    error_words += !silent;
    return 0;
}

static void say(unsigned kind)
{
    uint32_t *words = &ring(0)->end[NX_RING_PRODUCER].reserved[2 * kind];
    words[0]++;
    words[1] = ~words[0];
}

/* What a client leaves in its line of the ring is heard once; damage is no word. */
static void a_word_is_heard_once(void **state)
{
    link_words(told);
    assert_int_equal(silent_words + error_words, 0);
    say(NEXUS_COMPLAINT_SILENT);
    link_words(told);
    link_words(told);
    assert_int_equal(silent_words, 1);
    say(NEXUS_COMPLAINT_ERRORS);
    link_words(told);
    link_words(told);
    assert_int_equal(error_words, 1);
    uint32_t *words = ring(0)->end[NX_RING_PRODUCER].reserved;
    for (unsigned bit = 0; bit < 128; bit++) {
        words[bit / 32] ^= 1u << bit % 32;
        link_words(told);
        words[bit / 32] ^= 1u << bit % 32;
    }
    assert_int_equal(silent_words + error_words, 2);
    memset(words, 0, 16); /* the ring is made anew */
    link_words(told);
    say(NEXUS_COMPLAINT_SILENT);
    link_words(told);
    assert_int_equal(silent_words, 2);
}

/* It waits while the server is too young, and is nothing to its next life. */
static void a_word_is_about_one_life(void **state)
{
    silent_words = 0;
    link_words(told);
    server.generation = 3;
    busy = true;
    say(NEXUS_COMPLAINT_SILENT);
    assert_true(link_words(told));
    assert_true(link_words(told));
    busy = false;
    assert_false(link_words(told));
    assert_int_equal(silent_words, 1);
    busy = true;
    say(NEXUS_COMPLAINT_SILENT);
    assert_true(link_words(told));
    busy = false;
    server.generation = 4;
    assert_false(link_words(told));
    assert_int_equal(silent_words, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_first_life_takes_what_was_made, setup),
        cmocka_unit_test_setup(a_channel_nobody_uses_is_mended, setup),
        cmocka_unit_test_setup(what_a_client_has_in_it_stays, setup),
        cmocka_unit_test_setup(a_client_that_is_left_dead_mends_nothing, setup),
        cmocka_unit_test_setup(what_a_dead_server_complains_of_is_mended, setup),
        cmocka_unit_test_setup(a_client_that_cannot_attach_is_helped, setup),
        cmocka_unit_test_setup(intact_is_what_can_be_attached_to, setup),
        cmocka_unit_test_setup(a_word_is_heard_once, setup),
        cmocka_unit_test_setup(a_word_is_about_one_life, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
