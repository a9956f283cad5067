/* Files: opening, reading and writing in all ways, locks, descriptors. */
#include "scenario.h"

#define N 4

static void file_life(void)
{
    long fd = open_at("a", O_RDWR | O_CREAT | O_EXCL);
    write_all(fd, text("hello"), 5);
    uint64_t buf = room(64);
    is(sc(pread64, (uint64_t)fd, buf, 64, 0), 5);
    is(sc(lseek, (uint64_t)fd, 0, SEEK_SET), 0);
    is(sc(read, (uint64_t)fd, buf, 64), 5);
    is(sc(ftruncate, (uint64_t)fd, 3 * MB_PAGE), 0);
    is(sc(fallocate, (uint64_t)fd, 0, 0, 6 * MB_PAGE), 0);
    is(sc(fallocate, (uint64_t)fd, 3, MB_PAGE, MB_PAGE), 0);
    is(sc(truncate, text("a"), 7), 0);
    is(sc(lseek, (uint64_t)fd, 0, SEEK_END), 7);
    shut(fd);
    long how[3] = {O_RDONLY, 0, 0};
    uint64_t at = room(24);
    put(at, how, 24);
    shut(ok(sc(openat2, CWD, text("a"), at, 24)));
    shut(open_at(".", O_RDWR | 020200000)); /* O_TMPFILE */
    gone("a");
}

static void far_pages(void)
{
    long fd = open_at("sparse", O_RDWR | O_CREAT);
    uint64_t buf = room(8192);
    for (unsigned i = 0; i < 4; i++) {
        is(sc(pwrite64, (uint64_t)fd, buf, 1, (64ul << i * 6) * MB_PAGE), 1);
    }
    is(sc(ftruncate, (uint64_t)fd, 65 * MB_PAGE), 0);
    is(sc(pread64, (uint64_t)fd, buf, 8192, 64 * MB_PAGE), 4096);
    shut(fd);
    gone("sparse");
}

static void vectors(void)
{
    long fd = open_at("v", O_RDWR | O_CREAT);
    uint64_t buf = room(256), iov = room(16 * 16);
    for (uint64_t i = 0; i < 12; i++) { /* more than fit on a stack */
        put(iov + i * 16, &(uint64_t[2]){buf + i, 1}, 16);
    }
    is(sc(writev, (uint64_t)fd, iov, 12), 12);
    is(sc(pwritev, (uint64_t)fd, iov, 12, 12), 12);
    is(sc(pwritev2, (uint64_t)fd, iov, 12, 24, 0, 0), 12);
    is(sc(lseek, (uint64_t)fd, 0, SEEK_SET), 0);
    is(sc(readv, (uint64_t)fd, iov, 12), 12);
    is(sc(preadv, (uint64_t)fd, iov, 12, 1), 12);
    is(sc(preadv2, (uint64_t)fd, iov, 12, 2, 0, 0), 12);
    shut(fd);
    gone("v");
}

static void between_files(void)
{
    make_file("from", "0123456789");
    long from = open_at("from", O_RDONLY), to = open_at("to", O_RDWR | O_CREAT);
    is(sc(sendfile, (uint64_t)to, (uint64_t)from, 0, 4), 4);
    is(sc(copy_file_range, (uint64_t)from, 0, (uint64_t)to, 0, 3, 0), 3);
    is(sc(fadvise64, (uint64_t)from, 0, 10, 3), 0);
    is(sc(readahead, (uint64_t)from, 0, 10), 0);
    is(sc(sync_file_range, (uint64_t)to, 0, 10, 7), 0);
    is(sc(fsync, (uint64_t)to), 0);
    is(sc(fdatasync, (uint64_t)to), 0);
    is(sc(syncfs, (uint64_t)to), 0);
    is(sc(sync, 0), 0);
    shut(from);
    shut(to);
    gone("from");
    gone("to");
}

static void lock_taker(void)
{
    long fd = open_at("l", O_RDWR);
    uint64_t lock = words(4, 1ul, 0ul, 10ul, 0ul); /* F_WRLCK */
    is(sc(fcntl, (uint64_t)fd, F_SETLKW, lock), 0);
    is(sc(flock, (uint64_t)fd, 2), 0); /* LOCK_EX */
}

