/* See grants.h. */
#include "grants.h"
#include "tree.h"

#include <nexus/cell.h>
#include <nexus/console.h>
#include <nexus/device.h>
#include <nx/ring.h>
#include <nx/sys.h>
#include <nx_base.h>
#include <string.h>

#define LINKS_MAX 16u
#define DEVICES_MAX 16u
#define RING_BUFFER 1u /* pages of bulk buffer in each ring */
#define NO_SLOT (-1)

/* Two rings between a server and its client. */
struct link {
    struct service *server, *client;
    const struct nx_want *serve, *use; /* their lines in the manifests */
    int to_server, to_client;          /* slots of the rings */
    void *ring;                        /* the one to the server, mapped by map_link() */
    size_t ring_size;
};

struct device {
    const char *what;
    int regs, irq; /* slots */
    uint64_t arg;
};

static const void *tree;
static unsigned next_slot = SLOT_MACHINE + 1;
static struct link links[LINKS_MAX];
static unsigned link_count;
static struct device devices[DEVICES_MAX];
static unsigned device_count;

int grants_slot(void)
{
    return next_slot < NX_SLOTS ? (int)next_slot++ : -NX_EFULL;
}

void grants_init(const void *fdt)
{
    tree = fdt;
}

/* ---- devices ---- */

static int make_regs(const struct tree_device *dev)
{
    uint64_t base = ALIGN_DOWN(dev->base, NX_PAGE_SIZE);
    uint64_t end = ALIGN_UP(dev->base + dev->size, NX_PAGE_SIZE);
    int slot = grants_slot();
    long e = slot < 0 ? slot : nx_make_devmem((uint64_t)slot, SLOT_MACHINE, base, end - base);
    if (e < 0) {
        cell_log("no registers at %#lx: error %ld", (unsigned long)base, -e);
    }
    return e < 0 ? NO_SLOT : slot;
}

static int make_irq(const struct tree_device *dev)
{
    int slot = dev->irq != 0 ? grants_slot() : -NX_ENOENT;
    long e = slot < 0 ? slot : nx_make_irq((uint64_t)slot, SLOT_MACHINE, dev->irq);
    if (e < 0) {
        cell_log("no interrupt %u: error %ld", dev->irq, -e);
    }
    return e < 0 ? NO_SLOT : slot;
}

static struct device *find_device(const char *what)
{
    for (unsigned i = 0; i < device_count; i++) {
        if (strcmp(devices[i].what, what) == 0) {
            return &devices[i];
        }
    }
    return NULL;
}

static void prepare_device(struct service *s, const struct nx_want *w)
{
    struct tree_device dev;
    struct device *d = find_device(w->what);
    if (d == NULL) {
        if (device_count == DEVICES_MAX || !tree_device(tree, w->what, &dev)) {
            cell_log("%s: no device %s", s->manifest.name, w->what);
            return;
        }
        d = &devices[device_count++];
        *d = (struct device){.what = w->what, .regs = make_regs(&dev), .irq = make_irq(&dev)};
        d->arg = nexus_device_arg(dev.base, dev.shift, dev.width);
    }
    if (w->kind == NX_WANT_DEVMEM && s->arg == 0) {
        s->arg = d->arg;
    }
}

/* ---- channels ---- */

static int make_ring(const struct nx_want *serve)
{
    int slot = grants_slot();
    long e = slot < 0 ? slot : nx_make_ring((uint64_t)slot, serve->ring_slots, RING_BUFFER);
    if (e < 0) {
        cell_log("no ring of %u slots: error %ld", serve->ring_slots, -e);
    }
    return e < 0 ? NO_SLOT : slot;
}

static void prepare_serve(struct service *s, const struct nx_want *w)
{
    if (link_count == LINKS_MAX) {
        cell_log("%s: too many channels", s->manifest.name);
        return;
    }
    links[link_count++] = (struct link){
        .server = s, .serve = w, .to_server = make_ring(w), .to_client = make_ring(w)};
}

static void prepare_use(struct service *s, const struct nx_want *w)
{
    for (unsigned i = 0; i < link_count; i++) {
        if (links[i].client == NULL && strcmp(links[i].serve->what, w->what) == 0) {
            links[i].client = s;
            links[i].use = w;
            return;
        }
    }
    cell_log("%s: nobody serves %s", s->manifest.name, w->what);
}

