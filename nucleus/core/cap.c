/* Capabilities: look-up and slots.  See cap.h. */
#include "cap.h"

#include "cell.h"
#include "event.h"
#include "fiber.h"
#include "log.h"
#include "ring.h"

uint32_t cap_count;

int cap_peek(const struct fiber *f, uint64_t slot, unsigned type, uint32_t rights,
             struct object **out)
{
    const struct cap *cap = cap_live(f->cell->caps, f->capmask, slot);
    if (cap == NULL || (type != NX_T_NONE && cap->obj->type != type)) {
        return -NX_EBADF;
    }
    if ((cap->rights & rights) != rights) {
        return -NX_EPERM;
    }
    *out = cap->obj;
    return 0;
}

int cap_get(struct fiber *f, uint64_t slot, unsigned type, uint32_t rights, struct object **out)
{
    int e = cap_peek(f, slot, type, rights, out);
    if (e != 0) {
        beb_add(NX_BEB_DENIED, f, type, slot);
    }
    return e;
}

uint32_t cap_rights(const struct cell *c, uint64_t slot)
{
    return c->caps[slot].rights;
}

int cap_put(struct cell *c, uint64_t slot, struct object *o, uint32_t rights)
{
    if (slot >= NX_SLOTS) {
        return -NX_EBADF;
    }
    if (c->caps[slot].obj != NULL) {
        return -NX_EBUSY;
    }
    object_ref(o);
    c->caps[slot] = (struct cap){.obj = o, .epoch = o->epoch, .rights = rights};
    c->pending &= ~(1ul << slot);
    cap_count++;
    if (o->type == NX_T_RING) {
        ring_listen((struct ring *)o, c, (unsigned)slot, rights);
    } else if ((rights & NX_R_RECV) != 0) {
        struct listener *l = event_listener(o);
        if (l != NULL) {
            *l = (struct listener){.cell = c, .slot = (uint32_t)slot};
        }
    }
    return 0;
}

void cap_drop(struct cell *c, unsigned slot)
{
    struct object *o = c->caps[slot].obj;
    if (o == NULL) {
        return;
    }
    if (o->type == NX_T_RING) {
        ring_unlisten((struct ring *)o, c, slot);
    } else {
        struct listener *l = event_listener(o);
        if (l != NULL && l->cell == c && l->slot == slot) {
            l->cell = NULL;
        }
    }
    c->caps[slot] = (struct cap){0};
    c->pending &= ~(1ul << slot);
    cap_count--;
    object_unref(o);
}
