/* Boot: memory, harts, the boot bundle, the supervisor cell.  See boot.h. */
#include "boot.h"

#include "cell.h"
#include "fiber.h"
#include "log.h"
#include "machine.h"
#include "mem.h"
#include "page.h"
#include "sched.h"
#include "watchdog.h"

#include <nx/bundle.h>
#include <nx_base.h>
#include <nx_crc32.h>
#include <string.h>

#define MEMORY_MIN (16ul << 20)

/* Give all memory to the allocator but the ranges in `keep` (not sorted, may overlap). */
static void give_memory(const struct memory_range *keep, unsigned n)
{
    uint64_t at = machine.memory_base;
    while (at < machine.memory_end) {
        uint64_t stop = machine.memory_end, skip = stop;
        bool inside = false;
        for (unsigned i = 0; i < n; i++) {
            if (at >= keep[i].base && at < keep[i].end) {
                inside = true;
                skip = keep[i].end;
                break;
            }
            if (keep[i].base > at && keep[i].base < stop) {
                stop = keep[i].base;
            }
        }
        if (!inside) {
            page_give(at, stop);
        }
        at = inside ? ALIGN_UP(skip, NX_PAGE_SIZE) : stop;
    }
}

/* The firmware sits below the nucleus' image.  It has all that is there, unless it says in the tree where it
 * ends, with a range that it reserves at the beginning of memory. */
static uint64_t firmware_end(uint64_t image_base)
{
    for (unsigned i = 0; i < machine.reserved_count; i++) {
        const struct memory_range *r = &machine.reserved[i];
        if (r->base == machine.memory_base && r->end <= image_base) {
            return r->end;
        }
    }
    return image_base;
}

static void init_memory(uint64_t image_base, uint64_t image_end)
{
    uint64_t size = machine.memory_end - machine.memory_base;
    if (size < MEMORY_MIN) {
        boot_stop("%lu KiB of memory are too little, %lu MiB are needed", size >> 10,
                  MEMORY_MIN >> 20);
    }
    uint64_t table = page_frames_size(machine.memory_base, machine.memory_end);
    uint64_t table_base = ALIGN_UP(image_end, NX_PAGE_SIZE);
    uint64_t initrd_end = ALIGN_UP(machine.initrd_end, NX_PAGE_SIZE);
    uint64_t fdt_end = machine.fdt_base + machine.fdt_size;
    if (table_base + table > machine.memory_end ||
        (table_base < initrd_end && table_base + table > machine.initrd_base) ||
        (table_base < fdt_end && table_base + table > machine.fdt_base)) {
        boot_stop("memory is too little for the boot bundle");
    }
    page_init(machine.memory_base, machine.memory_end, arch_phys(table_base));
    struct memory_range keep[4 + RESERVED_MAX] = {
        {machine.memory_base, firmware_end(image_base)},
        {image_base, table_base + table},
        {machine.initrd_base, initrd_end},
        {ALIGN_DOWN(machine.fdt_base, NX_PAGE_SIZE), ALIGN_UP(fdt_end, NX_PAGE_SIZE)},
    };
    memcpy(&keep[4], machine.reserved, sizeof(machine.reserved));
    give_memory(keep, 4 + machine.reserved_count);
    nucleus_quota = quota_make(~0ul, ~0u, ~0u);
    /* The bundle's memory object holds these references: so programs can map archive pages. */
    page_keep(nucleus_quota, machine.initrd_base, initrd_end);
    machine.obj.quota = nucleus_quota;
}

static const struct nx_bundle_entry *check_bundle(const char *want)
{
    const struct nx_bundle_head *head = arch_phys(machine.initrd_base);
    uint64_t room = machine.initrd_end - machine.initrd_base;
    if (room < sizeof(*head) || head->magic != NX_BUNDLE_MAGIC || head->version != 1 ||
        head->size > room || head->size < sizeof(*head) ||
        head->count > (head->size - sizeof(*head)) / sizeof(struct nx_bundle_entry)) {
        boot_stop("the boot bundle is damaged: its head is not one");
    }
    struct nx_bundle_head summed = *head;
    summed.crc = 0;
    uint32_t crc = nx_crc32(0, &summed, sizeof(summed));
    if (nx_crc32(crc, head + 1, head->size - sizeof(*head)) != head->crc) {
        boot_stop("the boot bundle is damaged: its checksum does not match");
    }
    const struct nx_bundle_entry *e = (const struct nx_bundle_entry *)(head + 1);
    for (uint32_t i = 0; i < head->count; i++) {
        if (e[i].kind == NX_BUNDLE_CELL && strncmp(e[i].name, want, sizeof(e[i].name)) == 0 &&
            nx_in_bounds(e[i].offset, e[i].size, head->size)) {
            return &e[i];
        }
    }
    boot_stop("the boot bundle has no cell '%s'", want);
}

