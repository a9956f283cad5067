/* The alternate signal stack. */
#include <asm/errno.h>
#include "signal_int.h"
#include "sys.h"

#define AUTODISARM (1u << 31) /* SS_AUTODISARM */
#define ALTSTACK_MIN 2048

bool altstack_holds(const struct task *t, uint64_t sp)
{
    /* With AUTODISARM nobody is ever "on" it: it was disarmed when its handler began. */
    if (t->alt_flags & AUTODISARM)
        return false;
    return sp > t->alt_sp && sp - t->alt_sp <= t->alt_size;
}

struct kstack altstack_get(const struct task *t, uint64_t sp)
{
    struct kstack s = {.sp = t->alt_sp, .size = t->alt_size};
    uint32_t mode = !t->alt_size ? SS_DISABLE : altstack_holds(t, sp) ? SS_ONSTACK : 0;
    s.flags = (int32_t)(mode | (t->alt_flags & AUTODISARM));
    return s;
}

int altstack_set(struct task *t, const struct kstack *s, uint64_t sp, uint64_t min_size)
{
    uint32_t mode = (uint32_t)s->flags & ~AUTODISARM;
    if (altstack_holds(t, sp))
        return -EPERM;
    if (mode != SS_DISABLE && mode != SS_ONSTACK && mode != 0)
        return -EINVAL;
    if (mode == SS_DISABLE) {
        t->alt_sp = t->alt_size = 0;
    } else {
        if (s->size < min_size)
            return -ENOMEM;
        t->alt_sp = s->sp;
        t->alt_size = s->size;
    }
    t->alt_flags = (uint32_t)s->flags;
    return 0;
}

long sys_sigaltstack(const uint64_t a[6])
{
    struct task *t = current;
    uint64_t sp = current_state->reg[2];
    struct kstack new, old = altstack_get(t, sp);
    if (a[0]) {
        if (mb_copy_in(&new, a[0], sizeof new))
            return -EFAULT;
        int err = altstack_set(t, &new, sp, ALTSTACK_MIN);
        if (err)
            return err;
    }
    if (a[1] && mb_copy_out(a[1], &old, sizeof old))
        return -EFAULT;
    return 0;
}
