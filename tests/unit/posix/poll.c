/*
 * ppoll, pselect6, and the wait queues under them.
 * test-sources: posix/fs/?*.c posix/fd/?*.c posix/path/?*.c posix/poll/?*.c posix/event/?*.c
 */
#include "host/host.h"

static int32_t *fds; /* of a pipe */

static void make_pipe(void)
{
    fds = host_room(8);
    assert_ok(CALL_(pipe2, A(fds), 0));
}

static void close_pipe(void)
{
    assert_ok(t_close(fds[0]));
    assert_ok(t_close(fds[1]));
}

static struct ktimespec *ms(int64_t n)
{
    struct ktimespec *ts = host_room(sizeof(*ts));
    *ts = (struct ktimespec){n / 1000, n % 1000 * 1000000};
    return ts;
}

static void poll_at_once(void **state)
{
    struct abi_pollfd *p = host_room(6 * sizeof(*p));
    make_pipe();
    t_file("/f", "x");
    long f = t_open("/f", O_RDONLY, 0), path = t_open("/f", O_PATH, 0);
    p[0] = (struct abi_pollfd){fds[0], ABI_POLLIN, -1};
    p[1] = (struct abi_pollfd){fds[1], ABI_POLLOUT | ABI_POLLIN, -1};
    p[2] = (struct abi_pollfd){-1, ABI_POLLIN, -1};
    p[3] = (struct abi_pollfd){99, ABI_POLLIN, -1};
    p[4] = (struct abi_pollfd){(int)f, ABI_POLLIN | ABI_POLLOUT, -1};
    p[5] = (struct abi_pollfd){(int)path, ABI_POLLIN, -1};
    assert_int_equal(CALL_(ppoll, A(p), 6, A(ms(0)), 0, 0), 4);
    assert_int_equal(p[0].revents, 0);
    assert_int_equal(p[1].revents, ABI_POLLOUT);
    assert_int_equal(p[2].revents, 0);
    assert_int_equal(p[3].revents, ABI_POLLNVAL);
    assert_int_equal(p[4].revents, ABI_POLLIN | ABI_POLLOUT);
    assert_int_equal(p[5].revents, ABI_POLLNVAL);
    t_write(fds[1], "x");
    assert_int_equal(CALL_(ppoll, A(p), 1, 0, 0, 0), 1);
    assert_int_equal(p[0].revents, ABI_POLLIN);
    t_read(fds[0], 1);
    assert_ok(t_close(fds[1]));
    p[0].events = 0;
    assert_int_equal(CALL_(ppoll, A(p), 1, 0, 0, 0), 1);
    assert_int_equal(p[0].revents, ABI_POLLHUP); /* whether asked for or not */
    assert_ok(t_close(fds[0]));
    make_pipe();
    assert_ok(t_close(fds[0]));
    p[0] = (struct abi_pollfd){fds[1], ABI_POLLOUT, 0};
    assert_int_equal(CALL_(ppoll, A(p), 1, 0, 0, 0), 1);
    assert_int_equal(p[0].revents, ABI_POLLOUT | ABI_POLLERR);
    assert_ok(t_close(fds[1]));
    assert_ok(t_close(f));
    assert_ok(t_close(path));
    assert_ok(t_unlink("/f"));
    /* bad arguments */
    struct ktimespec *bad = ms(0);
    bad->nsec = 1000000000;
    assert_int_equal(CALL_(ppoll, A(p), 1, A(bad), 0, 0), -EINVAL);
    assert_int_equal(CALL_(ppoll, A(p), 1, HOST_BAD, 0, 0), -EFAULT);
    assert_int_equal(CALL_(ppoll, HOST_BAD, 1, A(ms(0)), 0, 0), -EFAULT);
    assert_int_equal(CALL_(ppoll, A(p), 5000, A(ms(0)), 0, 0), -EINVAL);
    assert_int_equal(CALL_(ppoll, A(p), 0, A(ms(0)), A(p), 4), -EINVAL);
}

