/* Inside Linux's asynchronous I/O, which has three files: aio.c keeps contexts and takes requests, run.c does
 * what they ask for, get.c tells what came of it.  And what is shown in /proc/sys/fs. */
#ifndef POSIX_AIO_H
#define POSIX_AIO_H

#include "fd/fd_int.h"

#include <linux/aio_abi.h>

struct aio_event {
    struct aio_event *next;
    struct file *eventfd; /* that is told, or NULL */
    struct io_event event;
};
struct aio {
    struct aio *next; /* of the same address space */
    uint64_t id;
    unsigned refs;    /* the list's, and of calls that may sleep */
    unsigned max;     /* what it was made for: counted in aio_nr */
    unsigned events;  /* so many can be on the way or in the list, and */
    unsigned room;    /* so many more */
    unsigned running; /* being done */
    bool dead;
    struct aio_event *first, **last;
    struct waitq wait; /* for events, and for the end of what runs */
};
/* Where the one of this number is linked; it may be NULL. */
struct aio **aio_find(uint64_t id);
void aio_unref(struct aio *c);
void aio_event_free(struct aio_event *e);

/* Do it: 0, and the result is in the event; or an error of the request itself.  May sleep. */
int aio_run(const struct iocb *io, uint64_t uiocb, struct aio_event *e);

/* Requests that contexts are made for, and the limit (fs/proc_sys.c). */
extern unsigned aio_nr, aio_max_nr;

#endif
