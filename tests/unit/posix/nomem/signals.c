/* Signals and time: queues, handlers, waits, timers of all kinds. */
#include "scenario.h"

static int caught;

static void handler(int sig, uint64_t info, uint64_t context)
{
    caught++;
}

static void action(int sig, uint64_t flags)
{
    is(sc(rt_sigaction, (uint64_t)sig, words(3, AT(handler), flags, 0ul), room(24), 8), 0);
}

static void handled(void)
{
    uint64_t me = (uint64_t)ok(sc(getpid, 0)), stack = words(3, room(8192), 0ul, 8192ul);
    caught = 0;
    is(sc(sigaltstack, stack, 0), 0);
    action(10, 0x08000000); /* SA_ONSTACK */
    is(sc(kill, me, 10), 0);
    is(sc(tgkill, me, me, 10), 0);
    is(sc(tkill, me, 10), 0);
    uint64_t info = words(16, 34ul, 0xfffffffful, me << 32, 9ul, 0ul, 0ul, 0ul, 0ul, 0ul, 0ul, 0ul,
                          0ul, 0ul, 0ul, 0ul, 0ul);
    action(34, 0);
    is(sc(rt_sigqueueinfo, me, 34, info), 0);
    is(sc(rt_tgsigqueueinfo, me, me, 34, info), 0);
    is(caught, 5);
}

static void waited(void)
{
    uint64_t me = (uint64_t)ok(sc(getpid, 0)), set = words(1, 3ul << 33), old = room(8);
    uint64_t info = words(16, 34ul, 0xfffffffful, me << 32, 9ul, 0ul, 0ul, 0ul, 0ul, 0ul, 0ul, 0ul,
                          0ul, 0ul, 0ul, 0ul, 0ul);
    is(sc(rt_sigprocmask, 0, set, old, 8), 0);
    for (int i = 0; i < 5; i++) {
        is(sc(rt_sigqueueinfo, me, 34, info), 0);
    }
    is(sc(rt_sigpending, old, 8), 0);
    for (int i = 0; i < 5; i++) {
        is(sc(rt_sigtimedwait, set, info, 0, 8), 34);
    }
    is(sc(rt_sigtimedwait, set, info, words(2, 0ul, 1000ul), 8), -EAGAIN);
    action(10, 0);
    is(sc(rt_sigprocmask, 0, words(1, 1ul << 9), 0, 8), 0);
    is(sc(kill, me, 10), 0);
    is(sc(rt_sigsuspend, words(1, 0ul), 8), -EINTR);
}

static void posix_timers(void)
{
    uint64_t id = room(8), event = words(8, 7ul, 34ul, 0ul, 0ul, 0ul, 0ul, 0ul, 0ul);
    uint64_t set = words(1, 1ul << 33), when = words(4, 0ul, 1000000ul, 0ul, 1000000ul),
             old = room(32);
    is(sc(rt_sigprocmask, 0, set, 0, 8), 0);
    is(sc(timer_create, 1, event, id), 0);
    uint64_t t = (uint64_t)get32(id);
    is(sc(timer_settime, t, 0, when, old), 0);
    is(sc(timer_gettime, t, old), 0);
    is(sc(rt_sigtimedwait, set, 0, 0, 8), 34);
    is(sc(timer_getoverrun, t), 0);
    is(sc(timer_delete, t), 0);
    for (int i = 0; i < 10; i++) {
        is(sc(timer_create, 0, event, id), 0);
    } /* the end of the process deletes them */
}

static void interval_timers(void)
{
    uint64_t when = words(4, 0ul, 1000ul, 0ul, 1000ul), off = words(4, 0ul, 0ul, 0ul, 0ul);
    caught = 0;
    action(14, 0x10000000); /* SA_RESTART */
    is(sc(setitimer, 0, when, room(32)), 0);
    is(sc(nanosleep, words(2, 0ul, 5000000ul), room(16)), -EINTR);
    is(sc(getitimer, 0, room(32)), 0);
    is(sc(setitimer, 0, off, 0), 0);
    is(sc(setitimer, 1, when, 0), 0);
    is(sc(setitimer, 1, off, 0), 0);
    is(caught > 0, true);
    is(sc(clock_nanosleep, 1, 0, words(2, 0ul, 1000ul), 0), 0);
}

static void clocks(void)
{
    uint64_t at = room(256), now = words(2, 1800000000ul, 0ul);
    is(sc(clock_gettime, 0, at), 0);
    is(sc(clock_getres, 1, at), 0);
    is(sc(gettimeofday, at, 0), 0);
    is(sc(clock_settime, 0, now), 0);
    is(sc(settimeofday, now, 0), 0);
    uint64_t tx = room(256);
    char zero[208] = "";
    put(tx, zero, sizeof(zero));
    is(sc(adjtimex, tx) >= 0, true);
    is(sc(clock_adjtime, 0, tx) >= 0, true);
    ok(sc(times, at));
    is(sc(getrusage, 0, at), 0);
}

static void stopper(void)
{
    sc(kill, (uint64_t)ok(sc(getpid, 0)), 19);
}

static void stopped(void)
{
    long pid = start(SIGCHLD, stopper);
    uint64_t status = room(8);
    is(sc(wait4, (uint64_t)pid, status, 2, 0), pid); /* WUNTRACED */
    is(get32(status), 19 << 8 | 0x7f);
    is(sc(kill, (uint64_t)pid, 18), 0);
    is(sc(wait4, (uint64_t)pid, status, 8, room(144)), pid); /* WCONTINUED, or its end */
    if (get32(status) == 0xffff) {
        is(end_of(pid), 0);
    }
}

const struct scenario scenarios_signals[] = {
    {"handled", handled, false},
    {"waited", waited, false},
    {"posix_timers", posix_timers, false},
    {"interval_timers", interval_timers, false},
    {"clocks", clocks, false},
    {"stopped", stopped, false},
    {NULL, NULL, false},
};
