/*
 * Disks: reading in sequence and at random, writing, sharing, errors of the device, the bounds of the
 * cache, partitions, ioctls.  The driver is a thread that answers in any order, some time.
 * test-sources: posix/fs/?*.c posix/fd/?*.c posix/path/?*.c posix/poll/?*.c posix/event/?*.c posix/block/?*.c
 */
#include "host/host.h"

#include <linux/fs.h>

#include "block/block.h"

#define SECTORS 6301u /* not a whole number of pages */
#define BYTES (SECTORS * 512u)
#define POOL (1u << 20)

/* ---- the driver ---- */

static struct {
    uint8_t image[BYTES], model[BYTES]; /* what the disk has; what it should */
    uint8_t *pool;
    struct mb_block_request *queue[MB_BLOCK_REQUESTS];
    unsigned count, most, reads, writes, flushes;
    uint64_t bytes_read;
    uint64_t bad; /* a sector with an error */
    bool hold, readonly, stop;
    pthread_t thread;
} drv;

bool (*mb_reclaim_hook)(void);

int mb_block_config(unsigned disk, struct mb_block_config *out)
{
    *out = (struct mb_block_config){.sectors = SECTORS,
                                    .block_size = 512,
                                    .max_request = POOL,
                                    .readonly = drv.readonly,
                                    .cached = true};
    return disk == 0 ? 0 : -ENODEV;
}

uint8_t *mb_block_pool(unsigned disk, size_t *size)
{
    *size = POOL;
    return drv.pool;
}

int mb_block_submit(unsigned disk, struct mb_block_request *r)
{
    assert_true(drv.count < MB_BLOCK_REQUESTS);
    assert_true(r->off % 512 == 0 && r->len % 512 == 0 && r->len <= POOL &&
                r->off <= POOL - r->len);
    assert_true(r->sector <= SECTORS && r->len / 512 <= SECTORS - r->sector);
    for (unsigned i = 0; i < drv.count; i++) { /* what is under way is nobody else's memory */
        const struct mb_block_request *o = drv.queue[i];
        assert_true(o != r && (r->off + r->len <= o->off || o->off + o->len <= r->off));
    }
    drv.queue[drv.count++] = r;
    drv.most = drv.count > drv.most ? drv.count : drv.most;
    return 0;
}

static int serve(const struct mb_block_request *r)
{
    if (drv.bad - r->sector < r->len / 512) {
        memset(drv.pool + r->off, 0xee, r->len);
        return -EIO;
    }
    switch (r->op) {
    case MB_BLOCK_READ:
        drv.reads++;
        drv.bytes_read += r->len;
        memcpy(drv.pool + r->off, drv.image + r->sector * 512, r->len);
        break;
    case MB_BLOCK_WRITE:
        drv.writes++;
        memcpy(drv.image + r->sector * 512, drv.pool + r->off, r->len);
        break;
    default:
        drv.flushes++;
    }
    return 0;
}

static void *driver(void *arg)
{
    static struct host_thread me;
    uint32_t x = 7;
    host_me = &me;
    mb_lock();
    while (!drv.stop) {
        if (drv.count > 0 && !drv.hold) {
            x = x * 1664525 + 1013904223;
            unsigned i = (x >> 16) % drv.count;
            struct mb_block_request *r = drv.queue[i];
            drv.queue[i] = drv.queue[--drv.count];
            r->done(r, serve(r));
        }
        bool idle = drv.count == 0 || drv.hold;
        mb_unlock();
        if (idle) {
            usleep(20);
        } else {
            sched_yield();
        }
        mb_lock();
    }
    mb_unlock();
    return NULL;
}

static int begin(void **state)
{
    host_total_pages = 8 * 300; /* so 300 in the cache */
    if (host_begin(state) != 0) {
        return -1;
    }
    drv.bad = ~0ul;
    drv.pool = aligned_alloc(MB_PAGE, POOL);
    mb_random(drv.image, BYTES);
    memset(drv.image, 0, 512);
    memcpy(drv.model, drv.image, BYTES);
    pthread_create(&drv.thread, NULL, driver, NULL);
    disk_attach(0);
    return 0;
}

static int end(void **state)
{
    drv.stop = true;
    mb_unlock();
    pthread_join(drv.thread, NULL);
    mb_lock();
    free(drv.pool);
    return host_end(state);
}

static int before(void **state)
{
    cache_shrink(~0ul);
    drv.reads = drv.writes = drv.flushes = drv.most = 0;
    drv.bytes_read = 0;
    return host_setup(state);
}

