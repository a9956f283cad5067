/* AF_UNIX names: paths of the file system, abstract names, and those that are chosen (autobind).
 *
 * A path is an inode of type S_IFSOCK that points back to its socket as long as that is open; an
 * abstract name begins with a NUL, and there is one for each type of socket.
 */
#include "net/net.h"

#include <stdio.h>
#include <string.h>

#define FAMILY_SIZE 2u /* what comes before the path */
#define SOCKADDR_UN_SIZE 110u
#define HASH 64u

struct unix_addr {
    unsigned refs, len;
    char bytes[]; /* a sockaddr_un */
};

static struct sock *abstract[HASH];

struct unix_addr *unix_addr_ref(struct unix_addr *a)
{
    if (a != NULL) {
        a->refs++;
    }
    return a;
}

void unix_addr_put(struct unix_addr *a)
{
    if (a != NULL && --a->refs == 0) {
        mb_free(a);
    }
}

static struct unix_addr *addr_make(const void *name, unsigned len)
{
    struct unix_addr *a = mb_alloc(sizeof(*a) + len);
    if (a != NULL) {
        a->refs = 1;
        a->len = len;
        memcpy(a->bytes, name, len);
    }
    return a;
}

int unix_check_name(const struct sock_name *name)
{
    if (name->len <= FAMILY_SIZE || name->len > SOCKADDR_UN_SIZE || name->family != ABI_AF_UNIX) {
        return -EINVAL;
    }
    return 0;
}

static bool is_abstract(const struct unix_addr *a)
{
    return a->len > FAMILY_SIZE && a->bytes[FAMILY_SIZE] == 0;
}

static struct sock **bucket_of(const char *bytes, unsigned len)
{
    return &abstract[dentry_hash(bytes, len) % HASH];
}

static struct sock *abstract_find(const char *bytes, unsigned len, unsigned type)
{
    for (struct sock *sk = *bucket_of(bytes, len); sk != NULL; sk = sk->un.hash_next) {
        const struct unix_addr *a = sk->un.addr;
        if (sk->type == type && a->len == len && memcmp(a->bytes, bytes, len) == 0) {
            return sk;
        }
    }
    return NULL;
}

static int abstract_bind(struct sock *sk, const char *bytes, unsigned len)
{
    if (abstract_find(bytes, len, sk->type) != NULL) {
        return -EADDRINUSE;
    }
    struct unix_addr *a = addr_make(bytes, len);
    if (a == NULL) {
        return -ENOMEM;
    }
    struct sock **bucket = bucket_of(bytes, len);
    sk->un.addr = a;
    sk->un.hashed = true;
    sk->un.hash_next = *bucket;
    *bucket = sk;
    return 0;
}

int unix_autobind(struct sock *sk)
{
    static uint32_t next;
    if (sk->un.addr != NULL) {
        return 0;
    }
    for (unsigned tries = 0; tries <= 0xfffff; tries++) {
        char name[16] = {ABI_AF_UNIX, 0};
        snprintf(name + FAMILY_SIZE + 1, 6, "%05x", next++ & 0xfffff);
        int err = abstract_bind(sk, name, FAMILY_SIZE + 6);
        if (err != -EADDRINUSE) {
            return err;
        }
    }
    return -ENOSPC;
}

/* A second name is refused, after what it would have been. */
static int second_name(const struct path *parent, const struct last *last)
{
    struct path there;
    if (path_child(parent, last, &there) < 0) {
        return -EINVAL;
    }
    path_unref(there);
    return -EEXIST;
}

static int path_bind(struct sock *sk, struct sock_name *name)
{
    struct path parent, made;
    struct last last;
    struct spec spec = {.mode = S_IFSOCK | 0777};
    name->path[name->len - FAMILY_SIZE] = 0;
    unsigned len = FAMILY_SIZE + (unsigned)strlen(name->path) + 1;
    struct unix_addr *a = addr_make(name->bytes, len);
    if (a == NULL) {
        return -ENOMEM;
    }
    int err = path_parent(AT_FDCWD, name->path, &parent, &last);
    if (err == 0) {
        err = sk->un.addr != NULL ? second_name(&parent, &last)
                                  : path_make(&parent, &last, &spec, &made);
        path_unref(parent);
    }
    if (err != 0) {
        unix_addr_put(a);
        return err == -EEXIST ? -EADDRINUSE : err;
    }
    sk->un.addr = a;
    sk->un.path = made;
    sk->un.bound = made.dentry->inode;
    sk->un.bound->sock = sk;
    return 0;
}

