/*
 * expect: fail
 * cc: -DSAFETY
 *
 * A use looks at the object and not at the epoch.
 */
#define NO_CHECK
#include "epoch.pml"
