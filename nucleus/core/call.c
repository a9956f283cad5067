/* Dispatch, and the calls about cells and capabilities: spawn, exit, make, grant, revoke, mask,
 * checkpoint.  See call.h and nucleus/abi/calls.tbl.
 */
#include "call.h"

#include "cell.h"
#include "ckpt.h"
#include "event.h"
#include "log.h"
#include "machine.h"
#include "mem.h"
#include "page.h"
#include "ring.h"
#include "sched.h"
#include "shelf.h"
#include "watchdog.h"

#include <nx_base.h>
#include <stdio.h>
#include <string.h>

#define ENTRY(name, nr) [nr] = call_##name,
call_handler *const call_table[NX_CALL_COUNT] = {NX_CALLS(ENTRY)};

struct fiber *call_attend(struct fiber *f, uint32_t pledge)
{
    struct cell *c = f->cell;
    if ((c->attend & CELL_ENDING) != 0) {
        sched_leave(f); /* ended from another hart: nothing may be added to it any more */
    }
    if ((c->attend & CELL_ASKED) != 0) {
        watchdog_beat();
    }
    if ((c->pledge & pledge) == pledge) {
        return f;
    }
    beb_add(NX_BEB_DENIED, f, pledge, NX_SLOTS);
    unlock();
    return NULL;
}

/* ---- spawn ---- */
static long spawn_fiber(struct fiber *f, uint64_t entry, uint64_t sp, uint64_t arg, uint64_t tier)
{
    if (tier >= NX_TIERS || tier < f->cell->own_tier || entry < NX_WINDOW ||
        entry >= f->cell->window.high) {
        return -NX_EINVAL;
    }
    if (!energy_spend(f->cell, ENERGY_FIBER)) {
        return -NX_EBUSY;
    }
    int err;
    struct fiber *n = fiber_make(f->cell, entry, sp, arg, (unsigned)tier, &err);
    if (n == NULL) {
        return err;
    }
    long handle = (long)n->handle;
    n->capmask = f->capmask;
    fiber_review(n);
    sched_ready(n);
    return handle;
}

/* One of several cells of one image has its number in its name: in the log, for its checkpoint. */
static bool name_instance(struct nx_manifest *man, uint64_t number)
{
    size_t n = strlen(man->name);
    return number == 0 || snprintf(man->name + n, sizeof(man->name) - n, "%u",
                                   (unsigned)(number - 1)) < (int)(sizeof(man->name) - n);
}

static long spawn_cell(struct fiber *f, uint64_t slot, uint64_t off, uint64_t size,
                       uint64_t dst_place, uint64_t generation)
{
    struct object *image, *machine_cap, *fixed = NULL;
    struct nx_manifest man;
    uint64_t dst = dst_place & 0xff, placement = dst_place >> 8 & 0xff;
    uint64_t machine_slot = dst_place >> 16 & 0xff, fixed_slot = dst_place >> 24;
    int e = cap_get(f, slot, NX_T_MEM, NX_R_READ | NX_R_EXEC, &image);
    if (e != 0) {
        return e;
    }
    if (fixed_slot > 0xff || placement > NX_PLACE_FUSED) {
        return -NX_EINVAL;
    }
    if (fixed_slot != 0) {
        e = cap_get(f, fixed_slot, NX_T_MEM, NX_R_READ | NX_R_WRITE | NX_R_EXEC, &fixed);
        if (e != 0) {
            return e;
        }
    }
    /* A fused cell can do anything: only who may do that already makes one. */
    if (placement == NX_PLACE_FUSED) {
        e = cap_get(f, machine_slot, NX_T_MACHINE, NX_R_READ | NX_R_WRITE | NX_R_EXEC,
                    &machine_cap);
        if (e != 0) {
            return e;
        }
    }
    if (dst >= NX_SLOTS || f->cell->caps[dst].obj != NULL) {
        return -NX_EBUSY;
    }
    e = image_manifest((struct mem *)image, off, size, &man);
    if (e != 0) {
        return e;
    }
    /* Nobody makes a cell that may do more than its maker. */
    if ((man.pledge & NX_PLEDGE_ALL & ~f->cell->pledge) != 0 || man.tier < f->cell->own_tier) {
        beb_add(NX_BEB_DENIED, f, man.pledge, NX_SLOTS);
        return -NX_EPERM;
    }
    if (!name_instance(&man, generation >> 32)) {
        return -NX_EINVAL;
    }
    man.placement = (uint32_t)placement; /* the spawner's word, not the image's */
    if (!energy_spend(f->cell, ENERGY_CELL)) {
        return -NX_EBUSY;
    }
    struct cell *c = cell_make_by(f->cell, &man, (uint32_t)generation, &e);
    if (c == NULL) {
        return e;
    }
    e = image_load(c, (struct mem *)image, off, size, (struct mem *)fixed);
    if (e == 0) {
        e = cap_put(f->cell, dst, &c->obj, NX_R_ALL);
    }
    object_unref(&c->obj);
    return e;
}

