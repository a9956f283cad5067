/* Epoll instances that watch epoll instances: no circles, no deep towers, and no file whose wake-up would
 * run through too many of them, since that is done with the personality lock.
 *
 * A walk marks the instances it came by, so that it takes no longer than there are items.
 */
#include "event/epoll_int.h"

#include <nx_base.h>
#include <asm/errno.h>

static uint64_t walk;

/* How many instances lie below ep, itself not counted; -1: target is among them, or too many. */
static int depth_below(struct epoll *ep, const struct epoll *target, int room)
{
    int deepest = 0;
    if (ep == target || room < 0) {
        return -1;
    }
    if (ep->seen == walk) {
        return 0;
    }
    for (uint32_t b = 0; b < ep->buckets; b++) {
        for (const struct epitem *i = ep->table[b]; i != NULL; i = i->hash_next) {
            struct epoll *below = epoll_of(i->file);
            if (below == NULL) {
                continue;
            }
            int d = depth_below(below, target, room - 1);
            if (d < 0) {
                return -1;
            }
            deepest = d + 1 > deepest ? d + 1 : deepest;
        }
    }
    ep->seen = walk;
    return deepest;
}

static int depth_above(const struct file *f, int room)
{
    int deepest = 0;
    for (const struct epitem *i = f->epitems; i != NULL && room > 0; i = i->file_next) {
        int d = depth_above(i->ep->file, room - 1) + 1;
        deepest = d > deepest ? d : deepest;
    }
    return deepest;
}

/* Ways up from a file, by their length; those of one step are not counted. */
static const uint16_t ways_max[EP_NESTS + 1] = {1000, 500, 100, 50, 10};

static bool too_many_ways(const struct file *f, unsigned length, uint16_t *ways)
{
    for (const struct epitem *i = f->epitems; i != NULL; i = i->file_next) {
        if (i->ep->file->epitems == NULL) {
            if (length > EP_NESTS || (length > 0 && ++ways[length] > ways_max[length])) {
                return true;
            }
        } else if (length >= EP_NESTS || too_many_ways(i->ep->file, length + 1, ways)) {
            return true;
        }
    }
    return false;
}

/* Of f, or of a file below it. */
static bool wakes_too_many(const struct file *f)
{
    struct epoll *ep = epoll_of(f);
    uint16_t ways[EP_NESTS + 1] = {0};
    if (ep == NULL) {
        return too_many_ways(f, 0, ways);
    }
    if (ep->seen == walk) {
        return false;
    }
    ep->seen = walk;
    for (uint32_t b = 0; b < ep->buckets; b++) {
        for (const struct epitem *i = ep->table[b]; i != NULL; i = i->hash_next) {
            if (wakes_too_many(i->file)) {
                return true;
            }
        }
    }
    return false;
}

int epoll_may_watch(struct epoll *ep, const struct file *f)
{
    struct epoll *below = epoll_of(f);
    if (below == NULL) {
        return 0;
    }
    walk++;
    int down = depth_below(below, ep, EP_NESTS);
    bool deep = down < 0 || down + 1 + depth_above(ep->file, EP_NESTS + 1) > EP_NESTS;
    return deep ? -ELOOP : 0;
}

bool epoll_too_many_ways(const struct epitem *i)
{
    if (i->ep->file->epitems == NULL && epoll_of(i->file) == NULL) {
        return false; /* one step: any number will do */
    }
    walk++;
    return wakes_too_many(i->file);
}
