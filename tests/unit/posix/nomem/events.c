/* Waiting for files: poll and select, epoll, and the files that stand for events. */
#include "scenario.h"

static void poll_and_select(void)
{
    uint64_t fds = room(8), sets = room(3 * 128), now = words(2, 0ul, 0ul);
    is(sc(pipe2, fds, 0), 0);
    long r = get32(fds), w = get32(fds + 4);
    uint64_t many = room(100 * 8);
    for (unsigned i = 0; i < 100; i++) {
        put32(many + i * 8, (uint32_t)(i % 2 != 0 ? r : w));
        put32(many + i * 8 + 4, 5); /* POLLIN | POLLOUT */
    }
    is(sc(ppoll, many, 100, now, 0, 8), 50);
    uint64_t ms = words(2, 0ul, 1000000ul);
    put32(many, (uint32_t)r);
    is(sc(ppoll, many, 1, ms, 0, 8), 0);
    put(sets + (uint64_t)r / 64 * 8, &(uint64_t){1ul << r % 64}, 8);
    is(sc(pselect6, (uint64_t)r + 1, sets, 0, 0, now, 0), 0);
    put(sets + (uint64_t)r / 64 * 8, &(uint64_t){1ul << r % 64}, 8);
    is(sc(pselect6, 1000, sets, 0, 0, ms, 0), 0);
    shut(r);
    shut(w);
}

static void epolls(void)
{
    uint64_t fds = room(8), ev = words(2, 1ul, 7ul), out = room(64);
    is(sc(pipe2, fds, 0), 0);
    long r = get32(fds), w = get32(fds + 4);
    long ep = ok(sc(epoll_create1, 0)), outer = ok(sc(epoll_create1, O_CLOEXEC));
    is(sc(epoll_ctl, (uint64_t)ep, 1, (uint64_t)r, ev), 0);
    is(sc(epoll_ctl, (uint64_t)outer, 1, (uint64_t)ep, ev), 0);
    for (int i = 0; i < 20; i++) {
        long copy = ok(sc(dup, (uint64_t)w));
        is(sc(epoll_ctl, (uint64_t)ep, 1, (uint64_t)copy, words(2, 8ul, 9ul)), 0);
    }
    is(sc(epoll_ctl, (uint64_t)ep, 3, (uint64_t)r, ev), 0);
    write_all(w, text("x"), 1);
    is(sc(epoll_pwait, (uint64_t)outer, out, 4, 0, 0, 8), 1);
    is(sc(epoll_pwait, (uint64_t)ep, out, 4, (uint64_t)-1, 0, 8), 1);
    is(sc(epoll_ctl, (uint64_t)ep, 2, (uint64_t)r, ev), 0);
    is(sc(epoll_pwait2, (uint64_t)ep, out, 4, words(2, 0ul, 1000ul), 0, 8), 0);
    is(sc(close_range, 0, 1000, 0), 0);
}

static void counters(void)
{
    uint64_t v = words(1, 5ul);
    long fd = ok(sc(eventfd2, 1, 0));
    is(sc(write, (uint64_t)fd, v, 8), 8);
    is(sc(read, (uint64_t)fd, v, 8), 8);
    is(get64(v), 6);
    shut(fd);
    fd = ok(sc(timerfd_create, 1, 0));
    uint64_t when = words(4, 0ul, 1000000ul, 0ul, 2000000ul), old = room(32);
    is(sc(timerfd_settime, (uint64_t)fd, 0, when, old), 0);
    is(sc(timerfd_gettime, (uint64_t)fd, old), 0);
    is(sc(read, (uint64_t)fd, v, 8), 8);
    shut(fd);
}

static void signals_read(void)
{
    uint64_t mask = words(1, 1ul << 9 | 1ul << 33), buf = room(512);
    is(sc(rt_sigprocmask, 0, mask, 0, 8), 0);
    long fd = ok(sc(signalfd4, (uint64_t)-1, mask, 8, 0));
    long pid = ok(sc(getpid, 0));
    is(sc(kill, (uint64_t)pid, 10), 0);
    is(sc(kill, (uint64_t)pid, 34), 0);
    is(sc(read, (uint64_t)fd, buf, 512), 256);
    is(sc(signalfd4, (uint64_t)fd, mask, 8, 0), fd);
    shut(fd);
}

