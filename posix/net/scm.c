/* Descriptors and credentials beside data: control messages in and out, and sets of files in flight.
 *
 * A set of files belongs to who sends it, to the queue it lies in, or to who received it, in turn.
 * In a queue its files count as in flight: for the user's limit, and for unix_gc.  Sets are let go of
 * one after the other, never one inside the other: a socket in a set may have sets in its queue.
 */
#include "include/proc.h"
#include "net/net.h"

#include <string.h>

#define CONTROL_MAX 20480u /* net.core.optmem_max */

struct fdset {
    struct fdset *next; /* to be let go of */
    struct user *user;  /* in flight: whose limit it counts for */
    unsigned count;
    struct file *file[];
};

static struct fdset *doomed;
static bool burying;

static void bury(struct fdset *set)
{
    for (unsigned i = 0; i < set->count; i++) {
        file_unref(set->file[i]);
    }
    mb_free(set);
}

void fdset_free(struct fdset *set)
{
    if (set == NULL) {
        return;
    }
    set->next = doomed;
    doomed = set;
    if (burying) {
        return;
    }
    burying = true;
    while ((set = doomed) != NULL) {
        doomed = set->next;
        bury(set);
    }
    burying = false;
}

/* Out of from's queue and in front of a list, which is let go of at once later. */
void fdset_chain(struct scm *scm, struct sock *from, struct scm *list)
{
    struct fdset *set = scm->files;
    if (set != NULL) {
        scm->files = NULL;
        fdset_received(set, from);
        set->next = list->files;
        list->files = set;
    }
}

void fdset_free_chain(struct scm *list)
{
    while (list->files != NULL) {
        struct fdset *set = list->files;
        list->files = set->next;
        fdset_free(set);
    }
}

unsigned fdset_count(const struct fdset *set)
{
    return set->count;
}

struct file *fdset_file(const struct fdset *set, unsigned i)
{
    return set->file[i];
}

/* A set with room for n more; old is given back. */
static struct fdset *fdset_grow(struct fdset *old, unsigned n)
{
    unsigned count = old != NULL ? old->count : 0;
    struct fdset *set = mb_alloc(sizeof(*set) + (count + n) * sizeof(set->file[0]));
    if (set == NULL) {
        return NULL;
    }
    set->user = NULL;
    set->count = count;
    for (unsigned i = 0; i < count; i++) {
        set->file[i] = old->file[i];
    }
    mb_free(old);
    return set;
}

struct fdset *fdset_copy(const struct fdset *from)
{
    struct fdset *set = fdset_grow(NULL, from->count);
    for (unsigned i = 0; set != NULL && i < from->count; i++) {
        set->file[set->count++] = file_ref(from->file[i]);
    }
    return set;
}

int fdset_send(struct fdset *set, struct sock *to)
{
    struct user *user = current->user;
    unix_gc_sometimes();
    if (user != NULL && user->inflight > current->proc->rlimit[ABI_RLIMIT_NOFILE][0] &&
        !capable(CAP_SYS_RESOURCE) && !capable(CAP_SYS_ADMIN)) {
        return -ETOOMANYREFS;
    }
    for (unsigned i = 0; i < set->count; i++) {
        struct sock *sk = sock_of(set->file[i]);
        if (sk != NULL && sk->family == ABI_AF_UNIX) {
            sk->un.inflight++;
            unix_inflight++;
        }
    }
    if (user != NULL) {
        set->user = user_ref(user);
        user->inflight += set->count;
    }
    to->un.carried++;
    return 0;
}

void fdset_received(struct fdset *set, struct sock *from)
{
    for (unsigned i = 0; i < set->count; i++) {
        struct sock *sk = sock_of(set->file[i]);
        if (sk != NULL && sk->family == ABI_AF_UNIX) {
            sk->un.inflight--;
            unix_inflight--;
        }
    }
    if (set->user != NULL) {
        set->user->inflight -= set->count;
        user_unref(set->user);
        set->user = NULL;
    }
    from->un.carried--;
}

/* ---- from programs ---- */

static int take_rights(uint64_t udata, uint64_t len, struct scm *scm)
{
    unsigned n = (unsigned)(len / 4), have = scm->files != NULL ? scm->files->count : 0;
    if (n == 0) {
        return 0;
    }
    if (n > ABI_SCM_MAX_FD || n + have > ABI_SCM_MAX_FD) {
        return -EINVAL;
    }
    struct fdset *set = fdset_grow(scm->files, n);
    if (set == NULL) {
        return -ENOMEM;
    }
    scm->files = set;
    for (unsigned i = 0; i < n; i++) {
        int32_t fd;
        if (mb_copy_in(&fd, udata + i * 4, sizeof(fd)) < 0) {
            return -EFAULT;
        }
        struct file *f = fd_get_path(fd);
        if (f == NULL) {
            return -EBADF;
        }
        set->file[set->count++] = f;
    }
    return 0;
}

