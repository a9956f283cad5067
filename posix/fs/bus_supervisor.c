/* /Bus/supervisor (root only): a write is one command - a line, and what belongs to it, in one call - and
 * blocks until the supervisor has done with it; reads then give the answer, from its start to its
 * end.  docs/supervisor.md has the commands.  Every open file has an answer of its own, so several may
 * ask at once; the commands themselves are carried out one after the other.
 */
#include "fs/inode.h"
#include "path/path.h"

#include <string.h>

/* The membrane may know the supervisor; there is none in tests. */
__attribute__((weak)) void *mb_control_room(size_t *size)
{
    return NULL;
}

__attribute__((weak)) int mb_control_run(size_t n, void (*done)(long n))
{
    return -EIO;
}

/* What an open file was answered. */
struct asker {
    char *text;
    size_t len, at;
};

static struct waitq turn; /* who waits to ask */
static struct waitq answer_q;
static bool busy;      /* the room is somebody's */
static bool forgotten; /* who asked was killed meanwhile */
static bool answered;
static long answer_len;

static void room_free(void)
{
    busy = false;
    wait_wake_one(&turn);
}

static void on_answer(long n)
{
    answered = true;
    answer_len = n;
    if (forgotten) {
        forgotten = false;
        room_free();
    } else {
        wait_wake(&answer_q);
    }
}

/* Get the room, when it is free. */
static int room_get(const struct file *f)
{
    while (busy) {
        if ((f->flags & O_NONBLOCK) != 0) {
            return -EAGAIN;
        }
        int err = wait_on_one(&turn, MB_NEVER);
        if (err < 0) {
            if (!busy) {
                wait_wake_one(&turn); /* the wake-up was for somebody */
            }
            return err == -EINTR ? -ERESTARTSYS : err;
        }
    }
    busy = true;
    return 0;
}

/* The command is in the room: have it done, and keep the answer.  Only death keeps one from waiting: a
 * command that was given may not be given again. */
static int ask(struct asker *a, const char *room, size_t n)
{
    answered = false;
    int err = mb_control_run(n, on_answer);
    while (err == 0 && !answered) {
        if (wait_on_killable(&answer_q, MB_NEVER) < 0 && !answered) {
            forgotten = true;
            return -EINTR;
        }
    }
    if (err == 0 && answer_len < 0) {
        err = (int)answer_len;
    }
    if (err == 0) {
        a->text = mb_alloc(answer_len > 0 ? (size_t)answer_len : 1);
        err = a->text == NULL ? -ENOMEM : 0;
    }
    if (err == 0) {
        memcpy(a->text, room, (size_t)answer_len);
        a->len = (size_t)answer_len;
    }
    room_free();
    return err;
}

static long bus_write(struct file *f, struct iobuf *b, int64_t *pos)
{
    struct asker *a = f->priv;
    size_t size = 0;
    const size_t n = b->len;
    char *room = mb_control_room(&size);
    if (room == NULL || n > size) {
        return room == NULL ? -EIO : -EFBIG;
    }
    if (n == 0) {
        return 0;
    }
    int err = room_get(f);
    if (err < 0) {
        return err;
    }
    mb_free(a->text);
    *a = (struct asker){0};
    err = iobuf_get(b, room, n);
    if (err < 0) {
        room_free();
        return err;
    }
    err = ask(a, room, n);
    return err < 0 ? err : (long)n;
}

static long bus_read(struct file *f, struct iobuf *b, int64_t *pos)
{
    struct asker *a = f->priv;
    size_t n = a->len - a->at < b->len ? a->len - a->at : b->len;
    const size_t before = b->len;
    int err = n > 0 ? iobuf_put(b, a->text + a->at, n) : 0;
    n = before - b->len;
    a->at += n;
    return n > 0 ? (long)n : err;
}

static unsigned bus_poll(struct file *f, struct poll_table *pt)
{
    const struct asker *a = f->priv;
    if (pt != NULL) {
        poll_wait(pt, &turn);
    }
    return (a->at < a->len ? ABI_POLLIN | ABI_POLLRDNORM : 0) |
           (busy ? 0 : ABI_POLLOUT | ABI_POLLWRNORM);
}

static void bus_release(struct file *f)
{
    struct asker *a = f->priv;
    mb_free(a->text);
    mb_free(a);
}

static const struct file_ops bus_ops = {.name = "supervisor",
                                        .read = bus_read,
                                        .write = bus_write,
                                        .poll = bus_poll,
                                        .release = bus_release};

static int bus_open(struct file *f)
{
    size_t size;
    if (mb_control_room(&size) == NULL) {
        return -ENXIO;
    }
    struct asker *a = mb_zalloc(sizeof(*a));
    if (a == NULL) {
        return -ENOMEM;
    }
    f->priv = a;
    f->ops = &bus_ops;
    return 0;
}

int bus_supervisor_init(void)
{
    waitq_init(&turn);
    waitq_init(&answer_q);
    return bus_register("supervisor", 0600, bus_open);
}
