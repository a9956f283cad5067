/*
 * Pipes and FIFOs: data, blocking, atomic writes, broken ends, sizes.
 * test-sources: posix/fs/?*.c posix/fd/?*.c posix/path/?*.c posix/poll/?*.c posix/event/?*.c
 */
#include "host/host.h"

static long rd, wr;

static void make_pipe(unsigned flags)
{
    int32_t *fds = host_room(8);
    assert_ok(CALL_(pipe2, A(fds), flags));
    rd = fds[0];
    wr = fds[1];
}

static void close_pipe(void)
{
    assert_ok(t_close(rd));
    assert_ok(t_close(wr));
}

static void simple(void **state)
{
    make_pipe(0);
    assert_int_equal(t_write(wr, "hello"), 5);
    int *n = host_room(4);
    assert_ok(CALL_(ioctl, (uint64_t)rd, 0x541b, A(n)));
    assert_int_equal(*n, 5);
    assert_string_equal(t_read(rd, 2), "he");
    assert_string_equal(t_read(rd, 10), "llo");
    assert_int_equal(CALL_(lseek, (uint64_t)rd, 0, SEEK_SET), -ESPIPE);
    assert_int_equal(CALL_(pread64, (uint64_t)rd, A(n), 1, 0), -ESPIPE);
    assert_int_equal(CALL_(read, (uint64_t)wr, A(n), 1), -EBADF);
    assert_int_equal(CALL_(write, (uint64_t)rd, A(n), 1), -EBADF);
    assert_int_equal(CALL_(write, (uint64_t)wr, HOST_BAD, 1), -EFAULT);
    assert_int_equal(CALL_(read, (uint64_t)rd, A(n), 0), 0); /* does not block */
    t_write(wr, "x");
    assert_int_equal(CALL_(read, (uint64_t)rd, HOST_BAD, 1), -EFAULT);
    assert_string_equal(t_read(rd, 1), "x"); /* still there */
    struct abi_stat *st = host_room(sizeof(*st));
    assert_ok(CALL_(fstat, (uint64_t)rd, A(st)));
    assert_int_equal(st->mode, S_IFIFO | 0600);
    assert_int_equal(CALL_(ftruncate, (uint64_t)wr, 0), -EINVAL);
    struct abi_iovec *v = host_room(2 * sizeof(*v)); /* what comes before a bad element is done */
    v[0] = (struct abi_iovec){U("good"), 4};
    v[1] = (struct abi_iovec){HOST_BAD, 5};
    assert_int_equal(CALL_(writev, (uint64_t)wr, A(v), 2), 4);
    v[0] = (struct abi_iovec){A(n), 2};
    assert_int_equal(CALL_(readv, (uint64_t)rd, A(v), 2), 2);
    assert_string_equal(t_read(rd, 10), "od");
    close_pipe();
    assert_int_equal(CALL_(pipe2, HOST_BAD, 0), -EFAULT);
    assert_int_equal(CALL_(pipe2, A(n), 1), -EINVAL);
    assert_int_equal(files_next(current->files, 0, NULL), -1);
}

static void ends_close(void **state)
{
    make_pipe(0);
    t_write(wr, "last");
    assert_ok(t_close(wr));
    assert_string_equal(t_read(rd, 10), "last");
    assert_string_equal(t_read(rd, 10), "");
    assert_ok(t_close(rd));
    make_pipe(0);
    assert_ok(t_close(rd));
    assert_int_equal(t_write(wr, "x"), -EPIPE);
    assert_int_equal(host_me->signals, 1 << ABI_SIGPIPE);
    assert_int_equal(CALL_(write, (uint64_t)wr, U(""), 0), 0);
    assert_ok(t_close(wr));
}

