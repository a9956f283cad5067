/* Supplementary groups: a list that is shared by all credentials copied from another, and never changed. */
#include <asm/errno.h>
#include "proc.h"
#include "sys.h"

static void groups_drop(struct groups *g)
{
    if (g && --g->refs == 0)
        mb_free(g);
}

void cred_copy(struct cred *to, const struct cred *from)
{
    *to = *from;
    if (to->groups)
        to->groups->refs++;
}

void cred_drop(struct cred *c)
{
    groups_drop(c->groups);
    c->groups = NULL;
}

bool cred_in_group(const struct cred *c, uint32_t gid)
{
    if (c->fsgid == gid)
        return true;
    uint32_t from = 0, to = c->groups ? c->groups->count : 0;
    while (from < to) {
        uint32_t mid = from + (to - from) / 2, at = c->groups->gid[mid];
        if (at == gid)
            return true;
        if (at < gid)
            from = mid + 1;
        else
            to = mid;
    }
    return false;
}

long sys_getgroups(const uint64_t a[6])
{
    const struct groups *g = current->cred.groups;
    int room = (int)a[0];
    uint32_t count = g ? g->count : 0;
    if (room < 0)
        return -EINVAL;
    if (room && (uint32_t)room < count)
        return -EINVAL;
    if (room && count && mb_copy_out(a[1], g->gid, count * sizeof g->gid[0]))
        return -EFAULT;
    return count;
}

/* Sink gid[at] to its place in the heap of n. */
static void sink(uint32_t *gid, uint32_t at, uint32_t n)
{
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= n)
            return;
        if (child + 1 < n && gid[child + 1] > gid[child])
            child++;
        if (gid[at] >= gid[child])
            return;
        uint32_t x = gid[at];
        gid[at] = gid[child];
        gid[child] = x;
        at = child;
    }
}

static void sort(uint32_t *gid, uint32_t n)
{
    for (uint32_t i = n / 2; i-- > 0;)
        sink(gid, i, n);
    while (n > 1) {
        uint32_t x = gid[0];
        gid[0] = gid[--n];
        gid[n] = x;
        sink(gid, 0, n);
    }
}

long sys_setgroups(const uint64_t a[6])
{
    uint32_t n = (uint32_t)a[0];
    if (!capable(CAP_SETGID))
        return -EPERM;
    if (n > NGROUPS)
        return -EINVAL;
    struct groups *g = NULL;
    if (n) {
        g = mb_alloc(sizeof *g + n * sizeof g->gid[0]);
        if (!g)
            return -ENOMEM;
        int err = mb_copy_in(g->gid, a[1], n * sizeof g->gid[0]);
        for (uint32_t i = 0; !err && i < n; i++)
            if (g->gid[i] == ~0u)
                err = -EINVAL;
        if (err) {
            mb_free(g);
            return err;
        }
        g->refs = 1;
        g->count = n;
        sort(g->gid, n);
    }
    groups_drop(current->cred.groups);
    current->cred.groups = g;
    return 0;
}
