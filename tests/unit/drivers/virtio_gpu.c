/*
 * virtio_gpu.c - the graphics driver against a model of the device that shows what it is told to show.
 *
 * test-sources: drivers/virtio_gpu/gpu.c drivers/lib/virtio.c drivers/lib/virtq.c drivers/lib/reach.c
 * test-sources: native/lib/map.c native/lib/wait.c native/lib/channel.c native/lib/client.c native/lib/server.c
 */
#include "drivers/virtio_model.h"

#include "../../../drivers/virtio_gpu/command.h"
#include "../../../drivers/virtio_gpu/gpu.h"

/* ---- the device ---- */

#define SIDE 160u

struct resource {
    uint32_t width, height;
    uint8_t *backing;
    uint64_t backing_len;
    uint32_t pixels[SIDE * SIDE];
};

static struct resource resources[4];
static uint32_t shown, window_width, window_height, refuse;
static uint32_t screen[SIDE * SIDE]; /* what RESOURCE_FLUSH brought there */
static unsigned resets_seen, commands;

static struct resource *resource(uint32_t id)
{
    return id < 4 && resources[id].width != 0 ? &resources[id] : NULL;
}

static bool inside(const struct resource *r, const struct gpu_rect *rect)
{
    return r != NULL && nx_in_bounds(rect->x, rect->width, r->width) &&
           nx_in_bounds(rect->y, rect->height, r->height);
}

static bool create(const struct gpu_command *c)
{
    const uint32_t w = c->create.width, h = c->create.height;
    if (c->create.resource == 0 || c->create.resource >= 4 || resource(c->create.resource) ||
        c->create.format != GPU_FORMAT_BGRX || w == 0 || h == 0 || w > SIDE || h > SIDE) {
        return false;
    }
    resources[c->create.resource] = (struct resource){.width = w, .height = h};
    return true;
}

static bool transfer(const struct gpu_command *c)
{
    struct resource *r = resource(c->transfer.resource);
    const struct gpu_rect *rect = &c->transfer.rect;
    if (!inside(r, rect) || r->backing == NULL) {
        return false;
    }
    for (uint32_t y = 0; y < rect->height; y++) {
        const uint64_t from = c->transfer.offset + (uint64_t)y * r->width * 4;
        if (!nx_in_bounds(from, rect->width * 4ul, r->backing_len)) {
            return false;
        }
        memcpy(&r->pixels[(rect->y + y) * r->width + rect->x], r->backing + from, rect->width * 4);
    }
    return true;
}

static bool show(const struct gpu_command *c)
{
    struct resource *r = resource(c->flush.resource);
    const struct gpu_rect *rect = &c->flush.rect;
    if (!inside(r, rect)) {
        return false;
    }
    for (uint32_t y = rect->y; y < rect->y + rect->height && c->flush.resource == shown; y++) {
        memcpy(&screen[y * r->width + rect->x], &r->pixels[y * r->width + rect->x],
               rect->width * 4);
    }
    return true;
}

static bool command(const struct gpu_command *c)
{
    struct resource *r;
    switch (c->header.type) {
    case GPU_RESOURCE_CREATE_2D:
        return create(c);
    case GPU_RESOURCE_ATTACH_BACKING:
        r = resource(c->attach.resource);
        if (r == NULL || c->attach.entries != 1) {
            return false;
        }
        r->backing = model_memory(c->attach.addr, c->attach.length);
        r->backing_len = c->attach.length;
        return r->backing != NULL;
    case GPU_SET_SCANOUT:
        if (!inside(resource(c->scanout.resource), &c->scanout.rect)) {
            return false;
        }
        shown = c->scanout.resource;
        return true;
    case GPU_RESOURCE_UNREF:
        r = resource(c->unref.resource);
        if (r != NULL) {
            r->width = 0;
        }
        return r != NULL;
    case GPU_TRANSFER_TO_HOST_2D:
        return transfer(c);
    case GPU_RESOURCE_FLUSH:
        return show(c);
    default:
        return false;
    }
}

static int64_t gpu_request(unsigned queue, struct chain *chain)
{
    struct gpu_command c = {0};
    struct gpu_display_info info = {0};
    if (resets_seen != dev.resets) {
        resets_seen = dev.resets;
        memset(resources, 0, sizeof(resources));
        shown = 0;
    }
    if (chain->n != 2 || chain->seg[1].len < sizeof(info) || chain->seg[0].len > sizeof(c)) {
        return 0;
    }
    commands++;
    memcpy(&c, chain->seg[0].at, chain->seg[0].len);
    if (c.header.type == GPU_GET_DISPLAY_INFO) {
        info.header.type = GPU_OK_DISPLAY_INFO;
        info.scanout[0].rect.width = window_width;
        info.scanout[0].rect.height = window_height;
        info.scanout[0].enabled = 1;
        memcpy(chain->seg[1].at, &info, sizeof(info));
        return sizeof(info);
    }
    const bool good = refuse != c.header.type && command(&c);
    refuse = refuse == c.header.type ? 0 : refuse;
    if (dev.lies == 0 && !good) {
        info.header.type = GPU_ERROR;
    } else {
        info.header.type = good ? GPU_OK_NODATA : GPU_ERROR + 2;
    }
    memcpy(chain->seg[1].at, &info.header, sizeof(info.header));
    return sizeof(info.header);
}

