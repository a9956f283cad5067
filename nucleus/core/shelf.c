/* Shelves.  See shelf.h. */
#include "shelf.h"

#include "pool.h"

static struct pool shelves = POOL("shelf", struct shelf);

/* It has a page of its own in the pool. */
_Static_assert(sizeof(struct shelf) <= 4096, "a shelf is no more than a page");

struct shelf *shelf_make(struct quota *q)
{
    if (!quota_charge(q, sizeof(struct shelf), 0)) {
        return NULL;
    }
    struct shelf *s = pool_alloc(&shelves);
    if (s == NULL) {
        quota_credit(q, sizeof(struct shelf));
        return NULL;
    }
    s->obj = (struct object){.type = NX_T_SHELF, .refs = 1, .quota = q};
    return s;
}

void shelf_destroy(struct shelf *s)
{
    for (unsigned i = 0; i < NX_SHELF_PLACES; i++) {
        (void)shelf_clear(s, i);
    }
    quota_credit(s->obj.quota, sizeof(struct shelf));
    pool_free(&shelves, s);
}

int shelf_put(struct shelf *s, uint64_t place, struct object *o, uint32_t rights)
{
    if (place >= NX_SHELF_PLACES || (o->type != NX_T_MEM && o->type != NX_T_RING)) {
        return -NX_EBADF;
    }
    if (s->cap[place].obj != NULL) {
        return -NX_EBUSY;
    }
    object_ref(o);
    s->cap[place] = (struct cap){.obj = o, .epoch = o->epoch, .rights = rights};
    cap_count++;
    return 0;
}

const struct cap *shelf_live(const struct shelf *s, uint64_t place)
{
    if (place >= NX_SHELF_PLACES) {
        return NULL;
    }
    const struct cap *cap = &s->cap[place];
    return cap->obj != NULL && cap->epoch == cap->obj->epoch ? cap : NULL;
}

int shelf_clear(struct shelf *s, uint64_t place)
{
    if (place >= NX_SHELF_PLACES || s->cap[place].obj == NULL) {
        return -NX_EBADF;
    }
    struct object *o = s->cap[place].obj;
    s->cap[place] = (struct cap){0};
    cap_count--;
    object_unref(o);
    return 0;
}
