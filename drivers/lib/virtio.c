/* See virtio.h. */
#include "virtio.h"

#include <nx/types.h>

#define RESET_READS 100000u /* a reset that takes longer never ends */
#define CONFIG_TRIES 64u

static uint32_t get(const struct virtio *v, uint32_t reg)
{
    return virtio_reg_read32(&v->regs, reg);
}

static void put(const struct virtio *v, uint32_t reg, uint32_t value)
{
    virtio_reg_write32(&v->regs, reg, value);
}

static void add_status(const struct virtio *v, uint32_t bits)
{
    put(v, VIRTIO_STATUS, get(v, VIRTIO_STATUS) | bits);
}

int virtio_fault(struct virtio *v, const char *what, uint64_t value)
{
    if (v->fault == NULL) {
        v->fault = what;
        v->fault_with = value;
        add_status(v, VIRTIO_STATUS_FAILED);
    }
    return -NX_EIO;
}

/* ---- start ---- */

static int reset(struct virtio *v)
{
    put(v, VIRTIO_STATUS, 0);
    for (unsigned i = 0; i < RESET_READS; i++) {
        if (get(v, VIRTIO_STATUS) == 0) {
            return 0;
        }
    }
    return virtio_fault(v, "the reset does not end", get(v, VIRTIO_STATUS));
}

static int identify(struct virtio *v, uint32_t id)
{
    if (v->regs.size < VIRTIO_CONFIG) {
        return virtio_fault(v, "the register window is too small", v->regs.size);
    }
    uint32_t magic = get(v, VIRTIO_MAGIC), version = get(v, VIRTIO_VERSION);
    if (magic != VIRTIO_MAGIC_VALUE) {
        return virtio_fault(v, "no virtio device", magic);
    }
    if (version != 2) {
        return virtio_fault(v, "not the modern register layout", version);
    }
    uint32_t found = get(v, VIRTIO_DEVICE_ID);
    return found == id ? 0 : virtio_fault(v, "another kind of device", found);
}

static uint64_t offered(const struct virtio *v)
{
    put(v, VIRTIO_DEVICE_FEATURES_SEL, 0);
    uint64_t low = get(v, VIRTIO_DEVICE_FEATURES);
    put(v, VIRTIO_DEVICE_FEATURES_SEL, 1);
    return low | (uint64_t)get(v, VIRTIO_DEVICE_FEATURES) << 32;
}

static int agree(struct virtio *v, uint64_t wanted)
{
    uint64_t has = offered(v);
    v->features = has & (wanted | VIRTIO_F_VERSION_1 | VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX);
    if (!virtio_has(v, VIRTIO_F_VERSION_1)) {
        return virtio_fault(v, "the device lacks VERSION_1", has);
    }
    put(v, VIRTIO_DRIVER_FEATURES_SEL, 0);
    put(v, VIRTIO_DRIVER_FEATURES, (uint32_t)v->features);
    put(v, VIRTIO_DRIVER_FEATURES_SEL, 1);
    put(v, VIRTIO_DRIVER_FEATURES, (uint32_t)(v->features >> 32));
    add_status(v, VIRTIO_STATUS_FEATURES_OK);
    if ((get(v, VIRTIO_STATUS) & VIRTIO_STATUS_FEATURES_OK) == 0) {
        return virtio_fault(v, "the device does not agree to features it offered", v->features);
    }
    return 0;
}

int virtio_start(struct virtio *v, uint32_t id, uint64_t wanted)
{
    int e = identify(v, id);
    if (e == 0) {
        e = reset(v);
    }
    if (e == 0) {
        add_status(v, VIRTIO_STATUS_ACKNOWLEDGE);
        add_status(v, VIRTIO_STATUS_DRIVER);
        e = agree(v, wanted);
    }
    return e;
}

int virtio_ready(struct virtio *v)
{
    add_status(v, VIRTIO_STATUS_DRIVER_OK);
    return virtio_alive(v);
}

/* ---- at work ---- */

uint32_t virtio_interrupt(struct virtio *v)
{
    uint32_t why = get(v, VIRTIO_INTERRUPT_STATUS);
    if (why != 0) {
        put(v, VIRTIO_INTERRUPT_ACK, why);
    }
    return why;
}

int virtio_alive(struct virtio *v)
{
    uint32_t status = get(v, VIRTIO_STATUS);
    const uint32_t good = VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER |
                          VIRTIO_STATUS_FEATURES_OK | VIRTIO_STATUS_DRIVER_OK;
    return status == good ? 0 : virtio_fault(v, "the device gave up", status);
}

/* ---- configuration ---- */

static bool in_window(const struct virtio *v, uint32_t offset, uint32_t size)
{
    return v->regs.size >= VIRTIO_CONFIG + size && offset <= v->regs.size - VIRTIO_CONFIG - size;
}

uint8_t virtio_config8(const struct virtio *v, uint32_t offset)
{
    return in_window(v, offset, 1) ? virtio_reg_read8(&v->regs, VIRTIO_CONFIG + offset) : 0;
}

uint16_t virtio_config16(const struct virtio *v, uint32_t offset)
{
    return in_window(v, offset, 2) ? virtio_reg_read16(&v->regs, VIRTIO_CONFIG + offset) : 0;
}

uint32_t virtio_config32(const struct virtio *v, uint32_t offset)
{
    return in_window(v, offset, 4) ? virtio_reg_read32(&v->regs, VIRTIO_CONFIG + offset) : 0;
}

uint64_t virtio_config64(const struct virtio *v, uint32_t offset)
{
    uint64_t low = virtio_config32(v, offset);
    return low | (uint64_t)virtio_config32(v, offset + 4) << 32;
}

void virtio_config_write8(const struct virtio *v, uint32_t offset, uint8_t value)
{
    if (in_window(v, offset, 1)) {
        virtio_reg_write8(&v->regs, VIRTIO_CONFIG + offset, value);
    }
}

void virtio_config_write32(const struct virtio *v, uint32_t offset, uint32_t value)
{
    if (in_window(v, offset, 4)) {
        virtio_reg_write32(&v->regs, VIRTIO_CONFIG + offset, value);
    }
}

int virtio_config_read(struct virtio *v, void (*read)(const struct virtio *v, void *to), void *to)
{
    for (unsigned i = 0; i < CONFIG_TRIES; i++) {
        uint32_t before = get(v, VIRTIO_CONFIG_GENERATION);
        read(v, to);
        if (get(v, VIRTIO_CONFIG_GENERATION) == before) {
            return 0;
        }
    }
    return virtio_fault(v, "the configuration never holds still", CONFIG_TRIES);
}