static void timeouts(void **state)
{
    struct abi_pollfd *p = host_room(sizeof(*p));
    make_pipe();
    p[0] = (struct abi_pollfd){fds[0], ABI_POLLIN, 0};
    int64_t start = time_monotonic_ns();
    struct ktimespec *ts = ms(20);
    assert_int_equal(CALL_(ppoll, A(p), 1, A(ts), 0, 0), 0);
    assert_true(time_monotonic_ns() - start >= 20000000);
    assert_true(ts->sec == 0 && ts->nsec == 0); /* nothing left */
    ts = ms(10000);
    t_write(fds[1], "x");
    assert_int_equal(CALL_(ppoll, A(p), 1, A(ts), 0, 0), 1);
    assert_true(ts->sec >= 8);
    close_pipe();
}

struct poller {
    struct abi_pollfd *p;
    unsigned n;
    struct ktimespec *ts;
};

static void poll_many(void *arg)
{
    struct poller *q = arg;
    host_me->result = CALL_(ppoll, A(q->p), q->n, A(q->ts), 0, 0);
}

static void woken(void **state)
{
    struct poller q = {.p = host_room(sizeof(*q.p)), .n = 1};
    make_pipe();
    q.p[0] = (struct abi_pollfd){fds[0], ABI_POLLIN, 0};
    unsigned parks = host_parks;
    struct host_thread *t = host_run(false, poll_many, &q);
    host_wait_parked(parks);
    t_write(fds[1], "x");
    assert_int_equal(host_join(t), 1);
    t_read(fds[0], 1);
    /* interrupted: restarted unless a handler ran; the time left is told */
    parks = host_parks;
    q.ts = ms(60000);
    host_mask_pops = 0;
    t = host_run(false, poll_many, &q);
    host_wait_parked(parks);
    host_interrupt(t);
    assert_int_equal(host_join(t), -ERESTARTNOHAND);
    assert_int_equal(host_mask_pops, 1);
    assert_true(q.ts->sec >= 55);
    /* the descriptor goes away while somebody polls it */
    parks = host_parks;
    q.ts = NULL;
    t = host_run(true, poll_many, &q);
    host_wait_parked(parks);
    assert_ok(t_close(fds[0]));
    host_interrupt(t);
    assert_int_equal(host_join(t), 1);
    assert_int_equal(q.p[0].revents, ABI_POLLNVAL);
    assert_ok(t_close(fds[1]));
    /* a signal and data at once: the data is told */
    make_pipe();
    q.p[0] = (struct abi_pollfd){fds[0], ABI_POLLIN, 0};
    parks = host_parks;
    t = host_run(false, poll_many, &q);
    host_wait_parked(parks);
    t->interrupted = true;
    t_write(fds[1], "x");
    assert_int_equal(host_join(t), 1);
    assert_int_equal(q.p[0].revents, ABI_POLLIN);
    assert_ok(t_close(fds[0]));
    assert_ok(t_close(fds[1]));
}

/* More than fits into the table on the stack; each pipe wakes it. */
static void many(void **state)
{
    enum { N = 150 };
    int32_t *pipes = host_room(N * 8);
    struct poller q = {.p = host_room(N * sizeof(*q.p)), .n = N};
    for (int i = 0; i < N; i++) {
        assert_ok(CALL_(pipe2, A(&pipes[i * 2]), 0));
        q.p[i] = (struct abi_pollfd){pipes[i * 2], ABI_POLLIN, 0};
    }
    for (int i = 0; i < N; i += 37) {
        unsigned parks = host_parks;
        struct host_thread *t = host_run(true, poll_many, &q);
        host_wait_parked(parks);
        t_write(pipes[i * 2 + 1], "x");
        assert_int_equal(host_join(t), 1);
        assert_int_equal(q.p[i].revents, ABI_POLLIN);
        t_read(pipes[i * 2], 1);
    }
    for (long n = 0;; n++) { /* out of memory */
        host_fail_after(n);
        long e = CALL_(ppoll, A(q.p), N, A(ms(1)), 0, 0);
        bool failed = host_failed;
        host_fail_after(-1);
        assert_int_equal(e, failed ? -ENOMEM : 0);
        if (!failed) {
            break;
        }
    }
    assert_ok(CALL_(close_range, 0, 1000, 0));
    struct files *old = current->files;
    current->files = files_make();
    files_unref(old);
}

