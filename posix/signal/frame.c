/* The signal frame: what a handler finds on its stack, and the way back (rt_sigreturn).
 *
 *      higher addresses   interrupted stack, or top of the alternate one
 *      sp + 304           struct sigcontext: 32 registers (pc first), 528 bytes of floating point
 *      sp + 128           struct ucontext: flags, link, stack_t, mask (1024 bits)
 *      sp ->              siginfo_t
 *
 * exactly as Linux lays it out on riscv64.  ra points at the trampoline in the page every program has
 * (mm_sigreturn_addr).  The floating point registers are saved as they are; a program that never used
 * them gets zeroes, and zeroes do not make it a user of them on the way back.
 */
#include <asm/errno.h>
#include <string.h>
#include "mm.h"
#include "signal_int.h"
#include "sys.h"

struct frame {
    struct ksiginfo info;
    uint8_t info_rest[SIGINFO_SIZE - sizeof(struct ksiginfo)];
    uint64_t uc_flags, uc_link;
    struct kstack uc_stack;
    uint64_t uc_sigmask, uc_unused[15];
    uint64_t pad;
    uint64_t reg[32];
    uint64_t fp[32];
    uint32_t fcsr;
    uint8_t fp_rest[528 - 32 * 8 - 4 - 12]; /* room for the Q extension */
    uint32_t reserved[3];                   /* zero: marks of later extensions */
};
_Static_assert(offsetof(struct frame, uc_flags) == 128, "rt_sigframe layout");
_Static_assert(offsetof(struct frame, uc_sigmask) == 128 + 40, "rt_sigframe layout");
_Static_assert(offsetof(struct frame, reg) == 128 + 176, "rt_sigframe layout");
_Static_assert(offsetof(struct frame, reserved) == 128 + 176 + 256 + 516, "rt_sigframe layout");
_Static_assert(sizeof(struct frame) == 1088, "rt_sigframe layout");

static uint64_t frame_place(const struct task *t, const struct ksigaction *act, uint64_t sp)
{
    bool on = altstack_holds(t, sp);
    /* Growing out of the alternate stack must not hit what lies below it: an address that faults. */
    if (on && !altstack_holds(t, sp - sizeof(struct frame)))
        return ~0ull;
    if ((act->flags & SA_ONSTACK) && !on && t->alt_size)
        sp = t->alt_sp + t->alt_size;
    return (sp - sizeof(struct frame)) & ~15ull;
}

void state_fp_sync(struct nx_state *s)
{
    if ((s->flags & NX_FS_FP_USED) && !(s->flags & NX_FS_FP_LOAD))
        mb_fp_save();
}

void state_fp_replace(struct nx_state *s, bool used)
{
    s->flags = NX_FS_FP_LOAD | (used ? NX_FS_FP_USED : 0);
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
}

int sig_frame_push(struct task *t, const struct ksigaction *act, const struct ksiginfo *info)
{
    struct nx_state *s = current_state;
    uint64_t at = frame_place(t, act, s->reg[2]);
    struct frame f;
    memset(&f, 0, sizeof f);
    f.info = *info;
    f.uc_stack = altstack_get(t, s->reg[2]);
    f.uc_sigmask = t->mask_saved ? t->saved_mask : t->sigmask;
    memcpy(f.reg, s->reg, sizeof f.reg);
    if (s->flags & NX_FS_FP_USED) {
        state_fp_sync(s);
        memcpy(f.fp, s->fp, sizeof f.fp);
        f.fcsr = (uint32_t)s->fcsr;
    }
    if (mb_copy_out(at, &f, sizeof f))
        return -EFAULT;
    if (t->alt_flags & (1u << 31)) { /* SS_AUTODISARM */
        t->alt_sp = t->alt_size = 0;
        t->alt_flags = SS_DISABLE;
    }
    s->reg[0] = act->handler;
    s->reg[1] = mm_sigreturn_addr(t->mm);
    s->reg[2] = at;
    s->reg[10] = (uint64_t)info->signo;
    s->reg[11] = at + offsetof(struct frame, info);
    s->reg[12] = at + offsetof(struct frame, uc_flags);
    return 0;
}

static bool fp_in_use(const struct nx_state *s, const struct frame *f)
{
    uint64_t any = f->fcsr | (s->flags & NX_FS_FP_USED);
    for (int i = 0; i < 32; i++)
        any |= f->fp[i];
    return any;
}

long sys_rt_sigreturn(const uint64_t a[6])
{
    struct task *t = current;
    struct nx_state *s = current_state;
    struct frame f;
    t->restart.fn = NULL;
    if (mb_copy_in(&f, s->reg[2], sizeof f) || f.reserved[0] || f.reserved[1] || f.reserved[2]) {
        sig_force(SIGSEGV);
        return 0;
    }
    memcpy(s->reg, f.reg, sizeof s->reg);
    if (fp_in_use(s, &f)) {
        state_fp_replace(s, true);
        memcpy(s->fp, f.fp, sizeof s->fp);
        s->fcsr = f.fcsr;
    }
    sig_set_mask(t, f.uc_sigmask);
    altstack_set(t, &f.uc_stack, s->reg[2], 0); /* as on Linux, errors do not matter */
    return 0;
}
