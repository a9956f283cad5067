/* Time (posix/time): clocks, and timers that call a function.
 *
 * Everything is built on the time counter (mb_ticks).  The monotonic clock starts at boot; the realtime
 * clock is the monotonic one plus an offset that clock_settime changes.  There is no RTC driver yet:
 * the offset starts from `epoch=SECONDS` of the boot arguments, else from a constant.
 * Wants the personality lock where something is armed; reading clocks does not.
 */
#ifndef POSIX_PTIME_H
#define POSIX_PTIME_H

#include <stdbool.h>
#include <stdint.h>

#define NSEC_PER_SEC 1000000000ll
#define USER_HZ 100
#define NSEC_PER_USER_TICK (NSEC_PER_SEC / USER_HZ)

struct ktimespec { /* as programs have it */
    int64_t sec, nsec;
};
struct ktimeval {
    int64_t sec, usec;
};

int64_t time_realtime_ns(void);
int64_t time_monotonic_ns(void);
void time_init(void); /* before the first fiber that asks */
/* The counter value ns from now, and at a point of the monotonic clock; never MB_NEVER. */
uint64_t time_ticks_after(uint64_t ns);
uint64_t time_ticks_at(int64_t monotonic_ns);
/* Read and check a program's timespec: nanoseconds, saturating. 0, -EFAULT, -EINVAL. */
int time_get_timespec(uint64_t uaddr, int64_t *ns);
int time_put_timespec(uint64_t uaddr, int64_t ns);
int time_get_timeval(uint64_t uaddr, int64_t *ns);
int time_put_timeval(uint64_t uaddr, int64_t ns);

/* A timer: fn runs once on the timer fiber, with the lock, at or after the deadline. */
struct ktimer {
    struct ktimer *child, *next, **link; /* link NULL: not set */
    uint64_t deadline;                   /* ticks */
    uint64_t number;                     /* in the order they were set */
    void (*fn)(struct ktimer *t);
};
void ktimer_set(struct ktimer *t, uint64_t deadline); /* also moves one that is set */
void ktimer_cancel(struct ktimer *t);
static inline bool ktimer_is_set(const struct ktimer *t)
{
    return t->link != 0;
}
int ktimer_init(void); /* starts the timer fiber; 0 or -ENOMEM */

#endif
