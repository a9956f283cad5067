/* uname and the names it tells.
 *
 * The system calls itself by its own name.  The release follows Linux' form because programs parse it,
 * and names the Linux whose calls we answer.
 */
#include <asm/errno.h>
#include <string.h>
#include "proc.h"
#include "sys.h"

#define FIELD 65

struct utsname_ {
    char sysname[FIELD], nodename[FIELD], release[FIELD], version[FIELD], machine[FIELD];
    char domainname[FIELD];
};
_Static_assert(sizeof(struct utsname_) == 390, "struct new_utsname layout");

static struct utsname_ names = {
    .sysname = "Linux",
    .nodename = "nexus",
    .release = "6.1.0-nexus",
    .version = "#1 SMP Nexus",
    .machine = "riscv64",
    .domainname = "(none)",
};

long sys_uname(const uint64_t a[6])
{
    return mb_copy_out(a[0], &names, sizeof names);
}

static long set_name(char *to, uint64_t from, uint64_t len)
{
    char name[FIELD] = {0};
    if (!capable(CAP_SYS_ADMIN))
        return -EPERM;
    if (len >= FIELD)
        return -EINVAL;
    if (mb_copy_in(name, from, len))
        return -EFAULT;
    memcpy(to, name, FIELD);
    return 0;
}

long sys_sethostname(const uint64_t a[6])
{
    return set_name(names.nodename, a[0], a[1]);
}

long sys_setdomainname(const uint64_t a[6])
{
    return set_name(names.domainname, a[0], a[1]);
}

long sys_personality(const uint64_t a[6])
{
    struct process *p = current->proc;
    uint32_t old = p->personality;
    if ((uint32_t)a[0] != 0xffffffffu)
        p->personality = (uint32_t)a[0];
    return old;
}
