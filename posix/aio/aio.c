/* io_setup and its kin: Linux's asynchronous I/O.
 *
 *   io_submit --aio_run (run.c)--> the file does it --> an event in the context's list --> io_getevents (get.c)
 *
 * What is submitted is done at once, as Linux does it with all files that have a cache: who submits waits for a
 * pipe or a disk, and the results are there when io_submit comes back.  A context is of an address space.  Its
 * number is the address of a page there, in which Linux has a ring that libraries may read; ours has zeros,
 * which tells them to call instead.  Not here: IOCB_CMD_POLL, and anything io_cancel could find.
 */
#include "aio/aio.h"
#include "include/mm.h"

#include <linux/mman.h>

void aio_event_free(struct aio_event *e)
{
    if (e->eventfd != NULL) {
        file_unref(e->eventfd);
    }
    mb_free(e);
}

void aio_unref(struct aio *c)
{
    if (--c->refs > 0) {
        return;
    }
    for (struct aio_event *e = c->first, *next; e != NULL; e = next) {
        next = e->next;
        aio_event_free(e);
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
    aio_unref(c);
}

static void end_all(struct aio **first)
{
    while (*first != NULL) {
        end(first);
    }
}

struct aio **aio_find(uint64_t id)
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
    id = c->id; /* copying may sleep, and another thread take it away */
    if (mb_copy_out(a[1], &id, sizeof(id)) == 0) {
        return 0;
    }
    at = aio_find(id);
    if (*at != NULL) {
        destroy(at);
    }
    return -EFAULT;
}

long sys_io_destroy(const uint64_t a[6])
{
    struct aio **at = aio_find(a[0]), *c = *at;
    if (c == NULL) {
        return -EINVAL;
    }
    c->refs++;
    destroy(at);
    while (c->running > 0 && wait_on_killable(&c->wait, MB_NEVER) == 0) {
    }
    aio_unref(c);
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
        aio_event_free(e);
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
    struct aio *c = *aio_find(a[0]);
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
    aio_unref(c);
    return i > 0 ? i : err;
}

/* What is submitted cannot be stopped: by the time somebody asks it is done. */
long sys_io_cancel(const uint64_t a[6])
{
    uint32_t key;
    return mb_copy_in(&key, a[1] + offsetof(struct iocb, aio_key), sizeof(key)) < 0 ? -EFAULT
                                                                                    : -EINVAL;
}
