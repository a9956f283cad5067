/* sysinfo, getrandom: small questions about the machine. */
#include <asm/errno.h>
#include <linux/random.h>
#include <linux/sysinfo.h>
#include <string.h>
#include "fs/inode.h"
#include "load.h"
#include "proc.h"
#include "ptime.h"
#include "sig.h"
#include "sys.h"

long sys_sysinfo(const uint64_t a[6])
{
    struct sysinfo i;
    memset(&i, 0, sizeof i);
    i.uptime = (long)(time_monotonic_ns() / NSEC_PER_SEC);
    i.totalram = mb_pages_total() * MB_PAGE;
    i.freeram = mb_pages_free() * MB_PAGE;
    i.procs = (uint16_t)proc_task_count();
    i.mem_unit = 1;
    uint64_t avg[3];
    load_averages(avg); /* 1/100 */
    for (int n = 0; n < 3; n++)
        i.loads[n] = avg[n] * (1ul << SI_LOAD_SHIFT) / 100;
    return mb_copy_out(a[0], &i, sizeof i);
}

long sys_getrandom(const uint64_t a[6])
{
    uint8_t buf[256];
    uint64_t done = 0, n = a[1];
    uint32_t flags = (uint32_t)a[2];
    if (flags & ~(uint32_t)(GRND_NONBLOCK | GRND_RANDOM | GRND_INSECURE))
        return -EINVAL;
    if ((flags & GRND_RANDOM) && (flags & GRND_INSECURE))
        return -EINVAL;
    if (n > INT32_MAX)
        n = INT32_MAX;
    if (!(flags & GRND_INSECURE)) {
        int err = random_wait(flags & GRND_NONBLOCK);
        if (err)
            return err;
    }
    while (done < n) {
        size_t part = n - done < sizeof buf ? n - done : sizeof buf;
        mb_random(buf, part);
        if (mb_copy_out(a[0] + done, buf, part))
            return done ? (long)done : -EFAULT;
        done += part;
        if (done < n && signal_interrupts())
            break;
    }
    return (long)done;
}
