/* riscv64: what the files of this folder share. */
#ifndef LOCAL_H
#define LOCAL_H

#include "hart.h"

void mmu_init_asids(void);
void mmu_protect_image(uint64_t image_base);
_Noreturn void arch_trap(struct hart *h, uint64_t cause, uint64_t tval);
_Noreturn void arch_nucleus_trap(const uint64_t *regs);
_Noreturn void arch_boot(uint32_t hwid, uint64_t fdt, uint64_t image_base, uint64_t image_end);
_Noreturn void arch_boot_secondary(void);
void plic_init_hart(const struct hart *h);
void plic_claim(const struct hart *h);
extern uint8_t hart_stack[HART_STACK];

#endif
