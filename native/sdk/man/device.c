/* What a driver learns of its device from the `arg` of its info page. */
#include <nexus/cell.h>
#include <nexus/device.h>

int cell_main(const struct nx_cellinfo *info)
{
    /* The supervisor makes it from the device tree: a register window at ...010, registers of 4 bytes. */
    const uint64_t arg = nexus_device_arg(0x10000010, 2, 4);
    if (nexus_device_offset(arg) != 0x10 || nexus_device_shift(arg) != 2 ||
        nexus_device_width(arg) != 4) {
        cell_panic("device");
    }
    cell_log("ok");
    return 0;
}
