/*
 * expect: fail
 * cc: -DSAFETY
 *
 * The announcement may still be in the store buffer when the sleeper looks again.
 */
#define NO_SLEEPER_FENCE
#include "ring.pml"
