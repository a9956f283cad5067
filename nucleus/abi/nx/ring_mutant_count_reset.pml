/*
 * expect: fail
 * cc: -DSAFETY
 *
 * An announcement of the restarted side looks like one already rung for.
 */
#define COUNT_RESET
#include "ring.pml"
