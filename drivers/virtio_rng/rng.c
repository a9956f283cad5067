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

static int begin_one(struct rng *r, unsigned client, const struct nx_slot *request)
{
    struct nexus_server *s = &r->driver->servers[client];
    if (request->type != NEXUS_ENTROPY_READ) {
        return server_reply(s, request, -NX_ENOSYS, NULL);
    }
    if (request->buf_len == 0 || !server_in_pool(s, request->buf_off, request->buf_len)) {
        return server_reply(s, request, -NX_EINVAL, NULL);
    }
    const unsigned slot = (unsigned)virtq_reserve(&r->queue);
    const struct virtq_seg seg = {
        .phys = s->pool_phys + request->buf_off, .len = request->buf_len, .write = true};
    r->request[slot] = *request;
    r->client[slot] = (uint8_t)client;
    virtq_submit(&r->queue, slot, &seg, 1);
    return 0;
}

/* One request of each client in turn, until there is none or no room. */
static int begin(struct rng *r)
{
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
            n = begin_one(r, client, &request);
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
        const struct nx_slot reply = {.word32[1] = written};
        int e = server_reply(&r->driver->servers[r->client[slot]], &r->request[slot], 0, &reply);
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
