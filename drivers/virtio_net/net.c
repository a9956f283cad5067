/* See net.h. */
#include "net.h"

#include <nx_base.h>
#include <string.h>

#define DEVICE_ID 1u

#define F_MTU (1ul << 3)
#define F_MAC (1ul << 5)
#define F_STATUS (1ul << 16)

/* Configuration fields. */
#define CONFIG_MAC 0u
#define CONFIG_STATUS 6u
#define CONFIG_MTU 10u
#define S_LINK_UP 1u

#define QUEUE_RX 0u
#define QUEUE_TX 1u

#define HEADER 12u /* struct virtio_net_hdr of a modern device: all zero without offloads */
#define MTU 1500u
#define MTU_MIN 68u
#define MTU_MAX 9000u

#define ROUND (2 * NET_DEPTH) /* requests looked at in one service */

/* ---- start ---- */

static void read_config(const struct virtio *v, void *to)
{
    struct nexus_frame_hello *c = to;
    for (unsigned i = 0; i < sizeof(c->mac); i++) {
        c->mac[i] = virtio_config8(v, CONFIG_MAC + i);
    }
    c->link = !virtio_has(v, F_STATUS) || (virtio_config16(v, CONFIG_STATUS) & S_LINK_UP) != 0;
    c->mtu = virtio_has(v, F_MTU) ? virtio_config16(v, CONFIG_MTU) : MTU;
}

static int configure(struct net *n)
{
    struct virtio *v = &n->driver->virtio;
    struct nexus_frame_hello c = {0};
    if (!virtio_has(v, F_MAC)) {
        return virtio_fault(v, "a network device without an address", v->features);
    }
    int e = virtio_config_read(v, read_config, &c);
    if (e != 0) {
        return e;
    }
    if ((c.mac[0] & 1) != 0) {
        return virtio_fault(v, "a group's address as its own", c.mac[0]);
    }
    if (c.mtu < MTU_MIN || c.mtu > MTU_MAX) {
        return virtio_fault(v, "an impossible MTU", c.mtu);
    }
    c.depth = NX_MIN(n->rx.depth, n->tx.depth);
    n->config = c;
    n->frame_max = c.mtu + NET_FRAME_MIN;
    return 0;
}

static int choose_memory(struct net *n)
{
    struct dma *dma = &n->driver->dma;
    void *header = dma_alloc(dma, HEADER, 8, &n->header_phys);
    void *received = dma_alloc(dma, (size_t)NET_DEPTH * HEADER, 8, &n->rx_header_phys);
    if (header == NULL || received == NULL) {
        return -NX_ENOMEM;
    }
    memset(header, 0, HEADER);
    return 0;
}

static int bring_up(struct net *n)
{
    struct driver *d = n->driver;
    dma_reset(&d->dma);
    int e = virtio_start(&d->virtio, DEVICE_ID, F_MAC | F_STATUS | F_MTU);
    if (e == 0) {
        e = virtq_init(&n->rx, &d->virtio, QUEUE_RX, NET_DEPTH, 2, &d->dma);
    }
    if (e == 0) {
        e = virtq_init(&n->tx, &d->virtio, QUEUE_TX, NET_DEPTH, 2, &d->dma);
    }
    if (e == 0) {
        e = choose_memory(n);
    }
    if (e == 0) {
        e = configure(n);
    }
    return e == 0 ? virtio_ready(&d->virtio) : e;
}

static void write_hello(const struct net *n, struct nx_slot *hello)
{
    *hello = (struct nx_slot){0};
    nexus_frame_hello_tell(hello, &n->config);
}

int net_start(struct net *n, struct driver *driver)
{
    struct nx_slot hello;
    *n = (struct net){.driver = driver};
    int e = bring_up(n);
    if (e == 0) {
        write_hello(n, &hello);
        e = server_hello(&driver->servers[0], &hello);
    }
    return e;
}

/* ---- requests ---- */

static void submit_receive(struct net *n, unsigned slot)
{
    const struct nx_slot *r = &n->rx_request[slot];
    const struct virtq_seg seg[2] = {
        {.phys = n->rx_header_phys + slot * HEADER, .len = HEADER, .write = true},
        {.phys = server_phys(&n->driver->servers[0], r->buf_off),
         .len = r->buf_len,
         .write = true}};
    n->rx_used[slot] = true;
    virtq_submit(&n->rx, slot, seg, 2);
}

static int on_send(void *ctx, const struct nx_slot *request, uint64_t phys, uint32_t len)
{
    struct net *n = ctx;
    if (len < NET_FRAME_MIN || len > n->frame_max) {
        return -NX_EINVAL;
    }
    if (!virtq_room(&n->tx)) {
        return -NX_EBUSY; /* more than `depth` of a kind */
    }
    const unsigned slot = (unsigned)virtq_reserve(&n->tx);
    const struct virtq_seg seg[2] = {{.phys = n->header_phys, .len = HEADER},
                                     {.phys = phys, .len = len}};
    n->tx_request[slot] = *request;
    n->tx_used[slot] = true;
    virtq_submit(&n->tx, slot, seg, 2);
    return NEXUS_LATER;
}

