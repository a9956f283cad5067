/* See gpu.h. */
#include "gpu.h"
#include "command.h"

#include <nx_base.h>
#include <string.h>

#define DEVICE_ID 16u

/* Configuration fields. */
#define CONFIG_EVENTS_READ 0u
#define CONFIG_EVENTS_CLEAR 4u
#define CONFIG_NUM_SCANOUTS 8u
#define EVENT_DISPLAY 1u

#define PIXEL 4u
#define SIDE_MAX 16384u /* pixels: keeps all products below 2^31 */

/* ---- the commands ---- */

enum step { END, INFO, CREATE, ATTACH, SCANOUT, UNREF, TRANSFER, FLUSH };

/* What each job takes. */
static const uint8_t steps[GPU_JOBS][8] = {
    [GPU_START] = {INFO, CREATE, ATTACH, SCANOUT, TRANSFER, FLUSH, END},
    [GPU_LOOK] = {INFO, END},
    [GPU_FLUSH] = {TRANSFER, FLUSH, END},
    [GPU_MODE] = {CREATE, ATTACH, SCANOUT, UNREF, END},
};

/* The resource a command of the job is about: a MODE makes the one that is not shown. */
static uint32_t target(const struct gpu *g)
{
    return g->job == GPU_MODE ? 3 - g->resource : g->resource;
}

static uint32_t size_of(const struct nexus_display_hello *c)
{
    return c->stride * c->height;
}

/* The command of a step: its length. */
static size_t write_command(const struct gpu *g, enum step step, struct gpu_command *c)
{
    const struct gpu_rect screen = {0, 0, g->next.width, g->next.height};
    const struct gpu_rect rect = {g->x, g->y, g->width, g->height};
    *c = (struct gpu_command){0};
    switch (step) {
    case CREATE:
        c->header.type = GPU_RESOURCE_CREATE_2D;
        c->create.resource = target(g);
        c->create.format = GPU_FORMAT_BGRX;
        c->create.width = g->next.width;
        c->create.height = g->next.height;
        return sizeof(c->header) + sizeof(c->create);
    case ATTACH:
        c->header.type = GPU_RESOURCE_ATTACH_BACKING;
        c->attach.resource = target(g);
        c->attach.entries = 1;
        c->attach.addr = server_phys(&g->driver->servers[0], 0);
        c->attach.length = size_of(&g->next);
        return sizeof(c->header) + sizeof(c->attach);
    case SCANOUT:
        c->header.type = GPU_SET_SCANOUT;
        c->scanout.rect = screen;
        c->scanout.resource = target(g);
        return sizeof(c->header) + sizeof(c->scanout);
    case UNREF:
        c->header.type = GPU_RESOURCE_UNREF;
        c->unref.resource = g->resource;
        return sizeof(c->header) + sizeof(c->unref);
    case TRANSFER:
        c->header.type = GPU_TRANSFER_TO_HOST_2D;
        c->transfer.rect = rect;
        c->transfer.offset = (uint64_t)g->y * g->config.stride + g->x * PIXEL;
        c->transfer.resource = target(g);
        return sizeof(c->header) + sizeof(c->transfer);
    case FLUSH:
        c->header.type = GPU_RESOURCE_FLUSH;
        c->flush.rect = rect;
        c->flush.resource = target(g);
        return sizeof(c->header) + sizeof(c->flush);
    default:
        c->header.type = GPU_GET_DISPLAY_INFO;
        return sizeof(c->header);
    }
}

static void copy_to(volatile uint8_t *to, const void *from, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        to[i] = ((const uint8_t *)from)[i];
    }
}

static void copy_from(void *to, const volatile uint8_t *from, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        ((uint8_t *)to)[i] = from[i];
    }
}

static void send_step(struct gpu *g)
{
    struct gpu_command c;
    const size_t n = write_command(g, steps[g->job][g->step], &c);
    const struct gpu_header none = {0};
    const unsigned slot = (unsigned)virtq_reserve(&g->queue);
    copy_to(g->command, &c, n);
    copy_to(g->answer, &none, sizeof(none));
    const struct virtq_seg seg[2] = {
        {.phys = g->command_phys, .len = (uint32_t)n},
        {.phys = g->answer_phys, .len = sizeof(struct gpu_display_info), .write = true}};
    virtq_submit(&g->queue, slot, seg, 2);
}

/* ---- start ---- */

