/* Reading the flattened device tree (libfdt does the parsing).  See machine.h. */
#include "machine.h"

#include "log.h"

#include <libfdt.h>
#include <nx_base.h>
#include <string.h>

struct machine machine = {.obj = {.type = NX_T_MACHINE, .refs = 1}};

/* The big-endian number in `cells` 32-bit cells at p. */
static uint64_t number(const fdt32_t *p, int cells)
{
    uint64_t v = 0;
    for (int i = 0; i < cells; i++) {
        v = v << 32 | fdt32_to_cpu(p[i]);
    }
    return v;
}

static bool get_reg(const void *fdt, int node, uint64_t *base, uint64_t *size)
{
    int parent = fdt_parent_offset(fdt, node), len = 0;
    int ac = parent >= 0 ? fdt_address_cells(fdt, parent) : -1;
    int sc = parent >= 0 ? fdt_size_cells(fdt, parent) : -1;
    const fdt32_t *reg = fdt_getprop(fdt, node, "reg", &len);
    if (ac < 1 || ac > 2 || sc < 0 || sc > 2 || reg == NULL || len < (ac + sc) * 4) {
        return false;
    }
    *base = number(reg, ac);
    *size = number(reg + ac, sc);
    return true;
}

static bool get_number(const void *fdt, int node, const char *name, uint64_t *out)
{
    int len = 0;
    const fdt32_t *p = fdt_getprop(fdt, node, name, &len);
    if (p == NULL || (len != 4 && len != 8)) {
        return false;
    }
    *out = number(p, len / 4);
    return true;
}

static bool node_is(const void *fdt, int node, const char *prop, const char *value)
{
    int len = 0;
    const char *p = fdt_getprop(fdt, node, prop, &len);
    return p != NULL && fdt_stringlist_contains(p, len, value) != 0;
}

static void read_memory(const void *fdt)
{
    int node = -1;
    while ((node = fdt_node_offset_by_prop_value(fdt, node, "device_type", "memory", 7)) >= 0) {
        uint64_t base, size, end;
        if (get_reg(fdt, node, &base, &size) && size >= 2 * NX_PAGE_SIZE &&
            !nx_add_overflow(base, size, &end) && size > machine.memory_end - machine.memory_base) {
            machine.memory_base = ALIGN_UP(base, NX_PAGE_SIZE);
            machine.memory_end = ALIGN_DOWN(end, NX_PAGE_SIZE);
        }
    }
    if (machine.memory_end == 0) {
        boot_stop("the device tree names no memory");
    }
}

static void reserve(uint64_t base, uint64_t size)
{
    uint64_t end;
    if (size == 0) {
        return;
    }
    if (machine.reserved_count == RESERVED_MAX) {
        boot_stop("the device tree reserves more than %u ranges of memory", RESERVED_MAX);
    }
    if (nx_add_overflow(base, size, &end) || end > -(uint64_t)NX_PAGE_SIZE) {
        end = -(uint64_t)NX_PAGE_SIZE;
    }
    machine.reserved[machine.reserved_count++] =
        (struct memory_range){ALIGN_DOWN(base, NX_PAGE_SIZE), ALIGN_UP(end, NX_PAGE_SIZE)};
}

/* What firmware and others keep for themselves: the block for it in the tree's head, and its nodes. */
static void read_reserved(const void *fdt)
{
    uint64_t base, size;
    for (int i = 0; i < fdt_num_mem_rsv(fdt) && fdt_get_mem_rsv(fdt, i, &base, &size) == 0; i++) {
        reserve(base, size);
    }
    int parent = fdt_path_offset(fdt, "/reserved-memory");
    int ac = parent >= 0 ? fdt_address_cells(fdt, parent) : -1;
    int sc = parent >= 0 ? fdt_size_cells(fdt, parent) : -1;
    if (ac < 1 || ac > 2 || sc < 1 || sc > 2) {
        return;
    }
    for (int node = fdt_first_subnode(fdt, parent); node >= 0; node = fdt_next_subnode(fdt, node)) {
        int len = 0;
        const fdt32_t *reg = fdt_getprop(fdt, node, "reg", &len);
        for (; reg != NULL && len >= (ac + sc) * 4; len -= (ac + sc) * 4, reg += ac + sc) {
            reserve(number(reg, ac), number(reg + ac, sc));
        }
    }
}

/* The instruction set string has the extension as a name of its own. */
static bool has_extension(const char *isa, int len, const char *ext)
{
    size_t n = strlen(ext);
    for (int i = 0; isa != NULL && i + (int)n < len; i++) {
        if (isa[i] == '_' && strncmp(isa + i + 1, ext, n) == 0 &&
            (isa[i + 1 + n] == '_' || isa[i + 1 + n] == 0)) {
            return true;
        }
    }
    return false;
}

