/* riscv64: raw access to program memory (see membrane/copy.h).
 *
 * Rules: leaf functions, the stack is not touched.  While state->fixup is set, a fault makes the nucleus
 * clear it and go on at that label with all registers as they were at the fault; so the registers that
 * say what is left (a0, a1, a2) move only after the bytes they stand for have been moved.
 * Misaligned accesses are never made: they may trap to firmware, which emulates byte by byte.
 */
#include <nx/state.h>

    .macro guard label, state, tmp
    lla     \tmp, \label
    sd      \tmp, NX_STATE_FIXUP(\state)
    .endm
    .macro unguard state
    sd      zero, NX_STATE_FIXUP(\state)
    .endm

    .section .text.mb_raw_copy, "ax", @progbits

/* size_t mb_raw_copy(dst a0, src a1, n a2, state a3) */
    .globl  mb_raw_copy
    .type   mb_raw_copy, @function
    .balign 4
mb_raw_copy:
    guard   .Lcopy_done, a3, t0
    or      t0, a0, a1
    andi    t0, t0, 7
    bnez    t0, .Lcopy_unaligned
.Lcopy_aligned:
    li      t0, 64
    bltu    a2, t0, .Lcopy_words
    li      t1, 128
    bltu    a2, t1, .Lcopy_64
.Lcopy_128:
    ld      t0, 0(a1)
    ld      t2, 8(a1)
    ld      t3, 16(a1)
    ld      t4, 24(a1)
    ld      t5, 32(a1)
    ld      t6, 40(a1)
    ld      a6, 48(a1)
    ld      a7, 56(a1)
    sd      t0, 0(a0)
    sd      t2, 8(a0)
    sd      t3, 16(a0)
    sd      t4, 24(a0)
    sd      t5, 32(a0)
    sd      t6, 40(a0)
    sd      a6, 48(a0)
    sd      a7, 56(a0)
    ld      t0, 64(a1)
    ld      t2, 72(a1)
    ld      t3, 80(a1)
    ld      t4, 88(a1)
    ld      t5, 96(a1)
    ld      t6, 104(a1)
    ld      a6, 112(a1)
    ld      a7, 120(a1)
    sd      t0, 64(a0)
    sd      t2, 72(a0)
    sd      t3, 80(a0)
    sd      t4, 88(a0)
    sd      t5, 96(a0)
    sd      t6, 104(a0)
    sd      a6, 112(a0)
    sd      a7, 120(a0)
    addi    a2, a2, -128
    addi    a1, a1, 128
    addi    a0, a0, 128
    bgeu    a2, t1, .Lcopy_128
    li      t0, 64
    bltu    a2, t0, .Lcopy_words
.Lcopy_64:
    ld      t0, 0(a1)
    ld      t2, 8(a1)
    ld      t3, 16(a1)
    ld      t4, 24(a1)
    ld      t5, 32(a1)
    ld      t6, 40(a1)
    ld      a6, 48(a1)
    ld      a7, 56(a1)
    sd      t0, 0(a0)
    sd      t2, 8(a0)
    sd      t3, 16(a0)
    sd      t4, 24(a0)
    sd      t5, 32(a0)
    sd      t6, 40(a0)
    sd      a6, 48(a0)
    sd      a7, 56(a0)
    addi    a2, a2, -64
    addi    a1, a1, 64
    addi    a0, a0, 64
.Lcopy_words:
    li      t1, 8
    bltu    a2, t1, .Lcopy_tail
1:  ld      t0, 0(a1)
    sd      t0, 0(a0)
    addi    a2, a2, -8
    addi    a1, a1, 8
    addi    a0, a0, 8
    bgeu    a2, t1, 1b
