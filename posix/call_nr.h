/* The numbers of system calls, __NR_*: riscv64's, in host tests too. */
#ifndef POSIX_CALL_NR_H
#define POSIX_CALL_NR_H

#ifdef NX_HOST
#define __ARCH_WANT_NEW_STAT
#define __ARCH_WANT_SET_GET_RLIMIT
#define __ARCH_WANT_SYS_CLONE3
#include <asm-generic/unistd.h>
#define __NR_riscv_flush_icache (__NR_arch_specific_syscall + 15)
#else
#include <asm/unistd.h>
#endif

#endif
