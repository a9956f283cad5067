/* host: interrupt lines, by the rules of riscv64's: from its claim until arch_irq_done a line stays
 * quiet; what is raised meanwhile comes afterwards.
 */
#include "event.h"
#include "local.h"

int arch_irq_init(void)
{
    return 0;
}

unsigned arch_irq_count(void)
{
    return HOST_IRQS - 1;
}

static struct host_irq *line(unsigned irq)
{
    if (irq == 0 || irq >= HOST_IRQS) {
        host_bug("there is no interrupt line %u", irq);
    }
    return &host.irq[irq];
}

void arch_irq_enable(unsigned irq, unsigned hart)
{
    struct host_irq *l = line(irq);
    if (l->enabled_on == 0) {
        l->enabled_on = hart + 1;
    }
}

void arch_irq_disable(unsigned irq)
{
    arch_irq_done(irq);
    line(irq)->enabled_on = 0;
}

void arch_irq_done(unsigned irq)
{
    line(irq)->claimed_by = 0;
}

void host_irq_raise(unsigned irq)
{
    line(irq)->pending = true;
}

static struct host_irq *ready_line(unsigned hart)
{
    for (unsigned i = 1; i < HOST_IRQS; i++) {
        struct host_irq *l = &host.irq[i];
        if (l->pending && l->enabled_on == hart + 1 && l->claimed_by == 0) {
            return l;
        }
    }
    return NULL;
}

bool plic_pending(unsigned hart)
{
    return ready_line(hart) != NULL;
}

void plic_claim(void)
{
    struct host_irq *l = ready_line(host.current);
    if (l != NULL) {
        l->pending = false;
        l->claimed_by = host.current + 1;
        event_irq((unsigned)(l - host.irq));
    }
}
