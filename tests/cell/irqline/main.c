/* Test cell: from a device raising its interrupt line to the driver's first instruction after recv, in
 * instructions (meaningful under qemu -icount shift=0).
 *
 * The device is the machine's real-time clock: an alarm set in the past raises its line in the very store
 * that sets it.  One fiber, the driver, sleeps in recv on the interrupt.  The other notes the count of
 * instructions, sets the alarm, and yields.  So the figure has in it: the trap, the claim, the driver's
 * wake-up, the way back to the fiber that was interrupted, that fiber's yield, the switch, and recv's
 * return.  A driver that outranks what it interrupts is switched to at once and saves the yield.
 *
 * Logs one line, read by tests/bench/run.py:
 *     figure irq-to-driver N    the worst of many, after the first few
 */
#include <manifest/irqline.h>
#include <nexus/cell.h>
#include <nx/sys.h>
#include <nx_base.h>

/* Registers, in words. */
#define ALARM_LOW 2
#define ALARM_HIGH 3
#define IRQ_ENABLED 4
#define CLEAR_INTERRUPT 7

#define ROUNDS 100u
#define WARM_UP 8u

static volatile uint32_t *regs;
static volatile uint64_t raised, worst, rounds;
static uint8_t stack[8192] __attribute__((aligned(16)));

static inline uint64_t instructions(void)
{
    uint64_t v;
    __asm__ volatile("rdinstret %0" : "=r"(v)::"memory");
    return v;
}

static void driver(void)
{
    for (;;) {
        nx_mask_ack(SLOT_IRQ);
        long slot = nx_recv_wait(1ul << SLOT_IRQ, NX_NEVER);
        uint64_t now = instructions();
        regs[CLEAR_INTERRUPT] = 1;
        if (slot == SLOT_IRQ && rounds++ >= WARM_UP) {
            worst = NX_MAX(worst, now - raised);
        }
    }
}

int cell_main(const struct nx_cellinfo *info)
{
    regs = cell_map(SLOT_REGS, NX_PROT_R | NX_PROT_W, NULL, NULL);
    if (regs == NULL ||
        nx_spawn_fiber((uint64_t)driver, (uint64_t)stack + sizeof(stack), 0, NX_TIER_PHOTON) < 0) {
        cell_panic("no clock, or no fiber");
    }
    nx_tick_sleep(cell_now() + cell_ticks_of_ms(500)); /* not while the system comes up */
    regs[ALARM_HIGH] = 0;
    regs[IRQ_ENABLED] = 1;
    for (unsigned i = 0; rounds < ROUNDS && i < 10 * ROUNDS; i++) {
        uint64_t before = rounds;
        nx_tick_sleep(cell_now() + cell_ticks_of_ms(2)); /* a full budget */
        raised = instructions();
        regs[ALARM_LOW] = i;
        for (unsigned tries = 0; rounds == before && tries < 1000; tries++) {
            nx_tick_yield();
        }
    }
    regs[IRQ_ENABLED] = 0;
    if (rounds < ROUNDS) {
        cell_panic("interrupts are lost: %lu of %u came", (unsigned long)rounds, ROUNDS);
    }
    cell_log("figure irq-to-driver %lu", (unsigned long)worst);
    return 0;
}
