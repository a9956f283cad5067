/* System V IPC: the tables, and who may do what.  See ipc.h. */
#include "ipc/ipc.h"
#include <asm/errno.h>
#include <string.h>
#include "ptime.h"
#include "task.h"

#define ROOM_FIRST 16u
#define SEQ_END 65536u

int64_t ipc_now(void)
{
    return time_realtime_ns() / NSEC_PER_SEC;
}

/* ---- permission ---- */

int ipc_permitted(const struct ipc_object *o, unsigned mode)
{
    const struct cred *c = &current->cred;
    unsigned want = mode >> 6 | mode >> 3 | mode, has = o->mode;
    if (c->euid == o->cuid || c->euid == o->uid)
        has >>= 6;
    else if (cred_in_group(c, o->cgid) || cred_in_group(c, o->gid))
        has >>= 3;
    return (want & ~has & 7) && !capable(CAP_IPC_OWNER) ? -EACCES : 0;
}

int ipc_owned(const struct ipc_object *o)
{
    uint32_t euid = current->cred.euid;
    return euid == o->cuid || euid == o->uid || capable(CAP_SYS_ADMIN) ? 0 : -EPERM;
}

struct ipc64_perm ipc_perm(const struct ipc_object *o)
{
    struct ipc64_perm p;
    memset(&p, 0, sizeof p);
    p.key = o->key;
    p.uid = o->uid;
    p.gid = o->gid;
    p.cuid = o->cuid;
    p.cgid = o->cgid;
    p.mode = o->mode;
    p.seq = (uint16_t)((unsigned)o->id / IPC_SLOTS);
    return p;
}

void ipc_set_perm(struct ipc_object *o, const struct ipc64_perm *p)
{
    o->uid = p->uid;
    o->gid = p->gid;
    o->mode = (o->mode & ~0777u) | (p->mode & 0777);
}

/* ---- the table ---- */

struct ipc_object *ipc_at(struct ipc_ids *ids, int slot)
{
    return slot >= 0 && (unsigned)slot < ids->room ? ids->slot[slot] : NULL;
}

struct ipc_object *ipc_find(struct ipc_ids *ids, int id, int *err)
{
    struct ipc_object *o = id < 0 ? NULL : ipc_at(ids, id % (int)IPC_SLOTS);
    *err = !o ? -EINVAL : o->id != id ? -EIDRM : 0;
    return *err ? NULL : o;
}

int ipc_last(const struct ipc_ids *ids)
{
    unsigned i = ids->room;
    while (i > 0 && !ids->slot[i - 1])
        i--;
    return i > 0 ? (int)i - 1 : 0;
}

long ipc_limit[IPC_LIMITS] = {
    [IPC_SEGMENTS] = 4096,     [IPC_SETS] = SETS_MOST,     [IPC_QUEUES] = 32000,
    [IPC_QUEUE_BYTES] = 16384, [IPC_MESSAGE_BYTES] = 8192,
};

static int grow(struct ipc_ids *ids)
{
    unsigned room = ids->room ? ids->room * 2 : ROOM_FIRST;
    if (room > IPC_SLOTS)
        return -ENOSPC;
    struct ipc_object **slot = mb_zalloc(room * sizeof(struct ipc_object *));
    if (!slot)
        return -ENOMEM;
    if (ids->room)
        memcpy(slot, ids->slot, ids->room * sizeof(struct ipc_object *));
    mb_free(ids->slot);
    ids->slot = slot;
    ids->room = room;
    return 0;
}

/* A free slot, or an error. */
static int free_slot(struct ipc_ids *ids)
{
    if (ids->used >= (unsigned long)ipc_limit[ids->most])
        return -ENOSPC;
    for (unsigned i = 0; i < ids->room; i++)
        if (!ids->slot[i])
            return (int)i;
    unsigned first = ids->room;
    int err = grow(ids);
    return err ? err : (int)first;
}

static struct ipc_object *by_key(const struct ipc_ids *ids, int32_t key)
{
    for (unsigned i = 0; i < ids->room; i++)
        if (ids->slot[i] && ids->slot[i]->key == key)
            return ids->slot[i];
    return NULL;
}

static long make_new(struct ipc_ids *ids, const struct ipc_getter *g, int32_t key, unsigned flags,
                     const void *want)
{
    const struct cred *c = &current->cred;
    int slot = free_slot(ids), err = 0;
    struct ipc_object *o = g->make(want, &err);
    if (o && slot < 0) { /* what is asked for is looked at first, as on Linux */
        ids->free(o);
        return slot;
    }
    if (!o)
        return err;
    o->key = key;
    o->mode = flags & 0777;
    o->uid = o->cuid = c->euid;
    o->gid = o->cgid = c->egid;
    o->refs = 1;
    o->id = (int)(ids->seq * IPC_SLOTS + (unsigned)slot);
    ids->seq = (ids->seq + 1) % SEQ_END;
    ids->slot[slot] = o;
    ids->used++;
    return o->id;
}

long ipc_get(struct ipc_ids *ids, const struct ipc_getter *g, int32_t key, unsigned flags,
             const void *want)
{
    struct ipc_object *o = key == IPC_PRIVATE ? NULL : by_key(ids, key);
    if (!o)
        return key == IPC_PRIVATE || (flags & IPC_CREAT) ? make_new(ids, g, key, flags, want)
                                                         : -ENOENT;
    if ((flags & (IPC_CREAT | IPC_EXCL)) == (IPC_CREAT | IPC_EXCL))
        return -EEXIST;
    int err = g->fits(o, want);
    err = err ? err : ipc_permitted(o, flags & 0777);
    return err ? err : o->id;
}

void ipc_unref(struct ipc_ids *ids, struct ipc_object *o)
{
    if (--o->refs == 0)
        ids->free(o);
}

void ipc_remove(struct ipc_ids *ids, struct ipc_object *o)
{
    ids->slot[(unsigned)o->id % IPC_SLOTS] = NULL;
    ids->used--;
    o->removed = true;
    ipc_unref(ids, o);
}
