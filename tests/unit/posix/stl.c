/* The System Truth Ledger as /Bus/log: lines, gaps, the end, and many readers at once.
 *
 * test-sources: posix/fs/?*.c posix/fd/?*.c posix/path/?*.c posix/poll/?*.c posix/event/?*.c
 */
#include "host/host.h"

#include "fs/stl.h"

/* ---- logd, played by the test: numbers from 0, some of them gone ---- */

enum { MAX = 4000, PIECE = 8192 };
static bool gone[MAX];
static uint64_t end;
static const char *text_of(uint64_t number)
{
    static char text[64];
    (void)snprintf(text, sizeof(text), "this is number %lu", (unsigned long)number);
    return text;
}

/* Answer what was asked, if something was. */
static bool answer(void)
{
    static _Alignas(8) uint8_t records[PIECE];
    size_t n = 0;
    uint64_t number = host_stl_from;
    mb_stl_done *done = host_stl_done;
    if (done == NULL) {
        return false;
    }
    host_stl_done = NULL;
    for (; number < end; number++) {
        struct nexus_stl r = {.number = number,
                              .time_ns = 1000000001ul * number,
                              .seq = number + 1,
                              .generation = 2,
                              .len = (uint16_t)strlen(text_of(number)),
                              .level = NX_LOG_INFO,
                              .kind = number % 10 == 9 ? NEXUS_STL_BEB : NEXUS_STL_LOG,
                              .cell = "cell"};
        if (gone[number]) {
            continue;
        }
        if (n + nexus_stl_size(&r) > PIECE) {
            break;
        }
        memcpy(records + n, &r, sizeof(r));
        memset(records + n + sizeof(r), 0, nexus_stl_size(&r) - sizeof(r));
        memcpy(records + n + sizeof(r), text_of(number), r.len);
        n += nexus_stl_size(&r);
    }
    done(records, n, number < end ? number : end, end, 0);
    memset(records, 0xee, sizeof(records));
    return true;
}

/* logd's fiber: it answers as long as the test runs. */
static volatile bool stop;
static void *server(void *arg)
{
    while (!stop) {
        pthread_mutex_lock(&host_lock);
        (void)answer();
        if (host_stl_followed < end && mb_stl_hook != NULL && host_stl_followed != UINT64_MAX) {
            host_stl_followed = UINT64_MAX;
            mb_stl_hook(end);
        }
        pthread_mutex_unlock(&host_lock);
        usleep(50);
    }
    return NULL;
}

static pthread_t server_thread;

/* The stream only grows, as the real one. */
static int begin(void **state)
{
    host_stl = true;
    host_stl_followed = UINT64_MAX;
    stop = false;
    return host_setup(state) != 0 ? -1 : pthread_create(&server_thread, NULL, server, NULL);
}

static int finish(void **state)
{
    stop = true;
    mb_unlock();
    pthread_join(server_thread, NULL);
    mb_lock();
    host_stl = false;
    return host_teardown(state);
}

/* All lines of the stream from *cursor up to the end, checked. */
static uint64_t read_to_end(uint64_t *cursor, uint64_t *lost)
{
    struct stl_record r;
    uint64_t n = 0;
    int e;
    while ((e = stl_read(cursor, &r, STL_END_STOP)) == 1) {
        assert_int_equal(*cursor, r.head.number + 1);
        assert_int_equal(r.head.len, strlen(text_of(r.head.number)));
        assert_memory_equal(r.text, text_of(r.head.number), r.head.len);
        *lost += r.lost;
        n++;
    }
    assert_int_equal(e, 0);
    return n;
}

static void all_of_it(void **state)
{
    uint64_t cursor = end, lost = 0;
    for (uint64_t i = end + 100; i < end + 150; i++) {
        gone[i] = true;
    }
    end += 1000;
    assert_int_equal(read_to_end(&cursor, &lost), 950);
    assert_int_equal(lost, 50);
    assert_int_equal(cursor, end);
    cursor = 0;
    assert_true(read_to_end(&cursor, &lost) > 0);
}

