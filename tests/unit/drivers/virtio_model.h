/*
 * virtio_model.h - a virtio device on the memory-mapped transport, in the host's memory, and around it
 * what a driver's cell has: channels with pools, memory for the device, a client.  For the tests of the
 * drivers; each includes it once.
 *
 * The device works when a test calls model_work(), and only on queues it was notified of, as a real one.
 * What a request does is the test's (struct model's `request`).  With `lies` set, one in so many of the
 * values the driver gets from it is wrong; with `scribbles` it writes to the driver's memory as well.
 * `wild` counts addresses outside of what the driver owns, which no lie may provoke.
 */
#ifndef VIRTIO_MODEL_H
#define VIRTIO_MODEL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "driver.h"
#include "panic.h"
#include "virtq.h"

#include <nexus/cell.h>
#include <nexus/session.h>
#include <nx_base.h>
#include <sys/mman.h>
#include <unistd.h>

#define MODEL_QUEUES 2u
#define MODEL_SEGS 20u
#define MODEL_CLIENTS 2u
#define MODEL_POOL (64u * 1024u)
#define MODEL_RING 32768
#define MODEL_DMA (16u * 1024u)
#define MODEL_DMA_PHYS 0x190000000ul
#define MODEL_POOL_PHYS(client) (0x1a0000000ul + (client)*0x1000000ul)
#define MODEL_FIRST 3u /* slot of the first channel: DRIVER_SLOT_SERVE */

struct chain {
    uint16_t head;
    unsigned n;
    struct {
        uint8_t *at;
        uint32_t len;
        bool write;
    } seg[MODEL_SEGS];
};

struct model_queue {
    uint32_t num, ready;
    uint64_t desc, avail, used;
    uint16_t seen, used_idx, told; /* told: used index of the last interrupt */
    bool notified;
};

struct model {
    uint32_t id, num_max;
    uint64_t features;
    uint8_t config[256];
    /* What a request does: bytes written, or -1: keep it, model_complete() comes later. */
    int64_t (*request)(unsigned queue, struct chain *c);
    void (*config_write)(uint32_t offset, uint32_t value);
    /* One certain lie: changes what goes into the used ring.  May be NULL. */
    void (*bend)(uint32_t *id, uint32_t *written, uint16_t *idx);
    /* registers */
    uint32_t status, isr, generation, queue_sel, features_sel, driver_sel;
    uint32_t driver_features[2];
    struct model_queue queue[MODEL_QUEUES];
    uint8_t statuses[16]; /* as they were written */
    unsigned status_n;
    unsigned irqs, resets;
    /* lies */
    unsigned lies, scribbles; /* one in so many; 0: none */
    unsigned long told;       /* lies, in all */
    unsigned wild;
};

static struct model dev;
static unsigned model_seed = 1;

static unsigned chance(unsigned n)
{
    model_seed ^= model_seed << 13;
    model_seed ^= model_seed >> 17;
    model_seed ^= model_seed << 5;
    return n == 0 ? 0 : model_seed % n;
}

/* ---- memory ---- */

static uint8_t *model_dma;
static int model_file[MODEL_FIRST + 3 * MODEL_CLIENTS];
static uint8_t *model_pool[MODEL_CLIENTS];

/* Where the device finds physical memory; NULL is outside of what the driver owns. */
static uint8_t *model_memory(uint64_t phys, uint64_t len)
{
    if (phys >= MODEL_DMA_PHYS && nx_in_bounds(phys - MODEL_DMA_PHYS, len, MODEL_DMA)) {
        return model_dma + (phys - MODEL_DMA_PHYS);
    }
    for (unsigned i = 0; i < MODEL_CLIENTS; i++) {
        if (phys >= MODEL_POOL_PHYS(i) &&
            nx_in_bounds(phys - MODEL_POOL_PHYS(i), len, MODEL_POOL)) {
            return model_pool[i] + (phys - MODEL_POOL_PHYS(i));
        }
    }
    dev.wild++;
    return NULL;
}

