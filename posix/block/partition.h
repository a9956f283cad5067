/* Partition tables: MBR with logical partitions, GPT (UEFI 2.8, chapter 5).
 *
 * Everything on a disk is from outside: what does not make sense is left out, a chain that runs in a
 * circle ends.  Pure: sectors come through a function of the caller.
 */
#ifndef POSIX_BLOCK_PARTITION_H
#define POSIX_BLOCK_PARTITION_H

#include <stdint.h>

#define PARTITION_SECTOR 512u
#define PARTITIONS_MAX 15u /* minor numbers of a disk but the first */

struct partition {
    uint64_t start, sectors; /* inside the disk, sectors > 0 */
    unsigned number;         /* 1 .. PARTITIONS_MAX: vda1 ... */
};

/* One sector into 512 bytes: 0, or an error, which ends the scan. */
typedef int partition_reader(void *ctx, uint64_t sector, void *buf);

/* Fill out with what the table names, numbers ascending: how many.  Partitions may overlap. */
unsigned partition_scan(uint64_t disk_sectors, partition_reader *read, void *ctx,
                        struct partition out[PARTITIONS_MAX]);

#endif
