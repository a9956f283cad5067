/* The state area: registers of a foreign program, shared by the nucleus and the personality's fiber
 * that runs it (enter BIND).  1024 bytes, aligned to 1024, in the personality's own memory.
 * The nucleus trusts nothing in it: every value is at worst wrong for the foreign program itself.
 *
 * Usable from C and assembler.
 */
#ifndef NX_STATE_H
#define NX_STATE_H

/* Why foreign mode was left (result of enter RUN). */
#define NX_LEAVE_SYSCALL 0 /* system call; pc already points behind the instruction */
#define NX_LEAVE_KICK 1    /* kicked, or `hart` has news; may be spurious */
#define NX_LEAVE_FAULT 2   /* page fault the nucleus could not resolve: cause, addr */
#define NX_LEAVE_TRAP 3    /* illegal instruction, misaligned access, breakpoint: cause, addr */
#define NX_LEAVE_NOMEM 4   /* demand-zero or copy-on-write found no page: cause, addr */

/* flags */
#define NX_FS_FP_USED \
    1 /* the program has used floating point; set by the nucleus, cleared on exec */
#define NX_FS_FP_LOAD \
    2 /* set by the personality before it writes them: fp[] and fcsr are newer than the hart's */

#define NX_STATE_SIZE 1024
#define NX_STATE_REG(n) ((n)*8) /* 0: pc, 1..31: x1..x31 */
#define NX_STATE_CAUSE 256
#define NX_STATE_ADDR 264
#define NX_STATE_FLAGS 272
#define NX_STATE_FIXUP 280
#define NX_STATE_TIME_OFF 288
#define NX_STATE_INSTR_OFF 296
#define NX_STATE_FIXADDR 304
#define NX_STATE_HART 312
#define NX_STATE_FCSR 320
#define NX_STATE_FP 328

#ifndef __ASSEMBLER__
#include <stddef.h>
#include <stdint.h>

struct nx_state {
    uint64_t reg[32];   /* 0: pc, else x1..x31 */
    uint64_t cause;     /* scause of the trap */
    uint64_t addr;      /* stval of the trap */
    uint64_t flags;     /* NX_FS_* */
    uint64_t fixup;     /* not 0: where the personality goes on when its own access to the lower
                           half faults and cannot be resolved; the nucleus clears it then */
    uint64_t time_off;  /* rdtime - time_off: ticks this fiber has run; the nucleus keeps it */
    uint64_t instr_off; /* rdinstret - instr_off: instructions this fiber has run */
    uint64_t fixaddr;   /* the address that made the fixup happen */
    uint64_t
        hart; /* 0: of no interest.  Else 1 + the hart it is taken to run on: foreign mode is left
                           with NX_LEAVE_KICK, and `hart` is right then, when it was switched out there, and
                           not entered on another hart */
    uint64_t fcsr;
    uint64_t fp[32];
    uint64_t reserved[55];
};
_Static_assert(sizeof(struct nx_state) == NX_STATE_SIZE, "nx_state layout");
_Static_assert(offsetof(struct nx_state, cause) == NX_STATE_CAUSE, "nx_state layout");
_Static_assert(offsetof(struct nx_state, fixup) == NX_STATE_FIXUP, "nx_state layout");
_Static_assert(offsetof(struct nx_state, fixaddr) == NX_STATE_FIXADDR, "nx_state layout");
_Static_assert(offsetof(struct nx_state, hart) == NX_STATE_HART, "nx_state layout");
_Static_assert(offsetof(struct nx_state, fp) == NX_STATE_FP, "nx_state layout");
#endif

#endif
