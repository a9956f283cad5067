/* /Bus: see bus.c. */
#ifndef POSIX_FS_BUS_H
#define POSIX_FS_BUS_H

/* Make the files; after the archives are unpacked. */
int bus_init(void);

#endif
