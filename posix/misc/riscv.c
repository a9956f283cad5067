/* Calls about what other harts see: riscv_flush_icache and membarrier.
 *
 * What is fenced is instruction fetch too, so the commands for self-modifying code are the plain ones.
 */
#include <asm/errno.h>
#include <linux/membarrier.h>
#include "mm.h"
#include "proc.h"
#include "sys.h"

#define FLUSH_LOCAL 1 /* SYS_RISCV_FLUSH_ICACHE_LOCAL: only for this thread; we do it for all */

long sys_riscv_flush_icache(const uint64_t a[6])
{
    return a[2] & ~(uint64_t)FLUSH_LOCAL ? -EINVAL : mm_fence(current->mm);
}

/* What a process has registered for: the bit of the command it may use then. */
static long private_fence(uint32_t command)
{
    struct mm *mm = current->mm;
    return *mm_barriers(mm) & command ? mm_fence(mm) : -EPERM;
}

long sys_membarrier(const uint64_t a[6])
{
    uint32_t *registered = mm_barriers(current->mm);
    if ((unsigned)a[1])
        return -EINVAL; /* MEMBARRIER_CMD_FLAG_CPU is for restartable sequences */
    switch ((int)a[0]) {
    case MEMBARRIER_CMD_QUERY:
        return MEMBARRIER_CMD_GLOBAL | MEMBARRIER_CMD_GLOBAL_EXPEDITED |
               MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED | MEMBARRIER_CMD_PRIVATE_EXPEDITED |
               MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED |
               MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE |
               MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE;
    case MEMBARRIER_CMD_GLOBAL:
        return mm_fence_all(0);
    case MEMBARRIER_CMD_GLOBAL_EXPEDITED:
        return mm_fence_all(MEMBARRIER_CMD_GLOBAL_EXPEDITED);
    case MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED:
        *registered |= MEMBARRIER_CMD_GLOBAL_EXPEDITED;
        return 0;
    case MEMBARRIER_CMD_PRIVATE_EXPEDITED:
        return private_fence(MEMBARRIER_CMD_PRIVATE_EXPEDITED);
    case MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED:
        *registered |= MEMBARRIER_CMD_PRIVATE_EXPEDITED;
        return 0;
    case MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE:
        return private_fence(MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE);
    case MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE:
        *registered |= MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE;
        return 0;
    default:
        return -EINVAL;
    }
}
