/* Processes and threads: making, ending and waiting for them, programs, credentials, groups, traces. */
#include "scenario.h"

#define CLONE_VM 0x100ul
#define CLONE_FS 0x200ul
#define CLONE_FILES 0x400ul
#define CLONE_SIGHAND 0x800ul
#define CLONE_PIDFD 0x1000ul
#define CLONE_VFORK 0x4000ul
#define CLONE_THREAD 0x10000ul
#define CLONE_SYSVSEM 0x40000ul
#define CLONE_CHILD_CLEARTID 0x200000ul
#define THREAD (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM)

static void nothing(void)
{
}

static void sleeper(void)
{
    sc(ppoll, 0, 0, 0, 0, 8);
}

static void forks(void)
{
    is(end_of(start(SIGCHLD, nothing)), 0);
    is(end_of(start(CLONE_VM | CLONE_VFORK | SIGCHLD, nothing)), 0);
    start(SIGCHLD, nothing);
    is(sc(waitid, 0, 0, room(128), 4, 0), 0); /* P_ALL, WEXITED */
    fiber_self()->state.reg[27] = AT(nothing);
    uint64_t how = words(8, 0ul, 0ul, 0ul, 0ul, (uint64_t)SIGCHLD, 0ul, 0ul, 0ul);
    is(end_of(ok(sc(clone3, how, 64))), 0);
}

static uint64_t word;

static void wait_word(void)
{
    uint64_t area = (room(64) + 31) & ~31ul;
    is(sc(rseq, area, 32, 0, 1), 0);
    is(get32(area + 4), 1); /* the hart */
    is(sc(set_tid_address, word + 8), ok(sc(gettid, 0)));
    is(sc(set_robust_list, words(3, 0ul, 0ul, 0ul), 24), 0);
    long r = sc(futex, word, 0, 0, 0, 0, 0); /* FUTEX_WAIT */
    is(r == 0 || r == -EAGAIN, true);
}

static void threads(void)
{
    word = room(16);
    put32(word, 0);
    put32(word + 8, 1);
    fiber_self()->state.reg[27] = AT(wait_word);
    long tid = ok(sc(clone, THREAD, ROOM_BASE + ROOM_SIZE - 64));
    rest();
    is(sc(get_robust_list, (uint64_t)tid, room(8), room(8)), 0);
    is(sc(tgkill, (uint64_t)ok(sc(getpid, 0)), (uint64_t)tid, 0), 0);
    is(sc(futex, word, 1, 1, 0, 0, 0), 1);
    rest();
    is(get32(word + 8), 0);
}

static void pi_locker(void)
{
    is(sc(futex, word, 6, 0, 0, 0, 0), 0); /* FUTEX_LOCK_PI */
    is(sc(futex, word, 7, 0, 0, 0, 0), 0);
}

static void pi_locks(void)
{
    word = room(16);
    put32(word, 0);
    is(sc(futex, word, 6, 0, 0, 0, 0), 0);
    fiber_self()->state.reg[27] = AT(pi_locker);
    ok(sc(clone, THREAD, ROOM_BASE + ROOM_SIZE - 64));
    rest();
    is(sc(futex, word, 7, 0, 0, 0, 0), 0); /* FUTEX_UNLOCK_PI */
    rest();
}

static uint64_t argv(const char *path, void (*fn)(void))
{
    char hex[32];
    static const char digit[] = "0123456789abcdef";
    for (int i = 0; i < 16; i++) {
        hex[i] = digit[AT(fn) >> (60 - 4 * i) & 15];
    }
    hex[16] = 0;
    return words(3, text(path), text(hex), 0ul);
}

static void run_program(void)
{
    uint64_t path = text("/bin/p"), args = argv("/bin/p", nothing),
             env = words(2, text("A=b"), 0ul);
    ok(sc(execve, path, args, env));
}

static void run_script(void)
{
    long fd = open_at("/tmp/script", O_RDONLY);
    ok(sc(execveat, (uint64_t)fd, text(""), argv("x", nothing), words(1, 0ul), AT_EMPTY_PATH));
}

static void programs(void)
{
    char line[64] = "#!/bin/p ";
    static const char digit[] = "0123456789abcdef";
    for (int i = 0; i < 16; i++) {
        line[9 + i] = digit[AT(nothing) >> (60 - 4 * i) & 15];
    }
    line[25] = '\n';
    make_file("script", line);
    is(sc(fchmodat, CWD, text("script"), 0755), 0);
    is(end_of(start(SIGCHLD, run_program)), 0);
    is(end_of(start(SIGCHLD, run_script)), 0);
    is(end_of(start(CLONE_VM | CLONE_VFORK | SIGCHLD, run_program)), 0);
    gone("script");
}

