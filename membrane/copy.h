/* Raw access to program memory with recovery: private to membrane/copy.c; one copy.S per arch.
 *
 * Each sets state->fixup while it works.  When an access to the lower half cannot be resolved by the
 * nucleus, it answers how far it is not: bytes left (0: all done).  What was counted as done is done;
 * a bit more may be.  Addresses are not checked here.
 */
#ifndef MEMBRANE_COPY_H
#define MEMBRANE_COPY_H

#include <nx/state.h>
#include <stddef.h>
#include <stdint.h>

size_t mb_raw_copy(void *dst, const void *src, size_t n, struct nx_state *state);
size_t mb_raw_zero(void *dst, size_t n, struct nx_state *state);
/* Bytes before the first NUL, at most n; *faulted is set to 1 when it stopped at a fault instead.
 * Does not look past the 8-byte word in which it stops. */
size_t mb_raw_strnlen(const char *src, size_t n, struct nx_state *state, uint64_t *faulted);
/* 0, or 1 after a fault. */
int mb_raw_load32(uint32_t *val, const uint32_t *addr, struct nx_state *state);
int mb_raw_cas32(uint32_t *addr, uint32_t expect, uint32_t want, uint32_t *old,
                 struct nx_state *state);

#endif