static void must(int err, const char *what)
{
    if (err != 0) {
        boot_stop("%s (error %d)", what, -err);
    }
}

/* What the supervisor is made of, in every life. */
static struct mem *bundle_mem, *tree_mem;
static struct nx_bundle_entry supervisor_part;

static int fill_supervisor(struct cell *c)
{
    const uint32_t ro = NX_R_READ | NX_R_EXEC | NX_R_GRANT;
    int e = cap_put(c, BOOT_SLOT_BUNDLE, &bundle_mem->obj, ro);
    if (e == 0) {
        e = cap_put(c, BOOT_SLOT_FDT, &tree_mem->obj, NX_R_READ);
    }
    if (e == 0) {
        e = cap_put(c, BOOT_SLOT_MACHINE, &machine.obj, NX_R_ALL);
    }
    return e != 0 ? e : cell_start(c, machine.fdt_base % NX_PAGE_SIZE);
}

int boot_supervisor(uint32_t generation, const char **what)
{
    const struct nx_bundle_entry *e = &supervisor_part;
    struct nx_manifest man;
    int err;
    *what = "the supervisor's image in memory is damaged";
    /* At boot the checksum of the whole bundle was looked at. */
    if (generation > 1 &&
        nx_crc32(0, (const char *)arch_phys(machine.initrd_base) + e->offset, e->size) != e->crc) {
        return -NX_EIO;
    }
    *what = "the supervisor's manifest is malformed";
    err = image_manifest(bundle_mem, e->offset, e->size, &man);
    if (err != 0) {
        return err;
    }
    *what = "no memory for the supervisor";
    struct cell *c = cell_make(&man, generation, &err);
    if (c == NULL) {
        return err;
    }
    *what = "the supervisor's image is malformed";
    err = image_load(c, bundle_mem, e->offset, e->size, NULL);
    if (err == 0) {
        *what = "the supervisor does not start";
        err = fill_supervisor(c);
    }
    if (err != 0) {
        object_unref(&c->obj);
        return err;
    }
    supervisor = c;
    return 0;
}

/* The first cell: from the bundle, with the capabilities to make everything else. */
static void start_supervisor(void)
{
    supervisor_part = *check_bundle("supervisor");
    uint64_t bundle_pages = ALIGN_UP(machine.initrd_end, NX_PAGE_SIZE) - machine.initrd_base;
    bundle_mem =
        mem_make_fixed(nucleus_quota, NX_T_MEM, machine.initrd_base, bundle_pages / NX_PAGE_SIZE);
    uint64_t fdt_base = ALIGN_DOWN(machine.fdt_base, NX_PAGE_SIZE);
    uint64_t fdt_end = ALIGN_UP(machine.fdt_base + machine.fdt_size, NX_PAGE_SIZE);
    tree_mem =
        mem_make_fixed(nucleus_quota, NX_T_MEM, fdt_base, (fdt_end - fdt_base) / NX_PAGE_SIZE);
    if (bundle_mem == NULL || tree_mem == NULL) {
        boot_stop("out of memory");
    }
    const char *what;
    int err = boot_supervisor(1, &what);
    must(err, what);
    watchdog_start();
}

_Noreturn void boot_main(uint32_t hwid, uint64_t fdt, uint64_t image_base, uint64_t image_end,
                         uint64_t root_table)
{
    log_print("the nucleus is entered");
    for (unsigned i = 0; i < HARTS_MAX; i++) {
        harts[i].index = i;
        harts[i].bit = 1ul << i;
        sched_init_hart(&harts[i]);
    }
    machine_read(fdt, hwid);
    log_to_console = strstr(machine.bootargs, "nexus.log=console") != NULL;
    init_memory(image_base, image_end);
    sched_set_timebase(machine.timebase);
    space_init(root_table);
    machine.systable_page[0] = arch_systable_page(false);
    machine.systable_page[1] = arch_systable_page(true);
    must(arch_irq_init(), "the interrupt controller is unusable");
    console_print("\nnexus: %u hart%s, %lu MiB\n", hart_count, hart_count == 1 ? "" : "s",
                  (machine.memory_end - machine.memory_base) >> 20);
    lock();
    start_supervisor();
    unlock();
    for (unsigned i = 1; i < hart_count; i++) {
        if (arch_hart_start(i) != 0) {
            console_print("nexus: hart %u does not start\n", harts[i].hwid);
        }
    }
    console_print("nexus: console handed over\n");
    sched_enter();
}

_Noreturn void boot_secondary(void)
{
    sched_enter();
}
