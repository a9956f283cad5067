/* See rng.h. */
#include "rng.h"

#include <nx_base.h>

#define DEVICE_ID 4u

int rng_start(struct rng *r, struct driver *driver)
{
    *r = (struct rng){.driver = driver};
    dma_reset(&driver->dma);
    int e = virtio_start(&driver->virtio, DEVICE_ID, 0);
    if (e == 0) {
        e = virtq_init(&r->queue, &driver->virtio, 0, RNG_CLIENTS * RNG_DEPTH, 1, &driver->dma);
    }
    if (e == 0) {
        e = virtio_ready(&driver->virtio);
    }
    for (unsigned i = 0; i < driver->server_count && e == 0; i++) {
        e = server_hello(&driver->servers[i], NULL);
    }
    return e;
}

/* ---- requests ---- */

/* What its clients' requests are carried out with. */
struct from {
    struct rng *rng;
    unsigned client;
};

static int on_read(void *ctx, const struct nx_slot *request, uint64_t phys, uint32_t len,
                   struct nexus_entropy_read_answer *answer)
{
    const struct from *from = ctx;
    struct rng *r = from->rng;
    if (len == 0) {
        return -NX_EINVAL;
    }
    const unsigned slot = (unsigned)virtq_reserve(&r->queue);
    const struct virtq_seg seg = {.phys = phys, .len = len, .write = true};
    r->request[slot] = *request;
    r->client[slot] = (uint8_t)from->client;
    virtq_submit(&r->queue, slot, &seg, 1);
    return NEXUS_LATER;
}

/* One request of each client in turn, until there is none or no room. */
static int begin(struct rng *r)
{
    static const struct nexus_entropy_device_ops ops = {.read = on_read};
    unsigned idle = 0;
    for (unsigned i = 0; i < 2 * RNG_CLIENTS * RNG_DEPTH && idle < r->driver->server_count; i++) {
        const unsigned client = i % r->driver->server_count;
        struct nx_slot request;
        if (!virtq_room(&r->queue)) {
            return 0;
        }
        int n = server_take(&r->driver->servers[client], &request);
        idle = n == 0 ? idle + 1 : 0;
        if (n == 1) {
            struct from from = {r, client};
            n = nexus_entropy_device_serve(&r->driver->servers[client], &request, &ops, &from);
            n = n == NEXUS_LATER ? 0 : n;
        }
        if (n < 0) {
            return n;
        }
    }
    return 0;
}

static int finish(struct rng *r)
{
    uint32_t written;
    int slot;
    while ((slot = virtq_take(&r->queue, &written)) >= 0) {
        if (written == 0) {
            return virtio_fault(&r->driver->virtio, "a request ended without a byte", written);
        }
        const struct nexus_entropy_read_answer answer = {.length = written};
        int e = nexus_entropy_read_reply(&r->driver->servers[r->client[slot]], &r->request[slot], 0,
                                         &answer);
        if (e != 0) {
            return e;
        }
    }
    return slot == -NX_EEMPTY ? 0 : slot;
}

int rng_service(void *rng, bool config)
{
    struct rng *r = rng;
    int e = finish(r);
    if (e == 0) {
        e = begin(r);
        virtq_kick(&r->queue);
    }
    return e != 0 ? e : virtq_arm(&r->queue);
}
