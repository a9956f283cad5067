/* Pipes, FIFOs, and what moves data without the program: splice, tee, vmsplice, sendfile. */
#include "scenario.h"

static long end[2];

static void make_pipe(unsigned flags)
{
    uint64_t at = room(8);
    is(sc(pipe2, at, flags), 0);
    end[0] = get32(at);
    end[1] = get32(at + 4);
}

static void reader(void)
{
    is(sc(close, (uint64_t)end[1]), 0);
    uint64_t buf = room(8192);
    size_t n = 0;
    for (long got; (got = ok(sc(read, (uint64_t)end[0], buf, 8192))) > 0;) {
        n += (size_t)got;
    }
    is(n, 2 * 8192);
}

static void through_a_pipe(void)
{
    make_pipe(0);
    uint64_t buf = room(2 * 8192);
    is(sc(fcntl, (uint64_t)end[1], 1031, 4096), 4096); /* F_SETPIPE_SZ */
    long pid = start(SIGCHLD, reader);
    is(sc(fcntl, (uint64_t)end[1], 1031, 65536), 65536);
    write_all(end[1], buf, 2 * 8192);
    shut(end[1]);
    is(end_of(pid), 0);
    shut(end[0]);
}

static void opener(void)
{
    long fd = open_at("fifo", O_WRONLY);
    write_all(fd, text("xyz"), 3);
}

static void fifo(void)
{
    is(sc(mknodat, CWD, text("fifo"), S_IFIFO | 0600, 0), 0);
    long pid = start(SIGCHLD, opener);
    long fd = open_at("fifo", O_RDONLY);
    uint64_t buf = room(16);
    is(sc(read, (uint64_t)fd, buf, 16), 3);
    is(end_of(pid), 0);
    shut(fd);
    fd = open_at("fifo", O_RDWR | O_NONBLOCK);
    write_all(fd, buf, 3);
    shut(fd);
    gone("fifo");
}

static void splicing(void)
{
    make_pipe(O_NONBLOCK);
    long in = end[0], out = end[1];
    make_pipe(O_NONBLOCK);
    make_file("s", "the content of a file");
    long fd = open_at("s", O_RDWR);
    is(sc(splice, (uint64_t)fd, 0, (uint64_t)out, 0, 10, 0), 10);
    is(sc(tee, (uint64_t)in, (uint64_t)end[1], 10, 0), 10);
    is(sc(splice, (uint64_t)in, 0, (uint64_t)fd, 0, 10, 0), 10);
    is(sc(vmsplice, (uint64_t)out, words(2, text("abc"), 3ul), 1, 0), 3);
    is(sc(splice, (uint64_t)in, 0, (uint64_t)end[1], 0, 10, 0), 3);
    is(sc(sendfile, (uint64_t)out, (uint64_t)fd, words(1, 0ul), 5), 5);
    uint64_t buf = room(32);
    is(sc(read, (uint64_t)end[0], buf, 32), 13);
    shut(in);
    shut(out);
    shut(end[0]);
    shut(end[1]);
    shut(fd);
    gone("s");
}

const struct scenario scenarios_pipes[] = {
    {"through_a_pipe", through_a_pipe, false},
    {"fifo", fifo, false},
    {"splicing", splicing, false},
    {NULL, NULL, false},
};