long call_spawn(uint64_t op, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5)
{
    struct fiber *f = call_begin(op == NX_SPAWN_FIBER ? 0 : NX_PLEDGE_SPAWN);
    struct object *o;
    long r;
    if (f == NULL) {
        return -NX_EPERM;
    }
    switch (op) {
    case NX_SPAWN_FIBER:
        r = spawn_fiber(f, a1, a2, a3, a4);
        break;
    case NX_SPAWN_CELL:
        r = spawn_cell(f, a1, a2, a3, a4, a5);
        break;
    case NX_SPAWN_START:
        r = cap_get(f, a1, NX_T_CELL, NX_R_KILL, &o);
        if (r == 0) {
            r = cell_start((struct cell *)o, a2);
        }
        break;
    default:
        r = -NX_ENOSYS;
        break;
    }
    unlock();
    return r;
}

/* ---- exit ---- */
long call_exit(uint64_t op, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5)
{
    struct fiber *f = call_begin(op == NX_EXIT_KILL ? NX_PLEDGE_SPAWN : 0);
    struct object *o;
    if (f == NULL) {
        return -NX_EPERM;
    }
    if (op == NX_EXIT_KILL) {
        long r = cap_get(f, a1, NX_T_CELL, NX_R_KILL, &o);
        if (r == 0) {
            cell_end((struct cell *)o, NX_WHY_KILLED, a2, 0, 0);
        }
        if (f->cell->state == NX_CS_DYING) {
            sched_leave(f);
        }
        unlock();
        return r;
    }
    if (op == NX_EXIT_CELL) {
        cell_end(f->cell, NX_WHY_EXIT, a1, 0, 0);
    } else if (op != NX_EXIT_FIBER) {
        unlock();
        return -NX_ENOSYS;
    }
    sched_leave(f);
}

/* ---- make ---- */
static long put_new(struct cell *c, uint64_t dst, struct object *o, uint32_t rights)
{
    if (o == NULL) {
        return -NX_ENOMEM;
    }
    if (o->type != NX_T_CELL) {
        object_count(o);
    }
    long r = cap_put(c, dst, o, rights);
    object_unref(o);
    return r;
}

static long make_devmem(struct fiber *f, uint64_t dst, uint64_t machine_slot, uint64_t phys,
                        uint64_t len)
{
    struct object *o;
    int e = cap_get(f, machine_slot, NX_T_MACHINE, NX_R_READ | NX_R_WRITE, &o);
    if (e != 0) {
        return e;
    }
    if (len == 0 || (phys | len) % NX_PAGE_SIZE != 0 || !machine_is_device(phys, len)) {
        return -NX_EINVAL;
    }
    struct mem *m = mem_make_fixed(f->cell->quota, NX_T_DEVMEM, phys, len / NX_PAGE_SIZE);
    return put_new(f->cell, dst, m != NULL ? &m->obj : NULL, NX_R_ALL & ~(NX_R_EXEC | NX_R_DMA));
}

static long make_irq(struct fiber *f, uint64_t dst, uint64_t machine_slot, uint64_t irq)
{
    struct object *o;
    int e = cap_get(f, machine_slot, NX_T_MACHINE, NX_R_READ | NX_R_WRITE, &o);
    if (e != 0) {
        return e;
    }
    struct event *ev = event_make_irq(f->cell->quota, (uint32_t)NX_MIN(irq, 0xfffffffful), &e);
    return ev == NULL ? e : put_new(f->cell, dst, &ev->obj, NX_R_ALL);
}

static long make_mem(struct fiber *f, uint64_t dst, uint64_t pages, uint64_t flags)
{
    if (pages == 0 || (flags & ~(uint64_t)NX_MEM_CONTIG) != 0) {
        return -NX_EINVAL;
    }
    struct mem *m = mem_make(f->cell->quota, pages, flags != 0);
    return put_new(f->cell, dst, m != NULL ? &m->obj : NULL, NX_R_ALL);
}

static long make_ring(struct fiber *f, uint64_t dst, uint64_t slots, uint64_t bufpages)
{
    if (!nx_is_pow2(slots) || slots < 2 || slots > 256 || bufpages > 1024) {
        return -NX_EINVAL;
    }
    /* The maker keeps it without a side (no SEND, no RECV): it only grants the ends. */
    struct ring *r = ring_make(f->cell->quota, slots, bufpages);
    long e = put_new(f->cell, dst, r != NULL ? &r->obj : NULL, NX_R_ALL);
    if (e == 0) {
        ring_unlisten(r, f->cell, (unsigned)dst);
    }
    return e;
}

