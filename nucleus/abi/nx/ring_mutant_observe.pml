/*
 * expect: fail
 * cc: -DSAFETY
 *
 * The slot may be read before the index that says it is there.
 */
#define NO_OBSERVE
#include "ring.pml"
