/* errno.h - for other people's code: the numbers it sets and tests. */
#ifndef NEXUS_LIBC_ERRNO_H
#define NEXUS_LIBC_ERRNO_H

extern int errno;

#define ENOMEM 12
#define EINVAL 22
#define EFBIG 27
#define ERANGE 34
#define ENOSYS 38

#endif
