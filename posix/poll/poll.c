/* ppoll and pselect6: ask files what is ready; if nothing is, sleep on all their queues at once.
 *
 * The first look registers with every file's queues, unless something is ready already; later looks
 * only ask.  A registration holds its file, so that the queue stays when another thread closes it.
 */
#include "fd/fd_int.h"
#include "include/sig.h"
#include "poll/poll_int.h"

#include <linux/personality.h>
#include <nx_base.h>
#include <string.h>

struct entry {
    struct waiter w;
    struct file *file;
};
#define FEW 10
struct chunk {
    struct chunk *next;
    unsigned used, size;
    struct entry e[];
};
#define CHUNK_SIZE 64u

struct sleep_table {
    struct poll_table pt;
    struct file *file; /* being asked */
    struct chunk *more;
    unsigned used;
    bool no_memory;
    struct entry few[FEW];
};

static struct entry *entry_new(struct sleep_table *pt)
{
    if (pt->used < FEW) {
        return &pt->few[pt->used++];
    }
    struct chunk *c = pt->more;
    if (c == NULL || c->used == c->size) {
        c = mb_alloc(sizeof(*c) + CHUNK_SIZE * sizeof(c->e[0]));
        if (c == NULL) {
            return NULL;
        }
        c->used = 0;
        c->size = CHUNK_SIZE;
        c->next = pt->more;
        pt->more = c;
    }
    return &c->e[c->used++];
}

void poll_wait(struct poll_table *pt, struct waitq *q)
{
    pt->add(pt, q);
}

void poll_wait_room(struct poll_table *pt, struct waitq *q)
{
    pt->out = true;
    pt->add(pt, q);
    pt->out = false;
}

static void table_add(struct poll_table *pt, struct waitq *q)
{
    struct sleep_table *t = container_of(pt, struct sleep_table, pt);
    struct entry *e = entry_new(t);
    if (e == NULL) {
        t->no_memory = true;
        return;
    }
    e->file = file_ref(t->file);
    e->w.exclusive = false;
    wait_add(q, &e->w);
}

static void table_begin(struct sleep_table *pt)
{
    pt->pt.add = table_add;
    pt->more = NULL;
    pt->used = 0;
    pt->no_memory = false;
}

static void entries_end(struct entry *e, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        wait_remove(&e[i].w);
        file_unref(e[i].file);
    }
}

static void table_end(struct sleep_table *pt)
{
    entries_end(pt->few, pt->used);
    while (pt->more != NULL) {
        struct chunk *c = pt->more;
        entries_end(c->e, c->used);
        pt->more = c->next;
        mb_free(c);
    }
}

/* From here on a wake-up counts again. */
static void table_rearm(struct sleep_table *pt)
{
    for (unsigned i = 0; i < pt->used; i++) {
        pt->few[i].w.fired = false;
    }
    for (struct chunk *c = pt->more; c != NULL; c = c->next) {
        for (unsigned i = 0; i < c->used; i++) {
            c->e[i].w.fired = false;
        }
    }
}

/* What is ready at fd of what it was asked for; NVAL for none.  pt NULL: do not register. */
static unsigned ask(int fd, struct sleep_table *pt)
{
    struct file *f = fd_peek(fd);
    if (f == NULL || (f->flags & O_PATH) != 0) {
        return ABI_POLLNVAL;
    }
    if (f->ops->poll == NULL) {
        return POLL_ALWAYS;
    }
    if (pt != NULL) {
        pt->file = f;
    }
    return f->ops->poll(f, pt != NULL ? &pt->pt : NULL);
}

/* ---- the common part: look, sleep, look again ---- */

struct timeout {
    bool given, zero;
    int64_t end; /* monotonic */
    uint64_t deadline;
};

/* Looks at everything: how many are ready, or an error; *pt becomes NULL when one is. */
typedef long scan_fn(void *what, struct sleep_table **pt);