static int on_receive(void *ctx, const struct nx_slot *request, uint64_t phys, uint32_t len,
                      struct nexus_frame_receive_answer *answer)
{
    struct net *n = ctx;
    if (len < n->frame_max) {
        return -NX_EINVAL;
    }
    if (!virtq_room(&n->rx)) {
        return -NX_EBUSY;
    }
    const unsigned slot = (unsigned)virtq_reserve(&n->rx);
    n->rx_request[slot] = *request;
    submit_receive(n, slot);
    return NEXUS_LATER;
}

static int begin(struct net *n)
{
    static const struct nexus_frame_device_ops ops = {.send = on_send, .receive = on_receive};
    struct nexus_server *s = &n->driver->servers[0];
    for (unsigned i = 0; i < ROUND; i++) {
        struct nx_slot r;
        int e = server_take(s, &r);
        if (e != 1) {
            return e;
        }
        e = nexus_frame_device_serve(s, &r, &ops, n);
        if (e != 0 && e != NEXUS_LATER) {
            return e;
        }
    }
    return 0;
}

/* ---- what the device is done with ---- */

static int finish_receive(struct net *n)
{
    struct nexus_server *s = &n->driver->servers[0];
    uint32_t written;
    int slot = 0;
    for (unsigned i = 0; i < NET_DEPTH && (slot = virtq_take(&n->rx, &written)) >= 0; i++) {
        if (written < HEADER) {
            return virtio_fault(&n->driver->virtio, "a frame without a header", written);
        }
        const struct nexus_frame_receive_answer answer = {.length = written - HEADER};
        if (answer.length < NET_FRAME_MIN) {
            submit_receive(n, (unsigned)slot); /* a runt: anybody on the wire can send one */
            continue;
        }
        n->rx_used[slot] = false;
        int e = nexus_frame_receive_reply(s, &n->rx_request[slot], 0, &answer);
        if (e != 0) {
            return e;
        }
    }
    return slot >= 0 || slot == -NX_EEMPTY ? 0 : slot;
}

static int finish_send(struct net *n)
{
    uint32_t written;
    int slot;
    while ((slot = virtq_take(&n->tx, &written)) >= 0) {
        n->tx_used[slot] = false;
        int e = server_reply(&n->driver->servers[0], &n->tx_request[slot], 0, NULL);
        if (e != 0) {
            return e;
        }
    }
    return slot == -NX_EEMPTY ? 0 : slot;
}

/* A new client: what its predecessor's buffers are used for must end, and only a reset ends it. */
static int take_back(struct net *n)
{
    struct nexus_server *s = &n->driver->servers[0];
    struct nx_slot hello;
    int e = bring_up(n);
    if (e != 0) {
        return e;
    }
    write_hello(n, &hello);
    server_config(s, &hello);
    n->link_due = false;
    for (unsigned i = 0; i < NET_DEPTH && e == 0; i++) {
        if (n->rx_used[i]) {
            n->rx_used[i] = false;
            e = server_reply(s, &n->rx_request[i], -NX_EPEER, NULL);
        }
        if (n->tx_used[i] && e == 0) {
            n->tx_used[i] = false;
            e = server_reply(s, &n->tx_request[i], -NX_EPEER, NULL);
        }
    }
    return e;
}

/* ---- the link ---- */

static int look_at_link(struct net *n)
{
    struct nexus_frame_hello now = {0};
    struct nx_slot hello;
    int e = virtio_config_read(&n->driver->virtio, read_config, &now);
    if (e == 0 && now.link != n->config.link) {
        n->config.link = now.link;
        n->link_due = true;
        write_hello(n, &hello);
        server_config(&n->driver->servers[0], &hello);
    }
    return e;
}

static int tell_link(struct net *n)
{
    const struct nexus_frame_link link = {.up = n->config.link};
    int e = nexus_frame_link_tell(&n->driver->servers[0], &link);
    n->link_due = e == -NX_EFULL;
    return e == -NX_EFULL ? 0 : e;
}

int net_service(void *net, bool config)
{
    struct net *n = net;
    int e = config ? look_at_link(n) : 0;
    if (e == 0) {
        e = finish_receive(n);
    }
    if (e == 0) {
        e = finish_send(n);
    }
    if (e == 0) {
        e = begin(n);
    }
    if (e == 0 && server_renewing(&n->driver->servers[0])) {
        e = take_back(n);
    }
    if (e == 0 && n->link_due) {
        e = tell_link(n);
    }
    virtq_kick(&n->rx);
    virtq_kick(&n->tx);
    if (e != 0) {
        return e;
    }
    const bool more = virtq_arm(&n->rx);
    return virtq_arm(&n->tx) || more;
}