/* ---- lies ---- */

static uint32_t lie(uint32_t v)
{
    if (dev.lies == 0 || chance(dev.lies) != 0) {
        return v;
    }
    dev.told++;
    switch (chance(8)) {
    case 0:
        return 0;
    case 1:
        return UINT32_MAX;
    case 2:
        return v + 1;
    case 3:
        return v - 1;
    case 4:
        return v ^ 1u << chance(32);
    case 5:
        return chance(256);
    default:
        return chance(1u << 16) << 16 | chance(1u << 16);
    }
}

static void scribble(void)
{
    if (dev.scribbles != 0 && chance(dev.scribbles) == 0) {
        dev.told++;
        model_dma[chance(MODEL_DMA)] = (uint8_t)chance(256);
    }
}

/* ---- registers ---- */

static void model_reset(void)
{
    memset(dev.queue, 0, sizeof(dev.queue));
    dev.resets++;
    dev.isr = 0;
    dev.status_n = 0;
    dev.driver_features[0] = dev.driver_features[1] = 0;
}

static uint32_t model_read(uint32_t reg)
{
    struct model_queue *q = &dev.queue[dev.queue_sel % MODEL_QUEUES];
    switch (reg) {
    case VIRTIO_MAGIC:
        return VIRTIO_MAGIC_VALUE;
    case VIRTIO_VERSION:
        return 2;
    case VIRTIO_DEVICE_ID:
        return dev.id;
    case VIRTIO_DEVICE_FEATURES:
        return (uint32_t)(dev.features >> 32 * (dev.features_sel & 1));
    case VIRTIO_QUEUE_NUM_MAX:
        return dev.queue_sel < MODEL_QUEUES ? dev.num_max : 0;
    case VIRTIO_QUEUE_READY:
        return q->ready;
    case VIRTIO_INTERRUPT_STATUS:
        return dev.isr;
    case VIRTIO_STATUS:
        return dev.status;
    case VIRTIO_CONFIG_GENERATION:
        return dev.generation;
    default:
        fail_msg("read of register %#x", reg);
        return 0;
    }
}

static void model_status(uint32_t v)
{
    if (v == 0) {
        model_reset();
    } else if (dev.status_n < sizeof(dev.statuses)) {
        dev.statuses[dev.status_n++] = (uint8_t)v;
    }
    uint64_t agreed = dev.driver_features[0] | (uint64_t)dev.driver_features[1] << 32;
    if ((agreed & ~dev.features) != 0) {
        v &= ~VIRTIO_STATUS_FEATURES_OK;
    }
    dev.status = v;
}

static void half(uint64_t *to, uint32_t reg, uint32_t v)
{
    *to = (reg & 4) != 0 ? (uint32_t)*to | (uint64_t)v << 32 : (*to & ~0xfffffffful) | v;
}

static void model_write(uint32_t reg, uint32_t v)
{
    struct model_queue *q = &dev.queue[dev.queue_sel % MODEL_QUEUES];
    switch (reg) {
    case VIRTIO_DEVICE_FEATURES_SEL:
        dev.features_sel = v;
        break;
    case VIRTIO_DRIVER_FEATURES_SEL:
        dev.driver_sel = v;
        break;
    case VIRTIO_DRIVER_FEATURES:
        dev.driver_features[dev.driver_sel & 1] = v;
        break;
    case VIRTIO_QUEUE_SEL:
        dev.queue_sel = v;
        break;
    case VIRTIO_QUEUE_NUM:
        assert_true(nx_is_pow2(v));
        q->num = v;
        break;
    case VIRTIO_QUEUE_READY:
        q->ready = v;
        break;
    case VIRTIO_QUEUE_NOTIFY:
        assert_true(v < MODEL_QUEUES);
        dev.queue[v].notified = true;
        break;
    case VIRTIO_INTERRUPT_ACK:
        dev.isr &= ~v;
        break;
    case VIRTIO_STATUS:
        model_status(v);
        break;
    default:
        if (reg >= VIRTIO_QUEUE_DESC && reg < VIRTIO_QUEUE_DESC + 8) {
            half(&q->desc, reg, v);
        } else if (reg >= VIRTIO_QUEUE_DRIVER && reg < VIRTIO_QUEUE_DRIVER + 8) {
            half(&q->avail, reg, v);
        } else if (reg >= VIRTIO_QUEUE_DEVICE && reg < VIRTIO_QUEUE_DEVICE + 8) {
            half(&q->used, reg, v);
        } else {
            fail_msg("write of register %#x", reg);
        }
    }
}

