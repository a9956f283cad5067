/*
 * The terminal line discipline: output, settings, and random sessions.
 * test-sources: posix/tty/ldisc*.c
 */
#include "ldisc_rig.h"

/* ---- output -------------------------------------------------------------------------------- */

static void test_onlcr(void **state)
{
    struct term *t = *state;

    assert_int_equal(write_bytes(t, "a\nb\n", 4), 4);
    SEES(t, "a\r\nb\r\n");
    flags(t, O_OFF, ONLCR);
    write_bytes(t, "a\nb", 3);
    SEES(t, "a\nb");
    flags(t, O_ON, ONLCR);
    flags(t, O_OFF, OPOST);
    write_bytes(t, "a\nb", 3);
    SEES(t, "a\nb");
}

static void test_output_flags(void **state)
{
    struct term *t = *state;

    flags(t, O_ON, OCRNL);
    flags(t, O_OFF, ONLCR);
    write_bytes(t, "a\rb", 3);
    SEES(t, "a\nb");
    flags(t, O_OFF, OCRNL);
    write_bytes(t, "\r", 1);
    flags(t, O_ON, ONOCR);
    write_bytes(t, "\ra\r\r", 4);
    SEES(t, "\ra\r");
    flags(t, O_ON, OLCUC);
    write_bytes(t, "aBz{\344", 5);
    SEES(t, "ABZ{\304");
}

static void test_onlret(void **state)
{
    struct term *t = *state;

    flags(t, O_OFF, ONLCR);
    flags(t, O_ON, TABDLY);
    write_bytes(t, "abc\n\t", 5); /* the newline keeps the column */
    SEES(t, "abc\n     ");
    flags(t, O_ON, ONLRET);
    write_bytes(t, "abc\n\t", 5);
    SEES(t, "abc\n        ");
}

static void test_xtabs(void **state)
{
    struct term *t = *state;

    flags(t, O_ON, TABDLY);
    write_bytes(t, "\ta\tbb\b\tc\r\t", 10);
    SEES(t, "        a       bb\b       c\r        ");
    flags(t, I_ON, IUTF8);
    write_bytes(t, "\r\303\244\t", 4);
    SEES(t, "\r\303\244       ");
}

static void test_output_room(void **state)
{
    struct term *t = *state;

    t->room = 3;
    assert_int_equal(write_bytes(t, "ab\ncd", 5), 2); /* CR and NL go together */
    SEES(t, "ab");
    t->room += 3;
    assert_int_equal(write_bytes(t, "\ncd", 3), 3);
    SEES(t, "\r\ncd");
    flags(t, O_ON, TABDLY);
    t->room = 5;
    assert_int_equal(write_bytes(t, "\t", 1), 0); /* a tab from column 2 is 6 spaces */
    t->room = 6;
    assert_int_equal(write_bytes(t, "\t", 1), 1);
    flags(t, O_OFF, OPOST);
    t->room = 2;
    assert_int_equal(write_bytes(t, "abc", 3), 2);
    assert_int_equal(write_bytes(t, "c", 1), 0);
}

static void test_echo_waits_for_room(void **state)
{
    struct term *t = *state;

    t->room = 0;
    type(t, "ab\001");
    assert_int_equal(ldisc_echo_count(&t->ld), 6); /* mark, a, b, ^A */
    t->room = 3;
    assert_int_equal(write_bytes(t, "out", 3), 1); /* the echo goes first; ^A needs two */
    SEES(t, "abo");
    t->room = 20;
    ldisc_pump(&t->ld);
    SEES(t, "^A");
    assert_int_equal(ldisc_echo_count(&t->ld), 0);
}

static void test_echo_overflow(void **state)
{
    struct term *t = *state;

    t->room = 0;
    raw_mode(t, 1, 0);
    flags(t, L_ON, ECHO | ECHOCTL);
    for (int i = 0; i < 20000; i++) {
        char buf[16];

        assert_int_equal(ldisc_input(&t->ld, i % 3 ? "a" : "\001", 1), 1);
        assert_int_equal(ldisc_read(&t->ld, buf, sizeof buf), 1);
    }
    assert_true(ldisc_echo_count(&t->ld) <= LDISC_QUEUE);
    t->room = SCREEN;
    ldisc_pump(&t->ld);
    assert_true(t->screen_len > LDISC_QUEUE / 2);
    expect_bytes(t->screen + t->screen_len - 7, 7, "^Aaa^Aa", 7, __LINE__);
}

/* ---- settings, flushing, hangup ------------------------------------------------------------ */

