/*
 * entropy: what a program pays for using Linux calls (the Entropy Tax), as a table.
 *
 *      entropy [-o FILE] CMD [ARGS]    runs CMD, then shows its tax; exits with CMD's status
 *      entropy [-o FILE] -p PID        shows the tax of a running process so far
 *
 * The figures come from /proc/<pid>/entropy, text, one record a line:
 *      tax <calls> <ns> <instructions>                 all calls together
 *      own <ns> <instructions>                         the program's own code
 *      faults <n>                                      page faults that left foreign mode
 *      call <nr> <name> <calls> <ns> <instructions>    one line a call, sorted by number
 *      enosys <nr> <name> <calls>                      calls that do not exist here
 * Children that were waited for are included. The file can still be read when the process has
 * ended, until it is waited for: hence WNOWAIT.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

typedef unsigned long long count;

struct call {
    int number;
    char name[32];
    count calls, ns, instructions;
    int missing; /* answered with ENOSYS */
};

struct report {
    count calls, ns, instructions;
    count own_ns, own_instructions, faults;
    struct call *call;
    size_t n;
};

static const char usage[] =
    "Usage: entropy [-o FILE] CMD [ARGS]\n"
    "       entropy [-o FILE] -p PID\n"
    "\n"
    "Run CMD and show on standard error what its system calls cost: the Entropy Tax.\n"
    "\n"
    "  -o FILE    write the table to FILE\n"
    "  -p PID     show what process PID has paid so far\n"
    "  -h, --help show this help\n";

/* A call that does not exist has a line for that, and may have one for what the answer cost. */
static int add_call(struct report *r, const struct call *c)
{
    struct call *more;

    for (size_t i = 0; i < r->n; i++) {
        if (r->call[i].number == c->number) {
            r->call[i].missing |= c->missing;
            return 0;
        }
    }
    more = realloc(r->call, (r->n + 1) * sizeof *more);
    if (!more) {
        return -1;
    }
    r->call = more;
    r->call[r->n] = *c;
    if (strcmp(c->name, "unknown") == 0) {
        snprintf(r->call[r->n].name, sizeof c->name, "call %d", c->number);
    }
    r->n++;
    return 0;
}

/* Lines it does not know are passed over: the format may grow. */
static int parse_line(struct report *r, const char *line)
{
    struct call c = {.missing = 0};

    if (sscanf(line, "tax %llu %llu %llu", &r->calls, &r->ns, &r->instructions) == 3 ||
        sscanf(line, "own %llu %llu", &r->own_ns, &r->own_instructions) == 2 ||
        sscanf(line, "faults %llu", &r->faults) == 1) {
        return 0;
    }
    if (sscanf(line, "call %d %31s %llu %llu %llu", &c.number, c.name, &c.calls, &c.ns,
               &c.instructions) == 5) {
        return add_call(r, &c);
    }
    if (sscanf(line, "enosys %d %31s %llu", &c.number, c.name, &c.calls) == 3) {
        c.missing = 1;
        return add_call(r, &c);
    }
    return 0;
}

static int read_report(pid_t pid, struct report *r)
{
    char path[64], line[256];
    int failed = 0;
    FILE *f;

    memset(r, 0, sizeof *r);
    snprintf(path, sizeof path, "/proc/%ld/entropy", (long)pid);
    f = fopen(path, "re");
    if (!f) {
        fprintf(stderr, "entropy: %s: %s\n", path, strerror(errno));
        return -1;
    }
    while (!failed && fgets(line, sizeof line, f)) {
        failed = parse_line(r, line);
    }
    if (failed || ferror(f)) {
        fprintf(stderr, "entropy: %s: %s\n", path, strerror(errno));
        free(r->call);
        failed = -1;
    }
    fclose(f);
    return failed;
}

/* The dearest first. */
static int by_cost(const void *a, const void *b)
{
    const struct call *x = a, *y = b;

    if (x->ns != y->ns) {
        return x->ns < y->ns ? 1 : -1;
    }
    return strcmp(x->name, y->name);
}

static double percent(count part, count whole)
{
    return whole ? 100.0 * (double)part / (double)whole : 0.0;
}

