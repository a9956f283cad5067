/*
 * cpio archives: plain and gzip, in pieces of any size, whole and damaged.
 * test-sources: posix/fs/?*.c posix/fd/?*.c posix/path/?*.c posix/poll/?*.c posix/event/?*.c
 */
#include "host/host.h"

#include "fs/cpio.h"

struct archive {
    uint8_t data[65536];
    size_t n;
    uint32_t ino;
};

static struct archive ar;

static void ar_begin(void)
{
    memset(&ar, 0, sizeof(ar));
    ar.ino = 100;
}

static void pad(void)
{
    while (ar.n % 4 != 0) {
        ar.data[ar.n++] = 0;
    }
}

static void entry(const char *name, uint32_t mode, const void *data, size_t n, uint32_t nlink,
                  uint32_t ino, uint32_t rdev)
{
    ar.n += (size_t)sprintf((char *)ar.data + ar.n,
                            "070701%08x%08x%08x%08x%08x%08x%08zx%08x%08x%08x%08x%08zx%08x", ino,
                            mode, 3u, 4u, nlink, 1000000u, n, 0u, 1u, dev_major(rdev),
                            dev_minor(rdev), strlen(name) + 1, 0u);
    memcpy(ar.data + ar.n, name, strlen(name) + 1);
    ar.n += strlen(name) + 1;
    pad();
    memcpy(ar.data + ar.n, data, n);
    ar.n += n;
    pad();
}

static void file(const char *name, const char *text)
{
    entry(name, S_IFREG | 0640, text, strlen(text), 1, ar.ino++, 0);
}

static void trailer(void)
{
    entry("TRAILER!!!", 0, "", 0, 1, 0, 0);
}

static char *content(const char *path)
{
    long fd = t_open(path, O_RDONLY, 0);
    assert_true(fd >= 0);
    char *text = t_read(fd, 20000);
    assert_ok(t_close(fd));
    return text;
}

static void sample(void)
{
    ar_begin();
    entry(".", S_IFDIR | 0755, "", 0, 2, 1, 0);
    entry("./c", S_IFDIR | 0711, "", 0, 2, 2, 0);
    file("c/file", "some text");
    entry("/c/link", S_IFLNK | 0777, "file", 4, 1, ar.ino++, 0);
    entry("c/hard1", S_IFREG | 0600, "", 0, 3, 7, 0); /* the data comes with the last name */
    entry("c/hard2", S_IFREG | 0600, "", 0, 3, 7, 0);
    entry("c/hard3", S_IFREG | 0600, "shared", 6, 3, 7, 0);
    entry("c/null", S_IFCHR | 0666, "", 0, 1, ar.ino++, (uint32_t)dev_make(1, 3));
    entry("c/fifo", S_IFIFO | 0666, "", 0, 1, ar.ino++, 0);
    file("c/not/there/yet", "parents are made");
    file("c/empty", "");
    trailer();
}

static void sample_check(void)
{
    assert_string_equal(content("/c/file"), "some text");
    assert_string_equal(content("/c/link"), "some text");
    assert_string_equal(content("/c/hard1"), "shared");
    assert_string_equal(content("/c/not/there/yet"), "parents are made");
    assert_int_equal(t_stat("/c/hard2")->nlink, 3);
    assert_int_equal(t_stat("/c/hard2")->ino, t_stat("/c/hard3")->ino);
    assert_int_equal(t_stat("/c")->mode, S_IFDIR | 0711);
    assert_int_equal(t_stat("/c/file")->mode, S_IFREG | 0640);
    assert_int_equal(t_stat("/c/file")->uid, 3);
    assert_int_equal(t_stat("/c/file")->gid, 4);
    assert_int_equal(t_stat("/c/file")->mtime, 1000000);
    assert_int_equal(t_stat("/c/null")->rdev, dev_make(1, 3));
    assert_int_equal(t_stat("/c/fifo")->mode, S_IFIFO | 0666);
    assert_int_equal(t_stat("/c/empty")->size, 0);
}

/* Take a tree away again; names it may have. */
static void sweep(void)
{
    static const char *const files[] = {"/c/file",  "/c/link",   "/c/hard1", "/c/hard2",
                                        "/c/hard3", "/c/null",   "/c/fifo",  "/c/not/there/yet",
                                        "/c/empty", "/c/second", "/c"};
    for (unsigned i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        t_unlink(files[i]);
    }
    t_rmdir("/c/not/there");
    t_rmdir("/c/not");
    t_rmdir("/c");
}

/* The personality unpacks before there is a thread. */
static int unpack(const void *data, size_t n)
{
    host_me->fiber.task = NULL;
    int err = archive_unpack(data, n);
    host_me->fiber.task = &host_me->task;
    return err;
}

