/* Devices, as the personality sees them: what drivers in other cells do for it, without their rings.
 *
 * Every device is behind a session (nexus/session.h): its driver may die and come again, and what was
 * asked of it is then answered later.  A device is there from the moment its driver first says HELLO;
 * until then every call here about it answers -ENODEV (or NULL, 0).  It never goes away again.
 * All functions want the personality lock [lock] and none blocks, but where it is said; the hooks and the done
 * functions are called with it held, on the main fiber.  Errors are negated Linux errno codes.
 */
#ifndef MB_DEVICES_H
#define MB_DEVICES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum mb_device { MB_DEV_BLOCK, MB_DEV_ENTROPY, MB_DEV_DISPLAY, MB_DEV_INPUT, MB_DEV_KINDS };
#define MB_BLOCKS 4u
#define MB_INPUTS 4u

/* Set by posix/ before the main fiber serves: device `index` of that kind is there; again: its driver
 * was restarted, what had been asked of it is being asked again. */
extern void (*mb_device_hook)(enum mb_device kind, unsigned index, bool again);
/* How many devices the machine has whose driver has not said HELLO yet. */
unsigned mb_devices_pending(void);

/* ---- disks ---- */
struct mb_block_config {
    uint64_t sectors;     /* of 512 bytes */
    uint32_t block_size;  /* what the device likes best, a multiple of 512 */
    uint32_t max_request; /* bytes of one READ or WRITE at most */
    bool readonly;
    bool cached; /* writes are safe against loss of power only after a FLUSH */
};
int mb_block_config(unsigned disk, struct mb_block_config *out);
/* The memory requests read into and write from: shared with the driver, page aligned, divided by the
 * caller as it likes.  It is the driver's from submit to done; the driver may change it any time, so
 * what is read from it is checked after it was copied. */
uint8_t *mb_block_pool(unsigned disk, size_t *size);

enum mb_block_op { MB_BLOCK_READ, MB_BLOCK_WRITE, MB_BLOCK_FLUSH };
struct mb_block_request {
    enum mb_block_op op;
    uint32_t off, len; /* in the pool, multiples of 512 */
    uint64_t sector;
    /* err: 0, or a negated errno.  The request is the caller's again. */
    void (*done)(struct mb_block_request *r, int err);
};
#define MB_BLOCK_REQUESTS 64u /* of one disk at a time */
/* 0; -EAGAIN: too many at a time.  It stays valid until done. */
int mb_block_submit(unsigned disk, struct mb_block_request *r);

/* ---- the hardware's random numbers ---- */
#define MB_ENTROPY_MAX 256u
/* Ask for up to n bytes: done gets them (n 0: none, err says why).  One request at a time: -EBUSY. */
int mb_entropy_ask(size_t n, void (*done)(const void *bytes, size_t n, int err));

/* ---- the screen ---- */
struct mb_display {
    uint32_t width,
        height;      /* pixels of 32 bits: blue, green, red, unused, in this order in memory */
    uint32_t stride; /* bytes a line */
    uint8_t *pixels; /* page aligned; may be mapped into programs */
    size_t size;     /* bytes there are behind pixels */
};
int mb_display_config(struct mb_display *out);
/* Show what changed.  Calls before the last flush is through are joined into one rectangle. */
void mb_display_flush(uint32_t x, uint32_t y, uint32_t width, uint32_t height);
/* Another size: done when the driver has answered; then mb_display_config says the new one.  One at a
 * time: -EBUSY. */
int mb_display_mode(uint32_t width, uint32_t height, void (*done)(int err));

/* ---- input ---- */
struct mb_input_config {
    uint16_t bus, vendor, product, version;
    char name[41];
};
struct mb_input_event { /* numbers are Linux' */
    uint16_t type, code;
    uint32_t value;
};
int mb_input_config(unsigned input, struct mb_input_config *out);
/* Ask virtio-input's configuration space for (select, subselect): done gets the answer, n 0: there is
 * none.  One at a time for each input device: -EBUSY. */
#define MB_INPUT_ANSWER_MAX 128u
int mb_input_ask(unsigned input, uint8_t select, uint8_t subselect,
                 void (*done)(unsigned input, const void *answer, size_t n));
/* Lamps and the like; lost when many are under way. */
void mb_input_status(unsigned input, const struct mb_input_event *e);
/* Set by posix/: events as they come, in order. */
extern void (*mb_input_hook)(unsigned input, const struct mb_input_event *e, unsigned n);

/* ---- the second terminal (virtio-console) ---- */
bool mb_hvc_present(void);
size_t mb_hvc_write(const void *buf, size_t n); /* as mb_console_write */
extern void (*mb_hvc_input_hook)(const void *buf, size_t n);
extern void (*mb_hvc_writable_hook)(void);

#endif
