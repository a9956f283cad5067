/* The ChaCha20 block function of RFC 8439, 2.3: 64 bytes of a 256-bit key, a counter and a nonce. */
#ifndef NX_CHACHA20_H
#define NX_CHACHA20_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define NX_CHACHA20_BLOCK 64u
#define NX_CHACHA20_KEY 32u

/* All words are little endian, as the RFC numbers them. */
void nx_chacha20_block(uint32_t out[16], const uint32_t key[8], uint32_t counter,
                       const uint32_t nonce[3]);

/* memset to 0 that is not optimised away: for what must not stay in memory. */
static inline void nx_wipe(void *p, size_t n)
{
    memset(p, 0, n);
    __asm__ volatile("" : : "r"(p) : "memory");
}

#endif
