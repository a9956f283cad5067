/*
 * expect: fail
 * cc: -DSAFETY
 *
 * A fault in a handler takes the lock as everybody does, who may wait for this very visit.
 */
#define PLAIN_LOCK
#include "visit.pml"