uint32_t virtio_reg_read32(const struct virtio_regs *r, uint32_t offset)
{
    uint32_t v;
    assert_true(nx_in_bounds(offset, 4, r->size) && offset % 4 == 0);
    scribble();
    if (offset < VIRTIO_CONFIG) {
        return lie(model_read(offset));
    }
    memcpy(&v, dev.config + offset - VIRTIO_CONFIG, 4);
    return lie(v);
}

uint16_t virtio_reg_read16(const struct virtio_regs *r, uint32_t offset)
{
    uint16_t v;
    assert_true(offset >= VIRTIO_CONFIG && nx_in_bounds(offset, 2, r->size) && offset % 2 == 0);
    memcpy(&v, dev.config + offset - VIRTIO_CONFIG, 2);
    return (uint16_t)lie(v);
}

uint8_t virtio_reg_read8(const struct virtio_regs *r, uint32_t offset)
{
    assert_true(offset >= VIRTIO_CONFIG && nx_in_bounds(offset, 1, r->size));
    return (uint8_t)lie(dev.config[offset - VIRTIO_CONFIG]);
}

void virtio_reg_write32(const struct virtio_regs *r, uint32_t offset, uint32_t v)
{
    assert_true(nx_in_bounds(offset, 4, r->size) && offset % 4 == 0);
    if (offset < VIRTIO_CONFIG) {
        model_write(offset, v);
    } else if (dev.config_write != NULL) {
        dev.config_write(offset - VIRTIO_CONFIG, v);
    }
}

void virtio_reg_write8(const struct virtio_regs *r, uint32_t offset, uint8_t v)
{
    assert_true(offset >= VIRTIO_CONFIG && nx_in_bounds(offset, 1, r->size));
    if (dev.config_write != NULL) {
        dev.config_write(offset - VIRTIO_CONFIG, v);
    }
}

/* ---- queues ---- */

static bool model_agreed(uint64_t feature)
{
    return ((dev.driver_features[0] | (uint64_t)dev.driver_features[1] << 32) & feature) != 0;
}

static bool fetch_chain(struct chain *c, uint64_t table, uint32_t num, uint32_t at)
{
    struct virtq_desc d;
    for (c->n = 0; c->n < MODEL_SEGS; c->n++) {
        const uint8_t *from = at < num ? model_memory(table + at * sizeof(d), sizeof(d)) : NULL;
        if (from == NULL) {
            return false;
        }
        memcpy(&d, from, sizeof(d));
        uint8_t *memory = model_memory(d.addr, d.len);
        if (memory == NULL) {
            return false;
        }
        if ((d.flags & 4) != 0) {
            return c->n == 0 && num != d.len / sizeof(d) && model_agreed(VIRTIO_F_INDIRECT_DESC) &&
                   fetch_chain(c, d.addr, d.len / (uint32_t)sizeof(d), 0);
        }
        c->seg[c->n].at = memory;
        c->seg[c->n].len = d.len;
        c->seg[c->n].write = (d.flags & 2) != 0;
        if ((d.flags & 1) == 0) {
            c->n++;
            return true;
        }
        at = d.next;
    }
    return false;
}