static int choose_memory(struct gpu *g)
{
    struct dma *dma = &g->driver->dma;
    g->command = dma_alloc(dma, sizeof(struct gpu_command), 8, &g->command_phys);
    g->answer = dma_alloc(dma, sizeof(struct gpu_display_info), 8, &g->answer_phys);
    return g->command == NULL || g->answer == NULL ? -NX_ENOMEM : 0;
}

int gpu_start(struct gpu *g, struct driver *driver)
{
    *g = (struct gpu){.driver = driver, .resource = 1, .job = GPU_START};
    dma_reset(&driver->dma);
    int e = virtio_start(&driver->virtio, DEVICE_ID, 0);
    if (e == 0) {
        e = virtq_init(&g->queue, &driver->virtio, 0, 1, 2, &driver->dma);
    }
    if (e == 0) {
        e = choose_memory(g);
    }
    if (e == 0) {
        uint32_t screens = virtio_config32(&driver->virtio, CONFIG_NUM_SCANOUTS);
        if (screens == 0 || screens > GPU_SCANOUTS) {
            return virtio_fault(&driver->virtio, "an impossible number of screens", screens);
        }
        e = virtio_ready(&driver->virtio);
    }
    if (e == 0) {
        send_step(g);
        virtq_kick(&g->queue);
    }
    return e;
}

static bool fits(const struct gpu *g, uint32_t width, uint32_t height,
                 struct nexus_display_hello *c)
{
    if (width == 0 || height == 0 || width > SIDE_MAX || height > SIDE_MAX) {
        return false;
    }
    *c = (struct nexus_display_hello){width, height, width * PIXEL};
    return size_of(c) <= g->driver->servers[0].pool_size;
}

/* What the screen begins with: what the host likes, or the largest usual size there is room for. */
static int choose_mode(struct gpu *g)
{
    static const uint16_t usual[][2] = {{1280, 800}, {1024, 768}, {640, 480}, {320, 200}};
    bool good = fits(g, g->host_width, g->host_height, &g->next);
    for (unsigned i = 0; i < ARRAY_LEN(usual) && !good; i++) {
        good = fits(g, usual[i][0], usual[i][1], &g->next);
    }
    g->config = g->next;
    g->width = g->config.width;
    g->height = g->config.height;
    return good ? 0 : -NX_ENOMEM;
}

static int say_hello(struct gpu *g)
{
    struct nx_slot hello = {0};
    nexus_display_hello_tell(&hello, &g->config);
    if (g->up) {
        server_config(&g->driver->servers[0], &hello);
        return 0;
    }
    g->up = true;
    return server_hello(&g->driver->servers[0], &hello);
}

/* ---- the end of a job ---- */

static int reply_mode(struct gpu *g)
{
    const struct nexus_display_mode_answer answer = {
        .width = g->next.width, .height = g->next.height, .stride = g->next.stride};
    g->resource = target(g);
    g->config = g->next;
    int e = say_hello(g);
    return e != 0 ? e : nexus_display_mode_reply(&g->driver->servers[0], &g->request, 0, &answer);
}

static int finish_job(struct gpu *g)
{
    const enum gpu_job job = g->job;
    int e = 0;
    if (job == GPU_START) {
        e = say_hello(g);
    } else if (job == GPU_FLUSH) {
        e = server_reply(&g->driver->servers[0], &g->request, 0, NULL);
    } else if (job == GPU_MODE) {
        e = reply_mode(g);
    }
    g->job = GPU_IDLE;
    return e;
}

/* The device refuses a command.  It may for want of memory, and a FLUSH may fail; all else is a fault. */
static int refused(struct gpu *g, uint32_t type)
{
    const enum step step = steps[g->job][g->step];
    int result = -NX_EIO;
    if (g->job == GPU_MODE && step == CREATE) {
        result = -NX_ENOMEM;
    } else if (g->job != GPU_FLUSH) {
        return virtio_fault(&g->driver->virtio, "the device refuses a command", type);
    }
    g->job = GPU_IDLE;
    return server_reply(&g->driver->servers[0], &g->request, result, NULL);
}

/* The answer to GET_DISPLAY_INFO, copied: what the host would like. */
static void take_info(struct gpu *g, const struct gpu_display_info *info)
{
    const struct gpu_rect *r = &info->scanout[0].rect;
    if (info->scanout[0].enabled == 0 || r->width == 0 || r->height == 0) {
        return;
    }
    g->resize_due = g->up && (r->width != g->host_width || r->height != g->host_height);
    g->host_width = r->width;
    g->host_height = r->height;
}

