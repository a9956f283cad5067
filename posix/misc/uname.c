/* uname and the names it tells.
 *
 * The system calls itself by its own name.  The release follows Linux' form because programs parse it,
 * and names the Linux whose calls we answer.
 */
#include <asm/errno.h>
#include <string.h>
#include "proc.h"
#include "sys.h"
#include "uts.h"

static char names[][UTS_SIZE] = {
    [UTS_SYSTEM] = "Linux",         [UTS_NODE] = "nexus",      [UTS_RELEASE] = "6.1.0-nexus",
    [UTS_VERSION] = "#1 SMP Nexus", [UTS_MACHINE] = "riscv64", [UTS_DOMAIN] = "(none)",
};
_Static_assert(sizeof(names) == 390, "struct new_utsname layout");

char *uname_text(enum uts_field field)
{
    return names[field];
}

long sys_uname(const uint64_t a[6])
{
    return mb_copy_out(a[0], names, sizeof names);
}

static long set_name(char *to, uint64_t from, uint64_t len)
{
    char name[UTS_SIZE] = {0};
    if (!capable(CAP_SYS_ADMIN))
        return -EPERM;
    if (len >= UTS_SIZE)
        return -EINVAL;
    if (mb_copy_in(name, from, len))
        return -EFAULT;
    memcpy(to, name, UTS_SIZE);
    return 0;
}

long sys_sethostname(const uint64_t a[6])
{
    return set_name(names[UTS_NODE], a[0], a[1]);
}

long sys_setdomainname(const uint64_t a[6])
{
    return set_name(names[UTS_DOMAIN], a[0], a[1]);
}

long sys_personality(const uint64_t a[6])
{
    struct process *p = current->proc;
    uint32_t old = p->personality;
    if ((uint32_t)a[0] != 0xffffffffu)
        p->personality = (uint32_t)a[0];
    return old;
}
