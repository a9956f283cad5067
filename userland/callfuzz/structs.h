/*
 * Structures with mostly sensible content, somewhere in memory (place()): what calls want behind their
 * pointers. Each answers the address.
 */
#ifndef CALLFUZZ_STRUCTS_H
#define CALLFUZZ_STRUCTS_H

#include "fuzz.h"

#define SIGCHLD_NR 17
#define CLONE_PIDFD_BIT 0x1000

long put(struct rng *r, void *what, size_t n); /* these bytes somewhere */
long place_long(struct rng *r, long value);
long place_timespec(struct rng *r, unsigned n);
long place_timeval(struct rng *r);
long place_mask(struct rng *r);
long place_pollfds(struct rng *r);
long place_epoll_event(struct rng *r);
long place_iovec(struct rng *r);
long place_sockaddr(struct rng *r);
long place_msghdr(struct rng *r, unsigned n); /* n of struct mmsghdr; 1: as good as one msghdr */
long place_flock(struct rng *r);
long place_termios(struct rng *r);
long place_open_how(struct rng *r);
long place_clone_args(struct rng *r, long flags);
long place_sigevent(struct rng *r);
long place_sembufs(struct rng *r);
long place_msgbuf(struct rng *r);
long place_handle(struct rng *r);
long place_stack(struct rng *r);
long place_action(struct rng *r);
long place_argv(struct rng *r);
long place_cap_header(struct rng *r);
long place_robust(struct rng *r);
long futex_word(struct rng *r);
/* Of the life's own System V objects, mostly. */
long ipc_id(struct rng *r);
void ipc_make(void);
/* Of the life's own asynchronous I/O, mostly; and requests to it. */
long aio_context(struct rng *r);
long place_iocbs(struct rng *r);
void aio_make(void);

#endif