static void pidfds(void)
{
    long pid = start(SIGCHLD, sleeper);
    long fd = ok(sc(pidfd_open, (uint64_t)pid, 0));
    long null = open_at("/dev/null", O_RDONLY);
    is(sc(pidfd_getfd, (uint64_t)fd, (uint64_t)null, 0), -EBADF);
    shut(null);
    is(sc(pidfd_send_signal, (uint64_t)fd, SIGKILL, 0, 0), 0);
    is(sc(waitid, 3, (uint64_t)fd, room(128), 4, 0), 0); /* P_PIDFD */
    shut(fd);
    uint64_t at = room(8);
    fiber_self()->state.reg[27] = AT(nothing);
    pid = ok(sc(clone, CLONE_PIDFD | SIGCHLD, 0, at));
    is(end_of(pid), 0);
    shut(get32(at));
    null = open_at("/dev/null", O_RDONLY);
    pid = start(SIGCHLD, sleeper);
    fd = ok(sc(pidfd_open, (uint64_t)pid, 0));
    shut(ok(sc(pidfd_getfd, (uint64_t)fd, (uint64_t)null, 0)));
    is(sc(kill, (uint64_t)pid, SIGKILL), 0);
    is(end_of(pid), SIGKILL);
    shut(fd);
    shut(null);
}

static void session(void)
{
    ok(sc(setsid, 0));
    long pid = start(SIGCHLD, sleeper);
    is(sc(setpgid, (uint64_t)pid, 0), 0);
    is(sc(getpgid, (uint64_t)pid), pid);
    is(sc(getsid, (uint64_t)pid), ok(sc(getpid, 0)));
    is(sc(kill, (uint64_t)-pid, SIGKILL), 0);
    is(end_of(pid), SIGKILL);
}

static void sessions(void)
{
    is(end_of(start(SIGCHLD, session)), 0);
}

static void another(void)
{
    uint64_t groups = room(320), caps = words(1, 0x20080522ul), sets = room(24);
    is(sc(setgroups, 80, groups), 0);
    is(sc(getgroups, 80, groups), 80);
    is(sc(capget, caps, sets), 0);
    is(sc(capset, caps, sets), 0);
    is(sc(setregid, 5, 6), 0);
    is(sc(setresgid, 6, 6, 7), 0);
    is(sc(setgid, 7), 0);
    is(sc(setfsgid, 7), 7);
    is(sc(setreuid, 0, 5), 0);
    is(sc(setresuid, 0, 0, 5), 0);
    is(sc(setfsuid, 5), 0);
    is(sc(setuid, 5), 0);
    is(end_of(start(SIGCHLD, nothing)), 0);
}

static void credentials(void)
{
    is(end_of(start(SIGCHLD, another)), 0);
}

static void unsharer(void)
{
    is(sc(unshare, CLONE_FS | CLONE_FILES), 0);
    is(sc(setns, 0, 0) < 0, true);
}

static void shared(void)
{
    fiber_self()->state.reg[27] = AT(unsharer);
    is(end_of(ok(sc(clone, CLONE_FS | CLONE_FILES | SIGCHLD))), 0);
}

static void traced(void)
{
    is(sc(ptrace, 0), 0); /* TRACEME */
    sc(tkill, (uint64_t)ok(sc(gettid, 0)), 19);
    word = room(8);
}

static void traces(void)
{
    word = room(16);
    put32(word, 9);
    long pid = start(SIGCHLD, traced);
    is(end_of(pid), 19 << 8 | 0x7f);
    uint64_t iov = words(2, room(512), 512ul), buf = room(128);
    is(sc(ptrace, 2, (uint64_t)pid, word, buf), 0); /* PEEKDATA */
    is(sc(ptrace, 5, (uint64_t)pid, word, 7), 0);
    is(sc(ptrace, 0x4204, (uint64_t)pid, 1, iov), 0);  /* GETREGSET */
    is(sc(ptrace, 0x4202, (uint64_t)pid, 0, buf), 0);  /* GETSIGINFO */
    is(sc(ptrace, 0x4200, (uint64_t)pid, 0, 0x1f), 0); /* SETOPTIONS */
    is(sc(ptrace, 7, (uint64_t)pid, 0, 0), 0);
    int how = end_of(pid);
    if (how != 0) { /* it exits: an event */
        is(sc(ptrace, 7, (uint64_t)pid, 0, 0), 0);
        is(end_of(pid), 0);
    }
    pid = start(SIGCHLD, sleeper);
    is(sc(ptrace, 0x4206, (uint64_t)pid, 0, 0), 0); /* SEIZE */
    is(sc(ptrace, 0x4207, (uint64_t)pid, 0, 0), 0);
    end_of(pid);
    is(sc(ptrace, 17, (uint64_t)pid, 0, 0), 0);
    is(sc(kill, (uint64_t)pid, SIGKILL), 0);
    is(end_of(pid), SIGKILL);
}

const struct scenario scenarios_processes[] = {
    {"forks", forks, false},       {"threads", threads, false},
    {"pi_locks", pi_locks, false}, {"programs", programs, false},
    {"pidfds", pidfds, false},     {"sessions", sessions, false},
    {"shared", shared, false},     {"credentials", credentials, false},
    {"traces", traces, false},     {NULL, NULL, false},
};
