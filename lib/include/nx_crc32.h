/*
 * nx_crc32.h - CRC-32 with the reflected polynomial 0xedb88320 (zlib, Ethernet, GPT).
 *
 * Finds accidents, not attackers.
 */
#ifndef NX_CRC32_H
#define NX_CRC32_H

#include <stddef.h>
#include <stdint.h>

/* Start with crc 0; feed the result back to continue over the next piece. */
uint32_t nx_crc32(uint32_t crc, const void *data, size_t len);

#endif