static long make_event(struct fiber *f, uint64_t dst)
{
    struct event *e = event_make(f->cell->quota, NX_T_EVENT);
    return put_new(f->cell, dst, e != NULL ? &e->obj : NULL, NX_R_ALL);
}

static long make_shelf(struct fiber *f, uint64_t dst)
{
    struct shelf *s = shelf_make(f->cell->quota);
    return put_new(f->cell, dst, s != NULL ? &s->obj : NULL, NX_R_ALL);
}

long call_make(uint64_t op, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5)
{
    struct fiber *f = call_begin(op == NX_MAKE_SPACE ? NX_PLEDGE_FOREIGN : NX_PLEDGE_MAKE);
    struct space *s;
    long r;
    if (f == NULL) {
        return -NX_EPERM;
    }
    if ((op != NX_MAKE_SPACE && a1 < NX_SLOTS && f->cell->caps[a1].obj != NULL) ||
        !energy_spend(f->cell, ENERGY_OBJECT)) {
        unlock();
        return -NX_EBUSY;
    }
    if (op != NX_MAKE_SPACE && !object_may_count(f->cell->quota)) {
        unlock();
        return -NX_ENOMEM;
    }
    switch (op) {
    case NX_MAKE_MEM:
        r = make_mem(f, a1, a2, a3);
        break;
    case NX_MAKE_RING:
        r = make_ring(f, a1, a2, a3);
        break;
    case NX_MAKE_SPACE:
        s = space_make(f->cell);
        r = s != NULL ? (long)s->handle : -NX_ENOMEM;
        break;
    case NX_MAKE_DEVMEM:
        r = make_devmem(f, a1, a2, a3, a4);
        break;
    case NX_MAKE_IRQ:
        r = make_irq(f, a1, a2, a3);
        break;
    case NX_MAKE_EVENT:
        r = make_event(f, a1);
        break;
    case NX_MAKE_SHELF:
        r = make_shelf(f, a1);
        break;
    default:
        r = -NX_ENOSYS;
        break;
    }
    unlock();
    return r;
}

/* ---- grant ---- */
/* Put an object that the caller holds with the rights `held` into a slot of a cell. */
static long grant_put(struct fiber *f, uint64_t cell_slot, struct object *o, uint32_t held,
                      uint64_t dst, uint64_t rights)
{
    struct object *target;
    struct cell *to = f->cell;
    if (cell_slot != NX_SELF) {
        int e = cap_get(f, cell_slot, NX_T_CELL, NX_R_GRANT, &target);
        if (e != 0) {
            return e;
        }
        to = (struct cell *)target;
        if ((held & NX_R_GRANT) == 0 || to->state == NX_CS_DYING || to->state == NX_CS_DEAD) {
            return -NX_EPERM;
        }
    }
    if ((rights & ~(uint64_t)held) != 0) {
        return -NX_EPERM;
    }
    return cap_put(to, dst, o, (uint32_t)rights);
}

static long grant_to(struct fiber *f, uint64_t cell_slot, uint64_t src, uint64_t dst,
                     uint64_t rights, bool move)
{
    struct object *o;
    long e = cap_get(f, src, NX_T_NONE, 0, &o);
    if (e == 0) {
        e = grant_put(f, cell_slot, o, cap_rights(f->cell, src), dst, rights);
    }
    if (e == 0 && move) {
        cap_drop(f->cell, (unsigned)src);
    }
    return e;
}

static long grant_shelve(struct fiber *f, uint64_t shelf, uint64_t place, uint64_t src)
{
    struct object *s, *o;
    int e = cap_get(f, shelf, NX_T_SHELF, NX_R_WRITE, &s);
    if (e == 0) {
        e = cap_get(f, src, NX_T_NONE, 0, &o);
    }
    return e != 0 ? e : shelf_put((struct shelf *)s, place, o, cap_rights(f->cell, src));
}

static long grant_fetch(struct fiber *f, uint64_t cell_slot, uint64_t shelf, uint64_t place,
                        uint64_t dst, uint64_t rights)
{
    struct object *s;
    int e = cap_get(f, shelf, NX_T_SHELF, NX_R_READ, &s);
    if (e != 0) {
        return e;
    }
    const struct cap *cap = shelf_live((struct shelf *)s, place);
    return cap == NULL ? -NX_EBADF : grant_put(f, cell_slot, cap->obj, cap->rights, dst, rights);
}

