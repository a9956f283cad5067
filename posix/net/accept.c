/* The line of connections in front of a listening socket.
 *
 * A connection is made whole when it is asked for: the child is connected and may be written to before
 * it is accepted.  At most backlog + 1 wait; the rest wait outside, each family in its way.
 */
#include "net/net.h"

void pending_add(struct sock *sk, struct sock *child)
{
    child->pending_next = NULL;
    if (sk->pending != NULL) {
        sk->pending_last->pending_next = child;
    } else {
        sk->pending = child;
    }
    sk->pending_last = child;
    sk->pending_count++;
    sock_wake_in(sk);
}

struct sock *pending_take(struct sock *sk)
{
    struct sock *child = sk->pending;
    if (child == NULL) {
        return NULL;
    }
    sk->pending = child->pending_next;
    child->pending_next = NULL;
    sk->pending_count--;
    if (sk->ops->room != NULL) {
        sk->ops->room(sk);
    }
    return child;
}
