/*
 * epoll, eventfd, timerfd, signalfd, inotify.
 * test-sources: posix/fs/?*.c posix/fd/?*.c posix/path/?*.c posix/poll/?*.c posix/event/?*.c
 */
#include "host/host.h"
#include "event/epoll_int.h"
#include "fs/notify.h"

#include <linux/eventpoll.h>
#include <linux/timerfd.h>

static int32_t *fds; /* of a pipe */

static void make_pipe(void)
{
    fds = host_room(8);
    assert_ok(CALL_(pipe2, A(fds), O_NONBLOCK));
}

static void close_pipe(void)
{
    assert_ok(t_close(fds[0]));
    assert_ok(t_close(fds[1]));
}

static long make_epoll(void)
{
    long ep = CALL_(epoll_create1, 0);
    assert_true(ep >= 0);
    return ep;
}

static long ctl(long ep, int op, long fd, uint32_t events, uint64_t data)
{
    struct ep_event *e = host_room(sizeof(*e));
    *e = (struct ep_event){.events = events, .data = data};
    return CALL_(epoll_ctl, (uint64_t)ep, (uint64_t)op, (uint64_t)fd, A(e));
}

static struct ep_event got[64];
static long epoll_now(long ep, int max)
{
    struct ep_event *e = host_room(64 * sizeof(*e));
    long n = CALL_(epoll_pwait, (uint64_t)ep, A(e), (uint64_t)max, 0, 0, 0);
    memcpy(got, e, sizeof(got));
    return n;
}

static void epoll_arguments(void **state)
{
    long ep = make_epoll();
    make_pipe();
    t_file("/f", "x");
    long f = t_open("/f", O_RDONLY, 0), null = t_open("/dev/null", O_RDWR, 0);
    assert_int_equal(CALL_(epoll_create1, 1), -EINVAL);
    assert_int_equal(ctl(ep, EPOLL_CTL_ADD, f, EPOLLIN, 0), -EPERM);
    assert_int_equal(ctl(ep, EPOLL_CTL_ADD, null, EPOLLIN, 0), -EPERM);
    assert_int_equal(ctl(ep, EPOLL_CTL_ADD, 99, EPOLLIN, 0), -EBADF);
    assert_int_equal(ctl(99, EPOLL_CTL_ADD, fds[0], EPOLLIN, 0), -EBADF);
    assert_int_equal(ctl(fds[0], EPOLL_CTL_ADD, fds[1], EPOLLIN, 0), -EINVAL);
    assert_int_equal(ctl(ep, EPOLL_CTL_ADD, ep, EPOLLIN, 0), -EINVAL);
    assert_int_equal(ctl(ep, 9, fds[0], EPOLLIN, 0), -EINVAL);
    assert_int_equal(ctl(ep, EPOLL_CTL_DEL, fds[0], 0, 0), -ENOENT);
    assert_int_equal(ctl(ep, EPOLL_CTL_MOD, fds[0], EPOLLIN, 0), -ENOENT);
    assert_int_equal(CALL_(epoll_ctl, (uint64_t)ep, EPOLL_CTL_ADD, (uint64_t)fds[0], HOST_BAD),
                     -EFAULT);
    assert_ok(ctl(ep, EPOLL_CTL_ADD, fds[0], EPOLLIN, 0));
    assert_int_equal(ctl(ep, EPOLL_CTL_ADD, fds[0], EPOLLIN, 0), -EEXIST);
    assert_int_equal(ctl(ep, EPOLL_CTL_MOD, fds[0], EPOLLIN | EPOLLEXCLUSIVE, 0), -EINVAL);
    assert_ok(ctl(ep, EPOLL_CTL_ADD, fds[1], EPOLLOUT | EPOLLEXCLUSIVE, 0));
    assert_int_equal(ctl(ep, EPOLL_CTL_MOD, fds[1], EPOLLOUT, 0), -EINVAL);
    assert_ok(CALL_(epoll_ctl, (uint64_t)ep, EPOLL_CTL_DEL, (uint64_t)fds[1], 0));
    assert_int_equal(ctl(ep, EPOLL_CTL_ADD, fds[1], EPOLLPRI | EPOLLEXCLUSIVE, 0), -EINVAL);
    assert_int_equal(CALL_(epoll_pwait, (uint64_t)ep, A(fds), 0, 0, 0, 0), -EINVAL);
    assert_int_equal(CALL_(epoll_pwait, (uint64_t)ep, A(fds), (uint64_t)-1, 0, 0, 0), -EINVAL);
    assert_int_equal(CALL_(epoll_pwait, 99, A(fds), 1, 0, 0, 0), -EBADF);
    assert_int_equal(CALL_(epoll_pwait, (uint64_t)fds[0], A(fds), 1, 0, 0, 0), -EINVAL);
    assert_int_equal(CALL_(read, (uint64_t)ep, A(fds), 8), -EINVAL);
    t_write(fds[1], "x");
    assert_int_equal(CALL_(epoll_pwait, (uint64_t)ep, HOST_BAD, 1, 0, 0, 0), -EFAULT);
    assert_int_equal(epoll_now(ep, 1), 1); /* and it is not lost */
    assert_ok(t_close(f));
    assert_ok(t_close(null));
    assert_ok(t_unlink("/f"));
    close_pipe();
    assert_ok(t_close(ep));
    assert_int_equal(host_user.epoll_items, 0);
}

