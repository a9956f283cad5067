/* io_setup and its kin: Linux's asynchronous I/O.
 *
 *   io_submit --aio_run (aio_io.c)--> the file does it --> an event in the context's list --> io_getevents
 *
 * What is submitted is done at once, as Linux does it with all files that have a cache: who submits waits for a
 * pipe or a disk, and the results are there when io_submit comes back.  A context is of an address space.  Its
 * number is the address of a page there, in which Linux has a ring that libraries may read; ours has zeros,
 * which tells them to call instead.  Not here: IOCB_CMD_POLL, and anything io_cancel could find.
 */
#include "fd/aio.h"
#include "include/mm.h"
#include "include/sig.h"

#include <linux/mman.h>

struct aio {
    struct aio *next; /* of the same address space */
    uint64_t id;
    unsigned refs;    /* the list's, and of calls that may sleep */
    unsigned max;     /* what it was made for: counted in aio_nr */
    unsigned events;  /* so many can be on the way or in the list, and */
    unsigned room;    /* so many more */
    unsigned running; /* being done */
    bool dead;
    struct aio_event *first, **last;
    struct waitq wait; /* for events, and for the end of what runs */
};

unsigned aio_nr, aio_max_nr = 65536;

static void event_free(struct aio_event *e)
{
    if (e->eventfd != NULL) {
        file_unref(e->eventfd);
    }
    mb_free(e);
}

static void unref(struct aio *c)
{
    if (--c->refs > 0) {
        return;
    }
    for (struct aio_event *e = c->first, *next; e != NULL; e = next) {
        next = e->next;
        event_free(e);
    }
    mb_free(c);
}

/* Nobody finds it any more; calls that are in it come out. */
static void end(struct aio **at)
{
    struct aio *c = *at;
    *at = c->next;
    c->dead = true;
    aio_nr -= c->max;
    wait_wake(&c->wait);
    unref(c);
}

static void end_all(struct aio **first)
{
    while (*first != NULL) {
        end(first);
    }
}

static struct aio **find(uint64_t id)
{
    struct aio **at = mm_aio(current->mm);
    while (*at != NULL && (*at)->id != id) {
        at = &(*at)->next;
    }
    return at;
}

/* ---- io_setup, io_destroy ---- */

/* How many events Linux' ring has for so many requests: it is made of whole pages, and each hart may keep some. */
static unsigned ring_events(uint32_t nr)
{
    const unsigned head = 32, each = sizeof(struct io_event);
    uint64_t pages = (head + each * (nr + 2ull) + MB_PAGE - 1) / MB_PAGE;
    return (unsigned)((pages * MB_PAGE - head) / each);
}

static int make(uint32_t nr, struct aio **out)
{
    uint32_t least = mb_harts() * 4, n = 2 * (nr > least ? nr : least);
    if (n > 0x10000000u / sizeof(struct io_event)) {
        return -EINVAL;
    }
    if (n == 0 || nr > aio_max_nr || aio_nr + nr > aio_max_nr) {
        return -EAGAIN;
    }
    struct aio *c = mb_zalloc(sizeof(*c));
    if (c == NULL) {
        return -ENOMEM;
    }
    long page = sys_mmap((uint64_t[6]){0, MB_PAGE, PROT_READ | PROT_WRITE,
                                       MAP_PRIVATE | MAP_ANONYMOUS, (uint64_t)-1, 0});
    if (page < 0) {
        mb_free(c);
        return (int)page;
    }
    c->id = (uint64_t)page;
    c->refs = 1;
    c->max = nr;
    c->events = ring_events(n);
    c->room = c->events - 1;
    c->last = &c->first;
    *out = c;
    return 0;
}

static void destroy(struct aio **at)
{
    uint64_t page = (*at)->id;
    end(at);
    sys_munmap((uint64_t[6]){page, MB_PAGE});
}

long sys_io_setup(const uint64_t a[6])
{
    uint64_t id;
    struct aio *c = NULL;
    if (mb_copy_in(&id, a[1], sizeof(id)) < 0) {
        return -EFAULT;
    }
    if (id != 0 || (uint32_t)a[0] == 0) {
        return -EINVAL;
    }
    int err = make((uint32_t)a[0], &c);
    if (err < 0) {
        return err;
    }
    struct aio **at = mm_aio(current->mm);
    mm_aio_end = end_all;
    c->next = *at;
    *at = c;
    aio_nr += c->max;
    if (mb_copy_out(a[1], &c->id, sizeof(c->id)) < 0) {
        destroy(find(c->id));
        return -EFAULT;
    }
    return 0;
}

long sys_io_destroy(const uint64_t a[6])
{
    struct aio **at = find(a[0]), *c = *at;
    if (c == NULL) {
        return -EINVAL;
    }
    c->refs++;
    destroy(at);
    while (c->running > 0 && wait_on_killable(&c->wait, MB_NEVER) == 0) {
    }
    unref(c);
    return 0;
}

/* ---- io_submit ---- */

static void done(struct aio *c, struct aio_event *e)
{
    if (e->eventfd != NULL) {
        eventfd_signal(e->eventfd);
        file_unref(e->eventfd);
        e->eventfd = NULL;
    }
    e->next = NULL;
    *c->last = e;
    c->last = &e->next;
    wait_wake(&c->wait);
}

static int submit(struct aio *c, uint64_t uiocb)
{
    struct iocb io;
    if (mb_copy_in(&io, uiocb, sizeof(io)) < 0) {
        return -EFAULT;
    }
    if (io.aio_reserved2 != 0 || (int64_t)io.aio_nbytes < 0) {
        return -EINVAL;
    }
    struct aio_event *e = c->room > 0 ? mb_zalloc(sizeof(*e)) : NULL;
    if (e == NULL) {
        return -EAGAIN;
    }
    e->event.obj = uiocb;
    e->event.data = io.aio_data;
    c->room--;
    c->running++;
    int err = aio_run(&io, uiocb, e);
    c->running--;
    if (err < 0) {
        event_free(e);
        c->room++;
    } else {
        done(c, e);
    }
    if (c->dead) {
        wait_wake(&c->wait); /* io_destroy */
    }
    return err;
}

long sys_io_submit(const uint64_t a[6])
{
    int64_t n = (int64_t)a[1], i = 0;
    struct aio *c = *find(a[0]);
    if (n < 0 || c == NULL) {
        return -EINVAL;
    }
    int err = 0;
    n = n > c->events ? c->events : n;
    c->refs++;
    for (; i < n; i++) {
        uint64_t uiocb;
        err = mb_copy_in(&uiocb, a[2] + (uint64_t)i * sizeof(uiocb), sizeof(uiocb)) < 0
                  ? -EFAULT
                  : submit(c, uiocb);
        if (err < 0) {
            break;
        }
    }
    unref(c);
    return i > 0 ? i : err;
}

/* What is submitted cannot be stopped: by the time somebody asks it is done. */
long sys_io_cancel(const uint64_t a[6])
{
    uint32_t key;
    return mb_copy_in(&key, a[1] + offsetof(struct iocb, aio_key), sizeof(key)) < 0 ? -EFAULT
                                                                                    : -EINVAL;
}

/* ---- io_getevents ---- */

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
        event_free(e);
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
    struct aio *c = *find(a[0]);
    if (c == NULL || least < 0 || least > most) {
        return -EINVAL;
    }
    c->refs++;
    long n = get(c, least, most, a[3], deadline);
    unref(c);
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
