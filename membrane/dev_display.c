/* The screen: interface "display" (nexus/display.h). */
#include "devices.h"

#include <nx_base.h>

#include <nexus/display.h>
#include <string.h>

struct rect {
    uint32_t x, y, end_x, end_y; /* empty: x == end_x */
};

/* NOLINTBEGIN(clang-analyzer-optin.performance.Padding): by subject; requests are whole cache lines */
struct display_dev {
    struct nexus_request flush, mode;
    void (*mode_done)(int err); /* NULL: none was asked for */
    struct device d;
    struct nexus_display_hello config;
    struct rect dirty; /* changed since the flush that is under way was sent */
    bool flushing;
};
/* NOLINTEND(clang-analyzer-optin.performance.Padding) */

static struct display_dev *display;

static bool config_ok(const struct device *d, const struct nexus_display_hello *c)
{
    return d->client.pool != NULL && c->width > 0 && c->height > 0 && c->width <= c->stride / 4 &&
           c->stride % 4 == 0 && (uint64_t)c->stride * c->height <= d->client.pool_size;
}

static bool hello(struct device *d, const struct nx_slot *slot)
{
    struct nexus_display_hello c;
    memcpy(&c, slot->payload, sizeof(c));
    if (!config_ok(d, &c)) {
        return false;
    }
    container_of(d, struct display_dev, d)->config = c;
    return true;
}

int mb_display_config(struct mb_display *out)
{
    if (display == NULL || !display->d.there) {
        return -ENODEV;
    }
    *out = (struct mb_display){.width = display->config.width,
                               .height = display->config.height,
                               .stride = display->config.stride,
                               .pixels = display->d.client.pool,
                               .size = display->d.client.pool_size};
    return 0;
}

static uint32_t min32(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static uint32_t max32(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

static void flush_send(void);

static void flush_done(struct nexus_request *r, int result, const struct nx_slot *reply)
{
    display->flushing = false;
    if (result != -NX_EPEER) {
        flush_send();
    }
}

static void flush_send(void)
{
    struct rect *dirty = &display->dirty;
    struct nx_slot *slot = &display->flush.slot;
    if (display->flushing || dirty->x == dirty->end_x) {
        return;
    }
    *slot = (struct nx_slot){.type = NEXUS_DISPLAY_FLUSH};
    slot->word32[0] = dirty->x;
    slot->word32[1] = dirty->y;
    slot->word32[2] = dirty->end_x - dirty->x;
    slot->word32[3] = dirty->end_y - dirty->y;
    *dirty = (struct rect){0};
    display->flush.done = flush_done;
    display->flushing = driver_ask(&display->d, &display->flush, NEXUS_PATIENCE) == 0;
}

void mb_display_flush(uint32_t x, uint32_t y, uint32_t width, uint32_t height)
{
    if (display == NULL || !display->d.there) {
        return;
    }
    struct rect r = {.x = x, .y = y};
    r.end_x = x + min32(width, display->config.width - min32(x, display->config.width));
    r.end_y = y + min32(height, display->config.height - min32(y, display->config.height));
    if (r.x >= r.end_x || r.y >= r.end_y) {
        return;
    }
    struct rect *d = &display->dirty;
    if (d->x != d->end_x) {
        r = (struct rect){.x = min32(r.x, d->x),
                          .y = min32(r.y, d->y),
                          .end_x = max32(r.end_x, d->end_x),
                          .end_y = max32(r.end_y, d->end_y)};
    }
    *d = r;
    flush_send();
}

static bool sensible(const struct device *d, const struct nexus_request *r,
                     const struct nx_slot *reply)
{
    struct nexus_display_hello c;
    memcpy(&c, reply->payload + 4, sizeof(c));
    return r->slot.type != NEXUS_DISPLAY_MODE || config_ok(d, &c);
}

static void mode_answered(struct nexus_request *r, int result, const struct nx_slot *reply)
{
    void (*done)(int err) = display->mode_done;
    int err = driver_errno(result);
    struct nexus_display_hello c;
    if (err == 0 && reply != NULL) {
        memcpy(&c, reply->payload + 4, sizeof(c));
        if (config_ok(&display->d, &c)) {
            display->config = c;
        } else {
            err = -EIO;
        }
    }
    display->mode_done = NULL;
    done(err);
}

int mb_display_mode(uint32_t width, uint32_t height, void (*done)(int err))
{
    if (display == NULL || !display->d.there) {
        return -ENODEV;
    }
    if (display->mode_done != NULL) {
        return -EBUSY;
    }
    display->mode.slot = (struct nx_slot){.type = NEXUS_DISPLAY_MODE};
    display->mode.slot.word32[0] = width;
    display->mode.slot.word32[1] = height;
    display->mode.done = mode_answered;
    display->mode_done = done;
    int err = driver_ask(&display->d, &display->mode, NEXUS_PATIENCE);
    if (err < 0) {
        display->mode_done = NULL;
    }
    return err;
}

void display_init(void)
{
    display = driver_open(MB_SLOT_DISPLAY, sizeof(*display), offsetof(struct display_dev, d),
                          MB_DEV_DISPLAY, 0, hello, NULL);
    if (display != NULL) {
        display->d.sensible = sensible;
    }
}
