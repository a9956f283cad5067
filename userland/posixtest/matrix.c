/*
 * The pointer matrix: matrix.h says how its tables are read.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "matrix.h"

#define POINTERS 10 /* of a row: six arguments and four inside */
#define TRIES 24    /* of each pointer in a race */
#define GUARD 64    /* bytes around what is written that must stay */
#define PATTERN 0x5a
#define MOVING \
    0x500000000l /* two pages that come and go; so low that the system puts nothing there by itself */

static char *read_only, *alias; /* one page: what the alias writes, the other has */
static char *edge;              /* the end of two good pages, before one without access */
static struct bad bad[BAD_ADDRESSES];

static void *map_pages(size_t n, int prot, int flags, int fd)
{
    void *p = mmap(NULL, n * page_size(), prot, flags, fd, 0);

    CHECK(p != MAP_FAILED);
    return p;
}

const struct bad *bad_addresses(void)
{
    char *file, *guarded;
    int fd;

    if (edge) {
        return bad;
    }
    guarded = map_pages(3, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    edge = guarded + 2 * page_size();
    OK(mprotect(edge, page_size(), PROT_NONE));
    fd = OK(memfd_create("read-only", 0));
    OK(ftruncate(fd, (off_t)page_size()));
    read_only = map_pages(1, PROT_READ, MAP_SHARED, fd);
    alias = map_pages(1, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
    OK(close(fd));
    fd = OK(memfd_create("short", 0));
    file = map_pages(1, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
    OK(close(fd));
    const struct bad all[BAD_ADDRESSES] = {
        {"NULL", 0, false},
        {"1", 1, false},
        {"hole", 0x2000, false}, /* so low that nothing may be mapped there */
        {"kernel", (long)0xffffffff80000000, false},
        {"lower kernel half", (long)0xffffffc000000000, false},
        {"not canonical", (long)0x8000000000000000, false},
        {"last page", -4096, false},
        {"last byte", -1, false},
        {"no access", (long)edge, false},
        {"beyond the file", (long)file, false},
        {"read-only", (long)read_only, true},
    };
    memcpy(bad, all, sizeof bad);
    return bad;
}

void close_result(long fd)
{
    close((int)fd);
}

void close_from(int fd)
{
    while (fd < 100) {
        close(fd++);
    }
}

/* ---- a row's pointers, by number: arguments first ---- */

static const struct arg *pointer(const struct row *r, size_t i)
{
    const struct arg *a = i < 6 ? &r->arg[i] : &r->inside[i - 6].is;

    return a->kind & (READ | WRITE) ? a : NULL;
}

static const char *pointer_name(size_t i)
{
    static const char *const names[POINTERS] = {"arg 0",    "arg 1",   "arg 2",    "arg 3",
                                                "arg 4",    "arg 5",   "inside 0", "inside 1",
                                                "inside 2", "inside 3"};

    return names[i];
}

/* The call, with pointer `which` elsewhere: its result or negated errno. */
static long make(const struct row *r, size_t which, long address)
{
    long a[6], result, *field = NULL, was = 0;

    if (r->before) {
        r->before();
    }
    for (size_t i = 0; i < 6; i++) {
        a[i] = i == which ? address : r->arg[i].value;
    }
    if (which >= 6 && which < POINTERS) {
        const struct inside *in = &r->inside[which - 6];

        field = (long *)(r->arg[in->arg].value +
                         (long)in->offset); /* NOLINT(performance-no-int-to-ptr) */
        was = *field;
        *field = address;
    }
    result = syscall(r->nr, a[0], a[1], a[2], a[3], a[4], a[5]);
    if (result == -1) {
        result = -errno;
    }
    if (field) {
        *field = was;
    }
    if (result >= 0 && r->after) {
        r->after(result);
    }
    return result;
}

/* ---- what went wrong, all of it in one message ---- */

static char wrong[600];
static int failures;

static void note(const struct row *r, size_t which, const char *how, long got)
{
    size_t len = strlen(wrong);

    failures++;
    snprintf(wrong + len, sizeof wrong - len, "%s %s %s: %s; ", r->name,
             which < POINTERS ? pointer_name(which) : "", how,
             got < 0 ? test_errno_name((int)-got) : "no error");
}

static void tell(void)
{
    if (failures) {
        FAIL("%d wrong: %s", failures, wrong);
    }
}

/* ---- one after the other ---- */

static bool applies(const struct arg *a, const struct bad *b)
{
    if (b->address == 0 && a->kind & NULL_OK) {
        return false;
    }
    return (!b->write_only || a->kind & WRITE) && (!(a->kind & ALIGNED) || b->address % 8 == 0);
}

static void try_bad(const struct row *r, size_t which)
{
    const struct arg *a = pointer(r, which);
    long usual = r->bad_error ? -r->bad_error : -EFAULT;

    for (const struct bad *b = bad; b < bad + BAD_ADDRESSES; b++) {
        if (applies(a, b)) {
            long want = b->address == 0 && a->kind & NULL_EINVAL ? -EINVAL : usual, got;

            if (b->write_only &&
                a->size <= page_size()) { /* what it reads before it writes is good */
                memcpy(alias, (void *)a->value, a->size); /* NOLINT(performance-no-int-to-ptr) */
            }
            got = make(r, which, b->address);

            if (got != want && !(a->kind & LAZY && got >= 0)) {
                note(r, which, b->name, got);
            }
        }
    }
}

/* Half of it is there. */
static void try_half(const struct row *r, size_t which)
{
    const struct arg *a = pointer(r, which);
    size_t half = a->kind & ALIGNED ? a->size / 2 & ~7ul : a->size / 2;
    char *p = edge - half;
    long want = r->bad_error ? -r->bad_error : -EFAULT, got;

    if (half == 0 || a->size > page_size()) {
        return;
    }
    memcpy(p, (void *)a->value, half); /* NOLINT(performance-no-int-to-ptr) */
    got = make(r, which, (long)p);
    if (got != want && !(got >= 0 && a->kind & (BYTES | LAZY))) {
        note(r, which, "half in a hole", got);
    }
}

/* All good, and each in turn the last thing before a hole. */
static void try_good(const struct row *r)
{
    for (size_t which = 0; which < POINTERS; which++) {
        const struct arg *a = pointer(r, which);
        size_t size = a ? a->kind & ALIGNED ? (a->size + 7) & ~7ul : a->size : 0;
        char *p = edge - size;
        long got;

        if (!a || size > page_size()) {
            continue;
        }
        memset(p - GUARD, PATTERN, GUARD);
        memcpy(p, (void *)a->value, a->size); /* NOLINT(performance-no-int-to-ptr) */
        got = make(r, which, (long)p);
        if (r->error ? got != -r->error : got < 0) {
            note(r, which, "good", got);
        }
        for (size_t i = 1; i <= GUARD; i++) {
            if (p[-(long)i] != PATTERN) {
                note(r, which, "wrote before", got);
                break;
            }
        }
    }
}

void matrix_try(const struct row *rows)
{
    bad_addresses();
    for (const struct row *r = rows; r->name; r++) {
        for (size_t i = 0; i < POINTERS; i++) {
            if (pointer(r, i)) {
                try_bad(r, i);
                try_half(r, i);
            }
        }
        try_good(r);
    }
    tell();
}

/* ---- races ---- */

static int moving_fd;
static volatile bool stop;

static void bring(void)
{
    CHECK(mmap((void *)MOVING, 2 * page_size(), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
               moving_fd, 0) == /* NOLINT(performance-no-int-to-ptr) */
          (void *)MOVING);      /* NOLINT(performance-no-int-to-ptr) */
}

/* The first page goes, or the second. */
static void *mover(void *arg)
{
    (void)arg;
    for (unsigned turn = 0; !stop; turn++) {
        char *page =
            (char *)MOVING + (turn & 1) * page_size(); /* NOLINT(performance-no-int-to-ptr) */

        if (turn & 2) {
            munmap(page, page_size());
        } else {
            mprotect(page, page_size(), turn & 4 ? PROT_NONE : PROT_READ);
        }
        sched_yield();
        bring();
        sched_yield();
    }
    return NULL;
}

/* The structure lies across both pages when it can, and its content outlives them: it is a file's. */
static void race_one(const struct row *r, size_t which)
{
    static char there[2 * GUARD + 4096];
    const struct arg *a = pointer(r, which);
    size_t half = a->kind & ALIGNED ? a->size / 2 & ~7ul : a->size / 2, all = a->size + 2 * GUARD;
    off_t at = (off_t)(page_size() - half);

    if (all > sizeof there) {
        return;
    }
    for (int i = 0; i < TRIES; i++) {
        long got;

        memset(there, PATTERN, all);
        memcpy(there + GUARD, (void *)a->value, a->size); /* NOLINT(performance-no-int-to-ptr) */
        EQ(pwrite(moving_fd, there, all, at - GUARD), all);
        got = make(r, which, MOVING + at);
        if (got < 0 && got != -EFAULT && got != -r->error && got != -r->bad_error) {
            note(r, which, "race", got);
        }
        EQ(pread(moving_fd, there, all, at - GUARD), all);
        for (size_t k = 0; k < GUARD; k++) {
            if (there[k] != PATTERN || there[all - 1 - k] != PATTERN) {
                note(r, which, "race: wrote around", got);
                break;
            }
        }
        for (int k = 0; k <= i % 3; k++) { /* not always at the same point of the other's turn */
            sched_yield();
        }
    }
}

void matrix_race(const struct row *rows)
{
    pthread_t thread;

    bad_addresses();
    int fd = OK(memfd_create("moving", 0));
    moving_fd = OK(fcntl(fd, F_DUPFD, 150)); /* out of the way of close_from() */
    OK(close(fd));
    OK(ftruncate(moving_fd, 2 * (off_t)page_size()));
    bring();
    stop = false;
    EQ(pthread_create(&thread, NULL, mover, NULL), 0);
    for (const struct row *r = rows; r->name; r++) {
        for (size_t i = 0; i < POINTERS; i++) {
            if (pointer(r, i)) {
                race_one(r, i);
            }
        }
    }
    stop = true;
    EQ(pthread_join(thread, NULL), 0);
    tell();
}