/* The next request the driver has made available. */
static bool model_fetch(unsigned queue, struct chain *c)
{
    struct model_queue *q = &dev.queue[queue];
    uint16_t idx, head;
    const uint8_t *avail = model_memory(q->avail, 6 + 2ul * q->num);
    if (q->ready == 0 || avail == NULL || (dev.status & VIRTIO_STATUS_DRIVER_OK) == 0) {
        return false;
    }
    memcpy(&idx, avail + 2, 2);
    if (idx == q->seen) {
        uint8_t *event = model_memory(q->used + 4 + 8ul * q->num, 2);
        if (event != NULL) {
            idx = (uint16_t)lie(q->seen);
            memcpy(event, &idx, 2);
        }
        return false;
    }
    memcpy(&head, avail + 4 + 2 * (q->seen++ & (q->num - 1)), 2);
    c->head = head;
    return fetch_chain(c, q->desc, q->num, head);
}

static void model_interrupt(struct model_queue *q)
{
    uint16_t event;
    const uint8_t *at = model_memory(q->avail + 4 + 2ul * q->num, 2);
    if (at == NULL) {
        return;
    }
    memcpy(&event, at, 2);
    if (!model_agreed(VIRTIO_F_EVENT_IDX) ||
        (uint16_t)(q->used_idx - event - 1) < (uint16_t)(q->used_idx - q->told)) {
        dev.isr |= VIRTIO_INTERRUPT_USED;
        dev.irqs++;
    }
    q->told = q->used_idx;
}

static void model_complete(unsigned queue, const struct chain *c, uint32_t written)
{
    struct model_queue *q = &dev.queue[queue];
    uint8_t *used = model_memory(q->used, 6 + 8ul * q->num);
    if (q->ready == 0 || used == NULL) {
        return;
    }
    uint32_t element[2] = {lie(c->head), lie(written)};
    const uint16_t at = q->used_idx++;
    if (dev.bend != NULL) {
        dev.bend(&element[0], &element[1], &q->used_idx);
    }
    memcpy(used + 4 + 8ul * (at & (q->num - 1)), element, 8);
    if (dev.lies != 0 && chance(dev.lies) == 0) {
        q->used_idx = (uint16_t)lie(q->used_idx);
    }
    const uint16_t flags = (uint16_t)lie(0);
    memcpy(used, &flags, 2);
    memcpy(used + 2, &q->used_idx, 2);
    model_interrupt(q);
}

/* Work on at most `most` requests of the queues the driver has notified: how many were done. */
static unsigned model_work(unsigned most)
{
    unsigned n = 0;
    for (unsigned i = 0; i < MODEL_QUEUES; i++) {
        struct chain c;
        while (dev.queue[i].notified && n < most) {
            if (!model_fetch(i, &c)) {
                dev.queue[i].notified = false;
                break;
            }
            int64_t written = dev.request(i, &c);
            for (unsigned k = 0; k < c.n && dev.lies != 0; k++) {
                if (c.seg[k].write && c.seg[k].len != 0) {
                    uint8_t *byte = &c.seg[k].at[chance(NX_MIN(c.seg[k].len, 32u))];
                    *byte = (uint8_t)lie(*byte);
                }
            }
            if (written >= 0) {
                model_complete(i, &c, (uint32_t)written);
            }
            n++;
        }
    }
    return n;
}

/* ---- the cell ---- */

uintptr_t cell_host_window;
static unsigned model_bells;

static long call_map(uint64_t op, uint64_t space, uint64_t va, uint64_t len, uint64_t slot_prot,
                     uint64_t off)
{
    void *at = mmap((void *)va, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
                    model_file[slot_prot & 0xff], 0);
    return at == (void *)va ? 0 : -NX_ENOMEM;
}

