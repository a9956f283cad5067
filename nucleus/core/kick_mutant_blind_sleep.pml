/*
 * expect: fail
 * cc: -DSAFETY
 *
 * recv does not look at the latch.
 */
#define BLIND_SLEEP
#include "kick.pml"
