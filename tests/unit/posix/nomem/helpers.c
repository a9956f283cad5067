/* What scenarios write most often: program memory, descriptors, processes. */
#include "scenario.h"

static uint64_t room_used;

uint64_t room(size_t n)
{
    uint64_t at = ROOM_BASE + 4096 + ((room_used + 15) & ~15ul);
    room_used = at + n - ROOM_BASE - 4096;
    is(room_used <= ROOM_SIZE - 8192, true);
    return at;
}

void room_back(uint64_t at)
{
    room_used = at - ROOM_BASE - 4096;
}

uint64_t text(const char *s)
{
    uint64_t at = room(strlen(s) + 1);
    put(at, s, strlen(s) + 1);
    return at;
}

uint64_t words(unsigned n, ...)
{
    va_list ap;
    uint64_t at = room(n * 8);
    va_start(ap, n);
    for (unsigned i = 0; i < n; i++) {
        uint64_t v = va_arg(ap, uint64_t);
        put(at + i * 8, &v, 8);
    }
    va_end(ap);
    return at;
}

uint64_t get64(uint64_t addr)
{
    uint64_t v;
    get(addr, &v, 8);
    return v;
}

int get32(uint64_t addr)
{
    int32_t v;
    get(addr, &v, 4);
    return v;
}

void put32(uint64_t addr, uint32_t value)
{
    put(addr, &value, 4);
}

long start(uint64_t flags, void (*fn)(void))
{
    fiber_self()->state.reg[27] = AT(fn);
    return ok(sc(clone, flags));
}

int end_of(long pid)
{
    uint64_t status = room(4);
    is(sc(wait4, (uint64_t)pid, status, 0x40000000), pid); /* __WALL */
    return get32(status);
}

void rest(void)
{
    uint64_t ms = words(2, 0ul, 1000000ul);
    sc_raw(__NR_nanosleep, (uint64_t[6]){ms});
}

long open_at(const char *path, unsigned flags)
{
    return ok(sc(openat, CWD, text(path), flags, 0644));
}

void make_file(const char *path, const char *content)
{
    long fd = open_at(path, O_RDWR | O_CREAT | O_TRUNC);
    write_all(fd, text(content), strlen(content));
    shut(fd);
}

void gone(const char *path)
{
    is(sc(unlinkat, CWD, text(path), 0), 0);
}

void shut(long fd)
{
    is(sc(close, (uint64_t)fd), 0);
}

void write_all(long fd, uint64_t from, size_t n)
{
    for (size_t at = 0; at < n;) {
        at += (size_t)ok(sc(write, (uint64_t)fd, from + at, n - at));
    }
}
