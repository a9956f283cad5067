/* See link.h. */
#include "link.h"
#include "store.h"

#include <nexus/cell.h>
#include <nexus/complaint.h>
#include <nexus/console.h>
#include <nx/ring.h>
#include <nx/sys.h>
#include <nx_base.h>
#include <string.h>

#define LINKS_MAX 96u
#define NONE (-1)

struct link {
    struct service *server, *client;
    const struct nx_want *serve, *use; /* their lines in the manifests */
    unsigned number;                   /* of the line's channels */
    int to_server, to_client, pool;    /* places in the store; pool may be NONE */
    void *ring;                        /* the one to the server, mapped by map_link() */
    size_t ring_size;
    /* The client's words about the server: how many were heard; of which life the next is, if it was seen. */
    uint32_t heard[NEXUS_COMPLAINT_KINDS], seen_in[NEXUS_COMPLAINT_KINDS];
};

static struct link links[LINKS_MAX];
static unsigned link_count;

/* ---- making ---- */

static bool make_link(struct service *s, const struct nx_want *w, unsigned number)
{
    if (link_count == LINKS_MAX) {
        cell_log("%s: too many channels", s->manifest.name);
        return false;
    }
    struct link *l = &links[link_count];
    *l = (struct link){.server = s,
                       .serve = w,
                       .number = number,
                       .to_server = store_ring(w->ring_slots),
                       .to_client = store_ring(w->ring_slots),
                       .pool = w->pool_pages != 0 ? store_mem(w->pool_pages) : NONE};
    if (l->to_server < 0 || l->to_client < 0 || (w->pool_pages != 0 && l->pool < 0)) {
        cell_log("%s: no channel %s: errors %d %d %d", s->manifest.name, w->what, l->to_server,
                 l->to_client, l->pool);
        store_drop(l->to_server);
        store_drop(l->to_client);
        store_drop(l->pool);
        return false;
    }
    link_count++;
    return true;
}

bool link_serve(struct service *s, const struct nx_want *w)
{
    for (unsigned i = 0; i < w->clients; i++) {
        if (!make_link(s, w, i)) {
            return false;
        }
    }
    return true;
}

bool link_use(struct service *s, const struct nx_want *w)
{
    for (unsigned i = 0; i < link_count; i++) {
        if (links[i].client == NULL && links[i].server != s &&
            strcmp(links[i].serve->what, w->what) == 0) {
            links[i].client = s;
            links[i].use = w;
            return true;
        }
    }
    return false;
}

/* ---- making anew ---- */

static void unmap_link(struct link *l)
{
    if (l->ring != NULL) {
        nx_map_unmap(0, (uint64_t)l->ring, l->ring_size);
        l->ring = NULL;
    }
}

/* Its rings anew, for next lives. */
static void renew(struct link *l)
{
    const int places[2] = {l->to_server, l->to_client};
    unmap_link(l);
    for (unsigned i = 0; i < 2; i++) {
        long e = store_ring_anew(places[i], l->serve->ring_slots);
        if (e < 0) {
            cell_log("%s: channel %s is lost: error %ld", l->server->manifest.name, l->serve->what,
                     -e);
        }
    }
}

/* ---- giving ---- */

static void give(const struct service *s, int place, uint32_t slot, uint32_t rights)
{
    long e = store_give(s->slot, place, slot, rights);
    if (e < 0) {
        cell_log("%s: slot %u stays empty: error %ld", s->manifest.name, slot, -e);
    }
}

/* A ring is mapped writable by both sides; which end it is, SEND or RECV says. A server works for its client at the
 * client's tier when that is the better one, not the other way round. */
static void give_end(const struct service *s, const struct link *l, bool server)
{
    const struct nx_want *w = server ? l->serve : l->use;
    const uint32_t both = w->rights & (NX_R_READ | NX_R_WRITE);
    const uint32_t consumer = both | (w->rights & NX_R_RECV);
    const uint32_t producer = both | (w->rights & NX_R_SEND);
    const uint32_t slot = w->slot + (server ? 3 * l->number : 0);
    give(s, l->to_server, slot, server ? consumer : producer | NX_R_LEND);
    give(s, l->to_client, slot + 1, server ? producer : consumer);
    if (l->pool != NONE) {
        give(s, l->pool, slot + 2, both | (server ? w->rights & NX_R_DMA : 0));
    }
}

/* Is there a client that has put the rings in order, or will (nexus/channel.h)? */
static bool client_mends(const struct link *l)
{
    return l->client != NULL && l->client->state != SERVICE_QUARANTINE &&
           l->client->state != SERVICE_ABSENT;
}

void link_give(const struct service *s, const struct nx_want *w)
{
    for (unsigned i = 0; i < link_count; i++) {
        struct link *l = &links[i];
        if (l->server == s && l->serve == w) {
            if (s->generation != 0 && s->slot != NX_SELF && !client_mends(l)) {
                renew(l); /* nobody else would: damage to it would be the end of every life */
            }
            give_end(s, l, true);
        } else if (l->client == s && l->use == w) {
            give_end(s, l, false);
        }
    }
}

