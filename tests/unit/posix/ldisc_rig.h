/*
 * A terminal for the tests of the line discipline, ours or the one of the machine they run on.
 *
 * Most tests talk to a `struct term`, which is either ours or a pseudo-terminal of the machine the
 * tests run on. `make test` runs ours; with LDISC_LINUX=1 in the environment the same tests run
 * against Linux as well, so that a wrong expectation shows, and with LDISC_LINUX=<rounds> so many
 * rounds of random sessions are compared step by step between the two.
 */
#ifndef TESTS_UNIT_POSIX_LDISC_RIG_H
#define TESTS_UNIT_POSIX_LDISC_RIG_H

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

#include <nx_base.h>

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

static inline size_t sink_room(void *ctx)
{
    return ((struct term *)ctx)->room;
}

static inline void sink_put(void *ctx, const void *bytes, size_t n)
{
    struct term *t = ctx;

    assert_true(n <= t->room);
    assert_true(t->screen_len + n <= SCREEN);
    memcpy(t->screen + t->screen_len, bytes, n);
    t->screen_len += n;
    t->room -= n;
}

static inline void sink_discard(void *ctx)
{
    ((struct term *)ctx)->discards++;
}

static inline void sink_signal(void *ctx, int signo)
{
    struct term *t = ctx;

    t->signals[strlen(t->signals)] = signo == 2 ? 'I' : signo == 3 ? 'Q' : signo == 20 ? 'S' : '?';
}

static const struct ldisc_sink sink = {sink_room, sink_put, sink_discard, sink_signal};

/* ---- both ---------------------------------------------------------------------------------- */

static inline bool is_linux(const struct term *t)
{
    return t->master >= 0;
}

/* Waits until a pseudo-terminal has digested what it was given, and collects what it showed. */
static inline void settle(struct term *t)
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

static inline size_t type_bytes(struct term *t, const void *bytes, size_t n)
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

static inline size_t write_bytes(struct term *t, const void *bytes, size_t n)
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
static inline long read_bytes(struct term *t, void *buf, size_t n)
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

static inline void get(struct term *t, struct termios *tio)
{
    if (is_linux(t)) {
        assert_int_equal(ioctl(t->slave, TCGETS, tio), 0);
    } else {
        ldisc_get_termios(&t->ld, tio);
    }
}

static inline void set(struct term *t, const struct termios *tio)
{
    if (is_linux(t)) {
        assert_int_equal(ioctl(t->slave, TCSETS, tio), 0);
        settle(t);
    } else {
        ldisc_set_termios(&t->ld, tio);
    }
}

static inline size_t input_count(struct term *t)
{
    int n = -1;

    if (!is_linux(t)) {
        return ldisc_input_count(&t->ld);
    }
    assert_int_equal(ioctl(t->slave, FIONREAD, &n), 0);
    return (size_t)n;
}

static inline bool pollin(struct term *t)
{
    struct pollfd p = {.fd = t->slave, .events = POLLIN};

    return is_linux(t) ? poll(&p, 1, 0) == 1 : ldisc_pollin(&t->ld);
}

static inline void flush(struct term *t, int queue)
{
    if (is_linux(t)) {
        assert_int_equal(ioctl(t->slave, TCFLSH, queue), 0);
        settle(t);
    } else {
        ldisc_flush(&t->ld, queue);
    }
}

static inline void flow(struct term *t, int action)
{
    if (is_linux(t)) {
        assert_int_equal(ioctl(t->slave, TCXONC, action), 0);
        settle(t);
    } else {
        ldisc_flow(&t->ld, action);
    }
}

enum set_how { I_ON, I_OFF, O_ON, O_OFF, L_ON, L_OFF };

static inline void flags(struct term *t, enum set_how how, tcflag_t bits)
{
    struct termios tio;
    tcflag_t *f;

    get(t, &tio);
    f = how <= I_OFF ? &tio.c_iflag : how <= O_OFF ? &tio.c_oflag : &tio.c_lflag;
    *f = how == I_ON || how == O_ON || how == L_ON ? *f | bits : *f & ~bits;
    set(t, &tio);
}

static inline void cc(struct term *t, unsigned which, uint8_t c)
{
    struct termios tio;

    get(t, &tio);
    tio.c_cc[which] = c;
    set(t, &tio);
}

static inline void raw_mode(struct term *t, uint8_t min, uint8_t time)
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

static inline void type(struct term *t, const char *s)
{
    assert_int_equal(type_bytes(t, s, strlen(s)), strlen(s));
}

static inline void show_bytes(const char *what, const char *p, size_t n)
{
    print_error("%s:", what);
    for (size_t i = 0; i < n; i++) {
        print_error(p[i] > ' ' && p[i] < 127 ? " %c" : " %02x", (unsigned char)p[i]);
    }
    print_error("\n");
}

static inline void expect_bytes(const char *got, size_t n, const char *want, size_t want_n,
                                int line)
{
    if (n != want_n || memcmp(got, want, n) != 0) {
        show_bytes("expected", want, want_n);
        show_bytes("got", got, n);
        _fail(__FILE__, line);
    }
}

static inline void expect_screen(struct term *t, const char *want, size_t n, int line)
{
    expect_bytes(t->screen, t->screen_len, want, n, line);
    t->screen_len = 0;
}

static inline void expect_read(struct term *t, size_t ask, const char *want, size_t n, int line)
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

static inline void term_open_linux(struct term *t)
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

static inline struct term *term_new(bool linux_too)
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

static inline void term_free(struct term *t)
{
    if (is_linux(t)) {
        close(t->slave);
        close(t->master);
    }
    free(t);
}

static inline int setup(void **state)
{
    *state = term_new(use_linux);
    return 0;
}

static inline int teardown(void **state)
{
    term_free(*state);
    return 0;
}

/* `common` of ours, `ours` of what a program on Linux cannot see or bring about; when it is wanted `common` of Linux'. */
static inline int run_both(const struct CMUnitTest *common, size_t commons,
                           const struct CMUnitTest *ours, size_t n)
{
    int failed = _cmocka_run_group_tests("ldisc", common, commons, NULL, NULL);
    failed += _cmocka_run_group_tests("ldisc alone", ours, n, NULL, NULL);
    if (getenv("LDISC_LINUX")) {
        use_linux = true;
        failed +=
            _cmocka_run_group_tests("a pseudo-terminal of Linux", common, commons, NULL, NULL);
    }
    return failed != 0;
}

#define BOTH(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
#define RUN_BOTH(common, ours) run_both(common, ARRAY_LEN(common), ours, ARRAY_LEN(ours))

#endif
