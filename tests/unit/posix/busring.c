/*
 * /Bus/ring.N: the file of a native cell's rings (nexus/bus.h): one at a time, bells counted and passed on, errors.
 * test-sources: posix/fs/?*.c posix/fd/?*.c posix/path/?*.c posix/poll/?*.c posix/event/?*.c
 */
#include "host/host.h"

#include <nexus/bus.h>

/* ---- a cell that serves ring.1, with a pool of a page and a bit ---- */

static uint8_t memory[3][2 * MB_PAGE];
static unsigned bells[2];

bool mb_ring_get(unsigned n, struct mb_ring *out)
{
    *out = (struct mb_ring){.out = memory[0],
                            .in = memory[1],
                            .pool = memory[2],
                            .out_size = MB_PAGE,
                            .in_size = MB_PAGE,
                            .pool_size = 2 * MB_PAGE};
    return n == 1;
}

void mb_ring_bell(unsigned n, bool out)
{
    assert_int_equal(n, 1);
    bells[out]++;
}

static long ring_open(unsigned flags)
{
    return t_open("/Bus/ring.1", O_RDWR | flags, 0);
}

static void put_in(uint64_t word)
{
    memcpy(host_arena, &word, sizeof(word));
}

static long ring_write(long fd, uint64_t word)
{
    bells[0] = bells[1] = 0;
    put_in(word);
    return CALL_(write, (uint64_t)fd, A(host_arena), 8);
}

static void one_at_a_time(void **state)
{
    const long fd = ring_open(0);
    assert_true(fd >= 0);
    assert_int_equal(ring_open(0), -EBUSY);
    assert_int_equal(t_open("/Bus/ring.0", O_RDWR, 0), -ENOENT);
    assert_ok(t_close(fd));
    const long again = ring_open(0);
    assert_true(again >= 0);
    assert_ok(t_close(again));
    as_user(1000);
    assert_int_equal(ring_open(0), -EACCES);
    as_user(0);
}

static void bells_go_out(void **state)
{
    const long fd = ring_open(0);
    assert_int_equal(ring_write(fd, NEXUS_BUS_PUSHED), 8);
    assert_true(bells[true] == 1 && bells[false] == 0);
    assert_int_equal(ring_write(fd, NEXUS_BUS_POPPED), 8);
    assert_true(bells[true] == 0 && bells[false] == 1);
    assert_int_equal(ring_write(fd, 3), 8);
    assert_true(bells[true] == 1 && bells[false] == 1);
    assert_int_equal(ring_write(fd, 0), -EINVAL);
    assert_int_equal(ring_write(fd, 7), -EINVAL);
    assert_int_equal(CALL_(write, (uint64_t)fd, A(host_arena), 4), -EINVAL);
    assert_int_equal(CALL_(write, (uint64_t)fd, HOST_BAD, 8), -EFAULT);
    assert_int_equal(CALL_(lseek, (uint64_t)fd, 0, SEEK_SET), -ESPIPE);
    assert_ok(t_close(fd));
}

static void read_one(void *arg)
{
    host_me->result = CALL_(read, *(const uint64_t *)arg, A(host_arena), 8);
}

static void bells_come_in(void **state)
{
    const long fd = ring_open(O_NONBLOCK);
    uint64_t n, waits;
    assert_int_equal(CALL_(read, (uint64_t)fd, A(host_arena), 8), -EAGAIN);
    mb_ring_hook(1);
    mb_ring_hook(1);
    assert_int_equal(CALL_(read, (uint64_t)fd, A(host_arena), 7), -EINVAL);
    assert_int_equal(CALL_(read, (uint64_t)fd, A(host_arena), 8), 8);
    memcpy(&n, host_arena, sizeof(n));
    assert_int_equal(n, 2);
    assert_int_equal(CALL_(read, (uint64_t)fd, A(host_arena), 8), -EAGAIN);
    assert_ok(t_close(fd));
    mb_ring_hook(1); /* nobody is there: it is not kept for the next */
    waits = (uint64_t)ring_open(0);
    const unsigned parks = host_parks;
    struct host_thread *t = host_run(true, read_one, &waits);
    host_wait_parked(parks);
    assert_false(t->done);
    mb_ring_hook(1);
    assert_int_equal(host_join(t), 8);
    assert_ok(t_close((long)waits));
}

static void sizes(void **state)
{
    const long fd = ring_open(0);
    struct nexus_bus_sizes s;
    assert_ok(CALL_(ioctl, (uint64_t)fd, NEXUS_BUS_SIZES, A(host_arena)));
    memcpy(&s, host_arena, sizeof(s));
    assert_true(s.out == MB_PAGE && s.in == MB_PAGE && s.pool == 2 * MB_PAGE);
    assert_int_equal(CALL_(ioctl, (uint64_t)fd, NEXUS_BUS_SIZES, HOST_BAD), -EFAULT);
    assert_int_equal(CALL_(ioctl, (uint64_t)fd, 1, A(host_arena)), -ENOTTY);
    assert_ok(t_close(fd));
}

/* What is mapped at each offset. */
static void pages(void **state)
{
    const long fd = ring_open(0);
    struct file *f = fd_get((int)fd);
    static const struct {
        uint64_t off;
        const uint8_t *page;
    } want[] = {{NEXUS_BUS_OUT, memory[0]},
                {NEXUS_BUS_OUT + MB_PAGE, NULL},
                {NEXUS_BUS_IN - MB_PAGE, NULL},
                {NEXUS_BUS_IN, memory[1]},
                {NEXUS_BUS_IN + MB_PAGE, NULL},
                {NEXUS_BUS_POOL, memory[2]},
                {NEXUS_BUS_POOL + MB_PAGE, memory[2] + MB_PAGE},
                {NEXUS_BUS_POOL + 2 * MB_PAGE, NULL},
                {UINT64_MAX - MB_PAGE + 1, NULL}};
    for (unsigned i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
        int err = 0;
        assert_ptr_equal(f->ops->page(f, want[i].off, PAGE_WRITE, &err), want[i].page);
        assert_int_equal(err, want[i].page != NULL ? 0 : -EFAULT);
    }
    assert_int_equal(f->ops->mmap_ok(f, 3, false), -EINVAL);
    assert_int_equal(f->ops->mmap_ok(f, 3, true), 0);
    file_unref(f);
    assert_ok(t_close(fd));
}

int main(void)
{
    const struct CMUnitTest tests[] = {T(one_at_a_time), T(bells_go_out), T(bells_come_in),
                                       T(sizes), T(pages)};
    return HOST_RUN(tests);
}
