/* System call handlers: one function a call, named sys_<call>, argument i in a[i].
 * They run with the personality lock held and answer a result or a negated errno.
 * The table is posix/calls.c; a handler is declared by listing it in posix/calls.def:
 *     CALL(name, flags)    -> [__NR_name] = { sys_name, "name", flags }
 */
#ifndef POSIX_SYS_H
#define POSIX_SYS_H

#include <stdint.h>

typedef long sys_handler(const uint64_t a[6]);
#define CALL_NOLOCK 1 /* runs without the lock: touches only its own thread */
#define CALL_REGS 2   /* on success it has set the registers itself: its result is not stored */

#define CALL(name, flags) sys_handler sys_##name;
#include "../calls.def"
#undef CALL

#endif
