/*
 * The terminal line discipline: canonical mode, the translation of input, signals.
 * test-sources: posix/tty/ldisc*.c
 */
#include "ldisc_rig.h"

/* ---- canonical mode ------------------------------------------------------------------------ */

static void test_line(void **state)
{
    struct term *t = *state;

    WOULD_BLOCK(t);
    assert_false(pollin(t));
    type(t, "hel");
    SEES(t, "hel");
    WOULD_BLOCK(t);
    type(t, "lo\r");
    SEES(t, "lo\r\n");
    assert_true(pollin(t));
    assert_int_equal(input_count(t), 6);
    READS(t, 100, "hello\n");
    WOULD_BLOCK(t);
}

static void test_one_line_a_read(void **state)
{
    struct term *t = *state;

    type(t, "one\ntwo\n\nfour");
    assert_int_equal(input_count(t), 9);
    READS(t, 100, "one\n");
    READS(t, 100, "two\n");
    READS(t, 100, "\n");
    WOULD_BLOCK(t);
    type(t, "\n");
    READS(t, 100, "four\n");
}

static void test_line_in_pieces(void **state)
{
    struct term *t = *state;

    type(t, "abcdef\nx\n");
    READS(t, 2, "ab");
    READS(t, 3, "cde");
    assert_int_equal(input_count(t), 4);
    READS(t, 1, "f");
    READS(t, 1, "\n");
    READS(t, 1, "x");
    READS(t, 5, "\n");
    WOULD_BLOCK(t);
}

static void test_eof(void **state)
{
    struct term *t = *state;

    type(t, "\004");
    assert_true(pollin(t));
    assert_int_equal(input_count(t), 0);
    READS(t, 10, "");
    WOULD_BLOCK(t);
    type(t, "abc\004");
    SEES(t, "abc");
    assert_int_equal(input_count(t), 3);
    READS(t, 10, "abc");
    WOULD_BLOCK(t);
    type(t, "abc\004\004def\n");
    READS(t, 10, "abc");
    READS(t, 10, "");
    READS(t, 10, "def\n");
    WOULD_BLOCK(t);
}

static void test_eof_for_several_readers(void **state)
{
    struct term *t = *state;

    type(t, "\004\004\004");
    READS(t, 10, "");
    READS(t, 1, "");
    READS(t, 10, "");
    WOULD_BLOCK(t);
}

static void test_eof_after_full_read(void **state)
{
    struct term *t = *state;

    type(t, "abc\004");
    READS(t, 3, "abc");
    WOULD_BLOCK(t);
    type(t, "abcd\004\004");
    READS(t, 2, "ab");
    READS(t, 2, "cd");
    READS(t, 2, "");
    WOULD_BLOCK(t);
    type(t, "ab\n\004");
    READS(t, 3, "ab\n"); /* this one is for the next reader */
    READS(t, 3, "");
    WOULD_BLOCK(t);
}

static void test_nul_is_data(void **state)
{
    struct term *t = *state;

    type_bytes(t, "a\0b\n", 4);
    SEES(t, "a^@b\r\n");
    READS(t, 10, "a\0b\n");
}

static void test_eol(void **state)
{
    struct term *t = *state;

    cc(t, VEOL, ';');
    cc(t, VEOL2, '.');
    type(t, "ab;cd.ef");
    SEES(t, "ab;cd.ef");
    READS(t, 10, "ab;");
    READS(t, 10, "cd.");
    WOULD_BLOCK(t);
    flags(t, L_OFF, IEXTEN); /* turns VEOL2 off, VEOL stays */
    type(t, ".;");
    READS(t, 10, "ef.;");
}

static void test_erase(void **state)
{
    struct term *t = *state;

    type(t, "abc\177");
    SEES(t, "abc\b \b");
    type(t, "\177\177\177\177x\n");
    SEES(t, "\b \b\b \bx\r\n");
    READS(t, 10, "x\n");
    type(t, "\001\177b\n");
    SEES(t, "^A\b \b\b \bb\r\n");
    READS(t, 10, "b\n");
}

static void test_erase_stops_at_line(void **state)
{
    struct term *t = *state;

    type(t, "done\n\177\177ab\004\177c\n");
    READS(t, 10, "done\n");
    READS(t, 10, "ab");
    READS(t, 10, "c\n");
}

static void test_erase_without_echoe(void **state)
{
    struct term *t = *state;

    flags(t, L_OFF, ECHOE);
    type(t, "abc\177d\n");
    SEES(t, "abc^?d\r\n");
    READS(t, 10, "abd\n");
}

static void test_erase_control_without_echoctl(void **state)
{
    struct term *t = *state;

    flags(t, L_OFF, ECHOCTL);
    type(t, "a\001b\177\177\177");
    SEES(t, "a\001b\b \b\b \b");
}

