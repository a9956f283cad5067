/*
 * expect: fail
 * cc: -DSAFETY
 *
 * The index may arrive before the slot it promises.
 */
#define NO_PUBLISH
#include "ring.pml"