static long call_meta(uint64_t op, uint64_t slot, uint64_t a2, uint64_t a3, uint64_t a4,
                      uint64_t a5)
{
    const bool ours = slot >= MODEL_FIRST && slot < MODEL_FIRST + 3 * MODEL_CLIENTS;
    const unsigned client = ours ? (unsigned)(slot - MODEL_FIRST) / 3 : 0;
    const bool pool = ours && (slot - MODEL_FIRST) % 3 == 2;
    if (op == NX_META_SIZE) {
        return !ours ? -NX_EBADF : pool ? (int)MODEL_POOL : MODEL_RING;
    }
    return op == NX_META_PHYS && pool ? (long)MODEL_POOL_PHYS(client) : -NX_EPERM;
}

static long call_send(uint64_t op, uint64_t slot, uint64_t a2, uint64_t a3, uint64_t a4,
                      uint64_t a5)
{
    model_bells++;
    return 0;
}

static const struct nx_systable model_table = {
    .call = {[NX_CALL_MAP] = call_map, [NX_CALL_META] = call_meta, [NX_CALL_SEND] = call_send},
};
const struct nx_systable *nx_host_table = &model_table;

static struct driver driver;
static struct nexus_server servers[MODEL_CLIENTS];
static struct nexus_client clients[MODEL_CLIENTS];
static struct nx_slot model_backlog[MODEL_CLIENTS][128];