static void level_edge_oneshot(void **state)
{
    long ep = make_epoll();
    make_pipe();
    assert_ok(ctl(ep, EPOLL_CTL_ADD, fds[0], EPOLLIN, 77));
    assert_int_equal(epoll_now(ep, 8), 0);
    t_write(fds[1], "ab");
    assert_int_equal(epoll_now(ep, 8), 1);
    assert_int_equal(got[0].events, EPOLLIN);
    assert_int_equal(got[0].data, 77);
    assert_int_equal(epoll_now(ep, 8), 1); /* still there */
    assert_ok(ctl(ep, EPOLL_CTL_MOD, fds[0], EPOLLIN | EPOLLET, 78));
    assert_int_equal(epoll_now(ep, 8), 1);
    assert_int_equal(epoll_now(ep, 8), 0);
    t_write(fds[1], "c"); /* more is news, though some was there */
    assert_int_equal(epoll_now(ep, 8), 1);
    assert_int_equal(epoll_now(ep, 8), 0);
    assert_ok(ctl(ep, EPOLL_CTL_MOD, fds[0], EPOLLIN | EPOLLONESHOT, 79));
    assert_int_equal(epoll_now(ep, 8), 1);
    t_write(fds[1], "d");
    assert_int_equal(epoll_now(ep, 8), 0);
    assert_ok(ctl(ep, EPOLL_CTL_MOD, fds[0], EPOLLIN | EPOLLONESHOT, 80));
    assert_int_equal(epoll_now(ep, 8), 1);
    assert_int_equal(got[0].data, 80);
    assert_ok(t_close(fds[1]));
    assert_ok(ctl(ep, EPOLL_CTL_MOD, fds[0], 0, 81));
    assert_int_equal(epoll_now(ep, 8), 1);
    assert_int_equal(got[0].events, EPOLLHUP);
    assert_ok(t_close(fds[0]));
    assert_int_equal(epoll_now(ep, 8), 0);
    assert_ok(t_close(ep));
}

/* An item is a descriptor and a file: it goes when the last descriptor of the file does. */
static void closing_and_dup(void **state)
{
    long ep = make_epoll();
    make_pipe();
    long copy = CALL_(dup, (uint64_t)fds[0]);
    assert_ok(ctl(ep, EPOLL_CTL_ADD, fds[0], EPOLLIN, 1));
    assert_ok(ctl(ep, EPOLL_CTL_ADD, copy, EPOLLIN, 2));
    t_write(fds[1], "x");
    assert_int_equal(epoll_now(ep, 8), 2);
    assert_ok(t_close(fds[0]));
    assert_int_equal(epoll_now(ep, 8), 2); /* the file is still open */
    assert_ok(t_close(copy));
    assert_int_equal(epoll_now(ep, 8), 0);
    assert_ok(t_close(fds[1]));
    assert_ok(t_close(ep));
    assert_int_equal(host_user.epoll_items, 0);
}

