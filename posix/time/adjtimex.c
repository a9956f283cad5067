/* adjtimex, clock_adjtime: the clock runs free, so what they tell is that it is not synchronised.
 *
 * What can be changed is the time (ADJ_SETOFFSET), and what is kept for others to read: status, errors.
 */
#include <asm/errno.h>
#include <limits.h>
#include "proc.h"
#include "ptime.h"
#include "sys.h"
#include "time/clock.h"

struct ktimex { /* struct __kernel_timex */
    uint32_t modes, pad0;
    int64_t offset, freq, maxerror, esterror;
    int32_t status, pad1;
    int64_t constant, precision, tolerance;
    struct ktimeval time;
    int64_t tick, ppsfreq, jitter;
    int32_t shift, pad2;
    int64_t stabil, jitcnt, calcnt, errcnt, stbcnt;
    int32_t tai, pad3[11];
};
_Static_assert(sizeof(struct ktimex) == 208, "struct timex layout");

enum {
    OFFSET = 1,
    FREQUENCY = 2,
    MAXERROR = 4,
    ESTERROR = 8,
    STATUS = 0x10,
    TIMECONST = 0x20,
    TAI = 0x80,
    SETOFFSET = 0x100,
    MICRO = 0x1000,
    NANO = 0x2000,
    TICK = 0x4000,
    SINGLESHOT = 0x8001,
    SS_READ = 0xa001,
};
#define UNSYNC 0x40 /* STA_* of the status */
#define UNIT_NANO 0x2000
#define READ_ONLY 0xff00
#define CLOCK_ERROR 5
#define TICK_USEC (1000000 / USER_HZ)
#define TOLERANCE (500ll << 16) /* scaled parts per million */
#define ERROR_MAX 16000000      /* microseconds: nobody knows */

static struct {
    int64_t maxerror, esterror;
    int32_t status;
} kept = {ERROR_MAX, ERROR_MAX, UNSYNC};

static int set_offset(const struct ktimex *t)
{
    int64_t unit = t->modes & NANO ? 1 : 1000, sub = t->time.usec;
    if (sub < 0 || sub >= NSEC_PER_SEC / unit)
        return -EINVAL;
    if (t->time.sec > INT32_MAX || t->time.sec < INT32_MIN)
        return -EINVAL; /* the result would be no time */
    int64_t now = time_realtime_ns() + t->time.sec * NSEC_PER_SEC + sub * unit;
    if (now < 0)
        return -EINVAL;
    time_set_realtime(now);
    return 0;
}

static int change(const struct ktimex *t)
{
    uint32_t modes = t->modes;
    if (modes == 0 || modes == SS_READ)
        return 0;
    if (!capable(CAP_SYS_TIME))
        return -EPERM;
    if (modes & 0x8000) /* the clock cannot be made to run slower or faster for a while */
        return modes == SINGLESHOT && t->offset == 0 ? 0 : -EINVAL;
    bool runs_free = !(modes & OFFSET) || t->offset == 0;
    runs_free &=
        (!(modes & FREQUENCY) || t->freq == 0) && (!(modes & TICK) || t->tick == TICK_USEC);
    if (!runs_free || (modes & TAI))
        return -EINVAL;
    int err = modes & SETOFFSET ? set_offset(t) : 0;
    if (err)
        return err;
    if (modes & MAXERROR)
        kept.maxerror = t->maxerror;
    if (modes & ESTERROR)
        kept.esterror = t->esterror;
    if (modes & STATUS)
        kept.status = (kept.status & READ_ONLY) | (t->status & ~READ_ONLY);
    if (modes & NANO)
        kept.status |= UNIT_NANO;
    if (modes & MICRO)
        kept.status &= ~UNIT_NANO;
    return 0;
}

static long adjust(struct ktimex t, uint64_t ut)
{
    int err = change(&t);
    if (err)
        return err;
    int64_t now = time_realtime_ns(), unit = kept.status & UNIT_NANO ? 1 : 1000;
    t = (struct ktimex){
        .modes = t.modes,
        .maxerror = kept.maxerror,
        .esterror = kept.esterror,
        .status = kept.status,
        .constant = 2,
        .precision = 1,
        .tolerance = TOLERANCE,
        .time = {now / NSEC_PER_SEC, now % NSEC_PER_SEC / unit},
        .tick = TICK_USEC,
    };
    if (mb_copy_out(ut, &t, sizeof t))
        return -EFAULT;
    return kept.status & UNSYNC ? CLOCK_ERROR : 0;
}

long sys_adjtimex(const uint64_t a[6])
{
    struct ktimex t;
    return mb_copy_in(&t, a[0], sizeof t) ? -EFAULT : adjust(t, a[0]);
}

long sys_clock_adjtime(const uint64_t a[6])
{
    struct ktimex t;
    int id = (int)a[0];
    if (mb_copy_in(&t, a[1], sizeof t))
        return -EFAULT;
    if (!clock_exists(id))
        return -EINVAL;
    return id == CLOCK_REALTIME ? adjust(t, a[1]) : -EOPNOTSUPP;
}