static void lines(void **state)
{
    char line[STL_LINE];
    struct stl_record r = {
        .head = {.time_ns = 12000000345ul, .seq = 7, .generation = 3, .len = 5, .cell = "posix"},
        .text = "hello, this is not all of it"};
    assert_int_equal(stl_line(&r, line), strlen("[   12.000000345] posix.3 #7: hello\n"));
    assert_string_equal(line, "[   12.000000345] posix.3 #7: hello\n");
    r.head.kind = NEXUS_STL_BEB;
    r.lost = 42;
    (void)stl_line(&r, line);
    assert_string_equal(line,
                        "[   12.000000345] -- 42 lost --\n[   12.000000345] posix.3 !7: hello\n");
    memset(&r, 'x', sizeof(r)); /* the longest there can be */
    r.head.cell[31] = 0;
    r.head.len = NEXUS_STL_TEXT;
    assert_true(stl_line(&r, line) < (int)STL_LINE);
    assert_int_equal(line[strlen(line) - 1], '\n');
}

/* A cursor that is not of this stream comes back to its end. */
static void a_cursor_from_nowhere(void **state)
{
    uint64_t cursor = end + 500, lost = 0;
    assert_int_equal(read_to_end(&cursor, &lost), 0);
    assert_int_equal(cursor, end);
}

static void the_end(void **state)
{
    struct stl_record r;
    uint64_t cursor, at = 1;
    end += 3;
    assert_int_equal(stl_end(&at), 0);
    assert_int_equal(at, end);
    cursor = end;
    assert_int_equal(stl_read(&cursor, &r, STL_END_AGAIN), -EAGAIN);
    assert_int_equal(stl_read(&cursor, &r, STL_END_STOP), 0);
    assert_false(stl_ready(end, NULL));
    assert_true(stl_ready(end - 1, NULL));
    host_me->interrupted = true;
    assert_int_equal(stl_read(&cursor, &r, STL_END_WAIT), -ERESTARTSYS);
    host_me->interrupted = false;
}

/* What one read gives is whole lines or parts of them, in order, whatever its length. */
static void the_file(void **state)
{
    static char all[200000], again[200000];
    size_t n = 0, m = 0;
    char *part;
    long fd = t_open("/Bus/log", O_RDONLY | O_NONBLOCK, 0), got;
    assert_ok(fd);
    end += 300;
    char *buf = host_room(4096);
    while ((got = CALL_(read, (uint64_t)fd, A(buf), 4096)) > 0) {
        memcpy(all + n, buf, (size_t)got);
        n += (size_t)got;
    }
    assert_int_equal(got, -EAGAIN);
    assert_int_equal(CALL_(lseek, (uint64_t)fd, 0, SEEK_SET), 0);
    for (size_t len = 1; (got = CALL_(read, (uint64_t)fd, A(buf), len % 300 + 1)) > 0; len += 7) {
        memcpy(again + m, buf, (size_t)got);
        m += (size_t)got;
    }
    assert_int_equal(got, -EAGAIN);
    assert_int_equal(m, n);
    assert_memory_equal(all, again, n);
    part = strstr(all, "this is number 5\n");
    assert_non_null(part);
    assert_int_equal(all[n - 1], '\n');
    assert_int_equal(CALL_(lseek, (uint64_t)fd, 0, SEEK_END), 0);
    assert_int_equal(CALL_(read, (uint64_t)fd, A(buf), 100), -EAGAIN);
    assert_int_equal(CALL_(lseek, (uint64_t)fd, 1, SEEK_SET), -EINVAL);
    assert_int_equal(CALL_(lseek, (uint64_t)fd, 0, SEEK_CUR), -EINVAL);
    assert_int_equal(CALL_(read, (uint64_t)fd, HOST_BAD, 100), -EAGAIN);
    end++;
    assert_int_equal(CALL_(read, (uint64_t)fd, HOST_BAD, 100), -EFAULT);
    assert_true(CALL_(read, (uint64_t)fd, A(buf), 100) > 0); /* it is still there */
    assert_ok(t_close(fd));
}

static uint64_t reader_target;
static void reader(void *arg)
{
    uint64_t cursor = *(uint64_t *)arg, n = 0;
    struct stl_record r;
    while (cursor < reader_target) {
        assert_int_equal(stl_read(&cursor, &r, STL_END_WAIT), 1);
        n += 1 + r.lost;
    }
    host_me->result = (long)n;
}

