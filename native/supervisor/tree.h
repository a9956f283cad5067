/* Devices in the flattened device tree. */
#ifndef SUPERVISOR_TREE_H
#define SUPERVISOR_TREE_H

#include <stdbool.h>
#include <stdint.h>

struct tree_device {
    uint64_t base, size; /* registers, as the bus of the processors sees them */
    uint32_t irq;        /* 0: none */
    uint32_t shift;      /* reg-shift */
    uint32_t width;      /* reg-io-width, 1 when not told */
};

/* The first enabled device that is compatible with `what` and whose registers the processors reach at
 * the addresses its `reg` tells.  False when there is none. */
bool tree_device(const void *fdt, const char *what, struct tree_device *out);

/* All of them, one after the other: *at is -1 at first. */
bool tree_next(const void *fdt, const char *what, int *at, struct tree_device *out);

#endif
