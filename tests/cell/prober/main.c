/* Test cell: one for each virtio block device; tells the log what it was given, and fails when that is
 * not what its manifest says.  Its memory for DMA must be zeroed in every life. */
#include <nexus/cell.h>
#include <nexus/channel.h>
#include <nexus/device.h>
#include <nx/manifest.h>
#include <nx/sys.h>

enum { SLOT_REGS, SLOT_IRQ, SLOT_DMA, SLOT_SERVE, SLOT_NEXT = SLOT_SERVE + 6, SLOT_ABSENT };

#define DEVICE_BLOCK 2u
#define CONFIG 0x100u /* of the block device: its capacity in sectors */

NX_MANIFEST manifest = {
    .magic = NX_MANIFEST_MAGIC,
    .name = "prober",
    .tier = NX_TIER_MATTER,
    .placement = NX_PLACE_ISOLATED,
    .restart = NX_RESTART_ALWAYS,
    .pledge = NX_PLEDGE_MAP | NX_PLEDGE_IPC | NX_PLEDGE_META,
    .window_gb = 1,
    .quota_pages = 64,
    .quota_fibers = 1,
    .flags = NX_MANIFEST_PER_DEVICE,
    .want = {{.kind = NX_WANT_DEVMEM,
              .slot = SLOT_REGS,
              .rights = NX_R_READ | NX_R_WRITE,
              .device_id = DEVICE_BLOCK,
              .what = "virtio,mmio"},
             {.kind = NX_WANT_IRQ,
              .slot = SLOT_IRQ,
              .rights = NX_R_READ | NX_R_RECV,
              .device_id = DEVICE_BLOCK,
              .what = "virtio,mmio"},
             {.kind = NX_WANT_DMA,
              .slot = SLOT_DMA,
              .rights = NX_R_READ | NX_R_WRITE | NX_R_DMA,
              .pool_pages = 3},
             {.kind = NX_WANT_SERVE,
              .slot = SLOT_SERVE,
              .rights = NX_R_READ | NX_R_WRITE | NX_R_SEND | NX_R_RECV | NX_R_DMA,
              .ring_slots = 8,
              .pool_pages = 5,
              .clients = 2,
              .what = "probe"},
             {.kind = NX_WANT_USE,
              .slot = SLOT_ABSENT,
              .rights = NX_R_READ | NX_R_WRITE | NX_R_SEND | NX_R_RECV,
              .flags = NX_WANT_OPTIONAL,
              .what = "nothing"}},
};

static void check(int good, const char *what)
{
    if (!good) {
        cell_panic("%s is not as wanted", what);
    }
}

/* Contiguous, and its physical address is ours to know. */
static void check_memory(unsigned slot, unsigned pages)
{
    long first = nx_meta_phys(slot, 0);
    check(nx_meta_size(slot) == (long)(pages * NX_PAGE_SIZE), "size of memory");
    check(first > 0 && nx_meta_phys(slot, (pages - 1) * NX_PAGE_SIZE) ==
                           first + (long)((pages - 1) * NX_PAGE_SIZE),
          "contiguous memory");
}

int cell_main(const struct nx_cellinfo *info)
{
    const volatile uint32_t *regs;
    uint64_t *dma = cell_map(SLOT_DMA, NX_PROT_R | NX_PROT_W, NULL, NULL);
    uint8_t *window = cell_map(SLOT_REGS, NX_PROT_R | NX_PROT_W, NULL, NULL);
    check(dma != NULL && window != NULL, "mapping");
    regs = (volatile uint32_t *)(window + nexus_device_offset(info->arg));
    check(regs[0] == 0x74726976 && regs[1] == 2 && regs[2] == DEVICE_BLOCK, "device");
    check(nx_meta_size(SLOT_REGS) == NX_PAGE_SIZE, "register window");
    check(nx_mask_ack(SLOT_IRQ) == 0, "interrupt");
    check_memory(SLOT_DMA, 3);
    for (unsigned i = 0; i < 2; i++) {
        struct channel ch;
        check(channel_open(&ch, SLOT_SERVE + 3 * i, SLOT_SERVE + 3 * i + 1) == 0, "channel");
        check_memory(SLOT_SERVE + 3 * i + 2, 5);
    }
    check(nx_meta_size(SLOT_ABSENT) < 0, "optional want");
    for (unsigned i = 0; i < 3 * NX_PAGE_SIZE / 8; i++) {
        check(dma[i] == 0, "zeroed memory");
        dma[i] = ~0ul;
    }
    cell_log("has %u sectors", regs[CONFIG / 4]);
    for (;;) {
        (void)nx_recv_wait(1u << SLOT_IRQ, NX_NEVER);
    }
}