static void nonblocking(void **state)
{
    char *buf = host_room(100000);
    make_pipe(O_NONBLOCK);
    assert_int_equal(CALL_(read, (uint64_t)rd, A(buf), 1), -EAGAIN);
    assert_int_equal(CALL_(write, (uint64_t)wr, A(buf), 100000), 65536);
    assert_int_equal(CALL_(write, (uint64_t)wr, A(buf), 1), -EAGAIN);
    assert_int_equal(CALL_(read, (uint64_t)rd, A(buf), 4095), 4095);
    assert_int_equal(CALL_(write, (uint64_t)wr, A(buf), 4096), -EAGAIN); /* all or nothing */
    assert_int_equal(CALL_(write, (uint64_t)wr, A(buf), 4097), 4095);    /* what fits */
    assert_int_equal(CALL_(read, (uint64_t)rd, A(buf), 100000), 65536);
    close_pipe();
}

static void sizes(void **state)
{
    char *buf = host_room(200000), *back = host_room(200000);
    mb_random(buf, 200000);
    make_pipe(O_NONBLOCK);
#define FCNTL(fd, cmd, arg) CALL_(fcntl, (uint64_t)(fd), (uint64_t)(cmd), (uint64_t)(arg))
    assert_int_equal(FCNTL(rd, F_GETPIPE_SZ, 0), 65536);
    assert_int_equal(FCNTL(rd, F_SETPIPE_SZ, 1), 4096);
    assert_int_equal(CALL_(write, (uint64_t)wr, A(buf), 5000), 4096);
    assert_int_equal(CALL_(read, (uint64_t)rd, A(back), 100), 100);
    assert_int_equal(CALL_(write, (uint64_t)wr, A(buf + 4096), 60), 60);
    assert_int_equal(FCNTL(rd, F_SETPIPE_SZ, 100000), 131072); /* with data that wraps around */
    assert_int_equal(CALL_(write, (uint64_t)wr, A(buf + 4156), 100000), 100000);
    assert_int_equal(FCNTL(rd, F_SETPIPE_SZ, 4096), -EBUSY);
    assert_int_equal(CALL_(read, (uint64_t)rd, A(back), 200000), 104056);
    assert_memory_equal(back, buf + 100, 104056);
    assert_int_equal(FCNTL(rd, F_SETPIPE_SZ, 1 << 20), 1 << 20);
    struct cred before = current->cred;
    current->cred.effective = 0;
    assert_int_equal(FCNTL(rd, F_SETPIPE_SZ, (1 << 20) + 1), -EPERM);
    current->cred = before;
    assert_int_equal(FCNTL(rd, F_SETPIPE_SZ, (1 << 20) + 1), 2 << 20);
    assert_int_equal(FCNTL(rd, F_SETPIPE_SZ, ~0u), -EINVAL);
    close_pipe();
    long fd = t_open("/dev/null", O_RDONLY, 0);
    assert_int_equal(FCNTL(fd, F_GETPIPE_SZ, 0), -EBADF);
    assert_ok(t_close(fd));
}

/* ---- blocking, with a second process ---- */

static void read_one(void *arg)
{
    char *buf = arg;
    host_me->result = CALL_(read, (uint64_t)rd, A(buf), 16);
}

static void reader_sleeps(void **state)
{
    char *buf = host_room(16);
    make_pipe(0);
    unsigned parks = host_parks;
    struct host_thread *t = host_run(false, read_one, buf);
    host_wait_parked(parks);
    assert_false(t->done);
    assert_int_equal(t->task.state, 'S');
    t_write(wr, "abc");
    assert_int_equal(host_join(t), 3);
    assert_memory_equal(buf, "abc", 3);
    /* end of file wakes as well */
    parks = host_parks;
    t = host_run(true, read_one, buf); /* a thread: the only writer is the shared descriptor */
    host_wait_parked(parks);
    assert_ok(t_close(wr));
    assert_ok(host_join(t));
    assert_ok(t_close(rd));
    /* a signal */
    make_pipe(0);
    parks = host_parks;
    t = host_run(false, read_one, buf);
    host_wait_parked(parks);
    host_interrupt(t);
    assert_int_equal(host_join(t), -ERESTARTSYS);
    /* the descriptor is closed by another thread meanwhile: the read goes on with its file */
    parks = host_parks;
    t = host_run(true, read_one, buf);
    host_wait_parked(parks);
    assert_ok(t_close(rd));
    t_write(wr, "late");
    assert_int_equal(host_join(t), 4);
    assert_ok(t_close(wr));
}

