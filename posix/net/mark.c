/* What is attached to parts of a stream: descriptors and credentials.
 *
 * A mark covers the bytes start..end; bytes between marks have nobody's credentials.  A reader gets
 * what belongs together: it stops where the writer changes, if it wants to know who wrote, and behind
 * a part that brought descriptors.  Each mark counts as so many bytes more, so that a queue of many is
 * bounded too.
 */
#include "net/net.h"

#include <string.h>

#define MARK_COST 256u

static bool same_cred(const struct abi_ucred *a, const struct abi_ucred *b)
{
    return a->pid == b->pid && a->uid == b->uid && a->gid == b->gid;
}

int mark_add(struct stream *s, uint64_t start, const struct scm *scm)
{
    struct mark *last = s->last_mark;
    if (last != NULL && scm->files == NULL && last->scm.files == NULL && last->end == start &&
        same_cred(&last->scm.cred, &scm->cred)) {
        last->end = s->in;
        return 0;
    }
    struct mark *m = mb_alloc(sizeof(*m));
    if (m == NULL) {
        return -ENOMEM;
    }
    *m = (struct mark){.start = start, .end = s->in, .scm = *scm};
    if (last != NULL) {
        last->next = m;
    } else {
        s->marks = m;
    }
    s->last_mark = m;
    s->overhead += MARK_COST;
    return 0;
}

/* The newest covers nothing, since its bytes did not come. */
void mark_undo(struct stream *s)
{
    struct mark *m = s->last_mark, **link = &s->marks, *prev = NULL;
    if (m->start != m->end) {
        return;
    }
    while (*link != m) {
        prev = *link;
        link = &prev->next;
    }
    *link = NULL;
    s->last_mark = prev;
    s->overhead -= MARK_COST;
    mb_free(m);
}

static void mark_drop(struct stream *s)
{
    struct mark *m = s->marks;
    s->marks = m->next;
    if (s->marks == NULL) {
        s->last_mark = NULL;
    }
    s->overhead -= MARK_COST;
    mb_free(m);
}

/* The first part of the stream: its mark, or NULL, and how long it is. */
static struct mark *part_at(const struct stream *s, uint64_t *len)
{
    struct mark *m = s->marks;
    if (m == NULL || m->start > s->out) {
        *len = (m != NULL ? m->start : s->in) - s->out;
        return NULL;
    }
    *len = m->end - s->out;
    return m;
}

/* Descriptors that came with bytes just read. */
static void take_files(struct sock *sk, struct mark *m, bool peek, struct sock_extra *x)
{
    struct fdset *set = m->scm.files;
    if (peek) {
        if (x != NULL && x->scm.files == NULL) {
            x->scm.files = fdset_copy(set); /* without memory: as if there were none */
        }
        return;
    }
    m->scm.files = NULL;
    fdset_received(set, sk);
    if (x != NULL && x->scm.files == NULL) {
        x->scm.files = set;
    } else {
        fdset_free(set);
    }
}

long mark_get(struct sock *sk, struct iobuf *b, bool peek, struct sock_extra *x, bool *more,
              bool *have_cred)
{
    struct stream *s = &sk->rx;
    uint64_t len;
    struct mark *m = part_at(s, &len);
    struct abi_ucred cred = m != NULL ? m->scm.cred : SCM_NOBODY;
    *more = false;
    if (sk->passcred && x != NULL) {
        if (*have_cred && !same_cred(&x->scm.cred, &cred)) {
            return 0;
        }
        x->scm.cred = cred;
        *have_cred = true;
    }
    size_t n = b->len < len ? b->len : len;
    long got = peek ? stream_peek(s, b, 0, n) : stream_get(s, b, n);
    if (got <= 0) {
        return got;
    }
    bool files = m != NULL && m->scm.files != NULL;
    if (files) {
        take_files(sk, m, peek, x);
    }
    if (m != NULL && !peek && s->out == m->end) {
        mark_drop(s);
    }
    *more = !peek && !files && (uint64_t)got == len;
    return got;
}

void marks_clear(struct stream *s)
{
    while (s->marks != NULL) {
        mark_drop(s);
    }
}
