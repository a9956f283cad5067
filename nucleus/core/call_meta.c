/* meta: introspection.  See call.h. */
#include "audit.h"
#include "call.h"
#include "event.h"
#include "log.h"
#include "machine.h"
#include "mem.h"
#include "page.h"
#include "ring.h"
#include "sched.h"
#include "timeline.h"

#include <nx_base.h>

static long stat(uint64_t what)
{
    uint64_t sum = 0;
    switch (what) {
    case NX_STAT_PAGES_TOTAL:
        return (long)page_total();
    case NX_STAT_PAGES_FREE:
        return (long)page_free_count();
    case NX_STAT_FIBERS:
        return fiber_count;
    case NX_STAT_SPACES:
        return space_count;
    case NX_STAT_CELLS:
        return cell_count;
    case NX_STAT_MEMS:
        return mem_count;
    case NX_STAT_RINGS:
        return ring_count;
    case NX_STAT_EVENTS:
        return event_count;
    case NX_STAT_CAPS:
        return cap_count;
    case NX_STAT_LOG_END:
        return (long)log_end();
    case NX_STAT_BEB_END:
        return (long)beb_end();
    case NX_STAT_IPIS:
        return (long)sched_ipis;
    case NX_STAT_SWITCHES:
        for (unsigned i = 0; i < hart_count; i++) {
            sum += harts[i].switches;
        }
        return (long)sum;
    case NX_STAT_IDLE_TICKS:
        for (unsigned i = 0; i < hart_count; i++) {
            sum += harts[i].idle_ticks;
        }
        return (long)sum;
    case NX_STAT_TABLES:
        return (long)table_count;
    default:
        return -NX_EINVAL;
    }
}

/* Up to now, when it runs. */
static uint64_t runtime_now(const struct fiber *f)
{
    return fiber_runtime(f) + (f->status == FIBER_RUNNING ? arch_time() - f->hart->since : 0);
}

static long cell_value(struct cell *c, uint64_t what)
{
    switch (what) {
    case NX_CELL_STATE:
        return c->state;
    case NX_CELL_GENERATION:
        return c->generation;
    case NX_CELL_EXIT_WHY:
        return c->end.why;
    case NX_CELL_EXIT_CODE:
        return (long)c->end.code;
    case NX_CELL_EXIT_PC:
        return (long)c->end.pc;
    case NX_CELL_EXIT_ADDR:
        return (long)c->end.addr;
    case NX_CELL_PAGES:
        return (long)(c->quota->used / NX_PAGE_SIZE);
    case NX_CELL_QUOTA:
        return (long)(c->quota->limit / NX_PAGE_SIZE);
    case NX_CELL_FIBERS:
        return c->fiber_count;
    case NX_CELL_RUNTIME:
        return (long)energy_runtime(c);
    case NX_CELL_TIER:
        (void)energy_left(c); /* it may have some again, and nobody has looked */
        return c->tier;
    case NX_CELL_PLEDGE:
        return c->pledge;
    case NX_CELL_PLACEMENT:
        return c->fused ? NX_PLACE_FUSED : NX_PLACE_ISOLATED;
    case NX_CELL_ENERGY_USED:
        return (long)energy_used(c);
    case NX_CELL_ENERGY_LEFT:
        return (long)(energy_left(c) & INT64_MAX);
    default:
        return -NX_EINVAL;
    }
}

static long fiber_value(const struct fiber *f, uint64_t what)
{
    switch (what) {
    case NX_FIBER_RUNTIME:
        return (long)runtime_now(f);
    case NX_FIBER_TIER:
        return f->tier;
    case NX_FIBER_STRIKES:
        return f->strikes;
    case NX_FIBER_DEMOTIONS:
        return f->demotions;
    case NX_FIBER_HANDLE:
        return (long)f->handle;
    case NX_FIBER_HART:
        return f->hart->index;
    default:
        return -NX_EINVAL;
    }
}

static long write_log(struct fiber *f, uint64_t va, uint64_t len, uint64_t level)
{
    char line[NX_LOG_TEXT];
    if (len > sizeof(line) || level >= NX_LOG_LEVELS) {
        return -NX_EINVAL;
    }
    int e = space_copy_in(&f->cell->window, line, va, len);
    if (e != 0) {
        return e;
    }
    for (uint64_t i = 0; i < len; i++) {
        if (line[i] < ' ' || line[i] > '~') {
            line[i] = line[i] == '\t' ? '\t' : '?';
        }
    }
    log_add(f->cell, (unsigned)level, line, len);
    return 0;
}

#define READ_MAX 32 /* lines: the lock is held meanwhile */
static long read_log(struct fiber *f, uint64_t va, uint64_t len, uint64_t first)
{
    struct nx_log l;
    long done = 0;
    for (; done < READ_MAX && len >= sizeof(l) && log_read(first, &l); first = l.number + 1) {
        int e = space_copy_out(&f->cell->window, va, &l, sizeof(l));
        if (e != 0) {
            return e;
        }
        va += sizeof(l);
        len -= sizeof(l);
        done++;
    }
    return done;
}

static long watch(struct fiber *f, uint64_t slot)
{
    struct object *o;
    if (slot == NX_SELF) {
        log_watch(NULL);
        return 0;
    }
    int e = cap_get(f, slot, NX_T_EVENT, NX_R_SEND, &o);
    if (e == 0) {
        log_watch((struct event *)o);
    }
    return e;
}

