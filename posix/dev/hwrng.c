/* /dev/hwrng: the machine's own random numbers, as they come from the device. */
#include <asm/errno.h>
#include <asm/fcntl.h>
#include <devices.h>
#include <string.h>

#include "dev/dev.h"
#include "fs/inode.h"

#define MAJOR_MISC 10
#define MINOR_HWRNG 183

static struct {
    struct waitq came;
    uint8_t bytes[MB_ENTROPY_MAX];
    size_t have;
    bool asked;
    int err; /* of the last answer */
} rng;

static void answer(const void *bytes, size_t n, int err)
{
    rng.asked = false;
    rng.err = n == 0 && err == 0 ? -EIO : err;
    if (err == 0 && n <= sizeof(rng.bytes)) {
        memcpy(rng.bytes, bytes, n);
        rng.have = n;
    }
    wait_wake(&rng.came);
}

/* Until there are bytes: 0, or an error. */
static int wait_bytes(const struct file *f, size_t want)
{
    bool tried = false;
    while (rng.have == 0) {
        if (!rng.asked) {
            if (tried && rng.err < 0) {
                return rng.err;
            }
            int err = mb_entropy_ask(want < MB_ENTROPY_MAX ? want : MB_ENTROPY_MAX, answer);
            if (err < 0) {
                return err;
            }
            rng.asked = tried = true;
        }
        if ((f->flags & O_NONBLOCK) != 0) {
            return -EAGAIN;
        }
        if (wait_on(&rng.came, MB_NEVER) != 0) {
            return -ERESTARTSYS;
        }
    }
    return 0;
}

static long rng_read(struct file *f, struct iobuf *b, int64_t *pos)
{
    size_t want = b->len;
    int err = 0;
    while (b->len > 0 && (err = wait_bytes(f, b->len)) == 0) {
        uint8_t bytes[MB_ENTROPY_MAX]; /* nobody else gets these, even if the copy fails */
        size_t n = rng.have < b->len ? rng.have : b->len;
        rng.have -= n;
        memcpy(bytes, rng.bytes + rng.have, n);
        memset(rng.bytes + rng.have, 0, n);
        err = iobuf_put(b, bytes, n);
        memset(bytes, 0, n);
        if (err < 0) {
            break;
        }
    }
    return b->len < want ? (long)(want - b->len) : err;
}

static unsigned rng_poll(struct file *f, struct poll_table *pt)
{
    return ABI_POLLIN | ABI_POLLRDNORM;
}

static const struct file_ops ops = {.name = "hwrng", .read = rng_read, .poll = rng_poll};

static int rng_open(struct file *f)
{
    if ((f->flags & O_ACCMODE) != O_RDONLY) {
        return -EINVAL;
    }
    f->ops = &ops;
    return 0;
}

void hwrng_attach(unsigned index)
{
    waitq_init(&rng.came);
    if (devfs_register("hwrng", S_IFCHR | 0600, MAJOR_MISC, MINOR_HWRNG, rng_open) < 0) {
        mb_log("hwrng: no memory for its node");
    }
}
