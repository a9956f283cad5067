/* System V message queues. */
#include <asm/errno.h>
#include <linux/msg.h>
#include <string.h>
#include "fs/text.h"
#include "ipc/ipc.h"
#include "proc.h"
#include "sig.h"
#include "sys.h"

struct message {
    struct message *next;
    int64_t type;
    size_t size;
    uint8_t bytes[];
};

struct queue {
    struct ipc_object o;
    uint64_t bytes, count, most; /* most: bytes */
    int64_t stime, rtime, ctime;
    int lspid, lrpid;
    struct message *first;
    struct waitq senders, receivers;
};

static void queue_free(struct ipc_object *o);
static struct ipc_ids queues = {.most = IPC_QUEUES, .free = queue_free};

static struct queue *queue_of(struct ipc_object *o)
{
    return (struct queue *)o;
}

static void queue_free(struct ipc_object *o)
{
    struct queue *q = queue_of(o);
    for (struct message *m; (m = q->first);) {
        q->first = m->next;
        mb_free(m);
    }
    mb_free(q);
}

/* ---- msgget ---- */

static struct ipc_object *queue_make(const void *want, int *err)
{
    struct queue *q = mb_zalloc(sizeof *q);
    *err = -ENOMEM;
    if (!q)
        return NULL;
    q->most = (uint64_t)ipc_limit[IPC_QUEUE_BYTES];
    q->ctime = ipc_now();
    waitq_init(&q->senders);
    waitq_init(&q->receivers);
    return &q->o;
}

static int queue_fits(const struct ipc_object *o, const void *want)
{
    return 0;
}

long sys_msgget(const uint64_t a[6])
{
    static const struct ipc_getter getter = {queue_make, queue_fits};
    return ipc_get(&queues, &getter, (int32_t)a[0], (unsigned)a[1], NULL);
}

/* ---- msgsnd ---- */

static bool has_room(const struct queue *q, size_t size)
{
    return size + q->bytes <= q->most && q->count + 1 <= q->most;
}

static int wait_room(struct queue *q, size_t size, bool nowait)
{
    while (!has_room(q, size)) {
        if (nowait)
            return -EAGAIN;
        int err = wait_on(&q->senders, MB_NEVER);
        if (q->o.removed)
            return -EIDRM;
        if (err)
            return -ERESTARTNOHAND;
        err = ipc_permitted(&q->o, 0222); /* it may have changed */
        if (err)
            return err;
    }
    return 0;
}

static int get_message(uint64_t uaddr, uint64_t size, struct message **out)
{
    int64_t type;
    if (mb_copy_in(&type, uaddr, sizeof type))
        return -EFAULT;
    if (type < 1)
        return -EINVAL;
    struct message *m = mb_alloc(sizeof *m + size);
    if (!m)
        return -ENOMEM;
    *m = (struct message){.type = type, .size = size};
    if (mb_copy_in(m->bytes, uaddr + sizeof type, size)) {
        mb_free(m);
        return -EFAULT;
    }
    *out = m;
    return 0;
}

static void append(struct queue *q, struct message *m)
{
    struct message **end = &q->first;
    while (*end)
        end = &(*end)->next;
    *end = m;
    q->bytes += m->size;
    q->count++;
    q->stime = ipc_now();
    q->lspid = current->proc->pid;
    wait_wake(&q->receivers);
}

long sys_msgsnd(const uint64_t a[6])
{
    struct message *m;
    if (a[2] > (uint64_t)ipc_limit[IPC_MESSAGE_BYTES] || (int)a[0] < 0)
        return -EINVAL;
    int err = get_message(a[1], a[2], &m);
    if (err)
        return err;
    struct ipc_object *o = ipc_find(&queues, (int)a[0], &err);
    err = o ? ipc_permitted(o, 0222) : err;
    if (!o || err) {
        mb_free(m);
        return err;
    }
    o->refs++;
    err = wait_room(queue_of(o), m->size, (unsigned)a[3] & IPC_NOWAIT);
    if (err)
        mb_free(m);
    else
        append(queue_of(o), m);
    ipc_unref(&queues, o);
    return err;
}