static void locks(void)
{
    make_file("l", "x");
    long fd = open_at("l", O_RDWR), other = open_at("l", O_RDWR);
    uint64_t whole = words(4, 1ul, 0ul, 100ul, 0ul), part = words(4, 2ul, 40ul, 10ul, 0ul);
    is(sc(fcntl, (uint64_t)fd, F_SETLK, whole), 0);
    is(sc(fcntl, (uint64_t)fd, F_SETLK, part), 0); /* in the middle: two are left */
    is(sc(fcntl, (uint64_t)fd, F_SETLK, whole), 0);
    is(sc(fcntl, (uint64_t)fd, F_GETLK, words(4, 0ul, 0ul, 9ul, 0ul)), 0);
    is(sc(flock, (uint64_t)fd, 2), 0);
    is(sc(flock, (uint64_t)other, 2 | 4), -EAGAIN);
    long pid = start(SIGCHLD, lock_taker);
    rest();
    part = words(4, 2ul, 0ul, 100ul, 0ul);
    is(sc(fcntl, (uint64_t)fd, F_SETLK, part), 0);
    rest();
    is(sc(flock, (uint64_t)fd, 8), 0);
    is(end_of(pid), 0);
    uint64_t ofd = words(4, 1ul, 0ul, 10ul, 0ul);
    is(sc(fcntl, (uint64_t)other, F_OFD_SETLK, ofd), 0);
    shut(fd);
    shut(other);
    gone("l");
}

static void descriptors(void)
{
    long fd = open_at("/dev/null", O_RDWR);
    long copy = ok(sc(dup, (uint64_t)fd));
    is(sc(dup3, (uint64_t)fd, 70, O_CLOEXEC), 70);
    is(sc(fcntl, (uint64_t)fd, F_DUPFD, 300), 300); /* the table grows */
    is(sc(fcntl, (uint64_t)fd, F_GETFL, 0) & O_ACCMODE, O_RDWR);
    is(sc(close_range, 66, ~0ul & 0xffffffff, 2), 0); /* CLOSE_RANGE_UNSHARE */
    shut(copy);
    shut(fd);
}

static void memory_files(void)
{
    long fd = ok(sc(memfd_create, text("m"), 2));
    is(sc(ftruncate, (uint64_t)fd, 2 * MB_PAGE), 0);
    write_all(fd, text("abc"), 3);
    is(sc(fcntl, (uint64_t)fd, 1033, 0xf), 0); /* F_ADD_SEALS */
    shut(fd);
}

static void disk(void)
{
    long fd = open_at("/dev/vda", O_RDWR);
    uint64_t buf = room(2 * MB_PAGE);
    for (unsigned i = 0; i < N; i++) {
        is(sc(pwrite64, (uint64_t)fd, buf, 100, i * 3 * MB_PAGE + 70), 100);
        is(sc(pread64, (uint64_t)fd, buf, 2 * MB_PAGE, i * 2 * MB_PAGE), 2 * MB_PAGE);
    }
    is(sc(fsync, (uint64_t)fd), 0);
    is(sc(ioctl, (uint64_t)fd, 0x1261, 0), 0);   /* BLKFLSBUF */
    is(sc(ioctl, (uint64_t)fd, 0x1260, buf), 0); /* BLKGETSIZE */
    shut(fd);
}

static void devices(void)
{
    uint64_t buf = room(256);
    long fd = open_at("/dev/fb0", O_RDWR);
    write_all(fd, buf, 256);
    uint64_t at = (uint64_t)ok(sc(mmap, 0, MB_PAGE, 3, 1, (uint64_t)fd, 0));
    put32(at, 1);
    is(sc(munmap, at, MB_PAGE), 0);
    shut(fd);
    fd = open_at("/dev/input/event0", O_RDWR | O_NONBLOCK);
    is(sc(read, (uint64_t)fd, buf, 240), -EAGAIN);
    is(sc(ioctl, (uint64_t)fd, 0x80ff4506, buf), 5); /* EVIOCGNAME */
    shut(fd);
    fd = open_at("/dev/urandom", O_RDWR);
    is(sc(read, (uint64_t)fd, buf, 256), 256);
    shut(fd);
    is(sc(getrandom, buf, 256, 0), 256);
}

const struct scenario scenarios_files[] = {
    {"file_life", file_life, false},
    {"far_pages", far_pages, false},
    {"vectors", vectors, false},
    {"between_files", between_files, false},
    {"locks", locks, false},
    {"descriptors", descriptors, false},
    {"memory_files", memory_files, false},
    {"disk", disk, false},
    {"devices", devices, false},
    {NULL, NULL, false},
};
