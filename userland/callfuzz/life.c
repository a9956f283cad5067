/*
 * A life: its threads, the calls, and what it does to itself meanwhile (nudges, memory that goes away).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "fuzz.h"
#include "structs.h"

#define NOBODY 65534
#define TICK_NS 2000000
#define LIFE_NS 1000000000 /* a life is this long at most */
#define CHILD_CALLS 15     /* what a child of clone makes */
#define GENERATIONS 2

struct worker {
    struct life *life;
    struct rng rng;
    struct thread_note *note;
    volatile int tid;
    volatile bool done;
};

static struct worker workers[THREADS];
static unsigned generation;

static const char *name_of(const struct thread_note *n)
{
    return n->name < spec_count ? specs[n->name].name : "call";
}

static void tell(const struct worker *w)
{
    char line[200];
    const struct thread_note *n = w->note;
    int len =
        snprintf(line, sizeof line, "%lu.%d.%u %s(%u: %#lx, %#lx, %#lx, %#lx, %#lx, %#lx)\n",
                 (unsigned long)w->life->number, (int)(w - workers), generation, name_of(n), n->nr,
                 (unsigned long)n->arg[0], (unsigned long)n->arg[1], (unsigned long)n->arg[2],
                 (unsigned long)n->arg[3], (unsigned long)n->arg[4], (unsigned long)n->arg[5]);
    long a[6] = {LIST_FD, (long)line, len};

    raw_call(SYS_write, a);
}

static void tell_result(const struct worker *w, long result)
{
    char line[80];
    int len = snprintf(line, sizeof line, "%lu.%d.%u = %ld\n", (unsigned long)w->life->number,
                       (int)(w - workers), generation, result);
    long a[6] = {LIST_FD, (long)line, len};

    raw_call(SYS_write, a);
}

static void count(long nr, long result)
{
    unsigned i = nr >= 0 && nr < CALL_NUMBERS ? (unsigned)nr : CALL_NUMBERS - 1;
    uint64_t *to = result >= 0 ? notes->good : result == -EFAULT ? notes->faults : notes->bad;

    __atomic_fetch_add(&to[i], 1, __ATOMIC_RELAXED);
}

static void calls(struct worker *w, unsigned n);

static void make(struct worker *w, long nr, long a[6])
{
    bool clones = nr == SYS_clone || nr == SYS_clone3;
    long result;

    if (!allowed(w->life, nr, a) || (clones && generation >= GENERATIONS)) {
        return;
    }
    w->note->nr = (uint16_t)nr;
    memcpy(w->note->arg, a, sizeof w->note->arg);
    w->note->made++;
    if (options.list) {
        tell(w);
    }
    if (clones) {
        /* What clone3 shares is behind its pointer and may change: its children end at once. */
        result = raw_clone(nr, a, nr == SYS_clone3 || (a[0] & (CLONE_VM | CLONE_SETTLS)));
        if (result == 0) {
            generation++;
            calls(w, CHILD_CALLS);
            a[0] = 0;
            raw_call(SYS_exit_group, a);
        }
    } else if (nr == SYS_rt_sigreturn) {
        result = raw_sigreturn(a[0] & ~15l);
    } else {
        result = raw_call(nr, a);
    }
    if ((nr == SYS_mmap || nr == SYS_mremap || nr == SYS_shmat) && result > 0) {
        area_made(result);
    }
    if (options.list) {
        tell_result(w, result);
    }
    count(nr, result);
}

static bool wanted(const struct spec *s)
{
    return !options.only || strcmp(options.only, s->name) == 0;
}

