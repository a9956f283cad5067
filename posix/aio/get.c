/* io_getevents, io_pgetevents: what came of requests, taken out of the context's list, and waited for. */
#include "aio/aio.h"
#include "include/sig.h"

static struct aio_event *pull(struct aio *c)
{
    struct aio_event *e = c->first;
    if (e != NULL) {
        c->first = e->next;
        if (c->first == NULL) {
            c->last = &c->first;
        }
    }
    return e;
}

static void push_back(struct aio *c, struct aio_event *e)
{
    e->next = c->first;
    if (c->first == NULL) {
        c->last = &e->next;
    }
    c->first = e;
    wait_wake(&c->wait); /* who has looked meanwhile did not see it */
}

/* Up to n events go to the program: how many, or -EFAULT when it is none. */
static long take(struct aio *c, int64_t n, uint64_t uevents)
{
    int64_t i = 0;
    struct aio_event *e;
    for (; i < n && (e = pull(c)) != NULL; i++) {
        /* Touching the program's memory may sleep. */
        uint64_t to = uevents + (uint64_t)i * sizeof(e->event);
        if (mb_copy_out(to, &e->event, sizeof(e->event)) < 0) {
            push_back(c, e);
            return i > 0 ? i : -EFAULT;
        }
        c->room++;
        aio_event_free(e);
    }
    return i;
}

static long get(struct aio *c, int64_t least, int64_t most, uint64_t uevents, uint64_t deadline)
{
    int64_t got = 0;
    for (;;) {
        long n = take(c, most - got, uevents + (uint64_t)got * sizeof(struct io_event));
        got += n > 0 ? n : 0;
        if (c->dead || n < 0) {
            return got > 0 ? got : c->dead ? -EINVAL : n;
        }
        if (got >= least || deadline <= mb_ticks()) {
            return got;
        }
        int err = wait_on(&c->wait, deadline);
        if (err < 0 && err != -ETIMEDOUT) {
            return got;
        }
    }
}

/* The parts are not looked at; a negative time never comes, as on Linux. */
static int get_deadline(uint64_t utime, uint64_t *deadline)
{
    struct ktimespec ts;
    int64_t ns;
    *deadline = MB_NEVER;
    if (utime == 0) {
        return 0;
    }
    if (mb_copy_in(&ts, utime, sizeof(ts)) < 0) {
        return -EFAULT;
    }
    if (__builtin_mul_overflow(ts.sec, NSEC_PER_SEC, &ns) ||
        __builtin_add_overflow(ns, ts.nsec, &ns)) {
        return 0;
    }
    if (ns >= 0) {
        *deadline = ns == 0 ? 0 : time_ticks_after((uint64_t)ns);
    }
    return 0;
}

static long get_events(const uint64_t a[6], uint64_t deadline)
{
    int64_t least = (int64_t)a[1], most = (int64_t)a[2];
    struct aio *c = *aio_find(a[0]);
    if (c == NULL || least < 0 || least > most) {
        return -EINVAL;
    }
    c->refs++;
    long n = get(c, least, most, a[3], deadline);
    aio_unref(c);
    return n;
}

long sys_io_getevents(const uint64_t a[6])
{
    uint64_t deadline;
    int err = get_deadline(a[4], &deadline);
    if (err < 0) {
        return err;
    }
    long n = get_events(a, deadline);
    return n == 0 && signal_interrupts() ? -EINTR : n;
}

long sys_io_pgetevents(const uint64_t a[6])
{
    struct {
        uint64_t mask, size;
    } sig = {0, 0};
    uint64_t deadline;
    int err = get_deadline(a[4], &deadline);
    if (err < 0) {
        return err;
    }
    if (a[5] != 0 && mb_copy_in(&sig, a[5], sizeof(sig)) < 0) {
        return -EFAULT;
    }
    err = sig_mask_push(sig.mask, sig.size);
    if (err < 0) {
        return err;
    }
    long n = get_events(a, deadline);
    bool interrupted = signal_interrupts();
    sig_mask_pop(interrupted);
    return interrupted && n == 0 ? -ERESTARTNOHAND : n;
}
