/* The inside of sockets.
 *
 *      file --priv--> sock --peer--> sock        what a socket receives lies in its own queue:
 *                      | rx: bytes (stream)      a sender puts it straight there and wakes the reader
 *                      | rx: packets             (datagrams, seqpacket, netlink)
 *                      | pending: connections not accepted yet (listening)
 *
 * What families share is here and in stream.c, packet.c, accept.c, scm.c, option.c; a family adds a table
 * of operations.  There is no network below: a peer is always another socket of this machine.
 *
 * Rules: sleepers wait on the queues of their own socket (rq: something to read or accept, wq: room,
 * or a connection), so that whoever holds the file holds the queue.  A peer's pointer is a
 * reference and stays when the peer is closed (dead).  Everything wants the personality lock;
 * after a sleep everything is looked at again.
 */
#ifndef POSIX_NET_NET_H
#define POSIX_NET_NET_H

#include "abi.h"
#include "fd/fd_int.h"

struct sock;
struct fdset;

/* What travels beside data (scm.c). */
struct scm {
    struct abi_ucred cred; /* pid 0: of nobody */
    struct fdset *files;   /* or NULL */
};
#define SCM_NOBODY ((struct abi_ucred){0, 65534, 65534})

#define NAME_SIZE 128 /* sockaddr_storage */
struct sock_name {
    unsigned len; /* 0: none */
    union {
        uint16_t family;
        uint8_t bytes[NAME_SIZE];
        struct abi_sockaddr_in in;
        struct abi_sockaddr_in6 in6;
        struct abi_sockaddr_nl nl;
        struct {
            uint16_t un_family;
            char path[NAME_SIZE - 2];
        };
    };
};

/* What a call moves beside the data.  read and write have none (NULL). */
struct sock_extra {
    struct sock_name *name; /* where to; or room for where from; NULL: not asked for */
    struct scm scm;         /* attached; or what came, whose files are the caller's now */
    unsigned flags;         /* received: MSG_TRUNC ... */
};

struct sock_ops {
    int (*bind)(struct sock *sk, const struct sock_name *name);
    int (*connect)(struct sock *sk, const struct sock_name *name, bool nonblock);
    int (*listen)(struct sock *sk, unsigned backlog);
    int (*getname)(struct sock *sk, struct sock_name *name, bool peer);
    int (*shutdown)(struct sock *sk, unsigned how); /* SHUT_IN | SHUT_OUT */
    long (*send)(struct sock *sk, struct iobuf *b, unsigned flags, struct sock_extra *x);
    long (*recv)(struct sock *sk, struct iobuf *b, unsigned flags, struct sock_extra *x);
    unsigned (*poll)(struct sock *sk);
    long (*ioctl)(struct sock *sk, uint64_t cmd, uint64_t arg);
    /* Of levels that are not SOL_SOCKET.  *n: room, then length. */
    int (*set)(struct sock *sk, int level, int name, const void *value, unsigned n);
    int (*get)(struct sock *sk, int level, int name, void *value, unsigned *n);
    void (*room)(struct sock *sk);    /* one left the line of a listening socket; may be NULL */
    void (*release)(struct sock *sk); /* its file is closed */
    void (*free)(struct sock *sk);    /* the last reference goes */
    bool connections;                 /* stream or seqpacket: listen and accept */
};

/* ---- streams of bytes (stream.c) ---- */
struct chunk;
struct mark;
struct stream {
    struct chunk *head, *tail, *spare;
    uint64_t in, out; /* bytes that came and went since ever */
    uint32_t overhead, spares;
    struct mark *marks, *last_mark;
};

/* ---- packets (packet.c) ---- */
struct inet_end {
    uint8_t ip[16];
    uint16_t port;
};
struct packet {
    struct packet *next;
    struct sock *from; /* charged for it; a reference, or NULL */
    uint32_t len, charge;
    struct scm scm;
    struct inet_end source, to;
    char data[];
};

enum sock_state { SOCK_CLOSED, SOCK_CONNECTING, SOCK_CONNECTED, SOCK_LISTENING };
#define SHUT_IN 1u  /* nothing more will be received */
#define SHUT_OUT 2u /* or sent */
#define SHUT_BOTH 3u

#define SOCK_BUFFER 212992u /* net.core.[rw]mem_default and _max */

