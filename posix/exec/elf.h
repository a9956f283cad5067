/* ELF64 executables for riscv: what their headers say, checked.
 *
 * Pure functions on bytes: no file, no memory, no lock; what they answer needs no further check against
 * overflow or the file's end.  Not here: sections, symbols, relocation (the program's own business).
 */
#ifndef POSIX_EXEC_ELF_H
#define POSIX_EXEC_ELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ELF_HEAD 64u    /* bytes elf_parse_head looks at */
#define ELF_SEGMENT 56u /* bytes of a program header */
#define ELF_HEADERS_MAX (65536u / ELF_SEGMENT)
#define ELF_LOADS_MAX 32u /* PT_LOAD segments */
#define ELF_INTERP_MAX 4096u

struct elf_load {
    uint64_t vaddr, memsz; /* as in the file: not page aligned, memsz > 0 */
    uint64_t off, filesz;
    unsigned prot; /* NX_PROT_* */
};

struct elf_image {
    bool pic;       /* ET_DYN: goes anywhere */
    uint64_t entry; /* as vaddr */
    uint64_t phoff;
    unsigned phnum;
    uint64_t phdr;      /* vaddr of the program headers, 0: not loaded */
    uint64_t low, high; /* page aligned extent of all segments; low < high */
    uint64_t align;     /* of the load address; a power of two, at least a page */
    uint64_t
        interp_off; /* path of the program interpreter in the file; length with its NUL, or 0 */
    unsigned interp_len;
    bool exec_stack;
    unsigned loads;
    struct elf_load load[ELF_LOADS_MAX];
};

/* The first n bytes of a file of that size.  0: phoff and phnum are where the program headers are, all
 * inside the file; -ENOEXEC: not for us. */
int elf_parse_head(struct elf_image *im, const uint8_t *head, size_t n, uint64_t file_size);
/* The im->phnum program headers; the rest of im.  0 or -ENOEXEC. */
int elf_parse_segments(struct elf_image *im, const uint8_t *headers, uint64_t file_size);

#endif
