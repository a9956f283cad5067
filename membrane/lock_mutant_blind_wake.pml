/*
 * expect: fail
 * cc: -DSAFETY
 *
 * A stray kick, and the waiter does not see that the lock is its own.
 */
#define BLIND_WAKE
#include "lock.pml"
