/* A program's memory: mappings of all kinds, their changes, faults; memory of others. */
#include "scenario.h"

#include "mm.h"

#define RW 3u
#define SHARED 1u
#define PRIVATE 2u
#define ANON 0x20u

static uint64_t map(uint64_t pages, unsigned prot, unsigned flags, long fd)
{
    return (uint64_t)ok(sc(mmap, 0, pages * MB_PAGE, prot, flags, (uint64_t)fd, 0));
}

static void unmap(uint64_t at, uint64_t pages)
{
    is(sc(munmap, at, pages * MB_PAGE), 0);
}

static void mappings(void)
{
    uint64_t at = map(16, RW, PRIVATE | ANON, -1);
    put32(at, 1);
    for (uint64_t i = 1; i < 15; i += 2) { /* areas are split */
        is(sc(mprotect, at + i * MB_PAGE, MB_PAGE, 1), 0);
    }
    is(sc(mprotect, at, 16 * MB_PAGE, RW), 0);
    is(sc(munmap, at + 3 * MB_PAGE, 2 * MB_PAGE), 0);
    is(get32(at), 1);
    long where = sc(mmap, at + 3 * MB_PAGE, MB_PAGE, RW, PRIVATE | ANON | 0x10, (uint64_t)-1, 0);
    is(where, at + 3 * MB_PAGE); /* MAP_FIXED */
    unmap(at, 16);
}

static void moving(void)
{
    uint64_t at = map(8, RW, PRIVATE | ANON, -1);
    put32(at, 7);
    uint64_t moved = (uint64_t)ok(sc(mremap, at, 4 * MB_PAGE, 12 * MB_PAGE, 1));
    is(get32(moved), 7);
    is(sc(mremap, moved, 12 * MB_PAGE, 2 * MB_PAGE, 0), moved);
    unmap(moved, 2);
    unmap(at + 4 * MB_PAGE, 4);
    long brk = sc(brk, 0);
    long more = sc(brk, (uint64_t)brk + 3 * MB_PAGE); /* says no in its own way */
    is(more == brk + 3 * (long)MB_PAGE || (more == brk && strained()), true);
    is(sc(brk, (uint64_t)brk), brk);
}

static void advice(void)
{
    uint64_t at = map(8, RW, PRIVATE | ANON, -1), vec = room(8);
    put32(at, 7);
    static const unsigned all[] = {4, 10, 11, 18, 19, 8, 3};
    for (unsigned i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        is(sc(madvise, at + MB_PAGE, 2 * MB_PAGE, all[i]), 0);
    }
    is(sc(mincore, at, 8 * MB_PAGE, vec), 0);
    is(sc(mlock, at, 2 * MB_PAGE), 0);
    is(sc(mlock2, at, 3 * MB_PAGE, 1), 0);
    is(sc(munlock, at, MB_PAGE), 0);
    is(sc(mlockall, 1), 0);
    is(sc(munlockall, 0), 0);
    is(sc(msync, at, MB_PAGE, 4), 0);
    is(sc(membarrier, 16, 0), 0); /* REGISTER_PRIVATE_EXPEDITED */
    is(sc(membarrier, 8, 0), 0);
    is(sc(membarrier, 1, 0), 0);
    unmap(at, 8);
}

static void of_files(void)
{
    make_file("m", "mapped");
    long fd = open_at("m", O_RDWR);
    is(sc(ftruncate, (uint64_t)fd, 20 * MB_PAGE), 0);
    uint64_t shared = map(20, RW, SHARED, fd), own = map(20, RW, PRIVATE, fd);
    uint64_t anon = map(4, RW, SHARED | ANON, -1);
    shut(fd);
    put32(shared + 5 * MB_PAGE, 3);
    is(get32(own + 5 * MB_PAGE), 3);
    put32(own + 5 * MB_PAGE, 4);
    put32(anon, 1);
    is(sc(msync, shared, 20 * MB_PAGE, 4), 0);
    is(sc(mprotect, own, 3 * MB_PAGE, 1), 0);
    is(sc(truncate, text("m"), MB_PAGE), 0);
    unmap(shared, 20);
    unmap(own, 20);
    unmap(anon, 4);
    gone("m");
}

static void both_sides(void)
{
    uint64_t at = get64(ROOM_BASE);
    put32(at, 5);
    put32(at + MB_PAGE, 6);
}

/* What a fork shares and copies. */
static void forked(void)
{
    uint64_t at = map(2, RW, PRIVATE | ANON, -1), shared = map(2, RW, SHARED | ANON, -1);
    put32(at, 1);
    is(sc(madvise, at + MB_PAGE, MB_PAGE, 18), 0); /* MADV_WIPEONFORK */
    put(ROOM_BASE, &shared, 8);
    is(end_of(start(SIGCHLD, both_sides)), 0);
    is(get32(at), 1);
    is(get32(shared), 5);
    unmap(at, 2);
    unmap(shared, 2);
}

/* A fault that finds no memory ends the process, and nothing else. */
static void faulter(void)
{
    long score = open_at("/proc/self/oom_score_adj", O_WRONLY);
    write_all(score, text("1000"), 4);
    make_file("p", "page");
    long fd = open_at("p", O_RDWR);
    uint64_t own = map(4, RW, PRIVATE | ANON, -1), file = map(1, RW, SHARED, fd);
    uint64_t copy = map(1, RW, PRIVATE, fd), anon = map(2, RW, SHARED | ANON, -1);
    poke(own, 1);
    poke(file, 1);
    poke(copy, 2);
    poke(anon, 3);
    is(peek(own + MB_PAGE) + peek(anon + MB_PAGE), 0);
    uint64_t stack = fiber_self()->state.reg[2];
    poke(stack - 40 * MB_PAGE, 1);
}

static void faults(void)
{
    int how = end_of(start(SIGCHLD, faulter));
    is(how == 0 || ((how == SIGKILL || how == SIGSEGV) && strained()), true);
    sc(unlinkat, CWD, text("p"), 0);
}

static void sleeper(void)
{
    sc(ppoll, 0, 0, 0, 0, 8);
}

static void of_others(void)
{
    uint64_t here = room(64), there = room(64);
    put32(there, 77);
    long pid = start(SIGCHLD, sleeper);
    uint64_t mine = words(2, here, 64ul), its = words(2, there, 64ul);
    is(sc(process_vm_readv, (uint64_t)pid, mine, 1, its, 1, 0), 64);
    is(get32(here), 77);
    is(sc(process_vm_writev, (uint64_t)pid, mine, 1, its, 1, 0), 64);
    is(sc(kill, (uint64_t)pid, SIGKILL), 0);
    is(end_of(pid), SIGKILL);
}

const struct scenario scenarios_memory[] = {
    {"mappings", mappings, false},   {"moving", moving, false}, {"advice", advice, false},
    {"of_files", of_files, false},   {"forked", forked, false}, {"faults", faults, true},
    {"of_others", of_others, false}, {NULL, NULL, false},
};
