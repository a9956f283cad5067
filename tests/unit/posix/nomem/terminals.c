/* Terminals: pseudo terminals with a session on them, the console. */
#include "scenario.h"

static void session(void)
{
    ok(sc(setsid, 0));
    long master = open_at("/dev/ptmx", O_RDWR | O_NOCTTY);
    uint64_t n = room(8), buf = room(512);
    is(sc(ioctl, (uint64_t)master, 0x40045431, words(1, 0ul)), 0); /* TIOCSPTLCK */
    is(sc(ioctl, (uint64_t)master, 0x80045430, n), 0);             /* TIOCGPTN */
    char path[] = "/dev/pts/0";
    path[9] = (char)('0' + get32(n));
    long slave = open_at(path, O_RDWR);
    is(sc(ioctl, (uint64_t)slave, 0x5401, buf), 0); /* TCGETS */
    is(sc(ioctl, (uint64_t)slave, 0x5402, buf), 0);
    is(sc(ioctl, (uint64_t)slave, 0x540e, 0) <= 0, true); /* TIOCSCTTY, if it is not already */
    write_all(master, text("a line\n"), 7);
    is(sc(read, (uint64_t)slave, buf, 64), 7);
    write_all(slave, text("answer"), 6);
    is(sc(read, (uint64_t)master, buf, 64) > 0, true);
    shut(open_at("/dev/tty", O_RDWR));
    shut(ok(sc(ioctl, (uint64_t)master, 0x5441, O_RDWR | O_NOCTTY))); /* TIOCGPTPEER */
    is(sc(rt_sigaction, 1, words(3, 1ul, 0ul, 0ul), 0, 8), 0);
    is(sc(vhangup, 0), 0);
    shut(slave);
    shut(master);
}

static void pseudo_terminals(void)
{
    is(end_of(start(SIGCHLD, session)), 0);
}

static void console(void)
{
    long fd = open_at("/dev/console", O_RDWR | O_NOCTTY | O_NONBLOCK);
    write_all(fd, text("hello\n"), 6);
    is(sc(read, (uint64_t)fd, room(64), 64), -EAGAIN);
    shut(fd);
    fd = open_at("/dev/hvc0", O_RDWR | O_NOCTTY | O_NONBLOCK);
    write_all(fd, text("hello\n"), 6);
    shut(fd);
}

const struct scenario scenarios_terminals[] = {
    {"pseudo_terminals", pseudo_terminals, false},
    {"console", console, false},
    {NULL, NULL, false},
};
