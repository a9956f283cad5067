/*
 * nx_base.h - the small things every file needs: checked arithmetic, alignment, bits.
 *
 * Macros evaluate their arguments once. The bit functions are written out because rv64imac has no
 * instructions for them and we link without libgcc. No ordering macros here: see nx/fence.h.
 */
#ifndef NX_BASE_H
#define NX_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifndef __cplusplus
#ifndef static_assert
#define static_assert _Static_assert
#endif
#endif

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#define container_of(ptr, type, member)                            \
    ({                                                             \
        const __typeof__(((type *)0)->member) *nx_member_ = (ptr); \
        (type *)((uintptr_t)nx_member_ - offsetof(type, member));  \
    })

#define NX_MIN(a, b)                   \
    ({                                 \
        __typeof__(a) nx_a_ = (a);     \
        __typeof__(b) nx_b_ = (b);     \
        nx_a_ < nx_b_ ? nx_a_ : nx_b_; \
    })
#define NX_MAX(a, b)                   \
    ({                                 \
        __typeof__(a) nx_a_ = (a);     \
        __typeof__(b) nx_b_ = (b);     \
        nx_a_ > nx_b_ ? nx_a_ : nx_b_; \
    })

/*
 * `align` is a power of two; the result has the type of `x`. ALIGN_UP wraps to 0 when x is within
 * align - 1 of the type's end: use nx_align_up() on numbers that others chose.
 */
#define ALIGN_DOWN(x, align) ((x) & ~((__typeof__(x))(align)-1))
#define ALIGN_UP(x, align) (((x) + ((__typeof__(x))(align)-1)) & ~((__typeof__(x))(align)-1))
#define IS_ALIGNED(x, align) (((x) & ((__typeof__(x))(align)-1)) == 0)

/* True when the result does not fit *out (any integer types); *out is then not to be used. */
#define nx_add_overflow(a, b, out) __builtin_add_overflow(a, b, out)
#define nx_sub_overflow(a, b, out) __builtin_sub_overflow(a, b, out)
#define nx_mul_overflow(a, b, out) __builtin_mul_overflow(a, b, out)

/* ALIGN_UP that says (true) when there is no such number. */
static inline bool nx_align_up(uint64_t x, uint64_t align, uint64_t *out)
{
    uint64_t sum;
    if (nx_add_overflow(x, align - 1, &sum)) {
        return true;
    }
    *out = sum & ~(align - 1);
    return false;
}

/* Are `len` bytes at `off` inside an object of `size` bytes? Never overflows. */
static inline bool nx_in_bounds(uint64_t off, uint64_t len, uint64_t size)
{
    return len <= size && off <= size - len;
}

static inline bool nx_is_pow2(uint64_t x)
{
    return x != 0 && (x & (x - 1)) == 0;
}

/* ----------------------------------------------------------------------------------------- bits */

static inline unsigned nx_popcount64(uint64_t x)
{
    x -= x >> 1 & 0x5555555555555555u;
    x = (x & 0x3333333333333333u) + (x >> 2 & 0x3333333333333333u);
    x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0fu;
    return (unsigned)(x * 0x0101010101010101u >> 56);
}

/* Number of the lowest set bit; 64 for 0. */
static inline unsigned nx_ctz64(uint64_t x)
{
    /* de Bruijn: the product's top six bits are different for each single bit. */
    static const uint8_t number[64] = {
        0,  1,  2,  53, 3,  7,  54, 27, 4,  38, 41, 8,  34, 55, 48, 28, 62, 5,  39, 46, 44, 42,
        22, 9,  24, 35, 59, 56, 49, 18, 29, 11, 63, 52, 6,  26, 37, 40, 33, 47, 61, 45, 43, 21,
        23, 58, 17, 10, 51, 25, 36, 32, 60, 20, 57, 16, 50, 31, 19, 15, 30, 14, 13, 12,
    };
    return x == 0 ? 64 : number[(x & -x) * 0x022fdd63cc95386du >> 58];
}

/* Leading zero bits; 64 for 0. */
static inline unsigned nx_clz64(uint64_t x)
{
    x |= x >> 1;
    x |= x >> 2;
    x |= x >> 4;
    x |= x >> 8;
    x |= x >> 16;
    x |= x >> 32;
    return 64 - nx_popcount64(x);
}

static inline unsigned nx_ctz32(uint32_t x)
{
    return x == 0 ? 32 : nx_ctz64(x);
}

static inline unsigned nx_clz32(uint32_t x)
{
    return nx_clz64(x) - 32;
}

/* Greatest n with 2^n <= x; x is not 0. */
static inline unsigned nx_log2(uint64_t x)
{
    return 63 - nx_clz64(x);
}

#endif
