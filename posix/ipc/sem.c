/* System V semaphores: semget, semop, semtimedop.
 *
 * An array of operations is done whole or not at all.  Who cannot sleeps; every change of the set wakes all
 * its sleepers, and each looks again for itself.
 */
#include "ipc/sem.h"
#include <asm/errno.h>
#include <string.h>
#include "proc.h"
#include "ptime.h"
#include "sys.h"

static void set_free(struct ipc_object *o)
{
    mb_free(o);
}

struct ipc_ids sem_sets = {.most = IPC_SETS, .free = set_free};

/* ---- semget ---- */

static struct ipc_object *set_make(const void *want, int *err)
{
    unsigned n = *(const unsigned *)want;
    *err = -EINVAL;
    if (n == 0)
        return NULL;
    *err = -ENOMEM;
    struct sem_set *s = mb_zalloc(sizeof *s + n * sizeof s->sem[0]);
    if (!s)
        return NULL;
    s->count = n;
    s->ctime = ipc_now();
    waitq_init(&s->changed);
    return &s->o;
}

static int set_fits(const struct ipc_object *o, const void *want)
{
    const struct sem_set *s = (const struct sem_set *)o;
    return s->count < *(const unsigned *)want ? -EINVAL : 0;
}

long sys_semget(const uint64_t a[6])
{
    static const struct ipc_getter getter = {set_make, set_fits};
    unsigned n = (unsigned)a[1];
    if (n > SEMS_MOST)
        return -EINVAL;
    return ipc_get(&sem_sets, &getter, (int32_t)a[0], (unsigned)a[2], &n);
}

/* ---- semop ---- */

struct request {
    struct sem_set *set;
    struct sembuf *op;
    unsigned count;
    struct sem_undo *undo; /* when an operation has SEM_UNDO */
    unsigned blocked;      /* the operation that cannot be done now */
};

static int one(const struct request *r, const struct sembuf *op)
{
    struct sem *s = &r->set->sem[op->sem_num];
    int value = s->value + op->sem_op;
    if (op->sem_op == 0)
        return s->value ? -EAGAIN : 0;
    if (value < 0)
        return -EAGAIN;
    if (value > SEMVMX)
        return -ERANGE;
    if (op->sem_flg & SEM_UNDO) {
        int adjust = r->undo->adjust[op->sem_num] - op->sem_op;
        if (adjust < -SEMAEM - 1 || adjust > SEMAEM)
            return -ERANGE;
        r->undo->adjust[op->sem_num] = (int16_t)adjust;
    }
    s->value = value;
    return 0;
}

static void back(const struct request *r, unsigned n)
{
    while (n-- > 0) {
        const struct sembuf *op = &r->op[n];
        r->set->sem[op->sem_num].value -= op->sem_op;
        if (op->sem_op && (op->sem_flg & SEM_UNDO))
            r->undo->adjust[op->sem_num] = (int16_t)(r->undo->adjust[op->sem_num] + op->sem_op);
    }
}

/* 0; -EAGAIN with `blocked` set; -ERANGE. */
static int try_all(struct request *r)
{
    for (unsigned i = 0; i < r->count; i++) {
        int err = one(r, &r->op[i]);
        if (err) {
            back(r, i);
            r->blocked = i;
            return err;
        }
    }
    bool changed = false;
    for (unsigned i = 0; i < r->count; i++) {
        r->set->sem[r->op[i].sem_num].pid = current->proc->pid;
        changed |= r->op[i].sem_op != 0;
    }
    r->set->otime = ipc_now();
    if (changed)
        wait_wake(&r->set->changed);
    return 0;
}

static int sleep_on(const struct request *r, uint64_t deadline)
{
    struct sem_set *s = r->set;
    struct sem_sleeper me = {.num = r->op[r->blocked].sem_num,
                             .zero = r->op[r->blocked].sem_op == 0};
    me.next = s->sleepers;
    me.link = &s->sleepers;
    if (me.next)
        me.next->link = &me.next;
    s->sleepers = &me;
    int err = wait_on(&s->changed, deadline);
    *me.link = me.next;
    if (me.next)
        me.next->link = me.link;
    return err;
}

static int do_all(struct request *r, uint64_t deadline)
{
    struct sem_set *s = r->set;
    s->o.refs++;
    int err;
    for (;;) {
        err = s->o.removed ? -EIDRM : try_all(r);
        if (err != -EAGAIN || (r->op[r->blocked].sem_flg & IPC_NOWAIT))
            break;
        err = sleep_on(r, deadline);
        if (err == -ETIMEDOUT)
            err = -EAGAIN;
        if (s->o.removed)
            err = -EIDRM;
        if (err)
            break;
    }
    ipc_unref(&sem_sets, &s->o);
    return err;
}

static int check(struct request *r, int id)
{
    bool alter = false, undo = false;
    int err;
    struct ipc_object *o = ipc_find(&sem_sets, id, &err);
    if (!o)
        return err;
    r->set = sem_set_of(o);
    for (unsigned i = 0; i < r->count; i++) {
        if (r->op[i].sem_num >= r->set->count)
            return -EFBIG;
        alter |= r->op[i].sem_op != 0;
        undo |= r->op[i].sem_op != 0 && (r->op[i].sem_flg & SEM_UNDO);
    }
    err = ipc_permitted(o, alter ? 0222 : 0444);
    if (err)
        return err;
    r->undo = undo ? sem_undo_find(r->set) : NULL;
    return undo && !r->undo ? -ENOMEM : 0;
}

static long semtimedop(int id, uint64_t uops, uint64_t count, uint64_t utimeout)
{
    int64_t ns;
    uint64_t deadline = MB_NEVER;
    if (count < 1 || id < 0)
        return -EINVAL;
    if (count > SEM_OPS_MOST)
        return -E2BIG;
    if (utimeout) {
        int err = time_get_timespec(utimeout, &ns);
        if (err)
            return err;
        deadline = time_ticks_after((uint64_t)ns);
    }
    struct request r = {.count = (unsigned)count};
    r.op = mb_alloc(r.count * sizeof r.op[0]);
    if (!r.op)
        return -ENOMEM;
    int err = mb_copy_in(r.op, uops, r.count * sizeof r.op[0]);
    err = err ? err : check(&r, id);
    if (!err && r.set)
        err = do_all(&r, deadline);
    mb_free(r.op);
    return err;
}

long sys_semop(const uint64_t a[6])
{
    return semtimedop((int)a[0], a[1], (unsigned)a[2], 0);
}

long sys_semtimedop(const uint64_t a[6])
{
    return semtimedop((int)a[0], a[1], (unsigned)a[2], a[3]);
}
