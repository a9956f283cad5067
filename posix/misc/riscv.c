/* Calls about what other harts see: riscv_flush_icache and membarrier.
 *
 * Both need every hart that runs the program's space to pass through a fence before the call returns.
 * The nucleus does that when it changes the protection of executable pages, also for threads that are
 * on no hart now and come to another one later; so we "change" the page with the sigreturn code to
 * what it is.
 */
#include <asm/errno.h>
#include <linux/membarrier.h>
#include "mm.h"
#include "proc.h"
#include "sys.h"

#define FLUSH_LOCAL 1 /* SYS_RISCV_FLUSH_ICACHE_LOCAL: only for this thread; we do it for all */

static long fence_harts(void)
{
    struct mm *mm = current->mm;
    uint64_t page = mm_sigreturn_addr(mm) & ~(MB_PAGE - 1);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return mb_protect(mm_space(mm), page, MB_PAGE, NX_PROT_R | NX_PROT_X);
}

long sys_riscv_flush_icache(const uint64_t a[6])
{
    return a[2] & ~(uint64_t)FLUSH_LOCAL ? -EINVAL : fence_harts();
}

long sys_membarrier(const uint64_t a[6])
{
    switch ((int)a[0]) {
    case MEMBARRIER_CMD_QUERY:
        return MEMBARRIER_CMD_PRIVATE_EXPEDITED | MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED;
    case MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED:
        return a[1] ? -EINVAL : 0;
    case MEMBARRIER_CMD_PRIVATE_EXPEDITED:
        return a[1] ? -EINVAL : fence_harts();
    default:
        return -EINVAL;
    }
}
