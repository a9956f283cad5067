/* riscv64: the platform-level interrupt controller.  An interrupt stays masked from its claim until
 * arch_irq_done, so a level-triggered line does not storm while its driver cell works.
 */
#include "event.h"
#include "local.h"
#include "machine.h"

#define IRQS 1024
static uint8_t enabled_on[IRQS]; /* hart index + 1; 0: disabled */
/* Hart index + 1; 0: not in service.  Written by the claiming hart without the lock. */
static volatile uint8_t claimed_by[IRQS];

static volatile uint32_t *reg(uint64_t off)
{
    return (volatile uint32_t *)arch_phys(machine.plic_base + off);
}

static volatile uint32_t *enable_word(unsigned hart, unsigned irq)
{
    return reg(0x2000 + 0x80ul * harts[hart].irq_context + irq / 32 * 4);
}

static volatile uint32_t *claim_reg(unsigned hart)
{
    return reg(0x200004 + 0x1000ul * harts[hart].irq_context);
}

void plic_init_hart(const struct hart *h)
{
    for (unsigned i = 0; i <= machine.plic_irqs; i += 32) {
        *enable_word(h->index, i) = 0;
    }
    *reg(0x200000 + 0x1000ul * h->irq_context) = 0;
}

unsigned arch_irq_count(void)
{
    return machine.plic_irqs < IRQS ? machine.plic_irqs : IRQS - 1;
}

void arch_irq_enable(unsigned irq, unsigned hart)
{
    if (enabled_on[irq] != 0) {
        return;
    }
    /* In this order: QEMU's controller looks at what is pending already when a priority is written, and
     * not when a line is enabled. */
    *enable_word(hart, irq) |= 1u << irq % 32;
    *reg(4ul * irq) = 1;
    enabled_on[irq] = (uint8_t)(hart + 1);
}

void arch_irq_disable(unsigned irq)
{
    arch_irq_done(irq);
    if (enabled_on[irq] != 0) {
        *enable_word(enabled_on[irq] - 1u, irq) &= ~(1u << irq % 32);
        enabled_on[irq] = 0;
    }
}

void arch_irq_done(unsigned irq)
{
    unsigned by = claimed_by[irq];
    if (by != 0) {
        /* Forgotten first: from the completion on, another hart may claim it again and note so. */
        claimed_by[irq] = 0;
        __asm__ volatile("fence rw, o" ::: "memory");
        *claim_reg(by - 1u) = irq;
    }
}

void plic_claim(const struct hart *h)
{
    uint32_t irq = *claim_reg(h->index);
    if (irq != 0 && irq < IRQS) {
        claimed_by[irq] = (uint8_t)(h->index + 1);
        event_irq(irq);
    }
}