static int after(void **state)
{
    const struct disk *d = disk_get(0);
    /* What was read ahead may still be on its way. */
    for (unsigned ms = 0; ms < 5000 && d->free_units != ~0ul; ms++) {
        mb_unlock();
        usleep(1000);
        mb_lock();
    }
    cache_shrink(~0ul);
    assert_int_equal(d->free_units, ~0ul);
    assert_int_equal(d->opens, 0);
    assert_int_equal(drv.count, 0);
    assert_memory_equal(drv.image, drv.model, BYTES);
    return host_teardown(state);
}

#undef T
#define T(f) cmocka_unit_test_setup_teardown(f, before, after)

/* ---- helpers ---- */

static long open_disk(unsigned flags)
{
    long fd = t_open("/dev/vda", flags, 0);
    assert_true(fd >= 0);
    return fd;
}

static void check_read(long fd, uint64_t off, size_t n)
{
    uint8_t *buf = host_arena; /* the calls' own arguments lie behind */
    size_t want = off >= BYTES ? 0 : n < BYTES - off ? n : BYTES - off;
    memset(buf, 0xcc, n);
    assert_int_equal(CALL_(pread64, (uint64_t)fd, A(buf), n, off), want);
    if (want > 0) {
        assert_memory_equal(buf, drv.model + off, want);
    }
}

static void write_at(long fd, uint64_t off, size_t n, uint32_t seed)
{
    uint8_t *buf = host_arena;
    for (size_t i = 0; i < n; i++) {
        seed = seed * 1664525 + 1013904223;
        buf[i] = (uint8_t)(seed >> 24);
    }
    size_t want = n < BYTES - off ? n : BYTES - off;
    assert_int_equal(CALL_(pwrite64, (uint64_t)fd, A(buf), n, off), want);
    memcpy(drv.model + off, buf, want);
    assert_memory_equal(drv.image + off, buf, want); /* it has gone through */
}

static void room(void)
{
    host_used = 2u << 20; /* strings and the like: behind the buffer of the helpers */
}

/* ---- tests ---- */

static void sequence(void **state)
{
    static const size_t sizes[] = {4096, 65536, 1000, 300000, 1 << 20};
    room();
    for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        long fd = open_disk(O_RDONLY);
        cache_shrink(~0ul);
        drv.bytes_read = drv.reads = drv.most = 0;
        for (size_t at = 0; at < BYTES;) {
            long n = CALL_(read, (uint64_t)fd, A(host_arena), sizes[i]);
            assert_true(n > 0);
            assert_memory_equal(host_arena, drv.model + at, (size_t)n);
            at += (size_t)n;
        }
        assert_int_equal(CALL_(read, (uint64_t)fd, A(host_arena), sizes[i]), 0);
        assert_int_equal(drv.bytes_read, BYTES); /* nothing twice */
        assert_true(drv.reads < 100);            /* in large pieces */
        assert_true(drv.most >= 3);              /* several at a time */
        assert_ok(t_close(fd));
    }
}

static void at_random(void **state)
{
    room();
    long fd = open_disk(O_RDONLY);
    uint32_t x = 3;
    for (int i = 0; i < 500; i++) {
        x = x * 1664525 + 1013904223;
        check_read(fd, (x >> 8) % (BYTES / 4096) * 4096, 4096);
    }
    assert_true(drv.reads <= 500);
    assert_true(drv.bytes_read <= drv.reads * 3 * 4096ul); /* next to nothing is read ahead */
    unsigned reads = drv.reads;
    check_read(fd, (x >> 8) % (BYTES / 4096) * 4096, 4096); /* kept */
    assert_int_equal(drv.reads, reads);
    for (int i = 0; i < 500; i++) {
        x = x * 1664525 + 1013904223;
        check_read(fd, (x >> 8) % (BYTES + 5000), (x >> 4) % 20000 + 1);
    }
    assert_true(cache_count() <= cache_limit());
    assert_int_equal(cache_limit(), 300);
    assert_ok(t_close(fd));
}

static void direct(void **state)
{
    room();
    long fd = open_disk(O_RDWR | 040000 /* O_DIRECT */);
    for (unsigned i = 0; i < 8; i++) {
        check_read(fd, 4096 * i, 4096);
    }
    assert_int_equal(cache_count(), 0);
    assert_int_equal(drv.bytes_read, 8 * 4096);
    write_at(fd, 8192, 4096, 5);
    check_read(fd, 8192, 4096);
    assert_ok(t_close(fd));
}

