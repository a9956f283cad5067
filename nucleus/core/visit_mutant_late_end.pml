/*
 * expect: fail
 * cc: -DSAFETY
 *
 * A fault for good takes the lock before the visit is over.
 */
#define LATE_END
#include "visit.pml"
