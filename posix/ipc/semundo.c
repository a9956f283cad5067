/* System V semaphores: SEM_UNDO, what is added when the threads that used a set have ended. */
#include "ipc/sem.h"
#include "ipc/undo.h"
#include <asm/errno.h>
#include <linux/sched.h>

static struct sem_undo_list *list_now(void)
{
    struct task *t = current;
    if (!t->sem_undo) {
        t->sem_undo = mb_zalloc(sizeof *t->sem_undo);
        if (t->sem_undo)
            t->sem_undo->refs = 1;
    }
    return t->sem_undo;
}

struct sem_undo *sem_undo_find(struct sem_set *s)
{
    struct sem_undo_list *l = list_now();
    if (!l)
        return NULL;
    for (struct sem_undo **at = &l->first; *at;) {
        struct sem_undo *u = *at;
        if (u->set == s)
            return u;
        if (u->set) {
            at = &u->next;
        } else { /* its set is gone */
            *at = u->next;
            mb_free(u);
        }
    }
    struct sem_undo *u = mb_zalloc(sizeof *u + s->count * sizeof u->adjust[0]);
    if (!u)
        return NULL;
    u->set = s;
    u->next = l->first;
    l->first = u;
    u->set_next = s->undo;
    u->set_link = &s->undo;
    if (s->undo)
        s->undo->set_link = &u->set_next;
    s->undo = u;
    return u;
}

void sem_undo_forget(struct sem_set *s)
{
    for (struct sem_undo *u = s->undo; u; u = u->set_next)
        u->set = NULL;
    s->undo = NULL;
}

static void apply(struct sem_undo *u)
{
    struct sem_set *s = u->set;
    bool changed = false;
    for (unsigned i = 0; i < s->count; i++) {
        if (!u->adjust[i])
            continue;
        int v = s->sem[i].value + u->adjust[i];
        s->sem[i].value = v < 0 ? 0 : v > SEMVMX ? SEMVMX : v;
        s->sem[i].pid = current->proc->pid;
        changed = true;
    }
    *u->set_link = u->set_next;
    if (u->set_next)
        u->set_next->set_link = u->set_link;
    if (changed) {
        s->otime = ipc_now();
        wait_wake(&s->changed);
    }
}

int sem_undo_clone(struct task *t, struct task *from, uint64_t flags)
{
    if (!(flags & CLONE_SYSVSEM))
        return 0;
    struct sem_undo_list *l = list_now();
    if (!l)
        return -ENOMEM;
    l->refs++;
    t->sem_undo = l;
    return 0;
}

void sem_undo_drop(struct task *t)
{
    struct sem_undo_list *l = t->sem_undo;
    t->sem_undo = NULL;
    if (!l || --l->refs)
        return;
    for (struct sem_undo *u; (u = l->first);) {
        l->first = u->next;
        if (u->set)
            apply(u);
        mb_free(u);
    }
    mb_free(l);
}
