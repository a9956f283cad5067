/* Program memory, as calls see it. */
#include "machine.h"

#include <errno.h>

#include "mem/mm_int.h"

int (*mb_fault_hook)(uint64_t addr, bool write);

/* A call's copy finds no memory: the program is told EFAULT, as on Linux.  That says nothing about the call, so no
 * failures here. */
static int copy(uint64_t addr, void *buf, size_t n, bool write)
{
    bool paused = fail_paused;
    fail_paused = true;
    int err = 0;
    while (err == 0 && space_access(addr, buf, n, write) != 0) {
        err = mb_self()->state->addr >= MM_TASK_END ? -EFAULT
                                                    : mb_fault_hook(mb_self()->state->addr, write);
    }
    fail_paused = paused;
    return err != 0 ? -EFAULT : 0;
}

int mb_copy_in(void *dst, uint64_t src, size_t n)
{
    return copy(src, dst, n, false);
}

int mb_copy_out(uint64_t dst, const void *src, size_t n)
{
    return copy(dst, (void *)(uintptr_t)src, n, true);
}

int mb_zero_out(uint64_t dst, size_t n)
{
    static const char zero[MB_PAGE];
    for (size_t done = 0; done < n; done += MB_PAGE) {
        if (mb_copy_out(dst + done, zero, n - done < MB_PAGE ? n - done : MB_PAGE) != 0) {
            return -EFAULT;
        }
    }
    return 0;
}

long mb_str_in(char *dst, uint64_t src, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (mb_copy_in(dst + i, src + i, 1) != 0) {
            return -EFAULT;
        }
        if (dst[i] == 0) {
            return (long)i;
        }
    }
    return -ENAMETOOLONG;
}

int mb_load32(uint32_t *val, uint64_t addr)
{
    return addr % 4 != 0 ? -EFAULT : mb_copy_in(val, addr, 4);
}

int mb_cas32(uint64_t addr, uint32_t expect, uint32_t want, uint32_t *old)
{
    if (mb_load32(old, addr) != 0) {
        return -EFAULT;
    }
    return *old == expect ? mb_copy_out(addr, &want, 4) : 0;
}
