/* See hvc.h. */
#include "hvc.h"

#include <nexus/console.h>
#include <nx_base.h>
#include <string.h>

#define DEVICE_ID 3u
#define QUEUE_RX 0u
#define QUEUE_TX 1u

#define AHEAD_MAX 64u /* bits of `done` */

/* ---- start ---- */

static void note_write(struct hvc *h)
{
    h->from->own_end->reserved[0] = h->next;
}

/* Where the predecessor stopped.  The client can write to the note, too: nonsense counts as none. */
static int note_read(struct hvc *h)
{
    const uint32_t note = h->from->own_end->reserved[0];
    const uint32_t ahead = note - h->from->own;
    int waiting = nx_ring_pending(h->from, NX_RING_SLOTS_MAX);
    if (waiting > 0 && ahead <= (uint32_t)waiting) {
        nx_ring_release(h->from, ahead);
    }
    h->next = h->from->own;
    note_write(h);
    return waiting < 0 ? waiting : 0;
}

static int choose_memory(struct hvc *h)
{
    struct dma *dma = &h->driver->dma;
    h->rx_data = dma_alloc(dma, (size_t)HVC_DEPTH * HVC_INPUT, 8, &h->rx_phys);
    h->tx_data = dma_alloc(dma, (size_t)HVC_DEPTH * NX_RING_PAYLOAD, 8, &h->tx_phys);
    return h->rx_data == NULL || h->tx_data == NULL ? -NX_ENOMEM : 0;
}

static void submit_receive(struct hvc *h, unsigned slot)
{
    const struct virtq_seg seg = {
        .phys = h->rx_phys + (uint64_t)slot * HVC_INPUT, .len = HVC_INPUT, .write = true};
    virtq_submit(&h->rx, slot, &seg, 1);
}

int hvc_start(struct hvc *h, struct driver *driver, struct nx_ring *from, struct nx_ring *to)
{
    *h = (struct hvc){.driver = driver, .from = from, .to = to};
    dma_reset(&driver->dma);
    int e = virtio_start(&driver->virtio, DEVICE_ID, 0);
    if (e == 0) {
        e = virtq_init(&h->rx, &driver->virtio, QUEUE_RX, HVC_DEPTH, 1, &driver->dma);
    }
    if (e == 0) {
        e = virtq_init(&h->tx, &driver->virtio, QUEUE_TX, HVC_DEPTH, 1, &driver->dma);
    }
    if (e == 0) {
        e = choose_memory(h);
    }
    if (e == 0) {
        e = virtio_ready(&driver->virtio);
    }
    if (e == 0) {
        e = note_read(h);
    }
    for (unsigned i = 0; i < h->rx.depth && e == 0; i++) {
        submit_receive(h, (unsigned)virtq_reserve(&h->rx));
    }
    virtq_kick(&h->rx);
    return e;
}

/* ---- input ---- */

static int receive(struct hvc *h)
{
    uint32_t written;
    int slot = -NX_EEMPTY;
    for (unsigned i = 0; i < HVC_DEPTH && (slot = virtq_take(&h->rx, &written)) >= 0; i++) {
        const unsigned at = h->came_tail++ % HVC_DEPTH;
        h->came[at] = (uint8_t)slot;
        h->came_len[at] = (uint8_t)written; /* <= HVC_INPUT, says virtq_take */
    }
    return slot >= 0 || slot == -NX_EEMPTY ? 0 : slot;
}

static int pass_on(struct hvc *h)
{
    while (h->came_head != h->came_tail) {
        const unsigned at = h->came_head % HVC_DEPTH, slot = h->came[at];
        while (h->passed < h->came_len[at]) {
            struct nx_slot m;
            const uint32_t n = NX_MIN(h->came_len[at] - h->passed, NX_RING_PAYLOAD);
            nexus_console_input_put(&m, h->rx_data + slot * HVC_INPUT + h->passed, n);
            int e = nx_ring_push(h->to, &m);
            if (e != 0) {
                return e == -NX_EFULL ? 0 : e;
            }
            h->passed += n;
        }
        h->passed = 0;
        h->came_head++;
        submit_receive(h, slot);
    }
    return 0;
}

/* ---- output ---- */

/* Release what is through, in order. */
static void release(struct hvc *h)
{
    uint32_t n = 0;
    while ((h->done & 1) != 0) {
        h->done >>= 1;
        n++;
    }
    if (n != 0) {
        nx_ring_release(h->from, n);
    }
}

static int finish(struct hvc *h)
{
    uint32_t written;
    int slot;
    while ((slot = virtq_take(&h->tx, &written)) >= 0) {
        h->done |= 1ul << (h->tx_index[slot] - h->from->own);
    }
    release(h);
    return slot == -NX_EEMPTY ? 0 : slot;
}

static void submit_send(struct hvc *h, const struct nx_slot *m)
{
    const unsigned slot = (unsigned)virtq_reserve(&h->tx);
    const size_t at = (size_t)slot * NX_RING_PAYLOAD;
    const struct virtq_seg seg = {.phys = h->tx_phys + at, .len = m->buf_len};
    memcpy(h->tx_data + at, m->payload, m->buf_len);
    h->tx_index[slot] = h->next;
    virtq_submit(&h->tx, slot, &seg, 1);
}

static int begin(struct hvc *h)
{
    int waiting = 0;
    while (hvc_output_fits(h)) {
        const uint32_t ahead = h->next - h->from->own;
        waiting = nx_ring_pending(h->from, ahead + 1);
        if (waiting < 0 || ahead >= (uint32_t)waiting) {
            break;
        }
        struct nx_slot m;
        nx_ring_read(h->from, ahead, &m);
        if (nexus_console_output_told(&m) != 0) {
            submit_send(h, &m);
        } else {
            h->skipped++;
            h->done |= 1ul << ahead;
        }
        h->next++;
    }
    release(h);
    note_write(h);
    return NX_MIN(waiting, 0);
}

/* ---- both ---- */

bool hvc_input_waits(const struct hvc *h)
{
    return h->came_head != h->came_tail;
}

bool hvc_output_fits(const struct hvc *h)
{
    return virtq_room(&h->tx) && h->next - h->from->own < AHEAD_MAX;
}

int hvc_service(void *hvc, bool config)
{
    struct hvc *h = hvc;
    int e = receive(h);
    if (e == 0) {
        e = pass_on(h);
    }
    if (e == 0) {
        e = finish(h);
    }
    if (e == 0) {
        e = begin(h);
    }
    virtq_kick(&h->rx);
    virtq_kick(&h->tx);
    if (e != 0) {
        return e;
    }
    const bool more = virtq_arm(&h->rx);
    return virtq_arm(&h->tx) || more;
}
