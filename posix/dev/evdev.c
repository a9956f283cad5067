/* /dev/input/event*: the devices and their events.  See evdev.h. */
#include "dev/evdev.h"

#include <asm/errno.h>
#include <stdio.h>
#include <string.h>

#include "dev/dev.h"
#include "fs/inode.h"

#define MAJOR_INPUT 13
#define MINOR_EVENT 64

/* What virtio-input's configuration space answers (virtio 1.1, 5.8.2). */
#define ASK_PROPS 0x10u
#define ASK_BITS 0x11u /* subselect: event type */
#define ASK_ABS 0x12u  /* subselect: axis */

static struct evdev *evdevs[MB_INPUTS];

struct evdev *evdev_get(unsigned index)
{
    return index < MB_INPUTS ? evdevs[index] : NULL;
}

unsigned evdev_bits_max(unsigned type)
{
    static const uint16_t max[EV_CNT] = {
        [EV_SYN] = SYN_CNT, [EV_KEY] = KEY_CNT, [EV_REL] = REL_CNT, [EV_ABS] = ABS_CNT,
        [EV_MSC] = MSC_CNT, [EV_SW] = SW_CNT,   [EV_LED] = LED_CNT, [EV_SND] = SND_CNT,
    };
    return type < EV_CNT ? max[type] : 0;
}

/* ---- events ---- */

static uint8_t *state_of(struct evdev *e, unsigned type)
{
    switch (type) {
    case EV_KEY:
        return e->key;
    case EV_LED:
        return e->led;
    case EV_SND:
        return e->snd;
    case EV_SW:
        return e->sw;
    default:
        return NULL;
    }
}

/* Does it say something the device can say, and that was not so before?  Takes note of it. */
static bool news(struct evdev *e, unsigned type, unsigned code, int32_t value)
{
    if (type == EV_SYN) {
        return code < SYN_CNT;
    }
    if (code >= evdev_bits_max(type) || !ev_bit(e->types, type) || !ev_bit(e->bits[type], code)) {
        return false;
    }
    uint8_t *state = state_of(e, type);
    if (state != NULL) {
        bool on = value != 0;
        if (type == EV_KEY && value == 2) { /* a repeat */
            return true;
        }
        if (ev_bit(state, code) == on) {
            return false;
        }
        state[code / 8] ^= (uint8_t)(1u << (code % 8));
        return true;
    }
    if (type == EV_ABS) {
        bool multi = code >= ABS_MT_SLOT; /* said of each finger: not one value */
        bool same = e->abs[code].value == value && !multi;
        e->abs[code].value = value;
        return !same;
    }
    return type != EV_REL || value != 0;
}

void evdev_event(struct evdev *e, unsigned type, unsigned code, int32_t value)
{
    if (!news(e, type, code, value)) {
        return;
    }
    for (struct ev_file *r = e->files; r != NULL; r = r->next) {
        if (e->grab == NULL || e->grab == r) {
            ev_file_push(r, type, code, value);
        }
    }
}

static void events_come(unsigned input, const struct mb_input_event *ev, unsigned n)
{
    struct evdev *e = evdev_get(input);
    for (unsigned i = 0; e != NULL && i < n; i++) {
        evdev_event(e, ev[i].type, ev[i].code, (int32_t)ev[i].value);
    }
}

/* What was held down when the driver died is let go: nobody knows any more. */
void evdev_again(unsigned index)
{
    struct evdev *e = evdev_get(index);
    bool any = false;
    for (unsigned code = 0; e != NULL && code < KEY_CNT; code++) {
        if (ev_bit(e->key, code)) {
            evdev_event(e, EV_KEY, code, 0);
            any = true;
        }
    }
    if (any) {
        evdev_event(e, EV_SYN, SYN_REPORT, 0);
    }
}

/* ---- a device comes: ask it what it can do ---- */

static struct evdev *coming[MB_INPUTS];

static void answer(unsigned input, const void *bytes, size_t n)
{
    struct evdev *e = coming[input];
    if (e == NULL) {
        return;
    }
    e->answer_len = n < sizeof(e->answer) ? n : sizeof(e->answer);
    memcpy(e->answer, bytes, e->answer_len);
    e->asking = false;
    wait_wake(&e->answered);
}

/* The answer, in e->answer: how many bytes. */
static size_t ask(struct evdev *e, unsigned select, unsigned subselect)
{
    if (mb_input_ask(e->index, (uint8_t)select, (uint8_t)subselect, answer) < 0) {
        return 0;
    }
    e->asking = true;
    while (e->asking) {
        wait_on_device(&e->answered);
    }
    return e->answer_len;
}

static void ask_axes(struct evdev *e)
{
    for (unsigned axis = 0; axis < ABS_CNT; axis++) {
        int32_t v[5] = {0};
        if (ev_bit(e->bits[EV_ABS], axis) && ask(e, ASK_ABS, axis) >= sizeof(v)) {
            memcpy(v, e->answer, sizeof(v));
            e->abs[axis] = (struct ev_abs){
                .minimum = v[0], .maximum = v[1], .fuzz = v[2], .flat = v[3], .resolution = v[4]};
        }
    }
}

static void ask_all(struct evdev *e)
{
    size_t n = ask(e, ASK_PROPS, 0);
    memcpy(e->props, e->answer, n < sizeof(e->props) ? n : sizeof(e->props));
    e->types[0] = 1u << EV_SYN;
    for (unsigned type = EV_SYN + 1; type < EV_CNT; type++) {
        /* Nobody here repeats keys, so EV_REP is not offered. */
        size_t max = (evdev_bits_max(type) + 7) / 8;
        n = max > 0 ? ask(e, ASK_BITS, type) : 0;
        if (n > 0) {
            e->types[type / 8] |= (uint8_t)(1u << (type % 8));
            memcpy(e->bits[type], e->answer, n < max ? n : max);
        }
    }
    if (ev_bit(e->types, EV_ABS)) {
        ask_axes(e);
    }
}

void evdev_attach(unsigned index)
{
    char name[24];
    struct evdev *e = mb_zalloc(sizeof(*e));
    if (e == NULL || mb_input_config(index, &e->c) < 0) {
        mb_log("input %u: not taken in", index);
        mb_free(e);
        return;
    }
    e->index = index;
    waitq_init(&e->answered);
    coming[index] = e;
    ask_all(e);
    coming[index] = NULL;
    evdevs[index] = e;
    mb_input_hook = events_come;
    snprintf(name, sizeof(name), "input/event%u", index);
    mb_log("%s: %s", name, e->c.name);
    if (devfs_register(name, S_IFCHR | 0660, MAJOR_INPUT, MINOR_EVENT + index, evdev_open) < 0) {
        mb_log("%s: no memory for its node", name);
    }
}
