/* host: the page table entries of riscv64, so that the tests are about the format that is used. */
#ifndef HOST_ARCH_PTE_H
#define HOST_ARCH_PTE_H

#include "../riscv64/arch_pte.h"

#endif