/* ---- looking after ---- */

/* Map the ring to the server, once in its life: NULL when it cannot be had. */
static void *map_link(struct link *l)
{
    if (l->ring == NULL && l->client != NULL) {
        l->ring = store_map(l->to_server, NX_PROT_R | NX_PROT_W, &l->ring_size);
    }
    return l->ring;
}

/* A word that was not heard yet?  What is no count and its complement is damage; two zeros are a new ring. */
static bool new_word(struct link *l, const volatile struct nx_ring_region *r, unsigned kind,
                     uint32_t *count)
{
    const volatile uint32_t *word = &r->end[NX_RING_PRODUCER].reserved[2 * kind];
    const uint32_t n = word[0], complement = word[1];
    if (n == 0 && complement == 0) {
        l->heard[kind] = 0;
    }
    *count = n;
    return n != 0 && n == ~complement && n != l->heard[kind];
}

/* Hear it, if there is one: true when it is to be told again.  It is about the life it was seen in, and no other. */
static bool hear_word(struct link *l, const volatile struct nx_ring_region *r, unsigned kind,
                      link_told told)
{
    uint32_t n;
    if (!new_word(l, r, kind, &n)) {
        return false;
    }
    if (l->seen_in[kind] == 0) {
        l->seen_in[kind] = l->server->generation;
    }
    if (l->seen_in[kind] == l->server->generation &&
        told(l->client, l->server, kind == NEXUS_COMPLAINT_SILENT) == -NX_EBUSY) {
        return true;
    }
    l->seen_in[kind] = 0;
    l->heard[kind] = n;
    return false;
}

bool link_words(link_told told)
{
    bool again = false;
    for (unsigned i = 0; i < link_count; i++) {
        struct link *l = &links[i];
        const volatile struct nx_ring_region *r = map_link(l);
        for (unsigned kind = 0; r != NULL && kind < NEXUS_COMPLAINT_KINDS; kind++) {
            again |= hear_word(l, r, kind, told);
        }
    }
    return again;
}

/* The channel that slot `slot` of cell `s` belongs to; NULL when there is none. */
static struct link *find_link(const struct service *s, unsigned slot)
{
    for (unsigned i = 0; i < link_count; i++) {
        struct link *l = &links[i];
        if ((l->server == s && slot - (l->serve->slot + 3 * l->number) < 3) ||
            (l->client == s && slot - l->use->slot < 3)) {
            return l;
        }
    }
    return NULL;
}

bool link_ends(const struct service *s, unsigned slot, struct service **server,
               struct service **client)
{
    const struct link *l = find_link(s, slot);
    if (l == NULL || l->client == NULL) {
        return false;
    }
    *server = l->server;
    *client = l->client;
    return true;
}

struct service *link_server(const struct service *client, const char *what)
{
    for (unsigned i = 0; i < link_count; i++) {
        if (links[i].client == client && strcmp(links[i].serve->what, what) == 0) {
            return links[i].server;
        }
    }
    return NULL;
}

static uint32_t index_of(int place, enum nx_ring_side side)
{
    size_t size = 0;
    const volatile struct nx_ring_region *r = store_map(place, NX_PROT_R, &size);
    if (r == NULL) {
        return 0;
    }
    const uint32_t index = r->end[side].index;
    nx_map_unmap(0, (uint64_t)r, size);
    return index;
}

/* Counts go up only, so a sum of them stays what it was only when all of them do. */
uint64_t link_moved(const struct service *s)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < link_count; i++) {
        const struct link *l = &links[i];
        if (l->server == s && l->client != NULL) {
            sum += index_of(l->to_server, NX_RING_CONSUMER);
            sum += index_of(l->to_client, NX_RING_PRODUCER);
        } else if (l->client == s) {
            sum += index_of(l->to_server, NX_RING_PRODUCER);
            sum += index_of(l->to_client, NX_RING_CONSUMER);
        }
    }
    return sum;
}

static bool looks_intact(const volatile struct nx_ring_region *r, size_t size, uint32_t slots)
{
    const volatile struct nx_ring_const *c = &r->constant;
    const uint32_t off = c->buf_off;
    return c->magic == NX_RING_MAGIC && c->version == NX_RING_VERSION && c->slots == slots &&
           off % NX_RING_LINE == 0 && off >= NX_RING_SLOTS_OFF + slots * sizeof(struct nx_slot) &&
           off <= size && c->buf_size <= size - off &&
           r->end[NX_RING_PRODUCER].index - r->end[NX_RING_CONSUMER].index <= slots;
}

static bool ring_intact(int place, uint32_t slots)
{
    size_t size = 0;
    const volatile struct nx_ring_region *r = store_map(place, NX_PROT_R, &size);
    if (r == NULL) {
        return false;
    }
    const bool good = looks_intact(r, size, slots);
    nx_map_unmap(0, (uint64_t)r, size);
    return good;
}

