/* host: hooks that must be inline.  Specified in nucleus/include/arch.h; the machine is host.h.
 *
 * Physical memory is one array; an address outside of it ends the program with a message.
 */
#ifndef ARCH_INLINE_H
#define ARCH_INLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct hart;

/* Where physical memory begins, as on QEMU's virt machine. */
#define HOST_MEMORY_BASE 0x80000000ul

extern char *host_memory;
extern uint64_t host_memory_size;

/* The simulation cannot go on: the nucleus did what no nucleus may do. */
_Noreturn void host_bug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static inline void *arch_phys(uint64_t pa)
{
    if (pa - HOST_MEMORY_BASE >= host_memory_size) {
        host_bug("physical address %#lx is no memory", pa);
    }
    return host_memory + (pa - HOST_MEMORY_BASE);
}

static inline uint64_t arch_phys_of(const void *p)
{
    return (uint64_t)((const char *)p - host_memory) + HOST_MEMORY_BASE;
}

struct hart *arch_this_hart(void);
uint64_t arch_time(void);
uint64_t arch_instret(void);

/* One hart runs at a time: a lock that is taken already will never be given back. */
static inline bool arch_test_and_set(uint32_t *word)
{
    if (*word != 0) {
        host_bug("a lock is taken that this hart holds");
    }
    *word = 1;
    return false;
}

static inline void arch_release(uint32_t *word)
{
    if (*word == 0) {
        host_bug("a lock is given back that nobody holds");
    }
    *word = 0;
}

void host_relax(void);
static inline void arch_relax(void)
{
    host_relax();
}

static inline void arch_publish(void)
{
}

static inline void arch_page_zero(void *page)
{
    memset(page, 0, 4096);
}

static inline void arch_page_copy(void *to, const void *from)
{
    memcpy(to, from, 4096);
}

/* Not every host's C library has it: lib/str.c, under its name there. */
size_t nx_strlcpy(char *restrict to, const char *restrict from, size_t size);
#define strlcpy nx_strlcpy

/* The sanitizers call the C library's function of this name. */
#define sched_yield nucleus_sched_yield

/* The simulated machine fences in arch_root_set itself. */
void arch_root_set(uint64_t root);
static inline void arch_root_write(uint64_t root)
{
    arch_root_set(root);
}

#endif
