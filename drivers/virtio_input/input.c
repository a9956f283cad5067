/* See input.h. */
#include "input.h"

#include <nx_base.h>
#include <string.h>

#define DEVICE_ID 18u
#define QUEUE_EVENT 0u
#define QUEUE_STATUS 1u

/* Configuration: the driver writes select and subsel, and the device puts size and data there. */
#define CONFIG_SELECT 0u
#define CONFIG_SUBSEL 1u
#define CONFIG_SIZE 2u
#define CONFIG_DATA 8u
#define DATA_MAX 128u
#define SELECT_NAME 1u
#define SELECT_DEVIDS 3u

#define EV_SYN 0u
#define SYN_REPORT 0u
#define SYN_DROPPED 3u
#define EVENTS_OF_MESSAGE (NX_RING_PAYLOAD / sizeof(struct nexus_input_event))

/* ---- configuration ---- */

/* Copy what the device answers to a question: its length, or -NX_EIO. */
static int ask(struct input *in, uint8_t select, uint8_t subsel, uint8_t *to)
{
    struct virtio *v = &in->driver->virtio;
    virtio_config_write8(v, CONFIG_SELECT, select);
    virtio_config_write8(v, CONFIG_SUBSEL, subsel);
    const uint8_t size = virtio_config8(v, CONFIG_SIZE);
    if (size > DATA_MAX) {
        return virtio_fault(v, "an answer longer than its field", size);
    }
    for (uint8_t i = 0; i < size; i++) {
        to[i] = virtio_config8(v, CONFIG_DATA + i);
    }
    return size;
}

static int say_hello(struct input *in)
{
    uint8_t data[DATA_MAX] = {0};
    struct nexus_input_hello c = {0};
    struct nx_slot hello = {0};
    int n = ask(in, SELECT_DEVIDS, 0, data);
    if (n < 0) {
        return n;
    }
    if (n >= 8) {
        memcpy(&c.bus, data, 2);
        memcpy(&c.vendor, data + 2, 2);
        memcpy(&c.product, data + 4, 2);
        memcpy(&c.version, data + 6, 2);
    }
    n = ask(in, SELECT_NAME, 0, data);
    if (n < 0) {
        return n;
    }
    memcpy(c.name, data, NX_MIN((size_t)n, sizeof(c.name) - 1));
    nexus_input_hello_tell(&hello, &c);
    return server_hello(&in->driver->servers[0], &hello);
}

/* ---- start ---- */

static int choose_memory(struct input *in)
{
    struct dma *dma = &in->driver->dma;
    const size_t each = sizeof(struct nexus_input_event);
    in->event = dma_alloc(dma, INPUT_DEPTH * each, 8, &in->event_phys);
    in->status = dma_alloc(dma, INPUT_STATUSES * each, 8, &in->status_phys);
    return in->event == NULL || in->status == NULL ? -NX_ENOMEM : 0;
}

static void submit_event(struct input *in, unsigned slot)
{
    const uint32_t each = sizeof(struct nexus_input_event);
    const struct virtq_seg seg = {.phys = in->event_phys + slot * each, .len = each, .write = true};
    virtq_submit(&in->events, slot, &seg, 1);
}

int input_start(struct input *in, struct driver *driver)
{
    struct virtio *v = &driver->virtio;
    *in = (struct input){.driver = driver};
    dma_reset(&driver->dma);
    int e = virtio_start(v, DEVICE_ID, 0);
    if (e == 0) {
        e = virtq_init(&in->events, v, QUEUE_EVENT, INPUT_DEPTH, 1, &driver->dma);
    }
    if (e == 0) {
        e = virtq_init(&in->statuses, v, QUEUE_STATUS, INPUT_STATUSES, 1, &driver->dma);
    }
    if (e == 0) {
        e = choose_memory(in);
    }
    if (e == 0) {
        e = virtio_ready(v);
    }
    if (e == 0) {
        e = say_hello(in);
    }
    for (unsigned i = 0; i < in->events.depth && e == 0; i++) {
        submit_event(in, (unsigned)virtq_reserve(&in->events));
    }
    if (e == 0) {
        virtq_kick(&in->events);
    }
    return e;
}

/* ---- events ---- */

static void put(struct input *in, struct nexus_input_event event)
{
    in->fifo[in->tail++ % INPUT_FIFO] = event;
}

static void end_report(struct input *in)
{
    const unsigned need = in->report_n + in->dropped;
    if (in->spoilt || need > INPUT_FIFO - (in->tail - in->head)) {
        in->dropped = true;
    } else {
        if (in->dropped) {
            put(in, (struct nexus_input_event){.type = EV_SYN, .code = SYN_DROPPED});
            in->dropped = false;
        }
        for (unsigned i = 0; i < in->report_n; i++) {
            put(in, in->report[i]);
        }
    }
    in->report_n = 0;
    in->spoilt = false;
}

