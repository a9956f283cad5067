/*
 * The controlling terminal: settings, modes, job control. Skipped where there is none. Input is
 * typed with TIOCSTI; the terminal gets its settings and its foreground group back at the end.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "test.h"

static int tty;
static pid_t old_group;
static struct termios old_settings;

static void give_back(void)
{
    handle(SIGTTOU, SIG_IGN, 0, 0);
    tcsetattr(tty, TCSAFLUSH, &old_settings);
    tcsetpgrp(tty, old_group);
}

static void setup(void)
{
    struct termios t;

    tty = open("/dev/tty", O_RDWR | O_CLOEXEC);
    if (tty < 0) {
        SKIP("no terminal");
    }
    handle(SIGTTOU, SIG_IGN, 0, 0); /* so that a background group may do this */
    OK(tcgetattr(tty, &old_settings));
    old_group = OK(tcgetpgrp(tty));
    OK(tcsetpgrp(tty, getpgrp()));
    handle(SIGTTOU, SIG_DFL, 0, 0);
    t = old_settings;
    t.c_lflag = (t.c_lflag | ICANON | ISIG | IEXTEN) & ~(tcflag_t)(ECHO | TOSTOP | NOFLSH);
    t.c_iflag = (t.c_iflag | ICRNL) & ~(tcflag_t)(IGNCR | INLCR);
    OK(tcsetattr(tty, TCSAFLUSH, &t));
}

static void type(const char *text)
{
    for (; *text; text++) {
        if (ioctl(tty, TIOCSTI, text) < 0) {
            give_back();
            SKIP("TIOCSTI is not allowed");
        }
    }
}

static void lflag(tcflag_t on, tcflag_t off)
{
    struct termios t;

    OK(tcgetattr(tty, &t));
    t.c_lflag = (t.c_lflag | on) & ~off;
    OK(tcsetattr(tty, TCSANOW, &t));
}

static void raw(int min, int time)
{
    struct termios t;

    OK(tcgetattr(tty, &t));
    t.c_lflag &= ~(tcflag_t)(ICANON | ISIG | ECHO | IEXTEN);
    t.c_iflag &= ~(tcflag_t)(ICRNL | IXON);
    t.c_cc[VMIN] = (cc_t)min;
    t.c_cc[VTIME] = (cc_t)time;
    OK(tcsetattr(tty, TCSANOW, &t));
}

static void expect_read(const char *text)
{
    char buf[100];
    ssize_t n = OK(read(tty, buf, sizeof buf));

    EQ(n, strlen(text));
    CHECK(memcmp(buf, text, (size_t)n) == 0);
}

static void lines(void)
{
    setup();
    type("one\ntwo\n");
    expect_read("one\n");
    expect_read("two\n");
    type("abc\177d\025new\r");
    expect_read("new\n");
    type("half\004");
    expect_read("half");
    type("\004");
    expect_read("");
    give_back();
}

static void counts(void)
{
    struct pollfd p;
    int n = -1;

    setup();
    p = (struct pollfd){tty, POLLIN, 0};
    EQ(poll(&p, 1, 0), 0);
    type("abc");
    EQ(poll(&p, 1, 0), 0); /* not a line yet */
    OK(ioctl(tty, FIONREAD, &n));
    EQ(n, 0);
    type("\n");
    EQ(poll(&p, 1, 1000), 1);
    OK(ioctl(tty, FIONREAD, &n));
    EQ(n, 4);
    OK(tcflush(tty, TCIFLUSH));
    EQ(poll(&p, 1, 0), 0);
    give_back();
}

static void not_blocking(void)
{
    char c;

    setup();
    OK(fcntl(tty, F_SETFL, O_NONBLOCK));
    ERR(read(tty, &c, 1), EAGAIN);
    type("x\n");
    OK(read(tty, &c, 1));
    EQ(c, 'x');
    give_back();
}