#define STREAM 3000000u

static void write_stream(void *arg)
{
    size_t step = (size_t)arg, done = 0;
    char *buf = (char *)host_arena + HOST_ARENA / 2;
    while (done < STREAM) {
        size_t n = step < STREAM - done ? step : STREAM - done;
        for (size_t i = 0; i < n; i++) {
            buf[i] = (char)((done + i) % 253);
        }
        long put = CALL_(write, (uint64_t)wr, A(buf), n);
        assert_int_equal(put, n); /* a blocking write writes all */
        done += n;
    }
    assert_ok(t_close(wr));
}

static void stream(void **state)
{
    static const size_t steps[][2] = {
        {1, 4096}, {4096, 1000}, {100000, 5000}, {5000, 200000}, {777, 778}};
    for (unsigned k = 0; k < 5; k++) {
        host_used = 0;
        char *buf = host_room(200000);
        make_pipe(0);
        struct host_thread *t =
            host_run(false, write_stream, (void *)(steps[k][0] == 1 ? 97 : steps[k][0]));
        assert_ok(t_close(wr));
        size_t done = 0;
        for (;;) {
            long got = CALL_(read, (uint64_t)rd, A(buf), steps[k][1]);
            assert_true(got >= 0);
            if (got == 0) {
                break;
            }
            for (long i = 0; i < got; i++) {
                assert_int_equal(buf[i], (char)((done + (size_t)i) % 253));
            }
            done += (size_t)got;
        }
        assert_int_equal(done, STREAM);
        host_join(t);
        assert_ok(t_close(rd));
    }
}

/* Many writers of records up to PIPE_BUF: none is ever torn. */
#define RECORDS 400
static void write_records(void *arg)
{
    long id = (long)arg;
    char *buf = (char *)host_arena + HOST_ARENA / 2 + id * 8192;
    for (int i = 0; i < RECORDS; i++) {
        uint16_t len = (uint16_t)(4 + (i * 37 + id * 101) % (PIPE_BUF - 4));
        memset(buf, (int)id, len);
        memcpy(buf, &len, 2);
        assert_int_equal(CALL_(write, (uint64_t)wr, A(buf), len), len);
    }
    host_me->result = 0;
}

static char *record_buf;
static long read_exactly(size_t n)
{
    size_t done = 0;
    while (done < n) {
        long got = CALL_(read, (uint64_t)rd, A(record_buf + done), n - done);
        if (got <= 0) {
            return got;
        }
        done += (size_t)got;
    }
    return (long)n;
}

static void atomic_writes(void **state)
{
    struct host_thread *t[4];
    unsigned count[5] = {0};
    record_buf = host_room(8192);
    make_pipe(0);
    for (long i = 0; i < 4; i++) {
        t[i] = host_run(false, write_records, (void *)(i + 1));
    }
    for (int i = 0; i < 4 * RECORDS; i++) {
        uint16_t len;
        assert_int_equal(read_exactly(2), 2);
        memcpy(&len, record_buf, 2);
        assert_true(len >= 4 && len <= PIPE_BUF);
        assert_int_equal(read_exactly(len - 2u), len - 2);
        for (int k = 1; k < len - 2; k++) {
            assert_int_equal(record_buf[k], record_buf[0]);
        }
        count[(int)record_buf[0]]++;
    }
    for (int i = 0; i < 4; i++) {
        host_join(t[i]);
        assert_int_equal(count[i + 1], RECORDS);
    }
    close_pipe();
}

