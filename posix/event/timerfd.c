/* timerfd: how often a timer has expired is read, and waited for.
 *
 * After a timer with an interval has expired it is not armed again until somebody looks (read, gettime):
 * the expirations meanwhile are reckoned then.  So a short interval costs nothing while nobody reads.
 * Timers on a point of the realtime clock are told when that clock is set.
 */
#include "fd/fd_int.h"
#include "fs/text.h"
#include "include/sys.h"
#include "time/clock.h"

#include <linux/timerfd.h>
#include <nx_base.h>

struct timerfd {
    struct ktimer timer;
    struct waitq readers;
    int clock, base;        /* as it was made; which the times are of: REALTIME for dates only */
    int64_t end, interval;  /* ns; end 0: off */
    uint64_t ticks;         /* expirations nobody has read yet */
    unsigned settime_flags; /* of the last timerfd_settime */
    bool expired;           /* and, with an interval, not armed again yet */
    bool cancel, cancelled; /* it wants to be told when the clock is set; it was */
    struct waiter on_set;
};

struct itimerspec_ {
    struct ktimespec interval, value;
};

static bool settable(int clock)
{
    return clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_ALARM;
}

static int64_t now_of(const struct timerfd *t)
{
    int64_t now = 0;
    clock_now(t->base, &now);
    return now;
}

static void arm(struct timerfd *t)
{
    ktimer_set(&t->timer, clock_deadline(t->base, t->end));
}

static void fired(struct ktimer *k)
{
    struct timerfd *t = container_of(k, struct timerfd, timer);
    if (now_of(t) < t->end) { /* the clock was set back */
        arm(t);
        return;
    }
    t->ticks++;
    t->expired = true;
    wait_wake(&t->readers);
}

/* Reckon what has expired since the last expiry that was noticed, and arm again. */
static void catch_up(struct timerfd *t)
{
    if (!t->expired || t->interval == 0) {
        return;
    }
    int64_t missed = (now_of(t) - t->end) / t->interval;
    missed = missed > 0 ? missed : 0;
    t->ticks += (uint64_t)missed;
    if (__builtin_add_overflow(t->end, (missed + 1) * t->interval, &t->end)) {
        t->end = INT64_MAX;
    }
    t->expired = false;
    arm(t);
}

/* The realtime clock was set. */
static bool clock_jumped(struct waiter *w)
{
    struct timerfd *t = container_of(w, struct timerfd, on_set);
    if (t->cancel) {
        t->cancelled = true;
        wait_wake(&t->readers);
    }
    if (ktimer_is_set(&t->timer)) {
        arm(t);
    }
    return true;
}

/* ---- the file ---- */

static long timer_read(struct file *f, struct iobuf *b, int64_t *pos)
{
    struct timerfd *t = f->priv;
    if (b->len < sizeof(uint64_t)) {
        return -EINVAL;
    }
    while (t->ticks == 0 && !t->cancelled) {
        if ((f->flags & O_NONBLOCK) != 0) {
            return -EAGAIN;
        }
        int err = wait_on(&t->readers, MB_NEVER);
        if (err < 0) {
            return err == -EINTR ? -ERESTARTSYS : err;
        }
    }
    if (t->cancelled) {
        t->cancelled = false;
        t->ticks = 0;
        catch_up(t);
        t->ticks = 0;
        return -ECANCELED;
    }
    catch_up(t);
    uint64_t n = t->ticks;
    t->ticks = 0;
    return iobuf_put(b, &n, sizeof(n)) < 0 ? -EFAULT : (long)sizeof(n);
}

static unsigned timer_poll(struct file *f, struct poll_table *pt)
{
    struct timerfd *t = f->priv;
    if (pt != NULL) {
        poll_wait(pt, &t->readers);
    }
    return t->ticks > 0 || t->cancelled ? ABI_POLLIN : 0;
}

static long timer_ioctl(struct file *f, uint64_t cmd, uint64_t arg)
{
    struct timerfd *t = f->priv;
    uint64_t n;
    if (cmd != TFD_IOC_SET_TICKS) {
        return -ENOTTY;
    }
    if (mb_copy_in(&n, arg, sizeof(n)) < 0) {
        return -EFAULT;
    }
    if (n == 0) {
        return -EINVAL;
    }
    t->ticks = n;
    wait_wake(&t->readers);
    return 0;
}

static void timer_info(const struct file *f, struct text *text)
{
    const struct timerfd *t = f->priv;
    int64_t left = t->end == 0 ? 0 : t->end - now_of(t);
    left = left > 0 ? left : 0;
    text_printf(text,
                "clockid: %d\nticks: %lu\nsettime flags: 0%o\nit_value: (%ld, %ld)\n"
                "it_interval: (%ld, %ld)\n",
                t->clock, (unsigned long)t->ticks, t->settime_flags, (long)(left / NSEC_PER_SEC),
                (long)(left % NSEC_PER_SEC), (long)(t->interval / NSEC_PER_SEC),
                (long)(t->interval % NSEC_PER_SEC));
}