.Lcopy_tail:
    beqz    a2, .Lcopy_done
    /* Both ends are still aligned here when the copy was: a 32-bit value is the usual rest. */
    li      t1, 4
    bltu    a2, t1, .Lcopy_bytes
    lw      t0, 0(a1)
    sw      t0, 0(a0)
    addi    a2, a2, -4
    addi    a1, a1, 4
    addi    a0, a0, 4
    beqz    a2, .Lcopy_done
.Lcopy_bytes:
1:  lbu     t0, 0(a1)
    sb      t0, 0(a0)
    addi    a2, a2, -1
    addi    a1, a1, 1
    addi    a0, a0, 1
    bnez    a2, 1b
.Lcopy_done:
    unguard a3
    mv      a0, a2
    ret

.Lcopy_unaligned:
    /* Too short to be worth aligning, and the case of two equal 32-bit alignments. */
    li      t1, 16
    bltu    a2, t1, .Lcopy_short
    /* Bytes until dst is aligned. */
    andi    t0, a0, 7
    beqz    t0, 2f
1:  lbu     t0, 0(a1)
    sb      t0, 0(a0)
    addi    a2, a2, -1
    addi    a1, a1, 1
    addi    a0, a0, 1
    andi    t0, a0, 7
    bnez    t0, 1b
2:  andi    t1, a1, 7
    beqz    t1, .Lcopy_aligned
    /* dst is aligned, src is not: every word stored is put together from two aligned words read.
     * t1: shift right in bits, t2: shift left, a5: src rounded down, t3: the word read before. */
    li      t0, 32
    bltu    a2, t0, .Lcopy_bytes
    sub     a5, a1, t1
    slli    t1, t1, 3
    neg     t2, t1             /* shifts use the low six bits: 64 - t1 */
    ld      t3, 0(a5)
1:  ld      t4, 8(a5)
    ld      t5, 16(a5)
    ld      t6, 24(a5)
    /* The fourth word holds a byte that is wanted, since src is not aligned: no page is touched that
     * the copy does not cover. */
    ld      a4, 32(a5)
    srl     t3, t3, t1
    sll     a6, t4, t2
    or      t3, t3, a6
    sd      t3, 0(a0)
    srl     t4, t4, t1
    sll     a6, t5, t2
    or      t4, t4, a6
    sd      t4, 8(a0)
    srl     t5, t5, t1
    sll     a6, t6, t2
    or      t5, t5, a6
    sd      t5, 16(a0)
    srl     t6, t6, t1
    sll     a6, a4, t2
    or      t6, t6, a6
    sd      t6, 24(a0)
    mv      t3, a4
    addi    a5, a5, 32
    addi    a2, a2, -32
    addi    a1, a1, 32
    addi    a0, a0, 32
    bgeu    a2, t0, 1b
    bnez    a2, .Lcopy_bytes
    j       .Lcopy_done

.Lcopy_short:
    beqz    a2, .Lcopy_done
    or      t0, a0, a1
    andi    t0, t0, 3
    bnez    t0, .Lcopy_bytes
    li      t1, 4
    bltu    a2, t1, .Lcopy_bytes
1:  lw      t0, 0(a1)
    sw      t0, 0(a0)
    addi    a2, a2, -4
    addi    a1, a1, 4
    addi    a0, a0, 4
    bgeu    a2, t1, 1b
    bnez    a2, .Lcopy_bytes
    j       .Lcopy_done
    .size   mb_raw_copy, . - mb_raw_copy

/* size_t mb_raw_zero(dst a0, n a1, state a2) */
    .globl  mb_raw_zero
    .type   mb_raw_zero, @function
    .balign 4
mb_raw_zero:
    guard   .Lzero_done, a2, t0
    li      t2, 8
    bltu    a1, t2, .Lzero_bytes
    andi    t0, a0, 7
    beqz    t0, 2f
1:  sb      zero, 0(a0)
    addi    a1, a1, -1
    addi    a0, a0, 1
    andi    t0, a0, 7
    bnez    t0, 1b
2:  li      t1, 64
    bltu    a1, t1, 4f
