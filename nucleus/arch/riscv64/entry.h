/* What the assembler files of ways into and out of the nucleus share. */
#ifndef ENTRY_H
#define ENTRY_H

#define SSTATUS_SIE 2
#define SSTATUS_SPP 0x100
#define SSTATUS_SUM 0x40000

/* After satp changes, on harts without address space numbers: mmu.c writes sfence.vma over it. */
.macro ROOT_FENCE
    .option push
    .option norvc
9:  nop
    .option pop
    .pushsection .rodata.root_fences, "a"
    .quad 9b
    .popsection
.endm

#endif