static void read_harts(const void *fdt, uint32_t boot_hwid)
{
    int cpus = fdt_path_offset(fdt, "/cpus");
    if (cpus < 0 || !get_number(fdt, cpus, "timebase-frequency", &machine.timebase) ||
        machine.timebase == 0) {
        boot_stop("the device tree names no timebase-frequency");
    }
    harts[0].hwid = boot_hwid;
    hart_count = 1;
    bool found = false;
    for (int node = fdt_first_subnode(fdt, cpus); node >= 0; node = fdt_next_subnode(fdt, node)) {
        uint64_t id, size;
        int len = 0;
        if (!node_is(fdt, node, "device_type", "cpu") || !get_reg(fdt, node, &id, &size) ||
            node_is(fdt, node, "status", "disabled")) {
            continue;
        }
        const char *isa = fdt_getprop(fdt, node, "riscv,isa", &len);
        if (!has_extension(isa, len, "sstc")) {
            boot_stop("hart %u has no Sstc extension (supervisor timer compare)", (unsigned)id);
        }
        if (id == boot_hwid) {
            found = true;
        } else if (hart_count < HARTS_MAX) {
            harts[hart_count++].hwid = (uint32_t)id;
        }
    }
    if (!found) {
        boot_stop("the device tree does not know hart %u, which runs", boot_hwid);
    }
}

static void read_chosen(const void *fdt)
{
    int node = fdt_path_offset(fdt, "/chosen");
    if (node < 0 || !get_number(fdt, node, "linux,initrd-start", &machine.initrd_base) ||
        !get_number(fdt, node, "linux,initrd-end", &machine.initrd_end) ||
        machine.initrd_base % NX_PAGE_SIZE != 0 || machine.initrd_end <= machine.initrd_base ||
        machine.initrd_base < machine.memory_base || machine.initrd_end > machine.memory_end) {
        boot_stop("no boot bundle (initial ramdisk) was loaded");
    }
    int len = 0;
    const char *args = fdt_getprop(fdt, node, "bootargs", &len);
    if (args != NULL && len > 0) {
        strlcpy(machine.bootargs, args, NX_MIN(sizeof(machine.bootargs), (size_t)len));
    }
}

/* Which PLIC context is the supervisor-external interrupt of each hart. */
static void read_plic(const void *fdt)
{
    int node = fdt_node_offset_by_compatible(fdt, -1, "riscv,plic0");
    uint64_t irqs = 0;
    int len = 0;
    if (node < 0 || !get_reg(fdt, node, &machine.plic_base, &machine.plic_size) ||
        !get_number(fdt, node, "riscv,ndev", &irqs)) {
        boot_stop("the device tree names no PLIC");
    }
    machine.plic_irqs = (uint32_t)irqs;
    const fdt32_t *ext = fdt_getprop(fdt, node, "interrupts-extended", &len);
    for (int i = 0; ext != NULL && i < len / 8; i++) {
        int intc = fdt_node_offset_by_phandle(fdt, fdt32_to_cpu(ext[2 * i]));
        uint64_t id, size;
        if (fdt32_to_cpu(ext[2 * i + 1]) != 9 || intc < 0 ||
            !get_reg(fdt, fdt_parent_offset(fdt, intc), &id, &size)) {
            continue;
        }
        for (unsigned h = 0; h < hart_count; h++) {
            if (harts[h].hwid == id) {
                harts[h].irq_context = (uint32_t)i;
            }
        }
    }
}

void machine_read(uint64_t fdt_pa, uint32_t boot_hwid)
{
    const void *fdt = arch_phys(fdt_pa);
    if (fdt_pa == 0 || fdt_pa % 8 != 0 || fdt_check_header(fdt) != 0) {
        boot_stop("the device tree is damaged");
    }
    machine.fdt_base = fdt_pa;
    machine.fdt_size = fdt_totalsize(fdt);
    if (machine.fdt_size > 1u << 20 || fdt_check_full(fdt, machine.fdt_size) != 0) {
        boot_stop("the device tree is damaged");
    }
    read_memory(fdt);
    read_reserved(fdt);
    read_harts(fdt, boot_hwid);
    read_chosen(fdt);
    read_plic(fdt);
}

bool machine_is_device(uint64_t base, uint64_t len)
{
    uint64_t end;
    return !nx_add_overflow(base, len, &end) && end <= 1ul << 38 &&
           (end <= machine.memory_base || base >= machine.memory_end) &&
           (end <= machine.plic_base || base >= machine.plic_base + machine.plic_size);
}
