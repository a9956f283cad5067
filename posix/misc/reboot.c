/* reboot: the end of the machine. */
#include <asm/errno.h>
#include <linux/reboot.h>
#include "proc.h"
#include "sys.h"
#include "tty/tty.h"

long sys_reboot(const uint64_t a[6])
{
    uint32_t magic1 = (uint32_t)a[0], magic2 = (uint32_t)a[1];
    if (!capable(CAP_SYS_BOOT))
        return -EPERM;
    if (magic1 != LINUX_REBOOT_MAGIC1 ||
        (magic2 != LINUX_REBOOT_MAGIC2 && magic2 != LINUX_REBOOT_MAGIC2A &&
         magic2 != LINUX_REBOOT_MAGIC2B && magic2 != LINUX_REBOOT_MAGIC2C))
        return -EINVAL;
    switch ((uint32_t)a[2]) {
    case LINUX_REBOOT_CMD_CAD_ON:
    case LINUX_REBOOT_CMD_CAD_OFF:
        return 0;               /* there is no such key */
    case LINUX_REBOOT_CMD_HALT: /* halted or off: nothing can tell the difference here */
    case LINUX_REBOOT_CMD_POWER_OFF:
        tty_drain();
        mb_power_off(0);
    case LINUX_REBOOT_CMD_RESTART:
    case LINUX_REBOOT_CMD_RESTART2:
        tty_drain();
        mb_reset();
    default:
        return -EINVAL;
    }
}
