/* /dev/random and /dev/urandom, and the wait of all who want good random numbers (getrandom too).
 *
 * As on Linux since 5.6: random waits until the generator has been seeded and never again; urandom never
 * waits.  What is written is mixed in and counts for nothing.  docs/random.md. */
#include "fs/inode.h"

#include <linux/random.h>
#include <string.h>

#define CHUNK 65536ul /* between looks at the signals */

static struct waitq seed_came;

static void seeded(void)
{
    wait_wake(&seed_came);
}

int random_wait(bool nonblock)
{
    static bool told;
    while (!mb_random_seeded()) {
        if (nonblock) {
            return -EAGAIN;
        }
        if (!told) {
            told = true;
            mb_log_at(NX_LOG_WARNING,
                      "process %d (%s) waits for random numbers: nothing has seeded them yet",
                      current->proc->pid, current->comm);
        }
        if (wait_on(&seed_came, MB_NEVER) != 0) {
            return -ERESTARTSYS;
        }
    }
    return 0;
}

static long urandom_read(struct file *f, struct iobuf *b, int64_t *pos)
{
    uint8_t bytes[256];
    size_t want = b->len;
    int err = 0;
    while (b->len > 0 && err == 0) {
        size_t n = b->len < sizeof(bytes) ? b->len : sizeof(bytes);
        mb_random(bytes, n);
        err = iobuf_put(b, bytes, n);
        mb_lock_break();
        if ((want - b->len) % CHUNK == 0 && signal_interrupts()) {
            break;
        }
    }
    memset(bytes, 0, sizeof(bytes));
    return b->len < want ? (long)(want - b->len) : err;
}

static long random_read(struct file *f, struct iobuf *b, int64_t *pos)
{
    int err = b->len > 0 ? random_wait((f->flags & O_NONBLOCK) != 0) : 0;
    return err != 0 ? err : urandom_read(f, b, pos);
}

static long random_write(struct file *f, struct iobuf *b, int64_t *pos)
{
    uint8_t bytes[256];
    size_t want = b->len;
    int err = 0;
    while (b->len > 0 && err == 0) {
        size_t n = b->len < sizeof(bytes) ? b->len : sizeof(bytes);
        err = iobuf_get(b, bytes, n);
        if (err == 0) {
            mb_random_mix(bytes, n);
        }
        if ((want - b->len) % CHUNK == 0 && signal_interrupts()) {
            break;
        }
    }
    memset(bytes, 0, sizeof(bytes));
    return b->len < want ? (long)(want - b->len) : err;
}

static int64_t random_lseek(struct file *f, int64_t off, int whence)
{
    return f->pos = 0;
}

static unsigned random_poll(struct file *f, struct poll_table *pt)
{
    if (pt != NULL) {
        poll_wait(pt, &seed_came);
    }
    return mb_random_seeded() ? ABI_POLLIN | ABI_POLLRDNORM : ABI_POLLOUT | ABI_POLLWRNORM;
}

static unsigned urandom_poll(struct file *f, struct poll_table *pt)
{
    return ABI_POLLIN | ABI_POLLOUT | ABI_POLLRDNORM | ABI_POLLWRNORM;
}

/* RNDADDENTROPY: how many bits it is worth, bytes, and these. */
static int entropy_in(uint64_t arg)
{
    int32_t head[2];
    uint8_t bytes[256];
    if (mb_copy_in(head, arg, sizeof(head)) < 0) {
        return -EFAULT;
    }
    if (head[0] < 0 || head[1] < 0) {
        return -EINVAL;
    }
    int err = 0;
    for (uint64_t at = arg + sizeof(head), left = (uint64_t)head[1]; left > 0 && err == 0;) {
        size_t n = left < sizeof(bytes) ? left : sizeof(bytes);
        err = mb_copy_in(bytes, at, n);
        if (err == 0) {
            mb_random_mix(bytes, n);
        }
        at += n;
        left -= n;
        if (left % CHUNK == 0 && signal_interrupts()) {
            break;
        }
    }
    memset(bytes, 0, sizeof(bytes));
    return err;
}

/* What a program says of entropy is mixed in and not counted: seeds come from rngd. */
static long random_ioctl(struct file *f, uint64_t cmd, uint64_t arg)
{
    int32_t n = mb_random_seeded() ? 256 : 0;
    switch (cmd) {
    case RNDGETENTCNT:
        return mb_copy_out(arg, &n, sizeof(n));
    case RNDADDTOENTCNT:
    case RNDADDENTROPY:
    case RNDZAPENTCNT:
    case RNDCLEARPOOL:
    case RNDRESEEDCRNG:
        break;
    default:
        return -EINVAL;
    }
    if (!capable(CAP_SYS_ADMIN)) {
        return -EPERM;
    }
    if (cmd == RNDADDENTROPY) {
        return entropy_in(arg);
    }
    if (cmd == RNDADDTOENTCNT) {
        return mb_copy_in(&n, arg, sizeof(n)) < 0 ? -EFAULT : n < 0 ? -EINVAL : 0;
    }
    return cmd == RNDRESEEDCRNG && !mb_random_seeded() ? -ENODATA : 0;
}

static const struct file_ops random_ops = {.name = "random",
                                           .read = random_read,
                                           .write = random_write,
                                           .lseek = random_lseek,
                                           .ioctl = random_ioctl,
                                           .poll = random_poll};
static const struct file_ops urandom_ops = {.name = "urandom",
                                            .read = urandom_read,
                                            .write = random_write,
                                            .lseek = random_lseek,
                                            .ioctl = random_ioctl,
                                            .poll = urandom_poll};

static int random_open(struct file *f)
{
    f->ops = &random_ops;
    return 0;
}

static int urandom_open(struct file *f)
{
    f->ops = &urandom_ops;
    return 0;
}

int devrandom_init(void)
{
    waitq_init(&seed_came);
    mb_random_hook = seeded;
    int err = devfs_register("random", 0666, 1, 8, random_open);
    return err < 0 ? err : devfs_register("urandom", 0666, 1, 9, urandom_open);
}
