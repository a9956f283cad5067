/* Rings under /Bus (nexus/ring.h) with the server tests/cell/ringbad, which does what it is told: tests/system/busring.py
 * runs each case by its name, which ends with 0 or says what was wrong. */
#include "../cell/ringbad/ringbad.h"

#include <nexus/ring.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#define PATH "/Bus/ring.0"
#define LONG 20000

static struct nexus_bus b;

#define CHECK(good)                                                              \
    do {                                                                         \
        if (!(good)) {                                                           \
            fprintf(stderr, "line %d: %s (errno %d)\n", __LINE__, #good, errno); \
            exit(1);                                                             \
        }                                                                        \
    } while (0)

static int ask(uint16_t type, uint64_t word, int timeout, uint32_t *generation)
{
    struct nx_slot m = {.type = type, .word = {word}};
    int e = bus_call(&b, &m, timeout);
    if (e == 0 && generation != NULL) {
        *generation = m.word32[1];
    }
    if (e == 0) {
        CHECK(m.word[1] == word);
    }
    return e;
}

static uint32_t well(void)
{
    uint32_t generation = 0;
    CHECK(ask(BAD_OK, 42, LONG, &generation) == 0);
    CHECK(generation > 0);
    return generation;
}

static void ok(void)
{
    for (int i = 0; i < 1000; i++) {
        well();
    }
    CHECK(b.strays == 0 && b.generation == 1);
    CHECK(b.pool_size == 2 * 4096);
    memset(b.pool, 1, b.pool_size);
}

static void twice(void)
{
    struct nx_slot m = {.type = BAD_TWICE};
    well();
    CHECK(bus_call(&b, &m, LONG) == 0);
    well();
    CHECK(b.strays == 1);
}

static void late(void)
{
    well();
    CHECK(ask(BAD_LATE, 300, 50, NULL) == -NX_ETIME);
    well();
    CHECK(b.strays == 1);
    CHECK(ask(BAD_KEEP, 0, 0, NULL) == -NX_ETIME);
    well();
    CHECK(b.strays == 1);
}

static void cookie(void)
{
    well();
    CHECK(ask(BAD_COOKIE, 7, LONG, NULL) == 0);
    CHECK(b.strays == 3);
}

static void dies(void)
{
    const uint32_t generation = well();
    uint32_t then = 0;
    CHECK(ask(BAD_DIE, generation, LONG, &then) == 0);
    CHECK(then == generation + 1 && b.generation == 2);
    CHECK(ask(BAD_DIE_ONCE, then, LONG, NULL) == -NX_EPEER);
    CHECK(well() == then + 1);
    CHECK(b.strays == 0);
}

static void breaks(void)
{
    const uint32_t generation = well();
    uint32_t then = 0;
    CHECK(ask(BAD_BREAK, generation, LONG, &then) == 0);
    CHECK(then > generation);
    well();
}

/* Our own index makes no sense: the server is not moved, and serves the next one. */
static void we_break(void)
{
    const uint32_t generation = well();
    b.out.own_end->index += 1000;
    bus_bell_(&b, NEXUS_BUS_PUSHED);
    usleep(50000);
    b.in.own_end->index -= 1000;
    bus_bell_(&b, NEXUS_BUS_POPPED);
    usleep(50000);
    bus_close(&b);
    CHECK(bus_open(&b, PATH) == 0);
    CHECK(well() == generation);
}

/* All of both rings is nonsense. */
static void torn(void)
{
    const uint32_t generation = well();
    for (int i = 0; i < 20; i++) {
        memset(b.out_at, 0xa5 + i, 4096);
        memset(b.in_at, 0x5a - i, 4096);
        bus_bell_(&b, NEXUS_BUS_PUSHED | NEXUS_BUS_POPPED);
        usleep(2000);
    }
    bus_close(&b);
    for (int i = 0; i < 50; i++) { /* its next life, perhaps */
        if (bus_open(&b, PATH) == 0) {
            if (ask(BAD_OK, 1, 2000, NULL) == 0) {
                CHECK(well() >= generation);
                return;
            }
            bus_close(&b);
        }
        CHECK(errno == EPROTO || errno == 0 || errno == EAGAIN);
        usleep(100000);
    }
    CHECK(!"served again");
}

static void vanishes(void)
{
    bus_close(&b);
    for (int how = 0; how < 3; how++) {
        const pid_t child = fork();
        if (child == 0) {
            CHECK(bus_open(&b, PATH) == 0);
            if (how > 0) {
                well();
            }
            ask(BAD_KEEP, 0, how == 2 ? LONG : 20, NULL);
            _exit(0); /* with the request under way */
        }
        usleep(100000);
        if (how == 2) {
            kill(child, SIGKILL);
        }
        waitpid(child, NULL, 0);
        CHECK(bus_open(&b, PATH) == 0);
        well();
        CHECK(b.strays == 0);
        bus_close(&b);
    }
}

static sigjmp_buf fault;

static void on_bus(int sig)
{
    siglongjmp(fault, 1);
}

static void file(void)
{
    struct nexus_bus other;
    struct pollfd p = {.fd = b.fd, .events = POLLIN | POLLOUT};
    uint64_t word = 0;
    CHECK(bus_open(&other, PATH) == -1 && errno == EBUSY);
    CHECK(bus_open(&other, "/Bus/ring.3") == -1 && errno == ENOENT);
    CHECK(fcntl(b.fd, F_SETFL, O_NONBLOCK) == 0);
    while (read(b.fd, &word, 8) == 8) {
    }
    CHECK(errno == EAGAIN);
    CHECK(poll(&p, 1, 0) == 1 && p.revents == POLLOUT);
    CHECK(read(b.fd, &word, 7) == -1 && errno == EINVAL);
    word = 0;
    CHECK(write(b.fd, &word, 8) == -1 && errno == EINVAL);
    word = 4;
    CHECK(write(b.fd, &word, 8) == -1 && errno == EINVAL);
    word = 1;
    CHECK(write(b.fd, &word, 4) == -1 && errno == EINVAL);
    CHECK(write(b.fd, (void *)8, 8) == -1 && errno == EFAULT);
    CHECK(ioctl(b.fd, NEXUS_BUS_SIZES, 8) == -1 && errno == EFAULT);
    CHECK(ioctl(b.fd, 0x1234, &word) == -1 && errno == ENOTTY);
    CHECK(lseek(b.fd, 0, SEEK_SET) == -1 && errno == ESPIPE);
    CHECK(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, b.fd, 0) == MAP_FAILED && errno == EINVAL);
    char *past = mmap(NULL, 8 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, b.fd, NEXUS_BUS_POOL);
    CHECK(past != MAP_FAILED);
    past[4095] = 1; /* the pool has two pages */
    signal(SIGBUS, on_bus);
    if (sigsetjmp(fault, 1) == 0) {
        past[2 * 4096] = 1;
        CHECK(!"beyond the pool");
    }
    munmap(past, 8 * 4096);
    well();
    /* Its mappings outlive the descriptor, and it is taken as long as they are there. */
    close(b.fd);
    CHECK(open(PATH, O_RDWR) == -1 && errno == EBUSY);
    b.fd = -1;
    bus_close(&b);
    CHECK(bus_open(&b, PATH) == 0);
    well();
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(void);
    } cases[] = {{"ok", ok},
                 {"twice", twice},
                 {"late", late},
                 {"cookie", cookie},
                 {"dies", dies},
                 {"breaks", breaks},
                 {"we_break", we_break},
                 {"torn", torn},
                 {"vanishes", vanishes},
                 {"file", file}};
    for (unsigned i = 0; argc == 2 && i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (strcmp(argv[1], cases[i].name) == 0) {
            CHECK(bus_open(&b, PATH) == 0);
            cases[i].run();
            bus_close(&b);
            return 0;
        }
    }
    fprintf(stderr, "usage: busring CASE\n");
    return 2;
}
