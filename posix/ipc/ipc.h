/* System V IPC: what segments, semaphore sets and message queues have in common - numbers, keys, owners.
 *
 * An object is in the table of its kind until IPC_RMID; whoever sleeps on one holds a reference and looks
 * at `removed` when it wakes.  The personality lock guards it all.
 */
#ifndef POSIX_IPC_H
#define POSIX_IPC_H

#include <linux/ipc.h>
#include <asm/ipcbuf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/limits.h"

struct text;

struct ipc_object {
    int id;
    int32_t key;
    uint32_t uid, gid, cuid, cgid, mode;
    unsigned refs;
    bool removed;
};

struct ipc_ids {
    enum ipc_limit most; /* how many there may be */
    void (*free)(struct ipc_object *o);
    struct ipc_object **slot;
    unsigned room, used, seq;
};

/* The get calls.  `make` builds an object (refs 1) with what `want` says; `fits`: may an old one be used? */
struct ipc_getter {
    struct ipc_object *(*make)(const void *want, int *err);
    int (*fits)(const struct ipc_object *o, const void *want);
};
long ipc_get(struct ipc_ids *ids, const struct ipc_getter *g, int32_t key, unsigned flags,
             const void *want);
struct ipc_object *ipc_find(struct ipc_ids *ids, int id, int *err); /* *err: -EINVAL, -EIDRM */
/* By slot, for IPC_STAT's relatives; NULL: nothing there. */
struct ipc_object *ipc_at(struct ipc_ids *ids, int slot);
int ipc_last(const struct ipc_ids *ids); /* the highest slot in use; 0 when there is none */
/* May the current thread have this access (bits 0444, 0222)?  0 or -EACCES. */
int ipc_permitted(const struct ipc_object *o, unsigned mode);
int ipc_owned(const struct ipc_object *o); /* it may set and remove: 0 or -EPERM */
/* Out of the table, with its reference. */
void ipc_remove(struct ipc_ids *ids, struct ipc_object *o);
void ipc_unref(struct ipc_ids *ids, struct ipc_object *o);

/* For IPC_STAT and IPC_SET. */
struct ipc64_perm ipc_perm(const struct ipc_object *o);
void ipc_set_perm(struct ipc_object *o, const struct ipc64_perm *p);
int64_t ipc_now(void); /* in seconds */

/* /proc/sysvipc */
void ipc_show_shm(struct text *t);
void ipc_show_sem(struct text *t);
void ipc_show_msg(struct text *t);

#endif
