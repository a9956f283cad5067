/*
 * expect: fail
 * cc: -DSAFETY
 *
 * What was published before the announcement could be seen is slept over.
 */
#define NO_LOOK_AGAIN
#include "ring.pml"
