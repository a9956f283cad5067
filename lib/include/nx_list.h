/*
 * nx_list.h - intrusive doubly linked list with a head of the same type.
 *
 * A node that is on no list points to itself, so list_remove() is always allowed and
 * list_is_empty() of a node says whether it is on a list. Locking is the caller's.
 */
#ifndef NX_LIST_H
#define NX_LIST_H

#include <nx_base.h>

struct list {
    struct list *next;
    struct list *prev;
};

#define LIST_INIT(name)  \
    {                    \
        &(name), &(name) \
    }

static inline void list_init(struct list *l)
{
    l->next = l;
    l->prev = l;
}

static inline bool list_is_empty(const struct list *l)
{
    return l->next == l;
}

/* Put `node`, which is on no list, behind / before `at`. */
static inline void list_insert_after(struct list *at, struct list *node)
{
    node->prev = at;
    node->next = at->next;
    at->next->prev = node;
    at->next = node;
}

static inline void list_insert_before(struct list *at, struct list *node)
{
    list_insert_after(at->prev, node);
}

static inline void list_push_front(struct list *head, struct list *node)
{
    list_insert_after(head, node);
}

static inline void list_push_back(struct list *head, struct list *node)
{
    list_insert_before(head, node);
}

static inline void list_remove(struct list *node)
{
    node->prev->next = node->next;
    node->next->prev = node->prev;
    list_init(node);
}

/* NULL when the list is empty. */
static inline struct list *list_pop_front(struct list *head)
{
    struct list *node = head->next;
    if (node == head) {
        return NULL;
    }
    list_remove(node);
    return node;
}

/* Move all of `from` to the end of `to`. */
static inline void list_splice_back(struct list *to, struct list *from)
{
    if (list_is_empty(from)) {
        return;
    }
    from->next->prev = to->prev;
    to->prev->next = from->next;
    from->prev->next = to;
    to->prev = from->prev;
    list_init(from);
}

#define list_entry(node, type, member) container_of(node, type, member)

/* First entry, or NULL. */
#define list_first(head, type, member) \
    (list_is_empty(head) ? NULL : container_of((head)->next, type, member))

/* `node` may not be removed in the loop; with _safe it may, and nothing else may. */
#define list_for_each(node, head) \
    for (struct list *node = (head)->next; node != (head); node = node->next)
#define list_for_each_safe(node, head)                                             \
    for (struct list *node = (head)->next, *nx_next_ = node->next; node != (head); \
         node = nx_next_, nx_next_ = node->next)

#endif
