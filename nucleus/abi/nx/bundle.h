/* The boot bundle: cell images and root archives, handed to the nucleus as the initial ramdisk.
 *
 *   64-byte head | count x 64-byte entries | data, each 4096-aligned, gaps zero
 *
 * Little endian.  Made by distro/tools/mkbundle.py.
 */
#ifndef NX_BUNDLE_H
#define NX_BUNDLE_H

#include <stdint.h>

#define NX_BUNDLE_MAGIC 0x454c444e5542584eul /* "NXBUNDLE" */

enum nx_bundle_kind { NX_BUNDLE_CELL = 1, NX_BUNDLE_ARCHIVE = 2 };

struct nx_bundle_head {
    uint64_t magic;
    uint32_t version; /* 1 */
    uint32_t count;
    uint64_t size; /* of the whole bundle */
    uint32_t crc;  /* CRC-32 (IEEE) of the whole bundle, with 0 here */
    uint8_t zero[36];
};
struct nx_bundle_entry {
    char name[40];
    uint32_t kind; /* enum nx_bundle_kind */
    uint32_t crc;  /* CRC-32 of the data */
    uint64_t offset;
    uint64_t size;
};
_Static_assert(sizeof(struct nx_bundle_head) == 64, "bundle head layout");
_Static_assert(sizeof(struct nx_bundle_entry) == 64, "bundle entry layout");

#endif
