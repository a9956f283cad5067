/* The limits of POSIX message queues, which /proc/sys/fs/mqueue shows. */
#ifndef POSIX_IPC_MQUEUE_H
#define POSIX_IPC_MQUEUE_H

#define MQ_MSGS_HARD 65536
#define MQ_SIZE_HARD (16 << 20)

/* How many queues, and for whoever is not privileged: messages in one, bytes in a message; of a queue made without a
 * word about it. */
enum mq_limit { MQ_QUEUES, MQ_MSGS, MQ_SIZE, MQ_MSGS_DEFAULT, MQ_SIZE_DEFAULT, MQ_LIMITS };
extern long mq_limit[MQ_LIMITS];

#endif
