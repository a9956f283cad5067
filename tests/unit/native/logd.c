/* logd: the history and its next life, and the merging of the nucleus' two sources into one stream.
 */
// test-sources: native/logd/history.c native/logd/drain.c lib/keep.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../../native/logd/drain.h"

#include <nx/callnr.h>
#include <nx/layout.h>

/* ---- a nucleus that keeps the newest LINES lines and ENTRIES entries ---- */

enum { LINES = 64, ENTRIES = 32, TIMEBASE = 10000000 };
static struct nx_log line[LINES];
static struct nx_beb entry[ENTRIES];
static uint64_t lines, entries, now;
static void (*between)(void); /* called once, before the next read */

static void say(const char *cell, const char *text)
{
    struct nx_log *l = &line[lines % LINES];
    *l = (struct nx_log){.number = lines,
                         .time = ++now,
                         .seq = lines + 1,
                         .generation = 3,
                         .len = (uint16_t)strlen(text),
                         .level = NX_LOG_INFO};
    (void)snprintf(l->cell, sizeof(l->cell), "%s", cell);
    memcpy(l->text, text, l->len);
    lines++;
}

static void event(const char *cell, uint32_t kind)
{
    struct nx_beb *b = &entry[entries % ENTRIES];
    *b = (struct nx_beb){.number = entries++, .time = ++now, .kind = kind, .generation = 4};
    (void)snprintf(b->cell, sizeof(b->cell), "%s", cell);
}

static long tick(uint64_t op, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5)
{
    return (long)++now;
}

static long meta(uint64_t op, uint64_t va, uint64_t len, uint64_t first, uint64_t a4, uint64_t a5)
{
    long n = 0;
    void (*call)(void) = between;
    between = NULL;
    if (call != NULL) {
        call();
    }
    if (op == NX_META_READLOG) {
        struct nx_log *out = (struct nx_log *)va;
        first = lines > LINES && first < lines - LINES ? lines - LINES : first;
        for (; first < lines && len >= sizeof(*out); len -= sizeof(*out)) {
            out[n++] = line[first++ % LINES];
        }
    } else {
        struct nx_beb *out = (struct nx_beb *)va;
        first = entries > ENTRIES && first < entries - ENTRIES ? entries - ENTRIES : first;
        for (; first < entries && len >= sizeof(*out); len -= sizeof(*out)) {
            out[n++] = entry[first++ % ENTRIES];
        }
    }
    return n;
}

static const struct nx_systable table = {.call = {[NX_CALL_TICK] = tick, [NX_CALL_META] = meta}};
const struct nx_systable *nx_host_table = &table;

/* ---- the cell under test ---- */

enum { PLACES = 400 };
static struct history_entry memory[PLACES];
static struct history h;
static struct drain d;

static int begin(void **state)
{
    memset(memory, 0, sizeof(memory));
    memset(&d, 0, sizeof(d));
    d.timebase = TIMEBASE;
    lines = entries = now = 0;
    between = NULL;
    assert_int_equal(history_open(&h, memory, sizeof(memory)), 0);
    return 0;
}

/* It dies and comes again, with what is in the memory. */
static void next_life(void)
{
    memset(&h, 0xee, sizeof(h));
    memset(&d, 0, sizeof(d));
    d.timebase = TIMEBASE;
    assert_true(history_open(&h, memory, sizeof(memory)) >= 0);
    drain_open(&d, &h);
}

struct seen {
    uint64_t records, lost;
    struct nexus_stl last;
    char text[NEXUS_STL_TEXT + 1];
};

/* Read all from *cursor on, in pieces, and check what every reader relies on. */
static struct seen read_all(uint64_t *cursor, size_t piece)
{
    static _Alignas(8) uint8_t buf[20000];
    struct seen s = {0};
    uint64_t from = *cursor;
    for (size_t n; (n = history_read(&h, &from, buf, piece)) > 0;) {
        assert_true(n <= piece);
        for (size_t at = 0; at < n;) {
            struct nexus_stl r;
            memcpy(&r, buf + at, sizeof(r));
            assert_true(r.number >= *cursor);
            assert_true(s.records == 0 || r.time_ns >= s.last.time_ns);
            s.lost += r.number - *cursor;
            *cursor = r.number + 1;
            s.records++;
            s.last = r;
            memcpy(s.text, buf + at + sizeof(r), r.len);
            s.text[r.len] = 0;
            at += nexus_stl_size(&r);
            assert_true(at <= n);
        }
        assert_int_equal(from, *cursor);
    }
    assert_int_equal(*cursor, h.next);
    return s;
}

