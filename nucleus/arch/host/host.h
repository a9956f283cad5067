/* host: a simulated machine on which nucleus/core runs as an ordinary program, for tests.
 *
 * One hart runs at a time; the test says which (host.current).  The nucleus is entered the ways a
 * real one is - system call, interrupt, page fault, first start of a hart - by the functions below.
 * Each returns when the nucleus leaves for user mode or goes idle; then harts[].fiber and
 * harts[].foreign tell what the hart would run.
 *
 * Memory accesses of user mode go through a simulated MMU with a translation buffer per hart, which
 * keeps what it has seen until the nucleus asks for a fence or an entry must make room.  So a missing
 * fence shows here, which QEMU hides.
 *
 * Not simulated: harts that run at the same time, caches, instruction fetch (only its fences).
 */
#ifndef HOST_H
#define HOST_H

#include "hart.h"

#include <limits.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>

#define HOST_IRQS 64u
#define HOST_TLB 256u
#define HOST_CONSOLE 4096u

/* What host_call answers when the calling fiber does not run on: it sleeps, has ended, or another one
 * was given the hart. */
#define HOST_SWITCHED LONG_MIN

enum host_exit {
    HOST_RETURNED, /* the function came back */
    HOST_RESUMED,  /* arch_resume: user mode goes on */
    HOST_IDLING,   /* arch_idle, with nothing to wait for */
    HOST_HALTED,   /* arch_halt: boot_stop, panic, reset */
};

struct host_tlb {
    uint64_t vpn; /* page number + 1; 0: empty */
    unsigned asid;
    pte_t pte;
};

struct host_hart {
    uint64_t root;     /* as arch_root_set */
    uint64_t deadline; /* as arch_timer_set */
    bool ipi;          /* pending */
    bool started;
    bool fp_on, fp_dirty;
    uint64_t fp; /* stands for the floating point registers; kept in fp[0] of a state area */
    struct host_tlb tlb[HOST_TLB];
};

struct host_fences {
    uint64_t page, asid, page_all, all; /* on the calling hart */
    uint64_t remote, remote_harts;      /* calls, and the harts of the last one */
    uint64_t code, code_remote;
};

struct host_irq {
    bool pending;
    unsigned enabled_on; /* hart + 1 */
    unsigned claimed_by; /* hart + 1 */
};

struct host {
    unsigned current;   /* the hart that runs */
    uint64_t time;      /* the time counter */
    uint64_t instret;   /* of every hart */
    unsigned asids;     /* address space numbers there are */
    bool idle_advances; /* an idle hart sleeps until its timer's deadline, instead of HOST_IDLING */
    uint64_t start_fails; /* bit: hart that arch_hart_start cannot start */
    bool reset;           /* arch_reset was asked for */
    enum host_exit exit;  /* how the nucleus was left last */
    struct host_hart hart[HARTS_MAX];
    struct host_irq irq[HOST_IRQS];
    struct host_fences fences;
    uint64_t root_changes;      /* of all harts */
    uintptr_t stack_low;        /* deepest frame that asked for a fence of everything */
    char console[HOST_CONSOLE]; /* what arch_console_write was given, the newest */
    size_t console_len;
    unsigned visits_over; /* arch_visit_over */
    void (*relax)(void);  /* what another hart does while this one waits for it; or NULL */
    jmp_buf back;
};
extern struct host host;

/* A machine with `bytes` of memory, all off. */
void host_reset(uint64_t bytes);
/* Run body in the nucleus on the current hart. */
enum host_exit host_try(void (*body)(void *), void *arg);
/* The current hart's first entry, or its way on from idle: interrupts, then the scheduler. */
enum host_exit host_enter(void);
/* A system call of the fiber that runs: its result, or HOST_SWITCHED. */
long host_call(uint64_t nr, uint64_t op, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
               uint64_t a5);
/* The SysTable's `visit`, up to the handler, and behind that; between them it is the handler that runs. */
long host_visit(uint64_t slot);
void host_visit_end(void);
/* Take the pending interrupts of the current hart, which runs user code. */
void host_interrupt(void);
bool host_interrupt_pending(unsigned hart);
void host_irq_raise(unsigned irq);
/* User code, or that of a fused cell, that runs accesses va (NX_PROT_R, W or X): where that is in memory, or NULL when the
 * access did not come about and something else runs now. */
void *host_access(uint64_t va, unsigned access);
/* A system call of a foreign program: its fiber goes on in host mode. */
void host_foreign_call(void);
/* Any other exception of user code. */
void host_exception(uint64_t cause, uint64_t addr);
/* A foreign program reads its floating point register / writes it. */
bool host_fp(uint64_t *value, bool write);
/* How many entries for [from, to) of a hart's translation buffer say more than the tables of the root
 * do now.  It must be the root in use that has its address space number. */
unsigned host_tlb_stale(unsigned hart, uint64_t root, uint64_t from, uint64_t to);

#endif
