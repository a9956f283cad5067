/*
 * expect: fail
 * cc: -DSAFETY
 *
 * A visit is over before its stack is left.
 */
#define EARLY_END
#include "visit.pml"
