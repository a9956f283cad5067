/*
 * nxbench: measures what system calls and what is built of them cost.
 *
 *      nxbench [ROW...]     measures these rows, or all; a line each: name TAB ns per operation
 *      nxbench --list       names and meanings of the rows
 *      nxbench --time COMMAND [ARGUMENT...]
 *                           how long a command takes, whose output is thrown away: `command` TAB ns
 *
 * Time comes from CLOCK_MONOTONIC only. Under QEMU's `-icount shift=0` one nanosecond is one
 * instruction, so there the same figure is instructions per operation and the same in every run;
 * the caller knows which of the two it has. The rows are those of the baseline's table, in its
 * order, and the program runs on Linux just as well. All of it together stays below 100 M
 * instructions.
 *
 * The rows of a disk (disk.c) and of several harts (compute.c) are measured only when named.
 *
 * A row that cannot run prints `-` for its figure and the reason on standard error; if the reason
 * is that the call does not exist here, that is no failure.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "nxbench.h"

static const struct row *const groups[] = {call_rows,    file_rows, memory_rows, ipc_rows,
                                           process_rows, disk_rows, compute_rows};

/* The rows in the order of the baseline's table. */
static const char *const order[] = {
    "getppid",   "clock-gettime", "read-zero", "write-null",    "pwrite-4k", "pread-4k",
    "pread-64k", "open-close",    "stat",      "create-unlink", "mmap-64k",  "mmap-touch",
    "kill-self", "sched-yield",   "poll-16",   "pipe",          "unix",      "condvar",
    "pipe-kib",  "pthread",       "fork-exit", "fork-exec",     "system",    "muladd",
};
#define ROWS (sizeof order / sizeof order[0])

static jmp_buf give_up;
static int give_up_errno;
static char own[256];

void fail(const char *what)
{
    give_up_errno = errno;
    fprintf(stderr, "nxbench: %s: %s\n", what, strerror(errno));
    longjmp(give_up, 1);
}

const char *own_path(void)
{
    return own;
}

static const struct row *find(const char *name)
{
    for (size_t g = 0; g < sizeof groups / sizeof groups[0]; g++) {
        for (const struct row *r = groups[g]; r->name; r++) {
            if (strcmp(r->name, name) == 0) {
                return r;
            }
        }
    }
    return NULL;
}

unsigned long long now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (unsigned long long)t.tv_sec * 1000000000u + (unsigned long long)t.tv_nsec;
}

/* What the loop itself and the clock cost is not the operation's. */
static void run_nothing(unsigned ops)
{
    while (ops-- > 0) {
        __asm__ volatile("");
    }
}

static unsigned long long shortest(void (*run)(unsigned), unsigned ops, unsigned reps)
{
    unsigned long long best = ~0ull;

    while (reps-- > 0) {
        unsigned long long start = now(), took;

        run(ops);
        took = now() - start;
        best = took < best ? took : best;
    }
    return best;
}

/* Nanoseconds of all operations of one repetition, or -1 when the row cannot run. */
static long long measure(const struct row *r)
{
    unsigned long long took, nothing;

    if (setjmp(give_up)) {
        return -1;
    }
    if (r->setup) {
        r->setup();
    }
    if (r->warm) {
        r->run(r->warm);
    }
    took = shortest(r->run, r->ops, r->reps);
    if (r->done) {
        r->done();
    }
    nothing = shortest(run_nothing, r->ops, 3);
    return took > nothing ? (long long)(took - nothing) : 0;
}

static int show(const struct row *r)
{
    long long ns = measure(r);

    if (ns < 0) {
        printf("%s\t-\n", r->name);
    } else {
        printf("%s\t%lld\n", r->name, (ns + r->ops / 2) / r->ops);
    }
    fflush(stdout);
    return ns < 0 && give_up_errno != ENOSYS && give_up_errno != EAFNOSUPPORT;
}

static void list(void)
{
    for (const struct row *r = disk_rows; r->name; r++) {
        printf("%s\t%s\n", r->name, r->what);
    }
    for (const struct row *r = compute_rows; r->name; r++) {
        printf("%s\t%s\n", r->name, r->what);
    }
    for (size_t i = 0; i < ROWS; i++) {
        printf("%s\t%s\n", order[i], find(order[i])->what);
    }
}

static int usage(FILE *out)
{
    fputs("Usage: nxbench [ROW...]\n"
          "       nxbench --list\n"
          "       nxbench --time COMMAND [ARGUMENT...]\n"
          "\n"
          "Measure ROWs, or all; prints a line for each: name, TAB, nanoseconds per operation.\n"
          "Under QEMU's -icount shift=0 a nanosecond is an instruction.\n",
          out);
    return out == stderr ? 2 : 0;
}

int main(int argc, char **argv)
{
    ssize_t n;
    int failed = 0;

    if (argc > 1 && strcmp(argv[1], "--nothing") == 0) {
        return 0; /* the program that fork-exec executes */
    }
    if (argc > 1 && strcmp(argv[1], "--help") == 0) {
        return usage(stdout);
    }
    if (argc > 1 && strcmp(argv[1], "--list") == 0) {
        list();
        return 0;
    }
    if (argc > 2 && strcmp(argv[1], "--time") == 0) {
        return time_command(argv + 2);
    }
    for (int i = 1; i < argc; i++) {
        if (!find(argv[i])) {
            fprintf(stderr, "nxbench: no row %s\n", argv[i]);
            return usage(stderr);
        }
    }
    n = readlink("/proc/self/exe", own, sizeof own - 1);
    if (n <= 0) {
        strcpy(own, "/usr/bin/nxbench");
    }
    for (int i = 1; i < argc; i++) {
        failed |= show(find(argv[i]));
    }
    for (size_t i = 0; argc == 1 && i < ROWS; i++) {
        failed |= show(find(order[i]));
    }
    return failed;
}
