/* Running scenarios: as they are, then with each step that can fail failing alone, then with it and all that
 * follow until a call has said so.  After each run all is as before. */
#include "scenario.h"

#include <stdio.h>
#include <stdlib.h>

#define COMPLAINTS_MAX 5u
#define CALLS 512u

static const struct scenario *now;
static long fail_at;
static bool fail_all, done;
static unsigned complaints;
static bool made[CALLS];
static uint64_t room_used;

static void complain(const char *what)
{
    complaints++;
    fprintf(stderr, "%s, failure %ld%s: %s\n", now->name, fail_at, fail_all ? " and all after" : "",
            what);
    fail_show();
}

/* ---- a program's calls ---- */

/* Answers for want of memory beside ENOMEM, as Linux has them. */
static const struct {
    unsigned nr;
    int err;
} other_answers[] = {
    {__NR_clone, EAGAIN},       {__NR_clone3, EAGAIN},    {__NR_kill, EAGAIN},
    {__NR_rt_sigqueueinfo, EAGAIN}, {__NR_rt_tgsigqueueinfo, EAGAIN}, {__NR_timer_create, EAGAIN},
    {__NR_sendto, ENOBUFS},     {__NR_sendmsg, ENOBUFS},  {__NR_sendmmsg, ENOBUFS},
    {__NR_write, ENOBUFS},      {__NR_writev, ENOBUFS},   {__NR_socket, ENFILE},
    {__NR_socketpair, ENFILE},  {__NR_accept, ENFILE},    {__NR_accept4, ENFILE},
    {__NR_socket, ENOBUFS},     {__NR_socketpair, ENOBUFS}, {__NR_connect, ENOBUFS},
    {__NR_process_vm_readv, EFAULT}, {__NR_process_vm_writev, EFAULT}, {__NR_ptrace, EIO},
    {__NR_fcntl, ENOLCK},       {__NR_flock, ENOLCK},
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
    made[nr] = true;
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

bool call_was_made(unsigned nr)
{
    return made[nr];
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

/* ---- conveniences ---- */

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

/* ---- process 1's part ---- */

static void scenario_main(void)
{
    sc_raw(__NR_chdir, (uint64_t[6]){text("/tmp")});
    char zero[MB_PAGE] = "";
    for (uint64_t at = 0; at < ROOM_SIZE; at += MB_PAGE) { /* its room is its own already */
        put(ROOM_BASE + at, zero, sizeof(zero));
    }
    if (fail_at >= 0) {
        fail_from(fail_at, fail_all);
    }
    now->fn();
    sc_raw(__NR_exit_group, (uint64_t[6]){0});
}

static void job(void)
{
    room_used = 0;
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

static struct counts run_once(long at, bool all)
{
    fail_at = at;
    fail_all = all;
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

unsigned scenario_try(const struct scenario *s)
{
    now = s;
    complaints = 0;
    run_once(-1, false);
    struct counts before = run_once(-1, false), after = run_once(-1, false);
    compare(&before, &after);
    unsigned runs = 3;
    if (complaints > 0) {
        return complaints;
    }
    for (int all = 0; all < (s->alone ? 1 : 2); all++) {
        for (long k = 0; complaints < COMPLAINTS_MAX; k++, runs++) {
            before = after;
            after = run_once(k, all);
            if (!fail_happened()) {
                break;
            }
            compare(&before, &after);
        }
    }
    if (getenv("NOMEM_TIMES") != NULL) {
        fprintf(stderr, "%-24s %u runs\n", s->name, runs);
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
