/* What a signal handler returns to, when the program has named nothing else (it cannot on riscv64): the first thing in the
 * code (vdso.ld), li a7, __NR_rt_sigreturn and ecall as Linux' has it, for debuggers and unwinders know a signal's frame by these
 * bytes.
 */
#include <asm/unistd.h>

    .section .text.sigreturn, "ax"
    .option norvc
    .globl __vdso_rt_sigreturn
    .type __vdso_rt_sigreturn, @function
__vdso_rt_sigreturn:
    li a7, __NR_rt_sigreturn
    ecall
    .size __vdso_rt_sigreturn, . - __vdso_rt_sigreturn

    .section .note.GNU-stack, "", @progbits
