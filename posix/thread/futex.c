/* futex: sleeping on a word of program memory.
 *
 * A waiter is found by what the word is: (memory object, offset), see mm_futex_key; so two processes
 * meet at a shared page wherever each has mapped it.  Comparing the word and queueing happen under the
 * personality lock, and so do waking and requeueing: no wake-up is lost.
 * Not here: futexes with an owner (pi.c).
 */
#include <asm/errno.h>
#include <linux/futex.h>
#include <limits.h>
#include "mm.h"
#include "proc.h"
#include "ptime.h"
#include "sig.h"
#include "sys.h"
#include "thread/futex_int.h"
#include "thread/thread.h"
#include "time/clock.h"

#define BUCKETS 256u

static struct futex_waiter *bucket[BUCKETS];

static struct futex_waiter **bucket_of(const struct mm_futex_key *k)
{
    uint64_t h = (uint64_t)(uintptr_t)k->object ^ k->offset;
    h *= 0x9e3779b97f4a7c15ull;
    return &bucket[h >> 56];
}

bool futex_same_key(const struct mm_futex_key *a, const struct mm_futex_key *b)
{
    return a->object == b->object && a->offset == b->offset;
}

void futex_enqueue(struct futex_waiter *w)
{
    struct futex_waiter **at = bucket_of(&w->key);
    while (*at) /* the longest waiter is woken first */
        at = &(*at)->next;
    w->link = at;
    w->next = NULL;
    *at = w;
}

void futex_dequeue(struct futex_waiter *w)
{
    *w->link = w->next;
    if (w->next)
        w->next->link = w->link;
    w->link = NULL;
}

static struct futex_waiter *match(struct futex_waiter *w, const struct mm_futex_key *k)
{
    while (w && !futex_same_key(&w->key, k))
        w = w->next;
    return w;
}

struct futex_waiter *futex_first(const struct mm_futex_key *k)
{
    return match(*bucket_of(k), k);
}

struct futex_waiter *futex_next(const struct futex_waiter *w)
{
    return match(w->next, &w->key);
}

void futex_woken(struct futex_waiter *w)
{
    futex_dequeue(w);
    wait_wake(&w->queue);
}

void futex_each(void (*fn)(struct futex_waiter *w, void *ctx), void *ctx)
{
    for (unsigned i = 0; i < BUCKETS; i++) {
        for (struct futex_waiter *w = bucket[i], *next; w; w = next) {
            next = w->next;
            fn(w, ctx);
        }
    }
}

static int wake(const struct mm_futex_key *k, int n, uint32_t bits)
{
    int woken = 0;
    for (struct futex_waiter *w = *bucket_of(k), *next; w && woken < n; w = next) {
        next = w->next;
        if (!futex_same_key(&w->key, k))
            continue;
        if (w->kind != FUTEX_PLAIN)
            return -EINVAL; /* those are woken by other calls */
        if (!(w->bits & bits))
            continue;
        futex_woken(w);
        woken++;
    }
    return woken;
}

static int requeue(const struct mm_futex_key *from, const struct mm_futex_key *to, int n)
{
    int moved = 0;
    for (struct futex_waiter *w = *bucket_of(from), *next; w && moved < n; w = next) {
        next = w->next;
        if (!futex_same_key(&w->key, from))
            continue;
        if (w->kind != FUTEX_PLAIN)
            return -EINVAL;
        moved++;
        if (futex_same_key(from, to))
            continue;
        futex_dequeue(w);
        w->key = *to;
        futex_enqueue(w);
    }
    return moved;
}

int futex_key_of(uint64_t addr, bool private_, struct mm_futex_key *k)
{
    uint32_t word;
    if (addr & 3)
        return -EINVAL;
    if (!private_ && mb_load32(&word, addr))
        return -EFAULT; /* a word that others may see is there, even if nobody looks at it */
    return mm_futex_key(current->mm, addr, private_, k);
}