struct unix_addr;
struct unix_part {
    struct unix_addr *addr; /* or NULL */
    struct path path;       /* bound in the file system; dentry NULL: not */
    struct inode *bound;    /* which points back */
    struct sock *hash_next; /* abstract names */
    bool hashed;
    struct sock *want_next; /* in wanted of want_from: to be told when there is room */
    struct sock *want_from;
    struct sock *wanted;
    struct waitq room; /* blocked senders and connecting ones */
    unsigned inflight; /* times its file is in a queue */
    unsigned carried;  /* sets of files in its own queue */
    bool live;         /* gc */
    struct sock *work_next;
};
struct inet_part {
    struct inet_end self, peer; /* port 0: not bound, not connected */
    struct sock *port_next;     /* of all bound to ports of one hash */
    bool bound, v6only;
    bool fin, reset; /* the peer sends no more; the connection is broken */
    bool asked;      /* a connect that did not wait has its result to come */
    bool chosen;     /* UDP: the port was not asked for */
    uint32_t uid;
    int32_t option[20]; /* inet_option.c */
    struct sock *via;   /* CONNECTING: the listener whose line it stands in */
};
struct netlink_part {
    uint32_t port, groups; /* port 0: not chosen yet */
};

struct sock {
    const struct sock_ops *ops;
    unsigned refs;
    uint16_t family, type, protocol;
    uint8_t state, shutdown;
    bool dead; /* closed */
    bool passcred, reuseaddr, reuseport, keepalive, broadcast, dontroute, oobinline;
    bool no_check, debug; /* kept and told, without effect, as some of the others */
    struct abi_linger linger;
    int err; /* SO_ERROR, positive */
    uint32_t sndbuf, rcvbuf, rcvlowat, priority, mark;
    int64_t rcvtimeo, sndtimeo; /* ns, 0: for ever */
    struct waitq rq, wq;
    struct sock *peer;
    struct file *file;     /* not referenced; NULL: not accepted yet, or dead */
    struct abi_ucred cred; /* of who made its end, for the peer to ask: SO_PEERCRED */
    struct abi_ucred peercred;
    union {
        struct stream rx;
        struct {
            struct packet *first, *last;
            unsigned count;
            uint32_t bytes; /* charged */
        } packets;
    };
    uint32_t wmem; /* charged for packets others have not received yet */
    /* listening: connections to accept, and those that wait for their turn to be one */
    struct sock *pending, *pending_last, *waiting, *waiting_last;
    struct sock *pending_next;
    unsigned pending_count, backlog;
    struct sock *all_next, **all_link; /* of the family */
    union {
        struct unix_part un;
        struct inet_part in;
        struct netlink_part nl;
    };
};

/* ---- socket.c: making and ending them ---- */
extern const struct file_ops sock_file_ops;
struct sock *sock_make(const struct sock_ops *ops, struct sock **all, unsigned family,
                       unsigned type, unsigned protocol);
static inline struct sock *sock_ref(struct sock *sk)
{
    sk->refs++;
    return sk;
}
void sock_free_(struct sock *sk);
static inline void sock_unref(struct sock *sk)
{
    if (--sk->refs == 0) {
        sock_free_(sk);
    }
}
/* A file for sk, taking over the reference even when it fails: NULL, no memory. */
struct file *sock_file(struct sock *sk, unsigned flags);
/* The same in two steps, of which only the first can fail. */
struct file *sock_file_blank(unsigned flags);
void sock_file_take(struct file *f, struct sock *sk);
void sock_close(struct sock *sk); /* as when its last file goes: takes the reference */
/* The socket of a descriptor, *f referenced; or NULL and -EBADF, -ENOTSOCK. */
struct sock *sock_get(int fd, struct file **f, int *err);
/* Names from and to programs (calls.c). */
int name_from_user(uint64_t uaddr, int64_t len, struct sock_name *name);
int name_to_user(const struct sock_name *name, uint64_t uaddr, uint64_t ulen);
static inline struct sock *sock_of(const struct file *f)
{
    return f->ops == &sock_file_ops ? f->priv : NULL;
}

/* ---- waiting ---- */
/* Sleep once on q.  *deadline 0: set by the first call from timeout.  0, or -EAGAIN when it is over, or
 * what an interrupted call answers. */