static void test_erase_utf8(void **state)
{
    struct term *t = *state;

    type(t, "\303\244\177x\n"); /* without IUTF8 half a character goes */
    READS(t, 10, "\303x\n");
    t->screen_len = 0;
    flags(t, I_ON, IUTF8);
    type(t, "a\303\244\342\202\254\177\177b\n");
    SEES(t, "a\303\244\342\202\254\b \b\b \bb\r\n");
    READS(t, 10, "ab\n");
    type(t, "\244\177c\n"); /* a character whose start is missing is not erased */
    READS(t, 10, "\244c\n");
}

static void test_erase_word(void **state)
{
    struct term *t = *state;

    type(t, "ls foo_1/bar  \027");
    SEES(t, "ls foo_1/bar  \b \b\b \b\b \b\b \b\b \b");
    type(t, "\027");
    SEES(t, "\b \b\b \b\b \b\b \b\b \b\b \b");
    type(t, "x\n");
    READS(t, 20, "ls x\n");
}

static void test_kill(void **state)
{
    struct term *t = *state;

    type(t, "abc\025x\n");
    SEES(t, "abc\b \b\b \b\b \bx\r\n");
    READS(t, 10, "x\n");
    flags(t, L_OFF, ECHOKE);
    type(t, "abc\025x\n");
    SEES(t, "abc^U\r\nx\r\n");
    READS(t, 10, "x\n");
    flags(t, L_OFF, ECHOK);
    type(t, "abc\025x\n");
    SEES(t, "abc^Ux\r\n");
    READS(t, 10, "x\n");
    flags(t, L_OFF, ECHO);
    type(t, "abc\025x\n");
    SEES(t, "");
    READS(t, 10, "x\n");
}

static void test_erase_tab(void **state)
{
    struct term *t = *state;

    type(t, "ab\t\177");
    SEES(t, "ab\t\b\b\b\b\b\b");
    type(t, "\t\t\177\177\025\n");
    SEES(t, "\t\t\b\b\b\b\b\b\b\b\b\b\b\b\b\b\b \b\b \b\r\n");
    READS(t, 10, "\n");
    write_bytes(t, "12345", 5); /* a prompt moves the tab stops of what is typed after it */
    type(t, "a\t\177");
    SEES(t, "12345a\t\b\b");
    type(t, "\001\t\177");
    SEES(t, "^A\t\b\b\b\b\b\b\b\b");
}

static void test_echoprt(void **state)
{
    struct term *t = *state;

    flags(t, L_ON, ECHOPRT);
    type(t, "abc\177\177d\n");
    SEES(t, "abc\\cb/d\r\n");
    READS(t, 10, "ad\n");
    type(t, "ab\177\177");
    SEES(t, "ab\\ba/");
    flags(t, I_ON, IUTF8);
    type(t, "x\303\244\177\n");
    SEES(t, "x\303\244\\\303\244\r\n"); /* a newline does not close the group (Linux) */
}

static void test_lnext(void **state)
{
    struct term *t = *state;

    type(t, "a\026\003\026\177\026\nb\n");
    SEES(t, "a^\b^C^\b^?^\b^Jb\r\n");
    READS(t, 10, "a\003\177\nb\n");
    flags(t, L_OFF, IEXTEN);
    type(t, "a\026b\n");
    SEES(t, "a^Vb\r\n");
    READS(t, 10, "a\026b\n");
}

static void test_lnext_newline_does_not_end(void **state)
{
    struct term *t = *state;

    type(t, "a\026\n");
    WOULD_BLOCK(t);
    type(t, "\026\004");
    WOULD_BLOCK(t);
    type(t, "\n");
    READS(t, 10, "a\n\004\n");
}

static void test_reprint(void **state)
{
    struct term *t = *state;

    type(t, "old\nab\001c");
    t->screen_len = 0;
    type(t, "\022");
    SEES(t, "^R\r\nab^Ac");
    type(t, "\n");
    READS(t, 10, "old\n");
    READS(t, 10, "ab\001c\n");
    flags(t, L_OFF, ECHO);
    type(t, "\022\n"); /* without echo it is data */
    READS(t, 10, "\022\n");
}

/* ---- input translation --------------------------------------------------------------------- */

static void test_cr_nl(void **state)
{
    struct term *t = *state;

    flags(t, I_OFF, ICRNL);
    type(t, "a\rb\n");
    SEES(t, "a^Mb\r\n");
    READS(t, 10, "a\rb\n");
    flags(t, I_ON, IGNCR | ICRNL);
    type(t, "a\rb\n");
    READS(t, 10, "ab\n");
    flags(t, I_OFF, IGNCR);
    flags(t, I_ON, INLCR);
    type(t, "a\nb\r");
    READS(t, 10, "a\rb\n");
}

static void test_strip_and_case(void **state)
{
    struct term *t = *state;

    flags(t, I_ON, ISTRIP | IUCLC);
    type(t, "\301B\342\215"); /* A B b CR with the top bit here and there */
    SEES(t, "abb\r\n");
    READS(t, 10, "abb\n");
    type(t, "\026C\n"); /* also what follows VLNEXT */
    READS(t, 10, "c\n");
    flags(t, L_OFF, IEXTEN);
    type(t, "C\n");
    READS(t, 10, "C\n");
}

