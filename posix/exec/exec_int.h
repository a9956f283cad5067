/* What the files of posix/exec share: an execve under way.
 *
 *   open -> read head -> #! script? again : parse ELF -> map into a new mm -> strings and stack
 *        -> alone in the thread group -> point of no return -> new mm, new registers
 */
#ifndef POSIX_EXEC_INT_H
#define POSIX_EXEC_INT_H

#include "cred.h"
#include "exec.h"
#include "exec/args.h"
#include "exec/elf.h"
#include "mm.h"
#include "vfs.h"

#define EXEC_TAILS_MAX 8

struct exec {
    struct file *file;  /* the program, or for a moment a script */
    const char *name;   /* as given: AT_EXECFN, and the comm's origin */
    const char *opened; /* what a script's interpreter is told to open */
    bool unreachable;   /* opened by a descriptor that closes on exec: no name for a script */
    struct args args;
    struct mm *mm;
    struct elf_image image;
    uint64_t bias;        /* load address of the program - its vaddrs */
    uint64_t interp_base; /* load address of the program interpreter, AT_BASE */
    uint64_t entry, sp;
    unsigned tails; /* ends of file bytes inside a page, where zeroes have to follow */
    uint64_t tail[EXEC_TAILS_MAX];
    struct cred cred; /* of the new program; its groups are the current thread's */
    bool secure;      /* privileges were gained */
    bool
        gains; /* privileges are in the file: what personality(2) said of the layout is forgotten */
};

/* load.c: read and check an ELF file / map it into x->mm, with its interpreter. */
int exec_read_elf(struct file *f, const uint8_t *head, size_t n, struct elf_image *im);
int exec_load(struct exec *x);
/* After binding x->mm: clear what lies behind the file's bytes in the last pages. */
int exec_clear_tails(struct exec *x);
/* stack.c: the new program's stack, x->mm bound. */
int exec_build_stack(struct exec *x);
/* privilege.c: whose the new program is and what it may: x->cred, x->secure; 0 or -EPERM. */
int exec_find_privileges(struct exec *x);
void exec_take_privileges(const struct exec *x);
/* open.c */
int exec_open(int dirfd, const char *name, unsigned flags, struct file **out);

#endif
