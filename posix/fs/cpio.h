/* Unpacking cpio archives (newc, plain or gzip) into the root file system. */
#ifndef POSIX_FS_CPIO_H
#define POSIX_FS_CPIO_H

#include <stddef.h>
#include <stdint.h>

struct cpio; /* an archive being unpacked, fed piece by piece */

struct cpio *cpio_begin(void);                             /* NULL: no memory */
int cpio_feed(struct cpio *c, const void *data, size_t n); /* 0, or -EINVAL, -ENOMEM, -ENOSPC */
int cpio_end(struct cpio *c); /* frees it; -EINVAL when the archive was cut off */

/* A whole archive, also several one after the other, each plain or gzip.  The bytes must stay as they are
 * for ever: page aligned data of plain archives is borrowed by the files (tmpfs_borrow). */
int archive_unpack(const void *data, size_t n);

/* Inflate the gzip member at data into sink: bytes consumed, or an error (also the sink's). */
long gunzip(const void *data, size_t n, int (*sink)(void *ctx, const void *data, size_t n),
            void *ctx);

#endif