static void set(uint64_t *bits, int fd)
{
    bits[fd / 64] |= 1ull << fd % 64;
}

static void selects(void **state)
{
    uint64_t *in = host_room(128), *out = host_room(128), *ex = host_room(128);
    memset(in, 0, 128);
    memset(out, 0, 128);
    memset(ex, 0, 128);
    make_pipe();
    set(in, fds[0]);
    set(out, fds[1]);
    set(ex, fds[0]);
    assert_int_equal(CALL_(pselect6, 1024, A(in), A(out), A(ex), A(ms(0)), 0), 1);
    assert_int_equal(in[0], 0);
    assert_int_equal(out[0], 1ull << fds[1]);
    assert_int_equal(ex[0], 0);
    t_write(fds[1], "x");
    set(in, fds[0]);
    assert_int_equal(CALL_(pselect6, (uint64_t)fds[1] + 1, A(in), A(out), 0, 0, 0), 2);
    set(in, fds[1] + 1); /* not open, but also not below nfds */
    assert_int_equal(CALL_(pselect6, (uint64_t)fds[1] + 1, A(in), 0, 0, 0, 0), 1);
    memset(in, 0, 128);
    set(in, fds[1] + 1);
    assert_int_equal(CALL_(pselect6, (uint64_t)fds[1] + 2, A(in), 0, 0, A(ms(0)), 0), -EBADF);
    assert_int_equal(CALL_(pselect6, (uint64_t)-1, A(in), 0, 0, A(ms(0)), 0), -EINVAL);
    assert_int_equal(CALL_(pselect6, 10, HOST_BAD, 0, 0, A(ms(0)), 0), -EFAULT);
    assert_int_equal(CALL_(pselect6, 0, 0, 0, 0, A(ms(1)), 0), 0); /* just sleeps */
    uint64_t *mask = host_room(24);
    mask[0] = A(&mask[2]);
    mask[1] = 8;
    mask[2] = 0x55;
    assert_int_equal(CALL_(pselect6, 0, 0, 0, 0, A(ms(0)), A(mask)), 0);
    assert_int_equal(host_mask_pushed, 0x55);
    close_pipe();
}

/* ---- wait queues alone ---- */

static void exclusive_waiters(void **state)
{
    struct waitq q;
    struct waiter w[4] = {
        {.exclusive = false}, {.exclusive = true}, {.exclusive = true}, {.exclusive = false}};
    waitq_init(&q);
    for (int i = 0; i < 4; i++) {
        wait_add(&q, &w[i]);
    }
    wait_wake_one(&q);
    assert_true(w[0].fired && w[1].fired && !w[2].fired); /* all who share, wherever they came */
    assert_true(w[3].fired);
    wait_wake_one(&q); /* those who know it are passed over */
    assert_true(w[2].fired);
    wait_remove(&w[1]);
    wait_remove(&w[1]);
    wait_remove(&w[0]);
    wait_remove(&w[3]);
    assert_ptr_equal(q.head, &w[2]);
    assert_ptr_equal(q.tail, &w[2]);
    wait_remove(&w[2]);
    assert_null(q.head);
    host_me->woken = false;
    assert_int_equal(wait_on(&q, mb_ticks() + 1000000), -ETIMEDOUT);
    host_me->interrupted = true;
    assert_int_equal(wait_on(&q, MB_NEVER), -EINTR);
    assert_null(q.head);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(poll_at_once), T(timeouts), T(woken), T(many), T(selects), T(exclusive_waiters),
    };
    return HOST_RUN(tests);
}
