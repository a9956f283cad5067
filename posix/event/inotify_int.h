/* Inside inotify: an instance is a queue of events and a list of watches.
 *
 * A watch is on the lists of its instance and of its inode, which it holds: what is watched stays until
 * its last name is gone (notify_gone) or its file system is unmounted; then the watch goes first.
 */
#ifndef POSIX_EVENT_INOTIFY_INT_H
#define POSIX_EVENT_INOTIFY_INT_H

#include "fs/notify.h"
#include "include/vfs.h"

struct in_event {
    struct in_event *next;
    int32_t wd;
    uint32_t mask, cookie;
    uint32_t len; /* of the name, padded as programs get it; 0: none */
    char name[];
};

struct inotify {
    struct waitq readers;
    struct in_event *first, *last;
    struct in_event overflow; /* always there, queued at most once */
    unsigned queued, queued_max;
    uint32_t bytes; /* that a read would give for them */
    struct watch *watches;
    int32_t last_wd;
    bool wrapped; /* numbers may be in use */
    struct user *user;
    struct inotify *next, **link; /* all of them */
};

struct watch {
    struct inotify *in;
    struct inode *inode; /* referenced */
    int32_t wd;
    uint32_t mask;
    struct watch *next, **link;             /* of the instance */
    struct watch *inode_next, **inode_link; /* of the inode */
};

extern struct inotify *inotify_all;

/* ---- queue.c ---- */
void in_queue(struct inotify *in, int32_t wd, uint32_t mask, uint32_t cookie, const char *name,
              unsigned len);
struct in_event *in_take(struct inotify *in); /* the first, which must be there; in_event_free it */
void in_event_free(struct inotify *in, struct in_event *e);

/* ---- watch.c ---- */
/* The watch of in on ino is made or changed: its wd, or -ENOMEM, -ENOSPC, -EEXIST. */
int32_t watch_set(struct inotify *in, struct inode *ino, uint32_t mask);
struct watch *watch_find(const struct inotify *in, int32_t wd);
void watch_remove(struct watch *w, bool tell); /* tell: IN_IGNORED */

#endif
