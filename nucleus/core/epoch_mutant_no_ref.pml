/*
 * expect: fail
 * cc: -DSAFETY
 *
 * A capability holds no reference: the memory of its object is given back, and is another object.
 */
#define NO_REF
#include "epoch.pml"