static long read_beb(struct fiber *f, uint64_t va, uint64_t len, uint64_t first)
{
    struct nx_beb b;
    long done = 0;
    for (; len >= sizeof(b) && beb_read(first, &b); first = b.number + 1) {
        int e = space_copy_out(&f->cell->window, va, &b, sizeof(b));
        if (e != 0) {
            return e;
        }
        va += sizeof(b);
        len -= sizeof(b);
        done++;
    }
    return done;
}

static long read_switches(struct fiber *f, uint64_t va, uint64_t len, uint64_t hart, uint64_t first)
{
    struct nx_switch s;
    long done = 0;
    if (hart >= hart_count) {
        return -NX_EINVAL;
    }
    for (; done < READ_MAX && len >= sizeof(s) && timeline_read(hart, first, &s);
         first = s.number + 1) {
        int e = space_copy_out(&f->cell->window, va, &s, sizeof(s));
        if (e != 0) {
            return e;
        }
        va += sizeof(s);
        len -= sizeof(s);
        done++;
    }
    return done;
}

static long physical(struct fiber *f, uint64_t slot, uint64_t off)
{
    struct object *o;
    int e = cap_peek(f, slot, NX_T_MEM, NX_R_DMA, &o);
    if (e != 0) {
        return e;
    }
    struct mem *m = (struct mem *)o;
    if (!nx_in_bounds(off, 1, m->pages * NX_PAGE_SIZE)) {
        return -NX_EINVAL;
    }
    m->dma = true;
    return (long)(mem_page(m, off / NX_PAGE_SIZE) + off % NX_PAGE_SIZE);
}

static long size_of(struct fiber *f, uint64_t slot)
{
    struct object *o;
    int e = cap_peek(f, slot, NX_T_NONE, 0, &o);
    if (e != 0) {
        return e;
    }
    if (o->type == NX_T_RING) {
        o = &((struct ring *)o)->mem->obj;
    }
    return o->type == NX_T_MEM || o->type == NX_T_DEVMEM
               ? (long)(((struct mem *)o)->pages * NX_PAGE_SIZE)
               : -NX_EBADF;
}

static long machine_value(uint64_t what)
{
    switch (what) {
    case NX_MACHINE_HARTS:
        return hart_count;
    case NX_MACHINE_TIMEBASE:
        return (long)machine.timebase;
    case NX_MACHINE_MEMORY:
        return (long)(machine.memory_end - machine.memory_base);
    default:
        return -NX_EINVAL;
    }
}

static long hart_value(uint64_t hart, uint64_t what)
{
    if (hart >= hart_count || !harts[hart].online) {
        return -NX_EINVAL;
    }
    const struct hart *h = &harts[hart];
    switch (what) {
    case NX_HART_CLASS:
        return h->class;
    case NX_HART_SPEED:
        return (long)h->speed;
    case NX_HART_MEASURING:
        return (long)h->measuring;
    case NX_HART_IDLE:
        return (long)h->idle_ticks;
    default:
        return -NX_EINVAL;
    }
}

static long meta_cell(struct fiber *f, uint64_t slot, uint64_t what)
{
    struct object *o;
    if (slot == NX_SELF) {
        return cell_value(f->cell, what);
    }
    int e = cap_get(f, slot, NX_T_CELL, NX_R_READ, &o);
    return e != 0 ? e : cell_value((struct cell *)o, what);
}

long call_meta(uint64_t op, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5)
{
    bool system = op == NX_META_STAT || op == NX_META_READLOG || op == NX_META_BEB ||
                  op == NX_META_WATCH || op == NX_META_AUDIT || op == NX_META_TIMELINE ||
                  op == NX_META_SWITCHES;
    struct fiber *f = call_begin(system ? NX_PLEDGE_DEBUG : NX_PLEDGE_META), *other;
    struct space *s;
    long r;
    if (f == NULL) {
        return -NX_EPERM;
    }
    switch (op) {
    case NX_META_VERSION:
        r = NX_ABI_VERSION;
        break;
    case NX_META_LOG:
        r = write_log(f, a1, a2, a3);
        break;
    case NX_META_STAT:
        r = stat(a1);
        break;
    case NX_META_CELL:
        r = meta_cell(f, a1, a2);
        break;
    case NX_META_READLOG:
        r = read_log(f, a1, a2, a3);
        break;
    case NX_META_BEB:
        r = read_beb(f, a1, a2, a3);
        break;
    case NX_META_PHYS:
        r = physical(f, a1, a2);
        break;
    case NX_META_SPACE:
        s = space_get(f->cell, a1);
        r = s == NULL ? -NX_EBADF : a2 == NX_SPACE_RESIDENT ? (long)s->resident : -NX_EINVAL;
        break;
    case NX_META_FIBER:
        other = fiber_get(f, a1);
        r = other == NULL ? -NX_EBADF : fiber_value(other, a2);
        break;
    case NX_META_SIZE:
        r = size_of(f, a1);
        break;
    case NX_META_AUDIT:
        r = audit_capabilities();
        break;
    case NX_META_MACHINE:
        r = machine_value(a1);
        break;
    case NX_META_HART:
        r = hart_value(a1, a2);
        break;
    case NX_META_WATCH:
        r = watch(f, a1);
        break;
    case NX_META_TIMELINE:
        r = timeline_record(a1);
        break;
    case NX_META_SWITCHES:
        r = read_switches(f, a1, a2, a3, a4);
        break;
    default:
        r = -NX_ENOSYS;
        break;
    }
    unlock();
    return r;
}
