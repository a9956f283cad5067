/* What gcc calls for rv64imac without bit manipulation, and libgcc would have (Debian's is of the other ABI). */
#include <nx_base.h>

int __clzdi2(unsigned long x);
int __ctzdi2(unsigned long x);
int __popcountdi2(unsigned long x);
uint64_t __bswapdi2(uint64_t x);
uint32_t __bswapsi2(uint32_t x);

int __clzdi2(unsigned long x)
{
    return (int)nx_clz64(x);
}

int __ctzdi2(unsigned long x)
{
    return (int)nx_ctz64(x);
}

int __popcountdi2(unsigned long x)
{
    x -= x >> 1 & 0x5555555555555555ul;
    x = (x & 0x3333333333333333ul) + (x >> 2 & 0x3333333333333333ul);
    x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0ful;
    return (int)(x * 0x0101010101010101ul >> 56);
}

/* Shifts and masks, not __builtin_bswap: that is what is made here. */
uint64_t __bswapdi2(uint64_t x)
{
    x = (x & 0x00ff00ff00ff00fful) << 8 | (x >> 8 & 0x00ff00ff00ff00fful);
    x = (x & 0x0000ffff0000fffful) << 16 | (x >> 16 & 0x0000ffff0000fffful);
    return x << 32 | x >> 32;
}

uint32_t __bswapsi2(uint32_t x)
{
    x = (x & 0x00ff00ffu) << 8 | (x >> 8 & 0x00ff00ffu);
    return x << 16 | x >> 16;
}
