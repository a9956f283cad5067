/*
 * control.c - what is asked of the supervisor, as text: commands, answers; and what it looks at by
 * itself: heartbeats, and whether an image may take a cell's place.
 *
 * test-sources: native/supervisor/command.c native/supervisor/answer.c native/supervisor/health.c
 * test-sources: native/supervisor/burn.c
 * test-sources: native/supervisor/plan.c
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../../native/supervisor/answer.h"
#include "../../../native/supervisor/command.h"
#include "../../../native/supervisor/burn.h"
#include "../../../native/supervisor/health.h"
#include "../../../native/supervisor/plan.h"

#include <nx/types.h>

/* ---- commands ---- */

/* From memory of exactly its size, so that the sanitizer sees a look beyond. */
static const char *parse_bytes(const char *line, size_t n, struct command *c)
{
    char *copy = malloc(n + 1);
    memcpy(copy + 1, line, n);
    const char *wrong = command_parse(copy + 1, n, c);
    free(copy);
    return wrong;
}

static const char *parse(const char *line, struct command *c)
{
    return parse_bytes(line, strlen(line), c);
}

static void commands_are_words(void **state)
{
    struct command c;
    assert_null(parse("ps", &c));
    assert_int_equal(c.kind, COMMAND_PS);
    assert_null(parse("  ps\t ", &c));
    assert_int_equal(c.kind, COMMAND_PS);
    assert_null(parse("top", &c));
    assert_int_equal(c.kind, COMMAND_TOP);
    assert_null(parse("services", &c));
    assert_int_equal(c.kind, COMMAND_SERVICES);
    assert_null(parse("help", &c));
    assert_int_equal(c.kind, COMMAND_HELP);
    assert_null(parse("kill uart16550", &c));
    assert_int_equal(c.kind, COMMAND_KILL);
    assert_string_equal(c.cell, "uart16550");
    assert_null(parse("restart\tx", &c));
    assert_int_equal(c.kind, COMMAND_RESTART);
    assert_null(parse("pledge posix", &c));
    assert_int_equal(c.kind, COMMAND_PLEDGE);
    assert_null(parse("swap disk0 disk-new", &c));
    assert_int_equal(c.kind, COMMAND_SWAP);
    assert_string_equal(c.cell, "disk0");
    assert_string_equal(c.image, "disk-new");
}

static void numbers_are_optional(void **state)
{
    struct command c;
    assert_null(parse("beb", &c));
    assert_false(c.has_number);
    assert_null(parse("beb 0", &c));
    assert_true(c.has_number);
    assert_int_equal(c.number, 0);
    assert_null(parse("log 18446744073709551615", &c));
    assert_int_equal(c.kind, COMMAND_LOG);
    assert_true(c.number == ~0ul);
    static const char *const wrong[] = {"beb x",   "beb -1",
                                        "beb 1x",  "beb 0x10",
                                        "log 1 2", "log 18446744073709551616",
                                        "beb +1",  "log 99999999999999999999999999"};
    for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_non_null(parse(wrong[i], &c));
    }
}

static void what_is_wrong_is_said(void **state)
{
    struct command c;
    char line[COMMAND_LINE_MAX];
    static const char *const wrong[] = {
        "",        " ",        "p",    "pss",    "PS",         "ps x",
        "kill",    "kill a b", "swap", "swap a", "swap a b c", "averyveryverylongcommand",
        "restart "};
    for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_non_null(parse(wrong[i], &c));
    }
    assert_non_null(parse_bytes("ps\0x", 4, &c));
    assert_non_null(parse_bytes("\0", 1, &c));
    memset(line, 'a', sizeof(line));
    memcpy(line, "kill ", 5);
    assert_null(parse_bytes(line, 5 + 31, &c));
    assert_int_equal(strlen(c.cell), 31);
    assert_non_null(parse_bytes(line, 5 + 32, &c));
    memcpy(line, "swap a ", 7);
    assert_null(parse_bytes(line, 7 + 39, &c));
    assert_int_equal(strlen(c.image), 39);
    assert_non_null(parse_bytes(line, 7 + 40, &c));
}