int sock_wait(struct waitq *q, int64_t timeout, uint64_t *deadline);
/* The same on sk->rq, alone: whoever leaves something calls sock_pass_on. */
int sock_wait_in(struct sock *sk, uint64_t *deadline);
static inline void sock_wake_in(struct sock *sk) /* something came */
{
    if (sk->rq.head != NULL) {
        wait_wake_one(&sk->rq);
    }
}
void sock_pass_on(struct sock *sk);
static inline void sock_found_full(
    struct sock *sk) /* or not connected: who wants to send has to wait */
{
    if (sk->file != NULL) {
        file_found_full(sk->file);
    }
}
void sock_wake_all(struct sock *sk);      /* its state changed */
int sock_error(struct sock *sk);          /* take SO_ERROR: 0 or negated */
long sock_broken(unsigned flags, long e); /* SIGPIPE goes with -EPIPE */
struct abi_ucred sock_cred(void);         /* of the current thread, effective */

/* ---- stream.c ---- */
static inline uint32_t stream_bytes(const struct stream *s)
{
    return (uint32_t)(s->in - s->out);
}
static inline uint32_t stream_used(const struct stream *s)
{
    return (uint32_t)(s->in - s->out) + s->overhead;
}
long stream_put(struct stream *s, struct iobuf *b, size_t n);
long stream_get(struct stream *s, struct iobuf *b, size_t n); /* b NULL: throw away */
long stream_peek(const struct stream *s, struct iobuf *b, size_t skip, size_t n);
void stream_clear(struct stream *s);

/* ---- mark.c: what is attached to parts of a stream ---- */
struct mark {
    struct mark *next;
    uint64_t start, end;
    struct scm scm;
};
int mark_add(struct stream *s, uint64_t start, const struct scm *scm); /* takes scm->files */
void mark_undo(struct stream *s);                                      /* the bytes did not come */
/* Receive at most n bytes that belong together; more: they go on. */
long mark_get(struct sock *sk, struct iobuf *b, bool peek, struct sock_extra *x, bool *more,
              bool *have_cred);
void marks_clear(struct stream *s);

/* ---- stream_sock.c: send and recv of AF_UNIX streams and TCP ---- */
long stream_send(struct sock *sk, struct iobuf *b, unsigned flags, struct sock_extra *x);
long stream_recv(struct sock *sk, struct iobuf *b, unsigned flags, struct sock_extra *x);
bool stream_writable(const struct sock *sk);

/* ---- packet.c ---- */
/* A packet of n bytes from b, charged to nobody yet: NULL with *err. */
struct packet *packet_make(struct iobuf *b, size_t n, int *err);
void packet_queue(struct sock *to, struct packet *p, struct sock *from); /* and wake */
struct packet *packet_take(struct sock *sk);
void packet_free(struct packet *p);
void packets_clear(struct sock *sk);
long packet_recv(struct sock *sk, struct iobuf *b, unsigned flags, struct sock_extra *x);

/* ---- accept.c ---- */
static inline bool pending_full(const struct sock *sk)
{
    return sk->pending_count > sk->backlog;
}
void pending_add(struct sock *sk, struct sock *child); /* takes the reference */
struct sock *pending_take(struct sock *sk);

/* ---- scm.c ---- */
int scm_from_user(uint64_t control, uint64_t len, struct scm *scm);
int scm_ignore(uint64_t control, uint64_t len);
/* Into a program's control buffer, h->control and controllen move on; gives back scm->files. */
int scm_to_user(struct abi_msghdr *h, struct scm *scm, bool passcred, bool cloexec,
                unsigned *flags);
int cmsg_put(struct abi_msghdr *h, int level, int type, const void *data, size_t n,
             unsigned *flags);
void fdset_free(struct fdset *set);
struct fdset *fdset_copy(const struct fdset *set);
int fdset_send(struct fdset *set, struct sock *to);        /* into to's queue: 0, -ETOOMANYREFS */
void fdset_received(struct fdset *set, struct sock *from); /* out of it */
void fdset_chain(struct scm *scm, struct sock *from, struct scm *list);
void fdset_free_chain(struct scm *list);
unsigned fdset_count(const struct fdset *set);
struct file *fdset_file(const struct fdset *set, unsigned i);

