/* Inside Linux's asynchronous I/O: what aio.c, which keeps contexts and events, and aio_io.c, which does what is
 * asked for, share.  And what is told of it in /proc/sys/fs. */
#ifndef POSIX_FD_AIO_H
#define POSIX_FD_AIO_H

#include "fd/fd_int.h"

#include <linux/aio_abi.h>

struct aio_event {
    struct aio_event *next;
    struct file *eventfd; /* that is told, or NULL */
    struct io_event event;
};
/* Do it: 0, and the result is in the event; or an error of the request itself.  May sleep. */
int aio_run(const struct iocb *io, uint64_t uiocb, struct aio_event *e);

extern unsigned aio_nr, aio_max_nr; /* requests that contexts are made for, and the limit */

#endif