static void test_default_termios(void **state)
{
    struct term *t = *state;
    struct termios tio;

    get(t, &tio);
    assert_int_equal(tio.c_iflag, 02400);
    assert_int_equal(tio.c_oflag, 05);
    assert_int_equal(tio.c_cflag, 02277);
    assert_int_equal(tio.c_lflag, 0105073);
    assert_memory_equal(tio.c_cc, "\003\034\177\025\004\0\1\0\021\023\032\0\022\017\027\026\0\0\0",
                        19);
}

static void test_termios2_speed(void **state)
{
    struct term *t = *state;
    struct termios tio;
    struct termios2 tio2;

    ldisc_get_termios2(&t->ld, &tio2);
    assert_int_equal(tio2.c_ospeed, 38400);
    ldisc_get_termios(&t->ld, &tio);
    tio.c_cflag = (tio.c_cflag & ~(tcflag_t)CBAUD) | B115200;
    ldisc_set_termios(&t->ld, &tio);
    ldisc_get_termios2(&t->ld, &tio2);
    assert_int_equal(tio2.c_ospeed, 115200);
    tio2.c_cflag = (tio2.c_cflag & ~(tcflag_t)CBAUD) | BOTHER;
    tio2.c_ospeed = tio2.c_ispeed = 12345;
    ldisc_set_termios2(&t->ld, &tio2);
    ldisc_get_termios(&t->ld, &tio);
    tio.c_lflag &= ~(tcflag_t)ECHO;
    ldisc_set_termios(&t->ld, &tio);
    ldisc_get_termios2(&t->ld, &tio2);
    assert_int_equal(tio2.c_ospeed, 12345);
}

static void test_flush(void **state)
{
    struct term *t = *state;

    type(t, "line\nhalf");
    flush(t, TCIFLUSH);
    assert_int_equal(input_count(t), 0);
    WOULD_BLOCK(t);
    type(t, "x\n");
    READS(t, 10, "x\n");
    type(t, "keep\n");
    flush(t, TCOFLUSH);
    READS(t, 10, "keep\n");
    if (!is_linux(t)) {
        assert_int_equal(t->discards, 1);
    }
}

static void test_hangup(void **state)
{
    struct term *t = *state;
    char c;

    type(t, "line\n");
    ldisc_hangup(&t->ld);
    assert_true(ldisc_readable(&t->ld));
    assert_true(ldisc_pollin(&t->ld));
    assert_int_equal(ldisc_read(&t->ld, &c, 1), 0);
    assert_int_equal(ldisc_output(&t->ld, "x", 1), -EIO);
    assert_int_equal(ldisc_input(&t->ld, "x", 1), 1);
    assert_int_equal(ldisc_read(&t->ld, &c, 1), 0);
    assert_int_equal(ldisc_input_count(&t->ld), 0);
}

static void test_read_nothing(void **state)
{
    struct term *t = *state;

    type(t, "\004");
    assert_int_equal(read_bytes(t, NULL, 0), 0);
    READS(t, 10, ""); /* the end of file is still there */
}

/* ---- random sessions ----------------------------------------------------------------------- */

static uint64_t rnd_state;

static uint32_t rnd(uint32_t n)
{
    rnd_state = rnd_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(rnd_state >> 33) % n;
}

static uint8_t rnd_byte(void)
{
    static const uint8_t keys[] = "\003\004\004\b\n\n\n\r\t\t\021\022\023\025\026\027\032\034"
                                  "\177\177\177 ;_\303\244\342\202\254\377\001\0";

    return rnd(2) ? keys[rnd(sizeof keys)] : (uint8_t)(rnd(8) ? 'a' + rnd(26) : rnd(256));
}

static void rnd_settings(struct termios *tio)
{
    static const tcflag_t i[] = {ICRNL, INLCR, IGNCR, ISTRIP, IUCLC, IUTF8, IXON, IXANY, PARMRK};
    static const tcflag_t o[] = {OPOST, ONLCR, OCRNL, ONOCR, ONLRET, OLCUC, TABDLY};
    static const tcflag_t l[] = {ICANON, ECHO,    ECHOE, ECHOK,  ECHOKE, ECHOCTL,
                                 ECHONL, ECHOPRT, ISIG,  NOFLSH, IEXTEN};

    for (unsigned k = rnd(4); k > 0; k--) {
        tio->c_iflag ^= i[rnd(sizeof i / sizeof i[0])];
        tio->c_oflag ^= o[rnd(sizeof o / sizeof o[0])];
        tio->c_lflag ^= l[rnd(sizeof l / sizeof l[0])];
    }
    tio->c_cc[VEOL] = rnd(3) ? 0 : ';';
    tio->c_cc[VEOL2] = rnd(3) ? 0 : '_';
    tio->c_cc[VMIN] = (uint8_t)rnd(3);
    tio->c_cc[VTIME] = 0;
}

