/* Items of epoll: what is watched, and the way from a wake-up of its queues to the ready list. */
#include "event/epoll_int.h"
#include "fd/fd_int.h"
#include "include/proc.h"
#include "poll/poll_int.h"

#include <linux/eventpoll.h>
#include <nx_base.h>

#define BUCKETS_MIN 16u
#define ITEM_COST 256u /* of a 25th of the memory that the items of one user may take */

static struct epitem **bucket_of(const struct epoll *ep, const struct file *f, int fd)
{
    uint64_t x = ((uintptr_t)f >> 4) * 0x9e3779b97f4a7c15ul + (unsigned)fd;
    return &ep->table[(x ^ x >> 32) & (ep->buckets - 1)];
}

struct epitem *epitem_find(const struct epoll *ep, const struct file *f, int fd)
{
    struct epitem *i = ep->buckets > 0 ? *bucket_of(ep, f, fd) : NULL;
    while (i != NULL && (i->file != f || i->fd != fd)) {
        i = i->hash_next;
    }
    return i;
}

/* Without memory a table stays as it is; -ENOMEM: there is none yet. */
static int table_grow(struct epoll *ep)
{
    uint32_t old_n = ep->buckets, n = old_n > 0 ? old_n * 2 : BUCKETS_MIN;
    struct epitem **old = ep->table, **table = mb_zalloc(n * sizeof(struct epitem *));
    if (table == NULL) {
        return old_n > 0 ? 0 : -ENOMEM;
    }
    ep->table = table;
    ep->buckets = n;
    for (uint32_t b = 0; b < old_n; b++) {
        for (struct epitem *i = old[b], *next; i != NULL; i = next) {
            struct epitem **to = bucket_of(ep, i->file, i->fd);
            next = i->hash_next;
            i->hash_next = *to;
            *to = i;
        }
    }
    mb_free(old);
    return 0;
}

/* ---- the ready list ---- */

void epitem_ready(struct epitem *i)
{
    struct epoll *ep = i->ep;
    if (i->ready) {
        return;
    }
    i->ready = true;
    i->ready_next = NULL;
    i->ready_prev = ep->ready_last;
    *(ep->ready_last != NULL ? &ep->ready_last->ready_next : &ep->ready_first) = i;
    ep->ready_last = i;
}

void epitem_unready(struct epitem *i)
{
    struct epoll *ep = i->ep;
    if (!i->ready) {
        return;
    }
    i->ready = false;
    *(i->ready_prev != NULL ? &i->ready_prev->ready_next : &ep->ready_first) = i->ready_next;
    *(i->ready_next != NULL ? &i->ready_next->ready_prev : &ep->ready_last) = i->ready_prev;
}

uint32_t epitem_events(const struct epitem *i)
{
    return i->file->ops->poll(i->file, NULL) & i->events;
}

/* It is ready: one of those who wait, and all who poll the instance, are to look. */
static bool tell(struct epitem *i)
{
    struct epoll *ep = i->ep;
    bool somebody = ep->waiters.head != NULL;
    epitem_ready(i);
    wait_wake_one(&ep->waiters);
    wait_wake(&ep->pollers);
    return somebody;
}

static bool hook_woken(struct waiter *w)
{
    struct epitem *i = container_of(w, struct ep_hook, w)->item;
    if ((i->events & ~(uint32_t)(EPOLLET | EPOLLONESHOT | EPOLLEXCLUSIVE | EPOLLWAKEUP)) == 0) {
        return false; /* it was told once, and waits for its renewal */
    }
    bool somebody = tell(i);
    return somebody || (i->events & EPOLLEXCLUSIVE) == 0;
}

/* ---- making and ending ---- */

struct hook_table {
    struct poll_table pt;
    struct epitem *item;
};

static void hook_add(struct poll_table *pt, struct waitq *q)
{
    struct epitem *i = container_of(pt, struct hook_table, pt)->item;
    struct ep_hook *h;
    if (i->hooks_used < ARRAY_LEN(i->few)) {
        h = &i->few[i->hooks_used++];
    } else {
        h = mb_alloc(sizeof(*h));
        if (h == NULL) {
            i->no_memory = true;
            return;
        }
        h->next = i->more;
        i->more = h;
    }
    h->item = i;
    h->w.exclusive = (i->events & EPOLLEXCLUSIVE) != 0;
    wait_add_fn(q, &h->w, hook_woken);
}

static uint64_t items_max(void)
{
    return mb_pages_total() * MB_PAGE / 25 / ITEM_COST;
}

static struct epitem *item_make(struct epoll *ep, struct file *f, int fd, const struct ep_event *e)
{
    struct epitem *i = mb_zalloc(sizeof(*i));
    if (i == NULL) {
        return NULL;
    }
    i->ep = ep;
    i->file = f;
    i->fd = fd;
    i->events = e->events;
    i->data = e->data;
    struct epitem **b = bucket_of(ep, f, fd);
    i->hash_next = *b;
    *b = i;
    i->file_next = f->epitems;
    i->file_link = &f->epitems;
    if (i->file_next != NULL) {
        i->file_next->file_link = &i->file_next;
    }
    f->epitems = i;
    ep->count++;
    ep->user->epoll_items++;
    return i;
}

int epitem_add(struct epoll *ep, struct file *f, int fd, const struct ep_event *e)
{
    if (ep->user->epoll_items >= items_max()) {
        return -ENOSPC;
    }
    if (ep->count >= ep->buckets && table_grow(ep) < 0) {
        return -ENOMEM;
    }
    struct epitem *i = item_make(ep, f, fd, e);
    if (i == NULL) {
        return -ENOMEM;
    }
    struct hook_table table = {.pt.add = hook_add, .item = i};
    uint32_t events = f->ops->poll(f, &table.pt) & i->events;
    if (i->no_memory) {
        epitem_remove(i);
        return -ENOMEM;
    }
    if (epoll_too_many_ways(i)) {
        epitem_remove(i);
        return -EINVAL;
    }
    if (events != 0) {
        tell(i);
    }
    return 0;
}

void epitem_set(struct epitem *i, const struct ep_event *e)
{
    i->events = e->events;
    i->data = e->data;
    if (epitem_events(i) != 0) {
        tell(i);
    }
}

void epitem_remove(struct epitem *i)
{
    struct epoll *ep = i->ep;
    for (unsigned n = 0; n < i->hooks_used; n++) {
        wait_remove(&i->few[n].w);
    }
    while (i->more != NULL) {
        struct ep_hook *h = i->more;
        i->more = h->next;
        wait_remove(&h->w);
        mb_free(h);
    }
    epitem_unready(i);
    struct epitem **at = bucket_of(ep, i->file, i->fd);
    while (*at != i) {
        at = &(*at)->hash_next;
    }
    *at = i->hash_next;
    *i->file_link = i->file_next;
    if (i->file_next != NULL) {
        i->file_next->file_link = i->file_link;
    }
    ep->count--;
    ep->user->epoll_items--;
    mb_free(i);
}

void epoll_forget(struct file *f)
{
    while (f->epitems != NULL) {
        epitem_remove(f->epitems);
    }
}
