/* Running scenarios: as they are, then with each step that can fail failing alone, then with it and all that
 * follow until a call has said so.  After each run all is as before. */
#include "scenario.h"

#include <stdio.h>
#include <stdlib.h>

#define COMPLAINTS_MAX 5u

static const struct scenario *now;
static long fail_at;
static bool fail_all, crowded, done;
static unsigned complaints;

static void complain(const char *what)
{
    complaints++;
    fprintf(stderr, "%s, failure %ld%s: %s\n", now->name, fail_at,
            crowded    ? " with many descriptors"
            : fail_all ? " and all after"
                       : "",
            what);
    fail_show();
}

/* ---- a program's calls ---- */

/* Answers for want of memory beside ENOMEM, as Linux has them. */
static const struct {
    unsigned nr;
    int err;
} other_answers[] = {
    {__NR_clone, EAGAIN},
    {__NR_clone3, EAGAIN},
    {__NR_kill, EAGAIN},
    {__NR_rt_sigqueueinfo, EAGAIN},
    {__NR_rt_tgsigqueueinfo, EAGAIN},
    {__NR_timer_create, EAGAIN},
    {__NR_io_submit, EAGAIN},
    {__NR_sendto, ENOBUFS},
    {__NR_sendmsg, ENOBUFS},
    {__NR_sendmmsg, ENOBUFS},
    {__NR_write, ENOBUFS},
    {__NR_writev, ENOBUFS},
    {__NR_socket, ENFILE},
    {__NR_socketpair, ENFILE},
    {__NR_accept, ENFILE},
    {__NR_accept4, ENFILE},
    {__NR_socket, ENOBUFS},
    {__NR_socketpair, ENOBUFS},
    {__NR_connect, ENOBUFS},
    {__NR_process_vm_readv, EFAULT},
    {__NR_process_vm_writev, EFAULT},
    {__NR_ptrace, EIO},
    {__NR_setuid, EAGAIN},
    {__NR_setreuid, EAGAIN},
    {__NR_setresuid, EAGAIN},
    {__NR_fcntl, ENOLCK},
    {__NR_flock, ENOLCK},
};

static bool says_no_memory(unsigned nr, long result)
{
    bool yes = result == -ENOMEM;
    for (unsigned i = 0; i < sizeof(other_answers) / sizeof(other_answers[0]); i++) {
        yes |= other_answers[i].nr == nr && result == -other_answers[i].err;
    }
    return yes;
}

const char *call_name(unsigned nr);

long sc_(unsigned nr, const uint64_t a[6])
{
    struct fiber *me = fiber_self();
    me->failed = 0;
    long r = sc_raw(nr, a);
    if (r >= 0 || me->failed == 0) {
        return r;
    }
    fail_stop();
    long again = sc_raw(nr, a);
    if (again != r && !says_no_memory(nr, r)) {
        char line[128];
        snprintf(line, sizeof(line), "%s answered %ld", call_name(nr), r);
        complain(line);
    }
    return again;
}

static void give_up(void)
{
    fail_stop();
    sc_raw(__NR_exit_group, (uint64_t[6]){99});
}

long ok_(long result, const char *what, const char *file, int line)
{
    if (result < 0) {
        char text[512];
        snprintf(text, sizeof(text), "%s:%d: %s answered %ld", file, line, what, result);
        complain(text);
        give_up();
    }
    return result;
}

void is_(long value, long want, const char *what, const char *file, int line)
{
    if (value != want) {
        char text[512];
        snprintf(text, sizeof(text), "%s:%d: %s is %ld, not %ld", file, line, what, value, want);
        complain(text);
        give_up();
    }
}

bool strained(void)
{
    return fail_happened();
}

/* ---- process 1's part ---- */

