/* Object reference counts: who destroys what.  See object.h. */
#include "object.h"

#include "cell.h"
#include "event.h"
#include "mem.h"
#include "ring.h"
#include "shelf.h"

bool object_may_count(const struct quota *q)
{
    return q->objects < q->objects_max;
}

void object_count(struct object *o)
{
    o->counted = true;
    o->quota->objects++;
}

void object_ref(struct object *o)
{
    o->refs++;
}

void object_unref(struct object *o)
{
    if (--o->refs != 0) {
        return;
    }
    if (o->counted) {
        o->counted = false;
        o->quota->objects--;
    }
    switch (o->type) {
    case NX_T_MEM:
    case NX_T_DEVMEM:
        mem_destroy((struct mem *)o);
        break;
    case NX_T_RING:
        ring_destroy((struct ring *)o);
        break;
    case NX_T_EVENT:
    case NX_T_IRQ:
        event_destroy((struct event *)o);
        break;
    case NX_T_CELL:
        cell_destroy((struct cell *)o);
        break;
    case NX_T_SHELF:
        shelf_destroy((struct shelf *)o);
        break;
    default:
        break; /* the machine object is static */
    }
}