static void config_write(uint32_t offset, uint32_t v)
{
    if (offset == 4) {
        dev.config[0] &= (uint8_t)~v;
    }
}

static struct gpu gpu;
static uint64_t kind;

static void device(void)
{
    dev = (struct model){.id = 16, .num_max = 64, .features = kind, .request = gpu_request};
    dev.config_write = config_write;
    dev.config[8] = 1;
    window_width = 120;
    window_height = 100;
    resets_seen = refuse = 0;
}

static int start(void)
{
    return gpu_start(&gpu, &driver);
}

static struct nexus_display_hello told;
static uint32_t resized[2];

static void on_event(struct nexus_client *c, const struct nx_slot *slot)
{
    assert_int_equal(slot->type, NEXUS_DISPLAY_RESIZE);
    resized[0] = slot->word32[0];
    resized[1] = slot->word32[1];
}

static void on_hello(struct nexus_client *c, const struct nx_slot *hello)
{
    memcpy(&told, hello->payload, sizeof(told));
}

static int setup(void **state)
{
    kind = *(const uint64_t *)*state;
    clients[0] = (struct nexus_client){.hello = on_hello, .event = on_event};
    memset(screen, 0, sizeof(screen));
    memset(resized, 0, sizeof(resized));
    device();
    model_setup(1, GPU_DEPTH, 16);
    assert_int_equal(start(), 0);
    return 0;
}

static void settle(void)
{
    for (unsigned i = 0; i < 20; i++) {
        assert_int_equal(model_settle(gpu_service, &gpu), 0);
    }
}

static void flush(struct job *j, uint32_t x, uint32_t y, uint32_t w, uint32_t h)
{
    const uint32_t word[4] = {x, y, w, h};
    memcpy(j->r.slot.payload, word, sizeof(word));
    job_submit(j, 0, NEXUS_DISPLAY_FLUSH, 0, 0);
}

static int ask_flush(uint32_t x, uint32_t y, uint32_t w, uint32_t h)
{
    struct job j = {0};
    flush(&j, x, y, w, h);
    settle();
    assert_int_equal(j.done, 1);
    return j.result;
}

static int ask_mode(uint32_t w, uint32_t h)
{
    struct job j = {0};
    j.r.slot.word32[0] = w;
    j.r.slot.word32[1] = h;
    job_submit(&j, 0, NEXUS_DISPLAY_MODE, 0, 0);
    settle();
    assert_int_equal(j.done, 1);
    if (j.result == 0) {
        memcpy(&told, &j.reply.word32[1], sizeof(told));
    }
    return j.result;
}

static void paint(uint32_t seed)
{
    for (uint32_t i = 0; i < MODEL_POOL / 4; i++) {
        ((uint32_t *)model_pool[0])[i] = i * 2654435761u + seed;
    }
}

/* ---- tests ---- */

static void what_is_flushed_is_seen(void **state)
{
    settle();
    assert_int_equal(told.width, 120);
    assert_int_equal(told.height, 100);
    assert_int_equal(told.stride, 480);
    paint(1);
    assert_int_equal(ask_flush(0, 0, 120, 100), 0);
    assert_memory_equal(screen, model_pool[0], 480 * 100);
    paint(2);
    assert_int_equal(ask_flush(10, 20, 5, 6), 0);
    const uint32_t *pool = (const uint32_t *)model_pool[0];
    assert_int_equal(screen[20 * 120 + 10], pool[20 * 120 + 10]);
    assert_int_equal(screen[25 * 120 + 14], pool[25 * 120 + 14]);
    assert_int_not_equal(screen[26 * 120 + 14], pool[26 * 120 + 14]);
    assert_int_not_equal(screen[25 * 120 + 15], pool[25 * 120 + 15]);
    assert_int_equal(dev.wild, 0);
}

static void flushes_are_clipped(void **state)
{
    settle();
    paint(3);
    assert_int_equal(ask_flush(100, 90, UINT32_MAX, UINT32_MAX), 0);
    const uint32_t *pool = (const uint32_t *)model_pool[0];
    assert_int_equal(screen[99 * 120 + 119], pool[99 * 120 + 119]);
    const unsigned before = commands;
    assert_int_equal(ask_flush(120, 0, 1, 1), 0);
    assert_int_equal(ask_flush(0, UINT32_MAX, 1, 1), 0);
    assert_int_equal(ask_flush(0, 0, 0, 9), 0);
    assert_int_equal(commands, before);
}