static void calls(struct worker *w, unsigned n)
{
    struct rng *r = &w->rng;

    for (unsigned i = 0; i < n; i++) {
        long a[6], nr;

        if (one_in(r, 20) && !options.only) {
            nr = one_in(r, 10) ? (long)rnd(r) : (long)below(r, 480);
            w->note->name = 0xffff;
            for (size_t k = 0; k < 6; k++) {
                a[k] = draw_any(r);
            }
            if (nr == SYS_exit || nr == SYS_exit_group || nr == SYS_close_range ||
                nr == SYS_rt_sigreturn) {
                continue;
            }
        } else {
            unsigned which = (unsigned)below(r, spec_count);
            const struct spec *s = &specs[which];
            size_t k = 0;

            if (!one_in(r, generation && s->rare > 8 ? s->rare / 8 : s->rare) || !wanted(s)) {
                continue;
            }
            nr = s->nr;
            w->note->name = (uint16_t)which;
            for (; k < 6 && s->args[k]; k++) {
                a[k] = draw(r, s->args[k]);
            }
            for (; k < 6; k++) {
                a[k] = one_in(r, 2) ? 0 : (long)rnd(r);
            }
        }
        make(w, nr, a);
    }
}

static pid_t tracees[THREADS]; /* of each thread */

bool is_tracee(pid_t pid)
{
    for (unsigned i = 0; i < THREADS; i++) {
        if (pid && tracees[i] == pid) {
            return true;
        }
    }
    return false;
}

pid_t tracee(struct rng *r)
{
    return PICK(r, tracees);
}

/* A child that makes calls, traced by us: it stops at every signal. */
static void make_tracee(struct worker *w)
{
    long a[6] = {SIGCHLD}, pid = raw_clone(SYS_clone, a, 0);

    if (pid == 0) {
        long trace[6] = {0}, stop[6] = {getpid(), SIGSTOP};

        generation = GENERATIONS;
        raw_call(SYS_ptrace, trace);
        raw_call(SYS_kill, stop);
        w->rng.state ^= 1;
        calls(w, options.calls);
        trace[0] = 0;
        raw_call(SYS_exit_group, trace);
    }
    tracees[w - workers] = pid > 0 ? (pid_t)pid : 0;
}

static void *work(void *arg)
{
    struct worker *w = arg;

    w->tid = gettid();
    if (one_in(&w->rng, 3)) {
        make_tracee(w);
    }
    calls(w, options.calls);
    w->done = true;
    return NULL;
}

/* ---- around them ---- */

/* A frame that is not as it was when it is returned from; its registers more seldom, for that ends us. */
static void mangle(int signo, siginfo_t *info, void *context)
{
    static struct rng r;
    uint8_t *uc = context;
    uint64_t registers = 176; /* of struct ucontext */

    (void)signo;
    (void)info;
    if (one_in(&r, 3)) {
        uc[one_in(&r, 4) ? registers + below(&r, 256) : below(&r, registers)] ^=
            (uint8_t)(1 << below(&r, 8));
        uc[registers + 256 + below(&r, 528)] ^= (uint8_t)(1 << below(&r, 8));
    }
}

static void nothing(int signo)
{
    (void)signo;
}

/* Signals end a life only when it asks for it. */
static void take_signals(void)
{
    struct {
        void *handler;
        unsigned long flags;
        uint64_t mask;
    } action = {NULL, 0, 0};
    uint64_t none = 0;

    for (long signo = 1; signo < 65; signo++) {
        long a[6] = {signo, (long)&action, 0, 8};

        action.flags = signo == SIGALRM ? SA_RESTART : signo == SIGUSR2 ? SA_SIGINFO : 0;
        action.handler = signo == SIGUSR2 ? (void *)mangle : (void *)nothing;
        if (signo != SIGSEGV && signo != SIGBUS && signo != SIGILL && signo != SIGFPE &&
            signo != SIGTRAP) {
            raw_call(SYS_rt_sigaction, a);
        }
    }
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, 8);
}

static void limit(int what, rlim_t n)
{
    struct rlimit l = {n, n};

    setrlimit(what, &l);
}

static void write_text(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY);

    if (fd >= 0 && write(fd, text, strlen(text)) < 0) {
        perror(path);
    }
    close(fd);
}

