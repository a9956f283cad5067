/* See grants.h. */
#include "grants.h"
#include "complaint.h"
#include "device.h"
#include "link.h"
#include "store.h"

#include <nexus/beat.h>
#include <nexus/cell.h>
#include <nexus/device.h>
#include <nx/sys.h>
#include <stdio.h>
#include <string.h>

#define FOR_WANTS(w, s)                                                                            \
    for (const struct nx_want *w = (s)->manifest.want; w < &(s)->manifest.want[NX_MANIFEST_WANTS]; \
         w++)

static bool optional(const struct nx_want *w)
{
    return (w->flags & NX_WANT_OPTIONAL) != 0;
}

/* ---- preparing ---- */

bool grants_devices(struct service *s)
{
    FOR_WANTS(w, s)
    {
        if (w->kind != NX_WANT_DEVMEM && w->kind != NX_WANT_IRQ) {
            continue;
        }
        const struct device *d = device_claim(w, s);
        if (d != NULL && w->kind == NX_WANT_DEVMEM && s->arg == 0) {
            s->arg = nexus_device_arg(d->tree.base, d->tree.shift, d->tree.width);
        }
        if (d == NULL && !optional(w)) {
            snprintf(s->missing, sizeof(s->missing),
                     w->device_id != 0 ? "no device %s %u" : "no device %s", w->what, w->device_id);
            return false;
        }
    }
    return true;
}

/* Memory for the DMA of line `w`, kept over all lives: a dead cell's device may still write to it. */
static bool make_dma(struct service *s, const struct nx_want *w)
{
    if (s->dma_count == SERVICE_DMA_MAX) {
        return false;
    }
    struct service_dma *d = &s->dma[s->dma_count];
    *d = (struct service_dma){.want = w, .place = store_mem(w->pool_pages)};
    if (d->place < 0) {
        return false;
    }
    s->dma_count++;
    d->at = store_map(d->place, NX_PROT_R | NX_PROT_W, &d->size);
    return d->at != NULL;
}

/* The page a cell beats in, if it must: nexus/cell.h. */
static bool make_beat(struct service *s)
{
    if (s->manifest.heartbeat_ms == 0 || s->beat != NULL) {
        return true;
    }
    s->beat_place = store_mem(1);
    s->beat = s->beat_place < 0 ? NULL : store_map(s->beat_place, NX_PROT_R, NULL);
    return s->beat != NULL;
}

bool grants_make(struct service *s)
{
    bool good = make_beat(s);
    s->fixed = s->fixed_pages != 0 ? store_mem(s->fixed_pages) : -1;
    FOR_WANTS(w, s)
    {
        if (w->kind == NX_WANT_SERVE) {
            good &= link_serve(s, w);
        } else if (w->kind == NX_WANT_DMA) {
            good &= make_dma(s, w) || optional(w);
        }
    }
    if (!good) {
        snprintf(s->missing, sizeof(s->missing), "no memory for it");
    }
    return good;
}

bool grants_connect(struct service *s)
{
    FOR_WANTS(w, s)
    {
        if (w->kind == NX_WANT_USE && !link_use(s, w) && !optional(w)) {
            snprintf(s->missing, sizeof(s->missing), "nobody serves %s", w->what);
            return false;
        }
    }
    return true;
}

/* ---- giving ---- */

static void missed(const struct service *s, uint32_t slot, long e)
{
    cell_log("%s: slot %u stays empty: error %ld", s->manifest.name, slot, -e);
}

static void give_device(const struct service *s, const struct nx_want *w)
{
    const struct device *d = device_of(w, s);
    long e = d == NULL ? 0 : device_give(d, w, s->slot);
    if (e < 0) {
        missed(s, w->slot, e);
    }
}

static void give_dma(const struct service *s, const struct nx_want *w)
{
    for (unsigned i = 0; i < s->dma_count; i++) {
        if (s->dma[i].want == w) {
            long e = store_give(s->slot, s->dma[i].place, w->slot,
                                w->rights & (NX_R_READ | NX_R_WRITE | NX_R_DMA));
            if (e < 0) {
                missed(s, w->slot, e);
            }
        }
    }
}

static void give_beat(struct service *s)
{
    if (s->beat == NULL || s->manifest.heartbeat_ms == 0) {
        return;
    }
    long e = store_give(s->slot, s->beat_place, NEXUS_BEAT_SLOT, NX_R_READ | NX_R_WRITE);
    if (e < 0) {
        missed(s, NEXUS_BEAT_SLOT, e);
    }
}

void grants_give(struct service *s)
{
    bool uses = false;
    long e;
    FOR_WANTS(w, s)
    {
        switch (w->kind) {
        case NX_WANT_DEVMEM:
        case NX_WANT_IRQ:
            give_device(s, w);
            break;
        case NX_WANT_SERVE:
        case NX_WANT_USE:
            link_give(s, w);
            uses |= w->kind == NX_WANT_USE;
            break;
        case NX_WANT_ARCHIVE:
            e = nx_grant_copy(s->slot, SLOT_BUNDLE, w->slot, w->rights & NX_R_READ);
            if (e < 0) {
                missed(s, w->slot, e);
            }
            break;
        case NX_WANT_DMA:
            give_dma(s, w);
            break;
        default:
            break;
        }
    }
    give_beat(s);
    if (uses) {
        complaint_give(s);
    }
}

void grants_take_back(struct service *s)
{
    device_stop(s);
    for (unsigned i = 0; i < s->dma_count; i++) {
        if (s->dma[i].at != NULL && (s->dma[i].want->flags & NX_WANT_KEPT) == 0) {
            memset(s->dma[i].at, 0, s->dma[i].size);
        }
    }
}

void grants_swapped(struct service *s)
{
    if (!make_beat(s)) {
        cell_log("%s: no page to beat in", s->manifest.name);
        s->manifest.heartbeat_ms = 0;
    }
}
