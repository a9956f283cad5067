/* Calls that only riscv64 has, and memory barriers. */
#include <asm/errno.h>
#include <linux/membarrier.h>
#include "proc.h"
#include "sys.h"

/* The instructions a program just wrote are to be what it runs.  fence.i works on this hart; a thread
 * of the program on another hart passes through the nucleus, whose return path fences, when it is kicked.
 * A thread that moved here from another hart is covered by the nucleus the same way. */
long sys_riscv_flush_icache(const uint64_t a[6])
{
#ifdef __riscv
    __asm__ volatile("fence rw, rw\n\tfence.i" ::: "memory");
#endif
    for (struct task *t = current->proc->threads; t; t = t->next_thread)
        if (t != current)
            mb_wake(t->fiber);
    return a[2] & ~1ull ? -EINVAL : 0;
}

/* A kick makes every other thread pass through its upcall, which is a full barrier. */
long sys_membarrier(const uint64_t a[6])
{
    switch ((int)a[0]) {
    case MEMBARRIER_CMD_QUERY:
        return MEMBARRIER_CMD_GLOBAL | MEMBARRIER_CMD_PRIVATE_EXPEDITED |
               MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED;
    case MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED: return a[1] ? -EINVAL : 0;
    case MEMBARRIER_CMD_GLOBAL:
    case MEMBARRIER_CMD_PRIVATE_EXPEDITED:
        if (a[1])
            return -EINVAL;
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
        for (struct task *t = current->proc->threads; t; t = t->next_thread)
            if (t != current)
                mb_wake(t->fiber);
        return 0;
    default: return -EINVAL;
    }
}
