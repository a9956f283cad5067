/* Every hook the core needs from an instruction set, declared and specified here and nowhere else.
 *
 * Each nucleus/arch/<isa>/ folder implements all of them in files of the same names.  Arch code holds no
 * policy: it saves, loads, maps, fences and reports.  arch/host implements them over ordinary memory so
 * that the core runs as a program under sanitizers.
 *
 * arch_inline.h (per ISA) gives, as static inline functions:
 *   void *arch_phys(uint64_t pa)            address of physical memory in the direct map
 *   uint64_t arch_phys_of(const void *p)    the reverse
 *   struct hart *arch_this_hart(void)       this hart's structure
 *   uint64_t arch_time(void)                the time counter, ticks
 *   uint64_t arch_instret(void)             instructions retired on this hart
 *   bool arch_test_and_set(uint32_t *)      acquire: false when it was free and is ours now
 *   void arch_release(uint32_t *)           release store of 0
 *   void arch_relax(void)                   inside spin loops
 *   void arch_publish(void)                 stores before it (a page's content, a table's entries) are
 *                                           seen by whoever sees a store after it (the entry for it)
 *   void arch_root_write(uint64_t root)     arch_root_set without the fence that harts without address
 *                                           space numbers need: arch_resume_rooted follows and has it
 *   void arch_page_zero(void *), arch_page_copy(void *, const void *)
 * arch_pte.h (per ISA) gives the page table entry format, see there.
 */
#ifndef ARCH_H
#define ARCH_H

#include <nx/layout.h>
#include <nx/state.h>
#include <nx/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hart;
struct fiber;

/* ---- console of the firmware: before a driver cell owns the device, and for panics ---- */
void arch_console_write(const char *text, size_t n);

/* ---- user mode, and the host mode of fused cells ---- */
/* Load the registers of this hart's current fiber (its own, or its state area's when it is in foreign
 * mode) and leave for user mode; for host mode of a fiber with `fused` set leave for the nucleus'
 * privilege, with interrupts on, data of user pages within reach, and code of user pages out of it.
 * The hart's stack is empty afterwards.  Whatever interrupts that code comes in as from user mode. */
_Noreturn void arch_resume(struct hart *h);
/* The same when arch_root_write has just made the fiber's tables current. */
_Noreturn void arch_resume_rooted(void);
/* The same for a fiber that is in a call, which answers `result`: of its registers only those that calls keep
 * are loaded, and what others had is in none.  Its code has run on this hart.  Does not return, although it may be called as
 * the last thing a handler of a call does. */
long arch_resume_call(long result);
/* Back into a visit (core/visit.h): the fiber's registers, the tables that are current, interrupts off. */
_Noreturn void arch_resume_visit(void);
/* There is no visit any more: cells are resumed with interrupts on again, as ever. */
void arch_visit_over(void);
/* Forget the live floating point registers / write them to the state area if they were changed.
 * arch_fp_load makes those of the area live. */
void arch_fp_off(void);
bool arch_fp_dirty(void);
void arch_fp_save(struct nx_state *s);
void arch_fp_load(const struct nx_state *s);

/* ---- address spaces ---- */
/* The value that makes the table at `pa` current, with address space number `asid`. */
uint64_t arch_root(uint64_t pa, unsigned asid);
/* Make it current on this hart. */
void arch_root_set(uint64_t root);
unsigned arch_asids(void); /* how many numbers there are; 1 when the hart has none */
/* Forget translations: one page or all of an address space, or of every one; on this hart. */
void arch_tlb_page(uint64_t va, unsigned asid);
void arch_tlb_asid(unsigned asid);
void arch_tlb_page_all(uint64_t va); /* in every address space */
void arch_tlb_all(void);
/* The same on the harts of the mask (bit: hart index), done when it returns.  len 0: everything. */
void arch_tlb_remote(uint64_t harts, uint64_t va, uint64_t len, unsigned asid, bool every_asid);
void arch_fence_code(void); /* instruction fetch sees earlier stores, on this hart */
void arch_fence_code_remote(uint64_t harts);

/* ---- time, other harts ---- */
void arch_timer_set(uint64_t deadline); /* interrupt when the time counter reaches it */
void arch_ipi(unsigned hart);
void arch_idle(void);               /* wait until an interrupt is pending; does not take it */
int arch_hart_start(unsigned hart); /* 0 when it will run boot_secondary() */

/* ---- interrupts ---- */
/* Take what is pending on this hart without blocking: calls sched_timer, sched_ipi, event_irq. */
void arch_poll_interrupts(struct hart *h);
int arch_irq_init(void); /* after the machine is known; 0 or an error */
unsigned arch_irq_count(void);
void arch_irq_enable(unsigned irq, unsigned hart);
void arch_irq_disable(unsigned irq);
void arch_irq_done(unsigned irq); /* the device was served; the line may fire again */

/* ---- the end ---- */
_Noreturn void arch_halt(void);
_Noreturn void arch_reset(void); /* a cold start of the machine; halts when the firmware cannot */
/* Print the hart's registers at a fault and the call chain from frame pointer fp. */
void arch_backtrace(uint64_t pc, uint64_t fp);

#include <arch_inline.h>
#include <arch_pte.h>

#endif
