/* Inside pipes, for pipe.c and for who moves data between pipes and files (splice.c). */
#ifndef POSIX_FD_PIPE_INT_H
#define POSIX_FD_PIPE_INT_H

#include "fd/fd_int.h"

#define PIPE_PAGES 16u /* 64 KiB, as on Linux */

struct pipe {
    struct waitq readers_q, writers_q; /* who sleeps, and pollers */
    uint32_t head, tail, cap;
    uint32_t readers, writers;   /* open ends */
    uint32_t opened_r, opened_w; /* ever: what an opening FIFO end waits for */
    bool held;                   /* somebody moves what is at the tail elsewhere, and may sleep */
    bool polled;                 /* once: each write is news (edges of epoll) */
    char **page;
    char *page0[PIPE_PAGES];
};

struct pipe *pipe_of(const struct file *f); /* NULL: it is none */
/* Take out what is there, as much as fits / put in as much as there is room for: bytes, -EFAULT, or
 * -ENOMEM when there is no page and nothing went. */
long pipe_ring_get(struct pipe *p, struct iobuf *b);
long pipe_ring_put(struct pipe *p, struct iobuf *b);
/* Wait until there is data: 1; 0: there never will be; -EAGAIN, -ERESTARTSYS. */
int pipe_wait_data(struct pipe *p, bool nonblock);
/* Wait until there is room: 0; -EPIPE with SIGPIPE; -EAGAIN, -ERESTARTSYS. */
int pipe_wait_room(struct pipe *p, bool nonblock);
/* Something was taken out / put in, and there were so many bytes before: wake who cares. */
void pipe_taken(struct pipe *p, uint32_t used);
void pipe_given(struct pipe *p, uint32_t used);

#endif