static void gather(struct input *in, struct nexus_input_event event)
{
    if (in->report_n == INPUT_REPORT) {
        in->spoilt = true;
        in->report_n = 0;
    }
    in->report[in->report_n++] = event;
    if (event.type == EV_SYN && event.code == SYN_REPORT) {
        end_report(in);
    }
}

static int take_events(struct input *in)
{
    uint32_t written;
    int slot = -NX_EEMPTY;
    for (unsigned i = 0; i < INPUT_DEPTH; i++) {
        slot = virtq_take(&in->events, &written);
        if (slot < 0) {
            break;
        }
        if (written != sizeof(struct nexus_input_event)) {
            return virtio_fault(&in->driver->virtio, "half an event", written);
        }
        const volatile struct nexus_input_event *e = &in->event[slot];
        const struct nexus_input_event event = {e->type, e->code, e->value};
        gather(in, event);
        submit_event(in, (unsigned)slot);
    }
    return slot >= 0 || slot == -NX_EEMPTY ? 0 : slot;
}

/* What waits goes to the client, as far as there is room.  A message ends with its report where it can. */
static int pass_on(struct input *in)
{
    while (in->head != in->tail) {
        struct nexus_input_event list[EVENTS_OF_MESSAGE];
        uint32_t n = 0;
        bool end = false;
        while (n < EVENTS_OF_MESSAGE && in->head + n != in->tail && !end) {
            const struct nexus_input_event *e = &in->fifo[(in->head + n) % INPUT_FIFO];
            end = e->type == EV_SYN && e->code == SYN_REPORT;
            list[n++] = *e;
        }
        int e =
            nexus_input_events_tell(&in->driver->servers[0], list, n * (uint32_t)sizeof(list[0]));
        if (e != 0) {
            return e == -NX_EFULL ? 0 : e;
        }
        in->head += n;
    }
    return 0;
}

/* ---- requests ---- */

static int on_config(void *ctx, const struct nx_slot *request,
                     const struct nexus_input_config *ask_, uint8_t *buf, uint32_t len,
                     struct nexus_input_config_answer *answer)
{
    struct input *in = ctx;
    uint8_t data[DATA_MAX];
    if (ask_->select > UINT8_MAX || ask_->subselect > UINT8_MAX) {
        return -NX_EINVAL;
    }
    int n = ask(in, (uint8_t)ask_->select, (uint8_t)ask_->subselect, data);
    if (n < 0) {
        return NEXUS_LATER; /* of the next life: the device is at fault */
    }
    answer->length = NX_MIN((uint32_t)n, len);
    memcpy(buf, data, answer->length);
    return 0;
}

static int on_status(void *ctx, const struct nx_slot *request,
                     const struct nexus_input_status *told)
{
    struct input *in = ctx;
    const uint32_t each = sizeof(struct nexus_input_event);
    const unsigned slot = (unsigned)virtq_reserve(&in->statuses);
    const struct virtq_seg seg = {.phys = in->status_phys + slot * each, .len = each};
    in->request[slot] = *request;
    in->status[slot].type = (uint16_t)told->type;
    in->status[slot].code = (uint16_t)told->code;
    in->status[slot].value = told->value;
    virtq_submit(&in->statuses, slot, &seg, 1);
    return NEXUS_LATER;
}

static int begin(struct input *in)
{
    static const struct nexus_input_ops ops = {.config = on_config, .status = on_status};
    struct nexus_server *s = &in->driver->servers[0];
    for (unsigned i = 0; i < 2 * INPUT_STATUSES && virtq_room(&in->statuses); i++) {
        struct nx_slot r;
        int e = server_take(s, &r);
        if (e != 1) {
            return e;
        }
        e = nexus_input_serve(s, &r, &ops, in);
        if (e != 0 && e != NEXUS_LATER) {
            return e;
        }
        if (in->driver->virtio.fault != NULL) {
            return -NX_EIO;
        }
    }
    return 0;
}

static int finish_status(struct input *in)
{
    uint32_t written;
    int slot;
    while ((slot = virtq_take(&in->statuses, &written)) >= 0) {
        int e = server_reply(&in->driver->servers[0], &in->request[slot], 0, NULL);
        if (e != 0) {
            return e;
        }
    }
    return slot == -NX_EEMPTY ? 0 : slot;
}

int input_service(void *input, bool config)
{
    struct input *in = input;
    int e = take_events(in);
    if (e == 0) {
        e = finish_status(in);
    }
    if (e == 0) {
        e = begin(in);
    }
    if (e == 0) {
        e = pass_on(in);
    }
    virtq_kick(&in->events);
    virtq_kick(&in->statuses);
    if (e != 0) {
        return e;
    }
    const bool more = virtq_arm(&in->events);
    return virtq_arm(&in->statuses) || more;
}
