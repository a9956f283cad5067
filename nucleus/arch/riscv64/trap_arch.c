/* riscv64: what kind of trap it is.  The policy is core/trap.c. */
#include "csr.h"
#include "local.h"
#include "log.h"
#include "trap.h"
#include "watchdog.h"

#define CAUSE_INTERRUPT (1ul << 63)
#define CAUSE_ILLEGAL 2
#define CAUSE_ECALL_USER 8
#define CAUSE_FETCH_FAULT 12
#define CAUSE_LOAD_FAULT 13
#define CAUSE_STORE_FAULT 15

_Noreturn void arch_trap(struct hart *h, uint64_t cause, uint64_t tval)
{
    if ((cause & CAUSE_INTERRUPT) != 0 && h->visit == NULL) {
        arch_poll_interrupts(h);
        trap_return(h);
    }
    switch (cause) {
    case CAUSE_FETCH_FAULT:
        trap_fault(h, tval, NX_PROT_X, cause);
        break;
    case CAUSE_LOAD_FAULT:
        trap_fault(h, tval, NX_PROT_R, cause);
        break;
    case CAUSE_STORE_FAULT:
        trap_fault(h, tval, NX_PROT_W, cause);
        break;
    case CAUSE_ILLEGAL:
        if (h->foreign != NULL && (csr_read(sstatus) & SSTATUS_FS) == 0) {
            trap_fp(h);
            break;
        }
        trap_other(h, cause, tval);
        break;
    default:
        trap_other(h, cause, tval);
        break;
    }
    trap_return(h);
}

void arch_visit_over(void)
{
    csr_set(sstatus, SSTATUS_SPIE);
}

/* ---- the nucleus' own faults ---- */
extern const uint64_t nx_symbase, nx_symtab_count;
extern const uint32_t nx_symtab[];
extern const char nx_symnames[];

const char *symbol_name(uint64_t addr, uint64_t *off)
{
    const char *name = "?";
    *off = 0;
    for (uint64_t i = 0; i < nx_symtab_count; i++) {
        uint64_t at = nx_symbase + nx_symtab[2 * i];
        if (at > addr) {
            break;
        }
        name = nx_symnames + nx_symtab[2 * i + 1];
        *off = addr - at;
    }
    return name;
}

static void print_frame(uint64_t pc)
{
    uint64_t off;
    const char *name = symbol_name(pc, &off);
    console_print("  %016lx %s+%#lx\n", (unsigned long)pc, name, (unsigned long)off);
}

void arch_backtrace(uint64_t pc, uint64_t fp)
{
    extern char nucleus_start[], nucleus_end[];
    print_frame(pc);
    for (unsigned depth = 0; depth < 24; depth++) {
        if (fp < (uint64_t)nucleus_start + 16 || fp > (uint64_t)nucleus_end || fp % 8 != 0) {
            break;
        }
        uint64_t ra = ((const uint64_t *)fp)[-1];
        fp = ((const uint64_t *)fp)[-2];
        if (ra < (uint64_t)nucleus_start || ra >= (uint64_t)nucleus_end) {
            break;
        }
        print_frame(ra);
    }
}

_Noreturn void arch_nucleus_trap(const uint64_t *regs)
{
    uint64_t pc = csr_read(sepc);
    console_print("\nnexus: panic on hart %u: trap inside the nucleus\n", this_hart()->index);
    console_print("  scause %lx stval %016lx sepc %016lx\n", csr_read(scause), csr_read(stval), pc);
    console_print("  ra %016lx sp %016lx s0 %016lx tp %016lx\n", regs[1], (uint64_t)regs + 256,
                  regs[8], (uint64_t)this_hart());
    console_print("  a0 %016lx a1 %016lx a2 %016lx a3 %016lx\n", regs[10], regs[11], regs[12],
                  regs[13]);
    console_print("  a4 %016lx a5 %016lx t0 %016lx t1 %016lx\n", regs[14], regs[15], regs[5],
                  regs[6]);
    print_frame(pc);
    arch_backtrace(regs[1], regs[8]);
    watchdog_end(false);
}