static void writes(void **state)
{
    room();
    long fd = open_disk(O_RDWR), other = open_disk(O_RDONLY);
    uint32_t x = 11;
    for (int i = 0; i < 400; i++) {
        x = x * 1664525 + 1013904223;
        uint64_t off = (x >> 8) % (BYTES - 1);
        size_t n = i % 4 == 0 ? (x >> 3) % 400000 + 1 : (x >> 5) % 3000 + 1;
        if (i % 3 == 0) {
            off = off / 512 * 512;
        }
        write_at(fd, off, n, x);
        check_read(i % 2 ? fd : other, off > 5000 ? off - 5000 : 0, 12000);
    }
    assert_int_equal(drv.flushes, 0);
    assert_ok(CALL_(fsync, (uint64_t)fd));
    assert_int_equal(drv.flushes, 1);
    assert_ok(CALL_(fdatasync, (uint64_t)other));
    assert_ok(CALL_(sync, 0));
    assert_int_equal(drv.flushes, 3);
    assert_ok(t_close(fd));
    assert_ok(t_close(other));
    fd = open_disk(O_WRONLY | O_SYNC);
    write_at(fd, 512, 512, 3);
    assert_int_equal(drv.flushes, 4);
    assert_ok(t_close(fd));
}

static void ends(void **state)
{
    room();
    long fd = open_disk(O_RDWR);
    void *buf = host_room(8192);
    assert_int_equal(CALL_(lseek, (uint64_t)fd, 0, SEEK_END), BYTES);
    assert_int_equal(CALL_(read, (uint64_t)fd, A(buf), 10), 0);
    assert_int_equal(CALL_(write, (uint64_t)fd, A(buf), 10), -ENOSPC);
    assert_int_equal(CALL_(lseek, (uint64_t)fd, 1, SEEK_CUR), -EINVAL);
    assert_int_equal(CALL_(lseek, (uint64_t)fd, (uint64_t)-100, SEEK_END), BYTES - 100);
    write_at(fd, BYTES - 100, 200, 9); /* cut */
    check_read(fd, BYTES - 5000, 8000);
    assert_int_equal(CALL_(pread64, (uint64_t)fd, HOST_BAD, 100, 0), -EFAULT);
    assert_int_equal(CALL_(pwrite64, (uint64_t)fd, HOST_BAD, 100, 0), -EFAULT);
    assert_ok(t_close(fd));
}

static void device_errors(void **state)
{
    room();
    drv.bad = 1003; /* in page 125 */
    long fd = open_disk(O_RDWR);
    uint8_t *buf = host_arena;
    size_t at = 0;
    long n;
    while ((n = CALL_(read, (uint64_t)fd, A(buf), 65536)) > 0) {
        assert_memory_equal(buf, drv.model + at, (size_t)n);
        at += (size_t)n;
    }
    assert_int_equal(n, -EIO);
    assert_int_equal(at, 125 * 4096);
    check_read(fd, 126 * 4096, 65536);
    assert_int_equal(CALL_(pread64, (uint64_t)fd, A(buf), 4096, 125 * 4096), -EIO);
    assert_int_equal(CALL_(pwrite64, (uint64_t)fd, A(buf), 4096, 125 * 4096), -EIO);
    drv.bad = ~0ul;
    check_read(fd, 120 * 4096, 65536); /* nothing wrong was kept */
    assert_ok(t_close(fd));
}

/* Readers and writers of the same bytes at the same time: each read gives one of the values, and at
 * the end all agree. */
#define WORKERS 6
static unsigned workers_left;
static uint8_t *worker_buf[WORKERS];

static void worker(void *arg)
{
    unsigned me = (unsigned)(uintptr_t)arg;
    uint8_t *buf = worker_buf[me];
    uint32_t x = me;
    long fd = host_me->task.files != NULL ? t_open("/dev/vda", O_RDWR, 0) : -1;
    for (int i = 0; i < 60 && fd >= 0; i++) {
        x = x * 1664525 + 1013904223;
        uint64_t off = (x >> 10) % 8 * 4096;
        if (me % 2 == 0) {
            memset(buf, (int)(x >> 24), 16384);
            CALL_(pwrite64, (uint64_t)fd, A(buf), 16384, off);
        } else {
            long n = CALL_(pread64, (uint64_t)fd, A(buf), 16384, off);
            for (long k = 0; k < n; k += 512) { /* sectors are whole */
                for (int j = 1; j < 512 && off + (uint64_t)k >= 512; j++) {
                    workers_left += buf[k + j] == buf[k] ? 0 : 100;
                }
            }
        }
    }
    t_close(fd);
    workers_left--;
}