static void raw_reads(void)
{
    int64_t start;

    setup();
    raw(1, 0);
    type("\003\r\004x");
    expect_read("\003\r\004x");
    raw(0, 0);
    expect_read("");
    raw(0, 2);
    start = now_ms();
    expect_read("");
    CHECK(now_ms() - start >= 190 && now_ms() - start < 1500);
    type("k");
    expect_read("k");
    raw(5, 1); /* fewer than five, but then nothing for a tenth of a second */
    type("abc");
    start = now_ms();
    expect_read("abc");
    CHECK(now_ms() - start >= 90);
    raw(3, 0);
    type("abcd");
    expect_read("abcd");
    give_back();
}

static void raw_min_waits(void)
{
    pid_t pid;

    setup();
    raw(3, 0);
    CHILD(pid)
    {
        expect_read("abc");
    }
    wait_state(pid, 'S');
    type("a");
    sleep_ms(20);
    type("b");
    sleep_ms(20);
    EQ(waitpid(pid, NULL, WNOHANG), 0);
    type("c");
    wait_ok(pid);
    give_back();
}

static void settings(void)
{
    struct termios t, u;

    setup();
    OK(tcgetattr(tty, &t));
    t.c_cc[VINTR] = 'q';
    t.c_oflag ^= ONLCR;
    OK(tcsetattr(tty, TCSADRAIN, &t));
    OK(tcgetattr(tty, &u));
    EQ(u.c_cc[VINTR], 'q');
    EQ(u.c_oflag, t.c_oflag);
    EQ(u.c_lflag, t.c_lflag);
    EQ(isatty(tty), 1);
    give_back();
    OK(tcgetattr(tty, &u));
    EQ(u.c_oflag, old_settings.c_oflag);
}

static void window_size(void)
{
    struct winsize old, w;

    setup();
    OK(ioctl(tty, TIOCGWINSZ, &old));
    handle(SIGWINCH, count_signal, 0, 0);
    w = old;
    w.ws_row++;
    w.ws_col += 2;
    OK(ioctl(tty, TIOCSWINSZ, &w));
    for (int i = 0; i < 100 && !caught; i++) {
        sleep_ms(5);
    }
    EQ(caught, 1);
    OK(ioctl(tty, TIOCGWINSZ, &w));
    EQ(w.ws_row, old.ws_row + 1);
    EQ(w.ws_col, old.ws_col + 2);
    OK(ioctl(tty, TIOCSWINSZ, &w)); /* no change, no signal */
    sleep_ms(20);
    EQ(caught, 1);
    OK(ioctl(tty, TIOCSWINSZ, &old));
    give_back();
}

static void keys_raise_signals(void)
{
    setup();
    handle(SIGINT, count_signal, 0, 0);
    handle(SIGQUIT, count_signal, 0, 0);
    handle(SIGTSTP, count_signal, 0, 0);
    type("abc\003");
    EQ(caught_signo, SIGINT);
    type("\034");
    EQ(caught_signo, SIGQUIT);
    type("\032");
    EQ(caught_signo, SIGTSTP);
    EQ(caught, 3);
    type("x\n"); /* the abc was flushed */
    expect_read("x\n");
    lflag(0, ISIG);
    type("\003\n");
    expect_read("\003\n");
    give_back();
}

static void key_interrupts_read(void)
{
    pid_t pid;
    char c;

    setup();
    CHILD(pid)
    {
        handle(SIGINT, count_signal, 0, 0);
        ERR(read(tty, &c, 1), EINTR);
        EQ(caught, 1);
    }
    handle(SIGINT, SIG_IGN, 0, 0);
    wait_state(pid, 'S');
    type("\003");
    wait_ok(pid);
    give_back();
}