static void modes_change(void **state)
{
    settle();
    assert_int_equal(ask_mode(160, 100), 0);
    assert_int_equal(told.stride, 640);
    paint(4);
    assert_int_equal(ask_flush(0, 0, 160, 100), 0);
    assert_memory_equal(screen, model_pool[0], 640 * 100);
    assert_int_equal(ask_mode(0, 100), -NX_EINVAL);
    assert_int_equal(ask_mode(65536, 65536), -NX_EINVAL);
    assert_int_equal(ask_mode(UINT32_MAX, 1), -NX_EINVAL);
    assert_int_equal(ask_mode(160, 103), -NX_EINVAL); /* greater than the pool */
    assert_int_equal(ask_mode(100, 50), 0);
    assert_int_equal(ask_mode(160, 100), 0);
    refuse = GPU_RESOURCE_CREATE_2D;
    assert_int_equal(ask_mode(100, 50), -NX_ENOMEM);
    paint(5);
    assert_int_equal(ask_flush(0, 0, 160, 100), 0);
    assert_memory_equal(screen, model_pool[0], 640 * 100);
    refuse = GPU_RESOURCE_FLUSH;
    assert_int_equal(ask_flush(0, 0, 160, 100), -NX_EIO);
    struct job j = {0};
    job_submit(&j, 0, 99, 0, 0);
    settle();
    assert_int_equal(j.result, -NX_ENOSYS);
}

static void the_host_may_resize(void **state)
{
    settle();
    assert_int_equal(resized[0], 0);
    window_width = 64;
    window_height = 48;
    dev.config[0] = 1;
    dev.isr = 2;
    settle();
    assert_int_equal(resized[0], 64);
    assert_int_equal(resized[1], 48);
    assert_int_equal(dev.config[0], 0);
}

static void a_window_that_does_not_fit_is_no_fault(void **state)
{
    window_width = window_height = 100000;
    model_new_life();
    assert_int_equal(start(), 0);
    /* The pool of these tests holds none of the usual sizes: 320 x 200 needs 256000 bytes. */
    assert_int_equal(model_settle(gpu_service, &gpu), -NX_ENOMEM);
}

static void the_picture_comes_back_after_a_restart(void **state)
{
    settle();
    paint(6);
    assert_int_equal(ask_flush(0, 0, 120, 100), 0);
    memset(screen, 0, sizeof(screen));
    model_new_life();
    assert_int_equal(start(), 0);
    settle();
    assert_memory_equal(screen, model_pool[0], 480 * 100);
}

#define JOBS 4u
static struct job jobs[JOBS];

static void play(void)
{
    if (clients[0].outstanding == 0) {
        memset(jobs, 0, sizeof(jobs));
    }
    struct job *j = &jobs[chance(JOBS)];
    if (j->r.done == NULL || j->done != 0) {
        if (chance(4) == 0) {
            j->r.slot.word32[0] = 1 + chance(SIDE);
            j->r.slot.word32[1] = 1 + chance(100);
            job_submit(j, 0, NEXUS_DISPLAY_MODE, 0, 0);
        } else {
            flush(j, chance(200), chance(200), chance(200), chance(200));
        }
    }
    if (chance(8) == 0) {
        window_width = 1 + chance(SIDE);
        dev.config[0] = 1;
        dev.isr |= 2;
    }
}

static void restarts_lose_nothing(void **state)
{
    for (unsigned i = 0; i < 6000; i++) {
        play();
        model_work(chance(3));
        assert_true(gpu_service(&gpu, (virtio_interrupt(&driver.virtio) & 2) != 0) >= 0);
        model_exchange();
        if (chance(25) == 0) {
            model_new_life();
            assert_int_equal(start(), 0);
        }
        for (unsigned k = 0; k < JOBS; k++) {
            assert_true(jobs[k].done == 0 || jobs[k].result == 0);
        }
    }
    settle();
    assert_int_equal(clients[0].outstanding + clients[0].strays, 0);
    assert_int_equal(dev.wild, 0);
}

static void a_lying_device_is_a_fault(void **state)
{
    const struct model_driver d = {device, start, gpu_service, &gpu, play};
    model_lies(&d, 25, 0, 2000);
    model_lies(&d, 100, 3, 2000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(what_is_flushed_is_seen),
        EACH(flushes_are_clipped),
        EACH(modes_change),
        EACH(the_host_may_resize),
        EACH(a_window_that_does_not_fit_is_no_fault),
        EACH(the_picture_comes_back_after_a_restart),
        EACH(restarts_lose_nothing),
        EACH(a_lying_device_is_a_fault),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