static void at_once(void **state)
{
    room();
    struct host_thread *t[WORKERS];
    long fd = open_disk(O_RDWR);
    memset(host_arena, 1, 65536);
    assert_int_equal(CALL_(pwrite64, (uint64_t)fd, A(host_arena), 65536, 0), 65536);
    workers_left = WORKERS;
    for (unsigned i = 0; i < WORKERS; i++) {
        worker_buf[i] = host_room(16384);
        t[i] = host_run(true, worker, (void *)(uintptr_t)i);
    }
    for (unsigned i = 0; i < WORKERS; i++) {
        host_join(t[i]);
    }
    assert_int_equal(workers_left, 0);
    memcpy(drv.model, drv.image, 65536);
    check_read(fd, 0, 65536); /* what is kept is what the disk has */
    memset(host_arena, 0, 512);
    assert_int_equal(CALL_(pwrite64, (uint64_t)fd, A(host_arena), 512, 0), 512);
    memcpy(drv.model, drv.image, 512);
    assert_ok(t_close(fd));
}

/* A signal does not end the wait for the driver, and the thread is seen waiting for it. */
static void sleeper(void *arg)
{
    host_me->result = CALL_(pread64, *(uint64_t *)arg, A(host_arena), 4096, 40960);
}

static void driver_away(void **state)
{
    room();
    long fd = open_disk(O_RDONLY);
    drv.hold = true;
    unsigned since = host_parks;
    struct host_thread *t = host_run(true, sleeper, &fd);
    host_wait_parked(since);
    assert_int_equal(t->task.state, 'D');
    host_interrupt(t);
    host_settle();
    assert_false(t->done);
    drv.hold = false;
    assert_int_equal(host_join(t), 4096);
    assert_memory_equal(host_arena, drv.model + 40960, 4096);
    assert_ok(t_close(fd));
}

static void memory_out(void **state)
{
    room();
    for (long n = 0;; n++) {
        cache_shrink(~0ul);
        host_fail_after(n);
        long fd = t_open("/dev/vda", O_RDWR, 0);
        if (fd >= 0) { /* without memory nothing is kept, and all works */
            check_read(fd, 8192, 20000);
            write_at(fd, 8000, 3000, (uint32_t)n);
            check_read(fd, 4096, 20000);
        } else {
            assert_int_equal(fd, -ENOMEM);
        }
        bool failed = host_failed;
        host_fail = -1;
        if (fd >= 0) {
            assert_ok(t_close(fd));
        }
        if (!failed) {
            break;
        }
        room();
    }
}

static void shrinking(void **state)
{
    room();
    long fd = open_disk(O_RDONLY);
    check_read(fd, 0, 65536);
    uint64_t pages = host_pages;
    assert_true(cache_count() >= 16);
    assert_int_equal(vfs_block->cached(), cache_count());
    assert_int_equal(vfs_block->shrink(10), 10);
    assert_int_equal(host_pages, pages - 10);
    assert_true(mb_reclaim_hook());
    assert_int_equal(vfs_block->shrink(~0ul), cache_count());
    assert_int_equal(cache_count(), 0);
    assert_false(mb_reclaim_hook());
    check_read(fd, 0, 65536);
    assert_ok(t_close(fd));
}

static void ioctls(void **state)
{
    room();
    long fd = open_disk(O_RDWR);
    uint64_t *v = host_room(8);
    uint32_t *w = host_room(8);
    assert_ok(CALL_(ioctl, (uint64_t)fd, BLKGETSIZE64, A(v)));
    assert_int_equal(*v, BYTES);
    assert_ok(CALL_(ioctl, (uint64_t)fd, BLKGETSIZE, A(v)));
    assert_int_equal(*v, SECTORS);
    assert_ok(CALL_(ioctl, (uint64_t)fd, BLKSSZGET, A(w)));
    assert_int_equal(*w, 512);
    assert_ok(CALL_(ioctl, (uint64_t)fd, BLKBSZGET, A(w)));
    assert_int_equal(*w, 4096);
    assert_ok(CALL_(ioctl, (uint64_t)fd, BLKROGET, A(w)));
    assert_int_equal(*w, 0);
    assert_int_equal(CALL_(ioctl, (uint64_t)fd, BLKGETSIZE64, HOST_BAD), -EFAULT);
    assert_int_equal(CALL_(ioctl, (uint64_t)fd, 0x5401, A(w)), -ENOTTY);
    check_read(fd, 0, 4096);
    assert_true(cache_count() > 0);
    assert_ok(CALL_(ioctl, (uint64_t)fd, BLKFLSBUF, 0));
    assert_int_equal(cache_count(), 0);
    as_user(1000);
    assert_int_equal(CALL_(ioctl, (uint64_t)fd, BLKFLSBUF, 0), -EACCES);
    assert_int_equal(CALL_(ioctl, (uint64_t)fd, BLKRRPART, 0), -EACCES);
    assert_int_equal(t_open("/dev/vda", O_RDONLY, 0), -EACCES);
    as_user(0);
    const struct abi_stat *st = t_stat("/dev/vda");
    assert_non_null(st);
    assert_true(S_ISBLK(st->mode));
    assert_int_equal(st->rdev, dev_make(254, 0));
    assert_ok(t_close(fd));
}

