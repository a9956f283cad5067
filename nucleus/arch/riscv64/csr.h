/* riscv64: control and status registers, and calls to the firmware (SBI). */
#ifndef CSR_H
#define CSR_H

#include <stdint.h>

#define csr_read(name)                                                \
    ({                                                                \
        uint64_t csr_v_;                                              \
        __asm__ volatile("csrr %0, " #name : "=r"(csr_v_)::"memory"); \
        csr_v_;                                                       \
    })
#define csr_write(name, v) __asm__ volatile("csrw " #name ", %0" ::"r"((uint64_t)(v)) : "memory")
#define csr_set(name, v) __asm__ volatile("csrs " #name ", %0" ::"r"((uint64_t)(v)) : "memory")
#define csr_clear(name, v) __asm__ volatile("csrc " #name ", %0" ::"r"((uint64_t)(v)) : "memory")

#define SIE_SOFT 0x002ul
#define SIE_TIMER 0x020ul
#define SIE_EXTERNAL 0x200ul
#define SSTATUS_FS 0x6000ul
#define SSTATUS_SPIE 0x020ul
#define SSTATUS_SPP 0x100ul

struct sbi_result {
    long error;
    long value;
};

static inline struct sbi_result sbi_call(unsigned long ext, unsigned long fn, unsigned long arg0,
                                         unsigned long arg1, unsigned long arg2, unsigned long arg3,
                                         unsigned long arg4)
{
    register unsigned long a0 __asm__("a0") = arg0;
    register unsigned long a1 __asm__("a1") = arg1;
    register unsigned long a2 __asm__("a2") = arg2;
    register unsigned long a3 __asm__("a3") = arg3;
    register unsigned long a4 __asm__("a4") = arg4;
    register unsigned long a6 __asm__("a6") = fn;
    register unsigned long a7 __asm__("a7") = ext;
    __asm__ volatile("ecall"
                     : "+r"(a0), "+r"(a1)
                     : "r"(a2), "r"(a3), "r"(a4), "r"(a6), "r"(a7)
                     : "memory");
    return (struct sbi_result){(long)a0, (long)a1};
}

#define SBI_PUTCHAR 0x01ul
#define SBI_IPI 0x735049ul
#define SBI_RFENCE 0x52464e43ul
#define SBI_HSM 0x48534dul
#define SBI_RESET 0x53525354ul
#define SBI_RESET_COLD 1ul
#define SBI_RESET_FAILURE 1ul /* the reason: system failure */

#endif