static void watches(void)
{
    long fd = ok(sc(inotify_init1, O_NONBLOCK));
    uint64_t buf = room(2048);
    is(sc(mkdirat, CWD, text("w"), 0755), 0);
    long wd = ok(sc(inotify_add_watch, (uint64_t)fd, text("w"), 0xfff));
    make_file("w/file", "x");
    is(sc(inotify_add_watch, (uint64_t)fd, text("w"), 0x100 | 0x20000000), wd); /* IN_MASK_ADD */
    long other = ok(sc(inotify_add_watch, (uint64_t)fd, text("w/file"), 0xfff));
    is(sc(renameat2, CWD, text("w/file"), CWD, text("w/new"), 0), 0);
    long n = sc(read, (uint64_t)fd, buf, 2048);
    is(n > 0, true);
    is(sc(inotify_rm_watch, (uint64_t)fd, (uint64_t)other), 0);
    gone("w/new");
    is(sc(unlinkat, CWD, text("w"), AT_REMOVEDIR), 0);
    shut(fd);
}

static void told_by_signal(void)
{
    uint64_t fds = room(8), set = words(1, 1ul << 33), one = words(1, 1ul);
    is(sc(rt_sigprocmask, 0, set, 0, 8), 0);
    is(sc(pipe2, fds, 0), 0);
    long r = get32(fds), w = get32(fds + 4);
    is(sc(fcntl, (uint64_t)r, F_SETOWN, (uint64_t)ok(sc(getpid, 0))), 0);
    is(sc(fcntl, (uint64_t)r, F_SETSIG, 34), 0);
    is(sc(ioctl, (uint64_t)r, 0x5452, one), 0); /* FIOASYNC */
    is(sc(fcntl, (uint64_t)w, F_SETFL, FASYNC), 0);
    is(sc(rt_sigaction, 29, words(3, 1ul, 0ul, 0ul), 0, 8),
       0); /* SIGIO, when it is all that goes */
    write_all(w, one, 8);
    long sig = sc(rt_sigtimedwait, set, 0, words(2, 0ul, 1000ul), 8);
    is(sig == 34 || (sig == -EAGAIN && strained()), true);
    shut(r);
    shut(w);
}

/* A request to read what is in a file, told to an eventfd. */
static void asynchronous(void)
{
    uint64_t id = words(1, 0ul), got = room(3 * 32), buf = room(8), v = words(1, 0ul);
    make_file("aio", "content");
    long fd = open_at("aio", O_RDWR), e = ok(sc(eventfd2, 0, 0));
    is(sc(io_setup, 10, id), 0);
    uint64_t ctx = get64(id);
    uint64_t io =
        words(8, 77ul, 0ul, (uint64_t)fd << 32, buf, 7ul, 0ul, 0ul, 1ul | (uint64_t)e << 32);
    uint64_t list = words(1, io);
    is(sc(io_submit, ctx, 1, list), 1);
    is(sc(io_submit, ctx, 1, list), 1);
    is(sc(io_cancel, ctx, io, got), -EINVAL);
    is(sc(io_getevents, ctx, 1, 1, got, 0), 1);
    is(get64(got), 77);
    is(get64(got + 16), 7);
    is(sc(io_pgetevents, ctx, 1, 3, got, 0, 0), 1);
    is(sc(io_submit, ctx, 1, list), 1);
    is(sc(read, (uint64_t)e, v, 8), 8);
    is(get64(v), 3);
    is(sc(io_destroy, ctx), 0); /* with an event that nobody took */
    put(id, &(uint64_t){0}, 8);
    is(sc(io_setup, 10, id), 0);
    is(sc(io_submit, get64(id), 1, list), 1);
    shut(fd);
    shut(e);
    gone("aio");
    is(sc(io_destroy, get64(id)), 0);
}

const struct scenario scenarios_events[] = {
    {"asynchronous", asynchronous, false},
    {"poll_and_select", poll_and_select, false},
    {"epolls", epolls, false},
    {"counters", counters, false},
    {"signals_read", signals_read, false},
    {"watches", watches, false},
    {"told_by_signal", told_by_signal, false},
    {NULL, NULL, false},
};
