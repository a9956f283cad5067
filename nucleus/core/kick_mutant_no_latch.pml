/*
 * expect: fail
 * cc: -DSAFETY
 *
 * Who runs in host mode is not kicked, as if it would look by itself: it may have looked already.
 */
#define NO_LATCH
#include "kick.pml"
