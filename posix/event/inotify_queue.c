/* The queue of events of an inotify instance.
 *
 * An event like the one before it is not queued again.  When the queue is full, or there is no memory,
 * IN_Q_OVERFLOW stands for all that is lost until somebody reads.
 */
#include "event/inotify_int.h"

#include <string.h>

#define HEAD ((uint32_t)sizeof(struct inotify_event))

static bool same(const struct in_event *e, int32_t wd, uint32_t mask, uint32_t padded,
                 const char *name, unsigned len)
{
    if (e->wd != wd || e->mask != mask || e->len != padded || (mask & IN_IGNORED) != 0) {
        return false;
    }
    return padded == 0 || (memcmp(e->name, name, len) == 0 && e->name[len] == 0);
}

static void append(struct inotify *in, struct in_event *e)
{
    e->next = NULL;
    *(in->last != NULL ? &in->last->next : &in->first) = e;
    in->last = e;
    in->queued++;
    in->bytes += HEAD + e->len;
    wait_wake(&in->readers);
}

void in_queue(struct inotify *in, int32_t wd, uint32_t mask, uint32_t cookie, const char *name,
              unsigned len)
{
    uint32_t padded = name != NULL ? (len + HEAD) / HEAD * HEAD : 0; /* with its NUL */
    if (in->last != NULL && same(in->last, wd, mask, padded, name, len)) {
        return;
    }
    struct in_event *e =
        in->queued < in->queued_max ? mb_zalloc(sizeof(struct in_event) + padded) : NULL;
    if (e == NULL) {
        if (in->overflow.mask == 0) {
            in->overflow.mask = IN_Q_OVERFLOW;
            in->overflow.wd = -1;
            append(in, &in->overflow);
        }
        return;
    }
    e->wd = wd;
    e->mask = mask;
    e->cookie = cookie;
    e->len = padded;
    if (name != NULL) {
        memcpy(e->name, name, len);
    }
    append(in, e);
}

struct in_event *in_take(struct inotify *in)
{
    struct in_event *e = in->first;
    in->first = e->next;
    if (in->first == NULL) {
        in->last = NULL;
    }
    in->queued--;
    in->bytes -= HEAD + e->len;
    return e;
}

void in_event_free(struct inotify *in, struct in_event *e)
{
    if (e == &in->overflow) {
        e->mask = 0;
    } else {
        mb_free(e);
    }
}
