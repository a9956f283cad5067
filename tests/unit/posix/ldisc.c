/*
 * The terminal line discipline.
 * test-sources: posix/tty/ldisc*.c
 *
 * Most tests talk to a `struct term`, which is either ours or a pseudo-terminal of the machine the
 * tests run on. `make test` runs ours; with LDISC_LINUX=1 in the environment the same tests run
 * against Linux as well, so that a wrong expectation shows, and with LDISC_LINUX=<rounds> so many
 * rounds of random sessions are compared step by step between the two.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <asm/termbits.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "tty/ldisc.h"

#define SCREEN (1u << 17)

struct term {
    struct ldisc ld;     /* ours */
    int master, slave;   /* Linux's, or -1 */
    char screen[SCREEN]; /* what came out since the last look */
    size_t screen_len;
    size_t room; /* ours: how much more the sink takes */
    unsigned discards;
    char signals[64]; /* ours: I, Q and S for the signals raised */
};

/* ---- ours ---------------------------------------------------------------------------------- */

static size_t sink_room(void *ctx)
{
    return ((struct term *)ctx)->room;
}

static void sink_put(void *ctx, const void *bytes, size_t n)
{
    struct term *t = ctx;

    assert_true(n <= t->room);
    assert_true(t->screen_len + n <= SCREEN);
    memcpy(t->screen + t->screen_len, bytes, n);
    t->screen_len += n;
    t->room -= n;
}

static void sink_discard(void *ctx)
{
    ((struct term *)ctx)->discards++;
}

static void sink_signal(void *ctx, int signo)
{
    struct term *t = ctx;

    t->signals[strlen(t->signals)] = signo == 2 ? 'I' : signo == 3 ? 'Q' : signo == 20 ? 'S' : '?';
}

static const struct ldisc_sink sink = {sink_room, sink_put, sink_discard, sink_signal};

/* ---- both ---------------------------------------------------------------------------------- */

static bool is_linux(const struct term *t)
{
    return t->master >= 0;
}

/* Waits until a pseudo-terminal has digested what it was given, and collects what it showed. */
static void settle(struct term *t)
{
    for (int quiet = 0; is_linux(t) && quiet < 4; quiet++) {
        ssize_t n;

        usleep(2500);
        while ((n = read(t->master, t->screen + t->screen_len, SCREEN - t->screen_len)) > 0) {
            t->screen_len += (size_t)n;
            quiet = 0;
        }
    }
}

static size_t type_bytes(struct term *t, const void *bytes, size_t n)
{
    size_t done = 0;

    if (!is_linux(t)) {
        return ldisc_input(&t->ld, bytes, n);
    }
    while (done < n) { /* in small pieces: a burst could overrun the queue between two looks */
        size_t piece = n - done < 64 ? n - done : 64;
        ssize_t r = write(t->master, (const char *)bytes + done, piece);

        assert_true(r > 0);
        done += (size_t)r;
    }
    settle(t);
    return n;
}

static size_t write_bytes(struct term *t, const void *bytes, size_t n)
{
    ssize_t r;

    if (!is_linux(t)) {
        return (size_t)ldisc_output(&t->ld, bytes, n);
    }
    r = write(t->slave, bytes, n);
    settle(t);
    return r < 0 ? 0 : (size_t)r;
}

/* A read with O_NONBLOCK: what a caller of the module does, without the sleeping. */
static long read_bytes(struct term *t, void *buf, size_t n)
{
    long r;

    if (is_linux(t)) {
        r = read(t->slave, buf, n);
        settle(t);
        return r < 0 ? -errno : r;
    }
    r = ldisc_read(&t->ld, buf, n);
    return r == -EAGAIN && ldisc_read_wait(&t->ld, 0, n) == 0 ? 0 : r;
}

static void get(struct term *t, struct termios *tio)
{
    if (is_linux(t)) {
        assert_int_equal(ioctl(t->slave, TCGETS, tio), 0);
    } else {
        ldisc_get_termios(&t->ld, tio);
    }
}

static void set(struct term *t, const struct termios *tio)
{
    if (is_linux(t)) {
        assert_int_equal(ioctl(t->slave, TCSETS, tio), 0);
        settle(t);
    } else {
        ldisc_set_termios(&t->ld, tio);
    }
}

static size_t input_count(struct term *t)
{
    int n = -1;

    if (!is_linux(t)) {
        return ldisc_input_count(&t->ld);
    }
    assert_int_equal(ioctl(t->slave, FIONREAD, &n), 0);
    return (size_t)n;
}

static bool pollin(struct term *t)
{
    struct pollfd p = {.fd = t->slave, .events = POLLIN};

    return is_linux(t) ? poll(&p, 1, 0) == 1 : ldisc_pollin(&t->ld);
}

static void flush(struct term *t, int queue)
{
    if (is_linux(t)) {
        assert_int_equal(ioctl(t->slave, TCFLSH, queue), 0);
        settle(t);
    } else {
        ldisc_flush(&t->ld, queue);
    }
}

static void flow(struct term *t, int action)
{
    if (is_linux(t)) {
        assert_int_equal(ioctl(t->slave, TCXONC, action), 0);
        settle(t);
    } else {
        ldisc_flow(&t->ld, action);
    }
}

enum set_how { I_ON, I_OFF, O_ON, O_OFF, L_ON, L_OFF };

