/* The store shared fairly: what is kept, what goes, and that the lists stay right.
 */
// test-sources: lib/keep.c lib/str.c lib/mem.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <nx_keep.h>

enum { PLACES = 40, WRITERS = 9 };
static struct nx_keep_place place[PLACES];
static struct nx_keep_writer writer[WRITERS];
static struct nx_keep k;
static uint64_t number;

static int begin(void **state)
{
    nx_keep_init(&k, place, PLACES, writer, WRITERS);
    number = 0;
    return 0;
}

/* All lists say the same, and the counts are right. */
static void audit(void)
{
    unsigned n = 0, sum = 0, before = NX_KEEP_NONE;
    uint64_t last = 0;
    for (unsigned i = k.oldest; i != NX_KEEP_NONE; before = i, i = nx_keep_next(&k, i)) {
        assert_true(i < PLACES && n++ < PLACES);
        assert_int_equal(place[i].older, before);
        assert_true(n == 1 || place[i].number > last);
        last = place[i].number;
    }
    assert_int_equal(k.newest, before);
    for (unsigned w = 0; w < WRITERS; w++) {
        unsigned count = 0, end = NX_KEEP_NONE;
        for (unsigned i = writer[w].oldest; i != NX_KEEP_NONE; end = i, i = place[i].next) {
            assert_int_equal(place[i].writer, w);
            assert_true(end == NX_KEEP_NONE || place[i].number > place[end].number);
            count++;
        }
        assert_int_equal(writer[w].newest, end);
        assert_int_equal(writer[w].count, count);
        sum += count;
    }
    assert_int_equal(sum, n);
    for (unsigned i = k.free; i != NX_KEEP_NONE; i = place[i].next) {
        n++;
    }
    assert_int_equal(n, PLACES);
}

static unsigned add(const char *name)
{
    unsigned at = nx_keep_add(&k, name, number++);
    assert_int_equal(place[at].number, number - 1);
    audit();
    return at;
}

static unsigned kept(const char *name)
{
    unsigned n = 0;
    for (unsigned i = k.oldest; i != NX_KEEP_NONE; i = nx_keep_next(&k, i)) {
        n += strcmp(nx_keep_writer(&k, i)->name, name) == 0;
    }
    return n;
}

static void an_empty_store(void **state)
{
    assert_int_equal(nx_keep_find(&k, 0), NX_KEEP_NONE);
    assert_int_equal(nx_keep_find(&k, ~0ul), NX_KEEP_NONE);
}

static void one_alone_has_all(void **state)
{
    for (unsigned i = 0; i < 3 * PLACES; i++) {
        add("one");
    }
    assert_int_equal(kept("one"), PLACES);
    assert_int_equal(place[k.oldest].number, 2 * PLACES);
}

static void a_flood_leaves_others_their_share(void **state)
{
    for (unsigned i = 0; i < 10; i++) {
        add("quiet");
        add(i % 2 == 0 ? "even" : "odd");
    }
    for (unsigned i = 0; i < 10 * PLACES; i++) {
        add("flood");
    }
    assert_int_equal(kept("quiet"), 10);
    assert_int_equal(kept("even"), 5);
    assert_int_equal(kept("odd"), 5);
    assert_int_equal(kept("flood"), PLACES - 20);
    /* Their order is still the order of their numbers, and the first one is still the oldest. */
    assert_int_equal(nx_keep_find(&k, 0), k.oldest);
    assert_int_equal(place[k.oldest].number, 0);
}

static void two_floods_share_evenly(void **state)
{
    for (unsigned i = 0; i < 10 * PLACES; i++) {
        add(i % 3 == 0 ? "slow" : "fast");
    }
    assert_in_range(kept("slow"), PLACES / 2 - 1, PLACES / 2 + 1);
}

static void find_skips_what_is_gone(void **state)
{
    add("quiet"); /* 0 */
    for (unsigned i = 0; i < 2 * PLACES; i++) {
        add("flood");
    }
    unsigned at = nx_keep_find(&k, 1);
    assert_int_equal(place[at].number, number - (PLACES - 1));
    assert_int_equal(nx_keep_find(&k, 0), k.oldest);
    assert_int_equal(place[nx_keep_find(&k, number - 1)].number, number - 1);
    assert_int_equal(nx_keep_find(&k, number), NX_KEEP_NONE);
}

/* More names than writers: the rest is one writer, and the others keep what is theirs. */
static void more_names_than_writers(void **state)
{
    char name[80];
    for (unsigned i = 0; i < 20; i++) {
        (void)snprintf(name, sizeof(name), "cell%u", i);
        add(name);
    }
    for (unsigned i = 0; i < 200; i++) {
        add("late");
    }
    for (unsigned i = 0; i < WRITERS - 1; i++) {
        (void)snprintf(name, sizeof(name), "cell%u", i);
        assert_int_equal(kept(name), 1);
    }
    assert_int_equal(kept(""), PLACES - (WRITERS - 1));
    memset(name, 'x', sizeof(name) - 1); /* longer than a name can be */
    name[sizeof(name) - 1] = 0;
    assert_int_equal(place[add(name)].writer, WRITERS - 1);
    add("");
}

static void long_names_are_cut(void **state)
{
    char name[80];
    memset(name, 'x', sizeof(name) - 1);
    name[sizeof(name) - 1] = 0;
    unsigned w = place[add(name)].writer;
    name[40] = 'y';
    assert_int_equal(place[add(name)].writer, w);
}

/* A store whose records are there already, in any places. */
static void adopted(void **state)
{
    nx_keep_init_old(&k, place, PLACES, writer, WRITERS);
    for (unsigned i = 0; i < PLACES; i++) {
        unsigned at = i * 7 % PLACES;
        if (i % 3 == 0) {
            nx_keep_free(&k, at);
        } else {
            nx_keep_adopt(&k, at, i % 2 == 0 ? "even" : "odd", 100 + i);
        }
    }
    audit();
    number = 1000;
    for (unsigned i = 0; i < 2 * PLACES; i++) {
        add("new");
    }
    assert_in_range(kept("even"), 13, 14);
    assert_in_range(kept("odd"), 12, 13);
    assert_int_equal(place[nx_keep_find(&k, 0)].number, k.place[k.oldest].number);
}

/* Anything in any order: the lists stay right, and nobody below the share loses anything. */
static void random_writers(void **state)
{
    static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"};
    srandom(1);
    for (unsigned round = 0; round < 20000; round++) {
        unsigned before[WRITERS], who = (unsigned)random() % 10;
        for (unsigned w = 0; w < WRITERS; w++) {
            before[w] = writer[w].count;
        }
        who = random() % 4 != 0 ? round / 500 % 10 : who; /* bursts */
        unsigned w = place[add(names[who])].writer;
        for (unsigned i = 0; i < WRITERS; i++) {
            assert_true(i == w || writer[i].count == before[i] || before[i] > PLACES / WRITERS);
        }
        number += (uint64_t)random() % 3; /* lost elsewhere */
    }
}

int main(void)
{
#define T(name) cmocka_unit_test_setup(name, begin)
    const struct CMUnitTest tests[] = {
        T(an_empty_store),
        T(one_alone_has_all),
        T(a_flood_leaves_others_their_share),
        T(two_floods_share_evenly),
        T(find_skips_what_is_gone),
        T(more_names_than_writers),
        T(long_names_are_cut),
        T(adopted),
        T(random_writers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