3:  sd      zero, 0(a0)
    sd      zero, 8(a0)
    sd      zero, 16(a0)
    sd      zero, 24(a0)
    sd      zero, 32(a0)
    sd      zero, 40(a0)
    sd      zero, 48(a0)
    sd      zero, 56(a0)
    addi    a1, a1, -64
    addi    a0, a0, 64
    bgeu    a1, t1, 3b
4:  bltu    a1, t2, .Lzero_bytes
5:  sd      zero, 0(a0)
    addi    a1, a1, -8
    addi    a0, a0, 8
    bgeu    a1, t2, 5b
.Lzero_bytes:
    beqz    a1, .Lzero_done
1:  sb      zero, 0(a0)
    addi    a1, a1, -1
    addi    a0, a0, 1
    bnez    a1, 1b
.Lzero_done:
    unguard a2
    mv      a0, a1
    ret
    .size   mb_raw_zero, . - mb_raw_zero

/* size_t mb_raw_strnlen(src a0, n a1, state a2, faulted a3) */
    .globl  mb_raw_strnlen
    .type   mb_raw_strnlen, @function
    .balign 4
mb_raw_strnlen:
    mv      t6, a0             /* start */
    add     t5, a0, a1         /* end; the caller made sure that it does not wrap */
    guard   .Lstr_fault, a2, t0
    andi    t0, a0, 7
    beqz    t0, 2f
1:  beq     a0, t5, .Lstr_end
    lbu     t0, 0(a0)
    beqz    t0, .Lstr_end
    addi    a0, a0, 1
    andi    t0, a0, 7
    bnez    t0, 1b
    /* Eight bytes at a time.  (w - 0x01..) & ~w & 0x80.. is not zero exactly when a byte of w is. */
2:  li      t1, 0x01010101
    slli    t2, t1, 32
    or      t1, t1, t2         /* 0x0101010101010101 */
    slli    t2, t1, 7          /* 0x8080808080808080 */
3:  bgeu    a0, t5, 5f
    ld      t0, 0(a0)
    sub     t3, t0, t1
    not     t4, t0
    and     t3, t3, t4
    and     t3, t3, t2
    bnez    t3, 4f
    addi    a0, a0, 8
    j       3b
4:  andi    t4, t0, 0xff       /* the lowest address is the lowest byte */
    beqz    t4, 5f
    srli    t0, t0, 8
    addi    a0, a0, 1
    j       4b
5:  bltu    a0, t5, .Lstr_end
    mv      a0, t5
.Lstr_end:
    unguard a2
    sub     a0, a0, t6
    ret
.Lstr_fault:
    li      t0, 1
    sd      t0, 0(a3)
    sub     a0, a0, t6
    ret
    .size   mb_raw_strnlen, . - mb_raw_strnlen

/* int mb_raw_load32(val a0, addr a1, state a2) */
    .globl  mb_raw_load32
    .type   mb_raw_load32, @function
    .balign 4
mb_raw_load32:
    guard   .Lword_fault, a2, t0
    lw      t1, 0(a1)
    unguard a2
    sw      t1, 0(a0)
    li      a0, 0
    ret
.Lword_fault:
    li      a0, 1
    ret
    .size   mb_raw_load32, . - mb_raw_load32

/* int mb_raw_cas32(addr a0, expect a1, want a2, old a3, state a4); acquire and release */
    .globl  mb_raw_cas32
    .type   mb_raw_cas32, @function
    .balign 4
mb_raw_cas32:
    guard   .Lword_fault, a4, t0
    sext.w  a1, a1
1:  lr.w.aqrl t1, (a0)
    bne     t1, a1, 2f
    sc.w.rl t2, a2, (a0)
    bnez    t2, 1b
2:  unguard a4
    sw      t1, 0(a3)
    li      a0, 0
    ret
    .size   mb_raw_cas32, . - mb_raw_cas32

    .section .note.GNU-stack, "", @progbits