long call_grant(uint64_t op, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5)
{
    struct fiber *f = call_begin(op == NX_GRANT_DROP ? 0 : NX_PLEDGE_GRANT);
    struct object *o;
    long r;
    if (f == NULL) {
        return -NX_EPERM;
    }
    switch (op) {
    case NX_GRANT_COPY:
        r = grant_to(f, a1, a2, a3, a4, false);
        break;
    case NX_GRANT_MOVE:
        r = grant_to(f, a1, a2, a3, a4, true);
        break;
    case NX_GRANT_DROP:
        /* A dead capability may be dropped too. */
        r = a1 < NX_SLOTS && f->cell->caps[a1].obj != NULL && (f->capmask >> a1 & 1) != 0
                ? 0
                : cap_get(f, a1, 0, 0, &o);
        if (r == 0) {
            cap_drop(f->cell, (unsigned)a1);
        }
        break;
    case NX_GRANT_SHELVE:
        r = grant_shelve(f, a1, a2, a3);
        break;
    case NX_GRANT_FETCH:
        r = grant_fetch(f, a1, a2, a3, a4, a5);
        break;
    case NX_GRANT_CLEAR:
        r = cap_get(f, a1, NX_T_SHELF, NX_R_WRITE, &o);
        if (r == 0) {
            r = shelf_clear((struct shelf *)o, a2);
        }
        break;
    default:
        r = -NX_ENOSYS;
        break;
    }
    unlock();
    return r;
}

/* ---- revoke ---- */
long call_revoke(uint64_t op, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5)
{
    struct fiber *f = call_begin(op == NX_REVOKE_SPACE ? NX_PLEDGE_FOREIGN : NX_PLEDGE_GRANT);
    struct object *o;
    struct space *s;
    long r;
    if (f == NULL) {
        return -NX_EPERM;
    }
    switch (op) {
    case NX_REVOKE_OBJECT:
        r = cap_get(f, a1, NX_T_NONE, NX_R_REVOKE, &o);
        if (r == 0) {
            o->epoch++;
            if (o->type == NX_T_RING) {
                ring_revoked((struct ring *)o);
            }
        }
        break;
    case NX_REVOKE_SPACE:
        s = a1 != 0 ? space_get(f->cell, a1) : NULL;
        r = s == NULL ? -NX_EBADF : s->bound != 0 ? -NX_EBUSY : 0;
        if (r == 0) {
            space_end(s);
        }
        break;
    default:
        r = -NX_ENOSYS;
        break;
    }
    unlock();
    return r;
}

/* ---- mask ---- */
static long mask_irq(struct fiber *f, uint64_t slot, bool ack)
{
    struct object *o;
    int e = cap_get(f, slot, NX_T_IRQ, NX_R_RECV, &o);
    if (e == 0 && ack) {
        arch_irq_enable(((struct event *)o)->irq, this_hart()->index);
        arch_irq_done(((struct event *)o)->irq);
    } else if (e == 0) {
        arch_irq_disable(((struct event *)o)->irq);
    }
    return e;
}

/* The way into foreign mode does not look at the pledge every time: give that class up unbound. */
static long mask_pledge(struct cell *c, uint32_t classes)
{
    if ((classes & NX_PLEDGE_FOREIGN) == 0) {
        list_for_each(n, &c->fibers)
        {
            if (list_entry(n, struct fiber, cell_link)->state != NULL) {
                return -NX_EBUSY;
            }
        }
    }
    c->pledge &= classes;
    cell_attend(c, c->attend); /* its fibers are looked at */
    return 0;
}

long call_mask(uint64_t op, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5)
{
    struct fiber *f = call_begin(0);
    struct object *o;
    long r = 0;
    switch (op) {
    case NX_MASK_RIGHTS:
        r = cap_get(f, a1, NX_T_NONE, 0, &o);
        if (r == 0) {
            f->cell->caps[a1].rights &= (uint32_t)a2;
            f->cell->peer[a1].cell = NULL;
            f->cell->open[a1] = NULL;
        }
        break;
    case NX_MASK_PLEDGE:
        r = mask_pledge(f->cell, (uint32_t)a1);
        break;
    case NX_MASK_CAPS:
        f->capmask &= a1;
        fiber_review(f);
        break;
    case NX_MASK_ACK:
        r = mask_irq(f, a1, true);
        break;
    case NX_MASK_IRQOFF:
        r = mask_irq(f, a1, false);
        break;
    default:
        r = -NX_ENOSYS;
        break;
    }
    unlock();
    return r;
}

/* ---- checkpoint ---- */
long call_checkpoint(uint64_t op, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5)
{
    struct fiber *f = call_begin(0);
    long r = 0;
    switch (op) {
    case NX_CHECKPOINT_SAVE:
        r = ckpt_save(f->cell, a1, a2);
        break;
    case NX_CHECKPOINT_LOAD:
        r = ckpt_load(f->cell, a1, a2);
        break;
    case NX_CHECKPOINT_DROP:
        ckpt_drop(f->cell);
        break;
    default:
        r = -NX_ENOSYS;
        break;
    }
    unlock();
    return r;
}