/* Several readers, few wake-ups: every byte is read by somebody, nobody is forgotten. */
static unsigned bytes_read;
static void read_some(void *arg)
{
    char *buf = (char *)host_arena + HOST_ARENA / 2 + (long)arg * 64;
    for (;;) {
        long got = CALL_(read, (uint64_t)rd, A(buf), 3);
        if (got <= 0) {
            host_me->result = got;
            return;
        }
        bytes_read += (unsigned)got;
    }
}

static void many_readers(void **state)
{
    struct host_thread *t[6];
    bytes_read = 0;
    make_pipe(0);
    for (long i = 0; i < 6; i++) {
        t[i] = host_run(true, read_some, (void *)i);
    }
    host_settle();
    for (int i = 0; i < 500; i++) {
        t_write(wr, "0123456789");
        if (i % 50 == 0) {
            host_settle();
        }
        host_used = 0;
    }
    host_settle();
    assert_ok(t_close(wr));
    for (int i = 0; i < 6; i++) {
        assert_ok(host_join(t[i]));
    }
    assert_int_equal(bytes_read, 5000);
    assert_ok(t_close(rd));
}

/* ---- FIFOs ---- */

static void open_fifo(void *arg)
{
    host_me->result = t_open("/fifo", (unsigned)(long)arg, 0);
}

static void fifos(void **state)
{
    assert_ok(CALL_(mknodat, CWD, U("/fifo"), S_IFIFO | 0666, 0));
    assert_int_equal(t_open("/fifo", O_WRONLY | O_NONBLOCK, 0), -ENXIO);
    rd = t_open("/fifo", O_RDONLY | O_NONBLOCK, 0);
    assert_true(rd >= 0);
    assert_string_equal(t_read(rd, 4), "");
    wr = t_open("/fifo", O_WRONLY, 0);
    assert_true(wr >= 0);
    char *buf = host_room(4);
    assert_int_equal(CALL_(read, (uint64_t)rd, A(buf), 4), -EAGAIN);
    t_write(wr, "ab");
    assert_ok(t_close(wr));
    assert_string_equal(t_read(rd, 4), "ab");
    assert_string_equal(t_read(rd, 4), "");
    assert_ok(t_close(rd));
    /* each end waits for the other */
    for (int i = 0; i < 2; i++) {
        unsigned parks = host_parks;
        struct host_thread *t = host_run(true, open_fifo, (void *)(long)(i ? O_WRONLY : O_RDONLY));
        host_wait_parked(parks);
        assert_false(t->done);
        long fd = t_open("/fifo", i ? O_RDONLY : O_WRONLY, 0);
        assert_true(fd >= 0);
        long other = host_join(t);
        assert_true(other >= 0);
        assert_int_equal(t_write(i ? other : fd, "through"), 7);
        assert_string_equal(t_read(i ? fd : other, 9), "through");
        assert_ok(t_close(fd));
        assert_ok(t_close(other));
    }
    long both = t_open("/fifo", O_RDWR, 0);
    assert_true(both >= 0);
    t_write(both, "self");
    assert_string_equal(t_read(both, 9), "self");
    assert_ok(t_close(both));
    /* a signal while it waits */
    unsigned parks = host_parks;
    struct host_thread *t = host_run(true, open_fifo, (void *)O_RDONLY);
    host_wait_parked(parks);
    host_interrupt(t);
    assert_int_equal(host_join(t), -ERESTARTSYS);
    assert_int_equal(t_open("/fifo", O_WRONLY | O_NONBLOCK, 0), -ENXIO);
    assert_ok(t_unlink("/fifo"));
}

static void page_comes_not(void **state)
{
    make_pipe(0);
    host_fail_after(0);
    assert_int_equal(t_write(wr, "x"), -ENOMEM);
    t_write(wr, "y");
    assert_string_equal(t_read(rd, 4), "y");
    close_pipe();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(simple), T(ends_close),    T(nonblocking),  T(sizes), T(reader_sleeps),
        T(stream), T(atomic_writes), T(many_readers), T(fifos), T(page_comes_not),
    };
    return HOST_RUN(tests);
}
