/* Keyboards, tablets, mice: interface "input.N" (nexus/input.h). */
#include "devices.h"

#include <nx_base.h>

#include <nexus/input.h>
#include <string.h>

#define STATUS_MAX 8u /* under way at a time */

/* NOLINTBEGIN(clang-analyzer-optin.performance.Padding): by subject; requests are whole cache lines */
struct input_dev {
    struct nexus_request ask, status[STATUS_MAX];
    void (*asked)(unsigned input, const void *answer, size_t n); /* NULL: nothing was */
    struct device d;
    struct nexus_input_hello config;
    bool status_used[STATUS_MAX];
};
/* NOLINTEND(clang-analyzer-optin.performance.Padding) */

static struct input_dev *inputs[MB_INPUTS];
void (*mb_input_hook)(unsigned input, const struct mb_input_event *e, unsigned n);

static bool hello(struct device *d, const struct nx_slot *slot)
{
    nexus_input_hello_told(slot, &container_of(d, struct input_dev, d)->config);
    return d->client.pool != NULL && d->client.pool_size >= MB_INPUT_ANSWER_MAX;
}

static void event(struct nexus_client *c, const struct nx_slot *slot)
{
    const struct device *d = (const struct device *)c;
    struct nexus_input_event e[NX_RING_PAYLOAD / sizeof(struct nexus_input_event)];
    struct mb_input_event out[NX_RING_PAYLOAD / sizeof(struct nexus_input_event)];
    const unsigned n = nexus_input_events_told(slot) / (unsigned)sizeof(e[0]);
    if (n == 0 || !mb_input_hook) {
        return;
    }
    memcpy(e, slot->payload, n * sizeof(e[0]));
    for (unsigned i = 0; i < n; i++) {
        out[i] = (struct mb_input_event){e[i].type, e[i].code, e[i].value};
    }
    mb_input_hook(d->index, out, n);
}

static struct input_dev *input_there(unsigned input)
{
    return input < MB_INPUTS && inputs[input] != NULL && inputs[input]->d.there ? inputs[input]
                                                                                : NULL;
}

int mb_input_config(unsigned input, struct mb_input_config *out)
{
    const struct input_dev *in = input_there(input);
    if (in == NULL) {
        return -ENODEV;
    }
    *out = (struct mb_input_config){.bus = in->config.bus,
                                    .vendor = in->config.vendor,
                                    .product = in->config.product,
                                    .version = in->config.version};
    memcpy(out->name, in->config.name, sizeof(in->config.name));
    return 0;
}

static struct input_dev *input_of(struct nexus_request *r)
{
    for (unsigned i = 0; i < MB_INPUTS; i++) {
        if (inputs[i] != NULL && (uintptr_t)r - (uintptr_t)inputs[i] < sizeof(struct input_dev)) {
            return inputs[i];
        }
    }
    return NULL;
}

static void answered(struct nexus_request *r, int result, const struct nx_slot *reply)
{
    struct input_dev *in = input_of(r);
    void (*asked)(unsigned input, const void *answer, size_t n) = in->asked;
    uint8_t answer[MB_INPUT_ANSWER_MAX];
    struct nexus_input_config_answer said;
    nexus_input_config_answered(reply, &said);
    const uint32_t n =
        result == 0 && reply != NULL && said.length <= r->slot.buf_len ? said.length : 0;
    memcpy(answer, in->d.client.pool, n);
    in->asked = NULL;
    asked(in->d.index, answer, n);
}

int mb_input_ask(unsigned input, uint8_t select, uint8_t subselect,
                 void (*done)(unsigned input, const void *answer, size_t n))
{
    struct input_dev *in = input_there(input);
    if (in == NULL) {
        return -ENODEV;
    }
    if (in->asked != NULL) {
        return -EBUSY;
    }
    const struct nexus_input_config ask = {.select = select, .subselect = subselect};
    nexus_input_config_request(&in->ask, &ask, 0, MB_INPUT_ANSWER_MAX);
    in->ask.done = answered;
    in->asked = done;
    int err = driver_ask(&in->d, &in->ask, NEXUS_PATIENCE);
    if (err < 0) {
        in->asked = NULL;
    }
    return err;
}

static void status_done(struct nexus_request *r, int result, const struct nx_slot *reply)
{
    struct input_dev *in = input_of(r);
    in->status_used[r - in->status] = false;
}

void mb_input_status(unsigned input, const struct mb_input_event *e)
{
    struct input_dev *in = input_there(input);
    for (unsigned i = 0; in != NULL && i < STATUS_MAX; i++) {
        struct nexus_request *r = &in->status[i];
        if (in->status_used[i]) {
            continue;
        }
        const struct nexus_input_status ask = {e->type, e->code, e->value};
        nexus_input_status_request(r, &ask);
        r->done = status_done;
        in->status_used[i] = driver_ask(&in->d, r, NEXUS_PATIENCE_NONE) == 0;
        return;
    }
}

void input_init(void)
{
    for (unsigned i = 0; i < MB_INPUTS; i++) {
        inputs[i] = driver_open(MB_SLOT_INPUT + 3 * i, sizeof(struct input_dev),
                                offsetof(struct input_dev, d), MB_DEV_INPUT, i, hello, event);
    }
}
