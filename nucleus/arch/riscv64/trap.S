/* Trap entry and exit, and the entries fused cells call.
 *
 * sscratch holds this hart's structure while a cell's or a foreign program's code runs and 0 while the
 * nucleus runs; tp is the hart's structure inside the nucleus.  The entry decides what it is before it
 * spills:
 *   foreign mode        everything straight into the state area
 *   native system call  what the handler does not preserve for us: ra sp gp tp s0-s11 into the fiber.  The SysTable's stub
 *                       does nothing behind its ecall but return: the way back is to the caller, ra
 *   native, otherwise   the rest as well
 * A system call from foreign mode and enter RUN never leave this file in the common case.
 *
 * A fused cell's code runs in supervisor mode with interrupts on.  Its interrupts and faults come in by
 * trap_entry as those of user mode do, for the nucleus tells them from its own by sscratch.  Its calls
 * are calls of the fused_ entries: interrupts off, and on with the hart's structure in tp.
 *
 * sstatus, inside the nucleus: SIE 0, SPIE 1, SPP 0; native_other, the only way in with SPP set, clears
 * it.  So every sret goes to user mode but those of arch_resume and arch_resume_rooted that have set SPP, and the entries of
 * fused cells go back without one.  SUM is set when a hart first resumes a fused cell, and stays set:
 * changing it costs a flush on some machines.
 */
#include <nx/callnr.h>
#include <nx/layout.h>
#include <nx/state.h>

#include "entry.inc"
#include "offsets.h"

.macro LOAD_ALL_FROM_SP
    ld ra, F_REG(1)(sp)
    ld gp, F_REG(3)(sp)
    ld tp, F_REG(4)(sp)
    ld t0, F_REG(5)(sp)
    ld t1, F_REG(6)(sp)
    ld t2, F_REG(7)(sp)
    ld s0, F_REG(8)(sp)
    ld s1, F_REG(9)(sp)
    ld a0, F_REG(10)(sp)
    ld a1, F_REG(11)(sp)
    ld a2, F_REG(12)(sp)
    ld a3, F_REG(13)(sp)
    ld a4, F_REG(14)(sp)
    ld a5, F_REG(15)(sp)
    ld a6, F_REG(16)(sp)
    ld a7, F_REG(17)(sp)
    ld s2, F_REG(18)(sp)
    ld s3, F_REG(19)(sp)
    ld s4, F_REG(20)(sp)
    ld s5, F_REG(21)(sp)
    ld s6, F_REG(22)(sp)
    ld s7, F_REG(23)(sp)
    ld s8, F_REG(24)(sp)
    ld s9, F_REG(25)(sp)
    ld s10, F_REG(26)(sp)
    ld s11, F_REG(27)(sp)
    ld t3, F_REG(28)(sp)
    ld t4, F_REG(29)(sp)
    ld t5, F_REG(30)(sp)
    ld t6, F_REG(31)(sp)
    ld sp, F_REG(2)(sp)
.endm

.macro SAVE_CALLER_SAVED
    sd t0, F_REG(5)(sp)
    sd t1, F_REG(6)(sp)
    sd t2, F_REG(7)(sp)
    sd a0, F_REG(10)(sp)
    sd a1, F_REG(11)(sp)
    sd a2, F_REG(12)(sp)
    sd a3, F_REG(13)(sp)
    sd a4, F_REG(14)(sp)
    sd a5, F_REG(15)(sp)
    sd a6, F_REG(16)(sp)
    sd a7, F_REG(17)(sp)
    sd t3, F_REG(28)(sp)
    sd t4, F_REG(29)(sp)
    sd t5, F_REG(30)(sp)
    sd t6, F_REG(31)(sp)
.endm

.macro SAVE_CALLEE_SAVED to=sp
    sd gp, F_REG(3)(\to)
    sd s0, F_REG(8)(\to)
    sd s1, F_REG(9)(\to)
    sd s2, F_REG(18)(\to)
    sd s3, F_REG(19)(\to)
    sd s4, F_REG(20)(\to)
    sd s5, F_REG(21)(\to)
    sd s6, F_REG(22)(\to)
    sd s7, F_REG(23)(\to)
    sd s8, F_REG(24)(\to)
    sd s9, F_REG(25)(\to)
    sd s10, F_REG(26)(\to)
    sd s11, F_REG(27)(\to)
