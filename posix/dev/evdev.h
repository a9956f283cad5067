/* Input devices inside: what evdev.c (devices, events) and evdev_file.c (open files) share.
 *
 *   driver --mb_input_hook--> [ filter: what the device can do, what is new ] --> [ queue of each reader ]
 *
 * A report is what lies between two SYN_REPORTs.  Readers see whole reports only.  A reader that does not
 * keep up loses all it has not read but the newest event, and is told by SYN_DROPPED, as on Linux.
 */
#ifndef POSIX_DEV_EVDEV_H
#define POSIX_DEV_EVDEV_H

#include <devices.h>
#include <linux/input-event-codes.h>

#include "vfs.h"

#define EVDEV_QUEUE 128u /* events a reader may be behind; a power of two */
#define EVDEV_BITS (KEY_CNT / 8)

struct ev_record { /* struct input_event of 64-bit Linux */
    int64_t sec, usec;
    uint16_t type, code;
    int32_t value;
};
_Static_assert(sizeof(struct ev_record) == 24, "struct input_event layout");

struct ev_abs { /* struct input_absinfo */
    int32_t value, minimum, maximum, fuzz, flat, resolution;
};

struct ev_file {
    struct evdev *dev;
    struct ev_file *next; /* of the device */
    struct waitq readers;
    uint32_t clock;              /* CLOCK_* of the time stamps */
    uint32_t tail, packet, head; /* free-running; whole reports lie between tail and packet */
    struct ev_record queue[EVDEV_QUEUE];
};

struct evdev {
    unsigned index;
    struct mb_input_config c;
    struct ev_file *files, *grab;
    uint8_t types[8]; /* what it can do */
    uint8_t props[8];
    uint8_t bits[EV_CNT][EVDEV_BITS];
    uint8_t key[EVDEV_BITS], led[8], snd[8], sw[8]; /* what is on */
    struct ev_abs abs[ABS_CNT];
    /* being taken in: */
    struct waitq answered;
    bool asking;
    size_t answer_len;
    uint8_t answer[MB_INPUT_ANSWER_MAX];
};

static inline bool ev_bit(const uint8_t *bits, unsigned i)
{
    return bits[i / 8] >> (i % 8) & 1;
}

/* ---- evdev.c ---- */
struct evdev *evdev_get(unsigned index); /* NULL: not there */
unsigned evdev_bits_max(unsigned type);  /* codes of a type; 0: an unknown one */
/* An event from the device (or a program that writes one): to who shall have it. */
void evdev_event(struct evdev *e, unsigned type, unsigned code, int32_t value);

/* ---- evdev_file.c ---- */
void ev_file_push(struct ev_file *r, unsigned type, unsigned code, int32_t value);
int evdev_open(struct file *f);

#endif
