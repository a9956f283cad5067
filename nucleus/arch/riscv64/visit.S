/* Visits (core/visit.h): the SysTable's `visit` of fused cells, long visit(slot).
 *
 * The server's handler is a C function: it keeps what calls keep, so that nothing need be loaded afterwards but ra and sp.
 * The rest of it is stored in the hart for the case that the handler does not come back.  sscratch stays the hart's
 * structure all the while: what faults here is the handler, for the rest touches only the nucleus' memory.
 */
#include "entry.inc"
#include "offsets.h"

    .text
    .global fused_visit
fused_visit:
    csrci sstatus, SSTATUS_SIE
    csrr a5, sscratch
    ld a1, H_FIBER(a5)
    ld a2, H_VISIT(a5)
    li a3, 63 /* NX_SLOTS - 1 */
    bnez a2, visit_in_visit
    bltu a3, a0, nobody
    lw a2, F_ODD(a1)
    ld a1, F_CELL(a1)
    bnez a2, nobody
    slli a0, a0, 3
    la a4, nucleus_lock_word
    li a2, 1
    add a1, a1, a0
    amoswap.w.aq a2, a2, (a4)
    bnez a2, nobody
    ld a3, C_OPEN(a1)
    beqz a3, not_him
    ld a2, F_HART(a3)
    bne a2, a5, not_him
    sd a3, H_VISIT(a5)
    amoswap.w.rl zero, zero, (a4)
    sd ra, H_GUEST(0)(a5)
    sd sp, H_GUEST(1)(a5)
    sd s0, H_GUEST(2)(a5)
    sd s1, H_GUEST(3)(a5)
    sd s2, H_GUEST(4)(a5)
    sd s3, H_GUEST(5)(a5)
    sd s4, H_GUEST(6)(a5)
    sd s5, H_GUEST(7)(a5)
    sd s6, H_GUEST(8)(a5)
    sd s7, H_GUEST(9)(a5)
    sd s8, H_GUEST(10)(a5)
    sd s9, H_GUEST(11)(a5)
    sd s10, H_GUEST(12)(a5)
    sd s11, H_GUEST(13)(a5)
    ld a2, F_HOST_ROOT(a3)
    ld sp, F_REG(2)(a3)
    csrw satp, a2
    ROOT_FENCE
    ld a2, F_DOOR_ENTRY(a3)
    ld a0, F_DOOR_ARG(a3)
    jalr a2
    csrr a5, sscratch
    ld a1, H_FIBER(a5)
    ld a1, F_HOST_ROOT(a1)
    ld ra, H_GUEST(0)(a5)
    ld sp, H_GUEST(1)(a5)
    csrw satp, a1
    ROOT_FENCE
    /* From here on others may take the server out of its wait, and its tables away. */
    fence rw, w
    sd zero, H_VISIT(a5)
    li a0, 0
    csrsi sstatus, SSTATUS_SIE
    ret

not_him:
    fence rw, w
    sw zero, (a4)
nobody:
    li a0, -16 /* NX_EBUSY */
    csrsi sstatus, SSTATUS_SIE
    ret

/* A handler calls: it may not, and does not come back. */
visit_in_visit:
    csrrw tp, sscratch, zero
    .global call_in_visit
call_in_visit:
    mv a0, tp
    mv a1, ra
    ld sp, H_STACK(tp)
    li s0, 0
    call visit_call

/* arch_resume_visit(): specified in arch.h.  The root and SPIE are as the fault has left them. */
    .global arch_resume_visit
arch_resume_visit:
    li t1, SSTATUS_SPP
    csrs sstatus, t1
    ld sp, H_FIBER(tp)
    j resume_rooted
