/* riscv64: the first instructions of a fiber.  The nucleus starts it with a0 = its argument, the
 * struct mb_fiber, and sp = the top of its stack. */
    .text
    .globl  mb_fiber_entry
    .type   mb_fiber_entry, @function
    .balign 4
mb_fiber_entry:
    mv      tp, a0             /* mb_self() from here on */
    li      s0, 0              /* the call chain ends here */
    li      ra, 0
    tail    mb_fiber_main
    .size   mb_fiber_entry, . - mb_fiber_entry
    .section .note.GNU-stack, "", @progbits
