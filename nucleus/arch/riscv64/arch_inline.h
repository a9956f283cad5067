/* riscv64: hooks that must be inline.  Specified in nucleus/include/arch.h. */
#ifndef ARCH_INLINE_H
#define ARCH_INLINE_H

#include <stdbool.h>
#include <stdint.h>

struct hart;

#define ARCH_DIRECT_MAP 0xffffffd000000000ul

static inline void *arch_phys(uint64_t pa)
{
    return (void *)(pa + ARCH_DIRECT_MAP);
}

static inline uint64_t arch_phys_of(const void *p)
{
    return (uint64_t)p - ARCH_DIRECT_MAP;
}

/* tp is this hart's structure whenever the nucleus runs. */
static inline struct hart *arch_this_hart(void)
{
    struct hart *h;
    __asm__("mv %0, tp" : "=r"(h));
    return h;
}

static inline uint64_t arch_time(void)
{
    uint64_t t;
    __asm__ volatile("rdtime %0" : "=r"(t));
    return t;
}

static inline uint64_t arch_instret(void)
{
    uint64_t t;
    __asm__ volatile("rdinstret %0" : "=r"(t));
    return t;
}

static inline bool arch_test_and_set(uint32_t *word)
{
    long old; /* the whole register: the instruction extends the sign */
    __asm__ volatile("amoswap.w.aq %0, %2, %1" : "=r"(old), "+A"(*word) : "r"(1) : "memory");
    return old != 0;
}

static inline void arch_release(uint32_t *word)
{
    __asm__ volatile("fence rw, w\n\tsw zero, %0" : "=m"(*word) : : "memory");
}

static inline void arch_relax(void)
{
    __asm__ volatile(".insn i 0x0f, 0, x0, x0, 0x010" ::: "memory"); /* pause */
}

static inline void arch_publish(void)
{
    __asm__ volatile("fence w, w" ::: "memory");
}

static inline void arch_root_write(uint64_t root)
{
    __asm__ volatile("csrw satp, %0" : : "r"(root) : "memory");
}

static inline void arch_fence(void)
{
    __asm__ volatile("fence rw, rw" ::: "memory");
}

void arch_page_zero(void *page);
void arch_page_copy(void *to, const void *from);

#endif