void grants_prepare(struct service *s)
{
    for (unsigned i = 0; i < NX_MANIFEST_WANTS; i++) {
        const struct nx_want *w = &s->manifest.want[i];
        switch (w->kind) {
        case NX_WANT_DEVMEM:
        case NX_WANT_IRQ:
            prepare_device(s, w);
            break;
        case NX_WANT_SERVE:
            prepare_serve(s, w);
            break;
        case NX_WANT_USE:
            prepare_use(s, w);
            break;
        default:
            break;
        }
    }
}

/* The channel that line `w` of cell `s` is an end of. */
static struct link *find_link(const struct service *s, const struct nx_want *w)
{
    for (unsigned i = 0; i < link_count; i++) {
        struct link *l = &links[i];
        if ((l->server == s && l->serve == w) || (l->client == s && l->use == w)) {
            return l;
        }
    }
    return NULL;
}

/* Map the ring to the server, once in its life: NULL when it cannot be had. */
static void *map_link(struct link *l)
{
    if (l->ring == NULL && l->to_server != NO_SLOT && l->client != NULL) {
        l->ring = cell_map((unsigned)l->to_server, NX_PROT_R | NX_PROT_W, &l->ring_size, NULL);
    }
    return l->ring;
}

static void unmap_link(struct link *l)
{
    if (l->ring != NULL) {
        nx_map_unmap(0, (uint64_t)l->ring, l->ring_size);
        l->ring = NULL;
    }
}

/* The channel that slot `slot` of cell `s` is an end of, by its manifest; NULL when there is none. */
static struct link *link_at(const struct service *s, unsigned slot)
{
    for (unsigned i = 0; i < NX_MANIFEST_WANTS; i++) {
        const struct nx_want *w = &s->manifest.want[i];
        if ((w->kind == NX_WANT_SERVE || w->kind == NX_WANT_USE) && w->slot == slot) {
            struct link *l = find_link(s, w);
            return l != NULL && l->to_server != NO_SLOT && l->to_client != NO_SLOT ? l : NULL;
        }
    }
    return NULL;
}

bool grants_ends(const struct service *s, unsigned slot, struct service **server,
                 struct service **client)
{
    const struct link *l = link_at(s, slot);
    if (l == NULL || l->client == NULL) {
        return false;
    }
    *server = l->server;
    *client = l->client;
    return true;
}

static bool ring_intact(int slot, uint32_t slots)
{
    size_t size = 0;
    const volatile struct nx_ring_region *r = cell_map((unsigned)slot, NX_PROT_R, &size, NULL);
    if (r == NULL) {
        return false;
    }
    bool good = r->constant.magic == NX_RING_MAGIC && r->constant.version == NX_RING_VERSION &&
                r->constant.slots == slots && r->constant.buf_off < size &&
                r->constant.buf_size <= size - r->constant.buf_off &&
                r->end[NX_RING_PRODUCER].index - r->end[NX_RING_CONSUMER].index <= slots;
    nx_map_unmap(0, (uint64_t)r, size);
    return good;
}

bool grants_intact(const struct service *s, unsigned slot)
{
    const struct link *l = link_at(s, slot);
    return l != NULL && ring_intact(l->to_server, l->serve->ring_slots) &&
           ring_intact(l->to_client, l->serve->ring_slots);
}

void grants_renew(const struct service *s, unsigned slot)
{
    struct link *l = link_at(s, slot);
    if (l == NULL) {
        return;
    }
    unmap_link(l);
    const int slots[2] = {l->to_server, l->to_client};
    for (unsigned i = 0; i < 2; i++) {
        nx_grant_drop((uint64_t)slots[i]);
        long e = nx_make_ring((uint64_t)slots[i], l->serve->ring_slots, RING_BUFFER);
        if (e < 0) {
            cell_log("%s: channel %s is lost: error %ld", s->manifest.name, l->serve->what, -e);
        }
    }
}

/* ---- giving ---- */

static void give(const struct service *s, int src, uint32_t dst, uint32_t rights)
{
    long e = src < 0 ? -NX_ENOENT : nx_grant_copy(s->slot, (uint64_t)src, dst, rights);
    if (e < 0) {
        cell_log("%s: slot %u stays empty: error %ld", s->manifest.name, dst, -e);
    }
}

static void give_device(const struct service *s, const struct nx_want *w)
{
    const struct device *d = find_device(w->what);
    if (d == NULL) {
        return; /* said so when preparing */
    }
    if (w->kind == NX_WANT_DEVMEM) {
        give(s, d->regs, w->slot, w->rights & (NX_R_READ | NX_R_WRITE));
    } else {
        give(s, d->irq, w->slot, w->rights & (NX_R_READ | NX_R_RECV));
    }
}

