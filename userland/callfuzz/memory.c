/*
 * Memory of a life, at addresses that are the same in each: good memory that call after call walks
 * through, and all kinds of bad. Nothing here is touched but the good part: the rest is written with
 * process_vm_writev, which fails where a store would end us.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "fuzz.h"

#define PAGE 4096l
#define BASE 0x2000000000l
#define GOOD BASE /* RW */
#define GOOD_SIZE (3l << 15)
#define SLACK (1l << 16)        /* what is left behind the last structure for what calls write */
#define EDGE (BASE + 0x1000000) /* two pages RW, then a hole */
#define READ_ONLY (BASE + 0x2000000)
#define NO_ACCESS (BASE + 0x3000000)
#define FILE_PAGES (BASE + 0x4000000) /* of a file that ends after two of four */
#define FLICKER (BASE + 0x5000000)    /* four pages that come and go */
#define PLAY (BASE + 0x6000000)       /* for mmap and its kin */
#define PLAY_PAGES 64
#define LOWER_END 0x4000000000l

static _Thread_local long at; /* the next good place */
long common;

static long map(long where, long n, int prot, int flags, int fd)
{
    long a[6] = {where, n, prot, flags | MAP_FIXED, fd, 0};

    return raw_call(SYS_mmap, a);
}

void memory_make(struct life *l)
{
    int fd = open("pages", O_RDWR | O_CREAT, 0666);

    map(GOOD, GOOD_SIZE, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    map(EDGE, 2 * PAGE, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    map(READ_ONLY, PAGE, 1, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    map(NO_ACCESS, PAGE, 0, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    if (ftruncate(fd, 2 * PAGE) == 0) {
        map(FILE_PAGES, 4 * PAGE, 3, l->slot & 1 ? MAP_PRIVATE : MAP_SHARED, fd);
    }
    close(fd);
    map(PLAY, PLAY_PAGES * PAGE, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    memory_flicker(0);
}

void memory_flicker(unsigned turn)
{
    long unmap[6] = {FLICKER + PAGE * (turn % 4), PAGE};

    switch (turn % 3) {
    case 0:
        map(FLICKER, 4 * PAGE, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1);
        break;
    case 1:
        raw_call(SYS_munmap, unmap);
        break;
    default:
        map(unmap[0], PAGE, 1, MAP_PRIVATE | MAP_ANONYMOUS, -1);
        break;
    }
}

static void write_at(long to, const void *from, size_t n)
{
    struct iovec mine = {(void *)from, n},
                 there = {(void *)to, n}; /* NOLINT(performance-no-int-to-ptr) */
    long a[6] = {getpid(), (long)&mine, 1, (long)&there, 1, 0};

    if (n) {
        raw_call(SYS_process_vm_writev, a);
    }
}

static long bad_pointer(struct rng *r)
{
    static const long bad[] = {
        0,
        0,
        1,
        8,
        0x1000,
        -1,
        -8,
        -4096,
        -0x80000000l,
        (long)0xffffffc000000000,
        (long)0xffffffc0000fff8,
        (long)0x8000000000000000,
        READ_ONLY,
        READ_ONLY + 8,
        NO_ACCESS,
        NO_ACCESS + 4088,
        EDGE + 2 * PAGE,
        EDGE + 2 * PAGE - 1,
        EDGE + 2 * PAGE - 8,
        LOWER_END - 8,
        LOWER_END - PAGE,
        LOWER_END,
        FILE_PAGES + 2 * PAGE,
        FILE_PAGES + 2 * PAGE - 4,
        PLAY,
        PLAY + 0x3ffc,
    };

    if (one_in(r, 8)) {
        return (long)sparse(r);
    }
    return one_in(r, 6) ? (long)bad_pointer & ~7l : PICK(r, bad);
}

static long good_place(size_t n)
{
    long place;

    if (at < GOOD || at + (long)n > GOOD + GOOD_SIZE - SLACK) {
        at = GOOD + (at & 0xff0);
    }
    place = at;
    at += (long)((n + 15) & ~15ul) + 64;
    return place;
}

long place(struct rng *r, const void *src, size_t n)
{
    long to;

    switch (below(r, 24)) {
    case 0:
        return bad_pointer(r);
    case 1: /* the last bytes before a hole, or too few */
        to = EDGE + 2 * PAGE - (long)n + (one_in(r, 3) ? (long)below(r, n + 1) : 0);
        break;
    case 2:
        to = common + (long)(below(r, COMMON_SIZE - 1024) & ~7ul);
        break;
    case 3:
        to = FILE_PAGES + (long)(below(r, 4 * PAGE) & ~7ul);
        break;
    case 4:
        to = FLICKER + (long)(below(r, 4 * PAGE) & ~7ul);
        break;
    case 5:
        to = PLAY + (long)(below(r, PLAY_PAGES * PAGE) & ~7ul);
        break;
    default:
        to = good_place(n) + (one_in(r, 16) ? (long)below(r, 8) : 0);
        memcpy((void *)to, src, n); /* NOLINT(performance-no-int-to-ptr) */
        return to;
    }
    write_at(to, src, n);
    return to;
}

long any_pointer(struct rng *r)
{
    uint64_t junk[64];
    unsigned how = (unsigned)below(r, 4);

    if (one_in(r, 12)) {
        return bad_pointer(r);
    }
    for (size_t i = 0; i < 64; i++) {
        junk[i] = how == 0   ? 0
                  : how == 1 ? rnd(r)
                  : how == 2 ? below(r, 100)
                             : below(r, 100) << 32 | below(r, 100);
    }
    return place(r, junk, one_in(r, 2) ? sizeof junk : 8 * (1 + below(r, 64)));
}

long shared_word(struct rng *r)
{
    return common + 4 * (long)below(r, 64);
}

static long made; /* by the last call that made a mapping */

void area_made(long address)
{
    made = address;
}

long area(struct rng *r)
{
    if (one_in(r, 6)) {
        return made + PAGE * (long)below(r, 2);
    }
    if (one_in(r, 20)) {
        return bad_pointer(r);
    }
    if (one_in(r, 10)) {
        return 0;
    }
    if (one_in(r, 20)) {
        return (one_in(r, 2)   ? EDGE
                : one_in(r, 2) ? FILE_PAGES
                               : FLICKER) +
               PAGE * (long)below(r, 3);
    }
    return PLAY + PAGE * (long)below(r, PLAY_PAGES) + (one_in(r, 16) ? (long)below(r, PAGE) : 0);
}
