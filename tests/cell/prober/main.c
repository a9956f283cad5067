/* Test cell: one for each virtio SCSI host; tells the log what it was given, and fails when that is
 * not what its manifest says.  Its memory for DMA must be zeroed in every life. */
#include <manifest/prober.h>
#include <nexus/cell.h>
#include <nexus/channel.h>
#include <nexus/device.h>
#include <nx/sys.h>

#define DEVICE_SCSI 8u
#define CONFIG 0x100u /* the number of its request queues */

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
    check(regs[0] == 0x74726976 && regs[1] == 2 && regs[2] == DEVICE_SCSI, "device");
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
    cell_log("has %u queues", regs[CONFIG / 4]);
    for (;;) {
        (void)nx_recv_wait(1u << SLOT_IRQ, NX_NEVER);
    }
}