static void partitions(void **state)
{
    room();
    long fd = open_disk(O_RDWR);
    uint8_t *table = host_room(512);
    memcpy(table, drv.model, 512);
    table[446 + 4] = 0x83; /* 16 .. 116 */
    table[446 + 8] = 16;
    table[446 + 12] = 100;
    table[446 + 16 + 4] = 0x83; /* to the end */
    table[446 + 16 + 8] = 200;
    table[446 + 16 + 13] = 0xff;
    table[510] = 0x55;
    table[511] = 0xaa;
    assert_int_equal(CALL_(pwrite64, (uint64_t)fd, A(table), 512, 0), 512);
    memcpy(drv.model, table, 512);
    assert_int_equal(t_open("/dev/vda1", O_RDWR, 0), -ENOENT);
    assert_ok(CALL_(ioctl, (uint64_t)fd, BLKRRPART, 0));
    long part = t_open("/dev/vda1", O_RDWR, 0);
    assert_true(part >= 0);
    uint64_t *v = host_room(8);
    assert_ok(CALL_(ioctl, (uint64_t)part, BLKGETSIZE64, A(v)));
    assert_int_equal(*v, 51200);
    assert_int_equal(CALL_(pread64, (uint64_t)part, A(host_arena), 4096, 100), 4096);
    assert_memory_equal(host_arena, drv.model + 16 * 512 + 100, 4096);
    assert_int_equal(CALL_(pread64, (uint64_t)part, A(host_arena), 4096, 51100), 100);
    memset(host_arena, 7, 300);
    assert_int_equal(CALL_(pwrite64, (uint64_t)part, A(host_arena), 300, 51000), 200);
    memset(drv.model + 16 * 512 + 51000, 7, 200);
    check_read(fd, 16 * 512 + 50000, 4096);
    assert_int_equal(CALL_(ioctl, (uint64_t)fd, BLKRRPART, 0), -EBUSY);
    assert_int_equal(CALL_(ioctl, (uint64_t)part, BLKRRPART, 0), -EINVAL);
    assert_ok(t_close(part));
    long proc = t_open("/proc/partitions", O_RDONLY, 0);
    assert_string_equal(t_read(proc, 1000), "major minor  #blocks  name\n\n"
                                            " 254        0       3150 vda\n"
                                            " 254        1         50 vda1\n"
                                            " 254        2       3050 vda2\n");
    assert_ok(t_close(proc));
    memset(table, 0, 512);
    assert_int_equal(CALL_(pwrite64, (uint64_t)fd, A(table), 512, 0), 512);
    memcpy(drv.model, table, 512);
    assert_ok(CALL_(ioctl, (uint64_t)fd, BLKRRPART, 0));
    assert_int_equal(t_open("/dev/vda1", O_RDWR, 0), -ENOENT);
    assert_ok(CALL_(mknodat, CWD, U("/tmp/part"), S_IFBLK | 0600, dev_make(254, 1)));
    assert_int_equal(t_open("/tmp/part", O_RDWR, 0), -EACCES); /* nodev */
    assert_ok(t_unlink("/tmp/part"));
    assert_ok(t_close(fd));
}

static void read_only(void **state)
{
    room();
    disk_get(0)->c.readonly = true;
    long fd = open_disk(O_RDWR);
    uint32_t *w = host_room(8);
    assert_int_equal(CALL_(pwrite64, (uint64_t)fd, A(w), 4, 0), -EPERM);
    assert_ok(CALL_(ioctl, (uint64_t)fd, BLKROGET, A(w)));
    assert_int_equal(*w, 1);
    assert_ok(t_close(fd));
    disk_get(0)->c.readonly = false;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(sequence),      T(at_random),  T(direct),      T(writes),     T(ends),
        T(device_errors), T(at_once),    T(driver_away), T(memory_out), T(shrinking),
        T(ioctls),        T(partitions), T(read_only),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
