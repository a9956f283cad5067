/* The limits of System V IPC, which /proc/sys/kernel shows and sets. */
#ifndef POSIX_IPC_LIMITS_H
#define POSIX_IPC_LIMITS_H

#define IPC_SLOTS 32768u /* objects of a kind; id = sequence number * IPC_SLOTS + slot */
#define SEMS_MOST 32000u /* in a set */
#define SETS_MOST 32000u
#define SEM_OPS_MOST 500u

enum ipc_limit {
    IPC_SEGMENTS,
    IPC_SETS,
    IPC_QUEUES,
    IPC_QUEUE_BYTES,
    IPC_MESSAGE_BYTES,
    IPC_LIMITS
};
extern long ipc_limit[IPC_LIMITS];
extern unsigned long shm_bytes_max; /* of a segment */
extern unsigned long shm_pages_max; /* of all */

#endif