/* Everybody gets a turn though only some fit. */
static void fair_to_all(void **state)
{
    enum { N = 16 };
    int32_t *p = host_room(N * 8);
    unsigned seen[N] = {0};
    long ep = make_epoll();
    for (unsigned i = 0; i < N; i++) {
        assert_ok(CALL_(pipe2, A(p + i * 2), 0));
        assert_ok(ctl(ep, EPOLL_CTL_ADD, p[i * 2], EPOLLIN, i));
        t_write(p[i * 2 + 1], "x");
    }
    for (unsigned i = 0; i < N; i += 8) { /* as many as were asked for */
        assert_int_equal(epoll_now(ep, 8), 8);
        for (unsigned k = 0; k < 8; k++) {
            seen[got[k].data]++;
        }
    }
    for (unsigned i = 0; i < N; i++) {
        assert_int_equal(seen[i], 1);
    }
    assert_int_equal(epoll_now(ep, 64), N);
    for (unsigned i = 0; i < N * 2; i++) {
        assert_ok(t_close(p[i]));
    }
    assert_ok(t_close(ep));
}

static void nested(void **state)
{
    long in = make_epoll(), out = make_epoll(), chain[6];
    make_pipe();
    assert_ok(ctl(in, EPOLL_CTL_ADD, fds[0], EPOLLIN, 1));
    assert_ok(ctl(out, EPOLL_CTL_ADD, in, EPOLLIN, 2));
    assert_int_equal(ctl(in, EPOLL_CTL_ADD, out, EPOLLIN, 3), -ELOOP);
    assert_int_equal(epoll_now(out, 8), 0);
    t_write(fds[1], "x");
    assert_int_equal(epoll_now(out, 8), 1);
    assert_int_equal(got[0].data, 2);
    assert_int_equal(epoll_now(in, 8), 1);
    t_read(fds[0], 1);
    assert_int_equal(epoll_now(out, 8), 0);
    struct abi_pollfd *p = host_room(sizeof(*p));
    *p = (struct abi_pollfd){(int)out, ABI_POLLIN, 0};
    struct ktimespec *ts = host_room(sizeof(*ts));
    *ts = (struct ktimespec){0, 0};
    assert_int_equal(CALL_(ppoll, A(p), 1, A(ts), 0, 0), 0);
    t_write(fds[1], "x");
    assert_int_equal(CALL_(ppoll, A(p), 1, A(ts), 0, 0), 1);
    assert_ok(t_close(out));
    assert_ok(t_close(in));
    close_pipe();
    for (int i = 0; i < 6; i++) {
        chain[i] = make_epoll();
        long err = i > 0 ? ctl(chain[i], EPOLL_CTL_ADD, chain[i - 1], EPOLLIN, 0) : 0;
        assert_int_equal(err, i <= EP_NESTS ? 0 : -ELOOP);
    }
    assert_int_equal(ctl(chain[0], EPOLL_CTL_ADD, chain[2], EPOLLIN, 0), -ELOOP);
    for (int i = 0; i < 6; i++) {
        assert_ok(t_close(chain[i]));
    }
    assert_int_equal(host_user.epoll_items, 0);
}

struct waiting {
    long ep;
    struct ep_event *e;
};

static void wait_epoll(void *arg)
{
    struct waiting *w = arg;
    host_me->result = CALL_(epoll_pwait, (uint64_t)w->ep, A(w->e), 1, (uint64_t)-1, 0, 0);
}

/* How many have ended when `want` have, and others have had a moment to end as well. */
static int ended(struct host_thread *const *t, int n, int want)
{
    int done = 0;
    for (int look = 0, more = 1; look < 5000 && (done < want || more-- > 0); look++) {
        host_settle();
        done = 0;
        for (int i = 0; i < n; i++) {
            done += t[i]->done;
        }
    }
    return done;
}

static void several_wait(void **state)
{
    struct host_thread *t[3];
    struct waiting w = {.ep = make_epoll(), .e = host_room(sizeof(struct ep_event))};
    make_pipe();
    assert_ok(ctl(w.ep, EPOLL_CTL_ADD, fds[0], EPOLLIN | EPOLLET, 5));
    for (int i = 0; i < 3; i++) {
        unsigned parks = host_parks;
        t[i] = host_run(true, wait_epoll, &w);
        host_wait_parked(parks);
    }
    for (int i = 0; i < 2; i++) { /* an edge is for one of them */
        t_write(fds[1], "x");
        assert_int_equal(ended(t, 3, i + 1), i + 1);
    }
    for (int i = 0; i < 3; i++) {
        if (!t[i]->done) {
            host_interrupt(t[i]);
        }
    }
    int n = 0, interrupted = 0;
    for (int i = 0; i < 3; i++) {
        long r = host_join(t[i]);
        n += r == 1;
        interrupted += r == -EINTR;
    }
    assert_int_equal(n, 2);
    assert_int_equal(interrupted, 1);
    /* level-triggered: who leaves it ready wakes the next */
    assert_ok(ctl(w.ep, EPOLL_CTL_DEL, fds[0], 0, 0));
    t_read(fds[0], 16);
    assert_ok(ctl(w.ep, EPOLL_CTL_ADD, fds[0], EPOLLIN, 5));
    for (int i = 0; i < 3; i++) {
        unsigned parks = host_parks;
        t[i] = host_run(true, wait_epoll, &w);
        host_wait_parked(parks);
    }
    t_write(fds[1], "x");
    for (int i = 0; i < 3; i++) {
        assert_int_equal(host_join(t[i]), 1);
    }
    close_pipe();
    assert_ok(t_close(w.ep));
}

