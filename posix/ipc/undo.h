/* SEM_UNDO, as clone and exit see it (posix/ipc/semundo.c). */
#ifndef POSIX_IPC_UNDO_H
#define POSIX_IPC_UNDO_H

#include <stdint.h>

struct task;
int sem_undo_clone(struct task *t, struct task *from,
                   uint64_t flags); /* CLONE_SYSVSEM: share; 0, -ENOMEM */
void sem_undo_drop(struct task *t); /* the thread ends: the last one that shares undoes */

#endif
