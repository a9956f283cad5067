/*
 * /Bus/supervisor: one command a write, its own answer for every open file, one command at a time, who
 * is killed while waiting, and a supervisor that refuses.
 * test-sources: posix/fs/?*.c posix/fd/?*.c posix/path/?*.c posix/poll/?*.c posix/event/?*.c
 */
#include "host/host.h"

/* ---- a supervisor that answers when the test says so ---- */

static char room[4096];
static bool there = true;
static void (*done)(long n);
static size_t asked;
static unsigned asks;
static int refuse;

void *mb_control_room(size_t *size)
{
    *size = sizeof(room);
    return there ? room : NULL;
}

int mb_control_run(size_t n, void (*then)(long n))
{
    assert_null(done); /* one at a time */
    if (refuse != 0) {
        return refuse;
    }
    asked = n;
    asks++;
    done = then;
    return 0;
}

static void answer(const char *text)
{
    void (*then)(long n) = done;
    memcpy(room, text, strlen(text));
    done = NULL;
    then((long)strlen(text));
}

static void fail_to(long error)
{
    void (*then)(long n) = done;
    done = NULL;
    then(error);
}

/* ---- askers: threads that write one command ---- */

struct ask {
    long fd;
    const char *text;
};

static void write_one(void *arg)
{
    const struct ask *a = arg;
    host_me->result = t_write(a->fd, a->text);
}

static struct host_thread *ask(const struct ask *a)
{
    unsigned parks = host_parks;
    struct host_thread *t = host_run(true, write_one, (void *)a);
    host_wait_parked(parks);
    return t;
}

static long bus_open(unsigned flags)
{
    return t_open("/Bus/supervisor", O_RDWR | flags, 0);
}

static void a_write_is_a_command(void **state)
{
    struct ask a = {bus_open(0), "ps"};
    assert_true(a.fd >= 0);
    assert_string_equal(t_read(a.fd, 10), "");
    struct host_thread *t = ask(&a);
    assert_false(t->done);
    assert_int_equal(asked, 2);
    assert_memory_equal(room, "ps", 2);
    answer("one two three");
    assert_int_equal(host_join(t), 2);
    assert_string_equal(t_read(a.fd, 3), "one");
    assert_string_equal(t_read(a.fd, 100), " two three");
    assert_string_equal(t_read(a.fd, 100), "");
    t = ask(&a);
    answer("");
    assert_int_equal(host_join(t), 2);
    assert_string_equal(t_read(a.fd, 100), "");
    assert_int_equal(CALL_(write, (uint64_t)a.fd, HOST_BAD, 4), -EFAULT);
    assert_int_equal(CALL_(write, (uint64_t)a.fd, HOST_BAD, sizeof(room) + 1), -EFBIG);
    assert_int_equal(CALL_(write, (uint64_t)a.fd, HOST_BAD, 0), 0);
    assert_int_equal(CALL_(lseek, (uint64_t)a.fd, 0, SEEK_SET), -ESPIPE);
    assert_ok(t_close(a.fd));
}

static void answers_do_not_mix(void **state)
{
    struct ask a = {bus_open(0), "first"}, b = {bus_open(0), "second"}, c = {bus_open(0), "third"};
    struct host_thread *t = ask(&a), *u = ask(&b), *v = ask(&c);
    assert_int_equal(asked, 5);
    unsigned before = asks;
    answer("to the first");
    assert_int_equal(host_join(t), 5);
    for (int i = 0; i < 100 && asks == before; i++) {
        host_settle();
    }
    assert_int_equal(asks, before + 1); /* the next, and nobody else */
    assert_memory_equal(room, "second", 6);
    answer("to the second");
    assert_int_equal(host_join(u), 6);
    for (int i = 0; i < 100 && asks == before + 1; i++) {
        host_settle();
    }
    answer("to the third");
    assert_int_equal(host_join(v), 5);
    assert_string_equal(t_read(b.fd, 100), "to the second");
    assert_string_equal(t_read(a.fd, 100), "to the first");
    assert_string_equal(t_read(c.fd, 100), "to the third");
    assert_ok(t_close(a.fd));
    assert_ok(t_close(b.fd));
    assert_ok(t_close(c.fd));
}

static void nonblocking_does_not_wait_its_turn(void **state)
{
    struct ask a = {bus_open(0), "first"};
    long fd = bus_open(O_NONBLOCK);
    struct host_thread *t = ask(&a);
    assert_int_equal(t_write(fd, "x"), -EAGAIN);
    answer("y");
    assert_int_equal(host_join(t), 5);
    assert_ok(t_close(a.fd));
    assert_ok(t_close(fd));
}

static void a_signal_ends_the_wait_for_ones_turn(void **state)
{
    struct ask a = {bus_open(0), "first"}, b = {bus_open(0), "second"};
    struct host_thread *t = ask(&a), *u = ask(&b);
    unsigned before = asks;
    host_interrupt(u);
    assert_int_equal(host_join(u), -ERESTARTSYS);
    answer("z");
    assert_int_equal(host_join(t), 5);
    assert_int_equal(asks, before);
    assert_ok(t_close(a.fd));
    assert_ok(t_close(b.fd));
}

static void who_is_killed_leaves_the_room_to_the_next(void **state)
{
    struct ask a = {bus_open(0), "first"}, b = {bus_open(0), "second"};
    struct host_thread *t = ask(&a);
    host_interrupt(t); /* the command is given: only death ends this wait */
    host_settle();
    assert_false(t->done);
    host_kill(t);
    assert_int_equal(host_join(t), -EINTR);
    struct host_thread *u = ask(&b);
    assert_int_equal(asked, 5); /* the first is still being carried out */
    unsigned before = asks;
    answer("for nobody");
    for (int i = 0; i < 100 && asks == before; i++) {
        host_settle();
    }
    answer("for the second");
    assert_int_equal(host_join(u), 6);
    assert_string_equal(t_read(a.fd, 100), "");
    assert_string_equal(t_read(b.fd, 100), "for the second");
    assert_ok(t_close(a.fd));
    assert_ok(t_close(b.fd));
}

static void what_fails_is_told(void **state)
{
    struct ask a = {bus_open(0), "first"};
    struct host_thread *t = ask(&a);
    fail_to(-EIO);
    assert_int_equal(host_join(t), -EIO);
    refuse = -EIO;
    assert_int_equal(t_write(a.fd, "x"), -EIO);
    refuse = 0;
    t = ask(&a);
    host_fail_after(0);
    answer("no room for this");
    assert_int_equal(host_join(t), -ENOMEM);
    host_fail_after(-1);
    there = false;
    assert_int_equal(t_write(a.fd, "x"), -EIO);
    assert_int_equal(bus_open(0), -ENXIO);
    there = true;
    assert_ok(t_close(a.fd));
}

static void only_root(void **state)
{
    as_user(1000);
    assert_int_equal(bus_open(0), -EACCES);
    assert_int_equal(t_open("/Bus/supervisor", O_RDONLY, 0), -EACCES);
    as_user(0);
    assert_int_equal(t_stat("/Bus/supervisor")->mode, S_IFCHR | 0600);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_write_is_a_command),
        T(answers_do_not_mix),
        T(nonblocking_does_not_wait_its_turn),
        T(a_signal_ends_the_wait_for_ones_turn),
        T(who_is_killed_leaves_the_room_to_the_next),
        T(what_fails_is_told),
        T(only_root),
    };
    return HOST_RUN(tests);
}