.endm

/* All of a call's registers but ra, sp and tp, from the fiber at sp; then sp. */
.macro LOAD_CALLEE_SAVED
    ld gp, F_REG(3)(sp)
    ld s0, F_REG(8)(sp)
    ld s1, F_REG(9)(sp)
    ld s2, F_REG(18)(sp)
    ld s3, F_REG(19)(sp)
    ld s4, F_REG(20)(sp)
    ld s5, F_REG(21)(sp)
    ld s6, F_REG(22)(sp)
    ld s7, F_REG(23)(sp)
    ld s8, F_REG(24)(sp)
    ld s9, F_REG(25)(sp)
    ld s10, F_REG(26)(sp)
    ld s11, F_REG(27)(sp)
    ld sp, F_REG(2)(sp)
.endm

/* What a call does not keep, without its result and ra and without a1. */
.macro CLEAR_CALLER_SAVED
    li t0, 0
    li t1, 0
    li t2, 0
    li a2, 0
    li a3, 0
    li a4, 0
    li a5, 0
    li a6, 0
    li a7, 0
    li t3, 0
    li t4, 0
    li t5, 0
    li t6, 0
.endm

/* What speaks against enter RUN in the fiber: t1 is not 0 then.  Its state area (t0) is there. */
.macro ENTER_OBSTACLES fiber
    lw t1, F_KICK(\fiber)
    lw t2, H_RESCHED(tp)
    lw t3, H_READY(tp)
    lw t4, F_OUTRANKED(\fiber)
    ld t5, NX_STATE_FLAGS(t0)
    or t1, t1, t2
    and t3, t3, t4
    andi t5, t5, NX_FS_FP_LOAD
    or t1, t1, t3
    or t1, t1, t5
.endm

    .text
    .balign 4
    .global trap_entry
trap_entry:
    csrrw tp, sscratch, tp
    beqz tp, trap_nucleus
    sd sp, H_SCRATCH(tp)
    ld sp, H_FOREIGN(tp)
    bnez sp, trap_foreign

    /* ---- native ---- */
    ld sp, H_FIBER(tp)
    sd ra, F_REG(0)(sp)
    SAVE_CALLEE_SAVED
    ld ra, H_SCRATCH(tp)
    sd ra, F_REG(2)(sp)
    csrrw ra, sscratch, zero
    sd ra, F_REG(4)(sp)
    csrr ra, scause
    addi ra, ra, -8
    bnez ra, native_other

    /* A call through the SysTable: op and arguments in a0..a5, number in a7. */
    li t0, NX_CALL_ENTER
    beq a7, t0, enter_fast
    addi t0, a7, -NX_CALL_SEND
    beqz t0, send
    addi t0, a7, -NX_CALL_RECV
    beqz t0, recv
dispatch:
    li t0, NX_CALL_COUNT
    bgeu a7, t0, bad_call
    la t1, call_table
    slli t0, a7, 3
    add t1, t1, t0
    ld t1, 0(t1)
    ld sp, H_STACK(tp)
    li s0, 0
    jalr t1
call_return:
    lw t0, H_RESCHED(tp)
    ld t1, H_FIBER(tp)
    bnez t0, call_resched
    ld ra, F_REG(0)(t1)
    csrw sepc, ra
    csrw sscratch, tp
    ld sp, F_REG(2)(t1)
    ld tp, F_REG(4)(t1)
    ld s0, F_REG(8)(t1)
    CLEAR_CALLER_SAVED
    li a1, 0
    sret

/* Each instruction counts here: s0 is not zeroed for the end of a backtrace, which takes nothing that is not the nucleus'. */
send:
    ld sp, H_STACK(tp)
    call call_send
    j call_return
recv:
    ld sp, H_STACK(tp)
    call call_recv
    j call_return

call_resched:
    sd a0, F_REG(10)(t1)
    ld sp, H_STACK(tp)
    li s0, 0
    call sched_reschedule

