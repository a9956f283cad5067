/* /Bus: see bus.c. */
#ifndef POSIX_FS_BUS_H
#define POSIX_FS_BUS_H

#include <stdint.h>

struct file;

/* Make /Bus/supervisor; after the archives are unpacked. */
int bus_init(void);
/* Make another file in /Bus: a device whose open function sets f->ops. */
int bus_register(const char *name, uint32_t mode, int (*open)(struct file *f));

#endif
