/*
 * faultload: keeps one driver or service at a time busy and checks every answer, for the fault campaign
 * (tests/faults). It is controlled over standard input and reports on standard output, a terminal it
 * makes raw; every line, in both directions, ends with `*` and the sum of the bytes before it modulo 256
 * in two hexadecimal digits, and one with a wrong sum does not count: the console may be damaged, too.
 *
 * SEQ only grows. What a damaged console brings once more is not done again, and the newest one is answered as before:
 * so what was not answered can be asked once more as it was.
 *
 *      t SEQ LOAD      work on LOAD, rest with all others (LOAD `none`: all); answered `t SEQ`
 *      s SEQ COMMAND   give COMMAND to the supervisor; answered `s SEQ ANSWER` (its first line)
 *      e SEQ TEXT      answered with the same
 *      q SEQ           end
 *
 * While there is work it says every 10 ms
 *
 *      l LOAD ANSWERS WRONG ERRORS LOST LONGEST HANDS
 *
 * ANSWERS: so many came, right or wrong; ERRORS: calls that failed; LOST: answers that never came, though
 * later ones did; all since the start. LONGEST: microseconds the slowest answer took since the last line,
 * or the one that is awaited until now. HANDS: how often it restarted the console by itself.
 *
 *      disk    /dev/vda: blocks of 4 KiB, each word of block b is version << 32 | b, version 0 at first;
 *              reads, and writes the next version, at random
 *      rng     /dev/hwrng: 64 bytes that differ from those before
 *      hvc     /dev/hvc0: lines which somebody at the other end sends back
 *      fb      /dev/fb0: a line is written, then another mode is set, which must be answered
 *      input   /dev/input/event0: somebody presses keys; an answer is an event
 *      log     /dev/kmsg: a line, which must appear in /Bus/log
 *
 * A driver may damage the console's own: when nothing sensible has come in for 12 seconds, the driver
 * `uart16550` is restarted.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include <linux/fb.h>
#include <linux/fs.h>
#include <linux/input.h>

#define BLOCK 4096
#define WORDS (BLOCK / 8)
#define BLOCKS_MAX 65536
#define REPORT_MS 10
#define PATIENCE_MS 1000 /* then a stream is asked anew: what was sent may be lost */
#define DEAF_US 12000000ul
#define SEQ_AHEAD 100000u /* a number further on than that is none */

struct load {
    const char *name;
    void (*run)(struct load *);
    uint64_t answers, wrong, errors, lost, longest;
    uint64_t since; /* an answer is awaited since; 0: none */
    int token[2];   /* a byte in this pipe: work on */
};

/* Shared by all processes. */
static struct shared {
    struct load *active;
    uint64_t heard; /* when a good line came in */
    uint64_t hands;
    struct load load[6];
} * all;

