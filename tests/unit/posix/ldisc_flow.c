/*
 * The terminal line discipline: flow control, raw mode, a full queue.
 * test-sources: posix/tty/ldisc*.c
 */
#include "ldisc_rig.h"

/* ---- flow control -------------------------------------------------------------------------- */

static void test_stop_start(void **state)
{
    struct term *t = *state;

    type(t, "\023ab");
    SEES(t, ""); /* the echo waits as well */
    assert_int_equal(write_bytes(t, "x", 1), 0);
    type(t, "\021");
    SEES(t, "ab");
    assert_int_equal(write_bytes(t, "x", 1), 1);
    type(t, "\n");
    READS(t, 10, "ab\n");
}

static void test_ixany(void **state)
{
    struct term *t = *state;

    flags(t, I_ON, IXANY);
    type(t, "\023");
    assert_int_equal(write_bytes(t, "x", 1), 0);
    type(t, "a");
    SEES(t, "a");
    assert_int_equal(write_bytes(t, "x", 1), 1);
    type(t, "\023\n");
    SEES(t, "x\r\n");
    READS(t, 10, "a\n");
}

static void test_ixon_off(void **state)
{
    struct term *t = *state;

    type(t, "\023");
    flags(t, I_OFF, IXON); /* or nothing could ever start it again */
    assert_int_equal(write_bytes(t, "x", 1), 1);
    type(t, "\021\023\n");
    READS(t, 10, "\021\023\n");
}

static void test_flow_by_call(void **state)
{
    struct term *t = *state;

    flow(t, TCOOFF);
    assert_int_equal(write_bytes(t, "x", 1), 0);
    type(t, "\021"); /* no key undoes it */
    assert_int_equal(write_bytes(t, "x", 1), 0);
    flow(t, TCOON);
    assert_int_equal(write_bytes(t, "x", 1), 1);
    SEES(t, "x");
}

static void test_flow_input_by_call(void **state)
{
    struct term *t = *state;

    ldisc_flow(&t->ld, TCIOFF);
    SEES(t, "\023");
    ldisc_flow(&t->ld, TCOOFF); /* START and STOP pass held output */
    ldisc_flow(&t->ld, TCION);
    SEES(t, "\021");
    t->room = 0;
    ldisc_flow(&t->ld, TCIOFF);
    SEES(t, "");
    t->room = 1;
    ldisc_pump(&t->ld);
    SEES(t, "\023");
}

static void test_ixoff(void **state)
{
    struct term *t = *state;
    char buf[LDISC_QUEUE];

    memset(buf, 'x', sizeof buf);
    raw_mode(t, 1, 0);
    flags(t, I_ON, IXOFF);
    assert_int_equal(ldisc_input(&t->ld, buf, 3000), 3000);
    SEES(t, "");
    assert_int_equal(ldisc_input(&t->ld, buf, 1000), 1000);
    SEES(t, "\023");
    assert_int_equal(ldisc_read(&t->ld, buf, 3800), 3800);
    SEES(t, "");
    assert_int_equal(ldisc_read(&t->ld, buf, 100), 100);
    SEES(t, "\021");
}

/* ---- raw mode ------------------------------------------------------------------------------ */

static void test_raw(void **state)
{
    struct term *t = *state;

    raw_mode(t, 1, 0);
    WOULD_BLOCK(t);
    type_bytes(t, "\003\0\r\377\n", 5);
    SEES(t, "");
    assert_int_equal(input_count(t), 5);
    READS(t, 3, "\003\0\r");
    READS(t, 10, "\377\n");
    WOULD_BLOCK(t);
}

static void test_raw_min_0(void **state)
{
    struct term *t = *state;

    raw_mode(t, 0, 0);
    READS(t, 10, ""); /* never blocks */
    type(t, "a");
    READS(t, 10, "a");
    READS(t, 10, "");
}

static void test_pollin_min(void **state)
{
    struct term *t = *state;

    raw_mode(t, 3, 0);
    type(t, "ab");
    assert_false(pollin(t));
    type(t, "c");
    assert_true(pollin(t));
    READS(t, 10, "abc");
    raw_mode(t, 3, 1); /* with a timer the first byte is enough */
    type(t, "a");
    assert_true(pollin(t));
}

static void test_read_wait(void **state)
{
    struct term *t = *state;

    assert_int_equal(ldisc_read_wait(&t->ld, 0, 10), LDISC_FOREVER);
    assert_int_equal(ldisc_read_wait(&t->ld, 1, 10), 0);
    raw_mode(t, 0, 0);
    assert_int_equal(ldisc_read_wait(&t->ld, 0, 10), 0);
    raw_mode(t, 0, 7);
    assert_int_equal(ldisc_read_wait(&t->ld, 0, 10), 7);
    assert_int_equal(ldisc_read_wait(&t->ld, 1, 10), 0);
    raw_mode(t, 4, 0);
    assert_int_equal(ldisc_read_wait(&t->ld, 0, 10), LDISC_FOREVER);
    assert_int_equal(ldisc_read_wait(&t->ld, 3, 10), LDISC_FOREVER);
    assert_int_equal(ldisc_read_wait(&t->ld, 4, 10), 0);
    assert_int_equal(ldisc_read_wait(&t->ld, 3, 3), 0); /* the buffer is full before MIN */
    raw_mode(t, 4, 7);
    assert_int_equal(ldisc_read_wait(&t->ld, 0, 10), LDISC_FOREVER);
    assert_int_equal(ldisc_read_wait(&t->ld, 1, 10), 7);
    ldisc_hangup(&t->ld);
    assert_int_equal(ldisc_read_wait(&t->ld, 0, 10), 0);
}