static void plain(void **state)
{
    sample();
    assert_ok(unpack(ar.data, ar.n));
    sample_check();
    assert_ok(unpack(ar.data, ar.n)); /* over what is there */
    sample_check();
    sweep();
}

static void pieces(void **state)
{
    for (size_t step = 1; step < 700; step += step < 8 ? 1 : 97) {
        sample();
        host_me->fiber.task = NULL;
        struct cpio *c = cpio_begin();
        for (size_t at = 0; at < ar.n; at += step) {
            assert_ok(cpio_feed(c, ar.data + at, step < ar.n - at ? step : ar.n - at));
        }
        assert_ok(cpio_end(c));
        host_me->fiber.task = &host_me->task;
        sample_check();
        sweep();
        host_used = 0;
    }
}

/* An uncompressed deflate stream in a gzip wrapper: enough to test ours, without a compressor. */
static size_t gzip_stored(uint8_t *out, const uint8_t *data, size_t n)
{
    static const uint8_t head[10] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255};
    size_t at = sizeof(head);
    uint32_t crc = ~0u;
    memcpy(out, head, sizeof(head));
    for (size_t i = 0; i < n; i++) {
        crc ^= data[i];
        for (int k = 0; k < 8; k++) {
            crc = crc >> 1 ^ ((crc & 1) != 0 ? 0xedb88320u : 0);
        }
    }
    crc = ~crc;
    out[at++] = 1; /* last block, stored */
    out[at++] = (uint8_t)n;
    out[at++] = (uint8_t)(n >> 8);
    out[at++] = (uint8_t)~n;
    out[at++] = (uint8_t)(~n >> 8);
    memcpy(out + at, data, n);
    at += n;
    memcpy(out + at, &crc, 4);
    uint32_t len = (uint32_t)n;
    memcpy(out + at + 4, &len, 4);
    return at + 8;
}

static void gzip_and_several(void **state)
{
    static uint8_t all[200000];
    sample();
    size_t n = gzip_stored(all, ar.data, ar.n);
    assert_ok(unpack(all, n));
    sample_check();
    sweep();
    /* plain, zeroes, gzip, zeroes, plain */
    memset(all, 0, sizeof(all));
    ar_begin();
    file("c/file", "first");
    trailer();
    memcpy(all, ar.data, ar.n);
    n = ar.n + 512;
    sample();
    n += gzip_stored(all + n, ar.data, ar.n);
    n += 3;
    ar_begin();
    file("c/second", "2");
    trailer();
    memcpy(all + n, ar.data, ar.n);
    n += ar.n;
    assert_ok(unpack(all, n));
    sample_check();
    assert_string_equal(content("/c/second"), "2");
    sweep();
    /* damaged */
    sample();
    n = gzip_stored(all, ar.data, ar.n);
    all[n - 5] ^= 1;
    assert_int_equal(unpack(all, n), -EINVAL);
    assert_int_equal(unpack(all, n / 2), -EINVAL);
    sweep();
}

static void bad_names(void **state)
{
    ar_begin();
    file("../up", "x");
    trailer();
    assert_int_equal(unpack(ar.data, ar.n), -EINVAL);
    ar_begin();
    file("c/../../up", "x");
    trailer();
    assert_int_equal(unpack(ar.data, ar.n), -EINVAL);
    assert_null(t_stat("/up"));
    ar_begin();
    file("c/..up..", "fine");
    trailer();
    assert_ok(unpack(ar.data, ar.n));
    assert_ok(t_unlink("/c/..up.."));
    sweep();
    ar_begin();
    memset(ar.data, 'x', 200);
    assert_int_equal(unpack(ar.data, 200), -EINVAL);
    /* a name without its NUL, sizes that are no numbers */
    sample();
    memcpy(ar.data + 94, "00000001", 8);
    assert_int_equal(unpack(ar.data, ar.n), -EINVAL);
    sample();
    ar.data[60] = 'g';
    assert_int_equal(unpack(ar.data, ar.n), -EINVAL);
    assert_ok(unpack(ar.data, 0));
    sweep();
}

/* Cut off anywhere, bytes changed: an error or not, but nothing else; and all of it goes again. */
static void damaged(void **state)
{
    uint32_t x = 7;
    assert_ok(t_mkdir("/m"));
    for (int round = 0; round < 20000; round++) {
        sample();
        size_t n = ar.n;
        x = x * 1664525 + 1013904223;
        if ((x >> 28) < 4) {
            n = (x >> 8) % n;
        } else {
            for (int k = 0; k < 4; k++) {
                x = x * 1664525 + 1013904223;
                static const char bytes[] = "0123456789abcdef/.\0\xff";
                ar.data[(x >> 10) % n] = (uint8_t)bytes[(x >> 3) % (sizeof(bytes) - 1)];
            }
        }
        assert_ok(CALL_(mount, U("x"), U("/m"), U("ramfs"), 0, 0));
        assert_ok(CALL_(chdir, U("/m")));
        archive_unpack(ar.data, n);
        assert_ok(CALL_(chdir, U("/")));
        assert_ok(CALL_(umount2, U("/m"), 0));
        host_used = 0;
    }
    assert_ok(t_rmdir("/m"));
}

