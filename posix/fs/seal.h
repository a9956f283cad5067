/* Seals of files in memory: what may not be done to them any more (F_ADD_SEALS). */
#ifndef POSIX_FS_SEAL_H
#define POSIX_FS_SEAL_H

#include "fs/inode.h"

/* asm/fcntl.h and linux/fcntl.h of some hosts do not have them all. */
#ifndef F_SEAL_SEAL
#define F_ADD_SEALS 1033
#define F_GET_SEALS 1034
#define F_SEAL_SEAL 1u
#define F_SEAL_SHRINK 2u
#define F_SEAL_GROW 4u
#define F_SEAL_WRITE 8u
#endif
#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 16u
#endif
#define SEALS_WRITE (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)

/* How much of n bytes at off may be written: 1..n, or -EPERM. */
long seal_write(const struct inode *ino, int64_t off, long n);
int seal_mmap(const struct inode *ino, unsigned prot); /* shared; as file_ops.mmap_ok */
long seals_add(struct file *f, unsigned seals);
long seals_get(const struct file *f);

#endif