static uint64_t now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static uint64_t next_random(void)
{
    static uint64_t state = 88172645463325252u;

    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

/* ---- what a load does around each answer ---- */

static void ask(struct load *l)
{
    char byte;

    while (__atomic_load_n(&all->active, __ATOMIC_SEQ_CST) != l) {
        if (read(l->token[0], &byte, 1) < 0 && errno != EINTR) {
            _exit(2);
        }
    }
    __atomic_store_n(&l->since, now_us(), __ATOMIC_SEQ_CST);
}

static void answer(struct load *l, bool right)
{
    uint64_t took = now_us() - l->since, old = __atomic_load_n(&l->longest, __ATOMIC_SEQ_CST);

    while (took > old && !__atomic_compare_exchange_n(&l->longest, &old, took, false,
                                                      __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
    }
    __atomic_store_n(&l->since, 0, __ATOMIC_SEQ_CST);
    l->wrong += !right;
    l->answers++;
}

static void failed(struct load *l)
{
    l->errors++;
    answer(l, true);
    usleep(10000); /* it may fail for good */
}

/* ---- the loads ---- */

static uint64_t block[WORDS] __attribute__((aligned(BLOCK)));
static uint32_t version[BLOCKS_MAX];

static bool block_right(uint64_t want)
{
    for (unsigned i = 0; i < WORDS; i++) {
        if (block[i] != want) {
            return false;
        }
    }
    return true;
}

static void disk_run(struct load *l)
{
    int fd = open("/dev/vda", O_RDWR | O_DIRECT | O_CLOEXEC);
    uint64_t size = 0;
    bool repair = false;
    uint32_t b = 0;

    if (fd < 0 || ioctl(fd, BLKGETSIZE64, &size) < 0 || size < BLOCK) {
        return;
    }
    const uint32_t blocks = size / BLOCK < BLOCKS_MAX ? (uint32_t)(size / BLOCK) : BLOCKS_MAX;
    for (;;) {
        const uint64_t random = next_random();
        bool good = true, write = repair || (random >> 40) % 4 == 0;
        if (!repair) {
            b = (uint32_t)(random % blocks);
        }
        const off_t at = (off_t)b * BLOCK;
        const uint64_t want = (uint64_t)(version[b] + write) << 32 | b;
        ask(l);
        if (write) {
            for (unsigned i = 0; i < WORDS; i++) {
                block[i] = want;
            }
            good = pwrite(fd, block, BLOCK, at) == BLOCK;
            version[b] += good;
            repair = !good;
        } else {
            good = pread(fd, block, BLOCK, at) == BLOCK;
        }
        if (!good) {
            failed(l);
        } else {
            repair = !write && !block_right(want); /* so that it is counted once */
            answer(l, !repair);
        }
    }
}

static void rng_run(struct load *l)
{
    int fd = open("/dev/hwrng", O_RDONLY | O_CLOEXEC);
    uint8_t bytes[64], before[64] = {0};

    if (fd < 0) {
        return;
    }
    for (;;) {
        ask(l);
        ssize_t n = read(fd, bytes, sizeof(bytes));
        if (n <= 0) {
            failed(l);
            continue;
        }
        answer(l, n < 16 || memcmp(bytes, before, 16) != 0);
        memcpy(before, bytes, sizeof(before));
    }
}

/* Appends what comes to a text of `size` bytes; false when nothing came in time. */
static bool take(int fd, char *text, size_t size)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    size_t have = strlen(text);

    if (have >= size - 1) {
        text[0] = '\0';
        have = 0;
    }
    if (poll(&p, 1, PATIENCE_MS) <= 0) {
        return false;
    }
    ssize_t n = read(fd, text + have, size - 1 - have);
    for (ssize_t i = 0; i < n; i++) { /* zeros are nothing sensible either */
        text[have + (size_t)i] = text[have + (size_t)i] == '\0' ? '?' : text[have + (size_t)i];
    }
    text[have + (n > 0 ? (size_t)n : 0)] = '\0';
    return true;
}

static void hvc_run(struct load *l)
{
    int fd = open("/dev/hvc0", O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    char line[80], got[4096];
    struct termios t;

    if (fd < 0 || tcgetattr(fd, &t) < 0) {
        return;
    }
    cfmakeraw(&t);
    tcsetattr(fd, TCSANOW, &t);
    for (unsigned long n = 0;; n++) {
        ask(l);
        tcflush(fd, TCIFLUSH);
        got[0] = '\0';
        bool come = false;
        for (unsigned tries = 0; !come; tries++) {
            int len = snprintf(line, sizeof(line), "line %lu of the second terminal\n", n);
            if (write(fd, line, (size_t)len) < 0 && errno != EAGAIN) {
                l->errors++;
            }
            while (!(come = strstr(got, line) != NULL) && take(fd, got, sizeof(got))) {
            }
            if (!come) {
                l->lost++;
                n++;
            }
        }
        answer(l, strcmp(got, line) == 0 || l->lost > 0);
    }
}

static void fb_run(struct load *l)
{
    int fd = open("/dev/fb0", O_RDWR | O_CLOEXEC);
    static uint8_t line[320 * 4];

    if (fd < 0) {
        return;
    }
    for (unsigned n = 0;; n++) {
        struct fb_var_screeninfo v = {.xres = 320,
                                      .yres = 200 + n % 2 * 40,
                                      .bits_per_pixel = 32,
                                      .activate = FB_ACTIVATE_NOW};
        const uint32_t want = v.yres;
        memset(line, (int)n, sizeof(line));
        ask(l);
        if (pwrite(fd, line, sizeof(line), (off_t)(n % 200 * sizeof(line))) < 0 ||
            ioctl(fd, FBIOPUT_VSCREENINFO, &v) < 0 || ioctl(fd, FBIOGET_VSCREENINFO, &v) < 0) {
            failed(l);
        } else {
            answer(l, v.xres == 320 && v.yres == want);
        }
    }
}

static bool sensible(const struct input_event *e)
{
    return (e->type == EV_SYN && e->value == 0) ||
           (e->type == EV_KEY && e->code < KEY_MAX && (e->value == 0 || e->value == 1));
}

static void input_run(struct load *l)
{
    int fd = open("/dev/input/event0", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    struct input_event events[32];

    if (fd < 0) {
        return;
    }
    for (;;) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        bool right = true;
        ssize_t n = 0;
        ask(l);
        while (n <= 0) {
            if (poll(&p, 1, -1) > 0) {
                n = read(fd, events, sizeof(events));
                l->errors += n < 0 && errno != EAGAIN;
            }
        }
        for (unsigned i = 0; i < (size_t)n / sizeof(events[0]); i++) {
            l->lost += events[i].type == EV_SYN && events[i].code == SYN_DROPPED;
            right = right && sensible(&events[i]);
        }
        answer(l, right && n % (ssize_t)sizeof(events[0]) == 0);
    }
}

static void log_run(struct load *l)
{
    int fd = open("/Bus/log", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    int out = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
    char line[80], got[8192];

    if (fd < 0 || out < 0 || lseek(fd, 0, SEEK_END) < 0) {
        return;
    }
    for (unsigned long n = 0;; n++) {
        ask(l);
        bool come = false;
        got[0] = '\0';
        while (!come) {
            int len = snprintf(line, sizeof(line), "faultload line %lu of the log\n", n);
            if (write(out, line, (size_t)len) != len) {
                l->errors++;
            }
            while (!(come = strstr(got, line) != NULL) && take(fd, got, sizeof(got))) {
            }
            if (!come) {
                l->lost++;
                n++;
                lseek(fd, 0, SEEK_END);
            }
        }
        answer(l, true);
    }
}

/* ---- control ---- */

static void say(const char *text)
{
    char line[256];
    uint8_t sum = 0;

    for (const char *c = text; *c; c++) {
        sum += (uint8_t)*c;
    }
    int n = snprintf(line, sizeof(line), "%s*%02x\n", text, sum);
    for (int done = 0; done < n;) {
        ssize_t k = write(STDOUT_FILENO, line + done, (size_t)(n - done));
        if (k <= 0) {
            return;
        }
        done += (int)k;
    }
}

/* Gives the supervisor a command; its answer's first line. */
static void supervise(const char *command, char *reply, size_t size)
{
    int fd = open("/Bus/supervisor", O_RDWR | O_CLOEXEC);
    ssize_t n = -1;

    if (fd >= 0 && write(fd, command, strlen(command)) > 0) {
        n = read(fd, reply, size - 1);
    }
    reply[n > 0 ? n : 0] = '\0';
    reply[strcspn(reply, "\n")] = '\0';
    close(fd);
}

static void choose(const char *name)
{
    struct load *found = NULL;

    for (unsigned i = 0; i < 6; i++) {
        if (strcmp(name, all->load[i].name) == 0) {
            found = &all->load[i];
        }
    }
    if (found != NULL && found != all->active) {
        __atomic_store_n(&found->longest, 0, __ATOMIC_SEQ_CST);
        __atomic_store_n(&all->active, found, __ATOMIC_SEQ_CST);
        (void)!write(found->token[1], "", 1);
    }
    __atomic_store_n(&all->active, found, __ATOMIC_SEQ_CST);
}

/* A line without its end. True: go on. */
static bool obey(char *line)
{
    static char text[240]; /* the newest answer */
    static unsigned newest;
    char *star = strrchr(line, '*'), reply[200];
    unsigned sum = 0, want = 0, seq = 0;
    int at = 0;

    if (star == NULL || sscanf(star + 1, "%2x", &want) != 1) {
        return true;
    }
    *star = '\0';
    for (const char *c = line; *c; c++) {
        sum += (uint8_t)*c;
    }
    if ((sum & 255) != want || sscanf(line, "%*c %u %n", &seq, &at) != 1 || at == 0) {
        return true;
    }
    if (seq <= newest || seq > newest + SEQ_AHEAD) {
        if (seq == newest) {
            say(text);
        }
        return true;
    }
    newest = seq;
    __atomic_store_n(&all->heard, now_us(), __ATOMIC_SEQ_CST);
    snprintf(reply, sizeof(reply), "%s", line[0] == 'e' ? line + at : "");
    if (line[0] == 't') {
        choose(line + at);
    } else if (line[0] == 's') {
        supervise(line + at, reply, sizeof(reply));
    }
    snprintf(text, sizeof(text), "%c %u %s", line[0], seq, reply);
    say(text);
    return line[0] != 'q';
}

static void report(void)
{
    struct load *l = all->active;
    char text[200];

    if (l == NULL) {
        return;
    }
    uint64_t longest = __atomic_exchange_n(&l->longest, 0, __ATOMIC_SEQ_CST);
    uint64_t since = __atomic_load_n(&l->since, __ATOMIC_SEQ_CST), now = now_us();
    if (since != 0 && now > since && now - since > longest) {
        longest = now - since;
    }
    snprintf(text, sizeof(text), "l %s %lu %lu %lu %lu %lu %lu", l->name, l->answers, l->wrong,
             l->errors, l->lost, longest, all->hands);
    say(text);
}

static void control(void)
{
    struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};
    static char line[300];
    size_t have = 0;
    uint64_t next = now_us();

    for (;;) {
        uint64_t now = now_us();
        if (now >= next) {
            report();
            next = now + REPORT_MS * 1000;
        }
        if (poll(&p, 1, REPORT_MS) <= 0) {
            continue;
        }
        char byte;
        while (poll(&p, 1, 0) > 0 && read(STDIN_FILENO, &byte, 1) == 1) {
            if (byte != '\n' && byte != '\r' && have < sizeof(line) - 1) {
                line[have++] = byte;
                continue;
            }
            line[have] = '\0';
            have = 0;
            if (!obey(line)) {
                return;
            }
        }
    }
}

/* The console is deaf when nobody was heard for long. */
static void guard(void)
{
    char reply[200];

    for (;;) {
        sleep(1);
        if (now_us() - __atomic_load_n(&all->heard, __ATOMIC_SEQ_CST) > DEAF_US) {
            all->hands++;
            supervise("restart uart16550", reply, sizeof(reply));
            __atomic_store_n(&all->heard, now_us(), __ATOMIC_SEQ_CST);
        }
    }
}

static pid_t start(struct load *l)
{
    pid_t pid = fork();

    if (pid == 0) {
        if (l != NULL) {
            l->run(l);
            fprintf(stderr, "faultload: there is nothing for %s\n", l->name);
        } else {
            guard();
        }
        _exit(2);
    }
    return pid;
}

int main(int argc, char **argv)
{
    static const struct load loads[6] = {
        {.name = "disk", .run = disk_run},   {.name = "rng", .run = rng_run},
        {.name = "hvc", .run = hvc_run},     {.name = "fb", .run = fb_run},
        {.name = "input", .run = input_run}, {.name = "log", .run = log_run},
    };
    struct termios old, raw;
    pid_t pid[7];

    if (argc != 1) {
        fputs("Usage: faultload    (see the head of its source)\n", stderr);
        return 2;
    }
    all = mmap(NULL, sizeof(*all), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (all == MAP_FAILED || tcgetattr(STDIN_FILENO, &old) < 0) {
        perror("faultload");
        return 2;
    }
    raw = old;
    cfmakeraw(&raw);
    tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    all->heard = now_us();
    for (unsigned i = 0; i < 6; i++) {
        all->load[i] = loads[i];
        if (pipe(all->load[i].token) < 0) {
            return 2;
        }
        pid[i] = start(&all->load[i]);
    }
    pid[6] = start(NULL);
    say("ready");
    control();
    for (unsigned i = 0; i < 7; i++) {
        kill(pid[i], 9);
    }
    tcsetattr(STDIN_FILENO, TCSANOW, &old);
    return 0;
}
