/* System V semaphores: semctl. */
#include "ipc/sem.h"
#include <asm/errno.h>
#include <string.h>
#include "fs/text.h"
#include "proc.h"
#include "sys.h"

static unsigned sems_all(void)
{
    unsigned n = 0;
    for (unsigned i = 0; i < sem_sets.room; i++)
        n += sem_sets.slot[i] ? sem_set_of(sem_sets.slot[i])->count : 0;
    return n;
}

static long put_stat(const struct sem_set *s, uint64_t uaddr)
{
    struct semid64_ds d;
    memset(&d, 0, sizeof d);
    d.sem_perm = ipc_perm(&s->o);
    d.sem_otime = s->otime;
    d.sem_ctime = s->ctime;
    d.sem_nsems = s->count;
    return mb_copy_out(uaddr, &d, sizeof d);
}

static long put_info(bool usage, uint64_t uaddr)
{
    struct seminfo i = {
        .semmap = SEMMAP,
        .semmni = SETS_MOST,
        .semmns = SEMMNS,
        .semmnu = SEMMNU,
        .semmsl = SEMS_MOST,
        .semopm = SEM_OPS_MOST,
        .semume = SEMUME,
        .semusz = usage ? (int)sem_sets.used : SEMUSZ,
        .semvmx = SEMVMX,
        .semaem = usage ? (int)sems_all() : SEMAEM,
    };
    return mb_copy_out(uaddr, &i, sizeof i) ? -EFAULT : ipc_last(&sem_sets);
}

static long by_slot(int slot, bool any, uint64_t uaddr)
{
    struct ipc_object *o = ipc_at(&sem_sets, slot);
    if (!o)
        return -EINVAL;
    int err = any ? 0 : ipc_permitted(o, 0444);
    if (err)
        return err;
    return put_stat(sem_set_of(o), uaddr) ? -EFAULT : o->id;
}

/* ---- values ---- */

static long get_all(const struct sem_set *s, uint64_t uaddr)
{
    uint16_t *value = mb_alloc(s->count * sizeof *value);
    if (!value)
        return -ENOMEM;
    for (unsigned i = 0; i < s->count; i++)
        value[i] = (uint16_t)s->sem[i].value;
    long err = mb_copy_out(uaddr, value, s->count * sizeof *value);
    mb_free(value);
    return err;
}

static void set_value(struct sem_set *s, unsigned num, int value)
{
    for (struct sem_undo *u = s->undo; u; u = u->set_next)
        u->adjust[num] = 0;
    s->sem[num].value = value;
    s->sem[num].pid = current->proc->pid;
}

static void changed(struct sem_set *s)
{
    s->ctime = ipc_now();
    wait_wake(&s->changed);
}

static long set_all(struct sem_set *s, uint64_t uaddr)
{
    uint16_t *value = mb_alloc(s->count * sizeof *value);
    long err = value ? mb_copy_in(value, uaddr, s->count * sizeof *value) : -ENOMEM;
    for (unsigned i = 0; !err && i < s->count; i++)
        err = value[i] > SEMVMX ? -ERANGE : 0;
    if (!err) {
        for (unsigned i = 0; i < s->count; i++)
            set_value(s, i, value[i]);
        changed(s);
    }
    mb_free(value);
    return err;
}

static long sleepers(const struct sem_set *s, unsigned num, bool zero)
{
    long n = 0;
    for (const struct sem_sleeper *i = s->sleepers; i; i = i->next)
        n += i->num == num && i->zero == zero;
    return n;
}

static long one_value(struct sem_set *s, int num, int cmd, int value)
{
    if (num < 0 || (unsigned)num >= s->count)
        return -EINVAL;
    unsigned n = (unsigned)num;
    switch (cmd) {
    case GETVAL:
        return s->sem[n].value;
    case GETPID:
        return s->sem[n].pid;
    case GETNCNT:
        return sleepers(s, n, false);
    case GETZCNT:
        return sleepers(s, n, true);
    default:
        if (value < 0 || value > SEMVMX)
            return -ERANGE;
        set_value(s, n, value);
        changed(s);
        return 0;
    }
}

/* ---- the call ---- */

static void set_remove(struct sem_set *s)
{
    sem_undo_forget(s);
    wait_wake(&s->changed);
    ipc_remove(&sem_sets, &s->o);
}

static long own(struct sem_set *s, int cmd, uint64_t uaddr)
{
    struct semid64_ds d;
    if (cmd == IPC_SET && mb_copy_in(&d, uaddr, sizeof d))
        return -EFAULT;
    int err = ipc_owned(&s->o);
    if (err)
        return err;
    if (cmd == IPC_RMID) {
        set_remove(s);
        return 0;
    }
    ipc_set_perm(&s->o, &d.sem_perm);
    s->ctime = ipc_now();
    return 0;
}

static long on_set(struct sem_set *s, int num, int cmd, uint64_t arg)
{
    if (cmd == IPC_SET || cmd == IPC_RMID)
        return own(s, cmd, arg);
    int err = ipc_permitted(&s->o, cmd == SETVAL || cmd == SETALL ? 0222 : 0444);
    if (err)
        return err;
    switch (cmd) {
    case IPC_STAT:
        return put_stat(s, arg);
    case GETALL:
        return get_all(s, arg);
    case SETALL:
        return set_all(s, arg);
    default:
        return one_value(s, num, cmd, (int)arg);
    }
}

long sys_semctl(const uint64_t a[6])
{
    int id = (int)a[0], num = (int)a[1], cmd = (int)a[2], err;
    if (id < 0)
        return -EINVAL;
    switch (cmd) {
    case IPC_INFO:
    case SEM_INFO:
        return put_info(cmd == SEM_INFO, a[3]);
    case SEM_STAT:
    case SEM_STAT_ANY:
        return by_slot(id, cmd == SEM_STAT_ANY, a[3]);
    case IPC_STAT:
    case IPC_SET:
    case IPC_RMID:
    case GETALL:
    case SETALL:
    case GETVAL:
    case SETVAL:
    case GETPID:
    case GETNCNT:
    case GETZCNT:
        break;
    default:
        return -EINVAL;
    }
    struct ipc_object *o = ipc_find(&sem_sets, id, &err);
    return o ? on_set(sem_set_of(o), num, cmd, a[3]) : err;
}

void ipc_show_sem(struct text *t)
{
    text_printf(
        t,
        "       key      semid perms      nsems   uid   gid  cuid  cgid      otime      ctime\n");
    for (unsigned i = 0; i < sem_sets.room; i++) {
        struct ipc_object *o = sem_sets.slot[i];
        if (!o)
            continue;
        const struct sem_set *s = sem_set_of(o);
        text_printf(t, "%10d %10d  %4o %10u %5u %5u %5u %5u %10lu %10lu\n", o->key, o->id, o->mode,
                    s->count, o->uid, o->gid, o->cuid, o->cgid, (unsigned long)s->otime,
                    (unsigned long)s->ctime);
    }
}