/* Its constants as the nucleus makes them, and nothing in it for the next life of who is dead. */
static void mend_ring(int place, uint32_t slots, enum nx_ring_side dead)
{
    size_t size = 0;
    volatile struct nx_ring_region *r = store_map(place, NX_PROT_R | NX_PROT_W, &size);
    if (r == NULL) {
        return;
    }
    if (!looks_intact(r, size, slots)) {
        r->constant.magic = NX_RING_MAGIC;
        r->constant.version = NX_RING_VERSION;
        r->constant.slots = slots;
        r->constant.buf_off =
            ALIGN_UP(NX_RING_SLOTS_OFF + slots * (uint32_t)sizeof(struct nx_slot), NX_RING_PAGE);
        r->constant.buf_size = (uint32_t)size - r->constant.buf_off;
        r->end[dead].index = r->end[!dead].index;
    }
    nx_map_unmap(0, (uint64_t)r, size);
}

bool link_intact(const struct service *s, unsigned slot)
{
    const struct link *l = find_link(s, slot);
    return l != NULL && ring_intact(l->to_server, l->serve->ring_slots) &&
           ring_intact(l->to_client, l->serve->ring_slots);
}

void link_mend(const struct service *s, unsigned slot)
{
    const struct link *l = find_link(s, slot);
    if (l != NULL) {
        const bool server = l->server == s;
        mend_ring(l->to_server, l->serve->ring_slots, server ? NX_RING_CONSUMER : NX_RING_PRODUCER);
        mend_ring(l->to_client, l->serve->ring_slots, server ? NX_RING_PRODUCER : NX_RING_CONSUMER);
    }
}

bool link_programs(const struct service *s, unsigned slot)
{
    const struct link *l = find_link(s, slot);
    return l != NULL && strncmp(l->serve->what, "ring.", 5) == 0;
}

void link_renew(const struct service *s, unsigned slot)
{
    struct link *l = find_link(s, slot);
    if (l != NULL) {
        renew(l);
    }
}

bool link_at(unsigned i, const char **what, const struct service **server,
             const struct service **client)
{
    if (i >= link_count) {
        return false;
    }
    *what = links[i].serve->what;
    *server = links[i].server;
    *client = links[i].client;
    return true;
}

/* ---- draining ---- */

#define DRAIN_STALL_MS 1000u

/* Slots clients have published and servers not released, of all channels. */
static uint32_t backlog(void)
{
    uint32_t sum = 0;
    for (unsigned i = 0; i < link_count; i++) {
        const volatile struct nx_ring_region *ring = map_link(&links[i]);
        if (ring != NULL && links[i].server->state == SERVICE_RUNNING &&
            links[i].server->slot != NX_SELF) {
            sum += ring->end[NX_RING_PRODUCER].index - ring->end[NX_RING_CONSUMER].index;
        }
    }
    return sum;
}

void link_drain(void)
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

bool link_console(const struct service *s)
{
    struct link *l = console_of(s);
    return l != NULL && map_link(l) != NULL;
}

/* The dead client's end of the ring is taken for the time of a doorbell. */
static void ring_bell(const struct link *l)
{
    if (store_give(NX_SELF, l->to_server, SLOT_SCRATCH, NX_R_SEND) == 0) {
        nx_send_bell(SLOT_SCRATCH);
        nx_grant_drop(SLOT_SCRATCH);
    }
}

#define SAY_WAIT_MS 200u

/* Put it, waiting a little for room: the client is dead, so nobody else writes, and its next life waits
 * for us.  False: the driver does not keep up. */
static bool say_slot(struct link *l, struct nx_ring *ring, const struct nx_slot *slot,
                     unsigned *waited_ms)
{
    int e;
    while ((e = nx_ring_push(ring, slot)) == -NX_EFULL && *waited_ms < SAY_WAIT_MS) {
        if (nx_ring_needs_bell(ring)) {
            ring_bell(l);
        }
        nx_tick_sleep(cell_now() + cell_ticks_of_ms(1));
        ++*waited_ms;
    }
    return e == 0;
}

void link_say(const struct service *s, const char *text)
{
    struct link *l = console_of(s);
    struct nx_ring ring;
    unsigned waited_ms = 0;
    if (l == NULL || l->server->state != SERVICE_RUNNING || map_link(l) == NULL ||
        nx_ring_attach(&ring, NX_RING_PRODUCER, l->ring, l->ring_size) != 0) {
        return;
    }
    for (size_t left = strlen(text); left > 0;) {
        struct nx_slot slot;
        nexus_console_output_put(&slot, text, (uint32_t)NX_MIN(left, (size_t)NX_RING_PAYLOAD));
        if (!say_slot(l, &ring, &slot, &waited_ms)) {
            break;
        }
        text += slot.buf_len;
        left -= slot.buf_len;
    }
    if (nx_ring_needs_bell(&ring)) {
        ring_bell(l);
    }
}
