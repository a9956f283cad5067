/* Capabilities: capget, capset, what changes of user ids do to them, and the prctl options about them.
 *
 * Not here: execve's rules (exec/privilege.c), who asks for which (capable()).
 */
#include <asm/errno.h>
#include <linux/prctl.h>
#include <linux/securebits.h>
#include "proc.h"
#include "sys.h"

static bool any_root(const struct cred *c)
{
    return c->ruid == 0 || c->euid == 0 || c->suid == 0;
}

void cred_uids_changed(struct cred *c, const struct cred *old)
{
    if (c->securebits & SECBIT_NO_SETUID_FIXUP)
        return;
    if (any_root(old) && !any_root(c)) {
        if (!(c->securebits & SECBIT_KEEP_CAPS))
            c->permitted = c->effective = 0;
        c->ambient = 0;
    }
    if (old->euid == 0 && c->euid != 0)
        c->effective = 0;
    if (old->euid != 0 && c->euid == 0)
        c->effective = c->permitted;
    if (old->fsuid == 0 && c->fsuid != 0)
        c->effective &= ~CAP_FILES;
    if (old->fsuid != 0 && c->fsuid == 0)
        c->effective |= c->permitted & CAP_FILES;
}

/* ---- capget, capset ---- */

/* The header's version as words of a set, or the error; an unknown one is told ours. */
static int get_header(uint64_t uheader, struct __user_cap_header_struct *h)
{
    if (mb_copy_in(h, uheader, sizeof *h))
        return -EFAULT;
    switch (h->version) {
    case _LINUX_CAPABILITY_VERSION_1:
        return _LINUX_CAPABILITY_U32S_1;
    case _LINUX_CAPABILITY_VERSION_2:
    case _LINUX_CAPABILITY_VERSION_3:
        return _LINUX_CAPABILITY_U32S_3;
    default:
        break;
    }
    uint32_t ours = _LINUX_CAPABILITY_VERSION_3;
    return mb_copy_out(uheader, &ours, sizeof ours) ? -EFAULT : -EINVAL;
}

long sys_capget(const uint64_t a[6])
{
    struct __user_cap_header_struct h;
    struct __user_cap_data_struct d[_LINUX_CAPABILITY_U32S_3];
    int words = get_header(a[0], &h);
    if (words < 0)
        return words == -EINVAL && !a[1] ? 0 : words; /* "which version do you speak?" */
    if (!a[1])
        return 0;
    if (h.pid < 0)
        return -EINVAL;
    const struct task *t = h.pid ? task_find(h.pid) : current;
    if (!t)
        return -ESRCH;
    for (int i = 0; i < words; i++) {
        d[i].effective = (uint32_t)(t->cred.effective >> 32 * i);
        d[i].permitted = (uint32_t)(t->cred.permitted >> 32 * i);
        d[i].inheritable = (uint32_t)(t->cred.inheritable >> 32 * i);
    }
    return mb_copy_out(a[1], d, (size_t)words * sizeof d[0]) ? -EFAULT : 0;
}

static bool within(uint64_t part, uint64_t whole)
{
    return (part & ~whole) == 0;
}

long sys_capset(const uint64_t a[6])
{
    struct __user_cap_header_struct h;
    struct __user_cap_data_struct d[_LINUX_CAPABILITY_U32S_3] = {{0}};
    struct cred *c = &current->cred;
    int words = get_header(a[0], &h);
    if (words < 0)
        return words;
    if (h.pid != 0 && h.pid != current->tid)
        return -EPERM;
    if (mb_copy_in(d, a[1], (size_t)words * sizeof d[0]))
        return -EFAULT;
    uint64_t e = (d[0].effective | (uint64_t)d[1].effective << 32) & CAP_ALL;
    uint64_t p = (d[0].permitted | (uint64_t)d[1].permitted << 32) & CAP_ALL;
    uint64_t i = (d[0].inheritable | (uint64_t)d[1].inheritable << 32) & CAP_ALL;
    if (!capable(CAP_SETPCAP) && !within(i, c->inheritable | c->permitted))
        return -EPERM;
    if (!within(i, c->inheritable | c->bounding) || !within(p, c->permitted) || !within(e, p))
        return -EPERM;
    c->effective = e;
    c->permitted = p;
    c->inheritable = i;
    c->ambient &= p & i;
    return 0;
}

/* ---- prctl ---- */

static long set_securebits(struct cred *c, uint64_t bits)
{
    uint32_t old = c->securebits;
    bool locked = ((old & SECURE_ALL_LOCKS) >> 1 & (old ^ bits)) != 0 || /* no locked one changes */
                  (old & SECURE_ALL_LOCKS & ~bits) != 0;                 /* none is unlocked */
    if (locked || (bits & ~(uint64_t)(SECURE_ALL_LOCKS | SECURE_ALL_BITS)) || !capable(CAP_SETPCAP))
        return -EPERM;
    c->securebits = (uint32_t)bits;
    return 0;
}

static long set_ambient(struct cred *c, uint64_t what, uint64_t cap)
{
    if (what == PR_CAP_AMBIENT_CLEAR_ALL) {
        if (cap)
            return -EINVAL;
        c->ambient = 0;
        return 0;
    }
    if (cap > CAP_LAST_CAP)
        return -EINVAL;
    switch (what) {
    case PR_CAP_AMBIENT_IS_SET:
        return c->ambient >> cap & 1;
    case PR_CAP_AMBIENT_RAISE:
        if (!(c->permitted & c->inheritable & CAP_BIT(cap)) ||
            (c->securebits & SECBIT_NO_CAP_AMBIENT_RAISE))
            return -EPERM;
        c->ambient |= CAP_BIT(cap);
        return 0;
    case PR_CAP_AMBIENT_LOWER:
        c->ambient &= ~CAP_BIT(cap);
        return 0;
    default:
        return -EINVAL;
    }
}

long prctl_caps(const uint64_t a[6])
{
    struct cred *c = &current->cred;
    switch ((int)a[0]) {
    case PR_CAPBSET_READ:
        return a[1] > CAP_LAST_CAP ? -EINVAL : (long)(c->bounding >> a[1] & 1);
    case PR_CAPBSET_DROP:
        if (!capable(CAP_SETPCAP))
            return -EPERM;
        if (a[1] > CAP_LAST_CAP)
            return -EINVAL;
        c->bounding &= ~CAP_BIT(a[1]);
        return 0;
    case PR_GET_SECUREBITS:
        return c->securebits;
    case PR_SET_SECUREBITS:
        return set_securebits(c, a[1]);
    case PR_GET_KEEPCAPS:
        return (c->securebits & SECBIT_KEEP_CAPS) != 0;
    case PR_SET_KEEPCAPS:
        if (a[1] > 1)
            return -EINVAL;
        if (c->securebits & SECBIT_KEEP_CAPS_LOCKED)
            return -EPERM;
        c->securebits =
            (c->securebits & ~(uint32_t)SECBIT_KEEP_CAPS) | (a[1] ? (uint32_t)SECBIT_KEEP_CAPS : 0);
        return 0;
    case PR_CAP_AMBIENT:
        return a[3] || a[4] ? -EINVAL : set_ambient(c, a[1], a[2]);
    default:
        return -EINVAL;
    }
}