static void one_line(void **state)
{
    uint64_t cursor = 0;
    now = 12345678;
    say("cell", "hello");
    assert_int_equal(drain(&d, &h), 1);
    struct seen s = read_all(&cursor, 4096);
    assert_int_equal(s.records, 1);
    assert_int_equal(s.last.time_ns, 1234567900);
    assert_int_equal(s.last.generation, 3);
    assert_int_equal(s.last.level, NX_LOG_INFO);
    assert_int_equal(s.last.kind, NEXUS_STL_LOG);
    assert_string_equal(s.last.cell, "cell");
    assert_string_equal(s.text, "hello");
    assert_int_equal(drain(&d, &h), 0);
    assert_int_equal(read_all(&cursor, 4096).records, 0);
}

static void both_sources_in_order_of_time(void **state)
{
    uint64_t cursor = 0;
    for (unsigned i = 0; i < 20; i++) {
        event("driver", NX_BEB_OVERRUN + i % 7); /* one kind is none that is known */
        say("cell", "a line");
        if (i % 3 == 0) {
            say("cell", "another");
        }
    }
    assert_int_equal(drain(&d, &h), 47);
    struct seen s = read_all(&cursor, 700);
    assert_int_equal(s.records, 47);
    assert_int_equal(s.lost, 0);
}

static void a_late_entry(void)
{
    event("driver", NX_BEB_FAULT);
    say("cell", "after it");
}

/* Something happens between the reading of the one source and of the other. */
static void what_comes_while_reading(void **state)
{
    for (unsigned i = 0; i < 30; i++) {
        uint64_t cursor = h.next;
        say("cell", "before it");
        between = a_late_entry;
        drain(&d, &h);
        drain(&d, &h);
        assert_int_equal(read_all(&cursor, 4096).records, 3);
    }
    uint64_t cursor = 0;
    struct seen s = read_all(&cursor, 4096); /* checks the order */
    assert_int_equal(s.records, 90);
    assert_int_equal(s.lost, 0);
}

static void gaps_are_counted(void **state)
{
    uint64_t cursor = 0;
    for (unsigned i = 0; i < LINES + 100; i++) {
        say("flood", "x");
    }
    for (unsigned i = 0; i < ENTRIES + 7; i++) {
        event("flood", NX_BEB_DENIED);
    }
    drain(&d, &h);
    struct seen s = read_all(&cursor, 4096);
    assert_int_equal(s.records, LINES + ENTRIES);
    assert_int_equal(s.lost, 107);
    assert_int_equal(h.next, LINES + 100 + ENTRIES + 7);
}

/* The history is full, too: who has most loses, and readers are told how much. */
static void a_full_history(void **state)
{
    uint64_t cursor = 0;
    say("quiet", "the first words");
    for (unsigned i = 0; i < 3 * PLACES; i++) {
        say("flood", "x");
        assert_int_equal(drain(&d, &h), i == 0 ? 2 : 1);
    }
    struct seen s = read_all(&cursor, 4096);
    assert_int_equal(s.records, PLACES);
    assert_int_equal(s.records + s.lost, 3 * PLACES + 1);
    uint64_t from = 0;
    struct nexus_stl first;
    _Alignas(8) uint8_t buf[NEXUS_STL_MAX];
    assert_true(history_read(&h, &from, buf, sizeof(buf)) > 0);
    memcpy(&first, buf, sizeof(first));
    assert_string_equal(first.cell, "quiet");
}

/* Deaths at any time: nothing is lost, nothing comes twice. */
static void lives(void **state)
{
    uint64_t cursor = 0, records = 0;
    srandom(7);
    for (unsigned life = 0; life < 300; life++) {
        unsigned n = (unsigned)random() % 12;
        for (unsigned i = 0; i < n; i++) {
            char text[300];
            size_t len = (size_t)random() % (NEXUS_STL_TEXT + 1);
            memset(text, 'a', len);
            text[len] = 0;
            if (random() % 4 == 0) {
                event(random() % 2 == 0 ? "b" : "c", NX_BEB_FAULT);
            } else {
                say(random() % 2 == 0 ? "a" : "b", text);
            }
            records++;
        }
        drain(&d, &h);
        if (random() % 2 == 0) {
            next_life();
        }
        if (random() % 3 == 0) {
            records -= read_all(&cursor, 1000).records;
            assert_int_equal(records, 0);
        }
    }
    next_life();
    records -= read_all(&cursor, 4096).records;
    assert_int_equal(records, 0);
    cursor = 0;
    struct seen s = read_all(&cursor, 4096);
    assert_int_equal(s.records, PLACES); /* also over lives it is used to the last place */
    assert_int_equal(s.records + s.lost, lines + entries);
}

