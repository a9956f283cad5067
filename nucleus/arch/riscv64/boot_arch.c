/* riscv64: from start.S to boot_main, the other harts, console, time, idle, the end. */
#include "boot.h"
#include "csr.h"
#include "local.h"
#include "log.h"
#include "page.h"
#include "sched.h"

uint8_t hart_stack[HART_STACK] __attribute__((aligned(16))); /* the first one's */
static uint64_t image_offset;                                /* virtual - physical */
extern char start_secondary[], systable_page[], systable_fused[];

static void init_hart(void)
{
    csr_write(sie, SIE_SOFT | SIE_TIMER | SIE_EXTERNAL);
    csr_write(scounteren, 7); /* programs may read cycle, time, instret */
    csr_clear(sstatus, SSTATUS_FS | SSTATUS_SPP);
    csr_set(sstatus, SSTATUS_SPIE);
}

_Noreturn void arch_boot(uint32_t hwid, uint64_t fdt, uint64_t image_base, uint64_t image_end)
{
    extern char nucleus_start[];
    extern pte_t nucleus_root_table[];
    image_offset = (uint64_t)nucleus_start - image_base;
    harts[0].stack_top = (uint64_t)&hart_stack[HART_STACK];
    mmu_init_asids();
    mmu_protect_image(image_base);
    boot_main(hwid, fdt, image_base, image_end, (uint64_t)nucleus_root_table - image_offset);
}

_Noreturn void arch_boot_secondary(void)
{
    init_hart();
    plic_init_hart(this_hart());
    arch_timer_set(NX_NEVER);
    boot_secondary();
}

int arch_hart_start(unsigned hart)
{
    lock();
    const uint64_t stack = page_alloc_contig(nucleus_quota, HART_STACK / NX_PAGE_SIZE);
    unlock();
    if (stack == 0) {
        return -1;
    }
    /* Never given back: of a hart that does not start nobody knows whether it does later. */
    harts[hart].stack_top = (uint64_t)arch_phys(stack) + HART_STACK;
    struct sbi_result r =
        sbi_call(SBI_HSM, 0, harts[hart].hwid, (uint64_t)start_secondary - image_offset,
                 (uint64_t)&harts[hart], 0, 0);
    return r.error == 0 ? 0 : -1;
}

int arch_irq_init(void)
{
    init_hart();
    arch_timer_set(NX_NEVER);
    plic_init_hart(this_hart());
    return 0;
}

uint64_t arch_systable_page(bool fused)
{
    return (uint64_t)(fused ? systable_fused : systable_page) - image_offset;
}

void arch_console_write(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (text[i] == '\n') {
            (void)sbi_call(SBI_PUTCHAR, 0, '\r', 0, 0, 0, 0);
        }
        (void)sbi_call(SBI_PUTCHAR, 0, (unsigned char)text[i], 0, 0, 0, 0);
    }
}

void arch_timer_set(uint64_t deadline)
{
    csr_write(0x14d, deadline); /* stimecmp */
}

void arch_ipi(unsigned hart)
{
    (void)sbi_call(SBI_IPI, 0, 1, harts[hart].hwid, 0, 0, 0);
}

void arch_idle(void)
{
    __asm__ volatile("wfi" ::: "memory");
}

void arch_poll_interrupts(struct hart *h)
{
    uint64_t pending = csr_read(sip) & csr_read(sie);
    if ((pending & SIE_SOFT) != 0) {
        csr_clear(sip, SIE_SOFT);
        sched_ipi();
    }
    if ((pending & SIE_TIMER) != 0) {
        sched_timer();
    }
    if ((pending & SIE_EXTERNAL) != 0) {
        plic_claim(h);
    }
}

_Noreturn void arch_reset(void)
{
    (void)sbi_call(SBI_RESET, 0, SBI_RESET_COLD, SBI_RESET_FAILURE, 0, 0, 0);
    arch_halt();
}

_Noreturn void arch_halt(void)
{
    for (;;) {
        csr_write(sie, 0);
        __asm__ volatile("wfi");
    }
}