static void background_read(void)
{
    pid_t pid;
    char c;
    int status;

    setup();
    CHILD(pid)
    {
        OK(setpgid(0, 0));
        EQ(read(tty, &c, 1), 1);
        EQ(c, 'x');
    }
    EQ(waitpid(pid, &status, WUNTRACED), pid);
    CHECK(WIFSTOPPED(status));
    EQ(WSTOPSIG(status), SIGTTIN);
    handle(SIGTTOU, SIG_IGN, 0, 0);
    OK(tcsetpgrp(tty, pid));
    OK(kill(-pid, SIGCONT));
    type("x\n");
    wait_ok(pid);
    OK(tcsetpgrp(tty, getpgrp()));
    CHILD(pid)
    { /* who will not be stopped gets an error */
        OK(setpgid(0, 0));
        handle(SIGTTIN, SIG_IGN, 0, 0);
        ERR(read(tty, &c, 1), EIO);
    }
    wait_ok(pid);
    give_back();
}

static void background_write(void)
{
    pid_t pid;
    int status;

    setup();
    CHILD(pid)
    {
        OK(setpgid(0, 0));
        EQ(write(tty, "", 0), 0);
        EQ(write(tty, "\r", 1), 1); /* allowed without TOSTOP */
    }
    wait_ok(pid);
    lflag(TOSTOP, 0);
    CHILD(pid)
    {
        OK(setpgid(0, 0));
        EQ(write(tty, "\r", 1), 1);
    }
    EQ(waitpid(pid, &status, WUNTRACED), pid);
    CHECK(WIFSTOPPED(status));
    EQ(WSTOPSIG(status), SIGTTOU);
    lflag(0, TOSTOP);
    OK(kill(pid, SIGCONT));
    wait_ok(pid);
    CHILD(pid)
    { /* settings are never for the background */
        OK(setpgid(0, 0));
        OK(tcsetattr(tty, TCSANOW, &old_settings));
    }
    EQ(waitpid(pid, &status, WUNTRACED), pid);
    CHECK(WIFSTOPPED(status));
    OK(kill(pid, SIGKILL));
    wait_killed(pid, SIGKILL);
    give_back();
}

static void foreground_group(void)
{
    pid_t pid;
    struct gate end;

    setup();
    gate_init(&end);
    EQ(tcgetpgrp(tty), getpgrp());
    EQ(tcgetsid(tty), getsid(0));
    ERR(tcsetpgrp(tty, 0x3fffffff), ESRCH);
    ERR(tcsetpgrp(tty, -1), EINVAL);
    CHILD(pid)
    {
        OK(setsid() < 0 ? -1 : 0);
        gate_wait(&end);
    }
    sleep_ms(20);
    ERR(tcsetpgrp(tty, pid), EPERM); /* a group of another session */
    gate_open(&end);
    wait_ok(pid);
    give_back();
}

static void sessions_and_terminal(void)
{
    pid_t pid;

    setup();
    CHILD(pid)
    {
        OK(setsid());
        ERR(open("/dev/tty", O_RDWR), ENXIO); /* a new session has none */
        ERR(tcgetpgrp(tty), ENOTTY);
        ERR(ioctl(tty, TIOCSCTTY, 0), EPERM); /* it is another session's */
    }
    wait_ok(pid);
    ERR(ioctl(tty, TIOCSCTTY, 0), EPERM); /* not a session leader */
    give_back();
}

static void about_itself(void)
{
    struct stat st;

    setup();
    OK(fstat(tty, &st));
    CHECK(S_ISCHR(st.st_mode));
    ERR(lseek(tty, 0, SEEK_SET), ESPIPE);
    OK(tcdrain(tty));
    OK(tcflow(tty, TCOOFF));
    OK(tcflow(tty, TCOON));
    ERR(ioctl(tty, 0x54ff, 0), ENOTTY);
    give_back();
}

const struct test tty_tests[] = {
    {"lines", lines},
    {"counts", counts},
    {"not_blocking", not_blocking},
    {"raw_reads", raw_reads},
    {"raw_min_waits", raw_min_waits},
    {"settings", settings},
    {"window_size", window_size},
    {"keys_raise_signals", keys_raise_signals},
    {"key_interrupts_read", key_interrupts_read},
    {"background_read", background_read},
    {"background_write", background_write},
    {"foreground_group", foreground_group},
    {"sessions_and_terminal", sessions_and_terminal},
    {"about_itself", about_itself},
    {0},
};