bad_call:
    li a0, -38 /* NX_ENOSYS */
    j call_return

/* enter RUN: nothing speaks against it, so load the foreign program and go. */
enter_fast:
    bnez a0, dispatch
    ld t0, F_STATE(sp)
    beqz t0, dispatch
    ENTER_OBSTACLES sp
    bnez t1, dispatch
    ld t1, F_FOREIGN_ROOT(sp)
    sd t0, H_FOREIGN(tp)
    csrw satp, t1
    ROOT_FENCE
    ld t2, F_REG(0)(t0)
    csrw sepc, t2
    csrw sscratch, tp
    mv sp, t0
    LOAD_ALL_FROM_SP
    sret

native_other:
    SAVE_CALLER_SAVED
    ld t0, F_REG(0)(sp)
    sd t0, F_REG(1)(sp)
    csrr a1, scause
    csrr t0, sepc
    sd t0, F_REG(0)(sp)
    li t0, SSTATUS_SPP
    csrc sstatus, t0
    csrr a2, stval
    mv a0, tp
    ld sp, H_STACK(tp)
    li s0, 0
    call arch_trap

    /* ---- foreign: sp is the state area ---- */
trap_foreign:
    sd ra, F_REG(1)(sp)
    SAVE_CALLEE_SAVED
    SAVE_CALLER_SAVED
    ld t0, H_SCRATCH(tp)
    csrrw t1, sscratch, zero
    csrr t2, scause
    csrr t3, sepc
    sd t0, F_REG(2)(sp)
    sd t1, F_REG(4)(sp)
    addi t2, t2, -8
    bnez t2, foreign_other
    /* A system call: back to the personality, as if enter returned 0 (NX_LEAVE_SYSCALL). */
    addi t3, t3, 4
    sd t3, F_REG(0)(sp)
    ld sp, H_FIBER(tp)
    lw t1, F_FUSED(sp)
    sd zero, H_FOREIGN(tp)
    bnez t1, foreign_to_fused
    ld t0, F_HOST_ROOT(sp)
    csrw satp, t0
    ROOT_FENCE
    ld ra, F_REG(0)(sp)
    csrw sepc, ra
    csrw sscratch, tp
    li a0, NX_LEAVE_SYSCALL
    ld tp, F_REG(4)(sp)
    LOAD_CALLEE_SAVED
    sret

/* The same to a fused cell: fused_enter returns.  The root is the right one already. */
foreign_to_fused:
    csrw sscratch, tp
    li a0, NX_LEAVE_SYSCALL
    ld ra, F_REG(0)(sp)
    ld tp, F_REG(4)(sp)
    LOAD_CALLEE_SAVED
    csrsi sstatus, SSTATUS_SIE
    ret

foreign_other:
    sd t3, F_REG(0)(sp)
    mv a0, tp
    csrr a1, scause
    csrr a2, stval
    ld sp, H_STACK(tp)
    li s0, 0
    call arch_trap

/* arch_resume(hart), arch_resume_rooted(): specified in arch.h. */
    .global arch_resume_rooted
arch_resume_rooted:
    ld t1, H_FOREIGN(tp)
    ld sp, H_FIBER(tp)
    bnez t1, 1f
    lw t1, F_FUSED(sp)
    beqz t1, resume_rooted
    li t1, SSTATUS_SPP | SSTATUS_SUM
    csrs sstatus, t1
    j resume_rooted
1:  mv sp, t1
    j resume_rooted
    .global arch_resume
arch_resume:
    ld t0, H_FIBER(tp)
    ld t1, H_FOREIGN(tp)
    bnez t1, resume_foreign
    lw t1, F_FUSED(t0)
    mv sp, t0
    ld t2, F_HOST_ROOT(t0)
    bnez t1, resume_fused
resume:
    csrw satp, t2
    .global resume_rooted
resume_rooted:
    ROOT_FENCE
    ld t2, F_REG(0)(sp)
    csrw sepc, t2
    csrw sscratch, tp
    LOAD_ALL_FROM_SP
    sret
