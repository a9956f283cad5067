/* What a file's poll operation registers with: poll and select have one kind of table, epoll another. */
#ifndef POSIX_POLL_INT_H
#define POSIX_POLL_INT_H

#include <stdbool.h>

struct waitq;
struct poll_table {
    void (*add)(struct poll_table *pt, struct waitq *q);
    bool out; /* while add is called: q is of those who want to write */
};

/* What a file without a poll operation is: always ready. */
#define POLL_ALWAYS (ABI_POLLIN | ABI_POLLOUT | ABI_POLLRDNORM | ABI_POLLWRNORM)

#endif
