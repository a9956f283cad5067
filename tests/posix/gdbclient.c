/*
 * What a debugger does through gdbserver, in gdb's remote protocol:
 *
 *      gdbserver 127.0.0.1:PORT gdbclient --debuggee &
 *      gdbclient PORT
 *
 * The debuggee is this program again, so that it lies where ours does: no symbols are needed. A line for
 * each thing that was seen to work; the exit status says whether all did.
 */
#include <arpa/inet.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define RA 1u /* registers as gdb counts them */
#define A0 10u
#define PC 32u

/* ---- the debuggee ---- */

static volatile long go_on, total = 5;

static __attribute__((noinline)) long touch(long x)
{
    total += x;
    __asm__ volatile("" ::: "memory");
    return total;
}

static void *wait_to_go_on(void *arg)
{
    while (!go_on) {
        usleep(1000);
    }
    return arg;
}

static int debuggee(void)
{
    pthread_t other;

    for (long i = 1; i <= 3; i++) {
        touch(i);
    }
    if (pthread_create(&other, NULL, wait_to_go_on, NULL)) {
        return 1;
    }
    touch(0);
    pthread_join(other, NULL);
    return (int)total;
}

/* ---- the protocol ---- */

static FILE *in, *out;
static char answer[65536];

static _Noreturn void fail(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    printf("gdbclient: ");
    vprintf(format, args);
    va_end(args);
    printf("\n");
    exit(1);
}

static void send_packet(const char *text)
{
    unsigned char sum = 0;

    for (const char *s = text; *s; s++) {
        sum += (unsigned char)*s;
    }
    fprintf(out, "$%s#%02x", text, sum);
    fflush(out);
}

/* The next packet, acknowledged; a star and a character stand for repetitions. Who waits too long is ended by the alarm. */
static const char *receive(void)
{
    size_t n = 0;
    int c;

    while ((c = getc(in)) != '$') {
        if (c == EOF) {
            fail("the server is gone");
        }
    }
    while ((c = getc(in)) != '#' && c != EOF && n < sizeof answer - 100) {
        if (c != '*' || n == 0) {
            answer[n++] = (char)c;
            continue;
        }
        for (int more = getc(in) - 29; more > 0; more--, n++) {
            answer[n] = answer[n - 1];
        }
    }
    answer[n] = 0;
    getc(in);
    getc(in);
    putc('+', out);
    fflush(out);
    return answer;
}

static __attribute__((format(printf, 1, 2))) const char *ask(const char *format, ...)
{
    char text[512];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    send_packet(text);
    return receive();
}

static void expect(const char *what, const char *got, const char *want)
{
    if (strncmp(got, want, strlen(want)) != 0) {
        fail("%s: %s instead of %s", what, got, want);
    }
    printf("%s\n", what);
}

/* Hexadecimal bytes, the lowest first. */
static uint64_t number(const char *hexa)
{
    uint64_t value = 0;
    unsigned byte;

    for (unsigned i = 0; i < 8 && sscanf(hexa + 2 * i, "%2x", &byte) == 1; i++) {
        value |= (uint64_t)byte << 8 * i;
    }
    return value;
}

static const char *bytes(uint64_t value)
{
    static char text[17];

    for (unsigned i = 0; i < 8; i++) {
        snprintf(text + 2 * i, 3, "%02x", (unsigned)(value >> 8 * i & 0xff));
    }
    return text;
}

static void same(const char *what, uint64_t got, uint64_t want)
{
    if (got != want) {
        fail("%s: %#lx instead of %#lx", what, got, want);
    }
    printf("%s\n", what);
}

static uint64_t reg(unsigned n)
{
    return strlen(ask("g")) < 33 * 16 ? 0 : number(answer + 16 * n);
}

/* gdbserver takes all registers or none. */
static void set_reg(unsigned n, uint64_t value)
{
    static char text[sizeof answer + 1];

    snprintf(text, sizeof text, "G%s", ask("g"));
    memcpy(text + 1 + 16 * n, bytes(value), 16);
    send_packet(text);
    expect("registers written", receive(), "OK");
}

static void connect_to(int port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int s = socket(AF_INET, SOCK_STREAM, 0);

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    while (connect(s, (struct sockaddr *)&to, sizeof to) < 0) {
        usleep(100000); /* it is not there yet */
    }
    in = fdopen(s, "r");
    out = fdopen(dup(s), "w");
}

static unsigned threads(void)
{
    unsigned n = 0;

    for (const char *s = ask("qfThreadInfo"); *s == 'm'; s = ask("qsThreadInfo")) {
        n++;
        while ((s = strchr(s, ','))) {
            s++, n++;
        }
    }
    return n;
}

/* For RISC-V gdbserver knows no breakpoints and no steps: a debugger writes c.ebreak itself. */
static char *put_breakpoint(uint64_t at)
{
    char *was = strdup(ask("m%lx,2", at));

    expect("breakpoint", ask("M%lx,2:0290", at), "OK");
    return was;
}

static void remove_breakpoint(uint64_t at, char *was)
{
    expect("breakpoint removed", ask("M%lx,2:%s", at, was), "OK");
    free(was);
}

static void run_to(uint64_t at)
{
    char *was = put_breakpoint(at);

    expect("runs", ask("vCont;c"), "T05");
    same("to the breakpoint", reg(PC), at);
    remove_breakpoint(at, was);
}

static void debug(void)
{
    const uint64_t here = (uint64_t)touch, variable = (uint64_t)&total;

    if (!strstr(ask("qSupported:vContSupported+;xmlRegisters=riscv"), "PacketSize=")) {
        fail("qSupported: %s", answer);
    }
    expect("stopped at its first instruction", ask("?"), "T05");
    if (!strstr(ask("qXfer:features:read:target.xml:0,1000"), "riscv")) {
        fail("target.xml: %s", answer);
    }
    run_to(here);
    same("its argument", reg(A0), 1);
    set_reg(A0, 10);
    same("another argument", reg(A0), 10);
    run_to(reg(RA));
    same("what it returns", reg(A0), 5 + 10);
    same("memory read", number(ask("m%lx,8", variable)), 5 + 10);
    expect("memory written", ask("M%lx,8:%s", variable, bytes(20)), "OK");
    expect("no such memory", ask("m10,8"), "E");
    run_to(here);
    run_to(reg(RA));
    run_to(here);
    run_to(reg(RA));
    run_to(here);
    same("two threads", threads(), 2);
    send_packet("vCont;c");
    usleep(100000);
    putc(3, out); /* ^C */
    fflush(out);
    expect("interrupted", receive(), "T02");
    expect("told to go on", ask("M%lx,8:%s", (uint64_t)&go_on, bytes(1)), "OK");
    expect("its end", ask("vCont;c"), "W19"); /* 20 + 2 + 3 */
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        return 2;
    }
    if (strcmp(argv[1], "--debuggee") == 0) {
        return debuggee();
    }
    alarm(60);
    connect_to(atoi(argv[1]));
    debug();
    return 0;
}
