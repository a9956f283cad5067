/* Entry of every cell: a0 = address of the info page, sp = top of the main stack.
 *
 * ra and s0 are zeroed so that backtraces end here; gp and tp are the cell's own and left alone.
 */
    .section .text.start, "ax"
    .global _start
    .hidden _start
    .type _start, @function
_start:
    mv s1, a0
    lla a0, __image_start
    lla a1, _DYNAMIC
    .hidden _DYNAMIC
    call cell_relocate
    mv a0, s1
    mv ra, zero
    mv s0, zero
    call cell_run
    .size _start, . - _start

    .section .note.GNU-stack, "", @progbits