static void scenario_main(void)
{
    sc_raw(__NR_chdir, (uint64_t[6]){text("/tmp")});
    char zero[MB_PAGE] = "";
    for (uint64_t at = 0; at < ROOM_SIZE; at += MB_PAGE) { /* its room is its own already */
        put(ROOM_BASE + at, zero, sizeof(zero));
    }
    if (crowded) { /* the next but one makes the table grow */
        long fd = open_at("/dev/null", O_RDONLY);
        while (fd < 62) {
            fd = sc(dup, (uint64_t)fd);
        }
    }
    if (fail_at >= 0) {
        fail_from(fail_at, fail_all);
    }
    now->fn();
    sc_raw(__NR_exit_group, (uint64_t[6]){0});
}

static void job(void)
{
    room_back(ROOM_BASE + MB_PAGE);
    uint64_t status = room(8);
    fiber_self()->state.reg[27] = AT(scenario_main);
    long pid = sc_raw(__NR_clone, (uint64_t[6]){17});
    long got = sc_raw(__NR_wait4, (uint64_t[6]){(uint64_t)pid, status});
    fail_stop();
    int how = get32(status);
    if (got != pid || (how != 0 && how != 99 << 8)) {
        complain("it ended badly");
        fprintf(stderr, "    pid %ld, wait %ld, status %x\n", pid, got, (unsigned)how);
    }
    rest();
    while (sc_raw(__NR_wait4, (uint64_t[6]){(uint64_t)-1, 0, 0x40000001}) > 0) {
    }
    rest();
    done = true;
}

static bool is_done(void)
{
    return done && program_job == NULL;
}

static struct counts run_once(long at)
{
    fail_at = at;
    done = false;
    fail_stop();
    fail_from(1l << 40, false); /* nothing has happened */
    fail_stop();
    program_job = job;
    program_first->runnable = true;
    fibers_run(is_done);
    return counts_now();
}

static void compare(const struct counts *before, const struct counts *after)
{
    if (memcmp(before, after, sizeof(*before)) != 0) {
        char line[160];
        snprintf(line, sizeof(line), "left behind: %ld objects, %ld pages, %ld spaces, %ld mapped",
                 (long)(after->objects - before->objects), (long)(after->pages - before->pages),
                 (long)(after->spaces - before->spaces), (long)(after->mapped - before->mapped));
        complain(line);
    }
}

/* With each failure in turn, until there is none left to happen. */
static void try_all(unsigned *runs)
{
    run_once(-1);
    struct counts before = run_once(-1), after = run_once(-1);
    compare(&before, &after);
    for (long k = 0; complaints == 0 || (k > 0 && complaints < COMPLAINTS_MAX); k++, ++*runs) {
        before = after;
        after = run_once(k);
        if (!fail_happened()) {
            break;
        }
        compare(&before, &after);
    }
}

/* The table of who makes which call, for who asks. */
static void show_calls(const struct scenario *s, unsigned runs)
{
    if (getenv("NOMEM_TABLE") == NULL) {
        return;
    }
    fprintf(stderr, "%s (%u runs):", s->name, runs);
    for (unsigned nr = 0; nr < CALL_NUMBERS; nr++) {
        if (calls_made[nr]) {
            fprintf(stderr, " %s", call_name(nr));
        }
    }
    fputc('\n', stderr);
}

unsigned scenario_try(const struct scenario *s)
{
    static bool before[CALL_NUMBERS];
    unsigned runs = 0;
    memcpy(before, calls_made, sizeof(before));
    memset(calls_made, 0, sizeof(calls_made));
    now = s;
    complaints = 0;
    for (int way = 0; way < 3; way++) {
        fail_all = way == 1;
        crowded = way == 2;
        if (!s->alone || !fail_all) {
            try_all(&runs);
        }
    }
    show_calls(s, runs);
    for (unsigned nr = 0; nr < CALL_NUMBERS; nr++) {
        calls_made[nr] |= before[nr];
    }
    return complaints;
}

/* ---- the start ---- */

int posix_start(void);
static void boot(void *arg)
{
    if (posix_start() != 0) {
        abort();
    }
    devices_come();
}

static bool is_up(void)
{
    return program_first != NULL && !program_first->runnable;
}

void machine_boot(void)
{
    mb_fiber_start(boot, NULL);
    fibers_run(is_up);
}