/* It dies in the middle of writing an entry: that one is read again. */
static void torn_entries(void **state)
{
    for (unsigned n = 0; n < sizeof(struct history_entry); n += 8) {
        begin(state);
        for (unsigned i = 0; i < 5; i++) {
            say("cell", "some words");
        }
        drain(&d, &h);
        for (unsigned i = 0; i < PLACES; i++) { /* the newest */
            if (memory[i].sum != 0 && memory[i].head.number == 4) {
                memset((uint8_t *)&memory[i] + n, 0x5a, sizeof(memory[i]) - n);
            }
        }
        next_life();
        uint64_t cursor = 0;
        drain(&d, &h);
        struct seen s = read_all(&cursor, 4096);
        assert_int_equal(s.records, 5);
        assert_int_equal(s.lost, 0);
        assert_string_equal(s.text, "some words");
    }
}

/* Anything in the memory: a life begins, and what is read is well-formed. */
static void damaged_memory(void **state)
{
    srandom(11);
    for (unsigned round = 0; round < 200; round++) {
        begin(state);
        for (unsigned i = 0; i < 60; i++) {
            say("cell", "words");
        }
        drain(&d, &h);
        for (unsigned i = 0; i < 1 + round * 10; i++) {
            ((uint8_t *)memory)[(size_t)random() %
                                (round % 2 == 0 ? 60 * sizeof(memory[0]) : sizeof(memory))] ^=
                (uint8_t)(1u << random() % 8);
        }
        if (round % 5 == 0) { /* the same entry twice */
            memory[100] = memory[3];
        }
        next_life();
        uint64_t cursor = 0;
        struct seen s = read_all(&cursor, 4096);
        assert_true(s.records <= 61);
        say("cell", "goes on");
        drain(&d, &h);
        s = read_all(&cursor, 4096);
        assert_string_equal(s.text, "goes on");
    }
}

/* A damaged life wrote a number the nucleus has never given, with a good sum: the next one goes on. */
static void a_source_that_never_was(void **state)
{
    uint64_t cursor = 0;
    say("cell", "before");
    event("cell", NX_BEB_FAULT);
    drain(&d, &h);
    const struct nexus_stl head = {.kind = NEXUS_STL_LOG, .cell = "cell", .len = 1, .time_ns = 400};
    history_add(&h, &head, "x", 1ul << 40);
    struct nexus_stl other = head;
    other.kind = NEXUS_STL_BEB;
    history_add(&h, &other, "x", 1ul << 40);
    (void)read_all(&cursor, 4096);
    next_life();
    say("cell", "after");
    drain(&d, &h);
    struct seen s = read_all(&cursor, 4096);
    assert_int_equal(s.records, 3); /* all the nucleus has, once more */
    assert_string_equal(s.text, "after");
    next_life();
    drain(&d, &h);
    assert_int_equal(read_all(&cursor, 4096).records, 0);
}

static void bounds(void **state)
{
    uint8_t buf[NEXUS_STL_MAX];
    uint64_t from = 0;
    assert_int_equal(history_open(&h, NULL, sizeof(memory)), -1);
    assert_int_equal(history_open(&h, memory, 1000), -1);
    assert_int_equal(history_open(&h, memory, sizeof(memory)), 0);
    say("cell", "12345678");
    drain(&d, &h);
    assert_int_equal(history_read(&h, &from, buf, 0), 0);
    assert_int_equal(history_read(&h, &from, buf, 71), 0);
    assert_int_equal(from, 0);
    assert_int_equal(history_read(&h, &from, buf, 72), 72);
    assert_int_equal(from, 1);
    from = ~0ul;
    assert_int_equal(history_read(&h, &from, buf, sizeof(buf)), 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup(name, begin)
    const struct CMUnitTest tests[] = {
        T(one_line),
        T(both_sources_in_order_of_time),
        T(what_comes_while_reading),
        T(gaps_are_counted),
        T(a_full_history),
        T(lives),
        T(torn_entries),
        T(damaged_memory),
        T(a_source_that_never_was),
        T(bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