int futex_wake_addr(struct mm *mm, uint64_t addr, int n)
{
    struct mm_futex_key k;
    int woken = 0;
    if (mm_futex_key(mm, addr, false, &k) == 0)
        woken = wake(&k, n, FUTEX_BITSET_MATCH_ANY);
    woken = woken < 0 ? 0 : woken;
    if (woken < n && mm_futex_key(mm, addr, true, &k) == 0) {
        int more = wake(&k, n - woken, FUTEX_BITSET_MATCH_ANY);
        woken += more < 0 ? 0 : more;
    }
    return woken;
}

/* ---- waiting ---- */

struct futex_wait {
    uint64_t addr;
    uint32_t expect, bits;
    bool private_;
    uint64_t deadline;
};

static int wait_once(const struct futex_wait *f)
{
    struct futex_waiter w = {.bits = f->bits};
    uint32_t now;
    int err = futex_key_of(f->addr, f->private_, &w.key);
    if (err)
        return err;
    if (mb_load32(&now, f->addr))
        return -EFAULT;
    if (now != f->expect)
        return -EAGAIN;
    waitq_init(&w.queue);
    futex_enqueue(&w);
    while (w.link) {
        err = wait_on(&w.queue, f->deadline);
        if (err)
            break;
    }
    if (!w.link)
        return 0; /* woken, whatever else happened at the same time */
    futex_dequeue(&w);
    return err;
}

/* arg: 0 addr, 1 expect | bits << 32, 2 private, 3 deadline */
static long wait_again(struct restart *r)
{
    struct futex_wait f = {
        .addr = r->arg[0],
        .expect = (uint32_t)r->arg[1],
        .bits = (uint32_t)(r->arg[1] >> 32),
        .private_ = r->arg[2],
        .deadline = r->arg[3],
    };
    int err = wait_once(&f);
    return err == -EINTR ? -ERESTART_BLOCK : err;
}

static long wait(struct futex_wait *f)
{
    if (!f->bits)
        return -EINVAL;
    int err = wait_once(f);
    if (err != -EINTR)
        return err;
    if (f->deadline == MB_NEVER)
        return -ERESTARTSYS;
    struct restart *r = &current->restart;
    r->fn = wait_again;
    r->arg[0] = f->addr;
    r->arg[1] = f->expect | (uint64_t)f->bits << 32;
    r->arg[2] = f->private_;
    r->arg[3] = f->deadline;
    return -ERESTART_BLOCK;
}

/* ---- FUTEX_WAKE_OP ---- */

static int op_value(uint32_t op, uint32_t old, uint32_t arg, uint32_t *new)
{
    switch (op) {
    case FUTEX_OP_SET:
        *new = arg;
        return 0;
    case FUTEX_OP_ADD:
        *new = old + arg;
        return 0;
    case FUTEX_OP_OR:
        *new = old | arg;
        return 0;
    case FUTEX_OP_ANDN:
        *new = old & ~arg;
        return 0;
    case FUTEX_OP_XOR:
        *new = old ^ arg;
        return 0;
    default:
        return -ENOSYS;
    }
}

static int compare(uint32_t cmp, int32_t old, int32_t arg)
{
    switch (cmp) {
    case FUTEX_OP_CMP_EQ:
        return old == arg;
    case FUTEX_OP_CMP_NE:
        return old != arg;
    case FUTEX_OP_CMP_LT:
        return old < arg;
    case FUTEX_OP_CMP_GE:
        return old >= arg;
    case FUTEX_OP_CMP_LE:
        return old <= arg;
    case FUTEX_OP_CMP_GT:
        return old > arg;
    default:
        return -ENOSYS;
    }
}

/* Change the word atomically; 1 when its old value compares true, 0 when not. */
static int change_word(uint32_t encoded, uint64_t addr)
{
    uint32_t op = encoded >> 28 & 7, cmp = encoded >> 24 & 15;
    int32_t op_arg = (int32_t)(encoded << 8) >> 20, cmp_arg = (int32_t)(encoded << 20) >> 20;
    uint32_t old, new, was;
    if (encoded >> 28 & FUTEX_OP_OPARG_SHIFT) /* bit 31 */
        op_arg = (int32_t)(1u << (op_arg & 31));
    if (mb_load32(&old, addr))
        return -EFAULT;
    for (;;) {
        int err = op_value(op, old, (uint32_t)op_arg, &new);
        if (err)
            return err;
        if (mb_cas32(addr, old, new, &was))
            return -EFAULT;
        if (was == old)
            return compare(cmp, (int32_t)old, cmp_arg);
        old = was;
    }
}

