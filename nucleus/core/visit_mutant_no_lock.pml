/*
 * expect: fail
 * cc: -DSAFETY
 *
 * Who visits looks at the door without the lock.
 */
#define NO_LOCK
#include "visit.pml"