static void any_bytes_are_harmless(void **state)
{
    static const char *const pieces[] = {"kill", "swap", "log", "beb", " ",           "\t",   "1",
                                         "a",    "help", "\n",  "-",   "99999999999", "\xff", "ps"};
    uint64_t seed = 7;
    for (unsigned round = 0; round < 20000; round++) {
        char line[COMMAND_LINE_MAX + 16];
        size_t n = 0;
        struct command c;
        while (n < COMMAND_LINE_MAX) {
            seed = seed * 6364136223846793005ul + 1442695040888963407ul;
            const char *p = pieces[(seed >> 33) % 14];
            if ((seed >> 50) % 8 == 0) {
                break;
            }
            memcpy(line + n, p, strlen(p));
            n += strlen(p);
        }
        const char *wrong = parse_bytes(line, n, &c);
        assert_true(wrong != NULL || c.kind < COMMANDS);
        assert_non_null(memchr(c.cell, 0, sizeof(c.cell)));
        assert_non_null(memchr(c.image, 0, sizeof(c.image)));
    }
}

static void every_command_has_help(void **state)
{
    static const char *const names[] = {"ps",      "top",  "cores",  "services",
                                        "beb",     "log",  "pledge", "kill",
                                        "restart", "swap", "record", "switches"};
    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        assert_non_null(strstr(command_help, names[i]));
    }
}

/* ---- answers ---- */

static void answers_are_whole_lines(void **state)
{
    char *room = malloc(16);
    struct answer a = {.at = room, .size = 16};
    answer_add(&a, "%s\n", "12345");
    assert_int_equal(a.len, 6);
    answer_add(&a, "%s\n", "0123456789");
    assert_true(a.full);
    assert_int_equal(a.len, 6);
    answer_add(&a, "x\n"); /* it would fit, but what was left out must be the end */
    assert_int_equal(a.len, 6);
    assert_memory_equal(room, "12345\n", 6);
    answer_error(&a, "%s", "why");
    assert_int_equal(a.len, 11);
    assert_memory_equal(room, "error: why\n", 11);
    free(room);
}

static void an_answer_may_have_no_room(void **state)
{
    for (size_t size = 1; size < 40; size++) {
        char *room = malloc(size);
        struct answer a = {.at = room, .size = size};
        answer_add(&a, "0123456789\n");
        answer_add(&a, "0123456789\n");
        assert_true(a.len <= size);
        answer_error(&a, "no");
        assert_true(a.len <= size);
        free(room);
    }
}

/* ---- health ---- */

#define BEAT 100u

static void who_promises_nothing_is_never_looked_at(void **state)
{
    struct health h;
    health_start(&h, 5000, 0);
    assert_true(h.due == HEALTH_NEVER);
    assert_false(health_hung(&h, 1000000, 0, 0));
}

static void a_beating_cell_lives(void **state)
{
    struct health h;
    uint64_t now = 1000, beats = 0;
    health_start(&h, now, BEAT);
    for (unsigned i = 0; i < 100; i++) {
        assert_int_equal(h.due, now + BEAT);
        now += BEAT;
        assert_false(health_hung(&h, now, BEAT, ++beats));
    }
    /* one look without a beat, now and then, is only the phase of the two clocks */
    for (unsigned i = 0; i < 100; i++) {
        now += BEAT;
        assert_false(health_hung(&h, now, BEAT, beats += i % 2));
    }
}

static void a_silent_cell_is_hung_after_two_looks(void **state)
{
    struct health h;
    health_start(&h, 0, BEAT);
    assert_false(health_hung(&h, BEAT, BEAT, 3));
    assert_false(health_hung(&h, 2 * BEAT - 1, BEAT, 3)); /* not due */
    assert_false(health_hung(&h, 2 * BEAT, BEAT, 3));
    assert_true(health_hung(&h, 3 * BEAT, BEAT, 3));
    health_start(&h, 0, BEAT); /* never beat at all */
    assert_false(health_hung(&h, BEAT, BEAT, 0));
    assert_true(health_hung(&h, 2 * BEAT, BEAT, 0));
}

