/* System V semaphores: what the operations (sem.c), the control calls (semctl.c) and undoing at the end of
 * a thread (semundo.c) share. */
#ifndef POSIX_IPC_SEM_H
#define POSIX_IPC_SEM_H

#include <linux/sem.h>
#include "ipc/ipc.h"
#include "task.h"

struct sem {
    int value, pid;
};

/* Somebody asleep in semop: which semaphore it waits for, and whether for zero. */
struct sem_sleeper {
    struct sem_sleeper *next, **link;
    unsigned num;
    bool zero;
};

struct sem_set {
    struct ipc_object o;
    unsigned count;
    int64_t otime, ctime;
    struct waitq changed;
    struct sem_sleeper *sleepers;
    struct sem_undo *undo; /* of everybody, linked by set_next */
    struct sem sem[];
};

/* What to add when the threads that share a list have ended; one for each set they used. */
struct sem_undo {
    struct sem_undo *next; /* of the list */
    struct sem_undo *set_next, **set_link;
    struct sem_set *set; /* NULL: removed */
    int16_t adjust[];
};

struct sem_undo_list {
    unsigned refs;
    struct sem_undo *first;
};

extern struct ipc_ids sem_sets;
static inline struct sem_set *sem_set_of(struct ipc_object *o)
{
    return (struct sem_set *)o;
}

/* semundo.c */
/* The current thread's for the set, made when there is none; NULL: no memory. */
struct sem_undo *sem_undo_find(struct sem_set *s);
void sem_undo_forget(struct sem_set *s); /* the set is removed */

#endif
