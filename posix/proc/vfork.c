/* vfork: the parent sleeps until its child has left the shared address space (exec or exit).
 *
 * Each side points at the other; whichever leaves first unties the knot, under the lock.
 */
#include <stddef.h>
#include "proc_int.h"

void vfork_begin(struct task *t)
{
    struct task *me = current;
    waitq_init(&me->vfork_queue);
    t->vfork = me;
    me->vforked = t;
}

void vfork_wait(void)
{
    struct task *me = current;
    while (me->vforked && wait_on_killable(&me->vfork_queue, MB_NEVER) == 0)
        ;
    if (me->vforked)
        me->vforked->vfork = NULL;
    me->vforked = NULL;
}

void vfork_release(struct task *t)
{
    struct task *parent = t->vfork;
    if (!parent)
        return;
    t->vfork = NULL;
    parent->vforked = NULL;
    wait_wake(&parent->vfork_queue);
}
