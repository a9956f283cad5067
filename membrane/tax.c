/* The Entropy Tax: making, merging and printing the counters; see tax.h for what they mean. */
#include "mb_int.h"
#include "tax.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct tax *tax_make(void)
{
    return mb_zalloc(sizeof(struct tax));
}

void tax_free(struct tax *t)
{
    if (!t) {
        return;
    }
    for (unsigned i = 0; i < TAX_CHUNKS; i++) {
        mb_free(t->chunk[i]);
    }
    mb_free(t);
}

/* The counter of call nr, made when it is not there yet; NULL: no memory, it is not counted. */
static struct tax_call *counter(struct tax *t, unsigned nr)
{
    unsigned slot = t->slot[nr];
    if (slot == 0) {
        if (t->used >= TAX_FIRST) {
            struct tax_call **chunk = &t->chunk[(t->used - TAX_FIRST) / TAX_CHUNK];
            if (!*chunk) {
                *chunk = mb_zalloc(TAX_CHUNK * sizeof(struct tax_call));
                if (!*chunk) {
                    return NULL;
                }
            }
        }
        slot = ++t->used;
        tax_call_at(t, slot)->nr = nr;
        /* Other threads count without the lock: the counter first, then the way to it. */
        __atomic_thread_fence(__ATOMIC_RELEASE);
        t->slot[nr] = (uint16_t)slot;
    }
    return tax_call_at(t, slot);
}
_Static_assert(TAX_FIRST + TAX_CHUNK * TAX_CHUNKS >= TAX_CALLS, "room for every call");

static void add_call(struct tax_call *c, uint64_t calls, uint64_t ticks, uint64_t instructions)
{
    tax_add(&c->calls, calls);
    tax_add(&c->ticks, ticks);
    tax_add(&c->instructions, instructions);
}

void tax_count_new(struct tax *t, unsigned nr, uint64_t ticks, uint64_t instructions)
{
    bool mine = mb_lock_is_mine();
    if (!mine) {
        mb_lock();
    }
    struct tax_call *c = counter(t, nr);
    if (c) {
        add_call(c, 1, ticks, instructions);
    }
    if (!mine) {
        mb_unlock();
    }
    tax_add(&t->sum.calls, 1);
    tax_add(&t->sum.ticks, ticks);
    tax_add(&t->sum.instructions, instructions);
}

static void add_sum(struct tax_sum *to, const struct tax_sum *from)
{
    tax_add(&to->ticks, from->ticks);
    tax_add(&to->instructions, from->instructions);
    tax_add(&to->own_ticks, from->own_ticks);
    tax_add(&to->own_instructions, from->own_instructions);
    tax_add(&to->calls, from->calls);
    tax_add(&to->faults, from->faults);
}

void tax_merge(struct tax *parent, const struct tax *child)
{
    if (!parent || !child) {
        return;
    }
    add_sum(&parent->kids, &child->sum);
    add_sum(&parent->kids, &child->kids);
    for (unsigned i = 0; i < child->used; i++) {
        const struct tax_call *from = tax_call_at(child, i + 1);
        struct tax_call *to = counter(parent, from->nr);
        if (to) {
            add_call(to, from->calls, from->ticks, from->instructions);
        }
    }
}

bool tax_enosys(struct tax *t, unsigned nr)
{
    struct tax_call *c = t ? counter(t, nr < TAX_CALLS ? nr : TAX_CALLS - 1) : NULL;
    return c && c->enosys++ == 0;
}

void tax_exec(struct tax *t)
{
    for (unsigned i = 0; t && i < t->used; i++) {
        tax_call_at(t, i + 1)->enosys = 0;
    }
}

/* ---- text ---- */

struct text {
    char *at;
    size_t left;
};

static void __attribute__((format(printf, 2, 3))) put(struct text *t, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(t->at, t->left, fmt, ap);
    va_end(ap);
    if (n < 0 || (size_t)n >= t->left) { /* lines are whole or not there */
        t->left = 0;
        return;
    }
    t->at += n;
    t->left -= (size_t)n;
}

static const char *call_name(const char *(*name)(unsigned nr), unsigned nr)
{
    const char *s = name ? name(nr) : NULL;
    return s ? s : "unknown";
}

typedef unsigned long ul;

size_t tax_text(const struct tax *t, const char *(*name)(unsigned nr), char *buf, size_t n)
{
    struct text x = {.at = buf, .left = n};
    const struct tax_sum *s = &t->sum, *k = &t->kids;
    put(&x, "tax %lu %lu %lu\n", (ul)(s->calls + k->calls), (ul)mb_ticks_to_ns(s->ticks + k->ticks),
        (ul)(s->instructions + k->instructions));
    put(&x, "own %lu %lu\n", (ul)mb_ticks_to_ns(s->own_ticks + k->own_ticks),
        (ul)(s->own_instructions + k->own_instructions));
    put(&x, "faults %lu\n", (ul)(s->faults + k->faults));
    for (unsigned nr = 0; nr < TAX_CALLS; nr++) {
        if (t->slot[nr] == 0) {
            continue;
        }
        const struct tax_call *c = tax_call_at(t, t->slot[nr]);
        if (c->calls != 0) {
            put(&x, "call %u %s %lu %lu %lu\n", nr, call_name(name, nr), (ul)c->calls,
                (ul)mb_ticks_to_ns(c->ticks), (ul)c->instructions);
        }
        if (c->enosys != 0) {
            put(&x, "enosys %u %s %u\n", nr, call_name(name, nr), c->enosys);
        }
    }
    return (size_t)(x.at - buf);
}