static void flags(struct term *t, enum set_how how, tcflag_t bits)
{
    struct termios tio;
    tcflag_t *f;

    get(t, &tio);
    f = how <= I_OFF ? &tio.c_iflag : how <= O_OFF ? &tio.c_oflag : &tio.c_lflag;
    *f = how == I_ON || how == O_ON || how == L_ON ? *f | bits : *f & ~bits;
    set(t, &tio);
}

static void cc(struct term *t, unsigned which, uint8_t c)
{
    struct termios tio;

    get(t, &tio);
    tio.c_cc[which] = c;
    set(t, &tio);
}

static void raw_mode(struct term *t, uint8_t min, uint8_t time)
{
    struct termios tio;

    get(t, &tio);
    tio.c_iflag = 0;
    tio.c_oflag &= ~(tcflag_t)OPOST;
    tio.c_lflag = 0;
    tio.c_cc[VMIN] = min;
    tio.c_cc[VTIME] = time;
    set(t, &tio);
}

static void type(struct term *t, const char *s)
{
    assert_int_equal(type_bytes(t, s, strlen(s)), strlen(s));
}

static void show_bytes(const char *what, const char *p, size_t n)
{
    print_error("%s:", what);
    for (size_t i = 0; i < n; i++) {
        print_error(p[i] > ' ' && p[i] < 127 ? " %c" : " %02x", (unsigned char)p[i]);
    }
    print_error("\n");
}

static void expect_bytes(const char *got, size_t n, const char *want, size_t want_n, int line)
{
    if (n != want_n || memcmp(got, want, n) != 0) {
        show_bytes("expected", want, want_n);
        show_bytes("got", got, n);
        _fail(__FILE__, line);
    }
}

static void expect_screen(struct term *t, const char *want, size_t n, int line)
{
    expect_bytes(t->screen, t->screen_len, want, n, line);
    t->screen_len = 0;
}

static void expect_read(struct term *t, size_t ask, const char *want, size_t n, int line)
{
    static char buf[8192];
    long r;

    memset(buf, '#', sizeof buf);
    r = read_bytes(t, buf, ask);
    if (r < 0) {
        print_error("read: error %ld\n", r);
        _fail(__FILE__, line);
    }
    expect_bytes(buf, (size_t)r, want, n, line);
    assert_true(buf[r] == '#');
}

/* What the terminal showed since the last look; what a read of so many bytes returns. */
#define SEES(t, s) expect_screen(t, s, sizeof(s) - 1, __LINE__)
#define READS(t, ask, s) expect_read(t, ask, s, sizeof(s) - 1, __LINE__)
#define WOULD_BLOCK(t) assert_int_equal(read_bytes(t, (char[16]){0}, 16), -EAGAIN)

/* ---- set-up -------------------------------------------------------------------------------- */

static bool use_linux;

static void term_open_linux(struct term *t)
{
    char name[32];
    int unlock = 0, number;
    struct termios2 standard;

    t->master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    assert_true(t->master >= 0);
    assert_int_equal(ioctl(t->master, TIOCSPTLCK, &unlock), 0);
    assert_int_equal(ioctl(t->master, TIOCGPTN, &number), 0);
    snprintf(name, sizeof name, "/dev/pts/%d", number);
    t->slave = open(name, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    assert_true(t->slave >= 0);
    ldisc_get_termios2(&t->ld, &standard);
    assert_int_equal(ioctl(t->slave, TCSETS2, &standard), 0);
}

static struct term *term_new(bool linux_too)
{
    struct term *t = calloc(1, sizeof *t);

    assert_non_null(t);
    t->master = t->slave = -1;
    t->room = SIZE_MAX / 2;
    ldisc_init(&t->ld, &sink, t);
    if (linux_too) {
        term_open_linux(t);
    }
    return t;
}

static void term_free(struct term *t)
{
    if (is_linux(t)) {
        close(t->slave);
        close(t->master);
    }
    free(t);
}

static int setup(void **state)
{
    *state = term_new(use_linux);
    return 0;
}

static int teardown(void **state)
{
    term_free(*state);
    return 0;
}

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

#define BOTH(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

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
    BOTH(test_onlcr),
    BOTH(test_output_flags),
    BOTH(test_onlret),
    BOTH(test_xtabs),
    BOTH(test_full_line),
    BOTH(test_full_line_can_be_erased),
    BOTH(test_default_termios),
    BOTH(test_flush),
    BOTH(test_read_nothing),
};

/* What a program on Linux cannot see or bring about. */
static const struct CMUnitTest ours[] = {
    BOTH(test_break),
    BOTH(test_flow_input_by_call),
    BOTH(test_ixoff),
    BOTH(test_read_wait),
    BOTH(test_output_room),
    BOTH(test_echo_waits_for_room),
    BOTH(test_echo_overflow),
    BOTH(test_full_queue_holds_sender),
    BOTH(test_full_queue_parmrk),
    BOTH(test_termios2_speed),
    BOTH(test_hangup),
    BOTH(test_random),
    cmocka_unit_test(test_random_against_linux),
};

int main(void)
{
    int failed = cmocka_run_group_tests_name("ldisc", common, NULL, NULL);

    failed += cmocka_run_group_tests_name("ldisc alone", ours, NULL, NULL);
    if (getenv("LDISC_LINUX")) {
        use_linux = true;
        failed += cmocka_run_group_tests_name("a pseudo-terminal of Linux", common, NULL, NULL);
    }
    return failed != 0;
}