static int take_cred(uint64_t udata, uint64_t len, struct scm *scm)
{
    struct abi_ucred u;
    const struct cred *c = cred_now();
    if (len != sizeof(u)) {
        return -EINVAL;
    }
    if (mb_copy_in(&u, udata, sizeof(u)) < 0) {
        return -EFAULT;
    }
    bool uid = u.uid == c->ruid || u.uid == c->euid || u.uid == c->suid;
    bool gid = u.gid == c->rgid || u.gid == c->egid || u.gid == c->sgid;
    if ((u.pid != current->proc->pid && !capable(CAP_SYS_ADMIN)) ||
        (!uid && !capable(CAP_SETUID)) || (!gid && !capable(CAP_SETGID))) {
        return -EPERM;
    }
    if (u.pid <= 0 || process_find(u.pid) == NULL) {
        return -ESRCH;
    }
    scm->cred = u;
    return 0;
}

/* What is attached to a message; the caller gives back scm->files, also after an error. */
int scm_from_user(uint64_t control, uint64_t len, struct scm *scm)
{
    if (len > CONTROL_MAX) {
        return -ENOBUFS;
    }
    uint64_t at = 0;
    int err = 0;
    while (err == 0 && len - at >= sizeof(struct abi_cmsghdr)) {
        struct abi_cmsghdr h;
        if (mb_copy_in(&h, control + at, sizeof(h)) < 0) {
            return -EFAULT;
        }
        if (h.len < sizeof(h) || h.len > len - at) {
            return -EINVAL;
        }
        uint64_t data = control + at + sizeof(h), n = h.len - sizeof(h);
        if (h.level == ABI_SOL_SOCKET) {
            err = h.type == ABI_SCM_RIGHTS        ? take_rights(data, n, scm)
                  : h.type == ABI_SCM_CREDENTIALS ? take_cred(data, n, scm)
                                                  : -EINVAL;
        }
        uint64_t step = ABI_CMSG_ALIGN(h.len);
        if (step >= len - at) {
            break;
        }
        at += step;
    }
    return err;
}

/* What is attached to a message of sockets that take none of it: it must be there all the same. */
int scm_ignore(uint64_t control, uint64_t len)
{
    char piece[256];
    if (len > CONTROL_MAX) {
        return -ENOBUFS;
    }
    for (uint64_t n; len > 0; control += n, len -= n) {
        n = len < sizeof(piece) ? len : sizeof(piece);
        if (mb_copy_in(piece, control, n) < 0) {
            return -EFAULT;
        }
    }
    return 0;
}

/* ---- to programs: h->control and controllen move on over what was put ---- */

static void control_skip(struct abi_msghdr *h, uint64_t n)
{
    n = ABI_CMSG_ALIGN(n);
    n = n < h->controllen ? n : h->controllen;
    h->control += n;
    h->controllen -= n;
}

int cmsg_put(struct abi_msghdr *h, int level, int type, const void *data, size_t n, unsigned *flags)
{
    struct abi_cmsghdr c = {.len = sizeof(c) + n, .level = level, .type = type};
    if (h->control == 0 || h->controllen < sizeof(c)) {
        *flags |= ABI_MSG_CTRUNC;
        return 0;
    }
    if (h->controllen < c.len) {
        *flags |= ABI_MSG_CTRUNC;
        c.len = h->controllen;
    }
    if (mb_copy_out(h->control, &c, sizeof(c)) < 0 ||
        (c.len > sizeof(c) && mb_copy_out(h->control + sizeof(c), data, c.len - sizeof(c)) < 0)) {
        return -EFAULT;
    }
    control_skip(h, c.len);
    return 0;
}

/* As many descriptors as fit, in room and table. */
static void put_rights(struct abi_msghdr *h, const struct fdset *set, bool cloexec, unsigned *flags)
{
    struct abi_cmsghdr c = {.level = ABI_SOL_SOCKET, .type = ABI_SCM_RIGHTS};
    uint64_t room = h->controllen > sizeof(c) ? (h->controllen - sizeof(c)) / 4 : 0;
    unsigned n = 0;
    for (; n < set->count && n < room; n++) {
        int32_t fd = fd_install(file_ref(set->file[n]), 0, cloexec);
        if (fd < 0) {
            break;
        }
        if (mb_copy_out(h->control + sizeof(c) + n * 4, &fd, sizeof(fd)) < 0) {
            fd_close(fd);
            break;
        }
    }
    if (n > 0) {
        c.len = sizeof(c) + n * 4;
        if (mb_copy_out(h->control, &c, sizeof(c)) == 0) {
            control_skip(h, c.len);
        }
    }
    if (n < set->count) {
        *flags |= ABI_MSG_CTRUNC;
    }
}

int scm_to_user(struct abi_msghdr *h, struct scm *scm, bool passcred, bool cloexec, unsigned *flags)
{
    int err = 0;
    if (passcred) {
        err =
            cmsg_put(h, ABI_SOL_SOCKET, ABI_SCM_CREDENTIALS, &scm->cred, sizeof(scm->cred), flags);
    }
    if (scm->files != NULL && err == 0) {
        if (h->control == 0) {
            *flags |= ABI_MSG_CTRUNC;
        } else {
            put_rights(h, scm->files, cloexec, flags);
        }
    }
    fdset_free(scm->files);
    scm->files = NULL;
    return err;
}