static void settle_in(struct life *l)
{
    char name[32];
    int fd = open("/dev/null", O_RDWR);

    setsid();
    for (int i = 0; i < 3; i++) {
        dup2(fd, i);
    }
    close(fd);
    write_text("/proc/self/oom_score_adj", "1000");
    limit(RLIMIT_FSIZE, 4 << 20);
    limit(RLIMIT_AS, 256 << 20);
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_NPROC, 100);
    if (one_in(&l->rng, 6)) {
        limit(RLIMIT_NOFILE, 40 + below(&l->rng, 20));
    }
    if (one_in(&l->rng, 6)) {
        limit(RLIMIT_AS, (3 + below(&l->rng, 8)) << 20);
    }
    umask(0);
    snprintf(name, sizeof name, "%u", l->slot);
    mkdir(name, 0777);
    if (chdir(name) < 0) {
        _exit(1);
    }
    files_make();
    if (!l->root) {
        setgroups(0, NULL);
        if (setresgid(NOBODY, NOBODY, NOBODY) < 0 || setresuid(NOBODY, NOBODY, NOBODY) < 0) {
            _exit(1);
        }
        prctl(PR_SET_DUMPABLE, 1);
    }
    descriptors_make(l);
    if (one_in(&l->rng, 3)) {
        descriptors_wait();
    }
    memory_make(l);
    ipc_make();
    aio_make();
    take_signals();
}

static int64_t now_ns(void)
{
    struct timespec t = {0, 0};
    long a[6] = {CLOCK_MONOTONIC, (long)&t};

    raw_call(SYS_clock_gettime, a);
    return t.tv_sec * 1000000000 + t.tv_nsec;
}

/* A thread that has not come further since the last look may be asleep for ever. True: all are done. */
static bool look_after(uint32_t *seen)
{
    bool all = true;

    for (unsigned i = 0; i < options.threads; i++) {
        struct worker *w = &workers[i];
        uint32_t now = w->note->made;

        if (w->done) {
            continue;
        }
        if (now == seen[i] && w->tid) {
            long a[6] = {getpid(), w->tid, one_in(&w->life->rng, 2) ? SIGUSR1 : SIGALRM};

            if (raw_call(SYS_tgkill, a) == -ESRCH) {
                w->done = true; /* it ended itself */
                continue;
            }
        }
        seen[i] = now;
        all = false;
    }
    return all;
}

/* So that whoever counts calls by number has seen all of them. */
_Noreturn void life_census(struct life *l)
{
    settle_in(l);
    for (long nr = 0; nr < CALL_NUMBERS; nr++) {
        long a[6] = {-1, -1, -1, -1, -1, -1};

        if (nr != SYS_exit && nr != SYS_exit_group && nr != SYS_rt_sigreturn) {
            raw_call(nr, a);
        }
    }
    for (;;) {
        long a[6] = {0};

        raw_call(SYS_exit_group, a);
    }
}

_Noreturn void life_run(struct life *l)
{
    uint32_t seen[THREADS] = {0};
    pthread_t thread;

    settle_in(l);
    for (unsigned i = 0; i < options.threads; i++) {
        workers[i] =
            (struct worker){.life = l, .rng = {rnd(&l->rng)}, .note = &notes->thread[l->slot][i]};
        memset(workers[i].note, 0, sizeof *workers[i].note);
    }
    for (unsigned i = 0; i < options.threads; i++) {
        if (pthread_create(&thread, NULL, work, &workers[i])) {
            workers[i].done = true;
        }
    }
    int64_t end = now_ns() + LIFE_NS;
    for (unsigned tick = 0; now_ns() < end && !look_after(seen); tick++) {
        struct timespec t = {0, TICK_NS};
        long a[6] = {(long)&t, 0};

        raw_call(SYS_nanosleep, a);
        if (tick % 4 == 0) {
            memory_flicker(tick / 4);
        }
    }
    long a[6] = {0};
    for (;;) {
        raw_call(SYS_exit_group, a);
    }
}
