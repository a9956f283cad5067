/* Devices that come: from a driver's first word to a node in /dev.  See devices.c. */
#ifndef POSIX_DEV_DEV_H
#define POSIX_DEV_DEV_H

#include <stdbool.h>

/* Before the main fiber serves: from now on devices are taken in. */
void devices_init(void);
/* Wait until what the machine has is there, but not for ever: process 1 finds its disks. */
void devices_settle(void);

/* attach: called on a fiber of its own, with the lock; may block.  again: the driver was restarted, on
 * the main fiber, must not block. */
void hwrng_attach(unsigned index);
void fb_attach(unsigned index);
void fb_again(unsigned index);
void evdev_attach(unsigned index);
void evdev_again(unsigned index);

#endif
