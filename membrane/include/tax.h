/* The Entropy Tax: what reflected system calls cost a program, counted per process and call.
 *
 *   mb_enter answers --> tax_begin(tax)   the time since the last tax_end was the program's own
 *      ... the handler works ...
 *   tax_end(tax, nr) --> mb_enter         the time since tax_begin is the price of call nr
 *
 * The clocks are those of the fiber's own running time (sleeping and other fibers' slices do not
 * count); the stamps between the two are in the fiber, the sums in the process.
 * Rules: tax_begin, tax_end and tax_fault may run without the personality lock, on several harts for
 * one process (the sums are added atomically); everything else wants the lock.  A NULL tax counts
 * nothing.  It does not decide what the tax costs: that is the rate in the manifest.
 */
#ifndef MEMBRANE_TAX_H
#define MEMBRANE_TAX_H

#include <mb_arch.h>
#include <membrane.h>

#define TAX_CALLS 470 /* system call numbers that are told apart; others count as TAX_CALLS - 1 */
#define TAX_FIRST 28
#define TAX_CHUNK 64
#define TAX_CHUNKS 7

struct tax_call {
    uint32_t nr;
    uint32_t enosys; /* how often the answer was that there is no such call */
    uint64_t calls, ticks, instructions;
};

struct tax_sum {
    uint64_t ticks, instructions; /* in the membrane */
    uint64_t own_ticks, own_instructions;
    uint64_t calls, faults;
};

/* Counters are made when a call number is first seen: a typical program uses some thirty.  The first ones lie here, in the
 * page that is touched anyway. */
struct tax {
    struct tax_sum sum;  /* this process, all its threads */
    struct tax_sum kids; /* children it waited for, and theirs */
    uint16_t used;
    uint16_t slot[TAX_CALLS]; /* 0: not seen yet, else 1 + index of its counter */
    struct tax_call first[TAX_FIRST];
    struct tax_call *chunk[TAX_CHUNKS];
};
_Static_assert(sizeof(struct tax) <= 2048, "an object of mb_alloc that lies in one page");

struct tax *tax_make(void); /* NULL: no memory */
void tax_free(struct tax *t);
/* wait(): what the child and its children cost is now also the parent's. */
void tax_merge(struct tax *parent, const struct tax *child);
/* Call nr does not exist.  True the first time for this program: worth a line in the log. */
bool tax_enosys(struct tax *t, unsigned nr);
/* exec: the next program is told again about calls that do not exist. */
void tax_exec(struct tax *t);
/* The text of /proc/<pid>/entropy, at most n bytes; its length.  name answers a call's name or NULL.
 *     tax <calls> <ns> <instructions>
 *     own <ns> <instructions>
 *     faults <n>
 *     call <nr> <name> <calls> <ns> <instructions>    one for each call seen, by number
 *     enosys <nr> <name> <calls>
 * All but the last kind include the children waited for. */
size_t tax_text(const struct tax *t, const char *(*name)(unsigned nr), char *buf, size_t n);

/* The slow half of tax_end: a call not seen before. */
void tax_count_new(struct tax *t, unsigned nr, uint64_t ticks, uint64_t instructions);

/* ---- the fast path ---- */
/* The counter that slot says is there (not 0); as strchr, it gives away what it got as const. */
static inline struct tax_call *tax_call_at(const struct tax *t, unsigned slot)
{
    unsigned i = slot - 1, rest = i - TAX_FIRST;
    return i < TAX_FIRST ? (struct tax_call *)&t->first[i]
                         : &t->chunk[rest / TAX_CHUNK][rest % TAX_CHUNK];
}

static inline void tax_add(uint64_t *to, uint64_t n)
{
    __atomic_fetch_add(to, n, __ATOMIC_RELAXED); /* one amoadd: no order is wanted */
}

/* Time and instructions since the fiber's last stamp; and stamp it. */
static inline void tax_lap(struct mb_fiber *f, uint64_t *ticks, uint64_t *instructions)
{
    uint64_t t, i;
    mb_arch_fiber_clocks(f->state, &t, &i);
    *ticks = t - f->stamp_ticks;
    *instructions = i - f->stamp_instructions;
    f->stamp_ticks = t;
    f->stamp_instructions = i;
}

static inline void tax_begin(struct tax *t)
{
    uint64_t ticks, instructions;
    tax_lap(mb_self(), &ticks, &instructions);
    if (t) {
        tax_add(&t->sum.own_ticks, ticks);
        tax_add(&t->sum.own_instructions, instructions);
    }
}

static inline void tax_end(struct tax *t, unsigned nr)
{
    uint64_t ticks, instructions;
    tax_lap(mb_self(), &ticks, &instructions);
    if (!t) {
        return;
    }
    if (nr >= TAX_CALLS) {
        nr = TAX_CALLS - 1;
    }
    unsigned slot = t->slot[nr];
    if (__builtin_expect(slot == 0, 0)) {
        tax_count_new(t, nr, ticks, instructions);
        return;
    }
    struct tax_call *c = tax_call_at(t, slot);
    tax_add(&c->calls, 1);
    tax_add(&c->ticks, ticks);
    tax_add(&c->instructions, instructions);
    tax_add(&t->sum.calls, 1);
    tax_add(&t->sum.ticks, ticks);
    tax_add(&t->sum.instructions, instructions);
}

/* Instead of tax_end, when the upcall was no system call but a fault or a kick. */
static inline void tax_fault(struct tax *t)
{
    uint64_t ticks, instructions;
    tax_lap(mb_self(), &ticks, &instructions);
    if (t) {
        tax_add(&t->sum.ticks, ticks);
        tax_add(&t->sum.instructions, instructions);
        tax_add(&t->sum.faults, 1);
    }
}

/* A fiber begins to run a new thread: its clocks start here. */
static inline void tax_start(void)
{
    uint64_t ticks, instructions;
    tax_lap(mb_self(), &ticks, &instructions);
}

#endif