/* ---- msgrcv ---- */

/* The place of the message that msgrcv's type asks for. */
static struct message **choose(struct queue *q, int64_t type, bool except)
{
    struct message **best = NULL;
    for (struct message **at = &q->first; *at; at = &(*at)->next) {
        int64_t has = (*at)->type;
        if (type == 0 || (type > 0 && (has == type) != except))
            return at;
        if (type < 0 && (type == INT64_MIN || has <= -type) && (!best || has < (*best)->type))
            best = at;
    }
    return best;
}

/* MSG_COPY: what stands at that place in the queue, copied. */
static int copy_at(const struct queue *q, int64_t place, uint64_t size, unsigned flags,
                   struct message **out)
{
    const struct message *m = q->first;
    for (; m && place > 0; place--)
        m = m->next;
    if (!m || place < 0)
        return -ENOMSG;
    if (m->size > size && !(flags & MSG_NOERROR))
        return -E2BIG;
    *out = mb_alloc(sizeof *m + m->size);
    if (!*out)
        return -ENOMEM;
    memcpy(*out, m, sizeof *m + m->size);
    return 0;
}

static int take(struct queue *q, int64_t type, uint64_t size, unsigned flags, struct message **out)
{
    for (;;) {
        struct message **at = choose(q, type, flags & MSG_EXCEPT);
        if (at) {
            struct message *m = *at;
            if (m->size > size && !(flags & MSG_NOERROR))
                return -E2BIG;
            *at = m->next;
            q->bytes -= m->size;
            q->count--;
            q->rtime = ipc_now();
            q->lrpid = current->proc->pid;
            wait_wake(&q->senders);
            *out = m;
            return 0;
        }
        if (flags & IPC_NOWAIT)
            return -ENOMSG;
        int err = wait_on(&q->receivers, MB_NEVER);
        if (q->o.removed)
            return -EIDRM;
        if (err)
            return -ERESTARTNOHAND;
    }
}

long sys_msgrcv(const uint64_t a[6])
{
    unsigned flags = (unsigned)a[4];
    uint64_t size = a[2];
    struct message *m = NULL;
    int err;
    if ((int)a[0] < 0 || (int64_t)size < 0)
        return -EINVAL;
    if ((flags & MSG_COPY) && ((flags & MSG_EXCEPT) || !(flags & IPC_NOWAIT)))
        return -EINVAL;
    struct ipc_object *o = ipc_find(&queues, (int)a[0], &err);
    err = o ? ipc_permitted(o, 0444) : err;
    if (!o || err)
        return err;
    o->refs++;
    err = flags & MSG_COPY ? copy_at(queue_of(o), (int64_t)a[3], size, flags, &m)
                           : take(queue_of(o), (int64_t)a[3], size, flags, &m);
    ipc_unref(&queues, o);
    if (err)
        return err;
    size = size < m->size ? size : m->size;
    long got = (long)size;
    if (mb_copy_out(a[1], &m->type, sizeof m->type) ||
        mb_copy_out(a[1] + sizeof m->type, m->bytes, size))
        got = -EFAULT; /* and the message is lost, as on Linux */
    mb_free(m);
    return got;
}

/* ---- msgctl ---- */

static long put_stat(const struct queue *q, uint64_t uaddr)
{
    struct msqid64_ds d;
    memset(&d, 0, sizeof d);
    d.msg_perm = ipc_perm(&q->o);
    d.msg_stime = q->stime;
    d.msg_rtime = q->rtime;
    d.msg_ctime = q->ctime;
    d.msg_cbytes = q->bytes;
    d.msg_qnum = q->count;
    d.msg_qbytes = q->most;
    d.msg_lspid = q->lspid;
    d.msg_lrpid = q->lrpid;
    return mb_copy_out(uaddr, &d, sizeof d);
}

