/* Clear and copy whole pages: arch_page_zero(page), arch_page_copy(to, from). */
    .text
    .global arch_page_zero
arch_page_zero:
    li t0, 4096
    add t0, a0, t0
1:
    .set off, 0
    .rept 32
    sd zero, off(a0)
    .set off, off + 8
    .endr
    addi a0, a0, 256
    bltu a0, t0, 1b
    ret

    .global arch_page_copy
arch_page_copy:
    li t0, 4096
    add t0, a0, t0
1:
    .set off, 0
    .rept 8
    ld t1, off(a1)
    ld t2, off + 8(a1)
    ld t3, off + 16(a1)
    ld t4, off + 24(a1)
    sd t1, off(a0)
    sd t2, off + 8(a0)
    sd t3, off + 16(a0)
    sd t4, off + 24(a0)
    .set off, off + 32
    .endr
    addi a0, a0, 256
    addi a1, a1, 256
    bltu a0, t0, 1b
    ret