/* ---- families ---- */
struct family {
    uint16_t family;
    int (*create)(unsigned family, unsigned type, unsigned protocol, struct sock **out);
    int (*pair)(struct sock *a, struct sock *b); /* NULL: no socketpair */
};
const struct family *family_find(unsigned number);
extern const struct family unix_family, inet_family, inet6_family, netlink_family;

/* ---- unix ---- */
extern struct sock *unix_all;
extern const struct sock_ops unix_stream_ops, unix_dgram_ops, unix_seqpacket_ops;
int unix_bind(struct sock *sk, const struct sock_name *name);
int unix_autobind(struct sock *sk);
void unix_unbind(struct sock *sk);
int unix_check_name(const struct sock_name *name);
/* Who is bound to it, referenced: -ECONNREFUSED, -EPROTOTYPE ... */
int unix_find(const struct sock_name *name, unsigned type, struct sock **out);
int unix_getname(struct sock *sk, struct sock_name *name, bool peer);
/* As recvmsg has it: length 0 when who is not bound. */
void unix_name_of(const struct sock *who, struct sock_name *name);
void unix_addr_put(struct unix_addr *a);
struct unix_addr *unix_addr_ref(struct unix_addr *a);
size_t unix_addr_text(const struct unix_addr *a, char *buf,
                      size_t n); /* as /proc/net/unix has it */
void unix_release(struct sock *sk);
int unix_shutdown(struct sock *sk, unsigned how);
void unix_free(struct sock *sk);
int unix_listen(struct sock *sk, unsigned backlog);
int unix_connect(struct sock *sk, const struct sock_name *name, bool nonblock);
long unix_ioctl(struct sock *sk, uint64_t cmd, uint64_t arg);
void unix_room(struct sock *sk); /* there is room in sk's queue: tell who waits */
void unix_want_nothing(struct sock *sk);
void unix_nobody_wants(struct sock *sk);
void unix_gc(const struct file *closing); /* closing: one more of its references does not count */
void unix_gc_sometimes(void);
void unix_file_closes(const struct file *f); /* one of its descriptors */
extern unsigned unix_inflight;

/* ---- inet ---- */
extern struct sock *inet_all;
extern const struct sock_ops tcp_ops, udp_ops;
bool inet_is_v4(const struct inet_end *e);
bool inet_is_any(const struct inet_end *e);
bool inet_is_local(const struct inet_end *e); /* an address of lo */
int inet_from_name(const struct sock *sk, const struct sock_name *name, struct inet_end *out);
void inet_to_name(const struct sock *sk, const struct inet_end *e, struct sock_name *name);
void inet_any(unsigned family, struct inet_end *e);
void inet_loopback(bool v4, struct inet_end *e);
int inet_route(const struct sock *sk,
               struct inet_end *to); /* "any" becomes loopback; -ENETUNREACH */
int inet_getname(struct sock *sk, struct sock_name *name, bool peer);
int inet_set(struct sock *sk, int level, int name, const void *value, unsigned n);
int inet_get(struct sock *sk, int level, int name, void *value, unsigned *n);
int tcp_connect(struct sock *sk, const struct sock_name *name, bool nonblock);
int tcp_listen(struct sock *sk, unsigned backlog);
int tcp_disconnect(struct sock *sk);
void tcp_room(struct sock *l);
void tcp_line_leave(struct sock *sk);       /* it does not wait any more */
void tcp_refused(struct sock *sk, int err); /* or it was in vain */
#define TCP_CLOSE_STATE 7
unsigned tcp_state(const struct sock *sk); /* as Linux numbers them */
/* port.c */
int inet_bind(struct sock *sk, const struct sock_name *name);
int port_bind(struct sock *sk, uint16_t port);             /* 0: any free one; self.ip is set */
void port_share(struct sock *sk, const struct sock *with); /* an accepted one has its listener's */
void port_unbind(struct sock *sk);
int port_may_listen(const struct sock *sk);
struct sock *port_find_listener(const struct sock *from, const struct inet_end *to);
struct sock *port_find_udp(const struct inet_end *from, const struct inet_end *to);
/* What went over lo, for /proc/net/dev. */
struct net_counted {
    uint64_t packets, bytes;
};
extern struct net_counted net_counted;
/* lo.c */
long lo_ioctl(struct sock *sk, uint64_t cmd, uint64_t arg); /* -ENOTTY: not one of its */

#endif
