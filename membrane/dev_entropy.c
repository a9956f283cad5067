/* The hardware's random numbers: interface "entropy" (nexus/entropy.h). */
#include "devices.h"

#include <nx_base.h>

#include <nexus/entropy.h>
#include <string.h>

struct entropy_dev {
    struct nexus_request r;
    void (*done)(const void *bytes, size_t n, int err); /* NULL: nothing was asked */
    struct device d;
};

static struct entropy_dev *entropy;

static bool hello(struct device *d, const struct nx_slot *slot)
{
    return d->client.pool != NULL && d->client.pool_size >= MB_ENTROPY_MAX;
}

static bool sensible(const struct device *d, const struct nexus_request *r,
                     const struct nx_slot *reply)
{
    return reply->word32[1] > 0 && reply->word32[1] <= r->slot.buf_len;
}

static void answered(struct nexus_request *r, int result, const struct nx_slot *reply)
{
    void (*done)(const void *bytes, size_t n, int err) = entropy->done;
    uint8_t bytes[MB_ENTROPY_MAX];
    int err = driver_errno(result);
    uint32_t n = 0;
    if (err == 0 && reply != NULL && sensible(&entropy->d, r, reply)) {
        n = reply->word32[1];
    } else {
        err = err != 0 ? err : -EIO;
    }
    memcpy(bytes, entropy->d.client.pool, n);
    memset(entropy->d.client.pool, 0, n);
    entropy->done = NULL;
    done(bytes, n, err);
    memset(bytes, 0, n);
}

int mb_entropy_ask(size_t n, void (*done)(const void *bytes, size_t n, int err))
{
    if (entropy == NULL || !entropy->d.there) {
        return -ENODEV;
    }
    if (entropy->done != NULL) {
        return -EBUSY;
    }
    entropy->r.slot = (struct nx_slot){.type = NEXUS_ENTROPY_READ};
    entropy->r.slot.buf_len = n < MB_ENTROPY_MAX ? (uint32_t)n : MB_ENTROPY_MAX;
    entropy->r.done = answered;
    entropy->done = done;
    int err = driver_ask(&entropy->d, &entropy->r, NEXUS_PATIENCE_NONE);
    if (err < 0) {
        entropy->done = NULL;
    }
    return err;
}

void entropy_init(void)
{
    entropy = driver_open(MB_SLOT_ENTROPY, sizeof(*entropy), offsetof(struct entropy_dev, d),
                          MB_DEV_ENTROPY, 0, hello, NULL);
    if (entropy != NULL) {
        entropy->d.sensible = sensible;
    }
}
