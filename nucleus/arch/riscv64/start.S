/* First instructions on every hart: from the firmware (physical addresses, no paging) to C.
 *
 * The root table is static.  It maps physical memory at the direct map by gigabyte leaves, the image
 * first by one gigabyte leaf (mmu_protect_image makes pages of it), and, until C runs, the image's
 * gigabyte at its physical address.
 */
#include <nx/layout.h>

#include "offsets.h"

#define LEAF 0xef /* V R W X G A D */
#define GIB_PPN 0x10000000 /* one gigabyte in the frame number field */
#define DIRECT_GIB 64

    .section .text.start, "ax"
    .global _start
_start:
    /* a0: hart number, a1: device tree */
    csrw sie, zero
    csrw sscratch, zero
    la t0, started
    li t1, 1
    amoswap.w.aq t1, t1, (t0)
    bnez t1, start_again
    la t0, nucleus_bss
    la t1, nucleus_end
1:  sd zero, 0(t0)
    addi t0, t0, 8
    bltu t0, t1, 1b

    la s0, nucleus_root_table
    /* direct map: entries 320.. */
    li t0, 320 * 8
    add t0, s0, t0
    li t1, LEAF
    li t2, GIB_PPN
    li t3, DIRECT_GIB
2:  sd t1, 0(t0)
    addi t0, t0, 8
    add t1, t1, t2
    addi t3, t3, -1
    bnez t3, 2b
    /* the image's gigabyte: at its physical address and at entry 510 */
    la s1, _start
    srli t0, s1, 30
    slli t1, t0, 28
    ori t1, t1, LEAF
    slli t2, t0, 3
    add t2, s0, t2
    sd t1, 0(t2)
    li t3, 510 * 8
    add t3, s0, t3
    sd t1, 0(t3)
    /* a2: physical start of the image */
    mv a2, s1
    la a3, nucleus_end
    jal paging_on
    la tp, harts
    la sp, hart_stack + 8192
    li s0, 0
    call arch_boot
    j .

/* The nucleus runs already.  OpenSBI 1.1 marks a hart as to be started before it stores where: one that
 * looks in between comes here, with what was stored for the first.  Its structure is found by number. */
start_again:
    la t0, harts
    li t1, H_COUNT
1:  lwu t2, H_HWID(t0)
    beq t2, a0, 2f
    addi t0, t0, H_SIZE
    addi t1, t1, -1
    bnez t1, 1b
3:  wfi
    j 3b
2:  slli a1, t0, 34
    srli a1, a1, 34
    li t2, 0xffffffff80000000
    add a1, a1, t2

/* Secondary harts: a0 hart number, a1 virtual address of the hart's structure. */
    .global start_secondary
start_secondary:
    csrw sie, zero
    csrw sscratch, zero
    la s0, nucleus_root_table
    jal paging_on
    mv tp, a1
    ld sp, 16(tp)
    li s0, 0
    call arch_boot_secondary
    j .

/* Turn paging on with the table at s0 and return to the caller's virtual address. */
paging_on:
    /* virtual - physical */
    la t0, paging_on
    srli t1, t0, 30
    slli t1, t1, 30
    li t2, 0xffffffff80000000
    sub t1, t2, t1
    add ra, ra, t1
    la t2, 1f
    add t2, t2, t1
    csrw stvec, t2
    srli t0, s0, 12
    li t1, 8 << 60
    or t0, t0, t1
    sfence.vma
    csrw satp, t0
    /* with or without the identity mapping of this gigabyte, execution goes on at 1 */
    jr t2
    .balign 4
1:  la t0, trap_entry
    csrw stvec, t0
    ret

    .section .data
    .balign 4
started:
    .word 0

    .section .bss
    .balign 4096
    .global nucleus_root_table
nucleus_root_table:
    .zero 4096