/* ---- the call ---- */

/* Timeouts: relative for WAIT, a point of the clock for WAIT_BITSET. */
static int get_deadline(uint64_t utime, int cmd, bool realtime, uint64_t *deadline)
{
    int64_t ns;
    *deadline = MB_NEVER;
    if (!utime)
        return 0;
    int err = time_get_timespec(utime, &ns);
    if (err)
        return err;
    *deadline = cmd == FUTEX_WAIT ? time_ticks_after((uint64_t)ns)
                                  : clock_deadline(realtime ? CLOCK_REALTIME : CLOCK_MONOTONIC, ns);
    return 0;
}

static long wake_two(const uint64_t a[6], int cmd, bool private_)
{
    int n = (int)a[2], m = (int)a[3];
    uint64_t addr = a[0], addr2 = a[4];
    struct mm_futex_key k, k2;
    uint32_t now;
    int err = futex_key_of(addr, private_, &k);
    if (!err)
        err = futex_key_of(addr2, private_, &k2);
    if (err)
        return err;
    if (cmd == FUTEX_WAKE_OP) {
        int also = change_word((uint32_t)a[5], addr2);
        if (also < 0)
            return also;
        int woken = wake(&k, n, FUTEX_BITSET_MATCH_ANY);
        int more = also && woken >= 0 ? wake(&k2, m, FUTEX_BITSET_MATCH_ANY) : 0;
        return more < 0 ? more : woken + more;
    }
    if (n < 0 || m < 0)
        return -EINVAL;
    if (cmd == FUTEX_CMP_REQUEUE) {
        if (mb_load32(&now, addr))
            return -EFAULT;
        if (now != (uint32_t)a[5])
            return -EAGAIN;
    }
    int woken = wake(&k, n, FUTEX_BITSET_MATCH_ANY);
    int moved = woken < 0 ? 0 : requeue(&k, &k2, m);
    return moved < 0 ? moved : woken + moved;
}

long sys_futex(const uint64_t a[6])
{
    uint32_t op = (uint32_t)a[1];
    int cmd = op & FUTEX_CMD_MASK;
    bool private_ = op & FUTEX_PRIVATE_FLAG, realtime = op & FUTEX_CLOCK_REALTIME;
    if (realtime && cmd != FUTEX_WAIT_BITSET && cmd != FUTEX_WAIT && cmd != FUTEX_LOCK_PI2 &&
        cmd != FUTEX_WAIT_REQUEUE_PI)
        return -ENOSYS;
    switch (cmd) {
    case FUTEX_WAIT:
    case FUTEX_WAIT_BITSET: {
        struct futex_wait f = {.addr = a[0], .expect = (uint32_t)a[2], .private_ = private_};
        f.bits = cmd == FUTEX_WAIT ? FUTEX_BITSET_MATCH_ANY : (uint32_t)a[5];
        int err = get_deadline(a[3], cmd, realtime, &f.deadline);
        return err ? err : wait(&f);
    }
    case FUTEX_WAKE:
    case FUTEX_WAKE_BITSET: {
        struct mm_futex_key k;
        uint32_t bits = cmd == FUTEX_WAKE ? FUTEX_BITSET_MATCH_ANY : (uint32_t)a[5];
        if (!bits)
            return -EINVAL;
        int err = futex_key_of(a[0], private_, &k);
        int n = (int)a[2];
        return err ? err : wake(&k, n < 1 ? 1 : n, bits);
    }
    case FUTEX_REQUEUE:
    case FUTEX_CMP_REQUEUE:
    case FUTEX_WAKE_OP:
        return wake_two(a, cmd, private_);
    default:
        return futex_pi(a, cmd, private_, realtime);
    }
}
