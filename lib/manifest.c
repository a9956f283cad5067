/* See nx_manifest.h. */
#include <nx_manifest.h>

#include <nx/layout.h>
#include <nx/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define VIRTIO "virtio,mmio"
#define SLOTS_OF_WANT_MAX (3u * NX_SERVE_CLIENTS_MAX)
#define OR_WHY(check)           \
    do {                        \
        const char *w_ = check; \
        if (w_ != NULL) {       \
            return w_;          \
        }                       \
    } while (0)

/* ---- texts ---- */

/* What can stand in a log line, a path and a device tree without being anything else there. */
static bool sane(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == ',' || c == '-' || c == '_' || c == '+';
}

/* Length of a text that ends inside its n bytes, is sane and has only zeroes behind it; -1: it is not
 * like that. */
static int text_length(const char *text, size_t n)
{
    size_t len = 0;
    while (len < n && text[len] != 0) {
        if (!sane(text[len])) {
            return -1;
        }
        len++;
    }
    for (size_t i = len; i < n; i++) {
        if (text[i] != 0) {
            return -1;
        }
    }
    return len < n ? (int)len : -1;
}

static bool all_zero(const void *bytes, size_t n)
{
    const uint8_t *b = bytes;
    for (size_t i = 0; i < n; i++) {
        if (b[i] != 0) {
            return false;
        }
    }
    return true;
}

/* ---- the head ---- */

static const char *check_head(const struct nx_manifest *m)
{
    if (m->magic != NX_MANIFEST_MAGIC) {
        return "magic";
    }
    int name = text_length(m->name, sizeof(m->name));
    if (name <= 0 || m->name[0] == '.' || m->name[0] == '-') {
        return "name";
    }
    if (m->tier >= NX_TIERS) {
        return "tier";
    }
    if (m->placement >= NX_PLACEMENTS) {
        return "placement";
    }
    if (m->restart >= NX_RESTARTS) {
        return "restart";
    }
    if (m->backoff_ms > NX_MANIFEST_BACKOFF_MS_MAX ||
        (m->restart == NX_RESTART_NEVER && m->backoff_ms != 0)) {
        return "backoff";
    }
    if ((m->pledge & ~NX_PLEDGE_ALL) != 0) {
        return "pledge";
    }
    if (m->window_gb == 0 || m->window_gb > NX_WINDOW_GB_MAX) {
        return "window";
    }
    if ((m->flags & ~NX_MANIFEST_PER_DEVICE) != 0) {
        return "flags";
    }
    if ((m->flags & NX_MANIFEST_PER_DEVICE) != 0 && name > (int)NX_MANIFEST_PER_DEVICE_TEXT_MAX) {
        return "name is too long for several cells";
    }
    return all_zero(m->zero, sizeof(m->zero)) ? NULL : "reserved bytes";
}

static const char *check_quotas(const struct nx_manifest *m)
{
    if (m->quota_pages > NX_MANIFEST_QUOTA_PAGES_MAX) {
        return "quota of pages";
    }
    if (m->quota_fibers == 0 || m->quota_fibers > NX_MANIFEST_FIBERS_MAX) {
        return "quota of fibers";
    }
    if (m->quota_spaces > NX_MANIFEST_SPACES_MAX) {
        return "quota of spaces";
    }
    if (m->quota_objects > NX_MANIFEST_OBJECTS_MAX) {
        return "quota of objects";
    }
    if (m->heartbeat_ms > NX_MANIFEST_HEARTBEAT_MS_MAX) {
        return "heartbeat";
    }
    return NULL;
}

/* ---- wants ---- */

unsigned nx_want_slots(const struct nx_want *w)
{
    switch (w->kind) {
    case NX_WANT_NONE:
        return 0;
    case NX_WANT_SERVE:
        return 3 * w->clients;
    case NX_WANT_USE:
        return 3;
    default:
        return 1;
    }
}

static const char *check_what(const struct nx_manifest *m, const struct nx_want *w)
{
    int len = text_length(w->what, sizeof(w->what));
    bool device = w->kind == NX_WANT_DEVMEM || w->kind == NX_WANT_IRQ;
    bool named = device || w->kind == NX_WANT_SERVE || w->kind == NX_WANT_USE;
    if (len < 0 || (len != 0) != named) {
        return "what a want names";
    }
    if (w->kind == NX_WANT_SERVE && (m->flags & NX_MANIFEST_PER_DEVICE) != 0 &&
        len > (int)NX_MANIFEST_PER_DEVICE_TEXT_MAX) {
        return "interface is too long for several cells";
    }
    bool virtio = device && strcmp(w->what, VIRTIO) == 0;
    if (w->device_id > NX_MANIFEST_DEVICE_ID_MAX || (w->device_id != 0) != virtio) {
        return "virtio device id";
    }
    return NULL;
}

