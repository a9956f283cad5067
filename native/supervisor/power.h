/* The end of the machine, through the device tree's test finisher. */
#ifndef SUPERVISOR_POWER_H
#define SUPERVISOR_POWER_H

void power_init(const void *fdt);
_Noreturn void power_off(unsigned status);
_Noreturn void power_reset(void);

#endif