/* Everything anew, with so many sessions of backlogs of `depth`, and rings of `slots`. */
static void model_setup(unsigned sessions, uint32_t depth, uint32_t slots)
{
    if (cell_host_window == 0) {
        cell_host_window = (uintptr_t)mmap(NULL, 1ul << 32, PROT_NONE,
                                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    }
    free(model_dma);
    model_dma = aligned_alloc(4096, MODEL_DMA);
    memset(model_dma, 0, MODEL_DMA);
    driver = (struct driver){.servers = servers, .server_count = sessions};
    driver.dma = (struct dma){.base = model_dma, .phys = MODEL_DMA_PHYS, .size = MODEL_DMA};
    driver.virtio.regs.size = VIRTIO_CONFIG + sizeof(dev.config);
    for (unsigned i = 0; i < 3 * sessions; i++) {
        const unsigned slot = MODEL_FIRST + i;
        if (model_file[slot] != 0) {
            close(model_file[slot]);
        }
        model_file[slot] = memfd_create("memory", 0);
        assert_int_equal(ftruncate(model_file[slot], i % 3 == 2 ? MODEL_POOL : MODEL_RING), 0);
        if (i % 3 != 2) {
            void *at =
                mmap(NULL, MODEL_RING, PROT_READ | PROT_WRITE, MAP_SHARED, model_file[slot], 0);
            nx_ring_format(at, slots, 0);
            munmap(at, MODEL_RING);
        }
    }
    for (unsigned i = 0; i < sessions; i++) {
        assert_int_equal(server_open(&servers[i], MODEL_FIRST, i, model_backlog[i], depth), 0);
        /* hello and event are the test's */
        assert_int_equal(client_open(&clients[i], MODEL_FIRST + 3 * i), 0);
        assert_true(servers[i].dma);
        model_pool[i] = clients[i].pool;
    }
}

/* The driver has died: its successor finds the same rings, and nothing in its own memory. */
static void model_new_life(void)
{
    for (unsigned i = 0; i < driver.server_count; i++) {
        struct nexus_server *s = &servers[i];
        s->backlog_head = s->backlog_tail = s->taken = 0;
        s->hello_due = s->renewing = s->event_due = false;
        memset(s->backlog, 0xee, s->backlog_size * sizeof(struct nx_slot));
    }
    driver.virtio = (struct virtio){.regs = driver.virtio.regs};
}

/* ---- the client ---- */

struct job {
    struct nexus_request r;
    unsigned done;
    int result;
    uint32_t word1;
    struct nx_slot reply;
};

static void job_done(struct nexus_request *r, int result, const struct nx_slot *reply)
{
    struct job *j = (struct job *)r;
    j->done++;
    j->result = result;
    if (reply != NULL) {
        j->reply = *reply;
        j->word1 = reply->word32[1];
    }
}

static void job_submit(struct job *j, unsigned client, uint16_t type, uint32_t off, uint32_t len)
{
    const struct nx_slot given = j->r.slot; /* payload */
    memset(j, 0, sizeof(*j));
    j->r.done = job_done;
    j->r.slot = given;
    j->r.slot.type = type;
    j->r.slot.buf_off = off;
    j->r.slot.buf_len = len;
    assert_int_equal(client_submit(&clients[client], &j->r), 0);
}

/* Flush and poll all sessions. */
static void model_exchange(void)
{
    for (unsigned i = 0; i < driver.server_count; i++) {
        assert_int_equal(server_flush(&servers[i]), 0);
        assert_int_equal(client_poll(&clients[i]), 0);
    }
}

/* What driver_run does, until nothing is left to do: the driver's error, or 0. */
static int model_settle(int (*service)(void *, bool), void *self)
{
    for (unsigned quiet = 0; quiet < 4; quiet++) {
        const uint32_t why = virtio_interrupt(&driver.virtio);
        int n = service(self, (why & VIRTIO_INTERRUPT_CONFIG) != 0);
        if (n < 0) {
            return n;
        }
        model_exchange();
        if (model_work(1000) != 0) {
            quiet = 0;
        }
    }
    return 0;
}

/* ---- a device that lies ---- */

struct model_driver {
    void (*device)(void); /* dev becomes an honest device again */
    int (*start)(void);
    int (*service)(void *self, bool config);
    void *self;
    void (*play)(void); /* something of the client's, or of the world outside */
};

/* Lives of a driver with a device that lies, until it has told `enough` lies: each ends in order or by a
 * fault; and after an honest life at the end no request of the sessions' clients is open. */
static void model_lies(const struct model_driver *d, unsigned rate, unsigned scribbles,
                       unsigned long enough)
{
    unsigned faults = 0;
    for (unsigned long told = 0; told < enough; told += dev.told) {
        d->device();
        dev.lies = rate;
        dev.scribbles = scribbles;
        model_new_life();
        int e = d->start();
        for (unsigned round = 0; round < 60 && e >= 0; round++) {
            d->play();
            model_work(chance(4));
            e = d->service(d->self, (virtio_interrupt(&driver.virtio) & 2) != 0 || chance(8) == 0);
            if (e >= 0) {
                model_exchange();
            }
        }
        if (e < 0) {
            assert_int_equal(e, -NX_EIO);
            assert_non_null(driver.virtio.fault);
            faults++;
        }
        assert_true(scribbles != 0 || dev.wild == 0);
    }
    assert_true(faults > 10);
    d->device();
    model_new_life();
    assert_int_equal(d->start(), 0);
    assert_int_equal(model_settle(d->service, d->self), 0);
    for (unsigned i = 0; i < driver.server_count; i++) {
        assert_int_equal(clients[i].strays, 0);
    }
}

/* The kinds of devices every test runs with. */
static const uint64_t model_kinds[] = {
    VIRTIO_F_VERSION_1,
    VIRTIO_F_VERSION_1 | VIRTIO_F_INDIRECT_DESC,
    VIRTIO_F_VERSION_1 | VIRTIO_F_EVENT_IDX,
    VIRTIO_F_VERSION_1 | VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX,
};

#define EACH(name)                                                            \
    {#name " (plain)", name, setup, NULL, (void *)&model_kinds[0]},           \
        {#name " (indirect)", name, setup, NULL, (void *)&model_kinds[1]},    \
        {#name " (event index)", name, setup, NULL, (void *)&model_kinds[2]}, \
    {                                                                         \
#name " (both)", name, setup, NULL, (void *)&model_kinds[3]           \
    }

#endif