int unix_bind(struct sock *sk, const struct sock_name *name)
{
    if (name->len == FAMILY_SIZE && name->family == ABI_AF_UNIX) {
        return unix_autobind(sk);
    }
    int err = unix_check_name(name);
    if (err < 0) {
        return err;
    }
    if (name->path[0] == 0) {
        return sk->un.addr != NULL ? -EINVAL
                                   : abstract_bind(sk, (const char *)name->bytes, name->len);
    }
    struct sock_name copy = *name;
    return path_bind(sk, &copy);
}

/* Its socket is closed: the name is free, the path stays but leads nowhere.  What it was called stays
 * with the socket for those that have messages of it. */
void unix_unbind(struct sock *sk)
{
    if (sk->un.hashed) {
        struct sock **link = bucket_of(sk->un.addr->bytes, sk->un.addr->len);
        while (*link != sk) {
            link = &(*link)->un.hash_next;
        }
        *link = sk->un.hash_next;
        sk->un.hashed = false;
    }
    if (sk->un.bound != NULL) {
        sk->un.bound->sock = NULL;
        sk->un.bound = NULL;
    }
    if (sk->un.path.dentry != NULL) {
        path_unref(sk->un.path);
        sk->un.path.dentry = NULL;
    }
}

static int path_find(const char *name, unsigned type, struct sock **out)
{
    struct path p;
    int err = path_lookup(AT_FDCWD, name, LOOKUP_FOLLOW, &p);
    if (err < 0) {
        return err;
    }
    const struct inode *ino = p.dentry->inode;
    err = inode_permission(p.dentry->inode, MAY_WRITE);
    if (err == 0) {
        struct sock *sk = S_ISSOCK(ino->mode) ? ino->sock : NULL;
        err = sk == NULL ? -ECONNREFUSED : sk->type != type ? -EPROTOTYPE : 0;
        if (err == 0) {
            *out = sock_ref(sk);
        }
    }
    path_unref(p);
    return err;
}

int unix_find(const struct sock_name *name, unsigned type, struct sock **out)
{
    if (name->path[0] != 0) {
        struct sock_name copy = *name;
        copy.path[copy.len - FAMILY_SIZE] = 0;
        return path_find(copy.path, type, out);
    }
    struct sock *sk = abstract_find((const char *)name->bytes, name->len, type);
    if (sk == NULL) {
        return -ECONNREFUSED;
    }
    *out = sock_ref(sk);
    return 0;
}

void unix_name_of(const struct sock *who, struct sock_name *name)
{
    name->len = 0;
    if (who != NULL && who->un.addr != NULL) {
        name->len = who->un.addr->len;
        memcpy(name->bytes, who->un.addr->bytes, name->len);
    }
}

int unix_getname(struct sock *sk, struct sock_name *name, bool peer)
{
    if (peer && sk->peer == NULL) {
        return -ENOTCONN;
    }
    unix_name_of(peer ? sk->peer : sk, name);
    if (name->len == 0) {
        name->family = ABI_AF_UNIX;
        name->len = FAMILY_SIZE;
    }
    return 0;
}

size_t unix_addr_text(const struct unix_addr *a, char *buf, size_t n)
{
    size_t len = a->len - FAMILY_SIZE - (is_abstract(a) ? 0 : 1);
    len = len < n - 1 ? len : n - 1;
    for (size_t i = 0; i < len; i++) {
        char c = a->bytes[FAMILY_SIZE + i];
        buf[i] = c == 0 || c == '\n' ? '@' : c;
    }
    buf[len] = 0;
    return len;
}