static void test_raw_with_echo(void **state)
{
    struct term *t = *state;

    raw_mode(t, 1, 0);
    flags(t, L_ON, ECHO | ECHOCTL);
    type(t, "a\001\n\r");
    SEES(t, "a^A^J^M"); /* nothing is special about a newline here (Linux) */
    READS(t, 10, "a\001\n\r");
}

static void test_switch_to_raw(void **state)
{
    struct term *t = *state;

    type(t, "one\nhalf");
    raw_mode(t, 1, 0);
    assert_int_equal(input_count(t), 8);
    READS(t, 100, "one\nhalf");
}

static void test_switch_to_canonical(void **state)
{
    struct term *t = *state;
    struct termios cooked;

    get(t, &cooked);
    raw_mode(t, 1, 0);
    type(t, "ab\ncd");
    set(t, &cooked);
    READS(t, 100, "ab\ncd"); /* what was there reads as one line */
    WOULD_BLOCK(t);
    type(t, "x\177y\n");
    READS(t, 100, "y\n");
}

static void test_switch_forgets_lnext(void **state)
{
    struct term *t = *state;
    struct termios cooked;

    get(t, &cooked);
    type(t, "\026");
    raw_mode(t, 1, 0);
    set(t, &cooked);
    type(t, "a\n");
    READS(t, 10, "a\n");
}

/* ---- a full queue -------------------------------------------------------------------------- */

static void test_full_line(void **state)
{
    struct term *t = *state;
    char buf[6000];

    flags(t, L_OFF, ECHO);
    memset(buf, 'x', sizeof buf);
    assert_int_equal(type_bytes(t, buf, 5000), 5000);
    WOULD_BLOCK(t);
    type(t, "yz\n"); /* the newest byte replaces the last */
    assert_int_equal(input_count(t), 4096);
    assert_int_equal(read_bytes(t, buf, sizeof buf), 4096);
    assert_memory_equal(buf + 4090, "xxxxx\n", 6);
    type(t, "ok\n");
    READS(t, 10, "ok\n");
}

static void test_full_line_can_be_erased(void **state)
{
    struct term *t = *state;
    char buf[6000];

    flags(t, L_OFF, ECHO);
    memset(buf, 'x', sizeof buf);
    type_bytes(t, buf, 5000);
    type(t, "\025ok\n");
    READS(t, 100, "ok\n");
}

static void test_full_queue_holds_sender(void **state)
{
    struct term *t = *state;
    char buf[6000];

    memset(buf, 'x', sizeof buf);
    assert_int_equal(ldisc_input(&t->ld, "line\n", 5), 5);
    assert_int_equal(ldisc_input(&t->ld, buf, 5000), 4090);
    assert_int_equal(ldisc_input(&t->ld, "\n", 1), 0);
    READS(t, 100, "line\n");
    assert_int_equal(ldisc_input(&t->ld, "\n\n", 2), 2);
    raw_mode(t, 1, 0);
    assert_int_equal(ldisc_read(&t->ld, buf, 100), 100);
    assert_int_equal(ldisc_input(&t->ld, buf, 5000), 103);
    assert_int_equal(ldisc_input_count(&t->ld), 4095);
}

static void test_full_queue_parmrk(void **state)
{
    struct term *t = *state;
    char buf[6000];
    size_t n;

    memset(buf, 0xff, sizeof buf);
    flags(t, I_ON, PARMRK);
    n = ldisc_input(&t->ld, buf, 3000);
    assert_int_equal(n, 3000);
    assert_int_equal(ldisc_input(&t->ld, "\n", 1), 1);
    n = (size_t)ldisc_read(&t->ld, buf, sizeof buf);
    assert_true(n <= LDISC_QUEUE && buf[n - 1] == '\n');
}

int main(void)
{
    static const struct CMUnitTest common[] = {
        BOTH(test_stop_start),
        BOTH(test_ixany),
        BOTH(test_ixon_off),
        BOTH(test_flow_by_call),
        BOTH(test_raw),
        BOTH(test_raw_min_0),
        BOTH(test_pollin_min),
        BOTH(test_raw_with_echo),
        BOTH(test_switch_to_raw),
        BOTH(test_switch_to_canonical),
        BOTH(test_switch_forgets_lnext),
        BOTH(test_full_line),
        BOTH(test_full_line_can_be_erased),
    };
    static const struct CMUnitTest ours[] = {
        BOTH(test_flow_input_by_call), BOTH(test_ixoff),
        BOTH(test_read_wait),          BOTH(test_full_queue_holds_sender),
        BOTH(test_full_queue_parmrk),
    };
    return RUN_BOTH(common, ours);
}