static long poll_loop(scan_fn *scan, void *what, const struct timeout *t)
{
    struct sleep_table table;
    bool late = t->zero, interrupted = false;
    long n;
    table_begin(&table);
    struct sleep_table *pt = t->zero ? NULL : &table;
    for (;;) {
        n = scan(what, &pt);
        pt = NULL; /* once is enough */
        if (n == 0 && table.no_memory) {
            n = -ENOMEM;
        }
        if (n == 0 && interrupted) {
            n = -ERESTARTNOHAND; /* what is ready is told first: programs look at old answers after EINTR */
        }
        if (n != 0 || late) {
            break;
        }
        int err = wait_park(t->deadline);
        interrupted = err == -EINTR;
        late = err == -ETIMEDOUT;
        table_rearm(&table);
    }
    table_end(&table);
    return n;
}

static int timeout_get(uint64_t uts, struct timeout *t)
{
    int64_t ns;
    *t = (struct timeout){.deadline = MB_NEVER};
    if (uts == 0) {
        return 0;
    }
    int err = time_get_timespec(uts, &ns);
    if (err < 0) {
        return err;
    }
    t->given = true;
    t->zero = ns == 0;
    int64_t now = time_monotonic_ns();
    t->end = ns > INT64_MAX - now ? INT64_MAX : now + ns;
    t->deadline = time_ticks_at(t->end);
    return 0;
}

/* The call ends: give the mask back, tell how much time is left. */
static long finish(long n, const struct timeout *t, uint64_t uts)
{
    sig_mask_pop(n == -ERESTARTNOHAND);
    if ((current->proc->personality & STICKY_TIMEOUTS) != 0) {
        return n == -ERESTARTNOHAND ? -EINTR : n;
    }
    if (t->given && !t->zero) {
        int64_t left = t->end - time_monotonic_ns();
        if (time_put_timespec(uts, left > 0 ? left : 0) < 0 && n == -ERESTARTNOHAND) {
            return -EINTR; /* it could not go on with what is left */
        }
    }
    return n;
}

/* ---- ppoll ---- */

#define FEW_FDS 32

struct pollfds {
    struct abi_pollfd *fd;
    unsigned n;
};

static long scan_pollfds(void *what, struct sleep_table **pt)
{
    const struct pollfds *p = what;
    long ready = 0;
    for (unsigned i = 0; i < p->n; i++) {
        struct abi_pollfd *e = &p->fd[i];
        if (e->fd < 0) {
            e->revents = 0;
            continue;
        }
        unsigned want = (uint16_t)e->events | ABI_POLLERR | ABI_POLLHUP | ABI_POLLNVAL;
        unsigned got = ask(e->fd, *pt) & want;
        e->revents = (int16_t)got;
        if (got != 0) {
            ready++;
            *pt = NULL;
        }
    }
    return ready;
}

long sys_ppoll(const uint64_t a[6])
{
    struct abi_pollfd few[FEW_FDS];
    struct pollfds p = {.fd = few, .n = (unsigned)a[1]};
    struct timeout t;
    if (p.n > current->proc->rlimit[ABI_RLIMIT_NOFILE][0]) {
        return -EINVAL;
    }
    int err = timeout_get(a[2], &t);
    if (err < 0) {
        return err;
    }
    size_t bytes = p.n * sizeof(few[0]);
    if (p.n > FEW_FDS) {
        p.fd = mb_alloc(bytes);
        if (p.fd == NULL) {
            return -ENOMEM;
        }
    }
    long n = mb_copy_in(p.fd, a[0], bytes);
    if (n == 0) {
        n = sig_mask_push(a[3], a[4]);
        if (n == 0) {
            n = poll_loop(scan_pollfds, &p, &t);
            if (n >= 0 && mb_copy_out(a[0], p.fd, bytes) < 0) {
                n = -EFAULT;
            }
            n = finish(n, &t, a[2]);
        }
    }
    if (p.fd != few) {
        mb_free(p.fd);
    }
    return n;
}

