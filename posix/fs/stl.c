/* See stl.h.
 *
 * Answers of logd come on another fiber, one at a time for all readers: the last one is kept in a window
 * that any reader whose cursor lies in it reads from. */
#include "fs/stl.h"
#include "fs/inode.h"

#include <stdio.h>
#include <string.h>

#define WINDOW 8192u

static struct {
    struct waitq queue; /* of all who wait for an answer or for more */
    _Alignas(8) uint8_t bytes[WINDOW];
    size_t n;
    uint64_t from, next; /* it has all there is of these numbers */
    uint64_t end;        /* newest number known to be the end */
    uint64_t answers;
    uint64_t asked; /* from where, while an answer is due */
    int err;        /* of the last answer */
} stl;

static void answered(const uint8_t *records, size_t n, uint64_t next, uint64_t end, int err)
{
    stl.answers++;
    stl.err = n > WINDOW ? -EIO : err;
    stl.n = 0;
    stl.from = stl.next = stl.asked;
    if (stl.err == 0) {
        memcpy(stl.bytes, records, n);
        stl.n = n;
        stl.next = next > stl.asked ? next : stl.asked;
        stl.end = end;
    }
    wait_wake(&stl.queue);
}

static void grown(uint64_t end)
{
    if (end != 0) {
        stl.end = end;
    }
    wait_wake(&stl.queue);
}

/* Have the window begin at `from`, as of now. */
static int fetch(uint64_t from)
{
    bool mine = false;
    for (;;) {
        const uint64_t before = stl.answers;
        if (!mine) {
            int err = mb_stl_ask(from, answered);
            if (err != 0 && err != -EBUSY) {
                return err;
            }
            mine = err == 0;
            stl.asked = mine ? from : stl.asked;
        }
        while (stl.answers == before) {
            if (wait_on(&stl.queue, MB_NEVER) != 0) {
                return -ERESTARTSYS;
            }
        }
        if (mine) {
            /* Others may have asked again before we woke: then once more. */
            if (stl.answers == before + 1 && stl.from == from) {
                return stl.err;
            }
            mine = false;
        }
    }
}

/* The first record in the window at or after *cursor. */
static bool take(uint64_t *cursor, struct stl_record *r)
{
    for (size_t at = 0; at < stl.n; at += nexus_stl_size(&r->head)) {
        memcpy(&r->head, stl.bytes + at, sizeof(r->head)); /* whole and well-formed: membrane.h */
        if (r->head.number >= *cursor) {
            memcpy(r->text, stl.bytes + at + sizeof(r->head), r->head.len);
            r->lost = r->head.number - *cursor;
            *cursor = r->head.number + 1;
            return true;
        }
    }
    return false;
}

/* Without logd. */
static int take_from_nucleus(uint64_t *cursor, struct stl_record *r)
{
    struct nx_log l;
    uint64_t number = *cursor;
    if (!mb_log_read(&number, &l)) {
        return 0;
    }
    r->head = (struct nexus_stl){.number = number,
                                 .time_ns = mb_ticks_to_ns(l.time),
                                 .seq = l.seq,
                                 .generation = l.generation,
                                 .len = l.len,
                                 .level = l.level,
                                 .kind = NEXUS_STL_LOG};
    memcpy(r->head.cell, l.cell, sizeof(r->head.cell));
    memcpy(r->text, l.text, l.len);
    r->lost = number - *cursor;
    *cursor = number + 1;
    return 1;
}

int stl_read(uint64_t *cursor, struct stl_record *r, enum stl_end at_end)
{
    if (!mb_stl_present()) {
        return take_from_nucleus(cursor, r);
    }
    for (;;) {
        if (*cursor >= stl.from && *cursor < stl.next && take(cursor, r)) {
            return 1;
        }
        int err = fetch(*cursor);
        if (err < 0) {
            return err;
        }
        if (stl.n > 0) {
            continue;
        }
        if (*cursor > stl.end) {
            *cursor = stl.end; /* from another boot of the machine */
        }
        if (at_end != STL_END_WAIT) {
            return at_end == STL_END_STOP ? 0 : -EAGAIN;
        }
        mb_stl_follow(*cursor);
        if (wait_on(&stl.queue, MB_NEVER) != 0) {
            return -ERESTARTSYS;
        }
    }
}

