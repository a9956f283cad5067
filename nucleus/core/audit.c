/* See audit.h. */
#include "audit.h"

#include "cell.h"
#include "event.h"
#include "fiber.h"
#include "log.h"
#include "machine.h"
#include "page.h"
#include "ring.h"
#include "shelf.h"

#include <nx_base.h>

#define TOLD 8u            /* lines in the log */
#define FIBERS_LOOKED 512u /* of a cell */

static uint32_t found;

static void wrong(const struct cell *c, unsigned slot, const char *what)
{
    if (found++ < TOLD) {
        log_print("audit: cell %s generation %u slot %u: %s", c->name, c->generation, slot, what);
    }
}

/* May what is there be looked at?  Objects are in pools, which are pages, 16 bytes apart at least. */
static bool is_object(const struct object *o)
{
    if (o == &machine.obj) {
        return true;
    }
    uint64_t pa = arch_phys_of(o);
    return pa >= machine.memory_base && pa < machine.memory_end && pa % 16 == 0 && page_known(pa) &&
           page_refs(pa) != 0;
}

static bool is_quota(const struct quota *q)
{
    uint64_t off = (uintptr_t)q - (uintptr_t)quotas;
    return off < sizeof(quotas) && off % sizeof(quotas[0]) == 0 && q->taken;
}

static bool is_cell(const struct cell *c)
{
    list_for_each(n, &cells)
    {
        if (list_entry(n, struct cell, link) == c) {
            return true;
        }
    }
    return false;
}

/* Whoever is told of it is there and holds it. */
static bool listener_holds(const struct listener *l, const struct object *o)
{
    return l->cell == NULL ||
           (is_cell(l->cell) && l->slot < NX_SLOTS && l->cell->caps[l->slot].obj == o);
}

static void check_listeners(const struct cell *c, unsigned slot, struct object *o)
{
    const struct listener *l = event_listener(o);
    bool good = l == NULL || listener_holds(l, o);
    if (o->type == NX_T_RING) {
        const struct ring *r = (struct ring *)o;
        good = listener_holds(&r->end[0], o) && listener_holds(&r->end[1], o);
    }
    if (!good) {
        wrong(c, slot, "the listener does not hold the object");
    }
}

/* A capability in that slot, or on the shelf that is there; answers its object when that may be looked at,
 * else NULL. */
static struct object *check_cap(const struct cell *c, unsigned slot, const struct cap *cap)
{
    struct object *o = cap->obj;
    if (o == NULL) {
        if (cap->rights != 0 || cap->epoch != 0) {
            wrong(c, slot, "rights to nothing");
        }
        return NULL;
    }
    if (!is_object(o)) {
        wrong(c, slot, "no object");
        return NULL;
    }
    if (o->type == NX_T_NONE || o->type >= NX_TYPES) {
        wrong(c, slot, "an object of no type");
        return NULL;
    }
    if ((cap->rights & ~NX_R_ALL) != 0) {
        wrong(c, slot, "unknown rights");
    }
    if (cap->epoch > o->epoch) {
        wrong(c, slot, "an epoch that is to come");
    }
    if (!is_quota(o->quota)) {
        wrong(c, slot, "an object nobody pays for");
    }
    check_listeners(c, slot, o);
    return o;
}

static void check_fibers(const struct cell *c)
{
    uint32_t n = 0;
    list_for_each(l, &c->fibers)
    {
        if (list_entry(l, struct fiber, cell_link)->cell != c || ++n > FIBERS_LOOKED) {
            break;
        }
    }
    if (n != c->fiber_count && n <= FIBERS_LOOKED) {
        wrong(c, NX_SLOTS, "the number of its fibers");
    }
}

static void for_each_slot(void (*visit)(struct cell *c, unsigned slot))
{
    list_for_each(n, &cells)
    {
        struct cell *c = list_entry(n, struct cell, link);
        for (unsigned slot = 0; slot < NX_SLOTS; slot++) {
            visit(c, slot);
        }
    }
}

static struct shelf *shelf_in(const struct cap *cap)
{
    struct object *o = cap->obj;
    return o != NULL && is_object(o) && o->type == NX_T_SHELF ? (struct shelf *)o : NULL;
}

static uint32_t held;

static void forget(struct cell *c, unsigned slot)
{
    const struct shelf *s = shelf_in(&c->caps[slot]);
    for (unsigned i = 0; s != NULL && i < NX_SHELF_PLACES; i++) {
        if (s->cap[i].obj != NULL && is_object(s->cap[i].obj)) {
            s->cap[i].obj->held = 0;
        }
    }
    if (c->caps[slot].obj != NULL && is_object(c->caps[slot].obj)) {
        c->caps[slot].obj->held = 0;
    }
}

/* Objects that may be looked at count their capabilities.  A shelf is gone through the first time. */
static void check(struct cell *c, unsigned slot)
{
    const struct cap *cap = &c->caps[slot];
    held += cap->obj != NULL;
    struct object *o = check_cap(c, slot, cap);
    if (o == NULL || o->held++ != 0) {
        return;
    }
    const struct shelf *s = shelf_in(cap);
    for (unsigned i = 0; s != NULL && i < NX_SHELF_PLACES; i++) {
        held += s->cap[i].obj != NULL;
        o = check_cap(c, slot, &s->cap[i]);
        if (o != NULL) {
            o->held++;
            if (o->type != NX_T_MEM && o->type != NX_T_RING) {
                wrong(c, slot, "what does not belong on a shelf");
            }
        }
    }
}

/* Only once for an object: the first time it is met. */
static bool check_references_of(const struct cell *c, unsigned slot, struct object *o)
{
    if (o == NULL || !is_object(o) || o->held == 0) {
        return false;
    }
    if (o->refs < o->held) {
        wrong(c, slot, "more capabilities than references");
    }
    o->held = 0;
    return true;
}

static void check_references(struct cell *c, unsigned slot)
{
    const struct shelf *s = shelf_in(&c->caps[slot]);
    if (check_references_of(c, slot, c->caps[slot].obj) && s != NULL) {
        for (unsigned i = 0; i < NX_SHELF_PLACES; i++) {
            (void)check_references_of(c, slot, s->cap[i].obj);
        }
    }
}

uint32_t audit_capabilities(void)
{
    found = held = 0;
    for_each_slot(forget);
    for_each_slot(check);
    for_each_slot(check_references);
    list_for_each(n, &cells)
    {
        check_fibers(list_entry(n, struct cell, link));
    }
    if (held != cap_count) {
        log_print("audit: %u capabilities, %u counted", held, cap_count);
        found++;
    }
    return found;
}

void audit_after_event(void)
{
    uint32_t n = audit_capabilities();
    log_print("audit after a systemic event: %u inconsistencies", n);
    if (n != 0 && supervisor != NULL) {
        beb_add_cell(NX_BEB_AUDIT, supervisor, n, 0);
    }
}
