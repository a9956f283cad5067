/* Floating point registers: arch_fp_save(state), arch_fp_load(state), arch_fp_off, arch_fp_dirty.
 *
 * The nucleus is compiled without floating point; only this file may name the registers.
 * sstatus.FS: 0 off, 1 initial, 2 clean, 3 dirty.
 */
#include <nx/state.h>

#define FS_MASK 0x6000
#define FS_CLEAN 0x4000

    .option arch, +f, +d
    .text
    .global arch_fp_save
arch_fp_save:
    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    fsd f\n, (NX_STATE_FP + \n * 8)(a0)
    .endr
    frcsr t0
    sd t0, NX_STATE_FCSR(a0)
    li t0, FS_MASK
    csrc sstatus, t0
    li t0, FS_CLEAN
    csrs sstatus, t0
    ret

    .global arch_fp_load
arch_fp_load:
    li t0, FS_CLEAN
    csrs sstatus, t0
    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    fld f\n, (NX_STATE_FP + \n * 8)(a0)
    .endr
    ld t0, NX_STATE_FCSR(a0)
    andi t0, t0, 0xff
    fscsr t0
    li t0, FS_MASK
    csrc sstatus, t0
    li t0, FS_CLEAN
    csrs sstatus, t0
    ret

    .global arch_fp_off
arch_fp_off:
    li t0, FS_MASK
    csrc sstatus, t0
    ret

    .global arch_fp_dirty
arch_fp_dirty:
    csrr t0, sstatus
    srli t0, t0, 13
    andi t0, t0, 3
    addi t0, t0, -3
    seqz a0, t0
    ret