bool stl_ready(uint64_t cursor, struct poll_table *pt)
{
    if (pt != NULL) {
        poll_wait(pt, &stl.queue);
    }
    if (!mb_stl_present() || cursor < stl.end) {
        return true;
    }
    mb_stl_follow(cursor);
    return false;
}

int stl_end(uint64_t *end)
{
    struct nx_log l;
    if (mb_stl_present()) {
        int err = fetch(UINT64_MAX);
        *end = stl.end;
        return err;
    }
    for (*end = 0; mb_log_read(end, &l); ++*end) {
    }
    return 0;
}

/* ---- as text ---- */

#define NS_PER_S 1000000000ul

int stl_line(const struct stl_record *r, char *line)
{
    const struct nexus_stl *h = &r->head;
    const unsigned long s = h->time_ns / NS_PER_S, ns = h->time_ns % NS_PER_S;
    int n = 0;
    if (r->lost > 0) {
        n = snprintf(line, STL_LINE, "[%5lu.%09lu] -- %lu lost --\n", s, ns,
                     (unsigned long)r->lost);
    }
    return n + snprintf(line + n, STL_LINE - (size_t)n, "[%5lu.%09lu] %s.%u %c%lu: %.*s\n", s, ns,
                        h->cell, h->generation, h->kind == NEXUS_STL_BEB ? '!' : '#',
                        (unsigned long)h->seq, (int)h->len, r->text);
}

/* ---- /Bus/log: lines, from the oldest on; waits at the end ---- */

struct reader {
    uint64_t cursor;
    char line[STL_LINE];
    int len, at; /* of the line under way */
};

static long log_read(struct file *f, struct iobuf *b, int64_t *pos)
{
    struct reader *rd = f->priv;
    struct stl_record r;
    const size_t want = b->len;
    while (b->len > 0) {
        if (rd->at == rd->len) {
            enum stl_end end = b->len < want                  ? STL_END_STOP
                               : (f->flags & O_NONBLOCK) != 0 ? STL_END_AGAIN
                                                              : STL_END_WAIT;
            int e = stl_read(&rd->cursor, &r, end);
            if (e <= 0) {
                return b->len < want ? (long)(want - b->len) : e;
            }
            rd->at = 0;
            rd->len = stl_line(&r, rd->line);
        }
        size_t n = (size_t)(rd->len - rd->at);
        n = n < b->len ? n : b->len;
        if (iobuf_put(b, rd->line + rd->at, n) < 0) {
            return b->len < want ? (long)(want - b->len) : -EFAULT;
        }
        rd->at += (int)n;
    }
    return (long)(want - b->len);
}

/* To the oldest there is, or behind the newest. */
static int64_t log_lseek(struct file *f, int64_t off, int whence)
{
    struct reader *rd = f->priv;
    uint64_t to = 0;
    if (off != 0 || (whence != SEEK_SET && whence != SEEK_END)) {
        return -EINVAL;
    }
    int err = whence == SEEK_END ? stl_end(&to) : 0;
    if (err < 0) {
        return err;
    }
    rd->cursor = to;
    rd->at = rd->len = 0;
    return 0;
}

static unsigned log_poll(struct file *f, struct poll_table *pt)
{
    const struct reader *rd = f->priv;
    bool ready = stl_ready(rd->cursor, pt) || rd->at < rd->len;
    return ready ? ABI_POLLIN | ABI_POLLRDNORM : 0;
}

static void log_release(struct file *f)
{
    mb_free(f->priv);
}

static const struct file_ops log_ops = {
    .name = "log", .read = log_read, .lseek = log_lseek, .poll = log_poll, .release = log_release};

static int log_open(struct file *f)
{
    struct reader *rd = mb_zalloc(sizeof(*rd));
    if (rd == NULL) {
        return -ENOMEM;
    }
    f->ops = &log_ops;
    f->priv = rd;
    return 0;
}

int stl_init(void)
{
    waitq_init(&stl.queue);
    mb_stl_hook = grown;
    return bus_register("log", 0400, log_open);
}
