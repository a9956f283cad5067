/* Telling a program's netlink socket something that is no message of a protocol: the cookies of mq_notify. */
#ifndef POSIX_NET_COOKIE_H
#define POSIX_NET_COOKIE_H

#include <stddef.h>

struct file;
struct sock;

/* The socket behind fd, referenced, in *out: 0, -EBADF, -ENOTSOCK, or -EINVAL when it is no netlink socket. */
int cookie_sock(int fd, struct sock **out);
void cookie_drop(struct sock *sk); /* the reference, unused */
/* Gives the reference back; bytes that find no memory, no room or no open socket are lost. */
void cookie_send(struct sock *sk, const void *bytes, size_t n);

#endif
