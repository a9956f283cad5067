/* Sockets that only their own queues hold.
 *
 * A descriptor in a queue keeps its file; a socket whose file is in a queue that can only be reached
 * through that socket is garbage nobody can close any more.  Reachable are the sockets whose files
 * are held by more than queues, and what is in queues of reachable ones.  The files in the queues of
 * all others are let go of, which ends them.
 *
 * Garbage begins when the last descriptor of a socket that carries others is closed: then it is
 * looked for; and now and then as more is in flight, for files that a call gave up last.
 */
#include "net/net.h"

unsigned unix_inflight;
static unsigned next_look = 64;

static struct sock *work;

static void reach(struct sock *sk)
{
    if (!sk->un.live) {
        sk->un.live = true;
        sk->un.work_next = work;
        work = sk;
    }
}

static void reach_files(const struct fdset *set)
{
    for (unsigned i = 0; set != NULL && i < fdset_count(set); i++) {
        struct sock *sk = sock_of(fdset_file(set, i));
        if (sk != NULL && sk->family == ABI_AF_UNIX) {
            reach(sk);
        }
    }
}

static void reach_queue(const struct sock *sk)
{
    if (sk->type == ABI_SOCK_STREAM) {
        for (const struct mark *m = sk->rx.marks; m != NULL; m = m->next) {
            reach_files(m->scm.files);
        }
    } else {
        for (const struct packet *p = sk->packets.first; p != NULL; p = p->next) {
            reach_files(p->scm.files);
        }
    }
    for (struct sock *child = sk->pending; child != NULL; child = child->pending_next) {
        reach(child);
    }
}

/* All sets in the queue of one that is garbage, put on a list. */
static void strip(struct sock *sk, struct scm *list)
{
    if (sk->type == ABI_SOCK_STREAM) {
        for (struct mark *m = sk->rx.marks; m != NULL; m = m->next) {
            fdset_chain(&m->scm, sk, list);
        }
    } else {
        for (struct packet *p = sk->packets.first; p != NULL; p = p->next) {
            fdset_chain(&p->scm, sk, list);
        }
    }
}

void unix_gc(const struct file *closing)
{
    struct scm garbage = {.files = NULL};
    for (struct sock *sk = unix_all; sk != NULL; sk = sk->all_next) {
        sk->un.live = false;
    }
    for (struct sock *sk = unix_all; sk != NULL; sk = sk->all_next) {
        if (sk->file != NULL && sk->file->refs - (sk->file == closing) > sk->un.inflight) {
            reach(sk);
        }
    }
    while (work != NULL) {
        struct sock *sk = work;
        work = sk->un.work_next;
        reach_queue(sk);
    }
    for (struct sock *sk = unix_all; sk != NULL; sk = sk->all_next) {
        if (!sk->un.live && sk->un.inflight > 0) {
            strip(sk, &garbage);
            for (struct sock *child = sk->pending; child != NULL; child = child->pending_next) {
                strip(child, &garbage);
            }
        }
    }
    fdset_free_chain(&garbage);
}

void unix_file_closes(const struct file *f)
{
    const struct sock *sk = f->priv;
    if (sk->un.inflight > 0 && f->refs - 1 == sk->un.inflight &&
        (sk->un.carried > 0 || sk->pending != NULL)) {
        unix_gc(f);
    }
}

void unix_gc_sometimes(void)
{
    if (unix_inflight >= next_look) {
        unix_gc(NULL);
        next_look = unix_inflight * 2 > 64 ? unix_inflight * 2 : 64;
    }
}
