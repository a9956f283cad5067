/* Registers of a stopped thread, as ptrace gives them: sets of registers by the number of their ELF note,
 * and the system call it is in.
 *
 * A stopped thread's floating point registers are in its state area (trace/stop.c).
 */
#include <asm/errno.h>
#include <linux/audit.h>
#include <linux/elf.h>
#include <string.h>
#include "trace/trace_int.h"

#define FP_REGS 32
#define FP_SIZE (FP_REGS * 8 + 8) /* and fcsr, padded: Linux tells the set in units of 8 bytes */

struct uiov {
    uint64_t base, len;
};

static long put_fp(const struct nx_state *s, const struct uiov *v)
{
    uint64_t set[FP_SIZE / 8] = {0};
    if (s->flags & NX_FS_FP_USED) {
        memcpy(set, s->fp, sizeof s->fp);
        set[FP_REGS] = (uint32_t)s->fcsr;
    }
    return mb_copy_out(v->base, set, v->len);
}

static long get_fp(struct nx_state *s, const struct uiov *v)
{
    uint64_t set[FP_SIZE / 8] = {0};
    if (s->flags & NX_FS_FP_USED) {
        memcpy(set, s->fp, sizeof s->fp);
        set[FP_REGS] = (uint32_t)s->fcsr;
    }
    if (mb_copy_in(set, v->base, v->len))
        return -EFAULT;
    state_fp_replace(s, true);
    memcpy(s->fp, set, sizeof s->fp);
    s->fcsr = (uint32_t)set[FP_REGS];
    return 0;
}

long trace_regset(struct trace *r, bool set, uint64_t type, uint64_t uiov)
{
    struct nx_state *s = r->task->fiber->state;
    struct uiov v;
    if (mb_copy_in(&v, uiov, sizeof v))
        return -EFAULT;
    if ((type != NT_PRSTATUS && type != NT_PRFPREG) || v.len % 8)
        return -EINVAL;
    uint64_t size = type == NT_PRSTATUS ? sizeof s->reg : FP_SIZE;
    v.len = v.len < size ? v.len : size;
    long err;
    if (type == NT_PRFPREG)
        err = set ? get_fp(s, &v) : put_fp(s, &v);
    else
        err = set ? mb_copy_in(s->reg, v.base, v.len) : mb_copy_out(v.base, s->reg, v.len);
    return err ? err : mb_copy_out(uiov + offsetof(struct uiov, len), &v.len, sizeof v.len);
}

/* struct ptrace_syscall_info, whose length depends on what there is to say. */
long trace_syscall_info(const struct trace *r, uint64_t size, uint64_t uaddr)
{
    const struct nx_state *s = r->task->fiber->state;
    struct ptrace_syscall_info info;
    uint64_t len = offsetof(struct ptrace_syscall_info, entry);
    memset(&info, 0, sizeof info);
    info.op = PTRACE_SYSCALL_INFO_NONE;
    info.arch = AUDIT_ARCH_RISCV64;
    info.instruction_pointer = s->reg[0];
    info.stack_pointer = s->reg[2];
    if (r->stop == TRACE_ENTRY) {
        info.op = PTRACE_SYSCALL_INFO_ENTRY;
        info.entry.nr = s->reg[17];
        for (int i = 0; i < 6; i++)
            info.entry.args[i] = s->reg[10 + i];
        len = offsetof(struct ptrace_syscall_info, entry.args) + sizeof info.entry.args;
    } else if (r->stop == TRACE_EXIT) {
        info.op = PTRACE_SYSCALL_INFO_EXIT;
        info.exit.rval = (int64_t)s->reg[10];
        info.exit.is_error = s->reg[10] >= (uint64_t)-4095;
        len = offsetof(struct ptrace_syscall_info, exit.is_error) + sizeof info.exit.is_error;
    }
    if (mb_copy_out(uaddr, &info, size < len ? size : len))
        return -EFAULT;
    return (long)len;
}