static void test_parmrk_doubles(void **state)
{
    struct term *t = *state;

    flags(t, I_ON, PARMRK);
    type(t, "a\377b\n");
    READS(t, 10, "a\377\377b\n");
}

static void test_echo_of_0xff(void **state)
{
    struct term *t = *state;

    type(t, "\377\n");
    SEES(t, "\377\r\n");
    READS(t, 10, "\377\n");
}

static void test_echo_off(void **state)
{
    struct term *t = *state;

    flags(t, L_OFF, ECHO);
    type(t, "secret\177t\n");
    SEES(t, "");
    READS(t, 10, "secret\n");
    flags(t, L_ON, ECHONL);
    type(t, "x\n");
    SEES(t, "\r\n");
}

static void test_echo_without_opost(void **state)
{
    struct term *t = *state;

    flags(t, O_OFF, OPOST);
    type(t, "ab\001\n");
    SEES(t, "ab^A\n");
}

/* ---- signals ------------------------------------------------------------------------------- */

static void test_signals(void **state)
{
    struct term *t = *state;

    type(t, "abc");
    SEES(t, "abc");
    type(t, "\003");
    SEES(t, "^C");
    type(t, "d\n");
    READS(t, 10, "d\n");
    type(t, "line\nabc\034");
    WOULD_BLOCK(t); /* complete lines are flushed too */
    type(t, "x\032");
    if (!is_linux(t)) {
        assert_string_equal(t->signals, "IQS");
        assert_int_equal(t->discards, 3);
    }
}

static void test_signals_noflsh(void **state)
{
    struct term *t = *state;

    flags(t, L_ON, NOFLSH);
    type(t, "ab\003c\n");
    SEES(t, "ab^Cc\r\n");
    READS(t, 10, "abc\n");
    assert_int_equal(t->discards, 0);
}

static void test_signals_off(void **state)
{
    struct term *t = *state;

    flags(t, L_OFF, ISIG);
    type(t, "\003\034\032\n");
    SEES(t, "^C^\\^Z\r\n");
    READS(t, 10, "\003\034\032\n");
    assert_string_equal(t->signals, "");
    flags(t, L_ON, ISIG);
    cc(t, VINTR, 0);
    type_bytes(t, "\003\0\n", 3); /* a disabled character matches nothing, NUL neither */
    READS(t, 10, "\003\0\n");
    assert_string_equal(t->signals, "");
}

static void test_signal_in_raw_mode(void **state)
{
    struct term *t = *state;

    raw_mode(t, 1, 0);
    flags(t, L_ON, ISIG);
    type(t, "ab\003cd");
    SEES(t, "");
    READS(t, 10, "cd");
}

static void test_signal_restarts_output(void **state)
{
    struct term *t = *state;

    type(t, "\023");
    assert_int_equal(write_bytes(t, "held", 4), 0);
    type(t, "\003");
    SEES(t, "^C");
    assert_int_equal(write_bytes(t, "on", 2), 2);
    SEES(t, "on");
}

static void test_break(void **state)
{
    struct term *t = *state;

    ldisc_input_break(&t->ld);
    ldisc_input(&t->ld, "\n", 1);
    READS(t, 10, "\0\n");
    flags(t, I_ON, PARMRK);
    ldisc_input_break(&t->ld);
    ldisc_input(&t->ld, "\n", 1);
    READS(t, 10, "\377\0\0\n");
    flags(t, I_ON, BRKINT);
    ldisc_input_break(&t->ld);
    assert_string_equal(t->signals, "I");
    flags(t, I_ON, IGNBRK);
    ldisc_input_break(&t->ld);
    assert_string_equal(t->signals, "I");
    WOULD_BLOCK(t);
}

int main(void)
{
    static const struct CMUnitTest common[] = {
        BOTH(test_line),
        BOTH(test_one_line_a_read),
        BOTH(test_line_in_pieces),
        BOTH(test_eof),
        BOTH(test_eof_for_several_readers),
        BOTH(test_eof_after_full_read),
        BOTH(test_nul_is_data),
        BOTH(test_eol),
        BOTH(test_erase),
        BOTH(test_erase_stops_at_line),
        BOTH(test_erase_without_echoe),
        BOTH(test_erase_control_without_echoctl),
        BOTH(test_erase_utf8),
        BOTH(test_erase_word),
        BOTH(test_kill),
        BOTH(test_erase_tab),
        BOTH(test_echoprt),
        BOTH(test_lnext),
        BOTH(test_lnext_newline_does_not_end),
        BOTH(test_reprint),
        BOTH(test_cr_nl),
        BOTH(test_strip_and_case),
        BOTH(test_parmrk_doubles),
        BOTH(test_echo_of_0xff),
        BOTH(test_echo_off),
        BOTH(test_echo_without_opost),
        BOTH(test_signals),
        BOTH(test_signals_noflsh),
        BOTH(test_signals_off),
        BOTH(test_signal_in_raw_mode),
        BOTH(test_signal_restarts_output),
    };
    static const struct CMUnitTest ours[] = {
        BOTH(test_break),
    };
    return RUN_BOTH(common, ours);
}