/* Exclusive items of several instances: a wake-up is for one that has somebody waiting. */
static void exclusive(void **state)
{
    struct waiting w[2];
    struct host_thread *t[2];
    make_pipe();
    for (int i = 0; i < 2; i++) {
        w[i] = (struct waiting){.ep = make_epoll(), .e = host_room(sizeof(struct ep_event))};
        assert_ok(ctl(w[i].ep, EPOLL_CTL_ADD, fds[0], EPOLLIN | EPOLLEXCLUSIVE | EPOLLET, 0));
        unsigned parks = host_parks;
        t[i] = host_run(true, wait_epoll, &w[i]);
        host_wait_parked(parks);
    }
    t_write(fds[1], "x");
    assert_int_equal(ended(t, 2, 1), 1);
    t_write(fds[1], "x");
    assert_int_equal(host_join(t[0]) + host_join(t[1]), 2);
    close_pipe();
    assert_ok(t_close(w[0].ep));
    assert_ok(t_close(w[1].ep));
}

static void epoll_without_memory(void **state)
{
    make_pipe();
    for (long n = 0;; n++) {
        host_fail_after(n);
        long ep = CALL_(epoll_create1, 0);
        long err = ep < 0 ? ep : ctl(ep, EPOLL_CTL_ADD, fds[0], EPOLLIN, 0);
        bool failed = host_failed;
        host_fail_after(-1);
        if (ep >= 0) {
            assert_ok(t_close(ep));
        }
        if (!failed) {
            assert_ok(err);
            break;
        }
        assert_int_equal(err, -ENOMEM);
    }
    close_pipe();
    assert_int_equal(host_user.epoll_items, 0);
}

/* ---- eventfd ---- */

static long put64(long fd, uint64_t v)
{
    uint64_t *p = host_room(8);
    *p = v;
    return CALL_(write, (uint64_t)fd, A(p), 8);
}

static long get64(long fd, uint64_t *v)
{
    uint64_t *p = host_room(8);
    long n = CALL_(read, (uint64_t)fd, A(p), 8);
    *v = *p;
    return n;
}

static void write_one(void *arg)
{
    host_me->result = put64(*(long *)arg, 1);
}

static void eventfds(void **state)
{
    uint64_t v;
    long e = CALL_(eventfd2, 3, O_NONBLOCK), s = CALL_(eventfd2, 2, O_NONBLOCK | 1);
    assert_int_equal(CALL_(eventfd2, 0, 2), -EINVAL);
    assert_int_equal(put64(e, 4), 8);
    assert_int_equal(get64(e, &v), 8);
    assert_int_equal(v, 7);
    assert_int_equal(get64(e, &v), -EAGAIN);
    assert_int_equal(put64(e, ~0ul), -EINVAL);
    assert_int_equal(CALL_(read, (uint64_t)e, A(host_room(8)), 7), -EINVAL);
    assert_int_equal(CALL_(write, (uint64_t)e, A(host_room(8)), 7), -EINVAL);
    assert_int_equal(CALL_(write, (uint64_t)e, HOST_BAD, 8), -EFAULT);
    assert_int_equal(put64(e, ~0ul - 1), 8);
    assert_int_equal(put64(e, 1), -EAGAIN);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(get64(s, &v), 8);
        assert_int_equal(v, 1);
    }
    assert_int_equal(get64(s, &v), -EAGAIN);
    assert_ok(t_close(s));
    assert_ok(CALL_(fcntl, (uint64_t)e, F_SETFL, O_RDWR));
    unsigned parks = host_parks;
    struct host_thread *t = host_run(true, write_one, &e);
    host_wait_parked(parks);
    assert_int_equal(get64(e, &v), 8);
    assert_int_equal(host_join(t), 8);
    assert_int_equal(get64(e, &v), 8);
    assert_int_equal(v, 1);
    assert_ok(t_close(e));
}

