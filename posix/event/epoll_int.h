/* Inside epoll: instances, items, and what the files of it do for each other.
 *
 *      file (eventpoll) -> struct epoll -- hash --> struct epitem --> file (watched; no reference)
 *                              |ready, in order         |hooks
 *                              v                        v
 *                          items that may be ready   queues of the watched file
 *
 * An item is one (file, descriptor number) pair.  A wake-up of a queue of its file puts it on the ready
 * list; whether it really is ready is asked when somebody collects.  A file that is released takes its
 * items with it, so an item needs no reference of it.  Everything wants the personality lock.
 */
#ifndef POSIX_EVENT_EPOLL_INT_H
#define POSIX_EVENT_EPOLL_INT_H

#include "event/epoll.h"
#include "include/vfs.h"

#define EP_NESTS 4 /* epoll instances below one another, beside the outermost */

struct ep_event { /* struct epoll_event of riscv64; x86-64, where tests run, packs it */
    uint32_t events, pad;
    uint64_t data;
};

struct ep_hook {
    struct waiter w;
    struct epitem *item;
    struct ep_hook *next;
};

struct epitem {
    struct epoll *ep;
    struct file *file;
    int fd;
    uint32_t events;
    uint64_t data;
    struct epitem *hash_next;
    struct epitem *file_next, **file_link; /* all that watch the file */
    struct epitem *ready_next, *ready_prev;
    bool ready, no_memory;
    uint64_t round; /* of its ep: it was looked at then, and put back */
    uint8_t hooks_used;
    struct ep_hook few[2]; /* most files have one queue or two */
    struct ep_hook *more;
};

struct epoll {
    struct file *file;     /* its own; no reference */
    struct waitq waiters;  /* in epoll_wait */
    struct waitq pollers;  /* who polls the instance itself, other instances too */
    struct epitem **table; /* by file and descriptor */
    uint32_t buckets, count;
    struct epitem *ready_first, *ready_last;
    struct user *user; /* on whose account the items are */
    uint64_t seen;     /* the last walk that came by */
    uint64_t round;    /* of collecting */
};

extern const struct file_ops epoll_ops;
static inline struct epoll *epoll_of(const struct file *f) /* NULL: it is none */
{
    return f->ops == &epoll_ops ? f->priv : NULL;
}

/* ---- item.c ---- */
struct epitem *epitem_find(const struct epoll *ep, const struct file *f, int fd);
/* Make one, hook it to its file's queues; 0, -ENOMEM, -ENOSPC. */
int epitem_add(struct epoll *ep, struct file *f, int fd, const struct ep_event *e);
void epitem_set(struct epitem *i, const struct ep_event *e);
void epitem_remove(struct epitem *i);
/* What of the events it was asked for is there. */
uint32_t epitem_events(const struct epitem *i);
void epitem_ready(struct epitem *i);   /* put it on the ready list, if it is not there */
void epitem_unready(struct epitem *i); /* and off */

/* ---- epoll_nest.c ---- */
/* May ep watch f?  -ELOOP: in a circle, or too deep. */
int epoll_may_watch(struct epoll *ep, const struct file *f);
/* i is there: would a wake-up of its file, or of one below it, go too many ways? */
bool epoll_too_many_ways(const struct epitem *i);

#endif
