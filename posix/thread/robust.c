/* Robust lists, and the calls a thread makes about itself.
 *
 * The list is program memory and may hold anything: the walk is bounded, ends at the first address
 * that faults, and touches words only by compare-and-swap.
 */
#include <asm/errno.h>
#include <linux/futex.h>
#include "proc.h"
#include "sys.h"
#include "thread/thread.h"

struct robust_head {
    uint64_t next;
    int64_t offset; /* from an entry to its futex word */
    uint64_t pending;
};
_Static_assert(sizeof(struct robust_head) == 24, "robust_list_head layout");

/* One lock: if the thread owns it, mark that its owner died. pending: it was about to take or release
 * it, so the word may already be nobody's with waiters asleep. */
static int owner_died(struct task *t, uint64_t addr, bool pi, bool pending)
{
    uint32_t old, was;
    if (addr & 3)
        return -EFAULT;
    if (mb_load32(&old, addr))
        return -EFAULT;
    for (;;) {
        if (pending && !pi && !old) {
            futex_wake_addr(t->mm, addr, 1);
            return 0;
        }
        if ((old & FUTEX_TID_MASK) != (uint32_t)t->tid)
            return 0;
        uint32_t new = (old & FUTEX_WAITERS) | FUTEX_OWNER_DIED;
        if (mb_cas32(addr, old, new, &was))
            return -EFAULT;
        if (was == old)
            break;
        old = was;
    }
    if (!pi && (old & FUTEX_WAITERS))
        futex_wake_addr(t->mm, addr, 1);
    return 0;
}

void robust_list_exit(struct task *t)
{
    struct robust_head h;
    uint64_t list = t->robust_list;
    t->robust_list = 0;
    if (!list || mb_copy_in(&h, list, sizeof h))
        return;
    uint64_t at = h.next;
    for (int n = 0; (at & ~1ull) != list && n < ROBUST_LIST_LIMIT; n++) {
        uint64_t next;
        bool ok = mb_copy_in(&next, at & ~1ull, sizeof next) == 0;
        if (at != h.pending && owner_died(t, (at & ~1ull) + (uint64_t)h.offset, at & 1, false))
            return;
        if (!ok)
            return;
        at = next;
    }
    if (h.pending)
        owner_died(t, (h.pending & ~1ull) + (uint64_t)h.offset, h.pending & 1, true);
}

long sys_set_robust_list(const uint64_t a[6])
{
    if (a[1] != sizeof(struct robust_head))
        return -EINVAL;
    current->robust_list = a[0];
    return 0;
}

long sys_get_robust_list(const uint64_t a[6])
{
    const struct task *t = (int)a[0] ? task_find((int)a[0]) : current;
    uint64_t size = sizeof(struct robust_head);
    if (!t)
        return -ESRCH;
    if (!process_may_look(t->proc, false))
        return -EPERM;
    if (mb_copy_out(a[2], &size, sizeof size))
        return -EFAULT;
    return mb_copy_out(a[1], &t->robust_list, sizeof t->robust_list);
}

long sys_set_tid_address(const uint64_t a[6])
{
    current->clear_tid = a[0];
    return current->tid;
}