/* ---- timerfd, signalfd ---- */

static long settime(long fd, unsigned flags, int64_t value, int64_t interval)
{
    struct ktimespec *ts = host_room(2 * sizeof(*ts));
    ts[0] = (struct ktimespec){interval / NSEC_PER_SEC, interval % NSEC_PER_SEC};
    ts[1] = (struct ktimespec){value / NSEC_PER_SEC, value % NSEC_PER_SEC};
    return CALL_(timerfd_settime, (uint64_t)fd, flags, A(ts), 0);
}

static void timerfds(void **state)
{
    uint64_t v;
    struct ktimespec *ts = host_room(2 * sizeof(*ts));
    long t = CALL_(timerfd_create, CLOCK_MONOTONIC, O_NONBLOCK);
    assert_int_equal(CALL_(timerfd_create, CLOCK_PROCESS_CPUTIME_ID, 0), -EINVAL);
    assert_int_equal(CALL_(timerfd_create, CLOCK_MONOTONIC, 1), -EINVAL);
    assert_int_equal(settime(t, 4, 1, 0), -EINVAL);
    assert_int_equal(settime(99, 0, 1, 0), -EBADF);
    assert_int_equal(CALL_(timerfd_settime, (uint64_t)t, 0, HOST_BAD, 0), -EFAULT);
    assert_ok(settime(t, 0, 1, 1000)); /* a microsecond: nothing to be armed each time */
    usleep(2000);
    assert_int_equal(host_timers_run(), 1);
    usleep(2000);
    assert_int_equal(host_timers_run(), 0);
    assert_int_equal(get64(t, &v), 8);
    assert_true(v >= 2000);
    assert_ok(settime(t, TFD_TIMER_ABSTIME, time_monotonic_ns() + 3600 * NSEC_PER_SEC, 0));
    assert_ok(CALL_(timerfd_gettime, (uint64_t)t, A(ts)));
    assert_true(ts[1].sec >= 3590 && ts[1].sec < 3600 && ts[0].sec == 0);
    assert_int_equal(get64(t, &v), -EAGAIN);
    assert_ok(settime(t, 0, 0, 0));
    assert_null(host_timers);
    assert_ok(t_close(t));
    t = CALL_(timerfd_create, CLOCK_REALTIME, 0);
    assert_ok(settime(t, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, time_realtime_ns() * 2, 0));
    wait_wake(&clock_set);
    assert_int_equal(get64(t, &v), -ECANCELED);
    assert_ok(t_close(t));
    assert_null(host_timers);
    assert_null(clock_set.head);
}

static void signalfds(void **state)
{
    uint64_t *mask = host_room(8);
    uint32_t *info = host_room(256);
    *mask = ~0ul;
    long s = CALL_(signalfd4, (uint64_t)-1, A(mask), 8, O_NONBLOCK), ep = make_epoll();
    assert_int_equal(CALL_(signalfd4, (uint64_t)-1, A(mask), 4, 0), -EINVAL);
    assert_int_equal(CALL_(signalfd4, (uint64_t)-1, A(mask), 8, 1), -EINVAL);
    assert_int_equal(CALL_(signalfd4, (uint64_t)-1, HOST_BAD, 8, 0), -EFAULT);
    assert_int_equal(CALL_(signalfd4, (uint64_t)ep, A(mask), 8, 0), -EINVAL);
    assert_int_equal(CALL_(signalfd4, 99, A(mask), 8, 0), -EBADF);
    assert_ok(ctl(ep, EPOLL_CTL_ADD, s, EPOLLIN, 0));
    assert_int_equal(CALL_(read, (uint64_t)s, A(info), 128), -EAGAIN);
    assert_int_equal(CALL_(read, (uint64_t)s, A(info), 127), -EINVAL);
    current->sigpending = SIG_BIT(10) | SIG_BIT(12) | SIG_BIT(SIGKILL);
    wait_wake(&current->proc->signal_wait);
    assert_int_equal(epoll_now(ep, 1), 1);
    assert_int_equal(CALL_(read, (uint64_t)s, A(info), 256), 256);
    assert_int_equal(info[0], 10);
    assert_int_equal(info[3], 7);
    assert_int_equal(info[4], 8);
    assert_int_equal(info[32], 12);
    assert_int_equal(epoll_now(ep, 1), 0); /* never SIGKILL */
    *mask = SIG_BIT(SIGKILL) | SIG_BIT(5);
    assert_int_equal(CALL_(signalfd4, (uint64_t)s, A(mask), 8, 0), s);
    current->sigpending |= SIG_BIT(5);
    assert_int_equal(CALL_(read, (uint64_t)s, A(info), 128), 128);
    assert_int_equal(info[0], 5);
    current->sigpending = 0;
    waitq_close(&current->proc->signal_wait); /* the process ends before the instance */
    assert_ok(t_close(ep));
    assert_ok(t_close(s));
}

