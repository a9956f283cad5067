/* Who one is: numbers of the process, user and group ids.
 *
 * Not here: the list of groups (groups.c), what changes of ids do to capabilities (caps.c).
 */
#include <asm/errno.h>
#include "proc.h"
#include "sys.h"
#include "time_abi.h"

#define UNCHANGED 0xffffffffu

long sys_getpid(const uint64_t a[6])
{
    return current->proc->pid;
}

long sys_gettid(const uint64_t a[6])
{
    return current->tid;
}

long sys_getuid(const uint64_t a[6])
{
    return current->cred.ruid;
}

long sys_geteuid(const uint64_t a[6])
{
    return current->cred.euid;
}

long sys_getgid(const uint64_t a[6])
{
    return current->cred.rgid;
}

long sys_getegid(const uint64_t a[6])
{
    return current->cred.egid;
}

/* ---- rules shared by users and groups: a set of four ids ---- */

struct ids {
    uint32_t r, e, s, fs;
};

static struct ids users_of(const struct cred *c)
{
    return (struct ids){c->ruid, c->euid, c->suid, c->fsuid};
}

static struct ids groups_of(const struct cred *c)
{
    return (struct ids){c->rgid, c->egid, c->sgid, c->fsgid};
}

static int set_users(struct ids i)
{
    struct task *t = current;
    struct cred *c = &t->cred, old = *c;
    if (i.r != c->ruid) {
        struct user *u = user_get(i.r);
        if (!u)
            return -EAGAIN;
        t->user->tasks--;
        user_unref(t->user);
        t->user = u;
        t->proc->too_many = i.r != 0 && u->tasks > t->proc->rlimit[RLIMIT_NPROC][0];
        u->tasks++;
    }
    if (i.e != c->euid || i.fs != c->fsuid) { /* others may no longer look into it */
        t->proc->dumpable = false;
        t->pdeath_signal = 0;
    }
    c->ruid = i.r;
    c->euid = i.e;
    c->suid = i.s;
    c->fsuid = i.fs;
    cred_uids_changed(c, &old);
    return 0;
}

static int set_groups(struct ids i)
{
    struct cred *c = &current->cred;
    if (i.e != c->egid || i.fs != c->fsgid)
        current->proc->dumpable = false;
    c->rgid = i.r;
    c->egid = i.e;
    c->sgid = i.s;
    c->fsgid = i.fs;
    return 0;
}

static int setid(struct ids *i, uint32_t id, unsigned cap)
{
    if (capable(cap))
        i->r = i->s = id;
    else if (id != i->r && id != i->s)
        return -EPERM;
    i->e = i->fs = id;
    return 0;
}

static int setreid(struct ids *i, uint32_t r, uint32_t e, unsigned cap)
{
    struct ids old = *i;
    if (r != UNCHANGED) {
        if (r != old.r && r != old.e && !capable(cap))
            return -EPERM;
        i->r = r;
    }
    if (e != UNCHANGED) {
        if (e != old.r && e != old.e && e != old.s && !capable(cap))
            return -EPERM;
        i->e = e;
    }
    if (r != UNCHANGED || (e != UNCHANGED && e != old.r))
        i->s = i->e;
    i->fs = i->e;
    return 0;
}

static bool one_of(uint32_t id, const struct ids *i)
{
    return id == UNCHANGED || id == i->r || id == i->e || id == i->s;
}

static int setresid(struct ids *i, uint32_t r, uint32_t e, uint32_t s, unsigned cap)
{
    if (!capable(cap) && (!one_of(r, i) || !one_of(e, i) || !one_of(s, i)))
        return -EPERM;
    if (r != UNCHANGED)
        i->r = r;
    if (e != UNCHANGED)
        i->e = e;
    if (s != UNCHANGED)
        i->s = s;
    i->fs = i->e;
    return 0;
}

/* ---- users ---- */

long sys_setuid(const uint64_t a[6])
{
    struct ids i = users_of(&current->cred);
    uint32_t id = (uint32_t)a[0];
    int err = id == UNCHANGED ? -EINVAL : setid(&i, id, CAP_SETUID);
    return err ? err : set_users(i);
}

long sys_setreuid(const uint64_t a[6])
{
    struct ids i = users_of(&current->cred);
    int err = setreid(&i, (uint32_t)a[0], (uint32_t)a[1], CAP_SETUID);
    return err ? err : set_users(i);
}

long sys_setresuid(const uint64_t a[6])
{
    struct ids i = users_of(&current->cred);
    int err = setresid(&i, (uint32_t)a[0], (uint32_t)a[1], (uint32_t)a[2], CAP_SETUID);
    return err ? err : set_users(i);
}

static long put_three(const uint64_t a[6], struct ids i)
{
    if (mb_copy_out(a[0], &i.r, 4) || mb_copy_out(a[1], &i.e, 4) || mb_copy_out(a[2], &i.s, 4))
        return -EFAULT;
    return 0;
}

long sys_getresuid(const uint64_t a[6])
{
    return put_three(a, users_of(&current->cred));
}

/* Answers the old id, whether or not it changed: that is how one finds out. */
long sys_setfsuid(const uint64_t a[6])
{
    const struct cred *c = &current->cred;
    struct ids i = users_of(c);
    uint32_t old = c->fsuid, id = (uint32_t)a[0];
    if (id != UNCHANGED && (one_of(id, &i) || id == old || capable(CAP_SETUID))) {
        i.fs = id;
        set_users(i);
    }
    return old;
}

/* ---- groups ---- */

long sys_setgid(const uint64_t a[6])
{
    struct ids i = groups_of(&current->cred);
    uint32_t id = (uint32_t)a[0];
    int err = id == UNCHANGED ? -EINVAL : setid(&i, id, CAP_SETGID);
    return err ? err : set_groups(i);
}

long sys_setregid(const uint64_t a[6])
{
    struct ids i = groups_of(&current->cred);
    int err = setreid(&i, (uint32_t)a[0], (uint32_t)a[1], CAP_SETGID);
    return err ? err : set_groups(i);
}

long sys_setresgid(const uint64_t a[6])
{
    struct ids i = groups_of(&current->cred);
    int err = setresid(&i, (uint32_t)a[0], (uint32_t)a[1], (uint32_t)a[2], CAP_SETGID);
    return err ? err : set_groups(i);
}

long sys_getresgid(const uint64_t a[6])
{
    return put_three(a, groups_of(&current->cred));
}

long sys_setfsgid(const uint64_t a[6])
{
    const struct cred *c = &current->cred;
    struct ids i = groups_of(c);
    uint32_t old = c->fsgid, id = (uint32_t)a[0];
    if (id != UNCHANGED && (one_of(id, &i) || id == old || capable(CAP_SETGID))) {
        i.fs = id;
        set_groups(i);
    }
    return old;
}
