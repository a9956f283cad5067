/* Epoll, as files see it: who is being watched tells when it ends. */
#ifndef POSIX_EVENT_EPOLL_H
#define POSIX_EVENT_EPOLL_H

struct file;
/* The last reference of f went: no epoll instance watches it any more. */
void epoll_forget(struct file *f);

#endif