/* A ring is mapped writable by both sides; which end it is, SEND or RECV says. */
static void give_link(const struct service *s, const struct nx_want *w)
{
    const struct link *l = find_link(s, w);
    const uint32_t both = w->rights & (NX_R_READ | NX_R_WRITE);
    const uint32_t consumer = both | (w->rights & NX_R_RECV);
    const uint32_t producer = both | (w->rights & NX_R_SEND);
    if (l == NULL) {
        return;
    }
    if (l->serve == w) {
        give(s, l->to_server, w->slot, consumer);
        give(s, l->to_client, w->slot + 1, producer);
    } else {
        give(s, l->to_server, w->slot, producer);
        give(s, l->to_client, w->slot + 1, consumer);
    }
}

void grants_give(struct service *s)
{
    for (unsigned i = 0; i < NX_MANIFEST_WANTS; i++) {
        const struct nx_want *w = &s->manifest.want[i];
        switch (w->kind) {
        case NX_WANT_DEVMEM:
        case NX_WANT_IRQ:
            give_device(s, w);
            break;
        case NX_WANT_SERVE:
        case NX_WANT_USE:
            give_link(s, w);
            break;
        case NX_WANT_ARCHIVE:
            give(s, SLOT_BUNDLE, w->slot, w->rights & NX_R_READ);
            break;
        default:
            break;
        }
    }
}

/* ---- draining ---- */

#define DRAIN_STALL_MS 1000u

/* Slots clients have published and servers not released, of all channels. */
static uint32_t backlog(void)
{
    uint32_t sum = 0;
    for (unsigned i = 0; i < link_count; i++) {
        const volatile struct nx_ring_region *ring = map_link(&links[i]);
        if (ring != NULL && links[i].server->state == SERVICE_RUNNING) {
            sum += ring->end[NX_RING_PRODUCER].index - ring->end[NX_RING_CONSUMER].index;
        }
    }
    return sum;
}

void grants_drain(void)
{
    uint32_t left = backlog(), before = left;
    for (unsigned stalled = 0; left != 0 && stalled < DRAIN_STALL_MS; stalled++) {
        nx_tick_sleep(cell_now() + cell_ticks_of_ms(1));
        left = backlog();
        if (left != before) {
            stalled = 0;
            before = left;
        }
    }
}

/* ---- the console, while its client is dead ---- */

static struct link *console_of(const struct service *s)
{
    for (unsigned i = 0; i < link_count; i++) {
        if (links[i].client == s && strcmp(links[i].serve->what, "console") == 0) {
            return &links[i];
        }
    }
    return NULL;
}

static bool has_devices(const struct service *s)
{
    for (unsigned i = 0; i < NX_MANIFEST_WANTS; i++) {
        const struct nx_want *w = &s->manifest.want[i];
        const struct device *d = find_device(w->what);
        if ((w->kind == NX_WANT_DEVMEM && (d == NULL || d->regs == NO_SLOT)) ||
            (w->kind == NX_WANT_IRQ && (d == NULL || d->irq == NO_SLOT))) {
            return false;
        }
    }
    return true;
}

bool grants_console(const struct service *s)
{
    struct link *l = console_of(s);
    return l != NULL && has_devices(l->server) && map_link(l) != NULL;
}

void grants_say(const struct service *s, const char *text)
{
    struct link *l = console_of(s);
    struct nx_ring ring;
    if (l == NULL || l->server->state != SERVICE_RUNNING || map_link(l) == NULL ||
        nx_ring_attach(&ring, NX_RING_PRODUCER, l->ring, l->ring_size) != 0) {
        return;
    }
    for (size_t left = strlen(text); left > 0;) {
        struct nx_slot slot = {.type = NEXUS_CONSOLE_OUTPUT, .flags = NX_SLOT_INLINE};
        slot.buf_len = (uint32_t)NX_MIN(left, (size_t)NX_RING_PAYLOAD);
        memcpy(slot.payload, text, slot.buf_len);
        if (nx_ring_push(&ring, &slot) != 0) {
            break; /* full: the driver does not keep up, and waiting for it is not our work */
        }
        text += slot.buf_len;
        left -= slot.buf_len;
    }
    if (nx_ring_needs_bell(&ring)) {
        nx_send_bell((uint64_t)l->to_server);
    }
}