resume_foreign:
    mv sp, t1
    ld t2, F_FOREIGN_ROOT(t0)
    j resume
resume_fused:
    li t1, SSTATUS_SPP | SSTATUS_SUM
    csrs sstatus, t1
    j resume

/* arch_resume_call(result): specified in arch.h.  Whoever ran here before, SUM is set when it need be. */
    .global arch_resume_call
arch_resume_call:
    ld sp, H_FIBER(tp)
    lw t0, F_FUSED(sp)
    bnez t0, 1f
    ROOT_FENCE
    ld ra, F_REG(0)(sp)
    csrw sepc, ra
    csrw sscratch, tp
    ld tp, F_REG(4)(sp)
    LOAD_CALLEE_SAVED
    CLEAR_CALLER_SAVED
    li a1, 0
    sret
1:  ROOT_FENCE
    csrw sscratch, tp
    ld ra, F_REG(0)(sp)
    ld tp, F_REG(4)(sp)
    LOAD_CALLEE_SAVED
    csrsi sstatus, SSTATUS_SIE
    ret

/* ---- the SysTable's entries of fused cells: called, in supervisor mode ---- */
/* Into the nucleus.  t6 is the fiber, which goes on behind the call if it does not go on here.  t0 is kept. */
.macro FUSED_ENTRY
    csrci sstatus, SSTATUS_SIE
    mv t1, tp
    csrrw tp, sscratch, zero
    ld t2, H_VISIT(tp)
    ld t6, H_FIBER(tp)
    bnez t2, call_in_visit
    SAVE_CALLEE_SAVED t6
    sd ra, F_REG(0)(t6)
    sd sp, F_REG(2)(t6)
    sd t1, F_REG(4)(t6)
.endm

/* enter RUN: no change of root, for the program's is the one the cell runs in. */
.macro FUSED_RUN
    bnez a0, 8f
    ld t0, F_STATE(t6)
    beqz t0, 8f
    ENTER_OBSTACLES t6
    bnez t1, 8f
    ld t2, F_REG(0)(t0)
    sd t0, H_FOREIGN(tp)
    csrw sepc, t2
    csrw sscratch, tp
    mv sp, t0
    LOAD_ALL_FROM_SP
    sret
8:
.endm

.macro FUSED_CALL name, nr
    .global fused_\name
fused_\name:
    .if \nr == NX_CALL_ENTER
    FUSED_ENTRY
    FUSED_RUN
    la t0, call_\name
    j fused_dispatch
    .elseif \nr == NX_CALL_SEND || \nr == NX_CALL_RECV
    FUSED_ENTRY
    .if \nr == NX_CALL_RECV
    bnez a0, fused_serve
    .endif
    ld sp, H_STACK(tp)
    call call_\name
    j fused_return
    .else
    la t0, call_\name
    j fused_other
    .endif
.endm
#define FUSED_EACH(name, nr) FUSED_CALL name, nr;
    NX_CALLS(FUSED_EACH)

fused_serve:
    la t0, call_serve
    j fused_dispatch
fused_other:
    FUSED_ENTRY
fused_dispatch:
    ld sp, H_STACK(tp)
    li s0, 0
    jalr t0
fused_return:
    lw t0, H_RESCHED(tp)
    ld t1, H_FIBER(tp)
    bnez t0, call_resched
    csrw sscratch, tp
    ld ra, F_REG(0)(t1)
    ld sp, F_REG(2)(t1)
    ld s0, F_REG(8)(t1)
    ld tp, F_REG(4)(t1)
    csrsi sstatus, SSTATUS_SIE
    ret

/* A trap inside the nucleus is a bug.  sscratch has tp, tp is 0. */
trap_nucleus:
    csrrw tp, sscratch, zero
    addi sp, sp, -256
    sd ra, 8(sp)
    sd s0, 64(sp)
    sd a0, 80(sp)
    sd a1, 88(sp)
    sd a2, 96(sp)
    sd a3, 104(sp)
    sd a4, 112(sp)
    sd a5, 120(sp)
    sd t0, 40(sp)
    sd t1, 48(sp)
    mv a0, sp
    call arch_nucleus_trap
    j .