static void show_row(FILE *out, const char *name, count calls, count ns, count instructions,
                     count run_ns, const char *note)
{
    fprintf(out, "%-20s %10llu %14.1f %14llu %10.1f %7.2f%s\n", name, calls, (double)ns / 1000,
            instructions, calls ? (double)ns / 1000 / (double)calls : 0.0, percent(ns, run_ns),
            note);
}

static void show(FILE *out, const struct report *r)
{
    count run_ns = r->ns + r->own_ns;

    fprintf(out, "%-20s %10s %14s %14s %10s %7s\n", "call", "calls", "us", "instructions",
            "us/call", "% run");
    for (size_t i = 0; i < r->n; i++) {
        const struct call *c = &r->call[i];

        show_row(out, c->name, c->calls, c->ns, c->instructions, run_ns,
                 c->missing ? "  ENOSYS" : "");
    }
    show_row(out, "tax", r->calls, r->ns, r->instructions, run_ns, "");
    fprintf(out, "%-20s %10s %14.1f %14llu %10s %7.2f\n", "program", "", (double)r->own_ns / 1000,
            r->own_instructions, "", percent(r->own_ns, run_ns));
    fprintf(out, "%-20s %10llu\n", "faults", r->faults);
}

static int report(pid_t pid, const char *file)
{
    struct report r;
    FILE *out = stderr;
    int failed = 0;

    if (read_report(pid, &r) < 0) {
        return -1;
    }
    if (file && !(out = fopen(file, "we"))) {
        fprintf(stderr, "entropy: %s: %s\n", file, strerror(errno));
        free(r.call);
        return -1;
    }
    qsort(r.call, r.n, sizeof *r.call, by_cost);
    show(out, &r);
    if (file && fclose(out) != 0) {
        fprintf(stderr, "entropy: %s: %s\n", file, strerror(errno));
        failed = -1;
    }
    free(r.call);
    return failed;
}

/* As `time` does: what is typed to end the command must not end the one who counts. */
static void ignore_keys(struct sigaction *old)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};

    sigaction(SIGINT, &ignore, &old[0]);
    sigaction(SIGQUIT, &ignore, &old[1]);
}

static int run(char **argv, const char *file)
{
    struct sigaction old[2];
    siginfo_t ended;
    int status;
    pid_t pid;

    ignore_keys(old);
    pid = fork();
    if (pid < 0) {
        fprintf(stderr, "entropy: fork: %s\n", strerror(errno));
        return 125;
    }
    if (pid == 0) {
        sigaction(SIGINT, &old[0], NULL);
        sigaction(SIGQUIT, &old[1], NULL);
        execvp(argv[0], argv);
        fprintf(stderr, "entropy: %s: %s\n", argv[0], strerror(errno));
        _exit(errno == ENOENT ? 127 : 126);
    }
    while (waitid(P_PID, (id_t)pid, &ended, WEXITED | WNOWAIT) < 0 && errno == EINTR) {
    }
    report(pid, file);
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR) {
            fprintf(stderr, "entropy: wait: %s\n", strerror(errno));
            return 125;
        }
    }
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static pid_t parse_pid(const char *text)
{
    char *end;
    long pid = strtol(text, &end, 10);

    if (*end || end == text || pid <= 0 || pid != (pid_t)pid) {
        fprintf(stderr, "entropy: %s: not a process id\n", text);
        exit(125);
    }
    return (pid_t)pid;
}

int main(int argc, char **argv)
{
    static const struct option longer[] = {{"help", no_argument, NULL, 'h'}, {0}};
    const char *file = NULL;
    pid_t pid = 0;
    int c;

    /* "+": the options behind CMD are CMD's. */
    while ((c = getopt_long(argc, argv, "+ho:p:", longer, NULL)) != -1) {
        switch (c) {
        case 'h':
            fputs(usage, stdout);
            return 0;
        case 'o':
            file = optarg;
            break;
        case 'p':
            pid = parse_pid(optarg);
            break;
        default:
            fputs(usage, stderr);
            return 125;
        }
    }
    if ((pid == 0) == (optind == argc)) {
        fputs(usage, stderr);
        return 125;
    }
    return pid ? (report(pid, file) < 0 ? 1 : 0) : run(argv + optind, file);
}