static int check_answer(struct gpu *g, uint32_t written)
{
    struct gpu_display_info info;
    const bool asked = steps[g->job][g->step] == INFO;
    if (written < sizeof(info.header)) {
        return virtio_fault(&g->driver->virtio, "an answer that is too short", written);
    }
    copy_from(&info, g->answer, sizeof(info));
    const uint32_t type = info.header.type;
    if (type >= GPU_ERROR && type <= GPU_ERROR_LAST) {
        return refused(g, type);
    }
    if (type != (asked ? GPU_OK_DISPLAY_INFO : GPU_OK_NODATA) ||
        (asked && written < sizeof(info))) {
        return virtio_fault(&g->driver->virtio, "an answer to nothing asked", type);
    }
    if (asked) {
        take_info(g, &info);
        if (g->job == GPU_START) {
            int e = choose_mode(g);
            if (e != 0) {
                return e;
            }
        }
    }
    g->step++;
    return 0;
}

/* ---- requests ---- */

static bool clip(uint32_t *at, uint32_t *len, uint32_t end)
{
    if (*at >= end || *len == 0) {
        return false;
    }
    *len = NX_MIN(*len, end - *at);
    return true;
}

static int on_flush(void *ctx, const struct nx_slot *request, const struct nexus_display_flush *ask)
{
    struct gpu *g = ctx;
    g->x = ask->x;
    g->y = ask->y;
    g->width = ask->width;
    g->height = ask->height;
    if (!clip(&g->x, &g->width, g->config.width) || !clip(&g->y, &g->height, g->config.height)) {
        return 0;
    }
    g->job = GPU_FLUSH;
    return NEXUS_LATER;
}

static int on_mode(void *ctx, const struct nx_slot *request, const struct nexus_display_mode *ask,
                   struct nexus_display_mode_answer *answer)
{
    struct gpu *g = ctx;
    if (!fits(g, ask->width, ask->height, &g->next)) {
        return -NX_EINVAL;
    }
    g->job = GPU_MODE;
    return NEXUS_LATER;
}

/* While nothing is at work: begin the next job, if there is one. */
static int begin(struct gpu *g)
{
    static const struct nexus_display_ops ops = {.flush = on_flush, .mode = on_mode};
    struct nexus_server *s = &g->driver->servers[0];
    int e = 0;
    if (g->look_due) {
        g->look_due = false;
        g->job = GPU_LOOK;
    }
    for (unsigned i = 0; i < 2 * GPU_DEPTH && e == 0 && g->job == GPU_IDLE; i++) {
        e = server_take(s, &g->request);
        if (e != 1) {
            return e;
        }
        e = nexus_display_serve(s, &g->request, &ops, g);
        e = e == NEXUS_LATER ? 0 : e;
    }
    if (g->job != GPU_IDLE) {
        g->step = 0;
        send_step(g);
    }
    return e;
}

/* The host's window changed?  The event is cleared before the device is asked, so none is missed. */
static void hear_event(struct gpu *g)
{
    struct virtio *v = &g->driver->virtio;
    const uint32_t events = virtio_config32(v, CONFIG_EVENTS_READ);
    if ((events & EVENT_DISPLAY) != 0) {
        virtio_config_write32(v, CONFIG_EVENTS_CLEAR, EVENT_DISPLAY);
        g->look_due = true;
    }
}

static int tell_size(struct gpu *g)
{
    const struct nexus_display_resize window = {.width = g->host_width, .height = g->host_height};
    int e = nexus_display_resize_tell(&g->driver->servers[0], &window);
    g->resize_due = e == -NX_EFULL;
    return e == -NX_EFULL ? 0 : e;
}

static int advance(struct gpu *g)
{
    uint32_t written;
    int slot = virtq_take(&g->queue, &written);
    if (slot < 0) {
        return slot == -NX_EEMPTY ? 0 : slot;
    }
    int e = check_answer(g, written);
    if (e == 0 && g->job != GPU_IDLE) {
        if (steps[g->job][g->step] != END) {
            send_step(g);
        } else {
            e = finish_job(g);
        }
    }
    return e;
}

int gpu_service(void *gpu, bool config)
{
    struct gpu *g = gpu;
    if (config) {
        hear_event(g);
    }
    int e = advance(g);
    if (e == 0 && g->up && g->job == GPU_IDLE) {
        e = begin(g);
    }
    if (e == 0 && g->resize_due) {
        e = tell_size(g);
    }
    virtq_kick(&g->queue);
    return e != 0 ? e : virtq_arm(&g->queue);
}