static const char *check_channel(const struct nx_want *w)
{
    if (w->kind != NX_WANT_SERVE) {
        return w->ring_slots != 0 ? "ring slots" : w->clients != 0 ? "clients" : NULL;
    }
    if (w->ring_slots < NX_MANIFEST_RING_SLOTS_MIN || w->ring_slots > NX_MANIFEST_RING_SLOTS_MAX ||
        (w->ring_slots & (w->ring_slots - 1)) != 0) {
        return "ring slots";
    }
    return w->clients == 0 || w->clients > NX_SERVE_CLIENTS_MAX ? "clients" : NULL;
}

static const char *check_pool(const struct nx_want *w)
{
    if (w->pool_pages > NX_MANIFEST_POOL_PAGES_MAX) {
        return "pool pages";
    }
    if (w->kind == NX_WANT_DMA) {
        return w->pool_pages == 0 ? "pool pages" : NULL;
    }
    return w->kind != NX_WANT_SERVE && w->pool_pages != 0 ? "pool pages" : NULL;
}

/* *taken: the slots of the wants before it. */
static const char *check_want(const struct nx_manifest *m, const struct nx_want *w, uint64_t *taken)
{
    if (w->kind == NX_WANT_NONE || w->kind >= NX_WANT_KINDS) {
        return "kind of a want";
    }
    if ((w->rights & ~NX_R_ALL) != 0) {
        return "rights";
    }
    if ((w->flags & ~(NX_WANT_OPTIONAL | NX_WANT_KEPT)) != 0 ||
        ((w->flags & NX_WANT_KEPT) != 0 && w->kind != NX_WANT_DMA)) {
        return "flags of a want";
    }
    OR_WHY(check_what(m, w));
    OR_WHY(check_channel(w));
    OR_WHY(check_pool(w));
    unsigned n = nx_want_slots(w);
    if (n > SLOTS_OF_WANT_MAX || w->slot > NX_SLOTS - n) {
        return "slot";
    }
    uint64_t mine = ((1ul << n) - 1) << w->slot;
    if ((*taken & mine) != 0) {
        return "two wants for one slot";
    }
    *taken |= mine;
    return NULL;
}

static bool has_device(const struct nx_manifest *m)
{
    for (unsigned i = 0; i < m->want_count; i++) {
        if (m->want[i].kind == NX_WANT_DEVMEM) {
            return true;
        }
    }
    return false;
}

static uint32_t all_rights(const struct nx_manifest *m)
{
    uint32_t rights = 0;
    for (unsigned i = 0; i < m->want_count; i++) {
        rights |= m->want[i].rights;
    }
    return rights;
}

/* Does a want after want i offer what it offers, or any want use it? */
static const char *check_interface(const struct nx_manifest *m, unsigned i)
{
    for (unsigned k = 0; m->want[i].kind == NX_WANT_SERVE && k < m->want_count; k++) {
        if (strcmp(m->want[i].what, m->want[k].what) != 0) {
            continue;
        }
        if (m->want[k].kind == NX_WANT_USE) {
            return "it uses what it serves itself";
        }
        if (m->want[k].kind == NX_WANT_SERVE && k > i) {
            return "it serves one interface twice";
        }
    }
    return NULL;
}

static const char *check_wants(const struct nx_manifest *m)
{
    uint64_t taken = 0;
    if (m->want_count > NX_MANIFEST_WANTS) {
        return "number of wants";
    }
    for (unsigned i = 0; i < m->want_count; i++) {
        OR_WHY(check_want(m, &m->want[i], &taken));
    }
    for (unsigned i = 0; i < m->want_count; i++) {
        OR_WHY(check_interface(m, i));
    }
    for (unsigned i = m->want_count; i < NX_MANIFEST_WANTS; i++) {
        if (!all_zero(&m->want[i], sizeof(m->want[i]))) {
            return "a want that is not counted";
        }
    }
    bool device = has_device(m);
    if ((m->flags & NX_MANIFEST_PER_DEVICE) != 0 && !device) {
        return "one cell for each device, and no device";
    }
    return (all_rights(m) & NX_R_DMA) != 0 && !device ? "right to DMA, and no device" : NULL;
}

const char *nx_manifest_check(const struct nx_manifest *m)
{
    OR_WHY(check_head(m));
    OR_WHY(check_quotas(m));
    return check_wants(m);
}
