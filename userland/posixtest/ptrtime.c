/*
 * The pointer matrix of clocks and timers.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/times.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#include "matrix.h"

static void delete_timer(long result)
{
    (void)result;
    for (int id = 0; id < 1000; id++) {
        syscall(SYS_timer_delete, id + 1);
    }
}

static void clocks(void (*run)(const struct row *))
{
    static struct timespec t, rest;
    static struct timeval tv;
    static struct itimerval it, old;
    static struct tms tms;
    static struct timex tx;
    static struct timezone tz;
    const struct row rows[] = {
        {"clock_gettime", SYS_clock_gettime, {V(CLOCK_MONOTONIC), W(&t)}},
        {"clock_gettime cpu", SYS_clock_gettime, {V(CLOCK_PROCESS_CPUTIME_ID), W(&t)}},
        {"clock_getres", SYS_clock_getres, {V(CLOCK_MONOTONIC), WF(&t, NULL_OK)}},
        {"clock_nanosleep", SYS_clock_nanosleep, {V(CLOCK_MONOTONIC), V(0), R(&rest), V(0)}},
        {"nanosleep", SYS_nanosleep, {R(&rest), V(0)}},
        {"gettimeofday", SYS_gettimeofday, {WF(&tv, NULL_OK), WF(&tz, NULL_OK)}},
        {"getitimer", SYS_getitimer, {V(ITIMER_REAL), W(&it)}},
        {"setitimer", SYS_setitimer, {V(ITIMER_REAL), RF(&it, NULL_OK), WF(&old, NULL_OK)}},
        {"times", SYS_times, {WF(&tms, NULL_OK)}},
        {"adjtimex", SYS_adjtimex, {W(&tx)}},
        {"clock_adjtime", SYS_clock_adjtime, {V(CLOCK_REALTIME), W(&tx)}},
        {0},
    };
    run(rows);
}

static void timers(void (*run)(const struct row *))
{
    static struct {
        uint64_t value;
        int signo, notify, tid, pad[11];
    } event = {0, 0, SIGEV_NONE, 0, {0}};
    static int id, made;
    static struct itimerspec its, old;

    OK(syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, &made));
    EQ(made, 0);
    const struct row rows[] = {
        {"timer_create",
         SYS_timer_create,
         {V(CLOCK_MONOTONIC), RF(&event, NULL_OK), W(&id)},
         .after = delete_timer},
        {"timer_gettime", SYS_timer_gettime, {V(made), W(&its)}},
        {"timer_settime",
         SYS_timer_settime,
         {V(made), V(0), RF(&its, NULL_EINVAL), WF(&old, NULL_OK)}},
        {0},
    };
    run(rows);
}

static void setting(void (*run)(const struct row *))
{
    static struct timespec t;
    static struct timeval tv;
    static struct timezone tz;

    if (geteuid() != 0) {
        SKIP("not root");
    }
    OK(clock_gettime(CLOCK_REALTIME, &t));
    tv.tv_sec = t.tv_sec;
    const struct row rows[] = {
        {"clock_settime", SYS_clock_settime, {V(CLOCK_REALTIME), R(&t)}},
        {"settimeofday", SYS_settimeofday, {RF(&tv, NULL_OK), RF(&tz, NULL_OK)}},
        {0},
    };
    run(rows);
}

BOTH(clocks)
BOTH(timers)
BOTH(setting)

const struct test ptrtime_tests[] = {
    {"clocks", try_clocks},
    {"race_clocks", race_clocks},
    {"timers", try_timers},
    {"race_timers", race_timers},
    {"setting", try_setting},
    {"race_setting", race_setting},
    {0},
};
