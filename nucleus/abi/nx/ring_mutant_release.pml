/*
 * expect: fail
 * cc: -DSAFETY
 *
 * The slot may be overwritten before it is read.
 */
#define NO_RELEASE
#include "ring.pml"