/* ---- inotify ---- */

static long in;

/* The events there are as text: "wd mask name;". */
static const char *events(void)
{
    static char text[2048];
    char *buf = host_room(4096);
    size_t at = 0;
    long n = CALL_(read, (uint64_t)in, A(buf), 4096);
    text[0] = 0;
    for (long i = 0; i < n;) {
        const struct inotify_event *e = (const void *)(buf + i);
        at += (size_t)snprintf(text + at, sizeof(text) - at, "%d %x %s;", e->wd, e->mask,
                               e->len > 0 ? e->name : "-");
        i += (long)(sizeof(*e) + e->len);
    }
    return text;
}

static long watch(const char *path, uint32_t mask)
{
    return CALL_(inotify_add_watch, (uint64_t)in, U(path), mask);
}

static void inotify_names(void **state)
{
    in = CALL_(inotify_init1, O_NONBLOCK);
    assert_ok(t_mkdir("/d"));
    assert_int_equal(watch("/d", IN_ALL_EVENTS), 1);
    t_file("/d/a", "x");
    assert_string_equal(events(), "1 100 a;1 20 a;1 2 a;1 8 a;");
    assert_ok(CALL_(linkat, CWD, U("/d/a"), CWD, U("/d/b"), 0));
    assert_string_equal(events(), "1 100 b;");
    assert_int_equal(watch("/d/a", IN_ALL_EVENTS), 2);
    assert_ok(CALL_(fchmodat, CWD, U("/d/a"), 0600));
    assert_string_equal(events(), "1 4 a;2 4 -;");
    assert_ok(t_unlink("/d/b"));
    assert_string_equal(events(), "2 4 -;1 200 b;");
    assert_ok(CALL_(renameat2, CWD, U("/d/a"), CWD, U("/d/c"), 0));
    assert_string_equal(events(), "1 40 a;1 80 c;2 800 -;");
    assert_ok(t_mkdir("/d/e"));
    assert_ok(t_rmdir("/d/e"));
    assert_string_equal(events(), "1 40000100 e;1 40000200 e;");
    long fd = t_open("/d/c", O_RDWR, 0);
    t_read(fd, 1);
    assert_ok(CALL_(ftruncate, (uint64_t)fd, 0));
    assert_string_equal(events(), "1 20 c;2 20 -;1 1 c;2 1 -;1 2 c;2 2 -;");
    assert_ok(t_unlink("/d/c"));
    assert_string_equal(events(), "2 4 -;1 200 c;");
    assert_ok(t_close(fd));
    assert_string_equal(events(), "1 8 c;2 8 -;2 400 -;2 8000 -;");
    assert_ok(t_rmdir("/d"));
    assert_string_equal(events(), "1 400 -;1 8000 -;");
    assert_int_equal(CALL_(inotify_rm_watch, (uint64_t)in, 1), -EINVAL);
    assert_ok(t_close(in));
    assert_int_equal(notify_watches, 0);
    assert_int_equal(host_user.watches, 0);
    assert_int_equal(host_user.inotifies, 0);
}

