/*
 * expect: fail
 * cc: -DSAFETY
 *
 * Who came to wait while the first was woken sleeps for ever.
 */
#define PLAIN_RELEASE
#include "lock.pml"