/* ---- an archive that stays: its pages are borrowed ---- */

enum { BIG = 3 * MB_PAGE + 100 };
static uint8_t *stays; /* page aligned */
static size_t stays_size;

/* Names with NULs behind, as mkcpio.py writes them; one file on a page border, one not. */
static void stays_make(void)
{
    static uint8_t data[BIG];
    for (size_t i = 0; i < BIG; i++) {
        data[i] = (uint8_t)(i * 11 + i / 4096);
    }
    ar_begin();
    file("c/file", "first");
    size_t at = ar.n, room = MB_PAGE - (at + 110) % MB_PAGE;
    entry("c/second", S_IFREG | 0755, data, BIG, 1, ar.ino++, 0);
    /* once more, with a longer name */
    char size[9];
    ar.n = at;
    (void)snprintf(size, sizeof(size), "%08zx", room);
    memcpy(ar.data + at + 94, size, 8);
    memset(ar.data + at + 110 + sizeof("c/second"), 0, room - sizeof("c/second"));
    memcpy(ar.data + at + 110 + room, data, BIG);
    ar.n = at + 110 + room + BIG;
    pad();
    entry("c/empty", S_IFREG | 0644, data, BIG, 1, ar.ino++, 0); /* not aligned */
    trailer();
    stays_size = ar.n;
    stays = mmap(NULL, sizeof(ar.data), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(stays != MAP_FAILED);
    memcpy(stays, ar.data, ar.n);
    mprotect(stays, sizeof(ar.data), PROT_READ); /* whoever writes there dies */
}

static void aligned_data_is_borrowed(void **state)
{
    stays_make();
    for (int life = 0; life < 2; life++) { /* the next one finds what the first found */
        uint64_t before = tmpfs_pages;
        assert_ok(unpack(stays, stays_size));
        assert_int_equal(tmpfs_pages - before, 1 + 1 + 4); /* file, the end of second, empty */
        assert_int_equal(t_stat("/c/second")->size, BIG);
        assert_int_equal(t_stat("/c/second")->mtime, 1000000);
        assert_int_equal(t_stat("/c/second")->blocks, 4 * MB_PAGE / 512);
        assert_memory_equal(content("/c/second"), content("/c/empty"), BIG);
        long fd = t_open("/c/second", O_RDWR, 0);
        assert_int_equal(t_write(fd, "changed"), 7);
        assert_ok(CALL_(ftruncate, (uint64_t)fd, 2 * MB_PAGE + 5));
        assert_ok(CALL_(ftruncate, (uint64_t)fd, BIG));
        assert_ok(t_close(fd));
        char *text = content("/c/second");
        assert_memory_equal(text, "changed", 7);
        assert_memory_equal(text + 7, content("/c/empty") + 7, 2 * MB_PAGE - 2);
        assert_int_equal(text[2 * MB_PAGE + 5] | text[BIG - 1], 0);
        sweep();
        assert_int_equal(tmpfs_pages, before);
        host_used = 0;
    }
    /* gzip: nothing stays, all is copied */
    static uint8_t all[sizeof(ar.data) + 64];
    uint64_t before = tmpfs_pages;
    assert_ok(unpack(all, gzip_stored(all, ar.data, ar.n)));
    assert_int_equal(tmpfs_pages - before, 1 + 4 + 4);
    sweep();
    munmap(stays, sizeof(ar.data));
}

static void out_of_memory_while_borrowing(void **state)
{
    stays_make();
    for (long n = 0;; n++) {
        host_fail_after(n);
        int err = unpack(stays, stays_size);
        bool failed = host_failed;
        host_fail_after(-1);
        assert_true(failed ? err == -ENOMEM || err == -ENOSPC : err == 0);
        sweep();
        if (!failed) {
            break;
        }
    }
    munmap(stays, sizeof(ar.data));
}

static void out_of_memory(void **state)
{
    for (long n = 0;; n++) {
        sample();
        host_fail_after(n);
        int err = unpack(ar.data, ar.n);
        bool failed = host_failed;
        host_fail_after(-1);
        assert_true(failed ? err == -ENOMEM || err == -ENOSPC : err == 0);
        sweep();
        host_used = 0;
        if (!failed) {
            return;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(plain),   T(pieces),        T(gzip_and_several),         T(bad_names),
        T(damaged), T(out_of_memory), T(aligned_data_is_borrowed), T(out_of_memory_while_borrowing),
    };
    return HOST_RUN(tests);
}