static void timer_release(struct file *f)
{
    struct timerfd *t = f->priv;
    ktimer_cancel(&t->timer);
    wait_remove(&t->on_set);
    mb_free(t);
}

static const struct file_ops timer_ops = {
    .name = "[timerfd]",
    .read = timer_read,
    .poll = timer_poll,
    .ioctl = timer_ioctl,
    .info = timer_info,
    .release = timer_release,
};

/* ---- the calls ---- */

static bool clock_known(int clock)
{
    return settable(clock) || clock == CLOCK_MONOTONIC || clock == CLOCK_BOOTTIME ||
           clock == CLOCK_BOOTTIME_ALARM;
}

long sys_timerfd_create(const uint64_t a[6])
{
    int clock = (int)a[0];
    unsigned flags = (unsigned)a[1];
    if ((flags & ~(unsigned)(O_CLOEXEC | O_NONBLOCK)) != 0 || !clock_known(clock)) {
        return -EINVAL;
    }
    if ((clock == CLOCK_REALTIME_ALARM || clock == CLOCK_BOOTTIME_ALARM) &&
        !capable(CAP_WAKE_ALARM)) {
        return -EPERM;
    }
    struct timerfd *t = mb_zalloc(sizeof(*t));
    if (t == NULL) {
        return -ENOMEM;
    }
    t->timer.fn = fired;
    t->clock = clock;
    t->base = CLOCK_MONOTONIC;
    struct file *f = file_make_anon(&timer_ops, 0600, O_RDWR | (flags & O_NONBLOCK), t);
    if (f == NULL) {
        mb_free(t);
        return -ENOMEM;
    }
    return fd_install(f, 0, (flags & O_CLOEXEC) != 0);
}

static int timer_get(int fd, struct file **out)
{
    struct file *f = fd_get(fd);
    if (f == NULL) {
        return -EBADF;
    }
    if (f->ops != &timer_ops) {
        file_unref(f);
        return -EINVAL;
    }
    *out = f;
    return 0;
}

static int put(uint64_t to, struct timerfd *t)
{
    int64_t left = 0;
    catch_up(t);
    if (t->end != 0 && !t->expired) {
        left = t->end - now_of(t);
        left = left > 0 ? left : 1;
    }
    if (time_put_timespec(to, t->interval) < 0) {
        return -EFAULT;
    }
    return time_put_timespec(to + sizeof(struct ktimespec), left);
}

static void set(struct timerfd *t, unsigned flags, int64_t value, int64_t interval)
{
    ktimer_cancel(&t->timer);
    wait_remove(&t->on_set);
    bool date = (flags & TFD_TIMER_ABSTIME) != 0 && settable(t->clock);
    t->base = date ? CLOCK_REALTIME : CLOCK_MONOTONIC;
    t->cancel = date && (flags & TFD_TIMER_CANCEL_ON_SET) != 0;
    t->cancelled = t->expired = false;
    t->ticks = 0;
    t->interval = interval;
    t->end = 0;
    if (date) {
        wait_add_fn(&clock_set, &t->on_set, clock_jumped);
    }
    if (value == 0) {
        return;
    }
    int64_t now = now_of(t);
    t->end = (flags & TFD_TIMER_ABSTIME) != 0 ? value
             : value > INT64_MAX - now        ? INT64_MAX
                                              : now + value;
    arm(t);
}

long sys_timerfd_settime(const uint64_t a[6])
{
    unsigned flags = (unsigned)a[1];
    int64_t interval, value;
    struct file *f;
    struct itimerspec_ check;
    if (mb_copy_in(&check, a[2], sizeof(check)) < 0) {
        return -EFAULT;
    }
    int err = time_get_timespec(a[2], &interval);
    err = err < 0 ? err : time_get_timespec(a[2] + sizeof(struct ktimespec), &value);
    if (err < 0) {
        return err;
    }
    if ((flags & ~(unsigned)(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET)) != 0) {
        return -EINVAL;
    }
    err = timer_get((int)a[0], &f);
    if (err < 0) {
        return err;
    }
    if (a[3] != 0) {
        err = put(a[3], f->priv);
    }
    if (err == 0) {
        set(f->priv, flags, value, interval);
        ((struct timerfd *)f->priv)->settime_flags = flags;
    }
    file_unref(f);
    return err;
}

long sys_timerfd_gettime(const uint64_t a[6])
{
    struct file *f;
    int err = timer_get((int)a[0], &f);
    if (err == 0) {
        err = put(a[1], f->priv);
        file_unref(f);
    }
    return err;
}