static void check_invariants(const struct ldisc *ld)
{
    if (ld->t.c_lflag & ICANON) {
        assert_true(ld->line - ld->tail <= LDISC_QUEUE);
        assert_true(ld->head - ld->line <= LDISC_QUEUE);
    }
    assert_true(ld->head - ld->tail <= LDISC_QUEUE);
    assert_true(ld->echo_head - ld->echo_tail <= LDISC_QUEUE);
}

/* For the sanitizers: long sessions, with a sink that is often full. */
static void test_random(void **state)
{
    struct term *t = *state;
    uint8_t buf[512];

    rnd_state = 1;
    for (int step = 0; step < 60000; step++) {
        struct termios tio;
        size_t n = rnd(rnd(50) ? 20 : sizeof buf);

        for (size_t i = 0; i < n; i++) {
            buf[i] = rnd_byte();
        }
        t->room = rnd(3) ? 1000 : rnd(12);
        switch (rnd(5)) {
        case 0:
            get(t, &tio);
            rnd_settings(&tio);
            set(t, &tio);
            break;
        case 1:
            write_bytes(t, buf, n);
            break;
        case 2:
            read_bytes(t, buf, n);
            break;
        default:
            type_bytes(t, buf, n);
            break;
        }
        if (rnd(1000) == 0) {
            flush(t, (int)rnd(3));
        }
        check_invariants(&t->ld);
        memset(t->signals, 0, sizeof t->signals);
        t->screen_len = 0;
    }
}

/* One step on both terminals; they must agree on everything a program or a user can see. False: a
 * signal came, and how much unsent output its flush finds is a matter of timing on Linux. */
static bool compare_step(struct term *a, struct term *b)
{
    uint8_t buf[64], ra[64], rb[64];
    struct termios tio;
    size_t n = rnd(sizeof buf);
    long la, lb;

    for (size_t i = 0; i < n; i++) {
        buf[i] = rnd_byte();
    }
    switch (rnd(6)) {
    case 0:
        get(a, &tio);
        rnd_settings(&tio);
        set(a, &tio);
        set(b, &tio);
        break;
    case 1:
        assert_int_equal(write_bytes(a, buf, n), write_bytes(b, buf, n));
        break;
    case 2:
    case 3:
        n = rnd(8) ? n : 1 + rnd(3);
        la = read_bytes(a, ra, n);
        lb = read_bytes(b, rb, n);
        assert_int_equal(la, lb);
        assert_true(la <= 0 || memcmp(ra, rb, (size_t)la) == 0);
        break;
    default:
        type_bytes(a, buf, n);
        type_bytes(b, buf, n);
        break;
    }
    assert_int_equal(input_count(a), input_count(b));
    assert_int_equal(pollin(a), pollin(b));
    if (a->discards > 0) {
        return false;
    }
    expect_screen(b, a->screen, a->screen_len, __LINE__);
    a->screen_len = 0;
    memset(a->signals, 0, sizeof a->signals);
    return true;
}

static void test_random_against_linux(void **state)
{
    const char *env = getenv("LDISC_LINUX");
    long rounds = env ? strtol(env, NULL, 10) : 0;
    (void)state;

    if (rounds <= 0) {
        skip();
    }
    for (long round = 0; round < rounds; round++) {
        struct term *a = term_new(false), *b = term_new(true);

        rnd_state = (uint64_t)round * 7919 + 17;
        for (int step = 0; step < 60 && compare_step(a, b); step++) {
        }
        term_free(a);
        term_free(b);
    }
}

int main(void)
{
    static const struct CMUnitTest common[] = {
        BOTH(test_onlcr),        BOTH(test_output_flags),    BOTH(test_onlret),
        BOTH(test_xtabs),        BOTH(test_default_termios), BOTH(test_flush),
        BOTH(test_read_nothing),
    };
    static const struct CMUnitTest ours[] = {
        BOTH(test_output_room),
        BOTH(test_echo_waits_for_room),
        BOTH(test_echo_overflow),
        BOTH(test_termios2_speed),
        BOTH(test_hangup),
        BOTH(test_random),
        cmocka_unit_test(test_random_against_linux),
    };
    return RUN_BOTH(common, ours);
}
