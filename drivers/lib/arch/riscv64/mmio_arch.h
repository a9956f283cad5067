/* Orderings between device registers and memory; see mmio.h.  Accesses to one device are in program
 * order by themselves (RISC-V: device regions are strongly ordered). */
#ifndef DRIVERS_MMIO_ARCH_H
#define DRIVERS_MMIO_ARCH_H

#define mmio_arch_before_write() __asm__ volatile("fence w, o" ::: "memory")
#define mmio_arch_after_read() __asm__ volatile("fence i, r" ::: "memory")

#endif
