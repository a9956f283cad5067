/* The half of a turn that is no function's: see nexus/strand_turn.h.  a0 is put aside, to go on at t0, and a1 runs. */
#include <nexus/strand_turn.h>

    .section .text.strand_jump_, "ax"
    .globl strand_jump_
    .hidden strand_jump_
    .type strand_jump_, @function
strand_jump_:
    sd s0, STRAND_FP(a0)
    sd t0, STRAND_PC(a0)
    sd sp, STRAND_SP(a0)
    ld t0, STRAND_PC(a1)
    ld sp, STRAND_SP(a1)
    ld s0, STRAND_FP(a1)
    mv tp, a1
    jr t0
    .size strand_jump_, . - strand_jump_

    .section .note.GNU-stack, "", @progbits
