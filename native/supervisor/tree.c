/* See tree.h.  libfdt checks the structure; what a property holds is checked here. */
#include "tree.h"

#include <libfdt.h>
#include <string.h>

static uint64_t number(const fdt32_t *cell, int cells)
{
    uint64_t v = 0;
    for (int i = 0; i < cells; i++) {
        v = v << 32 | fdt32_to_cpu(cell[i]);
    }
    return v;
}

static uint32_t word(const void *fdt, int node, const char *name, uint32_t otherwise)
{
    int len;
    const fdt32_t *p = fdt_getprop(fdt, node, name, &len);
    return p != NULL && len >= 4 ? fdt32_to_cpu(*p) : otherwise;
}

static bool enabled(const void *fdt, int node)
{
    int len;
    const char *status = fdt_getprop(fdt, node, "status", &len);
    return status == NULL || strncmp(status, "ok", 2) == 0;
}

/* No bus on the way to the root changes addresses: each has an empty `ranges`. */
static bool directly_reached(const void *fdt, int node)
{
    int len, bus = fdt_parent_offset(fdt, node);
    for (; bus > 0; bus = fdt_parent_offset(fdt, bus)) {
        if (fdt_getprop(fdt, bus, "ranges", &len) == NULL || len != 0) {
            return false;
        }
    }
    return bus == 0;
}

static bool registers(const void *fdt, int node, struct tree_device *out)
{
    int len, bus = fdt_parent_offset(fdt, node);
    if (bus < 0) {
        return false;
    }
    int ac = fdt_address_cells(fdt, bus), sc = fdt_size_cells(fdt, bus);
    const fdt32_t *reg = fdt_getprop(fdt, node, "reg", &len);
    if (reg == NULL || ac < 1 || ac > 2 || sc < 1 || sc > 2 || len < (ac + sc) * 4) {
        return false;
    }
    out->base = number(reg, ac);
    out->size = number(reg + ac, sc);
    return out->size > 0 && out->base + out->size > out->base;
}

bool tree_next(const void *fdt, const char *what, int *at, struct tree_device *out)
{
    while ((*at = fdt_node_offset_by_compatible(fdt, *at, what)) >= 0) {
        if (!enabled(fdt, *at) || !directly_reached(fdt, *at) || !registers(fdt, *at, out)) {
            continue;
        }
        out->irq = word(fdt, *at, "interrupts", 0);
        out->shift = word(fdt, *at, "reg-shift", 0);
        out->width = word(fdt, *at, "reg-io-width", 1);
        return true;
    }
    return false;
}

bool tree_device(const void *fdt, const char *what, struct tree_device *out)
{
    int at = -1;
    return tree_next(fdt, what, &at, out);
}