/* ---- pselect6 ---- */

#define FEW_WORDS 16 /* of 64 descriptors */
enum { IN, OUT, EX, SETS };

struct selectfds {
    uint64_t *want[SETS], *got[SETS];
    unsigned words;
};

static long scan_sets(void *what, struct sleep_table **pt)
{
    static const unsigned ready_mask[SETS] = {
        ABI_POLLIN | ABI_POLLRDNORM | ABI_POLLRDBAND | ABI_POLLHUP | ABI_POLLERR,
        ABI_POLLOUT | ABI_POLLWRNORM | ABI_POLLWRBAND | ABI_POLLERR,
        ABI_POLLPRI,
    };
    const struct selectfds *s = what;
    long ready = 0;
    for (unsigned i = 0; i < s->words; i++) {
        uint64_t bits = s->want[IN][i] | s->want[OUT][i] | s->want[EX][i];
        for (; bits != 0; bits &= bits - 1) {
            unsigned b = nx_ctz64(bits);
            unsigned events = ask((int)(i * 64 + b), *pt);
            if (events == ABI_POLLNVAL) {
                return -EBADF;
            }
            for (int set = 0; set < SETS; set++) {
                uint64_t bit = 1ul << b;
                if ((s->want[set][i] & bit) != 0 && (events & ready_mask[set]) != 0) {
                    s->got[set][i] |= bit;
                    ready++;
                    *pt = NULL;
                }
            }
        }
    }
    return ready;
}

/* The sets as programs give them, cut to n bits. */
static int sets_get(struct selectfds *s, const uint64_t uset[SETS], unsigned n, uint64_t *mem)
{
    memset(mem, 0, s->words * 8 * SETS * 2);
    for (int set = 0; set < SETS; set++) {
        s->want[set] = mem + set * s->words;
        s->got[set] = mem + (SETS + set) * s->words;
        if (uset[set] != 0 && mb_copy_in(s->want[set], uset[set], s->words * 8) < 0) {
            return -EFAULT;
        }
        if (n % 64 != 0) {
            s->want[set][s->words - 1] &= (1ul << n % 64) - 1;
        }
    }
    return 0;
}

static long select_sets(struct selectfds *s, const uint64_t uset[SETS], unsigned n, uint64_t *mem,
                        const struct timeout *t, uint64_t uts, const uint64_t mask[2])
{
    long result = sets_get(s, uset, n, mem);
    if (result == 0) {
        result = sig_mask_push(mask[0], mask[1]);
    }
    if (result < 0) {
        return result;
    }
    result = poll_loop(scan_sets, s, t);
    for (int set = 0; set < SETS && result >= 0; set++) {
        if (uset[set] != 0 && mb_copy_out(uset[set], s->got[set], s->words * 8) < 0) {
            result = -EFAULT;
        }
    }
    return finish(result, t, uts);
}

long sys_pselect6(const uint64_t a[6])
{
    uint64_t few[FEW_WORDS * SETS * 2], *mem = few;
    uint64_t mask[2] = {0, 0};
    struct selectfds s;
    struct timeout t;
    int n = (int)a[0];
    if (a[5] != 0 && mb_copy_in(mask, a[5], sizeof(mask)) < 0) {
        return -EFAULT;
    }
    int err = timeout_get(a[4], &t);
    if (err < 0) {
        return err;
    }
    if (n < 0) {
        return -EINVAL;
    }
    if ((unsigned)n > current->files->cap) {
        n = (int)current->files->cap; /* there are no more */
    }
    s.words = ((unsigned)n + 63) / 64;
    if (s.words > FEW_WORDS) {
        mem = mb_alloc(s.words * 8 * SETS * 2);
        if (mem == NULL) {
            return -ENOMEM;
        }
    }
    long result = select_sets(&s, &a[1], (unsigned)n, mem, &t, a[4], mask);
    if (mem != few) {
        mb_free(mem);
    }
    return result;
}