static void inotify_masks(void **state)
{
    in = CALL_(inotify_init1, O_NONBLOCK);
    t_file("/f", "x");
    assert_ok(t_symlink("/f", "/l"));
    assert_int_equal(watch("/f", 0), -EINVAL);
    assert_int_equal(watch("/f", IN_OPEN | IN_MASK_ADD | IN_MASK_CREATE), -EINVAL);
    assert_int_equal(watch("/f", IN_OPEN | IN_ONLYDIR), -ENOTDIR);
    assert_int_equal(watch("/none", IN_OPEN), -ENOENT);
    assert_int_equal(CALL_(inotify_add_watch, (uint64_t)in, HOST_BAD, IN_OPEN), -EFAULT);
    assert_int_equal(CALL_(inotify_add_watch, 99, U("/f"), IN_OPEN), -EBADF);
    assert_int_equal(CALL_(inotify_init1, 1), -EINVAL);
    assert_int_equal(watch("/f", IN_OPEN), 1);
    assert_int_equal(watch("/l", IN_OPEN), 1); /* the same file */
    assert_int_equal(watch("/l", IN_ATTRIB | IN_DONT_FOLLOW), 2);
    assert_int_equal(watch("/f", IN_OPEN | IN_MASK_CREATE), -EEXIST);
    assert_int_equal(watch("/f", IN_MODIFY), 1); /* in its place */
    t_file("/f", "yy"); /* opening cuts it, writing changes it: one event, as they are alike */
    assert_string_equal(events(), "1 2 -;");
    assert_int_equal(watch("/f", IN_OPEN | IN_MASK_ADD | IN_ONESHOT), 1);
    t_file("/f", "z");
    assert_string_equal(events(), "1 2 -;1 8000 -;");
    assert_ok(CALL_(inotify_rm_watch, (uint64_t)in, 2));
    assert_string_equal(events(), "2 8000 -;");
    assert_ok(CALL_(fchmodat, CWD, U("/f"), 0600));
    as_user(5);
    assert_int_equal(watch("/f", IN_OPEN), -EACCES);
    as_user(0);
    assert_ok(t_unlink("/l"));
    assert_ok(t_unlink("/f"));
    assert_ok(t_close(in));
    assert_int_equal(notify_watches, 0);
}

static void inotify_overflows(void **state)
{
    in = CALL_(inotify_init1, O_NONBLOCK);
    int32_t *n = host_room(4);
    t_file("/f", "x");
    t_file("/g", "x");
    assert_int_equal(watch("/f", IN_ATTRIB), 1);
    assert_int_equal(watch("/g", IN_ATTRIB), 2);
    uint64_t f = U("/f"), g = U("/g");
    for (int i = 0; i < 9000; i++) {
        assert_ok(CALL_(fchmodat, CWD, f, 0600));
        assert_ok(CALL_(fchmodat, CWD, g, 0600));
    }
    assert_ok(CALL_(ioctl, (uint64_t)in, 0x541b, A(n)));
    assert_int_equal(*n, (16384 + 1) * 16);
    char *buf = host_room(16384 * 16);
    assert_int_equal(CALL_(read, (uint64_t)in, A(buf), 15), -EINVAL);
    assert_int_equal(CALL_(read, (uint64_t)in, A(buf), 16384 * 16), 16384 * 16);
    assert_string_equal(events(), "-1 4000 -;");
    assert_string_equal(events(), "");
    host_fail_after(0);
    assert_ok(CALL_(fchmodat, CWD, f, 0600));
    host_fail_after(-1);
    assert_string_equal(events(), "-1 4000 -;");
    assert_ok(t_unlink("/f"));
    assert_ok(t_unlink("/g"));
    assert_ok(t_close(in));
}

static void inotify_unmount(void **state)
{
    in = CALL_(inotify_init1, O_NONBLOCK);
    assert_ok(t_mkdir("/m"));
    assert_ok(CALL_(mount, U("none"), U("/m"), U("tmpfs"), 0, 0));
    t_file("/m/f", "x");
    assert_int_equal(watch("/m/f", IN_OPEN), 1);
    assert_ok(CALL_(umount2, U("/m"), 0));
    assert_string_equal(events(), "1 2000 -;1 8000 -;");
    assert_ok(t_rmdir("/m"));
    assert_ok(t_close(in));
    assert_int_equal(notify_watches, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(epoll_arguments), T(level_edge_oneshot), T(closing_and_dup), T(fair_to_all),
        T(nested),          T(several_wait),       T(exclusive),       T(epoll_without_memory),
        T(eventfds),        T(timerfds),           T(signalfds),       T(inotify_names),
        T(inotify_masks),   T(inotify_overflows),  T(inotify_unmount),
    };
    return HOST_RUN(tests);
}