/* ---- swap ---- */

static void an_image_may_take_the_place_of_its_like(void **state)
{
    const struct nx_manifest old = {
        .name = "disk",
        .tier = NX_TIER_PHOTON,
        .want = {{.kind = NX_WANT_SERVE, .slot = 3, .ring_slots = 16, .clients = 1, .what = "b"},
                 {.kind = NX_WANT_DMA, .slot = 9, .pool_pages = 4}}};
    struct nx_manifest new = old;
    assert_null(plan_swap(&old, &new));
    new.tier = NX_TIER_MATTER;
    new.want[0].slot = 5;
    new.want[0].rights = 1;
    new.heartbeat_ms = 100;
    assert_null(plan_swap(&old, &new));
#define REFUSED(change)                         \
    do {                                        \
        new = old;                              \
        change;                                 \
        assert_non_null(plan_swap(&old, &new)); \
    } while (0)
    REFUSED(new.name[4] = 'x');
    REFUSED(new.want[0].kind = NX_WANT_USE);
    REFUSED(new.want[0].what[0] = 'c');
    REFUSED(new.want[0].ring_slots = 32);
    REFUSED(new.want[0].clients = 2);
    REFUSED(new.want[1].pool_pages = 8);
    REFUSED(new.want[1].device_id = 2);
    REFUSED(new.want[2] = new.want[0]);
    REFUSED(new.want[1] = (struct nx_want){0});
}

static void who_burns_is_found(void **state)
{
    struct burn b;
    struct burn_run run = {.used_us = 7000, .in_void = true};
    burn_start(&b);
    assert_false(burn_look(&b, 1000, &run));
    burn_sunk(&b, 1000, &run);
    assert_int_equal(b.due, 1000 + BURN_MS);
    run.used_us = 9000;
    burn_sunk(&b, 1500, &run); /* told twice: the first counts */
    run.used_us = 7000 + BURN_US;
    assert_false(burn_look(&b, 2999, &run)); /* not due */
    assert_true(burn_look(&b, 3000, &run));
}

static void who_waits_or_works_does_not_burn(void **state)
{
    struct burn b;
    struct burn_run run = {.in_void = true}, up = {.used_us = 1u << 30};
    burn_start(&b); /* moved up again */
    burn_sunk(&b, 0, &run);
    assert_false(burn_look(&b, 2000, &up));
    assert_int_equal(b.due, BURN_NEVER);

    burn_sunk(&b, 0, &run); /* no hart to run on */
    run.used_us = BURN_US - 1;
    assert_false(burn_look(&b, 2000, &run));
    assert_int_equal(b.due, 2000 + BURN_MS);
    run.used_us++;
    assert_true(burn_look(&b, 4000, &run));

    run = (struct burn_run){.in_void = true};
    burn_start(&b); /* more to do than it can, until it stops after the fifth look */
    burn_sunk(&b, 0, &run);
    for (uint64_t n = 1; n <= 5; n++) {
        run.used_us += 2000000;
        run.moved++;
        assert_false(burn_look(&b, 2000 * n, &run));
    }
    run.used_us += 2000000;
    assert_true(burn_look(&b, 12000, &run));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands_are_words),
        cmocka_unit_test(numbers_are_optional),
        cmocka_unit_test(what_is_wrong_is_said),
        cmocka_unit_test(any_bytes_are_harmless),
        cmocka_unit_test(every_command_has_help),
        cmocka_unit_test(answers_are_whole_lines),
        cmocka_unit_test(an_answer_may_have_no_room),
        cmocka_unit_test(who_promises_nothing_is_never_looked_at),
        cmocka_unit_test(a_beating_cell_lives),
        cmocka_unit_test(a_silent_cell_is_hung_after_two_looks),
        cmocka_unit_test(who_burns_is_found),
        cmocka_unit_test(who_waits_or_works_does_not_burn),
        cmocka_unit_test(an_image_may_take_the_place_of_its_like),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
