/* The processes there are: the list of all, in order of pid, and who is whose child.
 *
 * A process is on the list from clone until it is reaped.
 */
#include "proc.h"
#include "sig.h"

static struct process *first, *last_;
static struct process *init;

struct process *process_first(void)
{
    return first;
}

struct process *process_init(void)
{
    return init;
}

/* At the end: wait finds the oldest child first, as on Linux. */
static void join_parent(struct process *p, struct process *parent)
{
    p->parent = parent;
    p->sibling = NULL;
    *(parent->last_child ? &parent->last_child->sibling : &parent->children) = p;
    parent->last_child = p;
}

static void leave_parent(struct process *p)
{
    struct process *parent = p->parent, *before = NULL;
    if (!parent)
        return;
    for (struct process *c = parent->children; c != p; c = c->sibling)
        before = c;
    *(before ? &before->sibling : &parent->children) = p->sibling;
    if (parent->last_child == p)
        parent->last_child = before;
    p->sibling = NULL;
    p->parent = NULL;
}

void process_link(struct process *p, struct process *parent)
{
    /* New numbers are nearly always the greatest: look from the end. */
    struct process *before = last_;
    while (before && before->pid > p->pid)
        before = before->prev;
    p->prev = before;
    p->next = before ? before->next : first;
    *(before ? &before->next : &first) = p;
    *(p->next ? &p->next->prev : &last_) = p;

    if (parent)
        join_parent(p, parent);
    else
        init = p;
}

void process_unlink(struct process *p)
{
    leave_parent(p);
    *(p->prev ? &p->prev->next : &first) = p->next;
    *(p->next ? &p->next->prev : &last_) = p->prev;
}

void process_adopt(struct process *child, struct process *parent)
{
    leave_parent(child);
    join_parent(child, parent);
}