/* Readers at different places, while more comes. */
static void many_readers(void **state)
{
    enum { N = 6 };
    struct host_thread *t[N];
    uint64_t from[N];
    reader_target = end + 500;
    for (unsigned i = 0; i < N; i++) {
        from[i] = end * i / N;
        t[i] = host_run(false, reader, &from[i]);
    }
    for (unsigned i = 0; i < 50; i++) {
        host_settle();
        end += 10;
    }
    for (unsigned i = 0; i < N; i++) {
        assert_int_equal(host_join(t[i]), reader_target - from[i]);
    }
}

static void poller(void *arg)
{
    struct abi_pollfd *p = arg;
    host_me->result = CALL_(ppoll, A(p), 1, 0, 0, 0);
}

static void polled(void **state)
{
    struct abi_pollfd *p = host_room(sizeof(*p));
    long fd = t_open("/Bus/log", O_RDONLY | O_NONBLOCK, 0);
    assert_ok(fd);
    assert_int_equal(CALL_(lseek, (uint64_t)fd, 0, SEEK_END), 0);
    *p = (struct abi_pollfd){(int)fd, ABI_POLLIN, 0};
    unsigned parks = host_parks;
    struct host_thread *t = host_run(true, poller, p);
    host_wait_parked(parks);
    end++;
    assert_int_equal(host_join(t), 1);
    assert_int_equal(p->revents, ABI_POLLIN);
    assert_ok(t_close(fd));
}

static void without_logd(void **state)
{
    struct stl_record r;
    uint64_t cursor = 0, at = 0;
    host_stl = false;
    assert_int_equal(stl_read(&cursor, &r, STL_END_WAIT), 0); /* the host's nucleus says nothing */
    assert_int_equal(stl_end(&at), 0);
    assert_int_equal(at, 0);
    assert_true(stl_ready(0, NULL));
}

/* ---- random numbers ---- */

static void waiter(void *arg)
{
    host_me->result = random_wait(false);
}

static void random_waits_for_the_seed(void **state)
{
    long random = t_open("/dev/random", O_RDONLY | O_NONBLOCK, 0);
    long urandom = t_open("/dev/urandom", O_RDWR, 0);
    struct abi_pollfd *p = host_room(2 * sizeof(*p));
    struct ktimespec *none = host_room(sizeof(*none));
    char *buf = host_room(32);
    *none = (struct ktimespec){0};
    p[0] = (struct abi_pollfd){(int)random, ABI_POLLIN, 0};
    p[1] = (struct abi_pollfd){(int)urandom, ABI_POLLIN, 0};
    host_unseeded = true;
    assert_int_equal(CALL_(read, (uint64_t)random, A(buf), 32), -EAGAIN);
    assert_int_equal(CALL_(read, (uint64_t)random, A(buf), 0), 0);
    assert_int_equal(CALL_(read, (uint64_t)urandom, A(buf), 32), 32);
    assert_int_equal(CALL_(write, (uint64_t)urandom, A(buf), 32), 32);
    assert_int_equal(CALL_(ppoll, A(p), 2, A(none), 0, 0), 1);
    assert_int_equal(p[0].revents, 0);
    assert_int_equal(random_wait(true), -EAGAIN);
    host_me->interrupted = true;
    assert_int_equal(random_wait(false), -ERESTARTSYS);
    host_me->interrupted = false;
    unsigned parks = host_parks;
    struct host_thread *t = host_run(true, waiter, NULL);
    host_wait_parked(parks);
    mb_random_hook(); /* a false alarm */
    host_settle();
    host_unseeded = false;
    mb_random_hook();
    assert_int_equal(host_join(t), 0);
    assert_int_equal(CALL_(read, (uint64_t)random, A(buf), 32), 32);
    assert_int_equal(CALL_(ppoll, A(p), 2, A(none), 0, 0), 2);
    assert_ok(t_close(random));
    assert_ok(t_close(urandom));
}

int main(void)
{
#define S(name) cmocka_unit_test_setup_teardown(name, begin, finish)
    const struct CMUnitTest tests[] = {
        S(all_of_it), S(lines),        S(a_cursor_from_nowhere),
        S(the_end),   S(the_file),     S(many_readers),
        S(polled),    S(without_logd), T(random_waits_for_the_seed),
    };
    return HOST_RUN(tests);
}