static long put_info(bool usage, uint64_t uaddr)
{
    struct msginfo i = {
        .msgpool = MSGPOOL,
        .msgmap = MSGMAP,
        .msgmax = (int)ipc_limit[IPC_MESSAGE_BYTES],
        .msgmnb = (int)ipc_limit[IPC_QUEUE_BYTES],
        .msgmni = (int)ipc_limit[IPC_QUEUES],
        .msgssz = MSGSSZ,
        .msgtql = MSGTQL,
        .msgseg = MSGSEG,
    };
    if (usage) {
        i.msgpool = (int)queues.used;
        i.msgmap = i.msgtql = 0;
        for (unsigned n = 0; n < queues.room; n++) {
            if (queues.slot[n]) {
                i.msgmap += (int)queue_of(queues.slot[n])->count;
                i.msgtql += (int)queue_of(queues.slot[n])->bytes;
            }
        }
    }
    return mb_copy_out(uaddr, &i, sizeof i) ? -EFAULT : ipc_last(&queues);
}

static long by_slot(int slot, bool any, uint64_t uaddr)
{
    struct ipc_object *o = ipc_at(&queues, slot);
    if (!o)
        return -EINVAL;
    int err = any ? 0 : ipc_permitted(o, 0444);
    if (err)
        return err;
    return put_stat(queue_of(o), uaddr) ? -EFAULT : o->id;
}

static long set(struct queue *q, uint64_t uaddr)
{
    struct msqid64_ds d;
    if (mb_copy_in(&d, uaddr, sizeof d))
        return -EFAULT;
    int err = ipc_owned(&q->o);
    if (err)
        return err;
    if (d.msg_qbytes > (uint64_t)ipc_limit[IPC_QUEUE_BYTES] && !capable(CAP_SYS_RESOURCE))
        return -EPERM;
    ipc_set_perm(&q->o, &d.msg_perm);
    q->most = d.msg_qbytes;
    q->ctime = ipc_now();
    wait_wake(&q->receivers); /* rights and room may have changed */
    wait_wake(&q->senders);
    return 0;
}

static long remove_queue(struct queue *q)
{
    int err = ipc_owned(&q->o);
    if (err)
        return err;
    wait_wake(&q->receivers);
    wait_wake(&q->senders);
    ipc_remove(&queues, &q->o);
    return 0;
}

long sys_msgctl(const uint64_t a[6])
{
    int id = (int)a[0], cmd = (int)a[1], err;
    if (id < 0 || cmd < 0)
        return -EINVAL;
    switch (cmd) {
    case IPC_INFO:
    case MSG_INFO:
        return put_info(cmd == MSG_INFO, a[2]);
    case MSG_STAT:
    case MSG_STAT_ANY:
        return by_slot(id, cmd == MSG_STAT_ANY, a[2]);
    case IPC_STAT:
    case IPC_SET:
    case IPC_RMID:
        break;
    default:
        return -EINVAL;
    }
    struct ipc_object *o = ipc_find(&queues, id, &err);
    if (!o)
        return err;
    if (cmd == IPC_SET)
        return set(queue_of(o), a[2]);
    if (cmd == IPC_RMID)
        return remove_queue(queue_of(o));
    err = ipc_permitted(o, 0444);
    return err ? err : put_stat(queue_of(o), a[2]);
}

void ipc_show_msg(struct text *t)
{
    text_printf(
        t,
        "       key      msqid perms      cbytes       qnum lspid lrpid   uid   gid  cuid  cgid      "
        "stime      rtime      ctime\n");
    for (unsigned i = 0; i < queues.room; i++) {
        struct ipc_object *o = queues.slot[i];
        if (!o)
            continue;
        const struct queue *q = queue_of(o);
        text_printf(t, "%10d %10d  %4o  %10lu %10lu %5u %5u %5u %5u %5u %5u %10lu %10lu %10lu\n",
                    o->key, o->id, o->mode, (unsigned long)q->bytes, (unsigned long)q->count,
                    (unsigned)q->lspid, (unsigned)q->lrpid, o->uid, o->gid, o->cuid, o->cgid,
                    (unsigned long)q->stime, (unsigned long)q->rtime, (unsigned long)q->ctime);
    }
}
